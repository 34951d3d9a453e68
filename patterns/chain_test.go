package patterns_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestChainIsCountedOnceByTheLinkThatTellsMost reads exceptions with what caused them.
func TestChainIsCountedOnceByTheLinkThatTellsMost(t *testing.T) {
	c := loaded(t)
	const (
		head    = "javax.net.ssl.SSLHandshakeException: PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed\n"
		expired = "Caused by: java.security.cert.CertificateExpiredException: NotAfter: Fri Jan 31 08:00:00 CST 2025\n"
		other   = "Caused by: java.io.EOFException: SSL peer shut down incorrectly\n"
		frame   = "\tat a.b.C.d(C.java:5)\n"
	)
	for name, want := range map[string]struct {
		log        string
		patterns   []string
		duplicates int
	}{
		"a cause that tells more":            {head + frame + expired, []string{"client-says-expired"}, 1},
		"one of another kind":                {head + frame + other, []string{"client-says-wrong-dates"}, 1},
		"a cause without its exception":      {"java.lang.RuntimeException: no\n" + frame + expired, []string{"client-says-expired"}, 0},
		"a cause far from any other failure": {head + strings.Repeat(frame, 200) + expired, []string{"client-says-wrong-dates", "client-says-expired"}, 0},
		"an exception that tells nothing":    {"System.Net.Http.HttpRequestException: The SSL connection could not be established, see inner exception.\n ---> System.Security.Authentication.AuthenticationException: The remote certificate is invalid because of errors in the certificate chain: PartialChain\n", []string{"client-says-unknown-issuer"}, 1},
	} {
		_, result := analysed(t, c, want.log)
		var found []string
		for _, f := range result.Findings {
			assert.Equal(t, 1, f.Count, name)
			found = append(found, f.Pattern.ID)
		}
		assert.ElementsMatch(t, want.patterns, found, name)
		assert.Equal(t, want.duplicates, result.Duplicates, name)
		assert.Zero(t, result.Unclassified, name)
	}
}
