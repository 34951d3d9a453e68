package report

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRedactedTexts(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"handshake line", "-------------------------->握手失败！--------------------------> remote error: tls: unknown certificate handshakeStatus13ReadClientFinished", ""},
		{"cipher suite", "no cipher suite: TLS_AES_128_GCM_SHA256 ECDHE-RSA-AES256-GCM-SHA384", ""},
		{"loopback", "listen tcp 0.0.0.0:5210, dial 127.0.0.1:5001, [::1]:80, localhost:5210", ""},
		{"net/http", "http: TLS handshake error from 8.8.4.4:4711: read tcp 10.0.0.2:5210->8.8.4.4:4711: i/o timeout", "http: TLS handshake error from ip-1:4711: read tcp private-ip-1:5210->ip-1:4711: i/o timeout"},
		{"IPv6", "client: 2001:db8::7, at 01:30:00, [fe80::1%eth0]:5210 ::ffff:8.8.4.4", "client: ip-1, at 01:30:00, [private-ip-1%eth0]:5210 ip-2"},
		{"nginx", `2026/05/04 01:30:00 [info] 7#7: *1 SSL_do_handshake() failed while SSL handshaking, client: 8.8.4.4, server: im.acme-corp.cn, request: "GET /?uid=li&token=abc HTTP/1.1", host: "im.acme-corp.cn", upstream: "http://10.0.0.5:5200/chat"`,
			`2026/05/04 01:30:00 [info] 7#7: *1 SSL_do_handshake() failed while SSL handshaking, client: ip-1, server: host-1, request: "GET path-1 HTTP/1.1", host: "host-1", upstream: "http://private-ip-1:5200/path-2"`},
		{"JSON fields", `{"level":"warn","msg":"【Server】auth failed","uid":"wang wei","fromUid":42,"deviceId":"d-\"1","token":"s3cr\"et","id":7}`,
			`{"level":"warn","msg":"【Server】auth failed","uid":"user-1","fromUid":user-2,"deviceId":"user-3","token":"secret-1","id":7}`},
		{"lists", `{"msg":"【Server】send","uids":["li","wang"],"subscribers":[1,2],"states":["a"]}`, `{"msg":"【Server】send","uids":user-1,"subscribers":user-2,"states":["a"]}`},
		{"Elastic's objects", `{"host":{"name":"wk7","os":{"family":"debian"}},"message":"x","kubernetes":{"node":{"name":"wk8"},"pod":{"name":"wk-0"}}}`,
			`{"host":host-1,"message":"x","kubernetes":{"node":host-2,"pod":host-3}}`},
		{"Elastic's objects in JSON, cut off", `{"log":"{\"id\":1,\"host\":{\"name\":\"wk7\",\"os\":{\"family\":\"deb`, `{"log":"{\"id\":1,\"host\":host-1`},
		{"JSON in JSON", `{"log":"{\"uid\":\"li\",\"password\":\"hunter2\"}\n8.8.4.4\nim.acme-corp.cn\u003eim.acme-corp.cn\t/srv/li"}`,
			`{"log":"{\"uid\":\"user-1\",\"password\":\"secret-1\"}\nip-1\nhost-1\u003ehost-1\tpath-1"}`},
		{"query", "wss://li:pw@im.acme-corp.cn:5210/ws?uid=li&token=abc", "wss://secret-1@host-1:5210/path-1"},
		{"header", "Authorization: Bearer abc.def", "Authorization: secret-1"},
		{"JSON web token", "got eyJhbGciOi.eyJzdWIi.c2ln", "got secret-1"},
		{"mail", "by li.wei@acme-corp.cn, 13912345678", "by user-1, user-2"},
		{"path", "panic: open /home/li/im.acme-corp.cn.pem: no such file or directory", "panic: open path-1.pem: no such file or directory"},
		{"path with blanks", "panic: open ./li wei/cert .pem : no such file or directory", "panic: open path-1: no such file or directory"},
		{"Windows path", `open C:\certs\li\cert.pem: The system cannot find the file specified.`, `open path-1.pem: The system cannot find the file specified.`},
		{"stack trace", "github.com/WuKongIM/WuKongIM/cmd.initConfig()\n\t/home/li/release/cmd/root.go:91 +0x345", "github.com/WuKongIM/WuKongIM/cmd.initConfig()\n\tpath-1/root.go:91 +0x345"},
		{"names of a certificate", "x509: certificate is valid for acme-corp.cn, *.acme-corp.cn, not im2.acme-corp.cn", "x509: certificate is valid for host-1, *.host-1, not host-2"},
		{"service of a cluster", "dial tcp: lookup wukongim-0.im.svc.cluster.local on 10.96.0.10:53: no such host", "dial tcp: lookup host-1 on private-ip-1:53: no such host"},
		{"short host name", "dial tcp: lookup db-hangzhou: no such host", "dial tcp: lookup host-1: no such host"},
		{"file called by a domain", "renewed im.acme-corp.cn.crt and im.acme-corp.cn-2026.log, fullchain.pem", "renewed host-1.crt and host-1-2026.log, fullchain.pem"},
		{"token", "session 9f86d081884c7d659a2feaa0c55ad015 ended", "session secret-1 ended"},
		{"browser", "WebSocket connection to 'wss://im.acme-corp.cn:5210/' failed: net::ERR_CERT_COMMON_NAME_INVALID", "WebSocket connection to 'wss://host-1:5210/' failed: net::ERR_CERT_COMMON_NAME_INVALID"},
		{"Java", "javax.net.ssl.SSLHandshakeException: No name matching wk-node-7 found", "javax.net.ssl.SSLHandshakeException: No name matching host-1 found"},
		{"OkHttp", "javax.net.ssl.SSLPeerUnverifiedException: Hostname wk-node-7 not verified:", "javax.net.ssl.SSLPeerUnverifiedException: Hostname host-1 not verified:"},
		{"OpenSSL", "verify error:num=62:hostname mismatch", ""},
		{"curl", "curl: (60) SSL: no alternative certificate subject name matches target host name 'wk7'", "curl: (60) SSL: no alternative certificate subject name matches target host name 'host-1'"},
		{"in Chinese", "用户im.acme-corp.cn连接8.8.4.4失败", "用户host-1连接ip-1失败"},
	} {
		want := c.want
		if want == "" {
			want = c.text
		}
		assert.Equal(t, want, NewRedactor().text(c.text), c.name)
	}
}

func TestPseudonymsAreStable(t *testing.T) {
	r := NewRedactor()
	assert.Equal(t, "ip-1 host-1", r.text("8.8.4.4 im.acme-corp.cn"))
	assert.Equal(t, "host-1 ip-2 ip-1", r.text("IM.acme-corp.cn 8.8.8.8 8.8.4.4"))
	assert.Equal(t, "ip-1:4711", r.client("8.8.4.4:4711"))
}
