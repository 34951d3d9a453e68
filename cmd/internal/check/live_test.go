package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

func TestHealthyEndpointPassesEverything(t *testing.T) {
	s := newSite(t)
	s.stapled(func(*ocsp.Response) {})
	s.live.Revocation.Lists = []*x509.RevocationList{listOf(s.intermediate, time.Now())}
	s.live.NTP = serveTime(t, 0)
	results := s.check()
	for _, r := range results {
		assert.Equal(t, Pass, r.Status, "%+v", r)
		assert.Positive(t, r.Took, r.ID)
	}
	assert.Equal(t, []string{"chain-incomplete"}, find(t, results, "live-served").RulesOut)
	assert.Equal(t, []string{"hostname-mismatch"}, find(t, results, "live-names").RulesOut)
	assert.Equal(t, []string{"untrusted-ca", "cert-unsupported"}, find(t, results, "live-trust").RulesOut)
	assert.Equal(t, []string{"cert-expired", "cert-not-yet-valid"}, find(t, results, "live-dates").RulesOut)
	assert.Equal(t, []string{"cert-revoked"}, find(t, results, "live-ocsp").RulesOut)
	assert.Empty(t, find(t, results, "live-clock").RulesOut, "the clients' clocks are not seen")
}

func TestNothingIsConnectedToThatIsNotNamed(t *testing.T) {
	results := runLive(t, Live{Timeout: brief})
	assert.Len(t, byStatus(results, Skip), len(stages()))
}

func hold(ctx context.Context, _ net.Conn) { <-ctx.Done() }

func hangUp(_ context.Context, conn net.Conn) { conn.Read(make([]byte, 4096)) }

func TestPortFaultsAreToldApart(t *testing.T) {
	plainWS := func(t *testing.T) string { return serveHTTP(t, nil, http.HandlerFunc(acceptWebSocket)) }
	closing := func(t *testing.T) string { return serveRaw(t, hangUp) }
	for _, c := range []struct {
		name           string
		addr           func(*testing.T) string
		id, cause, key string
	}{
		{"refused", func(t *testing.T) string { return closedPort(t) }, "live-tcp", "connection-interrupted", portRefused},
		{"accepted and silent", func(t *testing.T) string { return serveRaw(t, hold) }, "live-tls13", "connection-interrupted", sharedReason + "handshake-silent"},
		{"closed at once", closing, "live-tls13", "connection-interrupted", sharedReason + "handshake-closed"},
		{"plain ws", plainWS, "live-tls13", "tls-on-plaintext-port", sharedReason + "handshake-plain-http"},
		{"plain ws that hangs up on TLS", wukongimWS, "live-tls13", "tls-on-plaintext-port", sharedReason + "handshake-plain-http"},
		{"ssh", func(t *testing.T) string {
			return serveRaw(t, func(ctx context.Context, conn net.Conn) {
				conn.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n"))
				hold(ctx, conn)
			})
		}, "live-tls13", "tls-on-plaintext-port", sharedReason + "handshake-not-tls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.live.Addr = at(t, c.addr(t))
			requireOneFailure(t, s.check(), c.id, c.cause, c.key)
		})
	}
}

// TestTLSPortThatCutsHandshakesIsNoPlainPort: TLS servers answer plain requests
// with 400, so that alone shows nothing.
func TestTLSPortThatCutsHandshakesIsNoPlainPort(t *testing.T) {
	s := newSite(t)
	s.live.Addr = at(t, serveRaw(t, func(_ context.Context, conn net.Conn) {
		first := make([]byte, 4096)
		if _, err := conn.Read(first); err == nil && first[0] != 0x16 {
			conn.Write([]byte("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"))
		}
	}))
	requireOneFailure(t, s.check(), "live-tls13", "connection-interrupted", sharedReason+"handshake-closed")
}

// wukongimWS is a ws port that, as WuKongIM's 5200, closes without a word what
// is no HTTP.
func wukongimWS(t *testing.T) string {
	behind := serveHTTP(t, nil, http.HandlerFunc(acceptWebSocket))
	return serveRaw(t, func(ctx context.Context, conn net.Conn) {
		first := make([]byte, 4096)
		n, err := conn.Read(first)
		if err != nil || first[0] == 0x16 {
			return
		}
		onward, err := net.Dial("tcp", behind)
		if err != nil {
			return
		}
		defer onward.Close()
		onward.Write(first[:n])
		n, _ = onward.Read(first)
		conn.Write(first[:n])
	})
}

func TestServerThatIsDownIsOneFault(t *testing.T) {
	s := newSite(t)
	s.live.Addr, s.live.API, s.live.Plain = at(t, closedPort(t)), closedPort(t), closedPort(t)
	results := s.check()
	requireOneFailure(t, results, "live-tcp", "connection-interrupted", portRefused)
	assert.Equal(t, []string{"live-health", "live-ws"}, byStatus(results, Warn))
}

