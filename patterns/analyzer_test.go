package patterns_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
)

// input is one log of an analysis.
type input struct{ name, text string }

// over analyses several logs in the given order.
func over(t *testing.T, filter patterns.Filter, logs ...input) patterns.Analysis {
	t.Helper()
	a, err := patterns.NewAnalyzer(loaded(t), filter)
	require.NoError(t, err)
	for _, log := range logs {
		src := a.Source(log.name)
		_, err := parser.Read(context.Background(), strings.NewReader(log.text), parser.Options{Zone: time.UTC}, func(rec *parser.Record) error {
			src.Add(rec)
			return nil
		})
		require.NoError(t, err)
		src.End()
	}
	return a.Result()
}

const rejected = "remote error: tls: unknown certificate"

func rawLine(err string) string {
	return "-------------------------->握手失败！--------------------------> " + err + " handshakeStatus13ReadClientFinished\n"
}

func closeRecord(second int, err string) string {
	return fmt.Sprintf(`{"level":"debug","time":"2026-05-04T09:30:%02d.5+08:00","msg":"【ReactorSub-1】close connn","error":"%s","id":%d,"fd":151}`+"\n", second, err, second)
}

func TestRawLineAndItsDebugRecordAreOneFailure(t *testing.T) {
	got := over(t, patterns.Filter{}, input{"out", rawLine(rejected) + closeRecord(1, rejected) + rawLine(rejected) + closeRecord(2, rejected)})
	assert.Equal(t, 2, got.Events)
	assert.Equal(t, 2, got.Duplicates)
}

func TestDebugRecordsOfOtherConnectionsMayStandBetween(t *testing.T) {
	other := "remote error: tls: bad certificate"
	got := over(t, patterns.Filter{}, input{"out", rawLine(rejected) + rawLine(other) + closeRecord(1, other) + closeRecord(2, rejected)})
	assert.Equal(t, 2, got.Events)
	assert.Equal(t, 2, got.Duplicates)
}

// TestDebugRecordMayStandTwoHundredLinesBehindItsRawLine: other goroutines print in
// between.
func TestDebugRecordMayStandTwoHundredLinesBehindItsRawLine(t *testing.T) {
	healthy := `{"level":"info","time":"2026-05-04T09:30:01+08:00","msg":"【Server】hello"}` + "\n"
	for between, events := range map[int]int{199: 1, 200: 2} {
		got := over(t, patterns.Filter{}, input{"out", rawLine(rejected) + strings.Repeat(healthy, between) + closeRecord(1, rejected)})
		assert.Equal(t, events, got.Events, "%d lines between", between)
	}
}

func TestDebugRecordWithoutRawLineIsAFailure(t *testing.T) {
	got := over(t, patterns.Filter{}, input{"out", rawLine(rejected) + closeRecord(1, rejected) + closeRecord(2, rejected)})
	assert.Equal(t, 2, got.Events)
}

func TestFileThatRepeatsTheOutputAddsNothing(t *testing.T) {
	out := rawLine(rejected) + closeRecord(1, rejected) + rawLine(rejected) + closeRecord(2, rejected)
	file := closeRecord(1, rejected) + closeRecord(2, rejected)
	got := over(t, patterns.Filter{}, input{"out", out}, input{"logs/info.log", file})
	assert.Equal(t, 2, got.Events)
	assert.Equal(t, 4, got.Duplicates)
}

func TestOrderOfTheFilesDoesNotMatter(t *testing.T) {
	out := rawLine(rejected) + closeRecord(1, rejected) + rawLine(rejected) + closeRecord(2, rejected)
	file := closeRecord(1, rejected) + closeRecord(2, rejected)
	got := over(t, patterns.Filter{}, input{"logs/info.log", file}, input{"out", out})
	assert.Equal(t, 2, got.Events)
	assert.Equal(t, 4, got.Duplicates)
	require.Len(t, got.Findings, 1)
	assert.Equal(t, 2, got.Findings[0].Count)
}

