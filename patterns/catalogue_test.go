package patterns_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

// causeIDs are the root causes that users and scripts rely on.
var causeIDs = strings.Fields(`
	cert-file-missing cert-file-unreadable cert-not-configured
	cert-not-pem cert-malformed cert-key-swapped cert-key-mismatch key-unsupported chain-incomplete
	hostname-mismatch cert-expired cert-not-yet-valid clock-skew
	untrusted-ca cert-revoked cert-unsupported cert-pin-mismatch
	protocol-version cipher-mismatch alpn-mismatch client-certificate
	plaintext-on-tls-port tls-on-plaintext-port
	listen-address-invalid listen-port-in-use listen-port-denied
	connection-interrupted record-corrupted scanner-probe server-crash insecure-websocket-on-https-page`)

func TestCatalogueIsClean(t *testing.T) {
	for _, problem := range patterns.Lint(loaded(t), nil) {
		t.Errorf("%s: %s %s", problem.ID, problem.Kind, problem.Detail)
	}
}

func TestCatalogueHoldsEveryCause(t *testing.T) {
	c := loaded(t)
	assert.Len(t, c.Causes, len(causeIDs))
	for _, id := range causeIDs {
		assert.NotNil(t, c.Cause(id), id)
	}
}

// TestEveryPatternImpliesAnAnchor is what the search for candidates rests on.
func TestEveryPatternImpliesAnAnchor(t *testing.T) {
	c := loaded(t)
	assert.Empty(t, c.Derived, "a pattern implies none of the anchors, so its own literal was added")
	assert.False(t, c.Unanchored)
	for _, p := range c.Patterns {
		for _, sample := range p.Samples {
			hit := false
			for _, anchor := range c.Anchors {
				hit = hit || strings.Contains(sample, anchor)
			}
			assert.True(t, hit, "%s: %s", p.ID, sample)
		}
	}
}

var han = regexp.MustCompile(`\p{Han}`)

// TestTextsAreInTheirLanguage finds an English text in a Chinese field and the
// other way round.
func TestTextsAreInTheirLanguage(t *testing.T) {
	c := loaded(t)
	check := func(id string, texts ...patterns.Text) {
		for _, text := range texts {
			assert.Regexp(t, han, text.Zh, id)
			assert.NotRegexp(t, `[。，；：]`, text.En, id)
		}
	}
	for _, p := range c.Patterns {
		check(p.ID, p.Title, p.Explain)
	}
	for _, cause := range c.Causes {
		for _, side := range []patterns.Side{patterns.SideServer, patterns.SidePeer} {
			advice := cause.For(side)
			check(cause.ID, advice.Title, advice.Explain)
			for _, step := range append(advice.Fixes, advice.Verify...) {
				check(cause.ID, step.Text)
				if step.Interrupts != (patterns.Text{}) {
					check(cause.ID, step.Interrupts)
				}
			}
		}
	}
	for _, state := range c.States {
		check(state.ID, state.Explain)
	}
}

func TestUsersCatalogueIsAdded(t *testing.T) {
	c := loaded(t)
	n := len(c.Patterns)
	require.NoError(t, c.Add("mine.yaml", []byte(`
patterns:
  - id: my-proxy-failure
    title: {en: My proxy failed, zh: 我的代理失败}
    explain: {en: It failed., zh: 失败了。}
    severity: warning
    category: network
    reporter: network
    phase: client-hello
    match: [{regex: 'myproxy: handshake gave up'}]
    causes: [{id: connection-interrupted, score: 0.5, why: it says so}]
    references: [my proxy's source]
    samples: ['myproxy: handshake gave up after 3 s']
`)))
	assert.Len(t, c.Patterns, n+1)
	assert.Empty(t, patterns.Lint(c, []string{"my-proxy-failure"}))
	assert.Contains(t, c.Prefilter().Anchors(), "myproxy: handshake gave up")
	assert.Error(t, c.Add("mine.yaml", []byte("patterns: [{id: my-proxy-failure}]")), "an id that is taken")
	assert.Error(t, c.Add("mine.yaml", []byte("patern: []")), "an unknown field")
	require.NoError(t, c.Add("mine.yaml", []byte("anchors: [x]")))
	_, err := c.Matcher()
	assert.ErrorContains(t, err, "shorter")
	c.Prefilter()
}

func TestStepSaysWhatItInterrupts(t *testing.T) {
	step := patterns.Step{Text: patterns.Text{"Restart.", "重启。"}}
	assert.Equal(t, "Restart.", step.Says(patterns.English))
	step.Interrupts = patterns.Text{"All drop.", "连接会断开。"}
	assert.Equal(t, "Restart. All drop.", step.Says(patterns.English))
	assert.Equal(t, "重启。连接会断开。", step.Says(patterns.Chinese))
}
