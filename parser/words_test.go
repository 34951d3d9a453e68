package parser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFormsSayWhatIsSomebodysOwn(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []Word
	}{
		{"nginx", `2026/05/04 01:30:01 [error] 7#7: *2 peer closed connection in SSL handshake while SSL handshaking to upstream, client: 203.0.113.77, server: wk7, request: "GET /ws HTTP/1.1", upstream: "https://im_backend/ws", host: "im", referrer: "https://im/x"`,
			[]Word{{WordAddress, "203.0.113.77"}, {WordHost, "wk7"}, {WordAddress, "https://im_backend/ws"}, {WordHost, "im"}, {WordAddress, "https://im/x"}}},
		{"nginx at its start", `nginx: [emerg] cannot load certificate "/etc/nginx/im.pem": BIO_new_file() failed`, nil},
		{"WuKongIM", `{"level":"debug","time":"2026-05-04T01:30:01+00:00","msg":"【ReactorSub-1】close connn","error":"EOF","uid":"wangwei","deviceId":"d1","token":"s3cret","id":7,"fd":151}`,
			[]Word{{WordUser, "wangwei"}, {WordUser, "d1"}, {WordSecret, "s3cret"}}},
		{"Caddy", `{"level":"error","ts":1746322200.1,"logger":"tls","msg":"could not get certificate from issuer","identifier":"wk7","error":"tls: x"}`, []Word{{WordHost, "wk7"}}},
		{"logfmt", `time="2026-05-04T01:30:01Z" level=error msg="http: TLS handshake error from 203.0.113.77:4711: EOF" host=wk7 user=wangwei`,
			[]Word{{WordAddress, "203.0.113.77:4711"}, {WordHost, "wk7"}, {WordUser, "wangwei"}}},
		{"net/http", "http: TLS handshake error from 203.0.113.77:4711: EOF", []Word{{WordAddress, "203.0.113.77:4711"}}},
		{"HAProxy", "203.0.113.77:4711 [04/May/2026:01:30:02.000] wk7_front/1: SSL handshake failure", []Word{{WordAddress, "203.0.113.77:4711"}, {WordHost, "wk7_front"}}},
		{"handshake line", "-------------------------->握手失败！--------------------------> EOF handshakeStatusUnknown", nil},
	} {
		assert.Equal(t, c.want, Parse(Entry{Text: []byte(c.text)}).Words(), c.name)
	}
}
