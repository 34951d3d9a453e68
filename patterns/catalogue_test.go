package patterns_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

// causeIDs are root causes that users and scripts rely on.
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

func TestCausesKeepTheirNames(t *testing.T) {
	c := loaded(t)
	for _, id := range causeIDs {
		assert.NotNil(t, c.Cause(id), id)
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
		for _, advice := range c.Advices(cause) {
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
	assert.Equal(t, 1, c.Count([]string{"mine.yaml"}))
	assert.Empty(t, patterns.Lint(c, []string{"mine.yaml"}))
	at, _ := c.ReadOptions().Search([]byte("something\nat last myproxy: handshake gave up\n")).Next(0)
	assert.Equal(t, len("something\nat last "), at)
}

// TestWrongCatalogueIsNamedByItsPlace reads files as users get them wrong.
func TestWrongCatalogueIsNamedByItsPlace(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"no YAML":               {"patterns:\n  - id: [\n", "mine.yaml:2: not-yaml"},
		"a tab":                 {"patterns:\n\t- id: a\n", "mine.yaml:2: not-yaml"},
		"another encoding":      {"# ok\npatterns: [{id: a, title: {zh: \"\xc4\xe3\"}}]", "mine.yaml:2: not-utf8"},
		"two documents":         {"causes: []\n---\npatterns: []\n", "mine.yaml:3: several-documents"},
		"a list":                {"- a", "mine.yaml:1: bad-value"},
		"an unknown section":    {"causes: []\npatern: []", "mine.yaml:2: unknown-field: patern"},
		"an unknown field":      {"patterns:\n  - id: a\n  - id: b\n    tittle: {}\n", "mine.yaml:4: b: unknown-field: tittle"},
		"on one line":           {"patterns: [{id: a, x: 1}, {id: b}]", "mine.yaml:1: a: unknown-field: x"},
		"a field twice":         {"patterns:\n  - id: a\n    side: peer\n    side: peer\n", "mine.yaml:4: a: repeated-field: side"},
		"no number":             {"patterns:\n  - id: a\n    causes:\n      - {id: cert-expired, score: high}\n", "mine.yaml:4: a: bad-value: high"},
		"no alert":              {"patterns:\n  - id: a\n    alert: 300\n", "mine.yaml:3: a: bad-value: 300"},
		"no regular expression": {"patterns:\n  - id: a\n    match:\n      - regex: 'x'\n      - regex: 'a(b'\n", "mine.yaml:5: a: bad-regex: a(b"},
		"in ignore":             {"ignore:\n  - id: a\n    match:\n      - {regex: 'x', stack: '['}\n", "mine.yaml:4: a: bad-regex: ["},
		"in suspicious":         {"suspicious:\n  - {regex: 'a)'}\n", "mine.yaml:2: bad-regex: a)"},
		"an id that is taken":   {"patterns:\n  - id: alert-unknown-ca\n", "mine.yaml:2: alert-unknown-ca: repeated-id"},
		"an id twice":           {"patterns:\n  - id: a\n  - id: a\n", "mine.yaml:3: a: repeated-id: mine.yaml:2"},
		"an ignored id twice":   {"ignore:\n  - id: a\n  - id: a\n", "mine.yaml:3: a: repeated-id: mine.yaml:2"},
		"a cause twice":         {"causes:\n  - id: cert-expired\n", "mine.yaml:2: cert-expired: repeated-id"},
		"a state twice":         {"states:\n  - id: handshakeStatusUnknown\n", "mine.yaml:2: handshakeStatusUnknown: repeated-id"},
		"an empty entry":        {"patterns:\n  - id: a\n  -\n", "mine.yaml:3: empty-entry"},
		"an empty merged entry": {"<<: {patterns: [null]}", "mine.yaml: empty-entry"},
		"a short anchor":        {"anchors:\n  - gateway\n  - x\n", "mine.yaml:3: short-anchor: x"},
	} {
		t.Run(name, func(t *testing.T) {
			catalogue := loaded(t)
			err := catalogue.Add("mine.yaml", []byte(c.yaml))
			var problems patterns.Problems
			require.ErrorAs(t, err, &problems)
			assert.EqualError(t, err, c.want)
			assert.Equal(t, []patterns.Problem(problems), patterns.CheckSamples(catalogue, []string{"mine.yaml"}))
			_, err = catalogue.Matcher()
			assert.EqualError(t, err, c.want)
			catalogue.ReadOptions()
		})
	}
	for _, empty := range []string{"", "# nothing\n", "patterns:\n"} {
		assert.NoError(t, loaded(t).Add("mine.yaml", []byte(empty)))
	}
}

// TestEntriesOfEachKindAreLinted reads entries that are half done.
func TestEntriesOfEachKindAreLinted(t *testing.T) {
	c := loaded(t)
	require.NoError(t, c.Add("mine.yaml", []byte(`
ignore:
  - id: Bad_Id
    reason: {en: only one}
    match:
      - {regex: '', kinds: [handshke], direction: sideways}
  - id: my-noise
    reason: {en: It is noise., zh: 正常现象。}
    match: [{regex: 'gateway says hello', states: [handshakeStatusNone]}]
    references: [my gateway]
    samples:
      - 'gateway says nothing'
      - 'http: TLS handshake error from 203.0.113.9:51514: remote error: tls: bad certificate'
    misses: ['gateway says hello']
  - reason: {en: It is noise., zh: 正常现象。}
    match: [{regex: 'gateway says hello'}]
    references: [my gateway]
    samples: ['gateway says hello']
states:
  - {id: handshakeStatusMine, tls: "1.4", explain: {en: Mine., zh: ""}}
causes:
  - id: my-cause
    category: trust
    title: {en: Mine, zh: 我的}
    explain: {en: Mine., zh: 我的。}
    fixes: [{text: {en: Fix it.}}]
    verify: [{text: {en: Look., zh: 查看。}}]
    references: [me]
`)))
	var got []string
	for _, p := range patterns.Lint(c, []string{"mine.yaml"}) {
		got = append(got, p.String())
	}
	assert.Equal(t, []string{
		"mine.yaml:3: Bad_Id: bad-id",
		"mine.yaml:3: Bad_Id: no-reason",
		"mine.yaml:3: Bad_Id: no-sample",
		"mine.yaml:3: Bad_Id: no-reference",
		"mine.yaml:6: Bad_Id: no-regex",
		"mine.yaml:6: Bad_Id: bad-kind: handshke",
		"mine.yaml:6: Bad_Id: bad-direction: sideways",
		"mine.yaml:9: my-noise: unknown-state: handshakeStatusNone",
		"mine.yaml:12: my-noise: sample-missed: gateway says nothing",
		"mine.yaml:13: my-noise: sample-taken: alert-bad-certificate: http: TLS handshake error from 203.0.113.9:51514: remote error: tls: bad certificate",
		"mine.yaml:15: no-id",
		"mine.yaml:20: handshakeStatusMine: no-explain",
		"mine.yaml:20: handshakeStatusMine: bad-tls: 1.4",
		"mine.yaml:26: my-cause: no-explain",
	}, got)
}

func TestStepSaysWhatItInterrupts(t *testing.T) {
	step := patterns.Step{Text: patterns.Text{"Restart.", "重启。"}}
	assert.Equal(t, "Restart.", step.Says(patterns.English))
	step.Interrupts = patterns.Text{"All drop.", "连接会断开。"}
	assert.Equal(t, "Restart. All drop.", step.Says(patterns.English))
	assert.Equal(t, "重启。连接会断开。", step.Says(patterns.Chinese))
}
