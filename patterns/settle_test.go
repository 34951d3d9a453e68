package patterns_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
)

// settled analyses a log together with what checks found.
func settled(t *testing.T, text string, proofs ...patterns.Proof) patterns.Analysis {
	t.Helper()
	a, err := patterns.NewAnalyzer(loaded(t), patterns.Filter{})
	require.NoError(t, err)
	a.Settle(proofs)
	src := a.Source("out")
	_, err = parser.Read(context.Background(), strings.NewReader(text), parser.Options{}, func(rec *parser.Record) error {
		src.Add(rec)
		return nil
	})
	require.NoError(t, err)
	src.End()
	return a.Result()
}

func confidences(a patterns.Analysis) map[string]float64 {
	byCause := map[string]float64{}
	for _, d := range a.Diagnosis {
		byCause[d.Cause.ID] = d.Confidence
	}
	return byCause
}

func TestFailedCheckProvesItsCause(t *testing.T) {
	text := strings.Repeat(rawLine(rejected), 5)
	require.Less(t, confidences(settled(t, text))["chain-incomplete"], 0.3)
	got := settled(t, text, patterns.Proof{Check: "chain-complete", Proves: "chain-incomplete"}, patterns.Proof{Check: "live-served", Proves: "chain-incomplete"})
	assert.Equal(t, "chain-incomplete", got.Diagnosis[0].Cause.ID)
	assert.Greater(t, got.Diagnosis[0].Confidence, 0.95)
	assert.Equal(t, []string{"chain-complete", "live-served"}, got.Diagnosis[0].Checks)
}

func TestPassedChecksLeaveTheOtherCauses(t *testing.T) {
	text := strings.Repeat(rawLine(rejected), 5)
	before := confidences(settled(t, text))
	got := confidences(settled(t, text, patterns.Proof{Check: "cert-names", RulesOut: []string{"hostname-mismatch"}}))
	assert.Less(t, got["hostname-mismatch"], 0.02, "one look from one place leaves a little")
	assert.Greater(t, got["untrusted-ca"], before["untrusted-ca"])
	sum := 0.0
	for _, c := range got {
		sum += c
	}
	assert.InDelta(t, 1, sum, 0.02)
}

func TestProofCountsBeforeWhatRulesTheCauseOut(t *testing.T) {
	got := settled(t, rawLine(rejected), patterns.Proof{Check: "live-dates", Proves: "cert-expired"}, patterns.Proof{Check: "cert-dates", RulesOut: []string{"cert-expired"}})
	assert.Equal(t, "cert-expired", got.Diagnosis[0].Cause.ID)
}

func TestFaultThatNoMessageSpeaksOf(t *testing.T) {
	proof := patterns.Proof{Check: "config-published", Proves: "connection-interrupted"}
	silent := settled(t, "", proof)
	require.Len(t, silent.Diagnosis, 1)
	assert.Equal(t, "connection-interrupted", silent.Diagnosis[0].Cause.ID)
	assert.InDelta(t, 0.9, silent.Diagnosis[0].Confidence, 0.001)

	panics := "panic: open /x/cert.pem: no such file or directory\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:1 +0x1\n"
	beside := settled(t, panics, proof)
	assert.Equal(t, "cert-file-missing", beside.Diagnosis[0].Cause.ID)
	assert.InDelta(t, 0.5, confidences(beside)["connection-interrupted"], 0.001)
}

func TestStatedCausesAreSettledAsWell(t *testing.T) {
	panics := "panic: tls: failed to find any PEM data in certificate input\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:1 +0x1\n"
	before := settled(t, panics)
	require.NotEmpty(t, before.Diagnosis)
	lead := before.Diagnosis[0].Cause.ID
	got := settled(t, panics, patterns.Proof{Check: "cert-format", RulesOut: []string{lead}})
	if len(before.Diagnosis) > 1 {
		assert.NotEqual(t, lead, got.Diagnosis[0].Cause.ID)
	}
	proven := settled(t, panics, patterns.Proof{Check: "cert-format", Proves: lead})
	assert.Greater(t, proven.Diagnosis[0].Confidence, 0.95)
}

func TestChecksOfTheServerSayNothingOfItsPeers(t *testing.T) {
	text := `{"level":"error","time":"2026-05-04T09:30:01.5+08:00","msg":"【Webhook】请求webhook失败！","error":"Post \"https://hook.example.com/\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-05-04T09:30:01+08:00 is after 2026-05-01T00:00:00Z"}` + "\n"
	before := settled(t, text)
	require.NotEmpty(t, before.Diagnosis)
	require.Equal(t, patterns.SidePeer, before.Diagnosis[0].Side)
	got := settled(t, text, patterns.Proof{Check: "cert-dates", RulesOut: []string{"cert-expired", "cert-not-yet-valid"}})
	assert.Equal(t, before.Diagnosis[0].Cause.ID, got.Diagnosis[0].Cause.ID)
	assert.Equal(t, before.Diagnosis[0].Confidence, got.Diagnosis[0].Confidence)
	assert.Empty(t, got.Diagnosis[0].Checks)
}
