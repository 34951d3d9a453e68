package report_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// everyRecordedLog are the recorded servers, and of each recorded fault one log.
func everyRecordedLog(t *testing.T) []input {
	t.Helper()
	const testdata = "../../../testdata/wukongim/"
	var logs []input
	for _, pattern := range []string{"scenarios/*.log", "servers/*/stdout.log"} {
		names, err := filepath.Glob(testdata + pattern)
		require.NoError(t, err)
		for _, name := range names {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			logs = append(logs, input{strings.TrimPrefix(name, "../../../"), string(data)})
		}
	}
	return append(logs, recordedFaults(t)...)
}

// recordedFaults are the longest logs of each recorded fault, by its name.
func recordedFaults(t *testing.T) []input {
	t.Helper()
	longest := map[string]string{}
	for _, name := range []string{"attempts.jsonl", "faults.jsonl", "startup.jsonl", "nginx.jsonl", "v3.jsonl"} {
		file, err := os.Open("../../../testdata/wukongim/" + name)
		require.NoError(t, err)
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var r struct {
				Cause, Stdout, Stderr string
				Out                   []string `json:"server_stdout"`
				Err                   []string `json:"server_stderr"`
				Lines                 []string
			}
			require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
			log := strings.Join(slices.Concat(r.Out, r.Err, r.Lines), "\n") + r.Stdout + "\n" + r.Stderr
			key := strings.TrimSuffix(name, ".jsonl") + "/" + r.Cause
			if len(log) > len(longest[key]) {
				longest[key] = log
			}
		}
		require.NoError(t, lines.Err())
	}
	var logs []input
	for key, log := range longest {
		logs = append(logs, input{key, log})
	}
	slices.SortFunc(logs, func(a, b input) int { return strings.Compare(a.name, b.name) })
	return logs
}

// displayed counts the lines of a terminal with so many columns.
func displayed(text string, width int) int {
	n := 0
	for line := range strings.Lines(text) {
		n += max(1, (uniseg.StringWidth(strings.TrimRight(line, "\n"))+width-1)/width)
	}
	return n
}

// TestReportOfOneIncidentHasFortyLines reads each recorded log in both languages.
func TestReportOfOneIncidentHasFortyLines(t *testing.T) {
	judged, longest := 0, 0
	for _, log := range everyRecordedLog(t) {
		for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
			d := analyse(t, lang, []input{log})
			d.AddHints(nil, false, printer(t, lang))
			fitsTerminals(t, d)
			if len(d.Incidents) != 1 {
				continue
			}
			judged++
			text := written(t, "table", d)
			lines := displayed(text, 80)
			longest = max(longest, lines)
			assert.LessOrEqual(t, lines, 40, "%s %s\n%s", log.name, lang, text)
			lead := d.Incidents[0].Diagnosis[0]
			assert.Contains(t, strings.Join(strings.Fields(text), " "), lead.Title)
			assert.Contains(t, text, "wklog explain "+lead.Cause, log.name)
			if lead.Decide != nil && d.Summary.Harmless < d.Summary.Events {
				assert.Contains(t, text, strings.Split(lead.Decide.Command, "\n")[0], log.name)
			}
		}
	}
	t.Log(judged, longest)
	assert.Greater(t, judged, 200)
	assert.Greater(t, longest, 35, "they use the room that they have")
}

// TestReportOfSeveralIncidentsFitsTerminals reads all recorded servers at once.
func TestReportOfSeveralIncidentsFitsTerminals(t *testing.T) {
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		d := analyse(t, lang, everyRecordedLog(t))
		require.Greater(t, len(d.Incidents), 10)
		fitsTerminals(t, d)
	}
}

// fitsTerminals checks that no line of a report is wider than the terminal but commands and
// what goes into files, which are there to be copied.
func fitsTerminals(t *testing.T, d *report.Document) {
	t.Helper()
	copied := linesToCopy(d)
	for _, shape := range []report.Options{{Width: 80}, {Width: 80, Verbose: true}, {Width: 100}} {
		var text bytes.Buffer
		shape.Say = printer(t, patterns.Lang(d.Lang))
		require.NoError(t, report.Write(&text, "table", d, shape))
		for line := range strings.Lines(text.String()) {
			line = strings.TrimRight(line, "\n")
			if uniseg.StringWidth(line) > shape.Width && !slices.ContainsFunc(copied, func(c string) bool { return strings.HasSuffix(line, c) }) {
				t.Errorf("%d columns on %d: %s", uniseg.StringWidth(line), shape.Width, line)
			}
		}
	}
}

// linesToCopy are those of the commands and configurations of a report.
func linesToCopy(d *report.Document) []string {
	var lines []string
	add := func(texts ...string) {
		for _, text := range texts {
			if strings.TrimSpace(text) != "" {
				lines = append(lines, strings.Split(strings.TrimSpace(text), "\n")...)
			}
		}
	}
	all := slices.Clone(d.Diagnosis)
	for _, in := range d.Incidents {
		all = append(all, in.Diagnosis...)
	}
	for _, c := range all {
		if c.Decide != nil {
			add(c.Decide.Command)
		}
		for _, v := range c.Verify {
			add(v.Command)
		}
		for _, f := range c.Fixes {
			add(f.Command, f.Config)
		}
	}
	return slices.DeleteFunc(lines, func(line string) bool { return len(line) < 40 })
}

// truthOfFaults are the causes of each recorded fault.
func truthOfFaults(t *testing.T) map[string][]string {
	t.Helper()
	data, err := os.ReadFile("../../../testdata/wukongim/truth.json")
	require.NoError(t, err)
	causes := map[string][]string{}
	require.NoError(t, json.Unmarshal(data, &causes))
	return causes
}
