package check

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"

	"golang.org/x/text/width"
)

// beginLine and endLine are the lines around a certificate, in whatever dashes and letters.
var (
	beginLine = lazily(`(?i)BEGIN (?:X509 |TRUSTED )?CERTIFICATE\b`)
	endLine   = lazily(`(?i)\bEND (?:X509 |TRUSTED )?CERTIFICATE\b`)
	requests  = lazily(`(?i)BEGIN CERTIFICATE REQUEST`)
	namesKey  = lazily(`(?i)BEGIN (?:[A-Z]+ )?PRIVATE KEY`)
)

// certificatesNamed counts the certificates that a text means to hold, by the lines
// before or behind them.
func certificatesNamed(data []byte) int {
	data = width.Fold.Bytes(data)
	return max(len(beginLine().FindAll(data, -1))-len(requests().FindAll(data, -1)), len(endLine().FindAll(data, -1)))
}

// certificatesLost explains a file of which the server sees no certificate, or not all:
// what it is instead, what mends it, or which block is damaged.
func (f *certificateFiles) certificatesLost(blocks []*pem.Block, chain []*x509.Certificate, rest []byte) Result {
	m := f.mend(f.cert, certificatesIn)
	key, steps := sharedReason+"form-"+m.key, []Step(nil)
	var whole []*x509.Certificate
	if m.key != "" {
		steps = mendBy(f.CertFile, false, m.filters...)
		whole = parsedFrom(m.data)
	}
	switch {
	case len(chain) == 0 && m.key != "":
		return fail("cert-not-pem", key).instead(steps...)
	case len(chain) == 0:
		return f.wrongForm(f.CertFile, f.cert, blocks)
	case bytes.HasPrefix(f.cert, bom) && len(chain) > 1:
		// The server takes the next certificate for its own.
		return fail("cert-key-mismatch", sharedReason+"form-bom").instead(steps...)
	case bytes.HasPrefix(f.cert, bom):
		return fail("cert-not-pem", sharedReason+"form-bom").instead(steps...)
	case m.key != "" && len(whole) > 0 && !whole[0].Equal(chain[0]):
		return fail("cert-malformed", key).instead(steps...) // the first is lost
	case m.key != "":
		return fail("chain-incomplete", key).breaking(SomeClients).instead(steps...)
	case brokenArmor(rest):
		return fail("chain-incomplete", "cut", Number.of("position", len(chain))).breaking(SomeClients) // the server passes it over
	}
	return f.damaged()
}

func parsedFrom(data []byte) (all []*x509.Certificate) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			all = append(all, c)
		}
	}
	return all
}

// damaged names the first block that cannot be decoded. Where it is the first of the
// file the server takes the next one for its own; a later one is only not sent.
func (f *certificateFiles) damaged() Result {
	at := beginLine().FindAllIndex(f.cert, -1)
	for i, begin := range at {
		end := len(f.cert)
		if i+1 < len(at) {
			end = lineStart(f.cert, at[i+1][0])
		}
		if block, _ := pem.Decode(f.cert[lineStart(f.cert, begin[0]):end]); block != nil {
			continue
		}
		line := Number.of("line", bytes.Count(f.cert[:begin[0]], []byte("\n"))+1)
		if i == 0 {
			return fail("cert-malformed", "first-damaged", line)
		}
		return fail("chain-incomplete", "damaged", Number.of("position", i+1), line).breaking(SomeClients)
	}
	return fail("cert-malformed", "first-damaged", Number.of("line", 1))
}

// lineStart is where the line begins that holds a place.
func lineStart(data []byte, at int) int { return bytes.LastIndexByte(data[:at], '\n') + 1 }

// conflict is what git leaves in a file that two people changed.
var conflict = lazily(`(?m)^(?:<{7}|>{7}) `)

// conflicting keeps the side that belongs to the key, ours where none does.
func (f *certificateFiles) conflicting() Result {
	const ours, theirs = `sed '/^=======$/,/^>>>>>>> /d; /^<<<<<<< /d'`, `sed '/^<<<<<<< /,/^=======$/d; /^>>>>>>> /d'`
	filter := ours
	if _, err := tls.X509KeyPair(f.cert, f.key); err != nil {
		filter = theirs // the server takes the first, which is ours
	}
	return warn("", sharedReason+"form-conflict").fix(mendBy(f.CertFile, false, filter)...)
}
