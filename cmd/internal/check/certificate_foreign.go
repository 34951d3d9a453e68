package check

import (
	"encoding/asn1"
	"net"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// foreignCurves are curves and kinds of key that Go's TLS does not speak, by their
// object identifiers. SM2: GB/T 32918 (GM/T 0006 names the identifier); Brainpool: RFC
// 5639; secp256k1 and the small ones: SEC 2; Ed448 and X448: RFC 8410; GOST: RFC 9215.
var foreignCurves = map[string]string{
	"1.2.156.10197.1.301":     "SM2",
	"1.3.132.0.10":            "secp256k1",
	"1.3.132.0.31":            "secp192k1",
	"1.3.132.0.32":            "secp224k1",
	"1.2.840.10045.3.1.1":     "secp192r1",
	"1.3.36.3.3.2.8.1.1.1":    "brainpoolP160r1",
	"1.3.36.3.3.2.8.1.1.5":    "brainpoolP224r1",
	"1.3.36.3.3.2.8.1.1.7":    "brainpoolP256r1",
	"1.3.36.3.3.2.8.1.1.8":    "brainpoolP256t1",
	"1.3.36.3.3.2.8.1.1.11":   "brainpoolP384r1",
	"1.3.36.3.3.2.8.1.1.12":   "brainpoolP384t1",
	"1.3.36.3.3.2.8.1.1.13":   "brainpoolP512r1",
	"1.3.36.3.3.2.8.1.1.14":   "brainpoolP512t1",
	"1.3.101.111":             "X448",
	"1.3.101.113":             "Ed448",
	"1.2.643.7.1.1.1.1":       "GOST",
	"1.2.643.7.1.1.1.2":       "GOST",
	"2.16.840.1.101.3.4.3.17": "ML-DSA-44",
	"2.16.840.1.101.3.4.3.18": "ML-DSA-65",
	"2.16.840.1.101.3.4.3.19": "ML-DSA-87",
}

// foreignKey names the kind of a certificate's key that Go does not speak, empty where
// it is none of those that are known.
func foreignKey(der []byte) string {
	in := cryptobyte.String(der)
	var certificate, body, key cryptobyte.String
	if !in.ReadASN1(&certificate, tags.SEQUENCE) || !certificate.ReadASN1(&body, tags.SEQUENCE) ||
		!body.SkipOptionalASN1(tags.Tag(0).Constructed().ContextSpecific()) || !body.SkipASN1(tags.INTEGER) {
		return ""
	}
	for range 4 { // signature, issuer, validity, subject (RFC 5280 section 4.1)
		if !body.SkipASN1(tags.SEQUENCE) {
			return ""
		}
	}
	if !body.ReadASN1(&key, tags.SEQUENCE) {
		return ""
	}
	return foreignAlgorithm(key)
}

// foreignPrivateKey does so for a private key of PKCS #8 (RFC 5208) or SEC 1 (RFC 5915).
func foreignPrivateKey(der []byte) string {
	in := cryptobyte.String(der)
	var key, curve cryptobyte.String
	if !in.ReadASN1(&key, tags.SEQUENCE) || !key.SkipASN1(tags.INTEGER) {
		return ""
	}
	if key.PeekASN1Tag(tags.SEQUENCE) {
		return foreignAlgorithm(key)
	}
	var present bool
	if !key.SkipASN1(tags.OCTET_STRING) || !key.ReadOptionalASN1(&curve, &present, tags.Tag(0).Constructed().ContextSpecific()) || !present {
		return ""
	}
	return foreignCurve(&curve)
}

// foreignAlgorithm reads an AlgorithmIdentifier: the curve is its parameter.
func foreignAlgorithm(key cryptobyte.String) string {
	var algorithm cryptobyte.String
	if !key.ReadASN1(&algorithm, tags.SEQUENCE) {
		return ""
	}
	if name := foreignCurve(&algorithm); name != "" {
		return name
	}
	return foreignCurve(&algorithm)
}

func foreignCurve(in *cryptobyte.String) string {
	var id asn1.ObjectIdentifier
	if !in.PeekASN1Tag(tags.OBJECT_IDENTIFIER) || !in.ReadASN1ObjectIdentifier(&id) {
		return ""
	}
	return foreignCurves[id.String()]
}

// ofForeignKey is for a certificate that the server cannot read for its key. The file is
// not damaged: another of its kind would fail as well.
func (f *certificateFiles) ofForeignKey(position int, kind string) Result {
	key := "foreign"
	if kind == "SM2" {
		key = "sm2"
	}
	return fail("cert-unsupported", key, Number.of("position", position), Text.of("curve", kind)).instead(f.newKey()...)
}

// newKey asks for a certificate with a key that every client speaks.
func (f *certificateFiles) newKey() []Step {
	host, kind := f.Host, "DNS:"
	if host == "" {
		host = "im.example.com"
	}
	if net.ParseIP(host) != nil {
		kind = "IP:"
	}
	return []Step{
		step(sharedReason+"fix-new-key", "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj %[1]s -addext %[2]s -keyout privkey-new.pem -out request.pem", "",
			Host.of("subject", "/CN="+host), Host.of("names_wanted", "subjectAltName="+kind+host)),
		step(sharedReason+"fix-restart", "", ""),
	}
}

// fromOpenSSH makes PEM of OpenSSH's own form, of RSA and ECDSA keys.
func (f *certificateFiles) fromOpenSSH() []Step {
	file, copied := Path.of("file", f.KeyFile), Path.of("mended", mendedCopy(f.KeyFile))
	return []Step{
		step(sharedReason+"fix-mend", "install -m 600 %[1]s %[2]s && ssh-keygen -p -N '' -m PEM -f %[2]s", "", file, copied),
		step(sharedReason+"fix-place", "cat %[2]s > %[1]s", "", file, copied),
		step(sharedReason+"fix-restart", "", ""),
	}
}
