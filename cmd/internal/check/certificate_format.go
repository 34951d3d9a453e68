package check

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"slices"
	"strings"
)

// checkCertFormat reads the certificates as the server does: PEM blocks of type
// CERTIFICATE count, others are passed over (Go crypto/tls, X509KeyPair).
func checkCertFormat(f *certificateFiles) Result {
	blocks, rest := blocksOf(f.cert)
	var chain []*x509.Certificate
	for _, block := range blocks {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fail("cert-malformed", "malformed", Number.of("position", len(chain)+1), Text.of("error", err.Error()))
		}
		chain = append(chain, c)
	}
	switch {
	case len(chain) == 0 && hasKey(blocks):
		f.swapped = true
		return fail("cert-key-swapped", "swapped", Path.of("file", f.CertFile))
	case len(chain) == 0:
		return wrongForm(f.cert, blocks)
	case bytes.HasPrefix(f.cert, bom) && len(chain) > 1:
		// The server takes the next certificate for its own.
		return fail("cert-key-mismatch", sharedReason+"form-bom")
	case bytes.HasPrefix(f.cert, bom):
		return fail("cert-not-pem", sharedReason+"form-bom")
	case brokenArmor(rest):
		return fail("chain-incomplete", "cut", Number.of("position", len(chain))).breaking(SomeClients) // the server passes it over
	}
	f.chain = chain
	switch {
	case len(bytes.TrimSpace(rest)) > 0:
		return warn("", "trailing", Number.of("bytes", len(bytes.TrimSpace(rest))))
	case bytes.Contains(f.cert, []byte("\r\n")):
		return pass("crlf", Number.of("certificates", len(chain)))
	}
	return pass("pem", Number.of("certificates", len(chain)))
}

// checkKeyFormat reads the key as the server does: the first PEM block whose
// type ends in PRIVATE KEY.
func checkKeyFormat(f *certificateFiles) Result {
	if f.swapped {
		return skipped("needs", Text.of("check", "cert-format"))
	}
	blocks, rest := blocksOf(f.key)
	certificates := 0
	for _, block := range blocks {
		switch {
		case block.Type == "CERTIFICATE":
			certificates++
		case block.Type == "ENCRYPTED PRIVATE KEY", strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return fail("key-unsupported", "encrypted")
		case block.Type == "OPENSSH PRIVATE KEY", block.Type == "DSA PRIVATE KEY":
			return fail("key-unsupported", "kind", kindOf(block))
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return f.parseKey(block)
		}
	}
	switch {
	case certificates > 0:
		return fail("cert-key-swapped", "swapped", Path.of("file", f.KeyFile))
	case brokenArmor(rest):
		return fail("cert-not-pem", sharedReason+"form-broken")
	}
	return wrongForm(f.key, blocks)
}

func (f *certificateFiles) parseKey(block *pem.Block) Result {
	key, err := parseKey(block.Bytes)
	switch {
	case err != nil:
		return fail("cert-malformed", "malformed")
	case key == nil:
		return fail("key-unsupported", "kind", kindOf(block))
	case bytes.HasPrefix(f.key, bom):
		return fail("cert-not-pem", sharedReason+"form-bom")
	}
	f.private = key
	r := pass("pem")
	if f.passed("cert-format") {
		r = r.rulesOut("cert-not-pem", "cert-malformed", "cert-key-swapped", "key-unsupported")
	}
	return r
}

// parseKey reads the kinds of key that crypto/tls can use; others give nil. The
// parser's error is not for people: it may quote the key.
func parseKey(der []byte) (crypto.PrivateKey, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	ec, ecErr := x509.ParseECPrivateKey(der)
	if ecErr == nil {
		return ec, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if text := err.Error() + ecErr.Error(); strings.Contains(text, "unknown algorithm") || strings.Contains(text, "unknown elliptic curve") {
			return nil, nil
		}
		return nil, err
	}
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return key, nil
	}
	return nil, nil
}

