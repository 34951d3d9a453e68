package check

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	mostHeader = 64 << 10
	mostBody   = 64 << 10
)

// client makes one request over conn: no proxy of the environment, no
// redirects, no other connection.
func client(conn net.Conn) *http.Client {
	unused := &patient{Conn: conn, wrote: make(chan struct{})}
	take := func(context.Context, string, string) (net.Conn, error) {
		taken := unused
		if unused = nil; taken == nil {
			return nil, errors.New("the connection has been used")
		}
		return taken, nil
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            take,
			DialTLSContext:         take,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: mostHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// patient reads nothing before it has written, since net/http writes what a
// server says unasked to the standard logger.
type patient struct {
	net.Conn
	wrote chan struct{} // closed with the first write, and with the connection
	once  sync.Once
}

func (p *patient) Read(b []byte) (int, error) {
	<-p.wrote
	return p.Conn.Read(b)
}

func (p *patient) Write(b []byte) (int, error) {
	p.once.Do(func() { close(p.wrote) })
	return p.Conn.Write(b)
}

func (p *patient) Close() error {
	p.once.Do(func() { close(p.wrote) })
	return p.Conn.Close()
}

// get asks the API, and reads up to most bytes of what it answers, or the reason of a
// refusal.
func (e *endpoint) get(ctx context.Context, path string, most int64) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.API+path, nil)
	if err != nil {
		return 0, nil, err
	}
	conn, err := e.dial(ctx, e.API)
	if err != nil {
		return 0, nil, err
	}
	defer conn.Close()
	sent := e.Now()
	response, err := client(conn).Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	e.readDate(response.Header, sent, e.API)
	if response.StatusCode == http.StatusBadRequest {
		most = mostBody
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, most))
	return response.StatusCode, body, err
}

func (e *endpoint) health(ctx context.Context) Result {
	if e.API == "" {
		return skipped("no-address")
	}
	status, body, err := e.get(ctx, "/health", 0)
	if err != nil {
		return e.unanswered(err, e.API)
	}
	if status == http.StatusBadRequest && wantsTLS().Match(body) {
		return fail("plaintext-on-tls-port", portTLS, Address.of("address", fromPeer(e.API)))
	}
	e.reached = true
	if status != http.StatusOK {
		return warn("", "status", Number.of("status", status))
	}
	return pass("healthy", Address.of("address", fromPeer(e.API)))
}

// A TLS port that gets plain HTTP says so by a page (the words of Go and nginx, of
// Apache, and of Tomcat) or by an alert (RFC 8446 section 6), or hangs up. To find
// out by a handshake could do harm: only clients that mean TLS begin one.
var (
	wantsTLS = lazily(`HTTPS (?:server|port)|SSL-enabled server|requires TLS`)
	inAlert  = `malformed HTTP response "\x15\x03` // of net/http
)

// unanswered explains why a plain port gave no HTTP answer. One that is closed
// to this machine may well be so on purpose, and proves nothing about TLS.
func (e *endpoint) unanswered(err error, address string) Result {
	switch {
	case strings.Contains(err.Error(), inAlert):
		return fail("plaintext-on-tls-port", portTLS, Address.of("address", fromPeer(address)))
	case isHangUp(err):
		return warn("", portClosed, Address.of("address", fromPeer(address)))
	}
	return e.unreachable(err, address)
}

// openWebSocket upgrades conn and drops it at once. The response is nil where
// there was none; its body holds the first KiB of a refusal.
func openWebSocket(ctx context.Context, conn net.Conn, url string, header http.Header) (*http.Response, error) {
	defer conn.Close()
	socket, response, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient:      client(conn),
		HTTPHeader:      header,
		CompressionMode: websocket.CompressionDisabled,
	})
	if err == nil {
		socket.CloseNow()
	}
	if ctx.Err() != nil { // a server that sees the end of the connection may still answer it
		return nil, ctx.Err()
	}
	return response, err
}

func (e *endpoint) plainUpgrade(ctx context.Context) Result {
	if e.Plain == "" {
		return skipped("no-address")
	}
	conn, err := e.dial(ctx, e.Plain)
	if err != nil {
		return e.unreachable(err, e.Plain)
	}
	response, err := openWebSocket(ctx, conn, "ws://"+e.Plain+"/", nil)
	switch {
	case response == nil:
		return e.unanswered(err, e.Plain)
	case response.StatusCode == http.StatusBadRequest && refusesPlain(response):
		return fail("plaintext-on-tls-port", portTLS, Address.of("address", fromPeer(e.Plain)))
	case response.StatusCode != http.StatusSwitchingProtocols:
		return warn("", "status", Number.of("status", response.StatusCode))
	case err != nil:
		return warn("", portFailed, Address.of("address", fromPeer(e.Plain)), Text.of("error", told(err)))
	}
	return pass("upgraded", Address.of("address", fromPeer(e.Plain)))
}

