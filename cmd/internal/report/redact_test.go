package report

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/check"
	"wklog/parser"
	"wklog/patterns"
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
		{"path with blanks", "panic: open ./li wei/cert .pem : no such file or directory", "panic: open path-1.pem : no such file or directory"},
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
		{"bare IPv6", "from 2001:db8:77::7: EOF, remote:2001:db8:77::7 acl 2001:db8:77::/48", "from ip-1: EOF, remote:ip-1 acl ip-2/48"},
		{"quotes in JSON in JSON", `{"log":"{\"uid\":\"li\\\"wei\",\"token\":\"ab\\\"hunter2\",\"id\":7}\n"}`, `{"log":"{\"uid\":\"user-1\",\"token\":\"secret-1\",\"id\":7}\n"}`},
		{"headers", "Cookie: a=1; session=hunter2; other=hunter3\nX-API-Key: hunter2", "Cookie: secret-1\nX-API-Key: secret-2"},
		{"digest", `Authorization: Digest username="li", realm="acme"`, "Authorization: secret-1"},
		{"command line", `{"args":["--password","hunter2"]} --token hunter3 --config wk.yaml`, `{"args":["--password","secret-1"]} --token secret-2 --config wk.yaml`},
		{"access key", "id LTAI5tAcmeCorpKeyXYZa", "id secret-1"},
		{"few digits in a token", "key abcdefghijklmnop1234 and abcdefghijklm1234567", "key secret-1 and secret-2"},
		{"few letters in a token", "key 1234567890123456abcd", "key secret-1"},
		{"word with a number", "handshakeStatusReadClientHello123", ""},
		{"escaped query", "GET uid%3Dli%26token%3Dhunter2", "GET uid%3Duser-1"},
		{"fields in Chinese", "用户：李伟 密码：hunter2 域名:wk7", "用户：user-1 密码：secret-1 域名:host-1"},
		{"name in Chinese", "到 聊天.公司.中国 失败", "到 host-1 失败"},
		{"access log", `8.8.4.4 - li [04/May/2026:01:30:01 +0000] "\x16\x03\x01" 400`, `ip-1 - user-1 [04/May/2026:01:30:01 +0000] "\x16\x03\x01" 400`},
		{"quoted path with blanks", `cannot load certificate "/srv/li wei/im.pem": BIO_new_file() failed`, `cannot load certificate "path-1.pem": BIO_new_file() failed`},
		{"short names of a certificate", "x509: certificate is valid for wk1, wk2, not wk7", "x509: certificate is valid for host-1, host-2, not host-3"},
		{"short name without a certificate", "x509: certificate is not valid for any names, but wanted to match wk7", "x509: certificate is not valid for any names, but wanted to match host-1"},
		{"curl connecting", "curl: (7) Failed to connect to wk7 port 5210 after 0 ms: Connection refused", "curl: (7) Failed to connect to host-1 port 5210 after 0 ms: Connection refused"},
		{"Node", "Error: getaddrinfo ENOTFOUND wk7", "Error: getaddrinfo ENOTFOUND host-1"},
		{"subject", "depth=0 C = CN, O = Acme Ltd, CN = wk7", "depth=0 C = CN, O = name-1, CN = name-2"},
		{"machine of a cloud", "ip-10-77-0-5 kubelet", "host-1 kubelet"},
		{"signature of OpenSSL", "error:0A00007B:SSL routines::bad signature:ssl/statem/x.c", ""},
		{"session of OpenSSL", "error:140D9115:SSL routines:ssl_get_prev_session:session id context uninitialized:ssl_sess.c:523:", ""},
		{"certbot", "Challenge failed for domain wk7", "Challenge failed for domain host-1"},
		{"Caddy", `DNS problem: NXDOMAIN looking up A for wk7 - check that a DNS record exists`, `DNS problem: NXDOMAIN looking up A for host-1 - check that a DNS record exists`},
		{"Traefik", "rule=\"Host(`wk7`)\" routerName=chat@docker domains [wk7]: error\\n[wk8] acme: error: 400", "rule=\"Host(`host-1`)\" routerName=host-2 domains [host-1]: error\\n[host-3] acme: error: 400"},
		{"protocols", `application protocols (["h2" "acme-im"])`, `application protocols (["h2" "name-1"])`},
		{"HAProxy", "Server chat/wk7 is DOWN, Proxy 'front': no SSL certificate", "Server host-1/host-2 is DOWN, Proxy 'host-3': no SSL certificate"},
		{"Apache", "AH01909: wk7:443:0 server certificate, AH02572: no certificate and key for wk8:443", "AH01909: host-1:443:0 server certificate, AH02572: no certificate and key for host-2:443"},
		{"kubelet", `MountVolume.SetUp failed for volume "chat" : secret "wk7" not found`, `MountVolume.SetUp failed for volume "host-1" : secret "host-2" not found`},
		{"Apple", "pretending to be “wk7” which", "pretending to be “host-1” which"},
		{"Dart", "address = wk7, port = 52110", "address = host-1, port = 52110"},
		{"Python", "HTTPSConnectionPool(host='wk7', port=443): certificate is not valid for 'wk8'.", "HTTPSConnectionPool(host='host-1', port=443): certificate is not valid for 'host-2'."},
		{"stunnel", "Service [chat] accepted", "Service [host-1] accepted"},
		{"cert-manager", `err="certificate chat-tls not ready" key="im/chat-tls"`, `err="certificate host-1 not ready" key="host-2/host-1"`},
		{"in Chinese", "用户im.acme-corp.cn连接8.8.4.4失败", "用户host-1连接ip-1失败"},
	} {
		want := c.want
		if want == "" {
			want = c.text
		}
		assert.Equal(t, want, NewRedactor().Text(c.text), c.name)
	}
}

