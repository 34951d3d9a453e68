package check

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
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
	results := runLive(t, Live{Timeout: time.Second})
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

func TestNameThatDoesNotExist(t *testing.T) {
	s := newSite(t)
	s.live.Addr = "wss://nobody.wangwei-corp.cn:5210"
	results := s.check()
	requireOneFailure(t, results, "live-name", "connection-interrupted", "not-found")
	assert.NotEmpty(t, find(t, results, "live-name").Fixes)
	for _, id := range []string{"live-tcp", "live-tls13", "live-trust", "live-wss"} {
		r := find(t, results, id)
		assert.Equal(t, Skip, r.Status)
		assert.Equal(t, "live-name", r.Args[0].V, "the reason is the first fault and no follower")
	}
}

func TestResolverThatStaysSilent(t *testing.T) {
	s := newSite(t)
	s.start()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	s.live.resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", silent.LocalAddr().String())
	}}
	requireOneFailure(t, runLive(t, s.live), "live-name", "connection-interrupted", "no-answer")
}

func TestOneDeadAddressOfSeveral(t *testing.T) {
	s := newSite(t)
	s.start()
	s.live.resolver = serveDNS(t, map[string][]string{siteName + ".": {"127.0.0.1", "127.0.0.2"}})
	results := runLive(t, s.live)
	assert.Empty(t, byStatus(results, Fail))
	tcp := find(t, results, "live-tcp")
	assert.Equal(t, Warn, tcp.Status)
	assert.Contains(t, tcp.Args[1].String(), "127.0.0.2")
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

func TestTimeIsUpForSlowAnswers(t *testing.T) {
	// trickle passes what the server writes on a byte at a time.
	trickle := func(t *testing.T, behind string) string {
		return serveRaw(t, func(ctx context.Context, conn net.Conn) {
			onward, err := net.Dial("tcp", behind)
			if err != nil {
				return
			}
			defer onward.Close()
			go func() {
				defer onward.Close()
				buffer := make([]byte, 4096)
				for {
					n, err := conn.Read(buffer)
					if err != nil {
						return
					}
					onward.Write(buffer[:n])
				}
			}()
			one := make([]byte, 1)
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				if _, err := onward.Read(one); err != nil {
					return
				}
				if _, err := conn.Write(one); err != nil {
					return
				}
			}
		})
	}
	t.Run("handshake", func(t *testing.T) {
		s := newSite(t)
		s.start()
		s.live.Addr = at(t, trickle(t, strings.Replace(strings.TrimPrefix(s.live.Addr, "wss://"), siteName, "127.0.0.1", 1)))
		s.live.API = ""
		requireOneFailure(t, runLive(t, s.live), "live-tls13", "connection-interrupted", sharedReason+"handshake-slow")
	})
	t.Run("API and plain port", func(t *testing.T) {
		s := newSite(t)
		s.start()
		s.live.API, s.live.Plain = trickle(t, s.live.API), trickle(t, s.live.Plain)
		results := runLive(t, s.live)
		assert.Empty(t, byStatus(results, Fail))
		assert.Equal(t, []string{"live-health", "live-ws"}, byStatus(results, Warn))
	})
	t.Run("upgrade", func(t *testing.T) {
		s := newSite(t)
		s.wss = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		requireOneFailure(t, s.check(), "live-wss", "connection-interrupted", sharedReason+"handshake-silent")
	})
}

// flood writes a gigabyte, or as much of it as is taken.
func flood(write func([]byte) (int, error), sent *atomic.Int64) {
	block := []byte(strings.Repeat("x", 1<<16))
	for sent.Load() < 1<<30 {
		n, err := write(block)
		sent.Add(int64(n))
		if err != nil {
			return
		}
	}
}

