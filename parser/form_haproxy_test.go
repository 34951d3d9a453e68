package parser

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestHAProxyTellsItsClientAndWhenItCame(t *testing.T) {
	at := Stamp{Time: time.Date(2024, 3, 21, 15, 2, 28, 275_000_000, time.UTC), Fraction: 3}
	for line, remote := range map[string]string{
		"172.21.6.4:14396 [21/Mar/2024:15:02:28.275] my_proxy/1: SSL handshake failure":                                                     "172.21.6.4:14396",
		"LOADBALANCER:36192 [21/Mar/2024:15:02:28.275] all_frontend/wss: SSL handshake failure":                                             "LOADBALANCER:36192",
		"::ffff:172.21.6.4:14396 [21/Mar/2024:15:02:28.275] wss/sock-1: Timeout during SSL handshake":                                       "::ffff:172.21.6.4:14396",
		"unix:1 [21/Mar/2024:15:02:28.275] wss/1: Connection closed during SSL handshake":                                                   "",
		"Mar 21 15:02:29 im01 haproxy[914]: 172.21.6.4:14396 [21/Mar/2024:15:02:28.275] my_proxy/1: Connection closed during SSL handshake": "172.21.6.4:14396",
	} {
		got := Parse(Unwrap([]byte(line)))
		assert.Equal(t, KindText, got.Kind, line)
		assert.True(t, got.OwnTime, line)
		assert.Equal(t, at, got.Stamp, line)
		assert.Equal(t, remote, got.Remote, line)
	}
	for _, line := range []string{
		"172.21.6.4 - - [21/Mar/2024:15:02:28 +0800] \"GET / HTTP/1.1\" 200 1",
		"172.21.6.4:14396 [21/Mrz/2024:15:02:28.275] my_proxy/1: SSL handshake failure",
		"172.21.6.4:14396 [32/Mar/2024:15:02:28.275] my_proxy/1: SSL handshake failure",
		"172.21.6.4:14396 [21/Mar/2024:15:02:28] my_proxy/1: SSL handshake failure",
		"172.21.6.4:14396 [21/Mar",
	} {
		assert.False(t, Parse(Entry{Text: []byte(line)}).OwnTime, line)
	}
}
