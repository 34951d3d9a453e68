package parser

import (
	"crypto/tls"
	"regexp"
	"strconv"
	"strings"
)

// openSSLCore finds an error of OpenSSL or BoringSSL, as Node, PHP, Python, Ruby, and
// programs in C print it, in nginx's words:
//
//	Error: 140579907696448:error:14094418:SSL routines:SSL3_READ_BYTES:tlsv1 alert unknown ca:../s3_pkt.c:1293:SSL alert number 48
//	error:1408F09C:SSL routines:ssl3_get_record:http request in /srv/im/WebSocketServer.php on line 194
//	ssl.SSLError: [SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:1020)
//	SSL_accept returned=1 errno=0 peeraddr=203.0.113.9:51514 state=error: tlsv1 alert unknown ca (OpenSSL::SSL::SSLError)
//	ssl_accept: bad SSL client[127.0.0.1:35418], reason=156, error_string=http request
//
// PHP prints the number alone where no strings are loaded. Python takes the name in
// front from a table that may be older than its OpenSSL; the words behind it count
// (Modules/_ssl.c, fill_and_set_sslerror).
func openSSLCore(s string) (core Core, at, end int) {
	err := ""
	for _, form := range openSSLForms {
		if !form.says(s) {
			continue
		}
		if m := form.text().FindStringSubmatchIndex(s); m != nil {
			err, at, end = form.err(s, m), m[0], m[1]
			break
		}
	}
	if err == "" {
		return openSSLNumber(s)
	}
	core = Core{Text: nginxSays(err), Kind: KindOpenSSL, Direction: UnknownDirection}
	switch function := strings.ToLower(err); {
	case ofClients().MatchString(function):
		core.Direction = Outbound
	case ofServers().MatchString(function):
		core.Direction = Inbound
	}
	return core, at, end
}

// openSSLForms are the forms in which an error is printed: a sign that each has, its
// expression, and what stands before the reason, which is the first group, where the
// error has no number.
var openSSLForms = []openSSLForm{
	{"SSL routines", lazily(`(error:[0-9A-Fa-f]{8}:SSL routines:\w*:(?: ?[^\s:"'()\\]+?)(?: [^\s:"'()\\/][^\s:"'()\\]*?)*?)(?:$|[\s]+(?:in|at) \S| \(|[:"'()\\,\r\n\t](?:[^\s"]*?(:SSL alert number \d+))?|\. )`), ""},
	{"_ssl.c:", lazily(`\[SSL(?:: \w+)?\] ([^()\[\]]+?) \(_ssl\.c:\d+\)`), "error:0A000000:SSL routines::"},
	{"_ssl.c:", lazily(`(EOF occurred in violation of protocol) \(_ssl\.c:\d+\)`), "error:0A000000:SSL routines::"},
	{"SSL_accept ", lazily(`\bSSL_accept returned=\d+ errno=\d+(?: peeraddr=\S+)? state=[^:]*: (\(null\)|[^()\r\n]+?)(?: \(|\s*$)`), "error:0A000000:SSL routines:accept:"},
	{"SSL_connect ", lazily(`\bSSL_connect returned=\d+ errno=\d+(?: peeraddr=\S+)? state=[^:]*: (\(null\)|[^()\r\n]+?)(?: \(|\s*$)`), "error:0A000000:SSL routines:connect:"},
	{"OpenSSL::SSL", lazily(`\bSSL_(?:read|write)(?:_nonblock)?: ([^()\r\n]+?) \(OpenSSL::SSL`), "error:0A000000:SSL routines::"},
	{"error_string=", lazily(`ssl_accept: bad SSL client\[.*\berror_string=([^,\r\n]+)`), "error:0A000000:SSL routines:accept:"},
}

type openSSLForm struct {
	sign   string
	text   func() *regexp.Regexp
	number string
}

func (f *openSSLForm) says(s string) bool { return strings.Contains(s, f.sign) }

