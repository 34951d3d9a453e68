package check

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/pkitest"
	"wklog/patterns"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

var pki = sync.OnceValue(func() (p struct {
	root, intermediate, other *pkitest.Authority
	key                       crypto.Signer
	leaf                      *x509.Certificate
}) {
	made := pkitest.New(now)
	p.root, p.intermediate, p.other, p.key = made.Root, made.Intermediate, made.Other, pkitest.Key()
	p.leaf = p.intermediate.Issue(p.key, nil)
	return p
})

// filesOf writes a certificate and a key as a server would have them.
func filesOf(t testing.TB, cert, key string) Certificates {
	dir := t.TempDir()
	roots := x509.NewCertPool()
	roots.AddCert(pki().root.Certificate)
	c := Certificates{
		CertFile: filepath.Join(dir, "fullchain.pem"), KeyFile: filepath.Join(dir, "privkey.pem"),
		Roots: roots, Host: "im.wangwei-corp.cn", UID: -1, GID: -1, Now: now,
	}
	require.NoError(t, os.WriteFile(c.CertFile, []byte(cert), 0o644))
	require.NoError(t, os.WriteFile(c.KeyFile, []byte(key), 0o600))
	return c
}

// outcome lists what did not pass, as "status check cause".
func outcome(results []Result) (list []string) {
	for _, r := range results {
		if r.Status == Warn || r.Status == Fail {
			list = append(list, strings.TrimSpace(string(r.Status)+" "+r.ID+"."+strings.TrimPrefix(r.Key, sharedReason)+" "+r.Cause))
		}
	}
	return list
}

func TestGoodFilesPassEverything(t *testing.T) {
	p := pki()
	rsaKey := pkitest.Must(rsa.GenerateKey(rand.Reader, 2048))
	p384 := pkitest.Must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	for name, c := range map[string]Certificates{
		"ECDSA":       filesOf(t, pkitest.PEM(p.leaf, p.intermediate.Certificate), pkitest.KeyPEM(p.key)),
		"RSA":         filesOf(t, pkitest.PEM(p.intermediate.Issue(rsaKey, nil), p.intermediate.Certificate), pkitest.Block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))),
		"P-384":       filesOf(t, pkitest.PEM(p.intermediate.Issue(p384, nil), p.intermediate.Certificate), pkitest.Block("EC PARAMETERS", []byte{6, 0})+pkitest.Block("EC PRIVATE KEY", pkitest.Must(x509.MarshalECPrivateKey(p384)))),
		"line ends":   filesOf(t, strings.ReplaceAll(pkitest.PEM(p.leaf, p.intermediate.Certificate), "\n", "\r\n"), strings.ReplaceAll(pkitest.KeyPEM(p.key), "\n", "\r\n")),
		"with text":   filesOf(t, "subject=CN = im.wangwei-corp.cn\n"+pkitest.PEM(p.leaf, p.intermediate.Certificate), pkitest.KeyPEM(p.key)),
		"root issued": filesOf(t, pkitest.PEM(p.root.Issue(p.key, nil)), pkitest.KeyPEM(p.key)),
	} {
		results := c.Check()
		requireTexts(t, results)
		assert.Len(t, results, len(certificateChecks))
		for _, r := range results {
			assert.Equal(t, Pass, r.Status, "%s: %s %s", name, r.ID, r.Key)
		}
	}
}

