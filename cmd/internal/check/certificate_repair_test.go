package check

import (
	"bytes"
	"compress/gzip"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
)

// arrived reads a file as it arrived at somebody's.
func arrived(t testing.TB, name string) string {
	data, err := os.ReadFile(filepath.Join("testdata", "files", name))
	require.NoError(t, err)
	return string(data)
}

// filesOfOthers are the good pair of testdata/files, with what else the checks need.
func filesOfOthers(t testing.TB, cert, key string) Certificates {
	c := filesOf(t, cert, key)
	c.Host, c.Now, c.Roots = "im.zoo.test", time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), x509.NewCertPool()
	return c
}

func utf16Of(text string, big bool, mark bool) string {
	var out []byte
	if mark {
		text = "\ufeff" + text
	}
	for _, unit := range utf16.Encode([]rune(text)) {
		low, high := byte(unit), byte(unit>>8)
		if big {
			low, high = high, low
		}
		out = append(out, low, high)
	}
	return string(out)
}

func gzipOf(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write([]byte(text))
	w.Close()
	return out.String()
}

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func eachLine(text, prefix string) string {
	return prefix + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+prefix) + "\n"
}

// derOf is the first block of a PEM file.
func derOf(text string) string {
	block, _ := pem.Decode([]byte(text))
	return string(block.Bytes)
}

// damagedFile is a form in which a certificate or a key arrived.
type damagedFile struct {
	name, cert, key string // an empty one is in order
	want            string // the key of the result
	cause           string
	needs           string // a program that the command starts, and that a machine may lack
	left            string // what the mended pair still lacks, empty for nothing
}