func (f *openSSLForm) err(s string, m []int) string {
	err := f.number + strings.TrimRight(strings.TrimSpace(s[m[2]:m[3]]), " .")
	if len(m) > 4 && m[4] >= 0 {
		err += s[m[4]:m[5]]
	}
	return strings.Replace(err, "EOF occurred in violation of protocol", "unexpected eof while reading", 1)
}

var (
	// ofClients are functions and reasons that only the side that dials has, ofServers
	// those of the side that accepts (ssl/statem/statem_clnt.c, statem_srvr.c, and of
	// OpenSSL 1.0 s23_clnt.c, s3_clnt.c, s23_srvr.c, s3_srvr.c).
	ofClients = lazily(`routines:(?:connect|\w*(?:server_hello|process_server|get_server|construct_client|statem_client|client_read_transition|process_ske|process_key_exchange|process_cert_status|encrypted_extensions|get_key_exchange|get_certificate_request|ssl23_connect|ssl3_connect)\w*):|unsafe legacy renegotiation disabled|dh key too small`)
	ofServers = lazily(`routines:(?:accept|\w*(?:client_hello|process_client|get_client|construct_server|statem_server|handle_alpn|process_cke|ssl23_accept|ssl3_accept)\w*):|no shared cipher|https? (?:proxy )?request`)
)

// inGoWords gives an alert that the other side sent in the words of crypto/tls: what
// the side that dials meets has patterns of its own, which know them.
func (c Core) inGoWords() Core {
	m := openSSLAlert().FindStringSubmatch(c.Text)
	if c.Kind != KindOpenSSL || m == nil {
		return c
	}
	number, ok := alertNumbers[strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(m[1]), "_", " "), "cancelled", "canceled")]
	if m[2] != "" {
		n, err := strconv.ParseUint(m[2], 10, 8)
		number, ok = uint8(n), err == nil
	}
	if ok {
		c.Text, c.Kind = remotePrefix+tls.AlertError(number).Error(), KindNetHTTP
	}
	return c
}

var openSSLAlert = lazily(`(?i)SSL routines:\w*:(?:(?:sslv3|tlsv1|tlsv13)[ _](?:alert[ _])?([a-z_ ]+)|[^:]*)(?::SSL alert number (\d+))?\) while`)

func nginxSays(err string) string {
	return "SSL_do_handshake() failed (SSL: " + err + ") while SSL handshaking"
}

// openSSLReasons are the reasons of OpenSSL 1 by their numbers, the last twelve bits of
// an error (ssl/ssl_err.c).
var openSSLReasons = map[int64]string{
	155: "https proxy request", 156: "http request", 193: "no shared cipher", 252: "unknown protocol", 258: "unsupported protocol", 267: "wrong version number",
}

var openSSLHex = lazily(`^error:14[0-9A-Fa-f]{6}$`)

func openSSLNumber(s string) (core Core, at, end int) {
	line := strings.TrimSpace(s)
	if !openSSLHex().MatchString(line) {
		return Core{}, 0, 0
	}
	reason, ok := openSSLReasons[hexadecimal(line[len(line)-3:])]
	if !ok {
		return Core{}, 0, 0
	}
	return Core{Text: nginxSays(line + ":SSL routines::" + reason), Kind: KindOpenSSL, Direction: UnknownDirection}, 0, len(s)
}

func hexadecimal(digits string) (n int64) {
	for _, c := range strings.ToLower(digits) {
		n = n<<4 | int64(strings.IndexRune("0123456789abcdef", c))
	}
	return n
}

// alertNumbers are those of the alerts by their names in RFC 8446 and its forerunners,
// where Go words them otherwise.
var alertNumbers = map[string]uint8{
	"close notify": 0, "unexpected message": 10, "bad record mac": 20, "decryption failed": 21, "record overflow": 22, "decompression failure": 30,
	"handshake failure": 40, "no certificate": 41, "bad certificate": 42, "unsupported certificate": 43, "certificate revoked": 44,
	"certificate expired": 45, "certificate unknown": 46, "illegal parameter": 47, "unknown ca": 48, "access denied": 49, "decode error": 50,
	"decrypt error": 51, "export restriction": 60, "protocol version": 70, "insufficient security": 71, "internal error": 80,
	"inappropriate fallback": 86, "user canceled": 90, "no renegotiation": 100, "missing extension": 109, "unsupported extension": 110, "certificate unobtainable": 111,
	"unrecognized name": 112, "bad certificate status response": 113, "bad certificate hash value": 114, "unknown psk identity": 115, "certificate required": 116, "no application protocol": 120,
}