// TestEveryFaultFailsItsCheckAlone makes each fault of the files and looks at
// the whole checklist.
func TestEveryFaultFailsItsCheckAlone(t *testing.T) {
	p := pki()
	chain, key := pkitest.PEM(p.leaf, p.intermediate.Certificate), pkitest.KeyPEM(p.key)
	leaf := func(change func(*x509.Certificate)) string {
		return pkitest.PEM(p.intermediate.Issue(p.key, change), p.intermediate.Certificate)
	}
	withKey := func(k crypto.Signer) (string, string) {
		return pkitest.PEM(p.intermediate.Issue(k, nil), p.intermediate.Certificate), pkitest.KeyPEM(k)
	}
	rsa1024, rsa1024Key := withKey(pkitest.Must(rsa.GenerateKey(rand.Reader, 1024)))
	p521, p521Key := withKey(pkitest.Must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)))
	_, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	ed, edKey := withKey(edPrivate)
	selfSigned := pkitest.SelfSigned(p.key, now, nil)
	expiredCA := p.root.CA("Wangwei Expired Intermediate")
	expiredCA.Certificate = p.root.Issue(expiredCA.Key, func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.DNSNames, c.ExtKeyUsage = "Wangwei Expired Intermediate", true, true, x509.KeyUsageCertSign, nil, nil
		c.NotBefore, c.NotAfter = now.AddDate(-2, 0, 0), now.AddDate(0, 0, -3)
	})
	notCA := &pkitest.Authority{Key: pkitest.Key(), Now: now}
	notCA.Certificate = p.intermediate.Issue(notCA.Key, func(c *x509.Certificate) { c.Subject.CommonName = "Wangwei No Authority" })
	csr := pkitest.Must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, p.key))
	damaged := pkitest.Block("CERTIFICATE", append([]byte{0x30}, p.leaf.Raw[5:]...))
	cases := []struct {
		name, cert, key string
		want            []string
	}{
		{"DER", string(p.leaf.Raw), key, []string{"fail cert-format.form-der cert-not-pem"}},
		{"request", pkitest.Block("CERTIFICATE REQUEST", csr), key, []string{"fail cert-format.form-block cert-not-pem"}},
		{"something of their own", pkitest.Block("WANGWEI DATA", csr), key, []string{"fail cert-format.form-block cert-not-pem"}},
		{"DER request", string(csr), key, []string{"fail cert-format.form-der-csr cert-not-pem"}},
		{"key as certificate", key, key, []string{"fail cert-format.swapped cert-key-swapped"}},
		{"swapped", key, chain, []string{"fail cert-format.swapped cert-key-swapped"}},
		{"certificate as key", chain, chain, []string{"fail key-format.swapped cert-key-swapped"}},
		{"empty", "", key, []string{"fail cert-format.form-empty cert-not-pem"}},
		{"blank", " \n\n", key, []string{"fail cert-format.form-empty cert-not-pem"}},
		{"HTML", "<!DOCTYPE html><html>404</html>", key, []string{"fail cert-format.form-html cert-not-pem"}},
		{"byte order mark", "\ufeff" + chain, key, []string{"fail cert-format.form-bom cert-key-mismatch"}},
		{"byte order mark, one certificate", "\ufeff" + pkitest.PEM(p.leaf), key, []string{"fail cert-format.form-bom cert-not-pem"}},
		{"UTF-16", "\xff\xfe-\x00", key, []string{"fail cert-format.form-utf16 cert-not-pem"}},
		{"Java keystore", "\xfe\xed\xfe\xed\x00\x00\x00\x02", key, []string{"fail cert-format.form-jks cert-not-pem"}},
		{"text", "see the folder certs\n", key, []string{"fail cert-format.form-text cert-not-pem"}},
		{"base64 alone", base64.StdEncoding.EncodeToString(p.leaf.Raw), key, []string{"fail cert-format.form-base64-der cert-not-pem"}},
		{"binary", "\x00\x01\x02", key, []string{"fail cert-format.form-binary cert-not-pem"}},
		{"line ends lost", strings.ReplaceAll(chain, "\n", " "), key, []string{"fail cert-format.form-joined cert-not-pem"}},
		{"line ends as text", strings.ReplaceAll(chain, "\n", `\n`), key, []string{"fail cert-format.form-escaped cert-not-pem"}},
		{"cut", chain[:len(chain)/4], key, []string{"fail cert-format.form-broken cert-not-pem"}},
		{"intermediate cut", chain[:len(chain)-80], key, []string{"fail cert-format.cut chain-incomplete"}},
		{"damaged", damaged, key, []string{"fail cert-format.malformed cert-malformed"}},
		{"intermediate damaged", pkitest.PEM(p.leaf) + damaged, key, []string{"fail cert-format.malformed cert-malformed"}},
		{"garbage behind", chain + "garbage\n", key, []string{"warn cert-format.trailing"}},

		{"no key", chain, "", []string{"fail key-format.form-empty cert-not-pem"}},
		{"DER key", chain, string(pkitest.Must(x509.MarshalPKCS8PrivateKey(p.key))), []string{"fail key-format.form-der-key cert-not-pem"}},
		{"public key", chain, pkitest.Block("PUBLIC KEY", pkitest.Must(x509.MarshalPKIXPublicKey(p.key.Public()))), []string{"fail key-format.form-block cert-not-pem"}},
		{"encrypted key", chain, pkitest.Block("ENCRYPTED PRIVATE KEY", []byte{0x30, 0}), []string{"fail key-format.encrypted key-unsupported"}},
		{"OpenSSH key", chain, pkitest.Block("OPENSSH PRIVATE KEY", []byte("openssh-key-v1\x00")), []string{"fail key-format.kind key-unsupported"}},
		{"damaged key", chain, pkitest.Block("PRIVATE KEY", []byte{0x30, 3, 1, 2, 3}), []string{"fail key-format.malformed cert-malformed"}},
		{"indented key", chain, "  " + strings.ReplaceAll(key, "\n", "\n  "), []string{"fail key-format.form-indented cert-not-pem"}},
		{"key cut", chain, key[:len(key)/2], []string{"fail key-format.form-broken cert-not-pem"}},
		{"key with byte order mark", chain, "\ufeff" + key, []string{"fail key-format.form-bom cert-not-pem"}},
		{"key of another", chain, pkitest.KeyPEM(pkitest.Key()), []string{"fail key-match.other cert-key-mismatch"}},

		{"leaf last", pkitest.PEM(p.intermediate.Certificate, p.leaf), key, []string{"fail chain-order.leaf cert-key-mismatch"}},
		{"out of order", pkitest.PEM(p.leaf, p.root.Certificate, p.intermediate.Certificate), key, []string{"warn chain-order.order chain-incomplete", "warn chain-root.superfluous"}},
		{"stranger in the file", pkitest.PEM(p.leaf, p.other.CA("Wangwei Stranger").Certificate, p.intermediate.Certificate), key, []string{"warn chain-order.order chain-incomplete"}},
		{"no intermediate", pkitest.PEM(p.leaf), key, []string{"fail chain-complete.missing-at chain-incomplete"}},
		{"no intermediate, no address", pkitest.PEM(p.intermediate.Issue(p.key, func(c *x509.Certificate) { c.IssuingCertificateURL = nil })), key, []string{"fail chain-complete.missing chain-incomplete"}},
		{"wrong intermediate", pkitest.PEM(p.leaf, p.root.CA("Wangwei Intermediate").Certificate), key, []string{"warn chain-order.order chain-incomplete", "fail chain-complete.missing-at chain-incomplete"}},
		{"root in the file", pkitest.PEM(p.leaf, p.intermediate.Certificate, p.root.Certificate), key, []string{"warn chain-root.superfluous"}},
		{"self-signed", pkitest.PEM(selfSigned), key, []string{"fail cert-trust.self-signed untrusted-ca"}},
		{"private CA with root", pkitest.PEM(p.other.Issue(p.key, nil), p.other.Certificate), key, []string{"warn chain-root.superfluous", "fail cert-trust.unknown untrusted-ca"}},
		{"issuer is no CA", pkitest.PEM(notCA.Issue(p.key, nil), notCA.Certificate, p.intermediate.Certificate), key, []string{"fail cert-trust.invalid untrusted-ca"}},

		{"expired", leaf(func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, 0, -1) }), key, []string{"fail cert-dates.expired cert-expired"}},
		{"not yet valid", leaf(func(c *x509.Certificate) { c.NotBefore = now.AddDate(0, 0, 1) }), key, []string{"fail cert-dates.future cert-not-yet-valid"}},
		{"intermediate expired", pkitest.PEM(expiredCA.Issue(p.key, nil), expiredCA.Certificate), key, []string{"fail cert-dates.expired cert-expired"}},
		{"expires soon", leaf(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, -61), now.AddDate(0, 0, 29) }), key, []string{"warn cert-dates.soon cert-expired"}},
		{"valid for ten years", leaf(func(c *x509.Certificate) { c.NotAfter = now.AddDate(10, 0, 0); c.NotBefore = now.AddDate(0, -1, 0) }), key, []string{"warn cert-lifetime.long cert-unsupported"}},

		{"no SAN", leaf(func(c *x509.Certificate) { c.DNSNames = nil }), key, []string{"fail cert-names.none hostname-mismatch"}},
		{"another name", leaf(func(c *x509.Certificate) { c.DNSNames = []string{"www.wangwei-corp.cn"} }), key, []string{"fail cert-names.other hostname-mismatch"}},
		{"wildcard above", leaf(func(c *x509.Certificate) { c.DNSNames = []string{"*.im.wangwei-corp.cn"} }), key, []string{"fail cert-names.wildcard hostname-mismatch"}},
		{"wildcard too deep", leaf(func(c *x509.Certificate) { c.DNSNames = []string{"*.cn", "*.wangwei-corp.org"} }), key, []string{"fail cert-names.wildcard hostname-mismatch"}},
		{"for clients", leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), key, []string{"fail cert-usage.extended cert-unsupported"}},
		{"for encryption", leaf(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), key, []string{"fail cert-usage.signature cert-unsupported"}},
		{"RSA 1024", rsa1024, rsa1024Key, []string{"fail cert-algorithm.rsa cert-unsupported"}},
		{"P-521", p521, p521Key, []string{"fail cert-algorithm.curve cert-unsupported"}},
		{"Ed25519", ed, edKey, []string{"fail cert-algorithm.curve cert-unsupported"}},
		{"must-staple", leaf(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: tlsFeature, Value: pkitest.Must(asn1.Marshal([]int{5}))}}
		}), key, []string{"warn cert-staple.must cert-unsupported"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			results := filesOf(t, c.cert, c.key).Check()
			requireTexts(t, results)
			assert.Equal(t, c.want, outcome(results))
			requireNoKey(t, results, p.key)
		})
	}
}

