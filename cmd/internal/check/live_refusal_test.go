package check

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answering refuses upgrades as a proxy does.
func answering(status int, body string, header ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

func TestRefusedUpgradeIsToldByItsStatus(t *testing.T) {
	for _, c := range []struct {
		name      string
		handler   http.Handler
		key, said string
		first     string // what its first fix is
	}{
		{"redirect", answering(301, "", "Location", "https://www.wangwei-corp.cn/ws", "Server", "nginx"), "status-redirect", "nginx: Moved Permanently", "fix-redirect"},
		{"redirect to plain HTTP", answering(302, "", "Location", "http://www.wangwei-corp.cn/"), "status-redirect", "Found", "fix-no-redirect"},
		{"redirect without a place", answering(304, ""), "status", "Not Modified", "fix-upgrade"},
		{"login", answering(401, "", "WWW-Authenticate", "Basic"), "status-auth", "Unauthorized", "fix-auth"},
		{"WAF", answering(403, "<html><head><title>网站防火墙</title></head></html>", "Server", "nginx"), "status-forbidden", "nginx: 网站防火墙", "fix-forbidden"},
		{"Origin", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Origin") == "" {
				http.Error(w, "origin not allowed", http.StatusForbidden)
				return
			}
			r.Header.Del("Origin")
			acceptWebSocket(w, r)
		}), "status-origin", "origin not allowed", "fix-origin"},
		{"path", answering(404, "404 page not found\n"), "status-path", "404 page not found", "fix-path"},
		{"page", answering(200, "<!doctype html><h1>Welcome to &lt;nginx&gt;!</h1>", "Server", "Tengine"), "status-page", "Tengine: Welcome to <nginx>!", "fix-upgrade"},
		{"no upgrade headers", answering(426, "\n\n  WebSocket protocol violation\nmore"), "status", "WebSocket protocol violation", "fix-upgrade"},
		{"limit", answering(429, ""), "status-many", "Too Many Requests", "fix-many"},
		{"backend down", answering(502, "<html><center><h1>502 Bad Gateway</h1></center></html>", "Server", "openresty/1.21"), "status-gateway", "openresty/1.21: 502 Bad Gateway", "fix-backend"},
		{"origin down", answering(521, "error code: 521", "Server", "cloudflare"), "status-cdn-down", "cloudflare: error code: 521", "fix-cdn"},
		{"origin without TLS", answering(525, "error code: 525", "Server", "cloudflare"), "status-cdn-tls", "cloudflare: error code: 525", "fix-cdn-tls"},
		{"origin's answer", answering(520, "error code: 520", "Server", "cloudflare"), "status-cdn", "cloudflare: error code: 520", "fix-cdn"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.wss = c.handler
			results := s.check()
			requireOneFailure(t, results, "live-wss", "connection-interrupted", c.key)
			r := find(t, results, "live-wss")
			assert.Equal(t, c.said, r.Args[1].V)
			assert.Equal(t, c.first, r.Fixes[0].Key)
		})
	}
}

func TestRedirectNamesTheAddressToCheck(t *testing.T) {
	for location, want := range map[string]string{
		"https://www.wangwei-corp.cn/ws":      "wss://www.wangwei-corp.cn/ws",
		"https://www.wangwei-corp.cn:8443/":   "wss://www.wangwei-corp.cn:8443/",
		"http://www.wangwei-corp.cn/ws":       "",
		"/login":                              "",
		"https://u:p@www.wangwei-corp.cn/":    "",
		"https://" + strings.Repeat("a", 300): "",
		"https://$(id)/":                      "",
	} {
		assert.Equal(t, want, wssOf(location), location)
	}
}

func TestServerOfAnAnswerIsATextOnlyWhereItIsAProduct(t *testing.T) {
	for server, want := range map[string]Type{"nginx/1.22.1": Text, "Tengine": Text, "cloudflare": Text, "wangwei-gateway": Name, "nginx (im.wangwei-corp.cn)": Name, "": Name} {
		assert.Equal(t, want, serverOf(&http.Response{Header: http.Header{"Server": {server}}}).Type, server)
	}
}

// packet reads the record with a ClientHello, and tells whether one network packet would
// have held it.
func packet(conn net.Conn) (first []byte, small bool) {
	first = make([]byte, 16<<10)
	n, _ := io.ReadAtLeast(conn, first, 5)
	for n >= 5 && first[0] == 0x16 && n < 5+(int(first[3])<<8|int(first[4])) {
		more, err := conn.Read(first[n:])
		if n += more; err != nil {
			break
		}
	}
	const segment = 1400
	return first[:n], n < segment
}

// middlebox stands before a TLS server and does something to a ClientHello of two
// packets.
func middlebox(t testing.TB, behind string, large func(context.Context, net.Conn)) string {
	return serveRaw(t, func(ctx context.Context, conn net.Conn) {
		first, small := packet(conn)
		if !small {
			large(ctx, conn)
			return
		}
		passOn(ctx, conn, behind, first)
	})
}

// passOn sends what was read and all that follows to another server, and back.
func passOn(ctx context.Context, conn net.Conn, behind string, first []byte) {
	onward, err := net.Dial("tcp", behind)
	if err != nil {
		return
	}
	defer onward.Close()
	stop := context.AfterFunc(ctx, func() { onward.Close() })
	defer stop()
	onward.Write(first)
	go func() {
		io.Copy(onward, conn)
		onward.Close()
	}()
	io.Copy(conn, onward)
}

