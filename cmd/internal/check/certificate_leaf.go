package check

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"net"
	"slices"
	"strings"
	"time"
)

// longest is the most days that Apple's systems accept for any certificate of a
// server (Apple support article 103769, "Requirements for trusted certificates in
// iOS 13 and macOS 10.15").
const longest = 825

func checkLifetime(f *certificateFiles) Result { return lifetime(f.chain) }

func lifetime(chain []*x509.Certificate) Result {
	leaf := chain[0]
	whole := leaf.NotAfter.Sub(leaf.NotBefore) + time.Second
	if whole <= 0 { // it ends before it begins
		return skipped("needs", Text.of("check", "cert-dates"))
	}
	lifetime := days(whole)
	most := longestOfPublic(leaf.NotBefore)
	if whole > time.Duration(most)*24*time.Hour && verify(chain, mozillaRoots()) == nil {
		return warn("cert-unsupported", "long-public", Number.of("days", lifetime), Number.of("most", most))
	}
	if lifetime > longest {
		return warn("cert-unsupported", "long", Number.of("days", lifetime), Number.of("most", longest))
	}
	return pass("short", Number.of("days", lifetime))
}

// longestOfPublic is the most days that a certificate of a public authority may be valid,
// by when it was issued (CA/Browser Forum Baseline Requirements section 6.3.2, from
// ballots SC-031 and SC-081v3; Apple support article 102028). Clients refuse longer ones.
func longestOfPublic(issued time.Time) int {
	for _, since := range []struct {
		at   time.Time
		most int
	}{
		{time.Date(2029, 3, 15, 0, 0, 0, 0, time.UTC), 47},
		{time.Date(2027, 3, 15, 0, 0, 0, 0, time.UTC), 100},
		{time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC), 200},
		{time.Date(2020, 9, 1, 0, 0, 0, 0, time.UTC), 398},
	} {
		if !issued.Before(since.at) {
			return since.most
		}
	}
	return longest
}

// checkNames looks for the name that clients connect to among the alternative
// names; the common name does not count (RFC 9525 section 2).
func checkNames(f *certificateFiles) Result { return names(f.chain[0], f.Host) }

func names(leaf *x509.Certificate, host string) Result {
	all := namesOf(leaf)
	covers, asked := Host.of("names", all), Host.of("host", host)
	switch {
	case len(all) == 0:
		return fail("hostname-mismatch", "none", Name.of("common_name", leaf.Subject.CommonName))
	case host == "":
		return pass("names", covers)
	case leaf.VerifyHostname(host) == nil && coversTooMuch(leaf, host):
		return fail("hostname-mismatch", "top", asked, covers).breaking(SomeClients)
	case leaf.VerifyHostname(host) == nil:
		return pass("covered", asked, covers).rulesOut("hostname-mismatch")
	case net.ParseIP(host) != nil:
		return fail("hostname-mismatch", "address", asked, covers)
	}
	for _, pattern := range leaf.DNSNames {
		domain, wildcard := strings.CutPrefix(pattern, "*.")
		if wildcard && (strings.EqualFold(host, domain) || strings.HasSuffix(strings.ToLower(host), "."+strings.ToLower(domain))) {
			return fail("hostname-mismatch", "wildcard", Host.of("pattern", pattern), asked)
		}
	}
	return fail("hostname-mismatch", "other", asked, covers)
}

// coversTooMuch tells whether a name is covered by a wildcard alone that stands for a
// whole top-level domain, as *.local of a private authority. Go takes it, while OpenSSL
// (X509_check_host, v3_utl.c: valid_star wants two dots behind it), GnuTLS and browsers do
// not.
func coversTooMuch(leaf *x509.Certificate, host string) bool {
	narrow := *leaf
	narrow.DNSNames = slices.DeleteFunc(slices.Clone(leaf.DNSNames), func(name string) bool {
		domain, wildcard := strings.CutPrefix(name, "*.")
		return wildcard && !strings.Contains(strings.Trim(domain, "."), ".")
	})
	return narrow.VerifyHostname(host) != nil
}

// namesOf are the alternative names of a certificate.
func namesOf(c *x509.Certificate) []string {
	all := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	return all
}

// checkUsage wants a certificate for TLS servers (RFC 5280 section 4.2.1.12) whose
// key may sign (section 4.2.1.3), as all key exchanges of today do.
func checkUsage(f *certificateFiles) Result { return usage(f.chain[0]) }

func usage(leaf *x509.Certificate) Result {
	extended := len(leaf.ExtKeyUsage) + len(leaf.UnknownExtKeyUsage)
	server := slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny)
	switch {
	case extended > 0 && !server:
		return fail("cert-unsupported", "extended")
	case leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return fail("cert-unsupported", "signature")
	}
	return pass("server")
}

// checkAlgorithm looks for keys and signatures that clients refuse or cannot use.
func checkAlgorithm(f *certificateFiles) Result {
	for _, c := range f.chain {
		if r, weak := weakness(c, c == f.chain[0]); weak {
			return r
		}
	}
	return pass("fit", Text.of("key", f.chain[0].PublicKeyAlgorithm), Text.of("signature", f.chain[0].SignatureAlgorithm)).rulesOut("cert-unsupported")
}

// weakRSA is the size of key, in bits, under which clients refuse RSA (CA/Browser Forum
// Baseline Requirements, section 6.1.5; OpenSSL's security level 2).
const weakRSA = 2048

func weakness(c *x509.Certificate, leaf bool) (Result, bool) {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < weakRSA {
			return fail("cert-unsupported", "rsa", Name.of("certificate", name(c)), Number.of("bits", key.N.BitLen())), true
		}
	case *ecdsa.PublicKey:
		if leaf && key.Curve != elliptic.P256() && key.Curve != elliptic.P384() {
			return fail("cert-unsupported", "curve", Text.of("key", key.Curve.Params().Name)), true
		}
	case ed25519.PublicKey:
		if leaf {
			return fail("cert-unsupported", "curve", Text.of("key", "Ed25519")), true
		}
	default:
		r := fail("cert-unsupported", "kind", Text.of("key", c.PublicKeyAlgorithm))
		if leaf {
			r = r.breaking(TheServer) // crypto/tls loads no such file
		}
		return r, true
	}
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		if leaf || !isSelfSigned(c) {
			return fail("cert-unsupported", "signature", Name.of("certificate", name(c)), Text.of("signature", c.SignatureAlgorithm)), true
		}
	}
	return Result{}, false
}

// tlsFeature is the extension that asks for a stapled OCSP answer (RFC 7633).
var tlsFeature = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}

// checkStaple warns of a certificate that is valid only with a stapled answer,
// which WuKongIM never sends.
func checkStaple(f *certificateFiles) Result {
	for _, extension := range f.chain[0].Extensions {
		if extension.Id.Equal(tlsFeature) {
			return warn("cert-unsupported", "must")
		}
	}
	return pass("free")
}
