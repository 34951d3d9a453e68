package parser

import (
	"crypto/tls"
	"regexp"
	"strings"
)

// openSSLCore finds an error of OpenSSL or BoringSSL, as Node, PHP, Ruby, and programs
// in C print it, in nginx's words:
//
//	Error: 140579907696448:error:14094418:SSL routines:SSL3_READ_BYTES:tlsv1 alert unknown ca:../s3_pkt.c:1293:SSL alert number 48
//	error:1408F09C:SSL routines:ssl3_get_record:http request in /srv/im/WebSocketServer.php on line 194
//	ssl_accept: bad SSL client[127.0.0.1:35418], reason=156, error_string=http request
//
// PHP prints the number alone where no strings are loaded.
func openSSLCore(s string) (core Core, at, end int) {
	m := openSSLText.FindStringSubmatchIndex(s)
	if m == nil {
		return openSSLNumber(s)
	}
	part := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return s[m[2*i]:m[2*i+1]]
	}
	err := part(1)
	if err == "" {
		err = "error:0A00009C:SSL routines::" + part(3)
	} else {
		err += part(2)
	}
	core = Core{Text: nginxSays(strings.TrimRight(err, " .")), Kind: KindOpenSSL, Direction: UnknownDirection}
	switch function := strings.ToLower(err); {
	case part(3) != "" || strings.Contains(function, "client_hello") || strings.Contains(function, "process_client"):
		core.Direction = Inbound
	case strings.Contains(function, "server_hello") || strings.Contains(function, "process_server") || strings.Contains(function, "get_server_cert"):
		core.Direction = Outbound
	}
	return core, m[0], m[1]
}

var openSSLText = regexp.MustCompile(`(error:[0-9A-Fa-f]{8}:SSL routines:\w*:(?: ?[^\s:"'()\\]+?)(?: [^\s:"'()\\/][^\s:"'()\\]*?)*?)(?:$|[\s]+in /|[:"'()\\,\r\n\t](?:[^\s"]*?(:SSL alert number \d+))?|\. )` +
	`|ssl_accept: bad SSL client\[.*\berror_string=([^,\r\n]+)`)

func nginxSays(err string) string {
	return "SSL_do_handshake() failed (SSL: " + err + ") while SSL handshaking"
}

// openSSLReasons are the reasons of OpenSSL 1 by their numbers, the last twelve bits of
// an error (ssl/ssl_err.c).
var openSSLReasons = map[int64]string{
	155: "https proxy request", 156: "http request", 193: "no shared cipher", 252: "unknown protocol", 258: "unsupported protocol", 267: "wrong version number",
}

var openSSLHex = regexp.MustCompile(`^error:14[0-9A-Fa-f]{6}$`)

func openSSLNumber(s string) (core Core, at, end int) {
	line := strings.TrimSpace(s)
	if !openSSLHex.MatchString(line) {
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
	"inappropriate fallback": 86, "user canceled": 90, "no renegotiation": 100, "missing extension": 109, "unsupported extension": 110,
	"certificate unobtainable": 111, "unrecognized name": 112, "bad certificate status response": 113, "bad certificate hash value": 114, "unknown psk identity": 115, "certificate required": 116, "no application protocol": 120,
}

// alertName stands in what the JDK says of an alert that it got, and Erlang:
//
//	javax.net.ssl.SSLHandshakeException: Received fatal alert: certificate_unknown
//	{ssl_error,{tls_alert,"certificate unknown"}}
var alertName = regexp.MustCompile(`(?:Received fatal alert: |[Rr]eceived handshake warning: |\{tls_alert,\s*(?:\{\s*)?"?)([a-zA-Z_ ]+)`)

// toldToClients are the alerts that servers send and hardly any client does. The JDK
// words what it got alike on both sides.
var toldToClients = func() map[string]bool {
	told := map[string]bool{}
	for _, number := range []tls.AlertError{40, 70, 71, 80, 86, 111, 112, 115, 116, 120} {
		told[remotePrefix+number.Error()] = true
	}
	return told
}()

// namedAlert finds an alert by its name, in Go's words.
func namedAlert(s string) (core Core, at, end int) {
	m := alertName.FindStringSubmatchIndex(s)
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
// and Python print it by itself:
//
//	HandshakeException: Handshake error in client (OS Error: SSLV3_ALERT_HANDSHAKE_FAILURE(tls_record.cc:587))
var reasonText = regexp.MustCompile(`(?:^|[^A-Z_])((?:SSLV3|TLSV1|TLSV13)_ALERT_[A-Z_]+[A-Z]|TLSV1_(?:UNRECOGNIZED_NAME|UNSUPPORTED_EXTENSION|CERTIFICATE_UNOBTAINABLE|BAD_CERTIFICATE_(?:STATUS_RESPONSE|HASH_VALUE)))(?:$|[^A-Z_])`)

// reasonName finds an alert by the name of its reason, in nginx's words.
func reasonName(s string) (core Core, at, end int) {
	m := reasonText.FindStringSubmatchIndex(s)
	if m == nil {
		return Core{}, 0, 0
	}
	return Core{Text: nginxSays("error:10000000:SSL routines:OPENSSL_internal:" + s[m[2]:m[3]]), Kind: KindOpenSSL, Direction: UnknownDirection}, m[2], m[3]
}