// requireNoKey looks for any piece of the key in what is printed.
func requireNoKey(t *testing.T, results []Result, key any) {
	secret := base64.StdEncoding.EncodeToString(pkitest.Must(x509.MarshalPKCS8PrivateKey(key)))
	say, err := messages.In(patterns.English)
	require.NoError(t, err)
	for _, r := range results {
		for at := 0; at+16 <= len(secret); at += 8 {
			require.NotContains(t, r.Detail(say), secret[at:at+16])
		}
	}
}

// TestCertificateThatIsNeverValidPassesNoOtherCheck: no chain and no length can be judged
// of a certificate that ends before it begins.
func TestCertificateThatIsNeverValidPassesNoOtherCheck(t *testing.T) {
	p := pki()
	never := p.intermediate.Issue(p.key, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(0, 0, -200), time.Now().AddDate(0, 0, -300)
	})
	results := filesOf(t, pkitest.PEM(never), pkitest.KeyPEM(p.key)).Check()
	requireTexts(t, results)
	assert.Equal(t, []string{"fail cert-dates.expired cert-expired"}, outcome(results))
	for _, r := range results {
		if slices.Contains([]string{"chain-complete", "cert-trust", "cert-lifetime"}, r.ID) {
			assert.Equal(t, Skip, r.Status, r.ID)
		}
	}
}

