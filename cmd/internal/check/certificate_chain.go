package check

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

func hexOf(data []byte) string { return hex.EncodeToString(data) }

// checkChainOrder wants the server's certificate first, and each one signed by
// the next (RFC 8446 section 4.4.2, where clients should put up with another
// order of the rest).
func checkChainOrder(f *certificateFiles) Result {
	for i, c := range f.chain {
		if i > 0 && !c.IsCA && f.chain[0].IsCA {
			return fail("cert-key-mismatch", "leaf", Number.of("position", i+1), Name.of("certificate", name(c)))
		}
	}
	for i := 1; i < len(f.chain); i++ {
		if !signs(f.chain[i], f.chain[i-1]) {
			return warn("chain-incomplete", "order", Number.of("position", i+1), Name.of("certificate", name(f.chain[i])))
		}
	}
	return pass("ordered", Number.of("certificates", len(f.chain)))
}

// signs tells whether a certificate is the issuer of another. That the issuer
// may sign at all is not looked at: the verification of the chain does.
func signs(issuer, c *x509.Certificate) bool {
	return bytes.Equal(issuer.RawSubject, c.RawIssuer) && issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

func isSelfSigned(c *x509.Certificate) bool { return signs(c, c) }

// name is what people call a certificate: its common name, else its first other
// name, else all of its subject.
func name(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	case len(c.IPAddresses) > 0:
		return c.IPAddresses[0].String()
	}
	return c.Subject.String()
}

func issuerName(c *x509.Certificate) string {
	if c.Issuer.CommonName != "" {
		return c.Issuer.CommonName
	}
	return c.Issuer.String()
}

// checkKeyMatch compares the key with the certificate.
func checkKeyMatch(f *certificateFiles) Result {
	public, ok := f.private.(crypto.Signer)
	same, comparable := f.chain[0].PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !comparable || !same.Equal(public.Public()) {
		return fail("cert-key-mismatch", "other", Name.of("certificate", name(f.chain[0])))
	}
	return pass("same").rulesOut("cert-key-mismatch")
}

// checkChainComplete looks for an issuer that neither the file nor the clients
// have.
func checkChainComplete(f *certificateFiles) Result {
	err := verify(f.chain, f.Roots)
	var unknown x509.UnknownAuthorityError
	switch {
	case isNeverValid(err):
		return skipped("needs", Text.of("check", "cert-dates"))
	case !errors.As(err, &unknown):
		return pass("complete").rulesOut("chain-incomplete") // cert-trust says what else is wrong
	}
	top := topOf(f.chain)
	switch {
	case top != f.chain[0] && verify([]*x509.Certificate{top}, f.Roots) == nil:
		return pass("complete").rulesOut("chain-incomplete")
	case isSelfSigned(top):
		return pass("self-signed", Name.of("certificate", name(top))).rulesOut("chain-incomplete")
	case publishedAt(top) != "":
		return fail("chain-incomplete", "missing-at", Name.of("issuer", issuerName(top)), Address.of("published_at", publishedAt(top)))
	case f.Roots != nil && !f.borrowed:
		return fail("chain-incomplete", "missing", Name.of("issuer", issuerName(top)))
	}
	// Public authorities name their issuer's address (CA/Browser Forum Baseline
	// Requirements, section 7.1.2.7.7), so this one is private.
	return Result{Status: Skip, Key: "private", Args: []Value{Name.of("issuer", issuerName(top))}}
}

// publishedAt is where the certificate of an issuer can be fetched. Public
// authorities publish it by HTTP; those of a company's directory (ldap:) are
// private.
func publishedAt(c *x509.Certificate) string {
	for _, address := range c.IssuingCertificateURL {
		if strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
			return address
		}
	}
	return ""
}

// hasNoRoots tells that this machine has no certificates of CAs, as small
// container images do.
func hasNoRoots() bool {
	pool, err := x509.SystemCertPool()
	return err != nil || pool.Equal(x509.NewCertPool())
}

// topOf follows the issuers from the leaf as far as the chain has them.
func topOf(chain []*x509.Certificate) *x509.Certificate {
	top := chain[0]
	for range chain {
		for _, c := range chain[1:] {
			if c != top && signs(c, top) {
				top = c
				break
			}
		}
	}
	return top
}

