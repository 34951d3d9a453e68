package patterns_test

import (
	"crypto/tls"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

// fieldCase is what somebody posted in a public report, with what is right for it.
type fieldCase struct {
	ID     string   `json:"id"`
	Kind   string   `json:"kind"`
	Text   string   `json:"text"`
	Want   []string `json:"want"`
	Events *int     `json:"events"`
}

// wrong says what is not right in the analysis of a case, empty for nothing.
func (f *fieldCase) wrong(t *testing.T, c *patterns.Catalogue, text string) string {
	t.Helper()
	events, result := analysed(t, c, text)
	switch {
	case f.Kind == "healthy":
		if len(events) > 0 || result.Unclassified > 0 {
			return "it is healthy and not silent"
		}
	case len(events) == 0 && result.Unclassified == 0:
		return "nothing is said"
	case len(events) == 0:
		return "it is unclassified"
	case f.Events != nil && len(events) != *f.Events:
		return "it is not counted as often as it happened"
	case len(result.Diagnosis) == 0 || !slices.Contains(f.Want, result.Diagnosis[0].Cause.ID):
		return "another cause leads"
	}
	return ""
}

// notYet are the cases that are not right yet, with what is missing. One that becomes
// right has to be taken off the list.
var notYet = map[string]string{}

func TestFailuresFromTheField(t *testing.T) {
	c := loaded(t)
	for _, f := range readJSONL[fieldCase](t, "../field/cases.jsonl") {
		t.Run(f.ID, func(t *testing.T) {
			wrong := f.wrong(t, c, f.Text)
			if missing, listed := notYet[f.ID]; listed {
				assert.NotEmpty(t, wrong, "take it off notYet, which says: %s", missing)
				return
			}
			assert.Empty(t, wrong, f.Text)
		})
	}
}

func TestWordsAloneAreNoFailure(t *testing.T) {
	c := loaded(t)
	const bad = "remote error: tls: bad certificate"
	for _, line := range []string{
		`INFO git commit: "fix: ` + bad + `"`,
		"docs: explain " + bad,
		"=== RUN   TestHandshake/" + bad,
		"--- PASS: " + bad,
		`{"level":"info","msg":"【MessageApi】发送消息内容：` + bad + `"}`,
		`{"level":"info","msg":"request","payload":"` + bad + `"}`,
		"用户问：" + bad,
		"我的服务器报 tls: unknown certificate 怎么办",
		"GET /search?q=" + bad,
		bad + " is what Go prints when the client rejects it",
		`203.0.113.9 - - [22/Apr/2026:10:11:12 +0800] "GET / HTTP/1.1" 200 1 "-" "` + bad + `"`,
		`INFO git commit: "fix: SSLHandshakeException PKIX path building failed"`,
		"Merge pull request #12 from im/tls: x509: certificate signed by unknown authority",
		"    --- FAIL: TestClient/net::ERR_CERT_DATE_INVALID (0.00s)",
		`{"level":"info","msg":"recv","payload":"x509: certificate has expired or is not yet valid"}`,
	} {
		events, result := analysed(t, c, line+"\n")
		assert.Empty(t, events, line)
		assert.Zero(t, result.Unclassified, line)
	}
}

// TestAlertIsKnownInEveryCarrier: what is said counts, whoever says it and whatever
// was put before it on its way into a report.
func TestAlertIsKnownInEveryCarrier(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	c := loaded(t)
	for n := range 256 {
		alert := tls.AlertError(uint8(n)).Error()
		if n == 0 || strings.Contains(alert, "alert(") {
			continue
		}
		said := "remote error: " + alert
		known, _ := analysed(t, c, "http: TLS handshake error from 203.0.113.9:51514: "+said+"\n")
		require.Len(t, known, 1, said)
		for _, carrier := range []string{
			"@",
			"2026/04/22 10:11:12 TLS handshake error from 203.0.113.9:51514: @",
			"E0911 23:15:56.869086   11580 handler.go:74] accept: @",
			`time="2026-04-22T10:11:12Z" level=warning msg="handshake failed" err="@" conn=7`,
			`{"level":"warn","ts":1655076678.2,"logger":"gate","msg":"handshake failed","err":"@"}`,
			`{"time":"2026-04-22T10:11:12Z","level":"INFO","msg":"conn 7: @"}`,
			"2026-08-23 00:31:08.123\tERROR\t[gateway]\tgateway/handler.go:180\tread failed\t" + `{"error": "@"}`,
			"[1] 2020/06/14 10:00:00.000001 [ERR] 203.0.113.9:51514 - wid:7 - TLS handshake error: @",
			"-------------------------->握手失败！--------------------------> @",
			"1228:2026/04/22 10:11:12 conn 7: @", "/var/log/im/im.log:2026/04/22 10:11:12 conn 7: @",
			"> conn 7: @", "    conn 7: @", "`@`", "\x1b[31mERR\x1b[0m conn 7: \x1b[31m@\x1b[0m",
			"…rver.go:12 handshake with 203.0.113.9 failed: @", "日志一直报：@", "wukongim-1  | conn 7: @",
		} {
			line := strings.ReplaceAll(carrier, "@", said)
			events, _ := analysed(t, c, line+"\n")
			if assert.Len(t, events, 1, line) && assert.Equal(t, known[0].Pattern.ID, events[0].Pattern.ID, line) {
				assert.Equal(t, known[0].Causes, events[0].Causes, line)
			}
		}
		old, _ := analysed(t, c, "server.go:2161: http: TLS handshake error from 203.0.113.9:51437: "+strings.Replace(said, "tls: ", "", 1)+"\n")
		if assert.Len(t, old, 1, said) {
			assert.Equal(t, known[0].Pattern.ID, old[0].Pattern.ID, said)
		}
	}
}

// TestSideIsToldByTheWordsBesideAMessage: Go prints the same on both sides.
func TestSideIsToldByTheWordsBesideAMessage(t *testing.T) {
	c := loaded(t)
	for line, cause := range map[string]string{
		"accept 203.0.113.9: tls: first record does not look like a TLS handshake":                   "plaintext-on-tls-port",
		"TLS handshake error from [::1]:58856: tls: first record does not look like a TLS handshake": "plaintext-on-tls-port",
		"dial 203.0.113.9:5100: tls: first record does not look like a TLS handshake":                "tls-on-plaintext-port",
		"gate: connect to wss://im.example.com:5200: remote error: tls: certificate required":        "client-certificate",
		"gate: dial im.example.com: remote error: tls: no application protocol":                      "alpn-mismatch",
		"conn from 203.0.113.9:51514: remote error: tls: expired certificate":                        "cert-expired",
	} {
		d := lead(t, line+"\n")
		require.NotNil(t, d, line)
		assert.Equal(t, cause, d.Cause.ID, line)
	}
	events, _ := analysed(t, c, "conn 7: tls: first record does not look like a TLS handshake\n")
	require.Len(t, events, 1)
	share := map[string]float64{}
	for _, cause := range events[0].Causes {
		share[cause.ID] = cause.Score
	}
	assert.InDelta(t, share["plaintext-on-tls-port"], share["tls-on-plaintext-port"], 0.1)
}

// TestWrappingOfACaseChangesNothing: what carries a log from one place to another says
// nothing of its failures.
func TestWrappingOfACaseChangesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	c := loaded(t)
	each := func(wrap func(line string) string) func(string) string {
		return func(text string) string {
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			for i, line := range lines {
				lines[i] = wrap(line)
			}
			return strings.Join(lines, "\n") + "\n"
		}
	}
	wrappings := map[string]func(string) string{
		"windows":   each(func(line string) string { return line + "\r" }),
		"quoted":    each(func(line string) string { return "> " + line }),
		"fenced":    func(text string) string { return "```\n" + text + "```\n" },
		"compose":   each(func(line string) string { return "wukongim-1  | " + line }),
		"kubectl":   each(func(line string) string { return "[pod/wukongim-0/wukongim] " + line }),
		"cri":       each(func(line string) string { return "2026-05-04T01:30:00.123456789Z stderr F " + line }),
		"docker":    each(dockerLine),
		"grep -H":   each(func(line string) string { return "/srv/logs/im.log:" + line }),
		"docker -t": each(func(line string) string { return "2026-05-04T01:30:00.123456789Z " + line }),
		"journald":  each(func(line string) string { return "May 04 01:30:00 im01 wukongim[812]: " + line }),
		"indented":  each(func(line string) string { return "    " + line }),
		"coloured":  each(func(line string) string { return "\x1b[31m" + line + "\x1b[0m" }),
	}
	for _, f := range readJSONL[fieldCase](t, "../field/cases.jsonl") {
		if notYet[f.ID] != "" {
			continue
		}
		for name, wrap := range wrappings {
			assert.Empty(t, f.wrong(t, c, wrap(f.Text)), "%s %s", f.ID, name)
		}
	}
}

func dockerLine(line string) string {
	text, err := json.Marshal(line + "\n")
	if err != nil {
		panic(err)
	}
	return `{"log":` + string(text) + `,"stream":"stderr","time":"2026-05-04T01:30:00.123456789Z"}`
}
