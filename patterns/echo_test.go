package patterns_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

const (
	javaHead  = "javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target\n"
	javaCause = "Caused by: sun.security.validator.ValidatorException: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target\n"
	javaFrame = "\tat java.base/sun.security.ssl.Alert.createSSLException(Alert.java:131)\n"
)

func TestChainOfCausesIsOneFailureWhereverItStands(t *testing.T) {
	trace := javaHead + javaFrame + javaCause + strings.Repeat(javaFrame, 30) + javaCause
	for name, carry := range map[string]func(line string) string{
		"plain":    func(line string) string { return line },
		"indented": func(line string) string { return "    " + line },
		"logcat":   func(line string) string { return "10-08 13:46:43.743  1234  1250 W System.err: " + line },
		"studio":   func(line string) string { return "2020-10-08 13:46:43.743 1234-1250/im W/System.err: " + line },
		"compose":  func(line string) string { return "gate-1  | " + line },
		"quoted":   func(line string) string { return "> " + line },
	} {
		log := ""
		for line := range strings.Lines(trace + "next attempt\n" + trace) {
			log += carry(line)
		}
		_, result := analysed(t, loaded(t), log)
		assert.Equal(t, 2, result.Events, name)
		assert.Zero(t, result.Unclassified, name)
	}
}

// TestCauseWithoutAHeadIsAFailure: what stands before it says nothing of TLS.
func TestCauseWithoutAHeadIsAFailure(t *testing.T) {
	for name, log := range map[string]string{
		"a head in other words": "java.lang.RuntimeException: cannot connect\n" + javaFrame + javaCause,
		"cut off":               javaCause,
		"far behind another":    javaHead + strings.Repeat("INFO all is well\n", 200) + javaCause,
	} {
		_, result := analysed(t, loaded(t), log)
		assert.Equal(t, 1+strings.Count(name, "another"), result.Events, name)
	}
}

// TestCauseThatSaysMoreCounts: the head of the chain names no reason.
func TestCauseThatSaysMoreCounts(t *testing.T) {
	const log = "javax.net.ssl.SSLHandshakeException: General SSLEngine problem\n" + javaFrame +
		"Caused by: java.security.cert.CertPathValidatorException: Trust anchor for certification path not found.\n"
	_, result := analysed(t, loaded(t), log)
	require.Len(t, result.Findings, 1)
	assert.Equal(t, "client-says-unknown-issuer", result.Findings[0].Pattern.ID)
	assert.Equal(t, 1, result.Findings[0].Count)
	assert.Zero(t, result.Unclassified)
}

func TestEachNumberOfChromiumHasOneName(t *testing.T) {
	const number = "[4332:0519/142507.870:ERROR:ssl_client_socket_impl.cc(995)] handshake failed; returned -1, SSL error code 1, net_error -201\n"
	const name = `[4332:0519/142507.871:INFO:CONSOLE(12)] "WebSocket connection to 'wss://im.example.com/' failed: Error in connection establishment: net::ERR_CERT_DATE_INVALID"` + "\n"
	for log, want := range map[string]int{number + name: 1, number + number + name + name: 2, number + name + name: 2, name + name: 2} {
		_, result := analysed(t, loaded(t), log)
		assert.Equal(t, want, result.Events, log)
	}
}

func TestEchoOfAnotherContainerIsAFailure(t *testing.T) {
	_, result := analysed(t, loaded(t), "gate-1  | "+javaHead+"gate-2  | "+javaCause)
	assert.Equal(t, 2, result.Events)
}

// TestSecondConnectionDoesNotHideTheRejection reads what Deno made nginx print.
func TestSecondConnectionDoesNotHideTheRejection(t *testing.T) {
	judged := 0
	for _, r := range readJSONL[struct {
		ID     string   `json:"id"`
		Client string   `json:"client"`
		Lines  []string `json:"lines"`
	}](t, "../clients/nginx.jsonl") {
		if r.Client != "deno-ws" || len(r.Lines) < 2 {
			continue
		}
		judged++
		_, result := analysed(t, loaded(t), strings.Join(r.Lines, "\n")+"\n")
		require.NotEmpty(t, result.Diagnosis, r.ID)
		_, rejected := analysed(t, loaded(t), r.Lines[0]+"\n")
		assert.Equal(t, rejected.Diagnosis[0].Cause.ID, result.Diagnosis[0].Cause.ID, r.ID)
		assert.Equal(t, len(r.Lines), result.Events, r.ID)
	}
	assert.Greater(t, judged, 20)
}

func TestEchoesOfAUserAreAdded(t *testing.T) {
	c, err := patterns.Load()
	require.NoError(t, err)
	require.NoError(t, c.Add("mine.yaml", []byte("echoes:\n- id: my-copy\n  match: [{regex: 'copy: ', kinds: [net-http, text]}]\n  lines: 2\n  reason: {en: copied, zh: 复制}\n  references: [mine]\n  samples: [\"x: remote error: tls: bad certificate\\ncopy: remote error: tls: bad certificate\"]\n")))
	assert.Empty(t, patterns.Lint(c, []string{"mine.yaml"}))
	result, err := patterns.Analyze(t.Context(), strings.NewReader("x: remote error: tls: bad certificate\ncopy: remote error: tls: bad certificate\n"), &patterns.Options{Catalogue: c})
	require.NoError(t, err)
	assert.Equal(t, 1, result.Events)
	assert.Equal(t, 1, result.Duplicates)
}
