package patterns_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestWhatPlainlySpeaksOfAFailureIsNotSilent: a pattern may know it or not.
func TestWhatPlainlySpeaksOfAFailureIsNotSilent(t *testing.T) {
	c := loaded(t)
	for _, line := range []string{
		"[ERROR] 连接网关失败：SSL握手失败",
		"2026-05-04 01:30:02 错误 TLS 握手异常, 地址=im.example.com",
		`{"level":"error","ts":"2026-05-04T01:30:02Z","msg":"连接失败：证书已过期"}`,
		"wss 连接失败：服务器证书不受信任",
		"java.io.IOException: 证书验证失败：找不到颁发者",
		"错误：证书校验不通过",
		"证书与域名不匹配",
		"发生了 SSL 错误，无法建立到该服务器的安全连接。",
		"建立安全连接失败",
		`{"message": "\u8bc1\u4e66\u5df2\u8fc7\u671f"}`,
		"E: gnutls_handshake() failed: An unexpected TLS packet was received.",
		"E (5123) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x2700",
		"wolfSSL_connect error -188",
		"thread main panicked: invalid peer certificate: UnknownIssuer",
		"System.Net.Http.HttpRequestException: The SSL connection could not be established, see inner exception.",
		"schannel: SNI or certificate check failed: SEC_E_WRONG_PRINCIPAL (0x80090322)",
		`NSURLErrorDomain Code=-1200 "An SSL error has occurred and a secure connection to the server cannot be made."`,
		"OpenSSL::SSL::SSLError: SSL_connect returned=1 errno=0 state=error: certificate verify failed",
		"TLS client: In state certify at ssl_handshake.erl:2125 generated CLIENT ALERT: Fatal - Unknown CA",
		"192.168.1.32:61432 TLS Error: TLS key negotiation failed to occur within 60 seconds",
		"javax.net.ssl.SSLException: Unrecognized SSL message, plaintext connection?",
		"Error: Client network socket disconnected before secure TLS connection was established",
		"ws error: self-signed certificate in certificate chain",
		"client error: Error: certificate has expired",
		"ERROR 2026 (HY000): SSL connection error: error:0A00010B:SSL routines::wrong version number",
		"failed to verify certificate: the CA is not known",
		"203.0.113.9:51514 [22/Apr/2026:10:11:12.275] wss-in/listener: SSL handshake failure",
	} {
		events, result := analysed(t, c, line+"\n")
		assert.NotZero(t, len(events)+result.Unclassified, line)
	}
}

// TestWordsOfTLSInHealthyLogsAreSilent has lines as healthy programs print them.
func TestWordsOfTLSInHealthyLogsAreSilent(t *testing.T) {
	c := loaded(t)
	for _, line := range []string{
		"证书检查完成，剩余有效期 62 天，证书过期时间：2026-09-01",
		"SSL握手失败次数: 0, 证书验证失败数: 0",
		"证书尚未过期，无需续期",
		"如果证书验证失败则重试三次",
		"监控指标 tls握手失败率 0.00%",
		"配置项：证书无效时拒绝连接 = true",
		"SSL证书加载成功，HTTPS 监听 0.0.0.0:5210",
		"安全连接已建立，协议 TLSv1.3",
		`{"level":"info","msg":"【MessageApi】发送消息内容：证书已过期了怎么办"}`,
		"用户反馈：小程序提示证书已过期",
		"INFO Generating self-signed certificate for localhost",
		"W0906 10:16:26.642535       8 flags.go:221] SSL certificate chain completion is disabled",
		"Jul  7 10:11:12 im01 stunnel[7]: LOG5[1]: Connection closed: 120 byte(s) sent to TLS, 80 byte(s) sent to socket",
		"SSL handshakes passed/failed per min: 120/0",
		"TLS handshake took 12 ms",
		"[Info] TLS: enabled, minimum version 1.2, alert when the certificate expires within 14 days",
		"2026-05-04T01:30:02Z INFO certmanager certificate is valid, renewal in 30 days",
		"Connection terminated the session after logout",
		"mysql: [Note] SSL mode PREFERRED, session reuse on",
		"retrying connection, session error count 0",
		"NSURLSession task finished with code 200",
		`203.0.113.9 - - [22/Apr/2026:10:11:12 +0800] "GET /证书已过期 HTTP/1.1" 404 1 "-" "curl/8.5.0"`,
		"docs: 证书已过期的处理办法",
		"level=info msg=\"ACME certificate obtained\" domain=im.example.com",
		"kubelet: certificate rotation is enabled",
		"E0906 controller.go:1] object has been modified; error: conflict",
	} {
		events, result := analysed(t, c, line+"\n")
		assert.Empty(t, events, line)
		assert.Zero(t, result.Unclassified, line)
	}
}