// blocksOf gives the PEM blocks (RFC 7468) and what stands behind the last one.
// A byte order mark in front is passed over here, which the server does not.
func blocksOf(data []byte) (blocks []*pem.Block, rest []byte) {
	rest = bytes.TrimPrefix(data, bom)
	for {
		block, after := pem.Decode(rest)
		if block == nil {
			return blocks, rest
		}
		blocks, rest = append(blocks, block), after
	}
}

// kinds of PEM blocks that are no user's own words (RFC 7468 and OpenSSL's pem.h).
var kinds = []string{
	"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "X509 CRL", "PKCS7", "CMS",
	"PUBLIC KEY", "RSA PUBLIC KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "OPENSSH PRIVATE KEY",
	"EC PARAMETERS", "DH PARAMETERS", "DSA PARAMETERS",
}

func kindOf(block *pem.Block) Value {
	if slices.Contains(kinds, block.Type) {
		return Text.of("kind", block.Type)
	}
	return Name.of("kind", block.Type)
}

func hasKey(blocks []*pem.Block) bool {
	for _, block := range blocks {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return true
		}
	}
	return false
}

// brokenArmor tells that a block begins and cannot be read.
func brokenArmor(rest []byte) bool { return bytes.Contains(rest, []byte("-----BEGIN ")) }

// bom is UTF-8's byte order mark; pem.Decode finds no block right behind it.
var bom = []byte("\xef\xbb\xbf")

// forms tell by the first bytes what a file is instead of PEM.
var forms = []struct {
	key string
	is  func(data []byte) bool
}{
	{"empty", func(data []byte) bool { return len(bytes.TrimSpace(data)) == 0 }},
	{"utf16", func(data []byte) bool { return begins(data, "\xff\xfe", "\xfe\xff") }},
	{"jks", func(data []byte) bool { return begins(data, "\xfe\xed\xfe\xed") }},
	{"html", func(data []byte) bool {
		return begins(bytes.ToLower(bytes.TrimSpace(data)), "<!doctype", "<html", "<?xml", "<head")
	}},
	{"pkcs12", func(data []byte) bool { return isSequenceOf(data, "02010330") }},
	{"pkcs7", func(data []byte) bool { return isSequenceOf(data, "06092a864886f70d0107") }},
	{"der", func(data []byte) bool {
		certificates, err := x509.ParseCertificates(data)
		return err == nil && len(certificates) > 0
	}},
	{"der-csr", func(data []byte) bool { _, err := x509.ParseCertificateRequest(data); return err == nil }},
	{"der-key", func(data []byte) bool { key, err := parseKey(data); return err == nil && key != nil }},
	{"broken", brokenArmor},
	{"binary", func(data []byte) bool { return bytes.IndexByte(data, 0) >= 0 }},
}

func begins(data []byte, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if bytes.HasPrefix(data, []byte(prefix)) {
			return true
		}
	}
	return false
}

// isSequenceOf tells whether DER data is a sequence that begins with the given
// bytes, in hexadecimal (PKCS #12: version 3 and a content info, RFC 7292 section
// 4; PKCS #7: an object identifier under 1.2.840.113549.1.7, RFC 2315).
func isSequenceOf(data []byte, hexadecimal string) bool {
	var sequence asn1.RawValue
	if _, err := asn1.Unmarshal(data, &sequence); err != nil || sequence.Tag != asn1.TagSequence {
		return false
	}
	return strings.HasPrefix(hexOf(sequence.Bytes), hexadecimal)
}

// wrongForm says what a file without the block that is looked for is.
func wrongForm(data []byte, blocks []*pem.Block) Result {
	if len(blocks) > 0 {
		return fail("cert-not-pem", sharedReason+"form-block", kindOf(blocks[0]))
	}
	for _, form := range forms {
		if form.is(data) {
			return fail("cert-not-pem", sharedReason+"form-"+form.key)
		}
	}
	return fail("cert-not-pem", sharedReason+"form-text")
}
