package fragile

import (
	"crypto/tls"
	"encoding/binary"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// Fatal names what WuKongIM does not survive, or hangs at, when it gets a record with
// a ClientHello; empty where it is fine, or more of the record is to come.
func Fatal(record []byte) string {
	const handshake, header = 0x16, 5
	if len(record) < header || record[0] != handshake || len(record) < header+int(binary.BigEndian.Uint16(record[3:])) {
		return ""
	}
	h, ok := parse(record[header:])
	if !ok {
		return ""
	}
	return h.fatal()
}

// hello is what a ClientHello offers (RFC 8446 section 4.1.2), as far as a server
// falls over it.
type hello struct {
	versions []uint16
	suites   []uint16
	groups   []tls.CurveID // supported
	shares   []tls.CurveID // that have a key share
	resumes  bool          // by a ticket or a pre-shared key
}

// groups that WuKongIM v2 knows (its fork of crypto/tls, common.go).
var groups = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}

func (h *hello) fatal() string {
	known := func(g tls.CurveID) bool { return slices.Contains(groups, g) }
	switch {
	case h.resumes:
		return "resumption"
	case slices.Contains(h.versions, tls.VersionTLS13):
		if slices.ContainsFunc(h.groups, known) && !slices.ContainsFunc(h.shares, known) {
			return "HelloRetryRequest"
		}
	case !slices.ContainsFunc(h.suites, hidesMAC):
		return "macSHA1" // of v1.1 and v1.2, WuKongIM issue #127
	}
	return ""
}

// hidesMAC tells whether a cipher suite has no MAC of its own.
func hidesMAC(id uint16) bool {
	suite := slices.IndexFunc(tls.CipherSuites(), func(s *tls.CipherSuite) bool {
		return s.ID == id && slices.Contains(s.SupportedVersions, tls.VersionTLS12) && !slices.Contains(s.SupportedVersions, tls.VersionTLS10)
	})
	return suite >= 0
}

// Numbers of extensions (IANA, TLS ExtensionType Values).
const (
	supportedGroups   = 10
	sessionTicket     = 35
	preSharedKey      = 41
	supportedVersions = 43
	keyShare          = 51
)

// parse reads the handshake message of a ClientHello, without its record's header.
func parse(message []byte) (*hello, bool) {
	const clientHello = 1
	h := &hello{}
	s := cryptobyte.String(message)
	var kind uint8
	var version uint16
	var body, session, suites, compression, extensions cryptobyte.String
	if !s.ReadUint8(&kind) || kind != clientHello || !s.ReadUint24LengthPrefixed(&body) ||
		!body.ReadUint16(&version) || !body.Skip(32) || !body.ReadUint8LengthPrefixed(&session) ||
		!body.ReadUint16LengthPrefixed(&suites) || !body.ReadUint8LengthPrefixed(&compression) {
		return nil, false
	}
	h.versions, h.suites = []uint16{version}, numbers(suites)
	if body.Empty() {
		return h, true
	}
	if !body.ReadUint16LengthPrefixed(&extensions) {
		return nil, false
	}
	for !extensions.Empty() {
		var number uint16
		var data cryptobyte.String
		if !extensions.ReadUint16(&number) || !extensions.ReadUint16LengthPrefixed(&data) {
			return nil, false
		}
		h.extension(number, data)
	}
	return h, true
}

func (h *hello) extension(number uint16, data cryptobyte.String) {
	var list cryptobyte.String
	switch number {
	case preSharedKey:
		h.resumes = true
	case sessionTicket:
		h.resumes = h.resumes || !data.Empty()
	case supportedVersions:
		if data.ReadUint8LengthPrefixed(&list) {
			h.versions = numbers(list)
		}
	case supportedGroups:
		if data.ReadUint16LengthPrefixed(&list) {
			for _, id := range numbers(list) {
				h.groups = append(h.groups, tls.CurveID(id))
			}
		}
	case keyShare:
		var group uint16
		var key cryptobyte.String
		if !data.ReadUint16LengthPrefixed(&list) {
			return
		}
		for list.ReadUint16(&group) && list.ReadUint16LengthPrefixed(&key) {
			h.shares = append(h.shares, tls.CurveID(group))
		}
	}
}

func numbers(s cryptobyte.String) (list []uint16) {
	var n uint16
	for s.ReadUint16(&n) {
		list = append(list, n)
	}
	return list
}
