package engine

import (
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
)

// TestEngineIsReachedWithAClientsCertificate, and is known by its own authority alone.
func TestEngineIsReachedWithAClientsCertificate(t *testing.T) {
	now := time.Now()
	authority := pkitest.NewRoot("engine", now)
	key := pkitest.Key()
	named := func(c *x509.Certificate) { c.DNSNames = []string{"loki.example"} }
	pair := tls.Certificate{Certificate: [][]byte{authority.Issue(key, named).Raw}, PrivateKey: key}
	pool := x509.NewCertPool()
	pool.AddCert(authority.Certificate)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":[{"pod":"wukongim-0"}]}`)
	}))
	s.Config.ErrorLog = nil
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	s.StartTLS()
	defer s.Close()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	own := pkitest.Key()
	all := map[string]string{
		"LOKI_CA_CERT_PATH": file("ca.pem", pkitest.PEM(authority.Certificate)), "LOKI_TLS_SERVER_NAME": "loki.example",
		"LOKI_CLIENT_CERT_PATH": file("client.pem", pkitest.PEM(authority.Issue(own, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}))),
		"LOKI_CLIENT_KEY_PATH": file("client.key", pkitest.KeyPEM(own)),
	}
	streams := func(without string, more ...string) error {
		variables := map[string]string{}
		for name, value := range all {
			if name != without {
				variables[name] = value
			}
		}
		for i := 0; i < len(more); i += 2 {
			variables[more[i]] = more[i+1]
		}
		_, _, err := client(t, strings.Replace(s.URL, "https", "loki+https", 1)+`/?query={a="b"}`, variables).Streams(t.Context(), span)
		return err
	}
	require.NoError(t, streams(""))
	require.NoError(t, streams("LOKI_CA_CERT_PATH", "LOKI_TLS_SKIP_VERIFY", "true"))
	assert.ErrorContains(t, streams("LOKI_CA_CERT_PATH"), "x509: ")
	assert.ErrorContains(t, streams("LOKI_TLS_SERVER_NAME"), "x509: ")
	assert.ErrorContains(t, streams("LOKI_CLIENT_CERT_PATH"), "tls: ")
}

// TestEngineIsAskedThroughAProxy that the user names, whose password is told to nobody else.
func TestEngineIsAskedThroughAProxy(t *testing.T) {
	var asked, authorized string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, authorized = r.URL.Host, r.Header.Get("Proxy-Authorization")
		_, _ = io.WriteString(w, `{"data":[{"pod":"wukongim-0"}]}`)
	}))
	variables := map[string]string{"LOKI_HTTP_PROXY_URL": strings.Replace(proxy.URL, "//", "//im:topsecret@", 1)}
	c := client(t, `loki://loki.invalid/?query={a="b"}`, variables)
	_, _, err := c.Streams(t.Context(), span)
	require.NoError(t, err)
	assert.Equal(t, "loki.invalid:3100", asked)
	assert.NotEmpty(t, authorized)
	proxy.Close()
	_, _, err = client(t, `loki://loki.invalid/?query={a="b"}`, variables).Streams(t.Context(), span)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "topsecret")
}

// TestVariablesTurnOffWhatIsOn, and one that cannot be understood is named without its value.
func TestVariablesTurnOffWhatIsOn(t *testing.T) {
	transport := func(variables map[string]string) (*http.Transport, error) {
		a, err := newAccess(&Address{Engine: "vlogs"}, func(name string) string { return variables[name] })
		of, _ := a.client.Transport.(*http.Transport)
		return of, err
	}
	on, err := transport(nil)
	require.NoError(t, err)
	assert.NotNil(t, on.Proxy)
	assert.False(t, on.DisableCompression)
	on, err = transport(map[string]string{"VLOGS_ENV_PROXY": "true", "VLOGS_HTTP_COMPRESSION": "true"})
	require.NoError(t, err)
	assert.NotNil(t, on.Proxy)
	assert.False(t, on.DisableCompression)
	off, err := transport(map[string]string{"VLOGS_ENV_PROXY": "false", "VLOGS_HTTP_COMPRESSION": "false"})
	require.NoError(t, err)
	assert.Nil(t, off.Proxy)
	assert.True(t, off.DisableCompression)
	for _, name := range []string{"ENV_PROXY", "HTTP_COMPRESSION", "HTTP_PROXY_URL", "TLS_SKIP_VERIFY", "NO_CACHE", "CLIENT_RETRIES", "CLIENT_MIN_BACKOFF", "CLIENT_MAX_BACKOFF"} {
		_, err := transport(map[string]string{"VLOGS_" + name: "topsecret"})
		require.ErrorContains(t, err, "VLOGS_"+name)
		assert.NotContains(t, err.Error(), "topsecret")
	}
}

// TestReceivedBytesAreThoseOfTheWire: packed answers count as they came.
func TestReceivedBytesAreThoseOfTheWire(t *testing.T) {
	const size = 1 << 20
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Writer(w)
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			defer packed.Close()
			body = packed
		}
		_, _ = io.WriteString(body, `{"data":[{"pod":"`+strings.Repeat("x", size)+`"}]}`)
	}))
	defer s.Close()
	for packed, received := range map[string][2]int64{"": {100, size / 10}, "false": {size, 2 * size}} {
		c := client(t, strings.Replace(s.URL, "http", "loki", 1)+`/?query={a="b"}`, map[string]string{"LOKI_HTTP_COMPRESSION": packed})
		_, _, err := c.Streams(t.Context(), span)
		require.NoError(t, err)
		assert.Greater(t, c.Received.Load(), received[0])
		assert.Less(t, c.Received.Load(), received[1])
	}
}