func damagedFiles(t *testing.T) []damagedFile {
	cert, key := arrived(t, "ok.pem"), arrived(t, "ok.key")
	leaf := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(derOf(cert))}))
	issuer := strings.TrimPrefix(cert, leaf)
	quoted := func(text string) string { return string(pkitest.Must(json.Marshal(text))) }
	const format, keyed = "cert-not-pem", "cert-malformed"
	return []damagedFile{
		{name: "b64der.pem", cert: arrived(t, "b64der.pem"), want: "form-base64-der", cause: format, left: "chain-complete"},
		{name: "cr.pem", cert: arrived(t, "cr.pem"), want: "form-cr", cause: format},
		{name: "emdash.pem", cert: arrived(t, "emdash.pem"), want: "form-dashes", cause: format},
		{name: "fulldash.pem", cert: arrived(t, "fulldash.pem"), want: "form-dashes", cause: format},
		{name: "indent.pem", cert: arrived(t, "indent.pem"), want: "form-indented", cause: format},
		{name: "joinedkey.key", key: arrived(t, "joinedkey.key"), want: "form-joined", cause: format},
		{name: "k8ssecret.pem", cert: arrived(t, "k8ssecret.pem"), want: "form-secret", cause: format},
		{name: "quotedkey.key", key: arrived(t, "quotedkey.key"), want: "form-quoted", cause: format},
		{name: "trusted.pem", cert: arrived(t, "trusted.pem"), want: "form-trusted", cause: format},
		{name: "utf16nobom.pem", cert: arrived(t, "utf16nobom.pem"), want: "form-utf16-bare", cause: format},
		{name: "zwsp.pem", cert: arrived(t, "zwsp.pem"), want: "form-invisible", cause: keyed},

		{name: "UTF-16", cert: utf16Of(cert, false, true), want: "form-utf16", cause: format},
		{name: "UTF-16, the other order", cert: utf16Of(cert, true, true), want: "form-utf16", cause: format},
		{name: "UTF-16 key without mark", key: utf16Of(key, true, false), want: "form-utf16-bare", cause: format},
		{name: "byte order mark", cert: "\ufeff" + cert, want: "form-bom", cause: "cert-key-mismatch"},
		{name: "key with byte order mark", key: "\ufeff" + key, want: "form-bom", cause: format},
		{name: "gzip", cert: gzipOf(cert), want: "form-gzip", cause: format},
		{name: "gzip key", key: gzipOf(key), want: "form-gzip", cause: format},
		{name: "zero bytes", cert: "\x00\x00" + cert, want: "form-nul", cause: keyed},
		{name: `\n`, cert: strings.ReplaceAll(cert, "\n", `\n`), want: "form-escaped", cause: format},
		{name: `\r\n in a key`, key: strings.ReplaceAll(key, "\n", `\r\n`), want: "form-escaped", cause: format},
		{name: `\\n`, cert: strings.ReplaceAll(cert, "\n", `\\n`), want: "form-escaped", cause: format},
		{name: "JSON string", cert: quoted(cert), want: "form-escaped", cause: format},
		{name: "JSON object", cert: `{"code":0,"data":{"cert":` + quoted(cert) + `}}`, want: "form-escaped", cause: format},
		{name: "key in a variable", key: "TLS_KEY=" + quoted(key), want: "form-escaped", cause: format},
		{name: "one line", cert: strings.ReplaceAll(cert, "\n", " "), want: "form-joined", cause: format},
		{name: "one line without blanks", cert: strings.ReplaceAll(cert, "\n", ""), want: "form-joined", cause: format},
		{name: "key in one line", key: strings.ReplaceAll(key, "\n", " "), want: "form-joined", cause: format},
		{name: "two blocks joined", cert: strings.TrimSuffix(leaf, "\n") + issuer, want: "form-joined", cause: format},
		{name: "certificate after key", cert: strings.TrimSuffix(key, "\n") + cert, want: "form-joined", cause: keyed},
		{name: "tabs", cert: eachLine(cert, "\t"), want: "form-indented", cause: format},
		{name: "stringData", cert: "kind: Secret\nstringData:\n  tls.crt: |\n" + eachLine(cert, "    "), want: "form-indented", cause: format},
		{name: "mail", cert: eachLine(cert, "> "), want: "form-prefixed", cause: format},
		{name: "diff", cert: eachLine(cert, "+"), want: "form-prefixed", cause: format},
		{name: "comment", key: eachLine(key, "# "), want: "form-prefixed", cause: format},
		{name: "box", cert: eachLine(cert, "| "), want: "form-prefixed", cause: format},
		{name: "four dashes", cert: strings.ReplaceAll(cert, "-----", "----"), want: "form-dashes", cause: format},
		{name: "one dash missing", cert: strings.Replace(cert, "END CERTIFICATE-----", "END CERTIFICATE----", 1), want: "form-dashes", cause: keyed},
		{name: "lower case", cert: strings.NewReplacer("BEGIN CERTIFICATE", "begin certificate", "END CERTIFICATE", "end certificate").Replace(cert), want: "form-dashes", cause: format},
		{name: "full-width letters", cert: strings.NewReplacer("BEGIN CERTIFICATE", "ＢＥＧＩＮ　ＣＥＲＴＩＦＩＣＡＴＥ", "END CERTIFICATE", "ＥＮＤ　ＣＥＲＴＩＦＩＣＡＴＥ", "-", "－").Replace(cert), want: "form-fullwidth", cause: format},
		{name: "no-break spaces", cert: strings.ReplaceAll(cert, "\n", "\u00a0\n"), want: "form-invisible", cause: format},
		{name: "Chinese quotes", key: "“" + strings.TrimSuffix(key, "\n") + "”", want: "form-quoted", cause: format},
		{name: "no first line", cert: strings.TrimPrefix(cert, "-----BEGIN CERTIFICATE-----\n"), want: "form-headless", cause: keyed},
		{name: "no last line", cert: strings.TrimSuffix(cert, "-----END CERTIFICATE-----\n"), want: "form-tailless", cause: "chain-incomplete"},
		{name: "older label", cert: strings.ReplaceAll(cert, " CERTIFICATE-", " X509 CERTIFICATE-"), want: "form-label", cause: format},
		{name: "encoded twice", cert: base64Of(cert), want: "form-base64", cause: format},
		{name: "encoded three times", cert: base64Of(base64Of(cert)), want: "form-base64", cause: format},
		{name: "encoded twice, in lines", key: openssl(t, "base64", "-in", "testdata/files/ok.key"), want: "form-base64", cause: format},
		{name: "key without header", key: base64Of(derOf(key)), want: "form-base64-der-key", cause: format},
		{name: "Secret in JSON", key: `{"kind":"Secret","data":{"tls.crt":"` + base64Of(cert) + `","tls.key":"` + base64Of(key) + `"}}`, want: "form-secret", cause: format},
		{name: "acme.json", cert: `{"le":{"Certificates":[{"domain":{"main":"other.zoo.test"},"certificate":"` + base64Of(pkitest.PEM(pki().leaf)) + `","key":""},` +
			`{"domain":{"main":"im.zoo.test"},"certificate":"` + base64Of(cert) + `","key":"` + base64Of(key) + `"}]}}`, want: "form-acme", cause: format},
		{name: "variable in Base64", cert: "WK_CERT=" + base64Of(cert) + "\n", want: "form-field", cause: format},
		{name: "indented and quoted with \\n", cert: "  cert: " + quoted(eachLine(cert, "  ")), want: "form-escaped", cause: format},

		{name: "DER", cert: derOf(cert), want: "form-der", cause: format, left: "chain-complete"},
		{name: "DER key", key: derOf(key), want: "form-der-key", cause: format},
		{name: "PKCS #7", cert: openssl(t, "crl2pkcs7", "-nocrl", "-certfile", "testdata/files/ok.pem", "-outform", "DER"), want: "form-pkcs7", cause: format},
		{name: "PKCS #7 in PEM", cert: openssl(t, "crl2pkcs7", "-nocrl", "-certfile", "testdata/files/ok.pem"), want: "form-block", cause: format},
		{name: "OpenSSH", key: openSSHKey(t), want: "kind", cause: "key-unsupported", needs: "ssh-keygen"},
		{name: "PuTTY", key: puttyKey(t), want: "form-putty", cause: format, needs: "puttygen"},
	}
}

