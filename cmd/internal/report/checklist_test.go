package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

func checklist(t *testing.T, results ...check.Result) *Checklist {
	c, err := patterns.Load()
	require.NoError(t, err)
	return NewChecklist(results, c, english(t), time.Time{})
}

func english(t *testing.T) *messages.Printer {
	say, err := messages.In(patterns.English)
	require.NoError(t, err)
	return say
}

func failed(id, cause string, breaks check.Breaks, steps ...check.Step) check.Result {
	return check.Result{ID: id, Status: check.Fail, Cause: cause, Breaks: breaks, Fixes: steps}
}

func order(l *Checklist) (causes []string) {
	for _, c := range l.Causes {
		causes = append(causes, c.Cause)
	}
	return causes
}

func TestWhatBreaksMostComesFirst(t *testing.T) {
	l := checklist(t,
		failed("chain-complete", "chain-incomplete", check.SomeClients),
		failed("cert-names", "hostname-mismatch", check.AllClients),
		failed("cert-dates", "cert-expired", check.AllClients),
		failed("key-match", "cert-key-mismatch", check.TheServer),
	)
	assert.Equal(t, []string{"cert-key-mismatch", "hostname-mismatch", "cert-expired", "chain-incomplete"}, order(l))
	l = checklist(t,
		failed("cert-names", "hostname-mismatch", check.AllClients),
		failed("cert-format", "chain-incomplete", check.SomeClients),
		failed("live-served", "chain-incomplete", check.TheServer),
	)
	assert.Equal(t, []string{"chain-incomplete", "hostname-mismatch"}, order(l), "the worst of the checks of a cause counts")
	assert.Equal(t, check.TheServer, l.Causes[0].Breaks)
}

func TestStepsOfChecksStandBeforeThoseOfTheirCauseOrInstead(t *testing.T) {
	first, second := check.Step{Key: "any.fix-files"}, check.Step{Key: "any.fix-all", Config: "a: b"}
	whole := checklist(t, failed("key-match", "cert-key-mismatch", check.TheServer)).Causes[0].Fixes
	require.NotEmpty(t, whole)
	fixes := checklist(t, failed("key-match", "cert-key-mismatch", check.TheServer, first), failed("chain-order", "cert-key-mismatch", check.TheServer, second)).Causes[0].Fixes
	require.Len(t, fixes, len(whole)+2)
	assert.Equal(t, "a: b", fixes[1].Config, "in the order of the checks")
	assert.Equal(t, whole, fixes[2:])
	instead := failed("key-match", "cert-key-mismatch", check.TheServer, first)
	instead.Instead = true
	assert.Len(t, checklist(t, instead).Causes[0].Fixes, 1)
}

// TestCertificateIsConfiguredBeforeWSSAddr: the other way round a server crashes
// at its first client (WuKongIM #424 has neither).
func TestCertificateIsConfiguredBeforeWSSAddr(t *testing.T) {
	config := filepath.Join(t.TempDir(), "wk.yaml")
	require.NoError(t, os.WriteFile(config, []byte("external: {wssAddr: 'wss://im.example.com:5210'}\n"), 0o600))
	for _, c := range []check.Configuration{
		{Compose: "../check/testdata/config/issue-424-only-the-external-address/docker-compose.yml"},
		{Config: config},
	} {
		all, err := c.Load()
		require.NoError(t, err)
		l := checklist(t, all[0].Check()...)
		require.Subset(t, order(l), []string{"cert-not-configured", "listen-address-invalid"})
		assert.Equal(t, "cert-not-configured", order(l)[0])
		for _, cause := range l.Causes {
			for _, fix := range cause.Fixes[:cause.own] {
				for _, key := range []string{"wssAddr: ", "WK_WSSADDR: "} {
					if !strings.Contains(fix.Config, key) {
						continue
					}
					for _, with := range []string{"certFile: ", "keyFile: ", "external:\n", "WK_WSSCONFIG_CERTFILE: ", "WK_WSSCONFIG_KEYFILE: ", "WK_EXTERNAL_WSSADDR: "} {
						assert.Contains(t, fix.Config, with, "%s: %s", cause.Cause, key)
					}
				}
			}
		}
		page := NewPage(Options{Say: english(t)})
		page.checklist(l)
		assert.Equal(t, 1, strings.Count(page.String(), "WK_WSSADDR: "), "told once")
		assert.Contains(t, page.String(), "The steps above fix this too.")
	}
}

// TestChecksThatWereNotMadeForOneReasonAreOneEntry: each name is there, the reason once.
func TestChecksThatWereNotMadeForOneReasonAreOneEntry(t *testing.T) {
	skipped := func(id, target, why string) check.Result {
		return check.Result{ID: id, Status: check.Skip, Key: why, Target: check.Value{Name: "target", V: target}}
	}
	l := checklist(t,
		skipped("live-tls13", "wss://a:1", "live-api.no-api"), skipped("live-tls12", "wss://a:1", "live-api.no-api"),
		skipped("live-names", "wss://a:1", "live-clock.no-date"), skipped("live-trust", "wss://b:1", "live-clock.no-date"))
	for i := range l.Checks { // as words of one language
		l.Checks[i].Detail = "because of " + l.Checks[i].Key
	}
	var text strings.Builder
	require.NoError(t, l.Write(&text, "table", Options{Say: english(t), Width: 80}))
	assert.Equal(t, 1, strings.Count(text.String(), "because of live-api.no-api"))
	assert.Equal(t, 2, strings.Count(text.String(), "because of live-clock.no-date"), "two targets")
	for _, line := range l.Checks {
		assert.Contains(t, text.String(), line.Title)
	}
}

// TestFirstCauseOfAChecklistIsShort: what the checks know is whole, of what the cause says
// there are two steps, and the rest is named.
func TestFirstCauseOfAChecklistIsShort(t *testing.T) {
	l := checklist(t, failed("live-tcp", "connection-interrupted", check.TheServer, check.Step{Key: "any.fix-files"}))
	require.Greater(t, len(l.Causes[0].Fixes), 3)
	var text strings.Builder
	require.NoError(t, l.Write(&text, "table", Options{Say: english(t), Width: 80}))
	assert.Contains(t, text.String(), " 2) ")
	assert.NotContains(t, text.String(), " 3) ")
	assert.Contains(t, text.String(), "wklog explain connection-interrupted")
	l = checklist(t, failed("live-tcp", "connection-interrupted", check.TheServer, check.Step{Key: "any.fix-files"}, check.Step{Key: "any.fix-all"}, check.Step{Key: "any.fix-own"}))
	text.Reset()
	require.NoError(t, l.Write(&text, "table", Options{Say: english(t), Width: 80}))
	assert.Contains(t, text.String(), " 3) ")
}

func TestStepsOfWarningsAndEachSkippedCheckAreShownOnDemand(t *testing.T) {
	warned := check.Result{ID: "cert-dates", Status: check.Warn, Cause: "cert-expired"}
	skipped := func(id string) check.Result { return check.Result{ID: id, Status: check.Skip, Key: "any.interrupted"} }
	l := checklist(t, warned, skipped("live-names"), skipped("live-trust"))
	page := func(verbose bool) string {
		var w strings.Builder
		require.NoError(t, l.Write(&w, "table", Options{Say: english(t), Verbose: verbose}))
		return w.String()
	}
	const step, both = "certbot renew", "Served certificate names, Served certificate trust"
	assert.NotContains(t, page(false), step)
	assert.Contains(t, page(false), both)
	assert.Contains(t, page(true), step)
	assert.NotContains(t, page(true), both)
}
