package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// TestWhatIsToldFirstOfEachRecordedFault lets each recorded fault come as a stream: what
// is told of the first line is a table, to be read. A change is told only where the cause
// of that line is sure, and then it is the true one.
func TestWhatIsToldFirstOfEachRecordedFault(t *testing.T) {
	c, err := loadOnce()
	require.NoError(t, err)
	truth := truthOfFaults(t)
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		say := printer(t, lang)
		var table strings.Builder
		for _, log := range recordedFaults(t) {
			var first *patterns.Event
			analyse(t, lang, []input{log}, func(e *patterns.Event) {
				if first == nil && e.Pattern.Severity != patterns.SeverityInfo {
					first = e
				}
			})
			if first == nil {
				continue
			}
			var live strings.Builder
			l := report.NewLive(&live, c, report.Options{Say: say, Width: 120}, false, time.Hour)
			require.NoError(t, l.Event(first))
			_, fault, _ := strings.Cut(log.name, "/")
			told := live.String()
			changes := strings.Contains(told, " "+say.Say("live.fix"))
			if causes := truth[fault]; changes && causes != nil {
				require.NotEmpty(t, first.Causes, fault)
				assert.GreaterOrEqual(t, first.Causes[0].Score, 0.9, fault)
				assert.True(t, slices.Contains(causes, first.Causes[0].ID), "%s: a fix of %s is told for %v", log.name, first.Causes[0].ID, causes)
			}
			assert.True(t, changes || strings.Contains(told, say.Say("live.look")), log.name)
			fmt.Fprintf(&table, "%s\n", log.name)
			for line := range strings.Lines(told) {
				table.WriteString("    " + line)
			}
		}
		golden(t, "live."+string(lang)+".txt", table.String())
	}
}

func TestNewsOfAGuessAlarmsNobody(t *testing.T) {
	c, err := loadOnce()
	require.NoError(t, err)
	incident := func(cause string, confidence float64, checks ...string) *patterns.Incident {
		return &patterns.Incident{Diagnosis: []patterns.Diagnosis{{Cause: c.Cause(cause), Side: patterns.SideServer, Advice: c.Advice(c.Cause(cause), patterns.Program{Component: patterns.ComponentWuKongIM}), Confidence: confidence, Checks: checks}}}
	}
	for _, at := range []struct {
		news report.News
		want patterns.Severity
	}{
		{report.News{What: report.Begins, Incident: incident("clock-skew", 0.6)}, patterns.SeverityWarning},
		{report.News{What: report.Begins, Incident: incident("cert-expired", 0.88)}, patterns.SeverityWarning},
		{report.News{What: report.Begins, Incident: incident("cert-expired", 0.95)}, patterns.SeverityError},
		{report.News{What: report.Changes, Incident: incident("cert-expired", 0.5, "cert-dates")}, patterns.SeverityError},
		{report.News{What: report.Ends, Incident: incident("cert-expired", 0.95)}, patterns.SeverityInfo},
	} {
		at.news.Incident.Over = 1
		assert.Equal(t, at.want, at.news.Severity(), "%+v", at.news.Incident.Diagnosis[0])
		at.news.Host = "im01"
		b := at.news.Bulletin(printer(t, patterns.English))
		assert.Equal(t, report.BulletinFact{Name: "Host:", Value: "im01"}, b.Facts[0])
		switch {
		case at.news.What == report.Ends:
			assert.Empty(t, b.Text)
			assert.Contains(t, b.Title, "(99 % sure)", "the rhythm of failures proves nothing")
		case at.want == patterns.SeverityError:
			assert.Contains(t, b.Text, "First: ")
		default:
			assert.Contains(t, b.Text, "Look first: ")
			assert.Contains(t, b.Command, "wklog check")
		}
	}
}

func TestNewsNamesStandardInputInWords(t *testing.T) {
	c, err := loadOnce()
	require.NoError(t, err)
	news := report.News{What: report.Begins, Incident: &patterns.Incident{Diagnosis: []patterns.Diagnosis{{Cause: c.Cause("cert-expired")}}, Sources: []string{"-", "server.log"}}}
	for lang, want := range map[patterns.Lang]string{patterns.English: "standard input, server.log", patterns.Chinese: "标准输入, server.log"} {
		assert.Equal(t, want, news.Bulletin(printer(t, lang)).Facts[0].Value)
	}
	assert.Equal(t, "-", news.Incident.Sources[0], "programs get the name as it is")
}