// TestRedactedFailuresAreRecognised reads each sample of the catalogue again
// once it is redacted: what a failure is recognised by names nobody.
func TestRedactedFailuresAreRecognised(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	c, err := patterns.Load()
	require.NoError(t, err)
	for _, p := range c.Patterns {
		if slices.Contains(toldByNames, p.ID) {
			continue
		}
		for _, sample := range p.Samples {
			redactor, redacted := NewRedactor(), ""
			for line := range strings.Lines(sample) {
				redacted += redactor.Said(line, parser.Parse(parser.Entry{Text: []byte(strings.TrimSuffix(line, "\n"))}).Words())
			}
			assert.Equal(t, found(t, c, sample), found(t, c, redacted), redacted)
		}
	}
}

// toldByNames are the patterns that are recognised by what redaction replaces: a path
// or a name that speaks of certificates, an address of a private network.
var toldByNames = []string{"mount-source-missing", "kube-certificate-not-found", "load-balancer-check"}

// found are the patterns of the failures in a text.
func found(t *testing.T, c *patterns.Catalogue, text string) (ids []string) {
	a, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	a.OnEvent = func(e *patterns.Event) { ids = append(ids, e.Pattern.ID) }
	source := a.Source("-")
	_, err = parser.Read(t.Context(), strings.NewReader(text+"\n"), parser.Options{}, func(r *parser.Record) error {
		source.Add(r)
		return nil
	})
	require.NoError(t, err)
	source.End()
	return ids
}

func TestPseudonymsAreStable(t *testing.T) {
	r := NewRedactor()
	assert.Equal(t, "ip-1 host-1", r.Text("8.8.4.4 im.acme-corp.cn"))
	assert.Equal(t, "host-1 ip-2 ip-1", r.Text("IM.acme-corp.cn 8.8.8.8 8.8.4.4"))
	assert.Equal(t, "ip-1:4711", r.Client("8.8.4.4:4711"))
}