func openSSHKey(t testing.TB) string {
	file := filepath.Join(t.TempDir(), "id")
	require.NoError(t, os.WriteFile(file, []byte(arrived(t, "ok.key")), 0o600))
	if err := exec.Command("ssh-keygen", "-p", "-N", "", "-f", file).Run(); err != nil {
		return "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
	}
	return string(pkitest.Must(os.ReadFile(file)))
}

func puttyKey(t testing.TB) string {
	block, _ := pem.Decode([]byte(arrived(t, "ok.key")))
	key, err := parseKey(block.Bytes)
	require.NoError(t, err)
	older := filepath.Join(t.TempDir(), "key.pem") // PuTTY reads no PKCS #8
	require.NoError(t, os.WriteFile(older, []byte(pkitest.Block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey)))), 0o600))
	out, err := exec.Command("puttygen", older, "-O", "private", "-o", "/dev/stdout").Output()
	if err != nil {
		return "PuTTY-User-Key-File-3: ssh-rsa\n"
	}
	return string(out)
}

// TestEveryFormIsNamedAndItsCommandMendsIt runs the command as the user would, and
// loads what comes out as the server does.
func TestEveryFormIsNamedAndItsCommandMendsIt(t *testing.T) {
	for _, c := range damagedFiles(t) {
		t.Run(c.name, func(t *testing.T) {
			cert, key, id := c.cert, c.key, "cert-format"
			if cert == "" {
				cert = arrived(t, "ok.pem")
			}
			if key == "" {
				key = arrived(t, "ok.key")
			} else {
				id = "key-format"
			}
			files := filesOfOthers(t, cert, key)
			results := files.Check()
			requireTexts(t, results)
			r := find(t, results, id)
			require.Equal(t, Fail, r.Status, "%+v", r)
			assert.Equal(t, c.want, strings.TrimPrefix(r.Key, sharedReason))
			assert.Equal(t, c.cause, r.Cause)
			require.True(t, r.Instead, "the command stands in place of what the cause says in general")
			if _, err := exec.LookPath(c.needs); c.needs != "" && err != nil {
				t.Skip(c.needs + " is not installed")
			}
			runSteps(t, r.Fixes[:2])
			pair, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
			require.NoError(t, err)
			assert.Equal(t, "im.zoo.test", pair.Leaf.Subject.CommonName)
			info, err := os.Stat(mendedCopy(files.KeyFile))
			if err == nil {
				assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "the copy of a key is kept from others")
			}
			mended := files.Check()
			if c.left == "" {
				assert.NotEqual(t, Fail, find(t, mended, "cert-format").Status, "%+v", find(t, mended, "cert-format"))
				assert.Equal(t, Pass, find(t, mended, "chain-order").Status)
				assert.Len(t, pair.Certificate, 2)
			}
		})
	}
}

// runSteps runs the commands of a fix as a user would type them.
func runSteps(t *testing.T, steps []Step) {
	t.Helper()
	for _, s := range steps {
		command := exec.Command("bash", "-c", "set -o pipefail; "+s.CommandLine())
		command.Dir = t.TempDir()
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s\n%s", s.CommandLine(), out)
	}
}