// verify builds the chain at a time when all of it is valid, so that dates are a
// fault of their own.
func verify(chain []*x509.Certificate, roots *x509.CertPool) error {
	intermediates := x509.NewCertPool()
	from, until := chain[0].NotBefore, chain[0].NotAfter
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
		if signs(c, chain[0]) {
			if c.NotBefore.After(from) {
				from = c.NotBefore
			}
			if c.NotAfter.Before(until) {
				until = c.NotAfter
			}
		}
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: from.Add(until.Sub(from) / 2), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

// isNeverValid tells that verify found no time when all of the chain was valid: nothing
// else of it was judged.
func isNeverValid(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}

// checkChainRoot warns of a root in the file: every client has its own or does
// not trust it, and each handshake carries it.
func checkChainRoot(f *certificateFiles) Result {
	for i, c := range f.chain {
		if i > 0 && isSelfSigned(c) {
			return warn("", "superfluous", Name.of("certificate", name(c)))
		}
	}
	return pass("none")
}

// checkTrust verifies the chain up to what clients trust.
func checkTrust(f *certificateFiles) Result {
	err := verify(f.chain, f.Roots)
	var unknown x509.UnknownAuthorityError
	top := topOf(f.chain)
	switch {
	case isNeverValid(err):
		return skipped("needs", Text.of("check", "cert-dates"))
	case err == nil && f.borrowed:
		return pass("mozilla").rulesOut("untrusted-ca")
	case err == nil && f.Roots != nil:
		return pass("given").rulesOut("untrusted-ca")
	case err == nil && verify(f.chain, mozillaRoots()) != nil:
		return pass("system") // of a root that was installed here: clients need not have it
	case err == nil:
		return pass("system").rulesOut("untrusted-ca")
	case errors.As(err, &unknown) && isSelfSigned(f.chain[0]):
		return fail("untrusted-ca", "self-signed", Name.of("certificate", name(f.chain[0])))
	case errors.As(err, &unknown) && isSelfSigned(top):
		return fail("untrusted-ca", "unknown", Name.of("authority", name(top)))
	case errors.As(err, &unknown) && verify([]*x509.Certificate{top}, f.Roots) != nil:
		return fail("untrusted-ca", "unknown", Name.of("authority", issuerName(top)))
	}
	return fail("untrusted-ca", "invalid", Text.of("error", strings.TrimPrefix(err.Error(), "x509: ")))
}

// mozillaRoots are those that Mozilla ships, for a machine that has none.
var mozillaRoots = sync.OnceValue(func() *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		c, err := x509.ParseCertificate(root.Certificate)
		switch {
		case err != nil:
		case root.Constraint == nil:
			pool.AddCert(c)
		default:
			pool.AddCertWithConstraint(c, root.Constraint)
		}
	}
	return pool
})

// soon is how long before its end a certificate is to be renewed: the days that were
// asked for, or a third of its lifetime, which is when ACME clients renew it, and at
// most 30 days.
func soon(c *x509.Certificate, warnDays int) time.Duration {
	const day = 24 * time.Hour
	if warnDays > 0 {
		return time.Duration(warnDays) * day
	}
	return min(c.NotAfter.Sub(c.NotBefore)/3, 30*day)
}

// checkDates looks at every certificate of the file.
func checkDates(f *certificateFiles) Result {
	r := dates(f.chain, f.Now, f.WarnDays)
	r.Since, r.More = f.chain[0].NotBefore, identity(f.chain[0], r)
	return r
}

// sha256Of is the fingerprint by which crt.sh and browsers list a certificate.
func sha256Of(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hexOf(sum[:])
}

// identity has what names a certificate for scripts and for lists of certificates. It
// leads to the owner, so that nothing of it is a text.
func identity(leaf *x509.Certificate, r Result) []Value {
	all := []Value{
		Name.of("subject", fromPeer(leaf.Subject.String())), Name.of("issuer", fromPeer(leaf.Issuer.String())), Name.of("serial", leaf.SerialNumber.Text(16)),
		Name.of("fingerprint", sha256Of(leaf)), Time.of("not_before", leaf.NotBefore), Time.of("not_after", leaf.NotAfter),
		Text.of("key_kind", leaf.PublicKeyAlgorithm), Text.of("signed_with", leaf.SignatureAlgorithm),
	}
	names := Host.of("names", namesOf(leaf)).Map(fromPeer)
	names.V = shortened(names.V.([]string))
	all = append(all, names)
	return slices.DeleteFunc(all, func(v Value) bool {
		return slices.ContainsFunc(r.Args, func(known Value) bool { return known.Name == v.Name })
	})
}

func dates(chain []*x509.Certificate, now time.Time, warnDays int) Result {
	first := chain[0]
	for _, c := range chain {
		switch {
		case now.After(c.NotAfter):
			return fail("cert-expired", "expired", Name.of("certificate", name(c)), Time.of("not_after", c.NotAfter), Number.of("days", days(now.Sub(c.NotAfter))))
		case now.Before(c.NotBefore):
			return fail("cert-not-yet-valid", "future", Name.of("certificate", name(c)), Time.of("not_before", c.NotBefore))
		}
		if c.NotAfter.Before(first.NotAfter) {
			first = c
		}
	}
	left := first.NotAfter.Sub(now)
	r := pass("valid", Time.of("not_after", first.NotAfter), Number.of("days_left", days(left)))
	if left < soon(first, warnDays) {
		r = warn("cert-expired", "soon", Name.of("certificate", name(first)), Time.of("not_after", first.NotAfter), Number.of("days_left", days(left)))
	}
	return r.rulesOut("cert-expired", "cert-not-yet-valid")
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }
