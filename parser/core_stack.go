package parser

import (
	"crypto/tls"
	"strconv"
	"strings"
)

// statedAlert is what other libraries than crypto/tls and OpenSSL say of an alert:
//
//	*** Received alert [48]: CA is unknown
//	REC[0x5581e6a0]: Alert[2|48] - CA is unknown - was received
//	ssl_msg.c:4705: is a fatal alert message (msg 48)
//	Error: received fatal alert: UnknownCA
//	TLS server: In state certify received CLIENT ALERT: Fatal - Unknown CA
//	TLS server: In state certify at ssl_handshake.erl:2111 generated SERVER ALERT: Fatal - Unknown CA
//	SSL: certify: ssl_alert.erl:93:Fatal error: certificate unknown
//
// of GnuTLS (src/common.c, lib/record.c), Mbed TLS (library/ssl_msg.c), rustls
// (src/error.rs) and Erlang (lib/ssl/src/ssl_alert.erl, since OTP 21 and before).
var statedAlert = lazily(`(?:\bReceived alert [\['"]|\bAlert\[2\||\bis a fatal alert message \(msg )(\d{1,3})` +
	`|(?:\breceived fatal alert: |\bAlertReceived\()([A-Z]\w+)` +
	`|\b(received|generated) (CLIENT|SERVER) ALERT: (Fatal|Warning) - ([A-Z][A-Za-z]+(?: [A-Za-z]+)*)` +
	`|\bssl_alert\.erl:\d+:Fatal error: ([a-z]+(?: [a-z]+)*)`)

// stackAlert finds an alert of another library, in Go's words. found says that the text
// speaks of one, be it of no consequence: a warning, or what a client says of the server,
// which is no alert that anybody received.
func stackAlert(s string) (core Core, at, end int, found bool) {
	if !strings.Contains(s, "lert") && !strings.Contains(s, "ALERT: ") {
		return Core{}, 0, 0, false
	}
	m := statedAlert().FindStringSubmatchIndex(s)
	if m == nil {
		return Core{}, 0, 0, false
	}
	part := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return s[m[2*i]:m[2*i+1]]
	}
	prefix, direction := remotePrefix, UnknownDirection
	switch told, from := part(3), part(4); {
	case part(5) == "Warning", told == "generated" && from == "CLIENT":
		return Core{}, 0, 0, true
	case told == "generated" && strings.Contains(s[m[1]:], "{unsupported_record_type"):
		return Core{Text: noRecord, Kind: KindNetHTTP, Direction: Inbound}, m[0], m[1], true
	case told == "generated":
		prefix, direction = localPrefix, Inbound
	case from == "CLIENT":
		direction = Inbound
	case from == "SERVER":
		direction = Outbound
	}
	number, ok := alertNumbered(part(1))
	if !ok {
		number, ok = alertNamed(part(2) + part(6) + part(7))
	}
	if !ok {
		return Core{}, 0, 0, false
	}
	return Core{Text: prefix + tls.AlertError(number).Error(), Kind: KindNetHTTP, Direction: direction}, m[0], m[1], true
}

// noRecord is what Go says of bytes that are no TLS, for which Erlang has an alert.
const noRecord = tlsPrefix + "first record does not look like a TLS handshake"

func alertNumbered(digits string) (number uint8, ok bool) {
	n, err := strconv.ParseUint(digits, 10, 8)
	return uint8(n), err == nil
}

// alertNamed is the number of an alert by its name as a word of Rust (UnknownCA) or
// several of Erlang (No Certificate Reserved).
func alertNamed(name string) (number uint8, ok bool) {
	words := strings.ToLower(wordStart().ReplaceAllString(name, "$1$3 $2$4"))
	words = strings.Join(strings.Fields(strings.TrimSuffix(words, " reserved")), " ")
	number, ok = alertNumbers[strings.ReplaceAll(words, "recognised", "recognized")]
	return number, ok
}

// wordStart is where a word begins inside a name that is written together.
var wordStart = lazily(`([a-z])([A-Z])|([A-Z])([A-Z][a-z])`)
