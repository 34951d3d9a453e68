package check

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ocsp"
	"golang.org/x/net/dns/dnsmessage"

	"wklog/cmd/internal/fragile"
	"wklog/cmd/internal/pkitest"
)

const siteName = "im.wangwei-corp.cn"

// issue makes a certificate of siteName, by a key of its own unless one is given.
func issue(issuer *pkitest.Authority, key crypto.Signer, edit func(*x509.Certificate)) *pkitest.Authority {
	if key == nil {
		key = pkitest.Key()
	}
	return &pkitest.Authority{Certificate: issuer.Issue(key, edit), Key: key, Now: issuer.Now}
}

// selfMade signs what it issues by the key of that.
func selfMade() *pkitest.Authority { return &pkitest.Authority{Now: time.Now()} }

func foreignRoot(name string) *pkitest.Authority { return pkitest.NewRoot(name, time.Now()) }

// site is a deployment on this machine: TLS before a ws server, the HTTP API, the
// plain ws port, DNS and a time server. Its fields are changed before start.
type site struct {
	t                  testing.TB
	root, intermediate *pkitest.Authority
	leaf               *pkitest.Authority
	chain              []*pkitest.Authority // sent after the leaf
	staple             []byte
	config             *tls.Config
	wss                http.Handler
	health             http.HandlerFunc
	route              string // wss_addr; "-" for the endpoint's own
	clock              time.Duration
	live               Live
}

// brief is the time of a stage: a handshake takes a thousandth of it, on a machine that has
// much else to do a tenth. What waits for an answer in vain takes all of it.
const brief = 3 * time.Second

func newSite(t testing.TB) *site {
	current := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, current) })
	s := &site{t: t, route: "-", config: &tls.Config{}, wss: http.HandlerFunc(acceptWebSocket)}
	pki := pkitest.New(time.Now())
	s.root, s.intermediate = pki.Root, pki.Intermediate
	s.leaf = issue(s.intermediate, nil, nil)
	s.chain = []*pkitest.Authority{s.intermediate}
	s.live.Roots = x509.NewCertPool()
	s.live.Roots.AddCert(s.root.Certificate)
	s.live.Timeout = brief
	s.live.pause = time.Nanosecond // these servers need none
	return s
}

// reissue replaces the leaf and its staple.
func (s *site) reissue(edit func(*x509.Certificate)) {
	s.leaf = issue(s.intermediate, nil, edit)
}

func (s *site) certificate() tls.Certificate {
	return withChain(s.leaf, s.staple, s.chain...)
}

func withChain(leaf *pkitest.Authority, staple []byte, chain ...*pkitest.Authority) tls.Certificate {
	c := tls.Certificate{Certificate: [][]byte{leaf.Certificate.Raw}, PrivateKey: leaf.Key, OCSPStaple: staple}
	for _, issuer := range chain {
		c.Certificate = append(c.Certificate, issuer.Certificate.Raw)
	}
	return c
}

func (s *site) stapled(edit func(*ocsp.Response)) {
	response := ocsp.Response{
		Status:       ocsp.Good,
		SerialNumber: s.leaf.Certificate.SerialNumber,
		ThisUpdate:   time.Now().Add(-time.Hour),
		NextUpdate:   time.Now().Add(24 * time.Hour),
	}
	edit(&response)
	var err error
	s.staple, err = ocsp.CreateResponse(s.intermediate.Certificate, s.intermediate.Certificate, response, s.intermediate.Key)
	require.NoError(s.t, err)
}

// start runs everything that s.live does not name yet.
func (s *site) start() {
	if len(s.config.Certificates) == 0 && s.config.GetCertificate == nil {
		s.config.Certificates = []tls.Certificate{s.certificate()}
	}
	if s.live.Addr == "" {
		_, port, err := net.SplitHostPort(serveHTTP(s.t, s.config, s.wss))
		require.NoError(s.t, err)
		s.live.Addr = "wss://" + net.JoinHostPort(siteName, port)
	}
	if s.live.Plain == "" {
		s.live.Plain = serveHTTP(s.t, nil, http.HandlerFunc(acceptWebSocket))
	}
	if s.live.API == "" {
		s.live.API = serveHTTP(s.t, nil, s.api())
	}
	if s.live.File == nil {
		s.live.File = s.leaf.Certificate
	}
	if s.live.resolver == nil {
		s.live.resolver = serveDNS(s.t, map[string][]string{siteName + ".": {"127.0.0.1"}})
	}
}

