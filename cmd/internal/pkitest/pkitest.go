// Package pkitest makes certificates for tests.
package pkitest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"
)

// Authority is a certificate that signs others; nil signs by the key of what it
// issues.
type Authority struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
	// Now is the middle of the time in which its certificates are valid.
	Now time.Time
}

// PKI is a root with an intermediate, and a root of somebody else.
type PKI struct {
	Root, Intermediate, Other *Authority
}

// New makes authorities that are valid around a time.
func New(now time.Time) *PKI {
	p := &PKI{Root: NewRoot("Wangwei Root", now), Other: NewRoot("Other Wangwei Root", now)}
	p.Intermediate = p.Root.CA("Wangwei Intermediate")
	return p
}

// Must panics on an error: in a test there is none.
func Must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Key makes an ECDSA key.
func Key() crypto.Signer { return Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

// NewRoot makes a self-signed authority.
func NewRoot(name string, now time.Time) *Authority { return (&Authority{Now: now}).CA(name) }

// Issue makes a certificate of im.wangwei-corp.cn and *.chat.wangwei-corp.cn, valid for a
// month before and two months after Now; change may say otherwise.
func (a *Authority) Issue(key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{
		SerialNumber: Must(rand.Int(rand.Reader, big.NewInt(1<<62))), Subject: pkix.Name{CommonName: "im.wangwei-corp.cn"},
		NotBefore: a.Now.AddDate(0, -1, 0), NotAfter: a.Now.AddDate(0, 2, 0), DNSNames: []string{"im.wangwei-corp.cn", "*.chat.wangwei-corp.cn"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IssuingCertificateURL: []string{"http://ca.wangwei-corp.net/intermediate.crt"},
	}
	if change != nil {
		change(c)
	}
	parent, signer := c, key
	if a.Certificate != nil {
		parent, signer = a.Certificate, a.Key
	}
	return Must(x509.ParseCertificate(Must(x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer))))
}

// SelfSigned makes a certificate that signs itself.
func SelfSigned(key crypto.Signer, now time.Time, change func(*x509.Certificate)) *x509.Certificate {
	return (&Authority{Now: now}).Issue(key, func(c *x509.Certificate) {
		c.IssuingCertificateURL = nil
		if change != nil {
			change(c)
		}
	})
}

// CA makes an authority below this one, valid for a year before and five after
// Now.
func (a *Authority) CA(name string) *Authority {
	key := Key()
	return &Authority{Now: a.Now, Key: key, Certificate: a.Issue(key, func(c *x509.Certificate) {
		c.Subject.CommonName, c.DNSNames, c.ExtKeyUsage, c.IssuingCertificateURL = name, nil, nil, nil
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		c.NotBefore, c.NotAfter = a.Now.AddDate(-1, 0, 0), a.Now.AddDate(5, 0, 0)
		c.SubjectKeyId = []byte(name)
	})}
}

// Block is a PEM block.
func Block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// PEM is a file of certificates.
func PEM(list ...*x509.Certificate) string {
	text := ""
	for _, c := range list {
		text += Block("CERTIFICATE", c.Raw)
	}
	return text
}

// KeyPEM is a file with a key.
func KeyPEM(key any) string { return Block("PRIVATE KEY", Must(x509.MarshalPKCS8PrivateKey(key))) }
