package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

// prose are the commands in the explanations of the catalogue, as they begin
// there, with what is run for them and an expression of what it prints.
var prose = map[string]struct{ run, says string }{
	"openssl pkcs7 -inform DER -print_certs -in cert.p7b -out fullchain-new.pem (without -inform DER if it is text)": {
		"for form in DER PEM; do openssl crl2pkcs7 -nocrl -certfile fullchain.pem -outform $form -out cert.p7b; openssl pkcs7 -inform DER -print_certs -in cert.p7b -out fullchain-new.pem || openssl pkcs7 -print_certs -in cert.p7b -out fullchain-new.pem; grep -c BEGIN fullchain-new.pem; done",
		`(?s)^2\n.*2\n$`,
	},
	"openssl x509 -in FILE -out cert.pem": {
		"openssl x509 -in cert.pem -trustout -out FILE; head -n 1 FILE; openssl x509 -in FILE -out cert.pem; head -n 1 cert.pem",
		`^-----BEGIN TRUSTED CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n$`,
	},
	"openssl x509 -in FILE -noout must succeed": {
		"openssl x509 -in fullchain.pem -noout && echo good; openssl x509 -in privkey.pem -noout || echo bad", `(?s)^good\n.*bad\n$`,
	},
	"openssl x509 -in FILE -noout and openssl pkey": {
		"openssl x509 -in fullchain.pem -noout && echo good; openssl x509 -in privkey.pem -noout || echo bad", `(?s)^good\n.*bad\n$`,
	},
	"openssl x509 -in FILE -noout -text": {"openssl x509 -in fullchain.pem -noout -text", `Subject Alternative Name`},
	"openssl pkey -in FILE -noout.":      {"openssl pkey -in privkey.pem -noout && echo good", `^good\n$`},
	"openssl pkey -in FILE -noout asks for a passphrase": {
		"openssl pkey -in privkey.pem -aes256 -passout pass:secret -out FILE; openssl pkey -in FILE -noout </dev/null || echo asks", `asks\n$`,
	},
	"openssl pkey -in FILE -out NEW": {
		"openssl pkey -in privkey.pem -aes256 -passout pass:secret -out FILE; openssl pkey -in FILE -passin pass:secret -out NEW; grep -c ENCRYPTED FILE NEW",
		`(?s)FILE:2\nNEW:0\n$`,
	},
	"openssl x509 or openssl pkey": {"openssl x509 -in privkey.pem -noout", `Could not read certificate`},
	"openssl x509 -noout -dates": {
		"openssl s_client -connect im.example.com:443 </dev/null 2>/dev/null | openssl x509 -noout -dates", `^notBefore=.*\nnotAfter=.*\n$`,
	},
	"openssl pkey -in FILE -noout must succeed": {
		"openssl pkey -in privkey.pem -noout && echo good; openssl pkey -in cert.pem -noout || echo bad", `(?s)^good\n.*bad\n$`,
	},
	"openssl pkey -in old.key -out new.key": {
		"openssl pkey -in privkey.pem -aes256 -passout pass:secret -out old.key; openssl pkey -in old.key -out new.key; grep -c ENCRYPTED old.key new.key",
		`(?s)old.key:2\nnew.key:0\n$`,
	},
	"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256": {
		"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", `^-----BEGIN PRIVATE KEY-----`,
	},
	"openssl req -addext subjectAltName=DNS:NAME": {
		"openssl req -new -key privkey.pem -subj / -addext subjectAltName=DNS:im.example.com | openssl req -noout -text", `DNS:im\.example\.com`,
	},
	"openssl s_client -brief -connect": {"openssl s_client -brief -connect im.example.com:443 </dev/null", `Verification: OK`},
	"openssl s_client -connect HOST:443 piped to": {
		"openssl s_client -connect im.example.com:443 </dev/null 2>/dev/null | openssl x509 -noout -dates", `^notBefore=.*\nnotAfter=.*\n$`,
	},
	"openssl s_client -CAfile on that file": {"openssl s_client -brief -connect im.example.com:443 -CAfile private-ca.pem </dev/null", `Verification`},
	"openssl s_client -tls1_2":              {"openssl s_client -brief -connect im.example.com:443 -tls1_2 </dev/null", `Protocol version: TLSv1.2`},
	"wklog check --cert FILE --key FILE":    {"wklog check --cert fullchain.pem --key privkey.pem", `Checks: 0 failed`},
}

var inProse = regexp.MustCompile(`\b(openssl [a-z0-9_]+ -|wklog check --cert)`)

func TestCommandsInExplanationsRun(t *testing.T) {
	w := newWorld(t)
	for phrase, command := range prose {
		t.Run(phrase, func(t *testing.T) {
			dir := t.TempDir()
			writeFiles(t, dir, "good")
			output, _ := w.runIn(t, dir, command.run, w.servers["good"])
			assert.Regexp(t, command.says, output)
		})
	}
	c, err := patterns.Load()
	require.NoError(t, err)
	found := map[string]bool{}
	look := func(id string, text patterns.Text) {
		for _, at := range inProse.FindAllStringIndex(text.En, -1) {
			known := ""
			for phrase := range prose {
				if strings.HasPrefix(text.En[at[0]:], phrase) {
					known = phrase
				}
			}
			assert.NotEmpty(t, known, "%s: no test runs the command in %s", id, text.En[at[0]:])
			found[known] = true
		}
		assert.Len(t, inProse.FindAllString(text.Zh, -1), len(inProse.FindAllString(text.En, -1)), "%s: another command in Chinese", id)
	}
	for _, p := range c.Patterns {
		look(p.ID, p.Explain)
	}
	for _, cause := range c.Causes {
		look(cause.ID, cause.Explain)
		if cause.Peer != nil {
			look(cause.ID, cause.Peer.Explain)
		}
	}
	for phrase := range prose {
		assert.True(t, found[phrase] || !inProse.MatchString(phrase), "in no explanation: %s", phrase)
	}
}
