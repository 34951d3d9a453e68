package secrets

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

const key = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"

func TestSecretsAreHidden(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"PEM", "key -----BEGIN RSA PRIVATE KEY-----\n" + key + "\nabcd==\n-----END RSA PRIVATE KEY----- end", "key RSA PRIVATE KEY *** end"},
		{"PEM in JSON", `{"k":"-----BEGIN PRIVATE KEY-----\n` + key + `\nabcd==\n-----END PRIVATE KEY-----\n","id":7}`, `{"k":"PRIVATE KEY ***\n","id":7}`},
		{"PEM with headers", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,AB12\n\n" + key + "\n-----END RSA PRIVATE KEY-----", "RSA PRIVATE KEY ***"},
		{"PEM cut off", "-----BEGIN EC PRIVATE KEY-----\n" + key + "\n" + key, "EC PRIVATE KEY ***"},
		{"PEM cut off within JSON", `"-----BEGIN EC PRIVATE KEY-----\\n` + key + `\\n` + key + `…`, `"EC PRIVATE KEY ***…`},
		{"no body of PEM", "found -----BEGIN CERTIFICATE----- where a key belongs", "found -----BEGIN CERTIFICATE----- where a key belongs"},
		{"end of PEM", key + "\nabcd==\n-----END PRIVATE KEY-----", "***\n***\n-----END PRIVATE KEY-----"},
		{"line of PEM", key, "***"},
		{"two PEMs", "-----BEGIN A-----\n" + key + "\n-----END A----- and -----BEGIN B-----\n" + key + "\n-----END B-----", "A *** and B ***"},
		{"JWT", "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJsaSJ9.c2lnbmF0dXJl of li", "got *** of li"},
		{"bearer", "with Bearer hunter2hunter2 sent", "with Bearer *** sent"},
		{"authorization", "Authorization: Bearer hunter2 remote error: tls: bad certificate", "Authorization: *** remote error: tls: bad certificate"},
		{"digest", `Authorization: Digest username="li", realm="acme", response="ab12" x`, "Authorization: *** x"},
		{"curl", "curl -u li:hunter2 https://x", "curl -u li:*** https://x"},
		{"no password of curl", "journalctl -u wukongim: tls: bad certificate", "journalctl -u wukongim: tls: bad certificate"},
		{"mysql", "mysqldump -uroot -phunter2 im", "mysqldump -uroot -p*** im"},
		{"SMTP", "AUTH PLAIN AGxpAGh1bnRlcjI=", "AUTH PLAIN ***"},
		{"code", "您的验证码是 482913，五分钟内有效", "您的验证码是 ***，五分钟内有效"},
		{"basic", `"Proxy-Authorization":"Basic bGk6aHVudGVyMg=="`, `"Proxy-Authorization":"***"`},
		{"cookie", "Cookie: a=1; session=hunter2; other=\"hunter3\"; x=hunter4\nHost: im", "Cookie: ***\nHost: im"},
		{"cookie in JSON", `{"headers":"Cookie: sid=hunter2; b=hunter3\r\nHost: x"}`, `{"headers":"Cookie: ***\r\nHost: x"}`},
		{"cookie of a map", "map[Cookie:[sid=hunter2; b=hunter3] Host:[x]]", "map[Cookie:*** Host:[x]]"},
		{"JSON", `{"uid":"li","token":"hunt\"er2","aesKey":"hunter2","id":7}`, `{"uid":"li","token":"***","aesKey":"***","id":7}`},
		{"JSON in JSON", `{"log":"{\"uid\":\"li\",\"dbPassword\":\"hunt\\\"er2\",\"salt\":\"x1\",\"id\":7}\n"}`, `{"log":"{\"uid\":\"li\",\"dbPassword\":\"***\",\"salt\":\"***\",\"id\":7}\n"}`},
		{"JSON, cut off", `{"uid":"li","client_key":"hunter2`, `{"uid":"li","client_key":"***`},
		{"numbers and lists", `{"token":12345,"secrets":["hunter2","hunter3"],"id":7}`, `{"token":***,"secrets":[***],"id":7}`},
		{"logfmt", `level=info password=hunter2 msg="x"`, `level=info password=*** msg="x"`},
		{"logfmt in quotes", `level=info password="hunter 2" msg="x"`, `level=info password="***" msg="x"`},
		{"environment", "WK_MANAGERTOKEN=hunter2 DB_PASS=hunter3 MYSQL_ROOT_PASSWORD=hunter4", "WK_MANAGERTOKEN=*** DB_PASS=*** MYSQL_ROOT_PASSWORD=***"},
		{"YAML", "managerToken: hunter2\n  password: 'hunter3'", "managerToken: ***\n  password: '***'"},
		{"Go's struct", "&{Token:hunter2 UID:li Key:hunter3}", "&{Token:*** UID:li Key:hunter3}"},
		{"query", "GET /ws?uid=li&token=hunter2&v=1 HTTP/1.1", "GET /ws?uid=li&token=***&v=1 HTTP/1.1"},
		{"escaped query", "GET uid%3Dli%26token%3Dhunter2%26v%3D1", "GET uid%3Dli%26token%3D***%26v%3D1"},
		{"flags", `["--password","hunter2"] --token hunter3 --token=hunter4 --config wk.yaml`, `["--password","***"] --token *** --token=*** --config wk.yaml`},
		{"XML", "<Password>hunter2</Password><Name>li</Name>", "<Password>***</Password><Name>li</Name>"},
		{"Chinese", "密码：hunter2，口令 hunter3 密钥=hunter4 密码是hunter5 令牌“hunter6”", "密码：***，口令 *** 密钥=*** 密码是*** 令牌“hunter6”"},
		{"Chinese in JSON", `{"\u5bc6\u7801":"hunter2","msg":"\u53e3\u4ee4 hunter3"}`, `{"\u5bc6\u7801":"***","msg":"\u53e3\u4ee4 ***"}`},
		{"URL", "dial wss://li:hunter2@im.acme-corp.cn:5210/ws", "dial wss://li:***@im.acme-corp.cn:5210/ws"},
		{"URL without a user", "wss://hunter2@0.0.0.0:5210", "wss://***@0.0.0.0:5210"},
		{"URL with a slash in the password", "redis://:hun/ter2@10.0.0.3:6379/0", "redis://:***@10.0.0.3:6379/0"},
		{"DSN", "open root:hunter2@tcp(10.0.0.3:3306)/im?x=1", "open root:***@tcp(10.0.0.3:3306)/im?x=1"},
		{"DSN with anything", "open root:h@/u:n@tcp(10.0.0.3:3306)/im", "open root:***@tcp(10.0.0.3:3306)/im"},
		{"login", `redis "li:hunter2@10.0.0.3:6379"`, `redis "li:***@10.0.0.3:6379"`},
		{"AWS", "id AKIAIOSFODNN7EXAMPLE", "id ***"},
		{"Alibaba", "id LTAI5tAcmeCorpKeyXYZa", "id ***"},
		{"Tencent", "id AKIDz8krbsJ5yKBZQpn74WFkmLPx3", "id ***"},
		{"GitHub", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "***"},
		{"DingTalk", "https://oapi.dingtalk.com/robot/send?access_token=hunter2 x", "https://oapi.dingtalk.com/robot/send?access_token=*** x"},
		{"WeCom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=***"},
		{"Feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/0a1b2c3d-4e5f x", "https://open.feishu.cn/open-apis/bot/v2/hook/*** x"},
		{"Telegram", "https://api.telegram.org/bot123456:ABC-DEF/sendMessage", "https://api.telegram.org/bot***/sendMessage"},
	} {
		got := Hide(c.text)
		assert.Equal(t, c.want, got, c.name)
		assert.Equal(t, got, Hide(got), "%s, again", c.name)
	}
}