func TestPlainPortsThatSpeakTLS(t *testing.T) {
	for _, c := range []struct {
		id  string
		set func(*site, string)
	}{
		{"live-health", func(s *site, address string) { s.live.API = address }},
		{"live-ws", func(s *site, address string) { s.live.Plain = address }},
	} {
		t.Run(c.id+" answering 400", func(t *testing.T) {
			s := newSite(t)
			c.set(s, serveHTTP(t, &tls.Config{Certificates: []tls.Certificate{s.certificate()}}, http.NotFoundHandler()))
			requireOneFailure(t, s.check(), c.id, "plaintext-on-tls-port", portTLS)
		})
		t.Run(c.id+" answering an alert", func(t *testing.T) {
			s := newSite(t)
			c.set(s, serveRaw(t, func(_ context.Context, conn net.Conn) {
				conn.Read(make([]byte, 4096))
				conn.Write([]byte("\x15\x03\x03\x00\x02\x02\n")) // as Java 17
			}))
			requireOneFailure(t, s.check(), c.id, "plaintext-on-tls-port", portTLS)
		})
		t.Run(c.id+" hanging up", func(t *testing.T) {
			s := newSite(t)
			config := &tls.Config{Certificates: []tls.Certificate{s.certificate()}}
			c.set(s, serveRaw(t, func(ctx context.Context, conn net.Conn) { tls.Server(conn, config).HandshakeContext(ctx) }))
			r := find(t, s.check(), c.id)
			assert.Equal(t, Warn, r.Status)
			assert.Equal(t, portClosed, r.Key)
		})
	}
}

// TestPlainPortThatUpgradesWrongly sends back another key (RFC 6455 section 4.1).
func TestPlainPortThatUpgradesWrongly(t *testing.T) {
	s := newSite(t)
	s.live.Plain = serveRaw(t, func(_ context.Context, conn net.Conn) {
		conn.Read(make([]byte, 4096))
		conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n"))
	})
	r := find(t, s.check(), "live-ws")
	assert.Equal(t, Warn, r.Status)
	assert.Equal(t, portFailed, r.Key)
}

func TestRoute(t *testing.T) {
	for _, c := range []struct {
		told       string
		status     Status
		cause, key string
	}{
		{"", Warn, "", "none"},
		{"ws://im.wangwei-corp.cn:5200", Fail, "insecure-websocket-on-https-page", "insecure"},
		{"wss://203.0.113.7:5210", Fail, "hostname-mismatch", "uncovered"},
		{"wss://0.0.0.0:5210", Fail, "hostname-mismatch", "uncovered"},
		{"wss://im.wangwei-corp.cn:1", Warn, "", "differs"},
		{"im.wangwei-corp.cn:5210", Warn, "", "unusable"},
		{"'wss://im.wangwei-corp.cn:5210'", Warn, "", "unusable"},
		{`\u001b[2Jwss://`, Warn, "", "unusable"},
	} {
		s := newSite(t)
		s.route = c.told
		results := s.check()
		r := find(t, results, "live-route")
		assert.Equal(t, c.status, r.Status, c.told)
		assert.Equal(t, c.cause, r.Cause, c.told)
		assert.Equal(t, c.key, r.Key, c.told)
		assert.NotEmpty(t, r.Fixes)
		assert.LessOrEqual(t, len(byStatus(results, Fail)), 1)
		if c.cause == "hostname-mismatch" {
			assert.Empty(t, find(t, results, "live-names").RulesOut, "clients do connect to another name")
		}
	}
}

func TestRouteThatIsNoJSON(t *testing.T) {
	s := newSite(t)
	s.live.API = serveHTTP(t, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }))
	results := s.check()
	assert.Equal(t, "no-json", find(t, results, "live-route").Key)
	assert.Empty(t, byStatus(results, Fail))
}

func TestInterruptedCheckSkipsTheRest(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(context.Background())
	s.health = func(http.ResponseWriter, *http.Request) { cancel() }
	s.start()
	results := s.live.Check(ctx)
	requireTexts(t, results)
	require.Len(t, results, len(stages()))
	for _, r := range results[2:] {
		assert.Equal(t, sharedReason+"interrupted", r.Key, r.ID)
	}
}

// TestEveryRefusalHasItsTexts reads the keys from the source: not every one can
// be brought about by a server of today.
func TestEveryRefusalHasItsTexts(t *testing.T) {
	var source []byte
	for _, file := range []string{"live_tls.go", "live_http.go"} {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		source = append(source, data...)
	}
	keys := regexp.MustCompile(`"(handshake-[a-z-]+)"`).FindAllSubmatch(source, -1)
	assert.Greater(t, len(keys), 15)
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		say, err := messages.In(lang)
		require.NoError(t, err)
		for _, key := range keys {
			full := "check.any." + string(key[1])
			assert.NotEqual(t, full, say.Say(full))
		}
	}
}
