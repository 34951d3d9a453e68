package check

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/fragile"
)

// fragileSite is a site whose endpoint falls over what WuKongIM does.
func fragileSite(t *testing.T, configured bool) (*site, *fragile.Server) {
	s := newSite(t)
	server := fragile.Serve(t, nil)
	if configured {
		certificate := s.certificate()
		server = fragile.Serve(t, &certificate)
	}
	s.live.Addr = at(t, server.Addr)
	return s, server
}

func TestServerThatResumesAndRetriesBadlySurvives(t *testing.T) {
	s, server := fragileSite(t, true)
	results := s.check()
	assert.Empty(t, byStatus(results, Fail), "%+v", results)
	assert.Empty(t, byStatus(results, Warn), "%+v", results)
	assert.Empty(t, server.Deaths())
	assert.Equal(t, fragile.Seen{Hellos: 6}, server.Seen())
}

// TestNothingOfTLSIsSentToAServerThatItWouldCrash, neither to the address nor to a
// plain port that was named by mistake.
func TestNothingOfTLSIsSentToAServerThatItWouldCrash(t *testing.T) {
	s, server := fragileSite(t, false)
	s.live.Fragile, s.live.Plain, s.live.API = true, server.Addr, server.Addr
	results := s.check()
	assert.Empty(t, server.Deaths())
	assert.Zero(t, server.Seen().Hellos)
	for _, stage := range stages() {
		r := find(t, results, stage.id)
		if stage.shakes {
			assert.Equal(t, Skip, r.Status, r.ID)
			assert.Equal(t, sharedReason+"handshake-withheld", r.Key, r.ID)
		}
	}
	assert.Equal(t, Pass, find(t, results, "live-tcp").Status)
}

// TestHandshakeIsWithheldFromEveryStage: the stages that are to come too.
func TestHandshakeIsWithheldFromEveryStage(t *testing.T) {
	e := newEndpoint(Live{Addr: "127.0.0.1:1", Fragile: true})
	e.target = "127.0.0.1:1"
	assert.ErrorIs(t, e.shake(context.Background(), e.ordinary()).err, errWithheld)
}

// TestServerThatDiesOfAHandshakeGetsNoOther: without its configuration nobody can
// know, as with any client.
func TestServerThatDiesOfAHandshakeGetsNoOther(t *testing.T) {
	s, server := fragileSite(t, false)
	results := s.check()
	requireOneFailure(t, results, "live-tls13", "server-crash", sharedReason+"handshake-died")
	assert.Equal(t, TheServer, find(t, results, "live-tls13").Breaks)
	assert.Equal(t, fragile.Seen{Hellos: 1}, server.Seen())
}

// TestServersBehindABalancerDieOneAtMost: each of them would die, and the port
// stays open.
func TestServersBehindABalancerDieOneAtMost(t *testing.T) {
	s := newSite(t)
	var backends []*fragile.Server
	for range 5 {
		backends = append(backends, fragile.Serve(t, nil))
	}
	var next atomic.Int32
	s.live.Addr = at(t, serveRaw(t, func(ctx context.Context, conn net.Conn) {
		first := make([]byte, 4096)
		n, err := conn.Read(first)
		if err != nil {
			return
		}
		onward, err := net.Dial("tcp", backends[int(next.Add(1)-1)%len(backends)].Addr)
		if err != nil {
			return
		}
		defer onward.Close()
		onward.Write(first[:n])
		onward.Read(first)
	}))
	results := s.check()
	requireOneFailure(t, results, "live-tls13", "connection-interrupted", sharedReason+"handshake-closed")
	dead := 0
	for _, b := range backends {
		dead += len(b.Deaths())
	}
	assert.Equal(t, 1, dead)
}