// authority is the endpoint's host and port as they stand in a URL.
func (e *endpoint) authority() string { return net.JoinHostPort(withoutZone(e.host), e.port) }

// refusesPlain tells whether a refusal says that the port is one of TLS.
func refusesPlain(response *http.Response) bool {
	body, err := io.ReadAll(io.LimitReader(response.Body, mostBody))
	return err == nil && wantsTLS().Match(body)
}

func (e *endpoint) upgrade(ctx context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	a := e.shake(ctx, e.ordinary())
	if a.err != nil {
		return e.refusal(ctx, a)
	}
	e.remember(a)
	sent := e.Now()
	response, err := openWebSocket(ctx, a.conn, "wss://"+e.authority()+e.path, nil)
	if response == nil {
		return e.noUpgrade(err, a.asked)
	}
	e.readDate(response.Header, sent, e.authority())
	switch {
	case response.StatusCode == http.StatusBadRequest && a.asked:
		return fail("client-certificate", sharedReason+"handshake-client-certificate", Host.of("host", e.host))
	case response.StatusCode != http.StatusSwitchingProtocols:
		return e.refused(ctx, response)
	case err != nil:
		return fail("connection-interrupted", sharedReason+"handshake-failed", Text.of("error", told(err)))
	}
	return pass("upgraded", Host.of("host", e.host))
}

// noUpgrade explains a connection that ended after the handshake and before an
// HTTP answer; TLS 1.3 servers refuse the client's certificate there (RFC 8446
// section 4.4.2.4).
func (e *endpoint) noUpgrade(err error, asked bool) Result {
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "remote error":
		return e.alerted(op.Err.Error(), asked)
	case isSilent(err):
		return fail("connection-interrupted", sharedReason+"handshake-silent", Address.of("address", e.target), Text.of("timeout", e.Timeout.String()))
	}
	return fail("connection-interrupted", sharedReason+"handshake-failed", Text.of("error", told(err)))
}

// route compares the address that clients get with the one that was looked at
// (WuKongIM v2.2.5, GET /route: tcp_addr, ws_addr, wss_addr).
func (e *endpoint) route(ctx context.Context) Result {
	if e.API == "" {
		return skipped("no-address")
	}
	if !e.reached {
		return skipped("needs", Text.of("check", "live-health"))
	}
	status, body, err := e.get(ctx, "/route", mostBody)
	if err != nil {
		return e.unreachable(err, e.API)
	}
	if status != http.StatusOK {
		return warn("", "status", Number.of("status", status))
	}
	return e.judgeRoute(body)
}

// judgeRoute tells whether clients are given the address that was looked at.
func (e *endpoint) judgeRoute(body []byte) Result {
	var told struct {
		WSS string `json:"wss_addr"`
	}
	if err := json.Unmarshal(body, &told); err != nil {
		return warn("", "no-json", Text.of("error", fromPeer(err.Error())))
	}
	r := e.compareRoute(strings.TrimSpace(told.WSS))
	if r.Status != Pass {
		r.Fixes = []Step{step("fix", "curl -sS --max-time 5 %[1]s", "external:\n  wssAddr: \"wss://im.example.com:5210\"   # WK_EXTERNAL_WSSADDR", Address.of("api", "http://"+e.API+"/route"))}
	}
	return r
}

func (e *endpoint) compareRoute(told string) Result {
	shown := Address.of("wss_addr", fromPeer(told))
	if told == "" {
		return warn("", "none")
	}
	if strings.HasPrefix(strings.ToLower(told), "ws://") {
		return fail("insecure-websocket-on-https-page", "insecure", shown)
	}
	host, port, _, err := ParseAddr(told)
	if err != nil || !strings.Contains(told, "://") {
		return warn("", "unusable", shown)
	}
	sameHost := strings.EqualFold(strings.TrimSuffix(host, "."), strings.TrimSuffix(e.host, "."))
	switch {
	case sameHost && port == e.port:
		return pass("equal", shown)
	case e.Addr == "":
		return pass("told", shown)
	case !sameHost && len(e.peers) > 0 && e.leaf().VerifyHostname(withoutZone(host)) != nil:
		return cleaned(fail("hostname-mismatch", "uncovered", shown, Host.of("names", namesOf(e.leaf()))))
	}
	return warn("", "differs", shown, Address.of("checked", net.JoinHostPort(e.host, e.port)))
}

// readDate keeps the first Date that the endpoint or its API sends (RFC 9110
// section 6.6.1). One from a cache, which has an Age, may be old.
func (e *endpoint) readDate(h http.Header, sent time.Time, source string) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil || e.date != nil || h.Get("Age") != "" {
		return
	}
	e.date = newReading(date, sent, e.Now(), source)
}