// alertName stands in what the JDK says of an alert that it got, and Erlang:
//
//	javax.net.ssl.SSLHandshakeException: Received fatal alert: certificate_unknown
//	{ssl_error,{tls_alert,"certificate unknown"}}
var alertName = lazily(`(?:Received fatal alert: |[Rr]eceived handshake warning: |\{tls_alert,\s*(?:\{\s*)?"?)([a-zA-Z_ ]+)`)

// alertCode stands in what Windows logs of an alert that Schannel got (event 36887), in
// English and Chinese.
var alertCode = lazily(`(?:alert was received from|远程)[^\n]*?(?:fatal alert code is|严重警告代码为) ?(\d{1,3})\b`)

// toldToClients are the alerts that servers send and hardly any client does.
var toldToClients = func() map[string]bool {
	told := map[string]bool{}
	for _, number := range []tls.AlertError{40, 70, 71, 80, 86, 111, 112, 115, 116, 120} {
		told[remotePrefix+number.Error()] = true
	}
	return told
}()

// gotByClient tells whether the JDK or Windows got an alert that they get as a client:
// they word it alike on both sides.
func gotByClient(said, alert string) bool {
	return (strings.Contains(said, "eceived ") || strings.Contains(said, "严重警告")) && toldToClients[alert]
}

// namedAlert finds an alert by its name, in Go's words.
func namedAlert(s string) (core Core, at, end int) {
	if m := alertCode().FindStringSubmatchIndex(s); m != nil {
		number, err := strconv.ParseUint(s[m[2]:m[3]], 10, 8)
		if err != nil {
			return Core{}, 0, 0
		}
		return Core{Text: remotePrefix + tls.AlertError(number).Error(), Kind: KindNetHTTP, Direction: UnknownDirection}, m[0], m[1]
	}
	m := alertName().FindStringSubmatchIndex(s)
	if m == nil {
		return Core{}, 0, 0
	}
	number, ok := alertNumbers[strings.TrimSpace(strings.ToLower(strings.ReplaceAll(s[m[2]:m[3]], "_", " ")))]
	if !ok {
		return Core{}, 0, 0
	}
	return Core{Text: remotePrefix + tls.AlertError(number).Error(), Kind: KindNetHTTP, Direction: UnknownDirection}, m[0], m[1]
}

// reasonText is how BoringSSL names the reason of an error (err/ssl.errordata), as Dart
// prints it by itself:
//
//	HandshakeException: Handshake error in client (OS Error: SSLV3_ALERT_HANDSHAKE_FAILURE(tls_record.cc:587))
var reasonText = lazily(`(?:^|[^A-Z_])((?:SSLV3|TLSV1|TLSV13)_ALERT_[A-Z_]+[A-Z]|TLSV1_(?:UNRECOGNIZED_NAME|UNSUPPORTED_EXTENSION|CERTIFICATE_UNOBTAINABLE|BAD_CERTIFICATE_(?:STATUS_RESPONSE|HASH_VALUE)))(?:$|[^A-Z_])`)

// reasonName finds an alert by the name of its reason, in nginx's words.
func reasonName(s string) (core Core, at, end int) {
	m := reasonText().FindStringSubmatchIndex(s)
	if m == nil {
		return Core{}, 0, 0
	}
	return Core{Text: nginxSays("error:10000000:SSL routines:OPENSSL_internal:" + s[m[2]:m[3]]), Kind: KindOpenSSL, Direction: UnknownDirection}, m[2], m[3]
}