func TestSignatureByWeakHash(t *testing.T) {
	weak := *pki().leaf
	weak.SignatureAlgorithm = x509.SHA1WithRSA // Go does not make one
	r, is := weakness(&weak, true)
	require.True(t, is)
	requireTexts(t, []Result{r.of("cert-algorithm", SomeClients), r.of("live-trust", AllClients)})
	assert.Equal(t, "signature", r.Key)
	assert.Equal(t, "cert-unsupported", r.Cause)
}

func TestAddressesAreNames(t *testing.T) {
	p := pki()
	c := filesOf(t, pkitest.PEM(p.intermediate.Issue(p.key, func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = []string{"im.wangwei-corp.cn"}, []net.IP{net.ParseIP("203.0.113.7"), net.ParseIP("2001:db8::7")}
	}), p.intermediate.Certificate), pkitest.KeyPEM(p.key))
	for host, want := range map[string][]string{
		"203.0.113.7": nil, "2001:db8::7": nil, "": nil, "203.0.113.8": {"fail cert-names.address hostname-mismatch"},
		"IM.wangwei-corp.cn": nil, "a.chat.wangwei-corp.cn": {"fail cert-names.other hostname-mismatch"},
	} {
		c.Host = host
		results := c.Check()
		requireTexts(t, results)
		assert.Equal(t, want, outcome(results), host)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	p := pki()
	for name, c := range map[string]struct {
		break_ func(t *testing.T, c *Certificates)
		want   []string
	}{
		"missing":      {func(t *testing.T, c *Certificates) { require.NoError(t, os.Remove(c.CertFile)) }, []string{"fail cert-file.file-missing cert-file-missing"}},
		"key missing":  {func(t *testing.T, c *Certificates) { require.NoError(t, os.Remove(c.KeyFile)) }, []string{"fail key-file.file-missing cert-file-missing"}},
		"below a file": {func(_ *testing.T, c *Certificates) { c.CertFile = filepath.Join(c.KeyFile, "x.pem") }, []string{"fail cert-file.file-missing cert-file-missing"}},
		"dangling link": {func(t *testing.T, c *Certificates) {
			require.NoError(t, os.Remove(c.CertFile))
			require.NoError(t, os.Symlink("../../archive/fullchain1.pem", c.CertFile))
		}, []string{"fail cert-file.file-missing cert-file-missing"}},
		"folder": {func(t *testing.T, c *Certificates) {
			require.NoError(t, os.Remove(c.CertFile))
			require.NoError(t, os.Mkdir(c.CertFile, 0o755))
		}, []string{"fail cert-file.file-folder cert-file-missing"}},
		"pipe": {func(t *testing.T, c *Certificates) {
			require.NoError(t, os.Remove(c.KeyFile))
			pipe(t, c.KeyFile)
		}, []string{"fail key-file.file-special cert-file-missing"}},
		"large":              {func(t *testing.T, c *Certificates) { require.NoError(t, os.Truncate(c.CertFile, 1<<40)) }, []string{"fail cert-file.file-large cert-not-pem"}},
		"not for the server": {func(_ *testing.T, c *Certificates) { c.UID, c.GID = 4711, 4711 }, []string{"fail key-file.file-unreadable cert-file-unreadable"}},
		"folder not for the server": {func(t *testing.T, c *Certificates) {
			require.NoError(t, os.Chmod(c.KeyFile, 0o644))
			dir := filepath.Join(filepath.Dir(c.CertFile), "live")
			require.NoError(t, os.Mkdir(dir, 0o700))
			require.NoError(t, os.Rename(c.CertFile, filepath.Join(dir, "fullchain.pem")))
			c.CertFile = filepath.Join(dir, "fullchain.pem")
			c.UID, c.GID = 4711, 4711
		}, []string{"fail cert-file.file-unreadable cert-file-unreadable", "warn key-mode.open"}},
		"key open to all": {func(t *testing.T, c *Certificates) { require.NoError(t, os.Chmod(c.KeyFile, 0o644)) }, []string{"warn key-mode.open"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := filesOf(t, pkitest.PEM(p.leaf, p.intermediate.Certificate), pkitest.KeyPEM(p.key))
			files.Mounts = []string{filepath.Dir(files.CertFile)}
			require.NoError(t, os.Chmod(filepath.Dir(files.CertFile), 0o755))
			c.break_(t, &files)
			results := files.Check()
			requireTexts(t, results)
			assert.Equal(t, c.want, outcome(results))
		})
	}
}