// TestWordsThatTheFormTellsAreReplaced: names that look like any word, where the form
// of the record says that they are names.
func TestWordsThatTheFormTellsAreReplaced(t *testing.T) {
	c, err := patterns.Load()
	require.NoError(t, err)
	for _, line := range []struct{ text, want string }{
		{`2026/05/04 01:30:01 [error] 7#7: *2 peer closed connection in SSL handshake while SSL handshaking to upstream, client: 8.8.4.4, server: wangwei, request: "GET /wangwei/ws HTTP/1.1", upstream: "https://wangwei_backend/ws", host: "im", referrer: "https://im/x"`,
			`2026/05/04 01:30:01 [error] 7#7: *2 peer closed connection in SSL handshake while SSL handshaking to upstream, client: ip-1, server: host-1, request: "GET path-2 HTTP/1.1", upstream: "https://host-2/path-1", host: "host-3", referrer: "https://host-3/path-3"`},
		{`2026/05/04 01:30:02 [error] 7#7: *2 SSL_do_handshake() failed (SSL: error:0A000086:SSL routines::certificate verify failed) while SSL handshaking to upstream, client: unix:, server: wangwei, upstream: "wangwei:5210"`,
			`2026/05/04 01:30:02 [error] 7#7: *2 SSL_do_handshake() failed (SSL: error:0A000086:SSL routines::certificate verify failed) while SSL handshaking to upstream, client: unix:, server: host-1, upstream: "host-1:5210"`},
		{`8.8.4.4:4711 [04/May/2026:01:30:02.000] wangwei_front/1: SSL handshake failure`, `ip-1:4711 [04/May/2026:01:30:02.000] host-1/1: SSL handshake failure`},
		{`{"level":"error","ts":1746322200.1,"logger":"tls","msg":"could not get certificate from issuer","identifier":"wangwei","error":"tls: handshake failure"}`,
			`{"level":"error","ts":1746322200.1,"logger":"tls","msg":"could not get certificate from issuer","identifier":"host-1","error":"tls: handshake failure"}`},
		{`{"level":"debug","time":"2026-05-04T01:30:01+00:00","msg":"【ReactorSub-1】close connn","error":"remote error: tls: unknown certificate","uid":"wangwei","remark":"of wangwei"}`,
			`{"level":"debug","time":"2026-05-04T01:30:01+00:00","msg":"【ReactorSub-1】close connn","error":"remote error: tls: unknown certificate","uid":"user-1","remark":"of user-1"}`},
		{`{"level":"debug","ts":1746322200.1,"logger":"http.stdlib","msg":"http: TLS handshake error from 8.8.4.4:4711: no certificate available for 'wangwei'"}`,
			`{"level":"debug","ts":1746322200.1,"logger":"http.stdlib","msg":"http: TLS handshake error from ip-1:4711: no certificate available for 'host-1'"}`},
	} {
		a, err := patterns.NewAnalyzer(c, patterns.Filter{})
		require.NoError(t, err)
		var shown []string
		a.OnEvent = func(e *patterns.Event) { shown = append(shown, NewRedactor().Event(e).Record.Text) }
		source := a.Source("-")
		_, err = parser.Read(t.Context(), strings.NewReader(line.text+"\n"), parser.Options{}, func(r *parser.Record) error {
			source.Add(r)
			return nil
		})
		require.NoError(t, err)
		source.End()
		assert.Equal(t, []string{line.want}, shown)

		result := a.Result()
		d := New(&result, english(t), time.Time{})
		NewRedactor().Document(d, nil)
		require.Len(t, d.Findings, 1)
		assert.Equal(t, line.want, d.Findings[0].Samples[0].Text)
	}
}