func TestCopyOfTheOutputAddsNothing(t *testing.T) {
	out := rawLine(rejected) + closeRecord(1, rejected) + rawLine(rejected) + closeRecord(2, rejected)
	got := over(t, patterns.Filter{}, input{"a", out}, input{"b", out})
	assert.Equal(t, 2, got.Events)
	assert.Equal(t, 6, got.Duplicates)
}

func TestDebugRecordsInAFileBelongToRawLinesOfAnOutputWithoutRecords(t *testing.T) {
	out := rawLine(rejected) + rawLine(rejected)
	file := closeRecord(1, rejected) + closeRecord(2, rejected) + closeRecord(3, rejected)
	got := over(t, patterns.Filter{}, input{"out", out}, input{"logs/info.log", file})
	assert.Equal(t, 3, got.Events, "the third record has no raw line")
	assert.Equal(t, 2, got.Duplicates)
}

func TestRecordsOfOtherTimesDoNotBelongToRawLines(t *testing.T) {
	dated := "2026-06-01T00:00:00Z "
	got := over(t, patterns.Filter{}, input{"out", dated + rawLine(rejected)}, input{"logs/info.log", closeRecord(1, rejected)})
	assert.Equal(t, 2, got.Events)
}

func TestEqualRecordsInWholeSecondsOfTwoNodesAreTwoFailures(t *testing.T) {
	record := `{"level":"debug","time":"2024-07-22 10:11:12","msg":"【ReactorSub-1】connection error","error":"remote error: tls: bad certificate"}` + "\n"
	assert.Equal(t, 2, over(t, patterns.Filter{}, input{"node1/info.log", record}, input{"node2/info.log", record}).Events)
	assert.Equal(t, 1, over(t, patterns.Filter{}, input{"node1/stdout.log", record}, input{"node1/info.log", record}).Events)
	assert.Equal(t, 3, over(t, patterns.Filter{}, input{"node1/info.log", record + record + record}).Events)
}

func TestOneExpiredCertificateDecides(t *testing.T) {
	got := over(t, patterns.Filter{}, input{"out", strings.Repeat(rawLine(rejected), 100) + rawLine("remote error: tls: expired certificate")})
	require.GreaterOrEqual(t, len(got.Diagnosis), 2)
	assert.ElementsMatch(t, []string{"cert-expired", "clock-skew"}, []string{got.Diagnosis[0].Cause.ID, got.Diagnosis[1].Cause.ID})
	assert.Greater(t, got.Diagnosis[0].Confidence+got.Diagnosis[1].Confidence, 0.9)
}

func TestClientsOwnWordsExplainWhatTheServerPrinted(t *testing.T) {
	server := input{"out", strings.Repeat(rawLine(rejected), 100)}
	said := input{"console.log", "WebSocket connection to 'wss://192.0.2.10:5210/' failed: Error in connection establishment: net::ERR_CERT_COMMON_NAME_INVALID\n"}
	before, after := over(t, patterns.Filter{}, server), over(t, patterns.Filter{}, server, said)
	assert.Less(t, before.Diagnosis[0].Confidence, 0.7)
	assert.Equal(t, "hostname-mismatch", after.Diagnosis[0].Cause.ID)
	assert.Greater(t, after.Diagnosis[0].Confidence, 0.9)
	assert.Len(t, after.Diagnosis[0].Evidence, 2)
}

func TestCauseOfSeveralProblemsIsToldOnce(t *testing.T) {
	got := over(t, patterns.Filter{}, input{"out", rawLine(rejected) + "2026/04/22 10:11:12 http: TLS handshake error from 203.0.113.9:51514: local error: tls: bad record MAC\n"})
	causes := map[string]int{}
	sum := 0.0
	for _, d := range got.Diagnosis {
		causes[d.Cause.ID]++
		sum += d.Confidence
	}
	assert.Greater(t, len(causes), 3)
	for cause, n := range causes {
		assert.Equal(t, 1, n, cause)
	}
	assert.LessOrEqual(t, sum, 1.0)
}