// TestLargeClientHelloIsTheFault: clients of before are served, and what they are served
// is judged.
func TestLargeClientHelloIsTheFault(t *testing.T) {
	for name, large := range map[string]func(context.Context, net.Conn){
		"dropped": hold,
		"reset":   func(_ context.Context, conn net.Conn) { conn.(*watched).Conn.(*net.TCPConn).SetLinger(0) },
		"closed":  func(context.Context, net.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.config.Certificates = []tls.Certificate{s.certificate()}
			s.live.Addr = at(t, middlebox(t, serveHTTP(t, s.config, s.wss), large))
			results := s.check()
			requireOneFailure(t, results, "live-tls13", "connection-interrupted", sharedReason+"handshake-large")
			assert.Equal(t, SomeClients, find(t, results, "live-tls13").Breaks)
			for _, id := range []string{"live-tls12", "live-dates", "live-trust", "live-wss"} {
				assert.Equal(t, Pass, find(t, results, id).Status, "%s: %+v", id, find(t, results, id))
			}
		})
	}
}

// TestSilentPortIsAskedInPlainTextToo, within the time of one stage.
func TestSilentPortIsAskedInPlainTextToo(t *testing.T) {
	s := newSite(t)
	behind := serveHTTP(t, nil, http.HandlerFunc(acceptWebSocket))
	s.live.Addr = at(t, serveRaw(t, func(ctx context.Context, conn net.Conn) { // waits for a line
		first := make([]byte, 4096)
		n, err := conn.Read(first)
		if err != nil || first[0] == 0x16 {
			hold(ctx, conn)
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
	}))
	requireOneFailure(t, s.check(), "live-tls13", "tls-on-plaintext-port", sharedReason+"handshake-plain-http")
}

func TestSilentPortCostsTheTimeOfOneStage(t *testing.T) {
	s := newSite(t)
	s.live.Addr = at(t, serveRaw(t, hold))
	results := s.check()
	requireOneFailure(t, results, "live-tls13", "connection-interrupted", sharedReason+"handshake-silent")
	for _, r := range results {
		if r.ID != "live-tls13" {
			assert.Less(t, r.Took, s.live.Timeout, r.ID)
		}
	}
	assert.Equal(t, Skip, find(t, results, "live-tls12").Status)
}

// TestServerThatIsSilentToTLS13Only answers the older version.
func TestServerThatIsSilentToTLS13Only(t *testing.T) {
	s := newSite(t)
	s.config.Certificates = []tls.Certificate{s.certificate()}
	behind := serveHTTP(t, s.config, s.wss)
	s.live.Addr = at(t, serveRaw(t, func(ctx context.Context, conn net.Conn) {
		first, _ := packet(conn)
		if strings.Contains(string(first), "\x00\x2b\x00") && first[0] == 0x16 && strings.Contains(string(first), "\x03\x04\x03\x03") {
			hold(ctx, conn)
			return
		}
		passOn(ctx, conn, behind, first)
	}))
	results := s.check()
	r := find(t, results, "live-tls12")
	assert.Equal(t, Pass, r.Status, "%+v", r)
	assert.Equal(t, Pass, find(t, results, "live-dates").Status)
}

// TestPortOfTheProxyProtocol wants a line of a balancer before TLS.
func TestPortOfTheProxyProtocol(t *testing.T) {
	s := newSite(t)
	s.config.Certificates = []tls.Certificate{s.certificate()}
	s.live.Addr = at(t, serveRaw(t, func(ctx context.Context, conn net.Conn) {
		line := make([]byte, 0, 128)
		for one := make([]byte, 1); len(line) < 107; line = append(line, one[0]) {
			if _, err := conn.Read(one); err != nil {
				return
			}
			if len(line) == 0 && one[0] != 'P' {
				return
			}
			if one[0] == '\n' {
				break
			}
		}
		tls.Server(conn, s.config).HandshakeContext(ctx)
	}))
	requireOneFailure(t, s.check(), "live-tls13", "connection-interrupted", sharedReason+"handshake-proxy")
}

func TestNginxThatWantsTheProxyProtocol(t *testing.T) {
	s := newSite(t)
	p := behind(serveHTTP(t, nil, http.HandlerFunc(acceptWebSocket)))
	p.listen = "ssl proxy_protocol"
	s.live.Addr = at(t, p.start(t, s))
	results := s.check()
	requireOneFailure(t, results, "live-tls13", "connection-interrupted", sharedReason+"handshake-proxy")
	require.True(t, find(t, results, "live-tls13").Instead)
}

// TestRefusedPortShowsWhetherItsOwnProgramRuns, as it is run there.
func TestRefusedPortShowsWhetherItsOwnProgramRuns(t *testing.T) {
	unit := Step{Command: "systemctl status --no-pager %[1]s", Values: []Value{{Name: "unit", Type: Name, V: "wukongim.service"}}}
	for name, c := range map[string]struct {
		live Live
		want string
	}{
		"not known":     {Live{}, "docker compose ps wukongim"},
		"systemd":       {Live{Status: unit}, unit.Command},
		"nginx, before": {Live{Status: unit, Component: "nginx"}, ""},
	} {
		c.live.Addr, c.live.Timeout = closedPort(t), brief
		r := find(t, runLive(t, c.live), "live-tcp")
		if assert.NotEmpty(t, r.Fixes, name) {
			assert.Equal(t, c.want, r.Fixes[0].Command, name)
		}
	}
}
