package check

import (
	"crypto/rand"
	"crypto/x509"
	"io"
	"math/big"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"

	"wklog/cmd/internal/pkitest"
)

// listOf makes an authority's list of certificates that it revoked an hour ago.
func listOf(issuer *pkitest.Authority, now time.Time, revoked ...*big.Int) *x509.RevocationList {
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}
	for _, serial := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: now.Add(-time.Hour)})
	}
	return pkitest.Must(x509.ParseRevocationList(pkitest.Must(x509.CreateRevocationList(rand.Reader, template, issuer.Certificate, issuer.Key))))
}

// responder is the authority's server of answers and lists; it counts what it was asked.
func responder(t *testing.T, answer func() []byte, list func() []byte) (address string, asked *atomic.Int32) {
	asked = &atomic.Int32{}
	mux := http.NewServeMux()
	serve := func(data func() []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			asked.Add(1)
			if body := data(); body != nil {
				w.Write(body)
				return
			}
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}
	}
	mux.HandleFunc("POST /ocsp", serve(answer))
	mux.HandleFunc("GET /crl", serve(list))
	return "http://" + serveHTTP(t, nil, mux), asked
}

func TestRevocationIsAskedWhereThatIsWanted(t *testing.T) {
	for _, c := range []struct {
		name        string
		ask         bool
		ocsp        int // -1 for no answer
		listed      bool
		status      Status
		key, reason string
		asked       int32
	}{
		{"not wanted", false, ocsp.Revoked, true, Skip, "not-wanted", "", 0},
		{"good", true, ocsp.Good, true, Pass, "revocation-good", "", 1},
		{"revoked", true, ocsp.Revoked, false, Fail, "revocation-revoked", "cert-revoked", 1},
		{"unknown", true, ocsp.Unknown, false, Warn, "revocation-unknown", "", 1},
		{"list after a responder that redirects", true, -1, true, Fail, "revocation-revoked", "cert-revoked", 2},
		{"list without it", true, -1, false, Pass, "revocation-good", "", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			address, asked := responder(t, func() []byte {
				if c.ocsp < 0 {
					return nil
				}
				response := ocsp.Response{Status: c.ocsp, SerialNumber: s.leaf.Certificate.SerialNumber, ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour), RevokedAt: time.Now().Add(-time.Minute)}
				return pkitest.Must(ocsp.CreateResponse(s.intermediate.Certificate, s.intermediate.Certificate, response, s.intermediate.Key))
			}, func() []byte {
				if c.listed {
					return listOf(s.intermediate, time.Now(), s.leaf.Certificate.SerialNumber).Raw
				}
				return listOf(s.intermediate, time.Now()).Raw
			})
			s.reissue(func(cert *x509.Certificate) {
				cert.OCSPServer, cert.CRLDistributionPoints = []string{address + "/ocsp"}, []string{"ldap://wangwei-corp.cn/crl", address + "/crl"}
			})
			s.live.Revocation.Ask = c.ask
			results := s.check()
			r := find(t, results, "live-revocation")
			assert.Equal(t, c.status, r.Status, "%+v", r)
			assert.Contains(t, r.Key, c.key)
			assert.Equal(t, c.reason, r.Cause)
			assert.Equal(t, c.asked, asked.Load())
			if c.status == Fail {
				requireOneFailure(t, results, "live-revocation", "cert-revoked", sharedReason+c.key)
			}
		})
	}
}

func TestListsOfFiles(t *testing.T) {
	p := pki()
	serial := p.leaf.SerialNumber
	other := pkitest.NewRoot("Wangwei Other", now).CA("Wangwei Intermediate") // of the same name
	for name, c := range map[string]struct {
		list *x509.RevocationList
		want string
	}{
		"revoked":       {listOf(p.intermediate, now, big.NewInt(5), serial), "fail cert-revocation.revocation-revoked cert-revoked"},
		"good":          {listOf(p.intermediate, now, big.NewInt(5)), ""},
		"old":           {listOf(p.intermediate, now.AddDate(0, 0, -10)), "warn cert-revocation.revocation-stale"},
		"of another":    {listOf(p.other, now, serial), ""},
		"of an equal":   {listOf(other, now, serial), "warn cert-revocation.revocation-forged"},
		"old, and told": {listOf(p.intermediate, now.AddDate(0, 0, -10), serial), "fail cert-revocation.revocation-revoked cert-revoked"},
	} {
		files := filesOf(t, pkitest.PEM(p.leaf, p.intermediate.Certificate), pkitest.KeyPEM(p.key))
		parsed, err := ParseRevocationList([]byte(pkitest.Block("X509 CRL", c.list.Raw)))
		require.NoError(t, err)
		files.Revocation.Lists = []*x509.RevocationList{parsed}
		results := files.Check()
		requireTexts(t, results)
		got := ""
		if list := outcome(results); len(list) > 0 {
			got = list[0]
		}
		assert.Equal(t, c.want, got, name)
		if name == "of another" {
			assert.Equal(t, sharedReason+"revocation-other-list", find(t, results, "cert-revocation").Key)
		}
	}
}

// TestResponderThatCannotBeAsked: it is down, speaks another protocol, or leads elsewhere.
func TestResponderThatCannotBeAsked(t *testing.T) {
	p := pki()
	for name, urls := range map[string][]string{"down": {"http://127.0.0.1:1/"}, "LDAP": {"ldap://wangwei-corp.cn/"}, "with a password": {"http://u:p@127.0.0.1:1/"}, "none": nil} {
		leaf := p.intermediate.Issue(p.key, func(c *x509.Certificate) { c.OCSPServer = urls })
		files := filesOf(t, pkitest.PEM(leaf, p.intermediate.Certificate), pkitest.KeyPEM(p.key))
		files.Revocation.Ask = true
		results := files.Check()
		requireTexts(t, results)
		r := find(t, results, "cert-revocation")
		if urls == nil {
			assert.Equal(t, sharedReason+"revocation-nowhere", r.Key)
			continue
		}
		assert.Equal(t, sharedReason+"revocation-unanswered", r.Key, name)
	}
	alone := filesOf(t, pkitest.PEM(pkitest.NewRoot("Wangwei Unknown", now).Issue(p.key, nil)), pkitest.KeyPEM(p.key))
	alone.Revocation.Ask = true
	results := alone.Check()
	requireTexts(t, results)
	assert.Equal(t, sharedReason+"revocation-no-issuer", find(t, results, "cert-revocation").Key)
}
