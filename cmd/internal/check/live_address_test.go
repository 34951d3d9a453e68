package check

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
	results := runLive(t, s.live)
	requireOneFailure(t, results, "live-name", "connection-interrupted", "no-answer")
	assert.Equal(t, "fix-resolver", results[0].Fixes[0].Key, "no record is missing as far as is known")
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