func TestGigabyteIsNotTaken(t *testing.T) {
	const buffers = 64 << 20 // what may stand in the kernel's buffers
	for name, set := range map[string]func(*testing.T, *site, *atomic.Int64){
		"body of health": func(_ *testing.T, s *site, sent *atomic.Int64) {
			s.health = func(w http.ResponseWriter, _ *http.Request) { flood(w.Write, sent) }
		},
		"header of the API": func(t *testing.T, s *site, sent *atomic.Int64) {
			s.live.API = serveRaw(t, func(_ context.Context, conn net.Conn) {
				conn.Write([]byte("HTTP/1.1 200 OK\r\nX: "))
				flood(conn.Write, sent)
			})
		},
		"route": func(t *testing.T, s *site, sent *atomic.Int64) {
			mux := http.NewServeMux()
			mux.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
			mux.HandleFunc("/route", func(w http.ResponseWriter, _ *http.Request) { flood(w.Write, sent) })
			s.live.API = serveHTTP(t, nil, mux)
		},
		"instead of TLS": func(t *testing.T, s *site, sent *atomic.Int64) {
			s.live.Addr = at(t, serveRaw(t, func(_ context.Context, conn net.Conn) { flood(conn.Write, sent) }))
		},
		"handshake records": func(t *testing.T, s *site, sent *atomic.Int64) {
			s.live.Addr = at(t, serveRaw(t, func(_ context.Context, conn net.Conn) {
				record := append([]byte{0x16, 3, 3, 0x40, 0}, make([]byte, 0x4000)...)
				copy(record[5:], []byte{0x0b, 0xff, 0xff, 0xff}) // a Certificate message of 16 MiB
				flood(func([]byte) (int, error) { return conn.Write(record) }, sent)
			}))
		},
		"header over TLS": func(_ *testing.T, s *site, sent *atomic.Int64) {
			s.wss = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					return
				}
				defer conn.Close()
				conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nX: "))
				flood(conn.Write, sent)
			})
		},
		"body over TLS": func(_ *testing.T, s *site, sent *atomic.Int64) {
			s.wss = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { flood(w.Write, sent) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			var sent atomic.Int64
			set(t, s, &sent)
			results := s.check()
			assert.NotZero(t, sent.Load())
			assert.Less(t, sent.Load(), int64(buffers))
			assert.LessOrEqual(t, len(byStatus(results, Fail)), 1)
		})
	}
}

func TestConnectionEndsAfterAMebibyte(t *testing.T) {
	var sent atomic.Int64
	address := serveRaw(t, func(_ context.Context, conn net.Conn) { flood(conn.Write, &sent) })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := newEndpoint(Live{}).dial(ctx, address)
	require.NoError(t, err)
	defer conn.Close()
	n, err := io.Copy(io.Discard, conn)
	assert.ErrorIs(t, err, errTooMuch)
	assert.Equal(t, int64(mostReceived), n)
}

func TestRedirectsAndProxiesAreNotFollowed(t *testing.T) {
	var visits atomic.Int32
	elsewhere := serveHTTP(t, nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	t.Setenv("HTTP_PROXY", "http://"+elsewhere)
	t.Setenv("HTTPS_PROXY", "http://"+elsewhere)
	t.Setenv("ALL_PROXY", "http://"+elsewhere)
	away := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+elsewhere+"/", http.StatusFound)
	}
	s := newSite(t)
	s.health, s.wss = away, http.HandlerFunc(away)
	s.live.Plain = serveHTTP(t, nil, http.HandlerFunc(away))
	results := s.check()
	requireOneFailure(t, results, "live-wss", "connection-interrupted", "status")
	assert.Equal(t, []string{"live-health", "live-ws"}, byStatus(results, Warn))
	assert.Zero(t, visits.Load())
}

// TestServerThatSpeaksFirstLeavesNoLog: net/http would write its words to the
// standard logger.
func TestServerThatSpeaksFirstLeavesNoLog(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	ssh := func(ctx context.Context, conn net.Conn) {
		conn.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n"))
		hold(ctx, conn)
	}
	for range 5 {
		s := newSite(t)
		s.live.API, s.live.Plain = serveRaw(t, ssh), serveRaw(t, ssh)
		results := s.check()
		assert.Empty(t, byStatus(results, Fail))
		assert.Equal(t, []string{"live-health", "live-ws"}, byStatus(results, Warn))
		assert.Contains(t, find(t, results, "live-health").Args[1].String(), "malformed HTTP")
	}
	assert.Empty(t, logged.String())
}

func TestNothingIsReadBeforeTheRequest(t *testing.T) {
	spoke := make(chan struct{})
	address := serveRaw(t, func(ctx context.Context, conn net.Conn) {
		conn.Write([]byte("unasked"))
		close(spoke)
		hold(ctx, conn)
	})
	raw, err := net.Dial("tcp", address)
	require.NoError(t, err)
	p := &patient{Conn: raw, wrote: make(chan struct{})}
	defer p.Close()
	var wrote atomic.Bool
	readAfterWrite := make(chan bool)
	go func() {
		p.Read(make([]byte, 7))
		readAfterWrite <- wrote.Load()
	}()
	<-spoke
	// Round trips to other servers give a read that does not wait its time.
	newSite(t).check()
	wrote.Store(true)
	p.Write([]byte("request"))
	assert.True(t, <-readAfterWrite)
}