// TestWhatIsNoSecretStays: hosts, users, addresses, names of files and of what TLS
// itself calls a key are what failures are found by.
func TestWhatIsNoSecretStays(t *testing.T) {
	for _, text := range []string{
		"-------------------------->握手失败！--------------------------> remote error: tls: unknown certificate handshakeStatus13ReadClientFinished",
		"x509: certificate signed by unknown authority",
		"tls: failed to parse private key: x509: unknown elliptic curve",
		"tls: private key does not match public key",
		"unable to fetch the token: x509: certificate has expired",
		`cannot load certificate key "/etc/nginx/certs/im.key": PEM_read_bio_PrivateKey() failed`,
		"ssl_certificate_key /etc/nginx/im.key; keyFile: ./certs/privkey.pem, certKey=/srv/im.key",
		`{"keyFile":"./key.pem","token":"","publicKey":"abc","secretName":"im-tls","key":"default/im-tls"}`,
		"2026/05/04 01:30:00 http: TLS handshake error from 8.8.4.4:4711: remote error: tls: bad certificate",
		"client: 2001:db8::7, server: im.acme-corp.cn, request: \"GET /ws?uid=li HTTP/1.1\"",
		"to li.wei@acme-corp.cn, ssh://git@github.com/x, http://im:8080/@scope/pkg, nginx:1.25@sha256:abcdef",
		"没有共同的密码套件 TLS_AES_128_GCM_SHA256，密码错误，密钥 RSA-2048",
		"basic authentication is off, bearer authentication too",
		"key exchange: X25519, key type: ECDSA",
		"EOF handshakeStatusDoFullHandshake2ReadHandshake1 at /srv/Acme7/2026/05/04/Im9/Logs/wukongim/Server12.log",
		"/srv/TestSecretsAreInNoOutput3597222508/002/server.log:6",
		"sha256:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015",
	} {
		assert.Equal(t, text, Hide(text))
	}
}

