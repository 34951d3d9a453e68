package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// access is how an engine is reached. It comes from the environment and from files that it
// names, never from flags, which other users see. The names are those of logcli
// (https://grafana.com/docs/loki/latest/query/logcli/), with VLOGS_ before them for
// VictoriaLogs, whose own vlogscli takes flags alone.
type access struct {
	// Received are the bytes that came, as they came: packed, and with what is around them.
	Received atomic.Int64

	header  http.Header
	client  *http.Client
	retries uint
	// shortest and longest are the times between tries.
	shortest, longest time.Duration
	// bearerFile holds a token that may change while it is used.
	bearerFile, scheme string
}

// ErrSetting says that a variable of the environment cannot be used; it names the variable
// and not what it holds.
type ErrSetting struct {
	Variable string
	Err      error
}

func (e *ErrSetting) Error() string { return fmt.Sprintf("%s: %v", e.Variable, e.Err) }
func (e *ErrSetting) Unwrap() error { return e.Err }

var errValue = errors.New("has a value that cannot be used")

// settings reads the variables of one engine and keeps the first fault.
type settings struct {
	prefix string
	env    func(string) string
	err    error
}

func (s *settings) text(name string) string { return s.env(s.prefix + name) }

func (s *settings) fail(name string, err error) {
	if s.err == nil {
		s.err = &ErrSetting{s.prefix + name, err}
	}
}

func (s *settings) truth(name string) bool {
	text := s.text(name)
	if text == "" {
		return false
	}
	is, err := strconv.ParseBool(text)
	if err != nil {
		s.fail(name, errValue)
	}
	return is
}

func (s *settings) number(name string, otherwise int) int {
	text := s.text(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		s.fail(name, errValue)
	}
	return n
}

// file reads what is in a file that a variable names.
func (s *settings) file(name string) []byte {
	path := s.text(name)
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		s.fail(name, err)
	}
	return data
}

func newAccess(a *Address, env func(string) string) (*access, error) {
	s := &settings{prefix: kinds[a.Engine].variables, env: env}
	c := &access{
		header: http.Header{"User-Agent": {"wklog"}}, retries: uint(s.number("CLIENT_RETRIES", 10)),
		shortest: time.Duration(max(s.number("CLIENT_MIN_BACKOFF", 1), 0)) * time.Second,
		longest:  time.Duration(max(s.number("CLIENT_MAX_BACKOFF", 10), 1)) * time.Second,
	}
	c.authorize(s)
	for name, variable := range map[string]string{"X-Scope-Orgid": "ORG_ID", "AccountID": "ACCOUNT_ID", "ProjectID": "PROJECT_ID"} {
		if value := s.text(variable); value != "" {
			c.header.Set(name, value)
		}
	}
	tags := "source=wklog"
	if more := s.text("QUERY_TAGS"); more != "" {
		tags += "," + more
	}
	c.header.Set("X-Query-Tags", tags)
	if s.truth("NO_CACHE") {
		c.header.Set("Cache-Control", "no-cache")
	}
	c.client = &http.Client{Transport: c.transport(s), CheckRedirect: sameHost}
	return c, s.err
}

// transport takes a proxy from the environment and packed answers, unless the user says
// not to.
func (c *access) transport(s *settings) *http.Transport {
	unless := func(name string) bool { return s.text(name) != "" && !s.truth(name) }
	t := &http.Transport{
		DialContext: c.dial, Proxy: http.ProxyFromEnvironment, TLSClientConfig: s.tls(), ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: parallel, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: patience / 2,
		DisableCompression: unless("HTTP_COMPRESSION"),
	}
	if unless("ENV_PROXY") {
		t.Proxy = nil
	}
	if proxy := s.text("HTTP_PROXY_URL"); proxy != "" {
		u, err := url.Parse(proxy)
		if err != nil || u.Host == "" {
			s.fail("HTTP_PROXY_URL", errValue)
		}
		t.Proxy = http.ProxyURL(u)
	}
	return t
}

// counted is a connection of which it is counted what comes.
type counted struct {
	net.Conn
	received *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}

func (c *access) dial(ctx context.Context, network, address string) (net.Conn, error) {
	connection, err := (&net.Dialer{Timeout: patience / 2}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return counted{connection, &c.Received}, nil
}

// authorize takes the first of a user with a password, a token and a token in a file.
func (c *access) authorize(s *settings) {
	name := s.text("AUTH_HEADER")
	if name == "" {
		name = "Authorization"
	}
	c.scheme = name
	password := s.text("PASSWORD")
	if password == "" {
		password = strings.TrimSpace(string(s.file("PASSWORD_FILE")))
	}
	switch user := s.text("USERNAME"); {
	case user != "" || password != "":
		c.header.Set(name, "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	case s.text("BEARER_TOKEN") != "":
		c.header.Set(name, "Bearer "+s.text("BEARER_TOKEN"))
	case s.text("BEARER_TOKEN_FILE") != "":
		s.file("BEARER_TOKEN_FILE")
		c.bearerFile = s.text("BEARER_TOKEN_FILE")
	}
}

// sign adds what every request carries.
func (c *access) sign(r *http.Request) {
	r.Header = c.header.Clone()
	if c.bearerFile == "" {
		return
	}
	if token, err := os.ReadFile(c.bearerFile); err == nil {
		r.Header.Set(c.scheme, "Bearer "+strings.TrimSpace(string(token)))
	}
}

func (s *settings) tls() *tls.Config {
	config := &tls.Config{InsecureSkipVerify: s.truth("TLS_SKIP_VERIFY"), ServerName: s.text("TLS_SERVER_NAME")}
	if ca := s.file("CA_CERT_PATH"); ca != nil {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(ca) {
			s.fail("CA_CERT_PATH", errValue)
		}
	}
	if s.text("CLIENT_CERT_PATH") != "" {
		pair, err := tls.LoadX509KeyPair(s.text("CLIENT_CERT_PATH"), s.text("CLIENT_KEY_PATH"))
		if err != nil {
			s.fail("CLIENT_CERT_PATH", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

// ErrElsewhere says that the engine sends to another host, to which no password goes.
var ErrElsewhere = errors.New("it redirects to another host, which is not asked")

// sameHost follows no redirect to another host or to plain text. Go's client takes
// Authorization off there and leaves every other header, and some carry a secret.
func sameHost(r *http.Request, via []*http.Request) error {
	const most = 5
	first := via[0].URL
	if r.URL.Host != first.Host || first.Scheme == "https" && r.URL.Scheme != "https" || len(via) > most {
		return ErrElsewhere
	}
	return nil
}