// TestSettingsShowAServerThatAHandshakeWouldCrash reads the forms in which
// WuKongIM gets its settings.
func TestSettingsShowAServerThatAHandshakeWouldCrash(t *testing.T) {
	const files = "wssConfig: {certFile: /c.pem, keyFile: /k.pem}\n"
	for _, c := range []struct {
		name, config string
		environ      []string
		want         bool
	}{
		{"nothing", "", nil, false},
		{"no wss", "wsAddr: ws://0.0.0.0:5200\n", nil, false},
		{"no certificate", "wssAddr: wss://0.0.0.0:5210\n", nil, true},
		{"in order", "wssAddr: wss://0.0.0.0:5210\n" + files, nil, false},
		{"no key", "wssAddr: wss://0.0.0.0:5210\nwssConfig: {certFile: /c.pem}\n", nil, true},
		{"nothing in the files' names", "wssAddr: wss://0.0.0.0:5210\nwssConfig: {certFile: '', keyFile: }\n", nil, true},
		{"misspelt", "wssAddr: wss://0.0.0.0:5210\nwssConfig: {cerFile: /c.pem, privateKeyFile: /k.pem}\n", nil, true},
		{"address from the environment", files, []string{"WK_WSSADDR=wss://0.0.0.0:5210"}, false},
		{"address from the environment, no certificate", "mode: release\n", []string{"WK_WSSADDR=wss://0.0.0.0:5210"}, true},
		{"certificate from the environment", "wssAddr: wss://0.0.0.0:5210\n", []string{"WK_WSSCONFIG_CERTFILE=/c.pem", "WK_WSSCONFIG_KEYFILE=/k.pem"}, false},
		{"empty variables", "wssAddr: wss://0.0.0.0:5210\n", []string{"WK_WSSCONFIG_CERTFILE=", "WK_WSSCONFIG_KEYFILE="}, true},
		{"clients are sent to it", "external: {wssAddr: 'wss://im.wangwei-corp.cn:5210'}\n", nil, true},
		{"clients are sent to a proxy", "external: {wssAddr: 'wss://im.wangwei-corp.cn'}\n", nil, false},
	} {
		s, err := load(t, "wk.yaml", c.config, c.environ...)
		require.NoError(t, err)
		assert.Equal(t, c.want, s.Fragile(), c.name)
	}
	s, err := load(t, "wk.toml", "wssAddr = 'wss://0.0.0.0:5210'\n")
	require.NoError(t, err)
	assert.True(t, s.Fragile(), "TOML of version 2")

	alone, err := first(Configuration{Environ: []string{"WK_WSSADDR=wss://0.0.0.0:5210"}})
	require.NoError(t, err)
	assert.True(t, alone.Fragile())
	alone, err = first(Configuration{Environ: []string{"WK_EXTERNAL_WSSADDR=wss://im.wangwei-corp.cn:5210", "WK_WSSCONFIG_CERTFILE=/c.pem"}})
	require.NoError(t, err)
	assert.False(t, alone.Fragile(), "the rest may stand in a file")
}

// TestEveryServiceOfAComposeFileCounts: an address may lead to any of them.
func TestEveryServiceOfAComposeFileCounts(t *testing.T) {
	good := "{WK_WSSADDR: 'wss://0.0.0.0:5210', WK_WSSCONFIG_CERTFILE: /c.pem, WK_WSSCONFIG_KEYFILE: /k.pem, WK_EXTERNAL_WSSADDR: 'wss://im.wangwei-corp.cn:5210'}"
	node := func(port, environ string) string {
		return "ports: ['" + port + ":5210']\n    volumes: ['./data:/root/wukongim']\n    environment: " + environ
	}
	for _, c := range []struct {
		name, rest string
		want       bool
	}{
		{"one node", "", false},
		{"both in order", "\n  wangwei2:\n    image: wukongim/wukongim\n    " + node("5211", good), false},
		{"second without a certificate", "\n  wangwei2:\n    image: wukongim/wukongim\n    " + node("5211", "{WK_WSSADDR: 'wss://0.0.0.0:5210'}"), true},
		{"second without a key", "\n  wangwei2:\n    image: wukongim/wukongim\n    " + node("5211", "{WK_WSSADDR: 'wss://0.0.0.0:5210', WK_WSSCONFIG_CERTFILE: /c.pem}"), true},
		{"second by its mounted file", "\n  wangwei2:\n    image: im\n    ports: ['5211:5210']\n    volumes: ['./bad:/root/wukongim']", true},
		{"second in place of the first", "\n  old:\n    image: wukongim/wukongim\n    " + node("5210", "{WK_WSSADDR: 'wss://0.0.0.0:5210'}"), false},
	} {
		conf := write(t, map[string]string{"docker-compose.yml": strings.Replace(composed("", node("5210", good)+c.rest), "wukongim:", "wangwei-im:", 1), "data/wk.yaml": "mode: release\n", "bad/wk.yaml": "wssAddr: wss://0.0.0.0:5210\n"})
		s, err := first(conf)
		require.NoError(t, err, c.name)
		assert.Equal(t, c.want, s.Fragile(), c.name)
		results := s.Check()
		requireTexts(t, results)
		assert.Equal(t, c.want, find(t, results, "config-certificate").Status == Fail, c.name)
	}
}

// TestStagesThatShakeAreMarked counts what each stage sends.
func TestStagesThatShakeAreMarked(t *testing.T) {
	s, server := fragileSite(t, true)
	s.start()
	e := newEndpoint(s.live)
	for _, stage := range stages() {
		before := server.Seen().Hellos
		ctx, cancel := context.WithTimeout(t.Context(), e.Timeout)
		e.results = append(e.results, stage.run(e, ctx).of(stage.id, ""))
		cancel()
		assert.Equal(t, stage.shakes, server.Seen().Hellos > before, stage.id)
	}
}

// TestConnectionsFollowEachOtherAfterAPause: WuKongIM may lose one that comes in the
// moment in which another is closed.
func TestConnectionsFollowEachOtherAfterAPause(t *testing.T) {
	address := serveRaw(t, hold)
	e := newEndpoint(Live{pause: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	first, err := e.dial(ctx, address)
	require.NoError(t, err)
	second, err := e.dial(ctx, address)
	require.NoError(t, err, "none was closed yet")
	first.Close()
	second.Close()
	cancel()
	_, err = e.dial(ctx, address)
	assert.ErrorIs(t, err, context.Canceled)
	e.pause = time.Nanosecond
	third, err := e.dial(t.Context(), address)
	require.NoError(t, err)
	third.Close()
	assert.Equal(t, pause, newEndpoint(Live{}).pause)
}