// openssl converts files as a user would; without the program the test is
// skipped.
func openssl(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command("openssl", args...)
	out, err := c.Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("openssl is not installed")
	}
	require.NoError(t, err)
	return string(out)
}

func TestFilesOfOtherFormsAreNamed(t *testing.T) {
	p := pki()
	good := filesOf(t, pkitest.PEM(p.leaf, p.intermediate.Certificate), pkitest.KeyPEM(p.key))
	for name, c := range map[string]struct{ cert, key, want string }{
		"PKCS #12":                   {cert: openssl(t, "pkcs12", "-export", "-in", good.CertFile, "-inkey", good.KeyFile, "-passout", "pass:x"), want: "fail cert-format.form-pkcs12 cert-not-pem"},
		"PKCS #7":                    {cert: openssl(t, "crl2pkcs7", "-nocrl", "-certfile", good.CertFile, "-outform", "DER"), want: "fail cert-format.form-pkcs7 cert-not-pem"},
		"PKCS #7, PEM":               {cert: openssl(t, "crl2pkcs7", "-nocrl", "-certfile", good.CertFile), want: "fail cert-format.form-block cert-not-pem"},
		"PKCS #12 key":               {key: openssl(t, "pkcs12", "-export", "-in", good.CertFile, "-inkey", good.KeyFile, "-passout", "pass:x"), want: "fail key-format.form-pkcs12 cert-not-pem"},
		"encrypted key":              {key: openssl(t, "pkcs8", "-topk8", "-in", good.KeyFile, "-v2", "aes256", "-passout", "pass:x"), want: "fail key-format.encrypted key-unsupported"},
		"encrypted in the older way": {key: openssl(t, "ec", "-in", good.KeyFile, "-aes256", "-passout", "pass:x"), want: "fail key-format.encrypted key-unsupported"},
		"DSA key":                    {key: openssl(t, "dsaparam", "-genkey", "-noout", "1024"), want: "fail key-format.kind key-unsupported"},
		"secp256k1 key":              {key: openssl(t, "ecparam", "-name", "secp256k1", "-genkey", "-noout"), want: "fail key-format.foreign key-unsupported"},
		"as text":                    {cert: openssl(t, "x509", "-in", good.CertFile, "-text", "-noout"), want: "fail cert-format.form-text cert-not-pem"},
		"trusted":                    {cert: openssl(t, "x509", "-in", good.CertFile, "-trustout"), want: "fail cert-format.form-trusted cert-not-pem"},
	} {
		cert, key := c.cert, c.key
		if cert == "" {
			cert = pkitest.PEM(p.leaf, p.intermediate.Certificate)
		}
		if key == "" {
			key = pkitest.KeyPEM(p.key)
		}
		results := filesOf(t, cert, key).Check()
		requireTexts(t, results)
		assert.Equal(t, []string{c.want}, outcome(results), name)
	}
}
