package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"time"

	"wklog/cmd/internal/pkitest"
)

// setup is a certificate with a fault, named as in testdata/wukongim/truth.json.
type setup struct {
	name        string
	certificate tls.Certificate
	root        *x509.Certificate // that the client trusts
	host        string            // that the client asks for
}

// setups makes all of them. Every good certificate is for localhost.
func setups(now time.Time) []setup {
	pki := pkitest.New(now)
	other := pki.Other.CA("Other Intermediate")
	key := pkitest.Key()
	list := []setup{}
	add := func(name string, leaf *x509.Certificate, chain ...*x509.Certificate) *setup {
		c := tls.Certificate{PrivateKey: key, Certificate: [][]byte{leaf.Raw}}
		for _, above := range chain {
			c.Certificate = append(c.Certificate, above.Raw)
		}
		list = append(list, setup{name: name, certificate: c, root: pki.Root.Certificate, host: "localhost"})
		return &list[len(list)-1]
	}
	local := func(change func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.Subject.CommonName, c.DNSNames, c.IssuingCertificateURL = "localhost", []string{"localhost"}, nil
			if change != nil {
				change(c)
			}
		}
	}
	between := pki.Intermediate.Certificate
	leaf := func(change func(*x509.Certificate)) *x509.Certificate {
		return pki.Intermediate.Issue(key, local(change))
	}
	names := func(names ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = names[0], names }
	}

	add("ok", leaf(nil), between)
	add("ca_not_trusted_by_client", other.Issue(key, local(nil)), other.Certificate)
	add("untrusted_ca_full_chain", other.Issue(key, local(nil)), other.Certificate, pki.Other.Certificate)
	add("self_signed", pkitest.SelfSigned(key, now, local(nil)))
	add("self_signed_ca_true", pkitest.SelfSigned(key, now, local(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true })))
	add("missing_intermediate", leaf(nil))
	add("wrong_intermediate", leaf(nil), other.Certificate)
	add("expired", leaf(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, -4, 0), now.AddDate(0, 0, -2) }), between)
	add("not_yet_valid", leaf(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, 2), now.AddDate(0, 3, 0) }), between)
	old := *pki.Root
	old.Now = now.AddDate(-6, 0, 0)
	expired := old.CA("Expired Intermediate")
	expired.Now = now
	add("expired_intermediate", expired.Issue(key, local(nil)), expired.Certificate)
	add("ip_not_in_san", leaf(nil), between).host = "127.0.0.1"
	add("hostname_not_in_san", leaf(names("im.example.com")), between)
	add("wrong_host_cert", leaf(names("www.example.org", "example.org")), between)
	add("no_san_cn_only", leaf(func(c *x509.Certificate) { c.DNSNames = nil }), between)
	add("wrong_eku", leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), between)
	broken := leaf(nil)
	broken.Raw[len(broken.Raw)-3] ^= 1
	add("bad_signature", broken, between)
	weak := pkitest.Must(rsa.GenerateKey(rand.Reader, 1024))
	add("weak_rsa1024", pki.Intermediate.Issue(weak, local(nil)), between).certificate.PrivateKey = weak
	return list
}