func TestBrowserAloneIsNeverCertain(t *testing.T) {
	for _, n := range []int{1, 10, 1000} {
		got := over(t, patterns.Filter{}, input{"out", strings.Repeat(rawLine(rejected), n)})
		require.Greater(t, len(got.Diagnosis), 3)
		assert.LessOrEqual(t, got.Diagnosis[0].Confidence, 0.7, n)
	}
}

func TestConfidencesAreOrderedAndSumToAtMostOne(t *testing.T) {
	got := over(t, patterns.Filter{}, input{"out", rawLine(rejected) + rawLine("remote error: tls: expired certificate") +
		rawLine("tls: first record does not look like a TLS handshake") + rawLine("local error: tls: bad record MAC")})
	sum := 0.0
	for i, d := range got.Diagnosis {
		sum += d.Confidence
		if i > 0 {
			assert.LessOrEqual(t, d.Confidence, got.Diagnosis[i-1].Confidence)
		}
	}
	assert.LessOrEqual(t, sum, 1.0)
	assert.Greater(t, sum, 0.9)
}

func TestFewProbesDoNotHideTheFault(t *testing.T) {
	probes := strings.Repeat("-------------------------->握手失败！--------------------------> tls: first record does not look like a TLS handshake handshakeStatusUnknown\n", 3)
	got := over(t, patterns.Filter{}, input{"out", probes + strings.Repeat(rawLine("remote error: tls: expired certificate"), 200)})
	assert.Equal(t, "cert-expired", got.Diagnosis[0].Cause.ID)
}

func TestFilterKeepsWhatWasAskedFor(t *testing.T) {
	log := input{"out", closeRecord(1, rejected) + closeRecord(30, "remote error: tls: expired certificate")}
	at := time.Date(2026, 5, 4, 1, 30, 15, 0, time.UTC)
	assert.Equal(t, 1, over(t, patterns.Filter{Since: at}, log).Events)
	assert.Equal(t, 1, over(t, patterns.Filter{Until: at}, log).Events)
	assert.Equal(t, 1, over(t, patterns.Filter{Patterns: []string{"alert-expired-certificate"}}, log).Events)
	assert.Equal(t, 2, over(t, patterns.Filter{Causes: []string{"cert-expired"}}, log).Events)
	assert.Equal(t, 0, over(t, patterns.Filter{Causes: []string{"listen-port-in-use"}}, log).Events)
}

func TestTimelineKeepsEveryEventInBoundedMemory(t *testing.T) {
	var line patterns.Timeline
	start := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	const n = 100_000
	for i := range n {
		line.Add(start.Add(time.Duration(i) * time.Minute))
	}
	total := 0
	for _, count := range line.Spread(start, start.Add(n*time.Minute), 10) {
		total += count
		assert.InDelta(t, n/10, count, n/50)
	}
	assert.Equal(t, n, total)
}

// TestVisitorsCannotWriteFailuresIntoAccessLogs: a request's path, referer and
// user agent are the client's words.
func TestVisitorsCannotWriteFailuresIntoAccessLogs(t *testing.T) {
	var log strings.Builder
	for _, words := range []string{
		"net::ERR_CERT_DATE_INVALID", "SSL_ERROR_BAD_CERT_DOMAIN", "x509: certificate signed by unknown authority", strings.TrimSpace(rawLine(rejected)),
		"http: TLS handshake error from 192.0.2.1:5: EOF", "certificate verify failed (_ssl.c:1000)", "error:0A000086:SSL routines::certificate verify failed",
	} {
		fmt.Fprintf(&log, `203.0.113.9 - - [22/Apr/2026:10:11:12 +0800] "GET / HTTP/1.1" 200 512 "-" "%s"`+"\n", words)
		fmt.Fprintf(&log, `{"time":"2026-04-22T10:11:12+08:00","request":"GET / HTTP/1.1","status":"200","http_user_agent":"%s"}`+"\n", words)
	}
	got := over(t, patterns.Filter{}, input{"access.log", log.String()})
	assert.Zero(t, got.Events)
	assert.Zero(t, got.Unclassified)
}
