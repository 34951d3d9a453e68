package check

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"path/filepath"
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
		if kind := foreignKey(block.Bytes); err != nil && kind != "" {
			return f.ofForeignKey(len(chain)+1, kind)
		}
		if err != nil {
			return fail("cert-malformed", "malformed", Number.of("position", len(chain)+1), Text.of("error", err.Error()))
		}
		chain = append(chain, c)
	}
	lost := certificatesNamed(f.cert) - len(chain)
	switch {
	case len(chain) == 0 && lost <= 0 && hasKey(blocks):
		f.swapped = true
		return fail("cert-key-swapped", "swapped", Path.of("file", f.CertFile))
	case len(chain) == 0 || lost > 0 || bytes.HasPrefix(f.cert, bom) || brokenArmor(rest):
		return f.certificatesLost(blocks, chain, rest)
	}
	f.chain = chain
	switch {
	case conflict().Match(f.cert):
		return f.conflicting()
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
			return fail("key-unsupported", "encrypted").instead(mendBy(f.KeyFile, true, "openssl pkey")...)
		case block.Type == "OPENSSH PRIVATE KEY":
			return fail("key-unsupported", "kind", kindOf(block)).instead(f.fromOpenSSH()...)
		case block.Type == "DSA PRIVATE KEY":
			return fail("key-unsupported", "kind", kindOf(block))
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return f.parseKey(block)
		}
	}
	if m := f.mend(f.key, keysIn); m.key != "" {
		return fail("cert-not-pem", sharedReason+"form-"+m.key).instead(mendBy(f.KeyFile, true, m.filters...)...)
	}
	switch {
	case certificates > 0 && !namesKey().Match(f.key):
		return fail("cert-key-swapped", "swapped", Path.of("file", f.KeyFile))
	case brokenArmor(rest), certificates > 0:
		return fail("cert-not-pem", sharedReason+"form-broken")
	}
	return f.wrongForm(f.KeyFile, f.key, blocks)
}

