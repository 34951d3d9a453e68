package parser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCoreOfAMessageWhereverItStands(t *testing.T) {
	const unknown = "remote error: tls: unknown certificate"
	for _, c := range []struct {
		line, core string
		direction  Direction
	}{
		{"E0911 23:15:56.869086   11580 handler.go:74]  Filter Request *stripssl.Filter error: " + unknown, unknown, UnknownDirection},
		{"[029] WARN: Cannot handshake client im.example.com:443 " + unknown, unknown, Inbound},
		{"2016/04/24 15:13:35 server.go:2161: http: TLS handshake error from 127.0.0.1:52145: remote error: unknown certificate authority", "remote error: tls: unknown certificate authority", Inbound},
		{"remote error: bad certificate", "remote error: tls: bad certificate", UnknownDirection},
		{"TLS handshake error from [::1]:55134: " + unknown, unknown, Inbound},
		{`time="2026-05-04T09:30:00Z" level=error msg="accept failed" err="` + unknown + `" conn=7`, unknown, Inbound},
		{`{"level":"info","msg":"read failed","err":"` + unknown + `","remoteAddr":"203.0.113.9:5"}`, unknown, Inbound},
		{`{"level":"error","msg":"push: Post \"https://push.example.com/\": remote error: tls: handshake failure"}`, "remote error: tls: handshake failure", Outbound},
		{"2026-08-23 00:31:08.123\tERROR\t[gateway]\tgateway/handler.go:180\tread\t" + `{"error": "remote error: tls: expired certificate"}`, "remote error: tls: expired certificate", UnknownDirection},
		{"dial tcp 203.0.113.9:5210: local error: tls: bad record MAC", "local error: tls: bad record MAC", Outbound},
		{"日志里一直报错：" + unknown + "，是什么原因", unknown, UnknownDirection},
		{"客户端 203.0.113.9 连不上 " + unknown, unknown, Inbound},
		{"\x1b[31mERR\x1b[0m conn 7 closed: \x1b[31m" + unknown + "\x1b[0m", unknown, UnknownDirection},
		{"> " + unknown, unknown, UnknownDirection},
		{"tls: expired certificate", "remote error: tls: expired certificate", UnknownDirection},
		{"conn 9: read (remote error: tls: alert(41)) closing", "remote error: tls: alert(41)", UnknownDirection},
		{`accept: "tls: no cipher suite supported by both client and server" conn=9`, "tls: no cipher suite supported by both client and server", Inbound},
		{"broker: handshake (tls: client offered only unsupported versions: [301])", "tls: client offered only unsupported versions: [301]", UnknownDirection},
	} {
		core := Parse(Unwrap([]byte(c.line))).Core()
		assert.Equal(t, Core{Text: c.core, Kind: KindNetHTTP, Direction: c.direction}, core, c.line)
	}
}

func TestWhatIsPutBeforeAPastedLineIsTakenOff(t *testing.T) {
	const nginx = "2018/06/24 22:41:22 [crit] 6#6: *12 SSL_do_handshake() failed, client: 203.0.113.136"
	for _, prefix := range []string{"> ", ">> ", "    ", "`", "1228:", "1228-", "/var/log/nginx/error.log:", "error.log.2.gz:1228:", "/var/log/messages:", "\x1b[31m"} {
		r := parseLine(prefix + nginx)
		assert.Equal(t, KindNginx, r.Kind, prefix)
		assert.Equal(t, "203.0.113.136", r.Remote, prefix)
		e := Unwrap([]byte("> wukongim-1  | " + nginx))
		assert.Equal(t, "wukongim-1", e.Origin)
		assert.Equal(t, nginx, string(e.Text))
	}
	for _, line := range []string{"2018-06-24 22:41:22 text", "server.go:3095: http: no", "\t/src/main.go:12 +0x1", "    at a.b.C.d(C.java:5)", "wk.log: text", "12: text"} {
		e := Unwrap([]byte(line))
		assert.Zero(t, e.Prefix, line)
	}
}

func TestRawLineWithoutItsHeadIsAHandshake(t *testing.T) {
	for _, line := range []string{
		"remote error: tls: expired certificate handshakeStatus13ReadClientFinished",
		"--------> remote error: tls: expired certificate handshakeStatus13ReadClientFinished",
		"日志：remote error: tls: expired certificate handshakeStatus13ReadClientFinished",
	} {
		r := parseLine(line)
		assert.Equal(t, KindHandshake, r.Kind, line)
		assert.Equal(t, "remote error: tls: expired certificate", r.Error, line)
		assert.Equal(t, "handshakeStatus13ReadClientFinished", r.State, line)
	}
	assert.Equal(t, KindText, parseLine("see handshakeStatus13ReadClientFinished").Kind)
}

func TestCoreOfOtherLibraries(t *testing.T) {
	openSSL := func(err string, d Direction) Core { return Core{Text: nginxSays(err), Kind: KindOpenSSL, Direction: d} }
	alert := func(text string) Core {
		return Core{Text: "remote error: tls: " + text, Kind: KindNetHTTP, Direction: UnknownDirection}
	}
	for line, want := range map[string]Core{
		"Error: 140579907696448:error:14094418:SSL routines:SSL3_READ_BYTES:tlsv1 alert unknown ca:../deps/openssl/openssl/ssl/s3_pkt.c:1293:SSL alert number 48": openSSL("error:14094418:SSL routines:SSL3_READ_BYTES:tlsv1 alert unknown ca:SSL alert number 48", UnknownDirection),
		"error:14094418:SSL routines:SSL3_READ_BYTES:tlsv1 alert unknown ca in /www/im/TcpConnection.php on line 391":                                             openSSL("error:14094418:SSL routines:SSL3_READ_BYTES:tlsv1 alert unknown ca", UnknownDirection),
		"[0007278525] [error] [client 192.168.0.133] sslize error: error:14094416:SSL routines:ssl3_read_bytes:sslv3 alert certificate unknown":                   openSSL("error:14094416:SSL routines:ssl3_read_bytes:sslv3 alert certificate unknown", Inbound),
		"SSL_accept failed: error:1417A0C1:SSL routines:tls_post_process_client_hello:no shared cipher":                                                           openSSL("error:1417A0C1:SSL routines:tls_post_process_client_hello:no shared cipher", Inbound),
		"error:1407609C": openSSL("error:1407609C:SSL routines::http request", UnknownDirection),
		"[2021-02-24 10:12:33 *12.0]\tWARNING\tssl_accept: bad SSL client[127.0.0.1:35418], reason=156, error_string=http request":                                       openSSL("error:0A000000:SSL routines:accept:http request", Inbound),
		"o.a.n.BridgeRuntime: javax.net.ssl.SSLHandshakeException: Received fatal alert: certificate_unknown":                                                            alert("unknown certificate"),
		`2017-02-21 16:46:05.274 [error] <0.1510.0> crashed with reason: {ssl_error,{tls_alert,"certificate unknown"}} in esockd_connection:upgrade/1 line 117`:          alert("unknown certificate"),
		"ssl.SSLError: [SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:1020)":                                                                               openSSL("error:0A000000:SSL routines::tlsv1 alert unknown ca", UnknownDirection),
		"SSLError: [SSL: KRB5_S_TKT_NYV] unexpected eof while reading (_ssl.c:727)":                                                                                      openSSL("error:0A000000:SSL routines::unexpected eof while reading", UnknownDirection),
		"ssl.SSLEOFError: EOF occurred in violation of protocol (_ssl.c:1125)":                                                                                           openSSL("error:0A000000:SSL routines::unexpected eof while reading", UnknownDirection),
		"`accept': SSL_accept returned=1 errno=0 peeraddr=127.0.0.1:53422 state=error: http request (OpenSSL::SSL::SSLError)":                                            openSSL("error:0A000000:SSL routines:accept:http request", Inbound),
		"SSL_connect returned=1 errno=0 state=SSLv2/v3 read server hello A: unknown protocol":                                                                            openSSL("error:0A000000:SSL routines:connect:unknown protocol", Outbound),
		"`sysread_nonblock': SSL_read: tlsv13 alert certificate required (OpenSSL::SSL::SSLError)":                                                                       openSSL("error:0A000000:SSL routines::tlsv13 alert certificate required", UnknownDirection),
		"tlsClientError [Error: 806C62E32A7F0000:error:0A000416:SSL routines:ssl3_read_bytes:sslv3 alert certificate unknown:../rec_layer_s3.c:1601:SSL alert number 46": openSSL("error:0A000416:SSL routines:ssl3_read_bytes:sslv3 alert certificate unknown:SSL alert number 46", Inbound),
		"407:error:0A0000F4:SSL routines:ossl_statem_client_read_transition:unexpected message:../ssl/statem/statem_clnt.c:396:":                                         openSSL("error:0A0000F4:SSL routines:ossl_statem_client_read_transition:unexpected message", Outbound),
		"error: nothing of the sort": {},
	} {
		assert.Equal(t, want, Parse(Unwrap([]byte(line))).Core(), line)
	}
}