// TestOtherFilesAreNamed has those that no command turns into a certificate.
func TestOtherFilesAreNamed(t *testing.T) {
	good, key := arrived(t, "ok.pem"), arrived(t, "ok.key")
	for name, c := range map[string]struct{ cert, key, want string }{
		"pgp.pem":           {arrived(t, "pgp.pem"), key, "fail cert-format.form-block cert-not-pem"},
		"sshpub.key":        {good, arrived(t, "sshpub.key"), "fail key-format.form-ssh-public cert-not-pem"},
		"badb64.pem":        {arrived(t, "badb64.pem"), key, "fail cert-format.first-damaged cert-malformed"},
		"second damaged":    {strings.Replace(good, "\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nMII", "\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nM!I", 1) + good, key, "fail cert-format.damaged chain-incomplete"},
		"gitconflict.pem":   {arrived(t, "gitconflict.pem"), key, "warn cert-format.form-conflict"},
		"sm2.pem":           {arrived(t, "sm2.pem"), arrived(t, "sm2.key"), "fail cert-format.sm2 cert-unsupported"},
		"git-lfs":           {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 2400\n", key, "fail cert-format.form-lfs cert-not-pem"},
		"zip":               {"PK\x03\x04\x14\x00", key, "fail cert-format.form-zip cert-not-pem"},
		"JSON of a refusal": {`{"code":403,"msg":"forbidden"}`, key, "fail cert-format.form-json cert-not-pem"},
		"path":              {"../../archive/im.wangwei-corp.cn/fullchain1.pem", key, "fail cert-format.form-path cert-not-pem"},
		"Windows path":      {`C:\certs\fullchain.pem`, key, "fail cert-format.form-path cert-not-pem"},
		"text":              {"the certificate is with Mr Wang", key, "fail cert-format.form-text cert-not-pem"},
	} {
		results := filesOfOthers(t, c.cert, c.key).Check()
		requireTexts(t, results)
		assert.Equal(t, c.want, outcome(results)[0], name)
	}
}

// TestConflictIsSolvedForTheSideOfTheKey takes the version that the key belongs to.
func TestConflictIsSolvedForTheSideOfTheKey(t *testing.T) {
	p := pki()
	good, key := arrived(t, "ok.pem"), arrived(t, "ok.key")
	for name, text := range map[string]string{
		"ours":   "<<<<<<< HEAD\n" + good + "=======\n" + pkitest.PEM(p.leaf) + ">>>>>>> renewal\n",
		"theirs": "<<<<<<< HEAD\n" + pkitest.PEM(p.leaf) + "=======\n" + good + ">>>>>>> renewal\n",
	} {
		files := filesOfOthers(t, text, key)
		r := find(t, files.Check(), "cert-format")
		assert.Equal(t, sharedReason+"form-conflict", r.Key)
		runSteps(t, r.Fixes[:2])
		mended, err := os.ReadFile(files.CertFile)
		require.NoError(t, err)
		assert.Equal(t, good, string(mended), name)
	}
}

// TestKeysThatGoDoesNotSpeakAreNoDamage are of curves that OpenSSL knows.
func TestKeysThatGoDoesNotSpeakAreNoDamage(t *testing.T) {
	for curve, want := range map[string]string{"secp256k1": "foreign", "brainpoolP256r1": "foreign", "brainpoolP384r1": "foreign"} {
		key := filepath.Join(t.TempDir(), "key.pem")
		openssl(t, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+curve, "-out", key)
		cert := openssl(t, "req", "-x509", "-key", key, "-subj", "/CN=im.wangwei-corp.cn", "-sha256")
		files := filesOf(t, cert, string(pkitest.Must(os.ReadFile(key))))
		results := files.Check()
		requireTexts(t, results)
		assert.Equal(t, []string{"fail cert-format." + want + " cert-unsupported", "fail key-format.foreign key-unsupported"}, outcome(results), curve)
		assert.Equal(t, curve, find(t, results, "cert-format").Args[1].V)

		dir := t.TempDir()
		command := exec.Command("bash", "-c", find(t, results, "cert-format").Fixes[0].CommandLine())
		command.Dir = dir
		out, err := command.CombinedOutput()
		require.NoError(t, err, string(out))
		block, _ := pem.Decode(pkitest.Must(os.ReadFile(filepath.Join(dir, "request.pem"))))
		request, err := x509.ParseCertificateRequest(block.Bytes)
		require.NoError(t, err)
		assert.Equal(t, []string{"im.wangwei-corp.cn"}, request.DNSNames)
	}
}

// TestNoMoreIsUnpackedThanACertificateMayHave: a small file may hold gigabytes.
func TestNoMoreIsUnpackedThanACertificateMayHave(t *testing.T) {
	assert.Len(t, gunzipped([]byte(gzipOf(strings.Repeat("x", 4*maxFile)))), maxFile)
	results := filesOfOthers(t, gzipOf(strings.Repeat("x", 4*maxFile)), arrived(t, "ok.key")).Check()
	assert.Equal(t, sharedReason+"form-gzip", find(t, results, "cert-format").Key)
}