func (f *certificateFiles) parseKey(block *pem.Block) Result {
	key, err := parseKey(block.Bytes)
	kind := foreignPrivateKey(block.Bytes)
	switch {
	case key == nil && kind != "":
		return fail("key-unsupported", "foreign", Text.of("curve", kind)).instead(f.newKey()...)
	case err != nil:
		return fail("cert-malformed", "malformed")
	case key == nil:
		return fail("key-unsupported", "kind", kindOf(block))
	case bytes.HasPrefix(f.key, bom):
		return fail("cert-not-pem", sharedReason+"form-bom").instead(mendBy(f.KeyFile, true, `sed '1s/^\xEF\xBB\xBF//'`)...)
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
	"EC PARAMETERS", "DH PARAMETERS", "DSA PARAMETERS", "PGP PUBLIC KEY BLOCK", "PGP PRIVATE KEY BLOCK", "PGP MESSAGE",
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

// labelled is the line before a block that perhaps cannot be decoded, as one of PGP.
var labelled = lazily(`(?m)^-----BEGIN ([A-Z0-9 ]+)-----\s*$`)

// brokenArmor tells that a block begins and cannot be read.
func brokenArmor(rest []byte) bool { return bytes.Contains(rest, []byte("-----BEGIN ")) }

// bom is UTF-8's byte order mark; pem.Decode finds no block right behind it.
var bom = []byte("\xef\xbb\xbf")

// forms tell by the first bytes what a file is instead of PEM, and by what filter it
// becomes PEM, where one is enough.
var forms = []struct {
	key    string
	is     func(data []byte) bool
	filter string
}{
	{"empty", func(data []byte) bool { return len(bytes.TrimSpace(data)) == 0 }, ""},
	{"utf16", func(data []byte) bool { return begins(data, "\xff\xfe", "\xfe\xff") }, "iconv -f UTF-16 -t UTF-8"},
	{"jks", func(data []byte) bool { return begins(data, "\xfe\xed\xfe\xed") }, ""},
	{"zip", func(data []byte) bool { return begins(data, "PK\x03\x04") }, ""},
	{"gzip", func(data []byte) bool { return begins(data, "\x1f\x8b") }, "gzip -dc"},
	{"putty", func(data []byte) bool { return begins(data, "PuTTY-User-Key-File-") }, ""},
	{"lfs", func(data []byte) bool { return begins(data, "version https://git-lfs.github.com/spec/") }, ""},
	{"ssh-public", func(data []byte) bool {
		return begins(bytes.TrimSpace(data), "ssh-rsa ", "ssh-ed25519 ", "ssh-dss ", "ecdsa-sha2-")
	}, ""},
	{"html", func(data []byte) bool {
		return begins(bytes.ToLower(bytes.TrimSpace(data)), "<!doctype", "<html", "<?xml", "<head")
	}, ""},
	{"json", json.Valid, ""},
	{"pkcs12", func(data []byte) bool { return isSequenceOf(data, "02010330") }, "openssl pkcs12 -nodes"},
	{"pkcs7", func(data []byte) bool { return isSequenceOf(data, "06092a864886f70d0107") }, "openssl pkcs7 -inform DER -print_certs"},
	{"der", func(data []byte) bool {
		certificates, err := x509.ParseCertificates(data)
		return err == nil && len(certificates) > 0
	}, "openssl x509 -inform DER"},
	{"der-csr", func(data []byte) bool { _, err := x509.ParseCertificateRequest(data); return err == nil }, ""},
	{"der-key", func(data []byte) bool { key, err := parseKey(data); return err == nil && key != nil }, "openssl pkey -inform DER"},
	{"broken", brokenArmor, ""},
	{"binary", func(data []byte) bool { return bytes.IndexByte(data, 0) >= 0 }, ""},
	{"path", isPath, ""},
}

// isPath tells whether a file holds the name of another, as a link does that was copied
// by a system that has none.
func isPath(data []byte) bool { return pathAlone().Match(bytes.TrimSpace(data)) }

var pathAlone = lazily(`^(?:[A-Za-z]:)?[./\\]+[^\s"']+\.(?:pem|crt|cer|key)$`)

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
func (f *certificateFiles) wrongForm(path string, data []byte, blocks []*pem.Block) Result {
	private := path == f.KeyFile
	if label := labelled().FindSubmatch(data); len(blocks) == 0 && label != nil && !namesKey().Match(label[0]) && !beginLine().Match(label[0]) {
		return fail("cert-not-pem", sharedReason+"form-block", kindOf(&pem.Block{Type: string(label[1])}))
	}
	if len(blocks) > 0 {
		r := fail("cert-not-pem", sharedReason+"form-block", kindOf(blocks[0]))
		if blocks[0].Type == "PKCS7" && !private {
			r = r.instead(mendBy(path, private, "openssl pkcs7 -print_certs")...)
		}
		return r
	}
	for _, form := range forms {
		if !form.is(data) {
			continue
		}
		r := fail("cert-not-pem", sharedReason+"form-"+form.key)
		file := Path.of("file", path)
		switch {
		case form.key == "pkcs12" && private:
			return r.instead(mendBy(path, private, "openssl pkcs12 -nocerts -nodes")...)
		case form.key == "pkcs12":
			return r.instead(mendBy(path, private, "openssl pkcs12 -nokeys")...)
		case form.filter != "" && private == (form.key == "der-key"):
			return r.instead(mendBy(path, private, form.filter)...)
		case form.key == "jks":
			return r.fix(step(sharedReason+"fix-jks", "keytool -importkeystore -srckeystore %[1]s -destkeystore %[2]s -deststoretype PKCS12", "", file, Path.of("store", path+".p12")))
		case form.key == "zip":
			return r.fix(step(sharedReason+"fix-zip", "unzip -o %[1]s -d certificates", "", file))
		case form.key == "lfs":
			return r.instead(step(sharedReason+"fix-lfs", "git lfs pull --include %[1]s", "", Path.of("included", filepath.Base(path))), step(sharedReason+"fix-restart", "", ""))
		case form.key == "putty" && private:
			return r.instead(mendBy(path, private, "puttygen /dev/stdin -O private-openssh -o /dev/stdout")...)
		case form.key == "path":
			link, copied := Path.of("other", strings.TrimSpace(string(data))), Path.of("mended", mendedCopy(path))
			return r.instead(step(sharedReason+"fix-mend", "cat %[1]s > %[2]s", "", link, copied))
		}
		return r
	}
	return fail("cert-not-pem", sharedReason+"form-text")
}
