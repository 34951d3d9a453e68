package check

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
			for tick := time.NewTicker(brief / 50); ; {
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
			assert.Eventually(t, func() bool { return sent.Load() > 0 }, time.Minute, time.Millisecond, "the server may count after the check has gone")
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
	requireOneFailure(t, results, "live-wss", "connection-interrupted", "status-redirect")
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