func TestWordsAreReplacedByTheirType(t *testing.T) {
	for _, c := range []struct {
		kind       check.Type
		word, want string
	}{
		{check.Name, "Wang Wei Office", "name-1"},
		{check.Name, "wangwei", "host-1"},
		{check.Name, "wukongim", "wukongim"},
		{check.Name, "Acme:Office", "host-1"},
		{"", "of an older version", "name-1"},
		{check.Host, "wk7", "host-1"},
		{check.Host, "*.acme-corp.cn", "*.host-1"},
		{check.Host, "8.8.4.4", "ip-1"},
		{check.Host, "10.0.0.5", "private-ip-1"},
		{check.Host, "0.0.0.0", "0.0.0.0"},
		{check.Address, "wk7:5210", "host-1:5210"},
		{check.Address, "wss://wk7:5210/ws?uid=li", "wss://host-1:5210/path-1"},
		{check.Address, "'wss://wk7:5210'", "'wss://host-1:5210'"},
		{check.Address, "wk7", "host-1"},
		{check.Address, "wangwei://wk7", "host-1"},
		{check.Address, "127.0.0.1:5001", "127.0.0.1:5001"},
		{check.Path, "/home/li/im.pem", "path-1.pem"},
		{check.Path, "~/im.pem", "~/path-1.pem"},
		{check.Path, ` "/home/li wei" `, ` "path-1" `},
		{check.Text, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", ""},
		{check.Text, "live-tls13", ""},
		{check.Text, `x509: cannot parse dnsName "wang wei"`, `x509: cannot parse dnsName "name-1"`},
		{check.Text, "dial tcp 8.8.4.4:1: no way", "dial tcp ip-1:1: no way"},
	} {
		want := c.want
		if want == "" {
			want = c.word
		}
		assert.Equal(t, want, NewRedactor().Word(c.kind, c.word), "%s %s", c.kind, c.word)
	}
	shown := NewRedactor().Value(check.Value{Type: check.Text, V: "WK_WSSADDR", In: "wangwei.yml"})
	assert.Equal(t, "WK_WSSADDR (path-1.yml)", shown.String())
	shown = NewRedactor().Value(check.Value{Type: check.Text, V: "WK_WSSADDR", In: "docker-compose.yml"})
	assert.Equal(t, "WK_WSSADDR (docker-compose.yml)", shown.String())
}

// TestRedactedChecks: what checks found holds names that look like words, and
// the commands of their fixes what was asked.
func TestRedactedChecks(t *testing.T) {
	value := func(name string, kind check.Type, v any) check.Value {
		return check.Value{Name: name, Type: kind, V: v}
	}
	host := value("host", check.Host, "wk7")
	results := []check.Result{
		{ID: "config-service", Status: check.Pass, Key: "service", Args: []check.Value{value("service", check.Name, []string{"wk-li", "wk-wang", "wk-zhao"})}},
		{ID: "cert-trust", Status: check.Fail, Cause: "untrusted-ca", Key: "unknown", Args: []check.Value{value("authority", check.Name, "Acme CA")}},
		{ID: "cert-dates", Status: check.Warn, Cause: "cert-expired", Key: "soon", Args: []check.Value{
			value("certificate", check.Name, "wk7"), value("not_after", check.Time, time.Date(2026, 5, 4, 1, 30, 0, 0, time.UTC)), value("days_left", check.Number, 5)}},
		{ID: "live-name", Status: check.Fail, Cause: "connection-interrupted", Key: "not-found", Args: []check.Value{host},
			Fixes: []check.Step{{Key: "fix", Command: "dig +short %[1]s A AAAA", Values: []check.Value{host}}}},
	}
	list := checklist(t, results...)
	var data bytes.Buffer
	require.NoError(t, list.Write(&data, "json", Options{}))
	read, err := ReadChecklist(data.Bytes(), english(t))
	require.NoError(t, err)
	for name, l := range map[string]*Checklist{"made now": list, "read": read} {
		shown := NewRedactor().Checklist(l, english(t))
		var details []string
		for _, c := range shown.Checks {
			details = append(details, c.Detail)
		}
		assert.Equal(t, []string{
			"host-1, host-2, host-3",
			"clients do not trust name-1 by default; if yours do, name its root by --ca",
			"host-4 expires 2026-05-04 01:30 UTC (days left: 5)",
			"the DNS has no address for host-4",
		}, details, name)
		assert.Equal(t, "dig +short host-4 A AAAA", shown.Checks[3].Fixes[0].Command, name)
		assert.Equal(t, "host-4", shown.Checks[3].Values["host"].V, name)
		assert.Equal(t, asWritten(list.Checks[2].Fixes), asWritten(shown.Checks[2].Fixes), "%s: what the catalogue says stays", name)
		assert.Equal(t, "dig +short wk7 A AAAA", l.Checks[3].Fixes[0].Command, "the checklist itself stays")
	}
}

// TestChecklistsOfOtherVersionsAreRedacted: of an older one it is not known what its
// values are, of a later one not even the texts.
func TestChecklistsOfOtherVersionsAreRedacted(t *testing.T) {
	const older = `{"schema":"wklog.check/v1","checks":[{"id":"cert-dates","status":"fail","cause":"cert-expired","detail":"Wang Wei Office expired 2026-05-04 01:30 UTC, 5 days ago",
		"fixes":[{"text":"t","command":"ls 'Wang Wei Office'","config":""}],"rules_out":[],"key":"expired","args":["Wang Wei Office","2026-05-04 01:30 UTC",5]}]}`
	const later = `{"schema":"wklog.check/v1","checks":[{"id":"cert-mood","status":"fail","cause":"cert-expired","detail":"Wang Wei Office of im.acme-corp.cn is sad",
		"fixes":[],"rules_out":[],"key":"sad","args":["certificate"],"values":{"certificate":{"type":"name","value":"Wang Wei Office"}}}]}`
	for text, want := range map[string]string{older: "name-1 expired name-2 (days ago: 5)", later: "name-1 of host-1 is sad"} {
		l, err := ReadChecklist([]byte(text), english(t))
		require.NoError(t, err)
		shown := NewRedactor().Checklist(l, english(t))
		assert.Equal(t, want, shown.Checks[0].Detail)
		data, err := json.Marshal(shown)
		require.NoError(t, err)
		assert.NotContains(t, string(data), "Wang")
	}
}

// asWritten are steps without what is not written of them.
func asWritten(steps []Step) []Step {
	list := slices.Clone(steps)
	for i := range list {
		list[i].left = nil
	}
	return list
}