func (s *site) api() http.Handler {
	mux := http.NewServeMux()
	if s.health == nil {
		s.health = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"status":"ok"}`) }
	}
	dated := func(w http.ResponseWriter) {
		w.Header().Set("Date", time.Now().Add(s.clock).UTC().Format(http.TimeFormat))
	}
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		dated(w)
		s.health(w, r)
	})
	mux.HandleFunc("GET /route", func(w http.ResponseWriter, _ *http.Request) {
		dated(w)
		told := s.route
		if told == "-" {
			told = s.live.Addr
		}
		io.WriteString(w, `{"tcp_addr":"127.0.0.1:5100","ws_addr":"ws://127.0.0.1:5200","wss_addr":"`+told+`"}`)
	})
	return mux
}

// check starts the site and goes through all stages within their time.
func (s *site) check() []Result {
	s.t.Helper()
	s.start()
	return runLive(s.t, s.live)
}

func runLive(t testing.TB, l Live) []Result {
	t.Helper()
	begin := time.Now()
	results := l.Check(context.Background())
	const slack = 10 * time.Second // for a busy machine
	for _, r := range results {
		assert.Less(t, r.Took, l.Timeout+slack, r.ID)
	}
	assert.Less(t, time.Since(begin), time.Duration(len(results))*l.Timeout+slack)
	require.Len(t, results, len(stages()))
	requireTexts(t, results)
	return results
}

func acceptWebSocket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	conn.Read(ctx)
}

func serveHTTP(t testing.TB, config *tls.Config, handler http.Handler) string {
	return serveOn(t, listen(t, "127.0.0.1:0"), config, handler)
}

func serveOn(t testing.TB, l net.Listener, config *tls.Config, handler http.Handler) string {
	server := &http.Server{
		Handler: handler, TLSConfig: config, ErrorLog: log.New(io.Discard, "", 0),
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/2 would demand its ciphers
	}
	go func() {
		if config == nil {
			server.Serve(l)
		} else {
			server.ServeTLS(l, "", "")
		}
	}()
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

// listen gives a listener that looks at each ClientHello: none may be one over
// which WuKongIM hangs, whatever the server of the test does.
func listen(t testing.TB, address string) net.Listener {
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	w := &watcher{Listener: l}
	t.Cleanup(func() {
		l.Close()
		w.Lock()
		defer w.Unlock()
		if os.Getenv("ZOO") == "compare" {
			return // other tools resume sessions, which these servers bear
		}
		assert.NotContains(t, w.fatal, "HelloRetryRequest")
		assert.NotContains(t, w.fatal, "resumption")
	})
	return w
}

// watcher keeps what would be fatal to WuKongIM in the beginnings of connections.
type watcher struct {
	net.Listener
	sync.Mutex
	fatal []string
}

func (w *watcher) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	return &watched{Conn: conn, by: w}, err
}

type watched struct {
	net.Conn
	by    *watcher
	first []byte
}

func (c *watched) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if len(c.first) < 4096 {
		c.first = append(c.first, p[:n]...)
		if of := fragile.Fatal(c.first); of != "" {
			c.by.Lock()
			c.by.fatal = append(c.by.fatal, of)
			c.by.Unlock()
		}
	}
	return n, err
}

// serveRaw hands each connection to handle, and closes it afterwards or with
// the test.
func serveRaw(t testing.TB, handle func(ctx context.Context, conn net.Conn)) string {
	l := listen(t, "127.0.0.1:0")
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			go func() {
				defer conn.Close()
				defer stop()
				handle(ctx, conn)
			}()
		}
	}()
	return l.Addr().String()
}

// at names the site at another address's port.
func at(t testing.TB, address string) string {
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return "wss://" + net.JoinHostPort(siteName, port)
}

func closedPort(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// serveDNS answers queries for addresses from names, and NXDOMAIN for the rest.
func serveDNS(t testing.TB, names map[string][]string) *net.Resolver {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			if reply, err := answer(m, names).Pack(); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func answer(m dnsmessage.Message, names map[string][]string) *dnsmessage.Message {
	question := m.Questions[0]
	reply := &dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}, Questions: m.Questions[:1]}
	addresses, known := names[question.Name.String()]
	if !known {
		reply.RCode = dnsmessage.RCodeNameError
		return reply
	}
	for _, address := range addresses {
		ip := net.ParseIP(address)
		var body dnsmessage.ResourceBody = &dnsmessage.AAAAResource{AAAA: [16]byte(ip.To16())}
		kind := dnsmessage.TypeAAAA
		if ip.To4() != nil {
			body, kind = &dnsmessage.AResource{A: [4]byte(ip.To4())}, dnsmessage.TypeA
		}
		if question.Type == kind {
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET}, Body: body})
		}
	}
	return reply
}

// serveTime is a time server (RFC 5905) whose clock is off by offset.
func serveTime(t testing.TB, offset time.Duration) string {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	stamp := func(at time.Time) uint64 {
		const untilUnix = 2208988800 // seconds from 1900 to 1970
		return uint64(at.Unix()+untilUnix)<<32 | uint64(at.Nanosecond())<<32/1e9
	}
	go func() {
		request := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(request)
			if err != nil {
				return
			}
			if n < 48 {
				continue
			}
			now := time.Now().Add(offset)
			reply := make([]byte, 48)
			reply[0], reply[1] = 4<<3|4, 1 // version 4, server, stratum 1
			binary.BigEndian.PutUint64(reply[16:], stamp(now.Add(-time.Second)))
			copy(reply[24:], request[40:48])
			binary.BigEndian.PutUint64(reply[32:], stamp(now))
			binary.BigEndian.PutUint64(reply[40:], stamp(now))
			conn.WriteTo(reply, from)
		}
	}()
	return conn.LocalAddr().String()
}

// byStatus are the ids of the results with a status.
func byStatus(results []Result, status Status) []string {
	ids := []string{}
	for _, r := range results {
		if r.Status == status {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func find(t testing.TB, results []Result, id string) Result {
	t.Helper()
	for _, r := range results {
		if r.ID == id {
			return r
		}
	}
	require.Fail(t, "no result", id)
	return Result{}
}

func requireOneFailure(t testing.TB, results []Result, id, cause, key string) {
	t.Helper()
	require.Equal(t, []string{id}, byStatus(results, Fail), "%+v", results)
	r := find(t, results, id)
	assert.Equal(t, cause, r.Cause)
	assert.Equal(t, key, r.Key)
}
