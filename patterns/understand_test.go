package patterns_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
)

// embedded is the catalogue for tests that add nothing to it.
var embedded = sync.OnceValues(patterns.Load)

func understand(t *testing.T, text string) *patterns.Understanding {
	c, err := embedded()
	require.NoError(t, err)
	u, err := patterns.Understand(context.Background(), text, &patterns.Options{Catalogue: c})
	require.NoError(t, err, text)
	return u
}

// found are the patterns of an analysis with their counts, and its causes.
func foundIn(a *patterns.Analysis) (patternsFound, causes []string) {
	if a == nil {
		return nil, nil
	}
	for _, f := range a.Findings {
		patternsFound = append(patternsFound, f.Pattern.ID)
	}
	for _, d := range a.Diagnosis {
		causes = append(causes, d.Cause.ID)
	}
	return patternsFound, causes
}

// wrappings are what people put around a line, or leave out of it.
var wrappings = map[string]func(sample string) string{
	"as it is":        func(s string) string { return s },
	"a word in front": func(s string) string { return "报错 " + s },
	"quoted":          func(s string) string { return "> " + strings.ReplaceAll(s, "\n", "\n> ") },
	"in quotes":       func(s string) string { return `"` + s + `"` },
	"indented":        func(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") },
	"without its head": func(s string) string {
		return parser.Parse(parser.Unwrap([]byte(s))).Subject()
	},
}

// headTells are the patterns that what stands before their message tells from others
// with the same words, or the trace behind it.
var headTells = map[string]string{
	"handshake-eof-before-hello":    "the state",
	"http-handshake-eof":            "net/http's prefix",
	"cert-not-parsed":               "the trace of a panic",
	"sha1-cipher-crash":             "the trace of a panic",
	"tls-code-crash":                "the trace of a panic",
	"too-many-open-files-at-start":  "the trace of a panic",
	"wss-without-certificate":       "the trace of a panic",
	"malformed-http-on-ws-port":     "the record of the server",
	"nginx-unexpected-proxy-header": "the bytes of the request behind it",
	"nginx-upstream-damaged":        "the upstream behind it",
	"nginx-upstream-not-yet-valid":  "the upstream behind it",
}

// TestExplainAndAnalyzeAgreeOnEverySample also asks of what analyze is silent about: a
// line that lost its head, or has words before it, is understood as the whole one.
func TestExplainAndAnalyzeAgreeOnEverySample(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	c := loaded(t)
	for how, wrap := range wrappings {
		for _, p := range c.Patterns {
			for _, sample := range p.Samples {
				text := wrap(sample)
				analysis, err := patterns.Analyze(context.Background(), strings.NewReader(text), &patterns.Options{Catalogue: c})
				require.NoError(t, err)
				u := understand(t, text)
				if len(analysis.Findings) > 0 {
					wantFound, wantCauses := foundIn(analysis)
					gotFound, gotCauses := foundIn(u.Analysis)
					assert.Equal(t, wantFound, gotFound, text)
					assert.Equal(t, wantCauses, gotCauses, text)
				} else if how != "without its head" || headTells[p.ID] == "" {
					assert.Equal(t, p.ID, u.Entry.ID(), "%s: %s", how, text)
				}
			}
		}
	}
}

// TestExcerptIsAnalysed counts as analyze does.
func TestExcerptIsAnalysed(t *testing.T) {
	text := rawLine(rejected) + "\n" + rawLine(rejected) + "\n" + "-------------------------->握手失败！--------------------------> remote error: tls: expired certificate handshakeStatus13ReadClientFinished\n"
	analysis, err := patterns.Analyze(context.Background(), strings.NewReader(text), nil)
	require.NoError(t, err)
	u := understand(t, text)
	require.NotNil(t, u.Analysis)
	assert.Equal(t, analysis.Events, u.Analysis.Events)
	for i, d := range analysis.Diagnosis {
		assert.Equal(t, patterns.CauseScore{ID: d.Cause.ID, Score: d.Confidence}, u.Causes[i])
	}
}

// TestWordsOfOthersAreNoFailure shows the same restraint as analyze: what is quoted is
// at most near.
func TestWordsOfOthersAreNoFailure(t *testing.T) {
	for _, text := range []string{
		`INFO git commit: "fix: SSLHandshakeException PKIX path building failed"`,
		`{"level":"info","msg":"收到消息","content":"remote error: tls: bad certificate"}`,
	} {
		u := understand(t, text)
		assert.Nil(t, u.Event, text)
		assert.Nil(t, u.Analysis, text)
		assert.False(t, u.Named, text)
	}
}

func TestHealthyExcerptIsNoFailureAndNothingNamed(t *testing.T) {
	data, err := os.ReadFile("../testdata/wukongim/servers/healthy/stdout-debug.log")
	require.NoError(t, err)
	u := understand(t, string(data[:4096]))
	assert.False(t, u.Entry.Known())
	assert.NotEmpty(t, u.Near)
}

func TestEveryCodeOfTheCatalogueIsFoundInAnySpelling(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	c := loaded(t)
	check := func(id string, codes []string) {
		for _, code := range codes {
			for _, spelling := range []string{code, strings.ToLower(code), strings.ToUpper(code), " " + code + " ", "error " + code, "错误码 " + code} {
				u := understand(t, spelling)
				ids := []string{u.Entry.ID()}
				for _, near := range u.Near {
					ids = append(ids, near.ID())
				}
				assert.Contains(t, ids, id, spelling)
				assert.True(t, u.Named, spelling)
			}
		}
	}
	for _, p := range c.Patterns {
		check(p.ID, p.Codes)
	}
	for _, s := range c.Symptoms {
		check(s.ID, s.Codes)
	}
}

func TestEveryWordOfTheCatalogueIsFound(t *testing.T) {
	c := loaded(t)
	owners := map[string]string{}
	check := func(id string, words []string) {
		for _, word := range words {
			assert.Empty(t, owners[word], "%s: %q has two owners", id, word)
			owners[word] = id
			u := understand(t, word)
			if u.Event == nil {
				assert.Equal(t, id, u.Entry.ID(), word)
			}
		}
	}
	for _, cause := range c.Causes {
		check(cause.ID, cause.Words)
	}
	for _, s := range c.Symptoms {
		check(s.ID, s.Words)
	}
	for _, p := range c.Patterns {
		check(p.ID, p.Words)
	}
}

func TestEveryAlertIsFoundByItsNumber(t *testing.T) {
	for _, p := range loaded(t).Patterns {
		if !p.Alert.Known {
			continue
		}
		for _, form := range []string{"alert %d", "ALERT %d", "SSL alert number %d", "告警 %d", "tls alert: %d"} {
			assert.Equal(t, p.ID, understand(t, fmt.Sprintf(form, p.Alert.Number)).Entry.ID(), form)
		}
	}
}

// TestWhatIsFoundComesFromTheCatalogue finds an entry that a user added by its code, its
// words, its title and its samples.
func TestWhatIsFoundComesFromTheCatalogue(t *testing.T) {
	c := loaded(t)
	require.NoError(t, c.Add("mine.yaml", []byte(`
patterns:
  - id: gateway-tls-failed
    title: {en: "The wombat gateway gave up", zh: "网关放弃了连接"}
    explain: {en: It failed., zh: 失败了。}
    codes: [GW_4711]
    words: [袋熊]
    severity: warning
    category: network
    reporter: network
    phase: established
    match: [{regex: 'gwfail platypus \d+', kinds: [text]}]
    causes: [{id: connection-interrupted, score: 0.5, why: it is}]
    references: [mine]
    samples: ['gwfail platypus 7']
`)))
	for _, text := range []string{"gw_4711", "GW 4711", "袋熊", "wombat", "网关放弃", "platypus", "error gwfail platypus 8"} {
		u, err := patterns.Understand(context.Background(), text, &patterns.Options{Catalogue: c})
		require.NoError(t, err)
		assert.Equal(t, "gateway-tls-failed", u.Entry.ID(), text)
	}
}

// TestFirstAnswers reads the table of what people type.
func TestFirstAnswers(t *testing.T) {
	data, err := os.ReadFile("testdata/questions.tsv")
	require.NoError(t, err)
	asked := 0
	for line := range strings.Lines(string(data)) {
		question, answer, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		asked++
		assert.Equal(t, answer, understand(t, question).Entry.ID(), question)
	}
	assert.Greater(t, asked, 150)
}

// TestWhatNothingFitsHasEntriesNear says where to begin in place of nothing.
func TestWhatNothingFitsHasEntriesNear(t *testing.T) {
	for _, text := range []string{"banana elephant", "何时下班", "qqq", "4242", "???", ""} {
		u := understand(t, text)
		assert.False(t, u.Entry.Known(), text)
		assert.NotEmpty(t, u.Near, text)
	}
}

// TestUnderstandServesManyGoroutines is for the race detector.
func TestUnderstandServesManyGoroutines(t *testing.T) {
	opts := &patterns.Options{Catalogue: loaded(t)}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			u, err := patterns.Understand(context.Background(), "证书过期怎么办", opts)
			assert.NoError(t, err)
			assert.Equal(t, "cert-expired", u.Entry.ID())
		})
	}
	group.Wait()
}
