package check

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/pkitest"
	"wklog/patterns"
)

// public makes a pool pass for that of the public authorities.
func public(t *testing.T, pool *x509.CertPool) {
	before := mozillaRoots
	mozillaRoots = func() *x509.CertPool { return pool }
	t.Cleanup(func() { mozillaRoots = before })
}

// TestPublicCertificatesMayLiveForWhatWasAllowedWhenTheyWereIssued counts the last
// second, as the authorities do.
func TestPublicCertificatesMayLiveForWhatWasAllowedWhenTheyWereIssued(t *testing.T) {
	p := pki()
	pool := x509.NewCertPool()
	pool.AddCert(p.root.Certificate)
	date := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	for _, c := range []struct {
		issued time.Time
		days   int
		public bool
		want   string
	}{
		{date(2026, 3, 14), 398, true, "short"},
		{date(2026, 3, 14), 399, true, "long-public"},
		{date(2026, 3, 15), 200, true, "short"},
		{date(2026, 3, 15), 201, true, "long-public"},
		{date(2027, 3, 15), 101, true, "long-public"},
		{date(2029, 3, 15), 47, true, "short"},
		{date(2029, 3, 15), 48, true, "long-public"},
		{date(2029, 3, 15), 825, false, "short"},
		{date(2029, 3, 15), 900, false, "long"},
		{date(2020, 8, 31), 825, true, "short"},
	} {
		public(t, x509.NewCertPool())
		if c.public {
			public(t, pool)
		}
		leaf := p.intermediate.Issue(p.key, func(cert *x509.Certificate) {
			cert.NotBefore, cert.NotAfter = c.issued, c.issued.AddDate(0, 0, c.days).Add(-time.Second)
		})
		r := lifetime([]*x509.Certificate{leaf, p.intermediate.Certificate})
		requireTexts(t, []Result{r.of("cert-lifetime", ""), r.of("live-lifetime", "")})
		assert.Equal(t, c.want, r.Key, "%s, %d days", c.issued, c.days)
	}
}

func TestLongLifetimeIsSeenAtTheEndpoint(t *testing.T) {
	s := newSite(t)
	s.reissue(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(10, 0, 0) })
	results := s.check()
	assert.Equal(t, []string{"live-lifetime", "live-clients"}, byStatus(results, Warn), "%+v", results)
}

func TestWildcardForATopLevelDomainIsNotTakenByAll(t *testing.T) {
	for _, c := range []struct {
		names []string
		host  string
		want  string
	}{
		{[]string{"*.wangwei-corp"}, "im.wangwei-corp", "top"},
		{[]string{"*.wangwei-corp."}, "im.wangwei-corp", "other"},
		{[]string{"*.wangwei-corp", "im.wangwei-corp"}, "im.wangwei-corp", "covered"},
		{[]string{"*.wangwei-corp.cn"}, "im.wangwei-corp.cn", "covered"},
		{[]string{"*.wangwei-corp"}, "other.org", "other"},
	} {
		leaf := pki().intermediate.Issue(pki().key, func(cert *x509.Certificate) { cert.DNSNames = c.names })
		r := names(leaf, c.host)
		assert.Equal(t, c.want, r.Key, "%v", c.names)
		requireTexts(t, []Result{r.of("cert-names", AllClients), r.of("live-names", AllClients)})
		if c.want == "top" {
			assert.Equal(t, SomeClients, r.Breaks, "Go's clients take it")
		}
	}
}

// TestRevocationIsSeenInAnAnswerThatHoldsTheIssuer, as OpenSSL's responder makes it.
func TestRevocationIsSeenInAnAnswerThatHoldsTheIssuer(t *testing.T) {
	revoked := func(r *ocsp.Response) { r.Status, r.RevokedAt = ocsp.Revoked, time.Now().Add(-aDay) }
	s := newSite(t)
	s.stapled(func(r *ocsp.Response) {
		revoked(r)
		r.Certificate = s.intermediate.Certificate
	})
	requireOneFailure(t, s.check(), "live-ocsp", "cert-revoked", "revoked")

	s = newSite(t)
	other := issue(s.root, nil, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true })
	response := ocsp.Response{Status: ocsp.Revoked, SerialNumber: s.leaf.Certificate.SerialNumber, ThisUpdate: time.Now(), NextUpdate: time.Now().Add(aDay), Certificate: other.Certificate}
	staple, err := ocsp.CreateResponse(other.Certificate, other.Certificate, response, other.Key)
	require.NoError(t, err)
	s.staple = staple
	results := s.check()
	assert.Empty(t, byStatus(results, Fail))
	assert.Equal(t, "unusable", find(t, results, "live-ocsp").Key, "signed by somebody else")
}

func TestRootsAreReadInEveryForm(t *testing.T) {
	root, other := pki().root.Certificate, pki().other.Certificate
	want := x509.NewCertPool()
	want.AddCert(root)
	want.AddCert(other)
	write := func(dir, name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	dir := t.TempDir()
	folder := filepath.Join(dir, "folder")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "sub"), 0o755))
	write(folder, "a.crt", string(root.Raw))
	write(folder, "b.pem", pkitest.PEM(other))
	write(folder, "README", "text")
	for name, path := range map[string]string{
		"PEM":    write(dir, "roots.pem", pkitest.PEM(root)+"text\n"+pkitest.PEM(other)),
		"DER":    write(dir, "roots.der", string(root.Raw)+string(other.Raw)),
		"folder": folder,
	} {
		pool, err := Roots(path)
		require.NoError(t, err, name)
		assert.True(t, want.Equal(pool), name)
	}
	for name, path := range map[string]string{"text": write(dir, "text", "no certificate"), "empty": write(dir, "empty", ""), "key": write(dir, "key", pkitest.KeyPEM(pki().key))} {
		pool, err := Roots(path)
		require.NoError(t, err, name)
		assert.Nil(t, pool, name)
	}
	_, err := Roots(filepath.Join(dir, "nothing"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// TestMistakesInYAMLAreSaidInBothLanguages, at the line of the mistake: the library
// often names the next one.
func TestMistakesInYAMLAreSaidInBothLanguages(t *testing.T) {
	for _, c := range []struct{ name, text, key, line string }{
		{"tab", "external:\n\twssAddr: wss://im.wangwei-corp.cn:5210\n", "tabs", "2"},
		{"full-width colon", "mode: release\nwssAddr：wss://0.0.0.0:5210\nlogger: {}\n", "full-width", "2"},
		{"Chinese quotes", "external: [\nwssAddr: “wss://im.wangwei-corp.cn:5210”\n", "full-width", "2"},
		{"bracket", "mode: release\nwssConfig: {certFile: /c.pem\n", "yaml", ""},
		{"quote", "mode: \"release\nwssAddr: x\n", "yaml", ""},
	} {
		_, err := load(t, "wk.yaml", c.text)
		require.Error(t, err, c.name)
		for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
			say, sayErr := messages.In(lang)
			require.NoError(t, sayErr)
			reason := Reason(err, say)
			assert.Contains(t, reason, say.Say("check.error."+c.key), c.name)
			assert.Contains(t, reason, c.line, c.name)
			assert.NotContains(t, reason, "wangwei")
		}
	}
}