// TestAlertThatTheSideThatDialsGotIsInGoWords: the patterns of that side know them in
// these words.
func TestAlertThatTheSideThatDialsGotIsInGoWords(t *testing.T) {
	for line, alert := range map[string]string{
		"SSL_connect returned=1 errno=0 peeraddr=127.0.0.1:27146 state=error: sslv3 alert certificate unknown (OpenSSL::SSL::SSLError)":                     "unknown certificate",
		"SSL_connect returned=1 errno=0 state=error: tlsv1 alert user cancelled (OpenSSL::SSL::SSLError)":                                                   "user canceled",
		"SSL connect attempt failed error:0A000458:SSL routines::tlsv1 unrecognized name at im.pl line 1.":                                                  "unrecognized name",
		"write EPROTO 139977583212416:error:14094410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../rec_layer_s3.c:1546:SSL alert number 40": "handshake failure",
		"connecting to wss://im.example.com: error:10000416:SSL routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_UNKNOWN":                                  "unknown certificate",
	} {
		core := Parse(Unwrap([]byte(line))).Core()
		assert.Equal(t, Core{Text: "remote error: tls: " + alert, Kind: KindNetHTTP, Direction: Outbound}, core, line)
	}
	for _, own := range []string{"unexpected message", "bad record mac", "certificate verify failed", "internal error"} {
		core := Parse(Unwrap([]byte("SSL_connect returned=1 errno=0 state=error: " + own + " (OpenSSL::SSL::SSLError)"))).Core()
		assert.Equal(t, KindOpenSSL, core.Kind, "what it found itself is no alert: "+own)
	}
}

func TestAlertByItsNumberIsKnown(t *testing.T) {
	for line, alert := range map[string]string{
		"remote error: alert(116)":                 "certificate required",
		"remote error: tls: alert(112)":            "unrecognized name",
		"tls: alert(120)":                          "no application protocol",
		"remote error: tls: alert(41)":             "alert(41)",
		"conn 9 (remote error: alert(109)) closed": "missing extension",
	} {
		assert.Equal(t, "remote error: tls: "+alert, Parse(Unwrap([]byte(line))).Core().Text, line)
	}
	for _, line := range []string{"remote error: alert(999)", "remote error: alert(12) is what Go prints"} {
		assert.Empty(t, Parse(Unwrap([]byte(line))).Core().Text, line)
	}
}

// TestClientsAreToldByTheirPrograms: what a library says is alike on both sides.
func TestClientsAreToldByTheirPrograms(t *testing.T) {
	for line, want := range map[string]Direction{
		"curl: (35) OpenSSL/3.0.19: error:0A000412:SSL routines::sslv3 alert bad certificate":                                                                         Client,
		"HandshakeException: Handshake error in client (OS Error: SSLV3_ALERT_BAD_CERTIFICATE(tls_record.cc:587))":                                                    Client,
		"\tTLSV1_ALERT_UNKNOWN_CA(tls_record.cc:587))":                                                                                                                Client,
		"HandshakeException: Handshake error in server (OS Error: SSLV3_ALERT_BAD_CERTIFICATE(tls_record.cc:587))":                                                    Inbound,
		"Handshake failed: error:10000410:SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE (external/boringssl/src/ssl/tls_record.cc:592 0x7a:0x00000001)": Client,
		"javax.net.ssl.SSLHandshakeException: Received fatal alert: protocol_version":                                                                                 Client,
		"javax.net.ssl.SSLHandshakeException: Received fatal alert: certificate_unknown":                                                                              UnknownDirection,
		"A fatal alert was received from the remote endpoint. The TLS protocol defined fatal alert code is 40.":                                                       Client,
		"A fatal alert was received from the remote endpoint. The TLS protocol defined fatal alert code is 46.":                                                       UnknownDirection,
		"从远程终点接收到一个严重警告。TLS 协议所定义的严重警告代码为 70。":                                                                                                                        Client,
	} {
		core := Parse(Unwrap([]byte(line))).Core()
		assert.NotEmpty(t, core.Text, line)
		assert.Equal(t, want, core.Direction, line)
	}
}
