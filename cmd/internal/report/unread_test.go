package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// unwrapped is a text without what a form wraps it with.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), "") }

// TestNoFormIsSilentBesideWhatWasNotRead: that nothing was found says nothing of an input,
// or of a stretch of time, that was not read. A note about one that was read changes
// nothing.
func TestNoFormIsSilentBesideWhatWasNotRead(t *testing.T) {
	for lang, silence := range map[patterns.Lang]string{patterns.English: "No TLS failure found", patterns.Chinese: "没有发现 TLS 失败"} {
		say := printer(t, lang)
		quiet := func(e ...report.Error) *report.Document {
			d := analyse(t, lang, []input{{"quiet.log", "2026-05-04T01:30:20Z all is well\n"}})
			require.Empty(t, d.Findings)
			for _, one := range e {
				d.AddError(one)
			}
			return d
		}
		gap := report.Error{Source: "loki://engine:3100", Message: "not read: 12:00 to 13:00"}
		for _, form := range report.Forms() {
			out := written(t, form, quiet(gap, gap))
			assert.NotContains(t, out, silence, form)
			assert.Contains(t, out, gap.Message, form)
			said := map[string]string{"json": `"unread": 2`, "csv": say.Say("report.unread"), "sarif": `"executionSuccessful": false`}[form]
			if said == "" {
				said = say.Say("summary.unread", 2)
				assert.Contains(t, unwrapped(out), unwrapped(say.Say("silence.unread")), form)
			}
			assert.Contains(t, unwrapped(out), unwrapped(said), form)

			out = written(t, form, quiet(report.Error{Source: "quiet.log", Message: "times are whole seconds", Note: true}))
			if form == "table" || form == "markdown" || form == "html" {
				assert.Contains(t, out, silence, form)
			}
			assert.NotContains(t, out, `"executionSuccessful": false`, form)
			assert.NotContains(t, out, `"unread": 1`, form)
		}
	}
}