// TestSamplesOfTheCatalogueHoldNoSecrets: what failures are recognised by is shown as
// it stands.
func TestSamplesOfTheCatalogueHoldNoSecrets(t *testing.T) {
	c, err := patterns.Load()
	require.NoError(t, err)
	for _, p := range c.Patterns {
		if p.ID == "cert-content-instead-of-path" {
			continue // the content of a file is what is hidden, whatever failed for it
		}
		for _, sample := range p.Samples {
			assert.Equal(t, sample, Hide(sample), p.ID)
		}
	}
}

// TestLongTextsAreHiddenWithoutGivingUp: texts that were made to be hard.
func TestLongTextsAreHiddenWithoutGivingUp(t *testing.T) {
	const times = 10_000
	for _, part := range []string{"token", "token=", "password: ", `"token":"`, `\"`, "a@", "a:", "a.", "://", "-----BEGIN A-----", "%3D", "Cookie: ", "密码 ", "[", "token=[", "--token "} {
		got := Hide(strings.Repeat(part, times) + " password=hunter2")
		assert.NotContains(t, got, "hunter2", part)
	}
}

func FuzzHide(f *testing.F) {
	for _, seed := range []string{`{"token":"abc"}`, "a:b@c", "-----BEGIN A-----x", "password: [a", `\"key\":\"`, "密码 abcd", "http://a:b@c/hook/d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hidden := Hide(text)
		if again := Hide(hidden); strings.Count(again, Hidden) < strings.Count(hidden, Hidden) && len(again) > len(hidden) {
			t.Fatalf("%q gives %q, again %q", text, hidden, again)
		}
		for _, carrier := range []string{"password=%s", `{"token":"%s"}`, "密码：%s"} {
			const planted = "hunter2"
			if got := Hide(text + "\n" + strings.Replace(carrier, "%s", planted, 1)); strings.Contains(got, planted) && !strings.Contains(text, planted) {
				t.Fatalf("%s behind %q is shown: %q", carrier, text, got)
			}
		}
	})
}

var sink string

func BenchmarkHideOrdinaryLine(b *testing.B) {
	const line = "2026/05/04 01:30:00 http: TLS handshake error from 8.8.4.4:4711: remote error: tls: bad certificate"
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		sink = Hide(line)
	}
}