func TestUpgradeThatIsAnsweredOtherwise(t *testing.T) {
	for _, status := range []int{200, 400, 404, 426, 502} {
		s := newSite(t)
		s.wss = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		results := s.check()
		requireOneFailure(t, results, "live-wss", "connection-interrupted", "status")
		assert.NotEmpty(t, find(t, results, "live-wss").Fixes)
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

func TestParseAddr(t *testing.T) {
	for _, c := range []struct{ in, host, port, path string }{
		{"wss://im.wangwei-corp.cn:5210", "im.wangwei-corp.cn", "5210", "/"},
		{"WSS://im.wangwei-corp.cn", "im.wangwei-corp.cn", "443", "/"},
		{"wss://im.wangwei-corp.cn:5210/ws?a=1", "im.wangwei-corp.cn", "5210", "/ws?a=1"},
		{"im.wangwei-corp.cn:5210", "im.wangwei-corp.cn", "5210", "/"},
		{"203.0.113.7:5210", "203.0.113.7", "5210", "/"},
		{"[2001:db8::1]:5210", "2001:db8::1", "5210", "/"},
		{"wss://[2001:db8::1]:5210", "2001:db8::1", "5210", "/"},
		{"wukong_im:5210", "wukong_im", "5210", "/"},
		{"wss://例子.中国:5210", "xn--fsqu00a.xn--fiqs8s", "5210", "/"},
	} {
		host, port, path, err := ParseAddr(c.in)
		require.NoError(t, err, c.in)
		assert.Equal(t, []string{c.host, c.port, c.path}, []string{host, port, path}, c.in)
	}
	for _, bad := range []string{
		"", ":5210", "im.wangwei-corp.cn", "im.wangwei-corp.cn:", "im.wangwei-corp.cn:0", "im.wangwei-corp.cn:65536", "im.wangwei-corp.cn:wss",
		"ws://im.wangwei-corp.cn:5200", "https://im.wangwei-corp.cn", "wss://", "wss://:5210", "wss://im wangwei-corp.cn:1", "wss://a:1#x",
		"im.wangwei-corp.cn:5210/ws", "-\x1b[2J:5210", "..:5210", strings.Repeat("a", 300) + ":5210", "wss://[::1:5210", "wss://a$b:1",
	} {
		_, _, _, err := ParseAddr(bad)
		assert.Error(t, err, bad)
	}
	for _, secret := range []string{"wss://user:geheim@im.wangwei-corp.cn:5210", "wss://user:geheim@im.wangwei-corp.cn:x", "wss://user:geheim@%zz"} {
		_, _, _, err := ParseAddr(secret)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "geheim")
	}
}

func FuzzParseAddr(f *testing.F) {
	f.Add("wss://im.wangwei-corp.cn:5210/ws")
	f.Add("[::1%lo]:1")
	f.Fuzz(func(t *testing.T, s string) {
		host, port, path, err := ParseAddr(s)
		if err != nil {
			return
		}
		again, samePort, _, err := ParseAddr(net.JoinHostPort(host, port))
		require.NoError(t, err)
		require.Equal(t, []string{host, port}, []string{again, samePort})
		require.True(t, strings.HasPrefix(path, "/"), path)
	})
}

func TestPlainAddressesAsPeopleTypeThem(t *testing.T) {
	for typed, want := range map[string]string{
		"": "", "127.0.0.1:5001": "127.0.0.1:5001", "http://127.0.0.1:5001": "127.0.0.1:5001", "HTTP://im.example.com:5001/health": "im.example.com:5001",
		"ws://[2001:db8::1]:5200/": "[2001:db8::1]:5200", "http://im.example.com": "im.example.com:80", " ‘http：//127.0.0.1：5001’ ": "127.0.0.1:5001",
	} {
		got, err := PlainAddr(typed)
		require.NoError(t, err, typed)
		assert.Equal(t, want, got, typed)
	}
	for _, bad := range []string{"wss://im.example.com:5210", "https://im.example.com", "http://", "http://u:geheim@a:1", "http://[::1:5", "file:///etc/passwd"} {
		_, err := PlainAddr(bad)
		require.Error(t, err, bad)
		assert.NotContains(t, err.Error(), "geheim")
	}
}
