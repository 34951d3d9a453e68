package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// cluster are logs of three nodes: one whose certificate expired, one that is
// reached by a wrong name, and nginx in front.
func cluster(t *testing.T) []input {
	logs := recorded(t, "scenarios/expired-mixed-docker-json.log", "scenarios/hostname-mismatch-apps-docker-json.log")
	return append(logs, input{"logs/nginx-error.log", strings.Join([]string{
		`2026/05/04 01:30:12 [info] 31#31: *84 SSL_do_handshake() failed (SSL: error:0A000416:SSL routines::sslv3 alert certificate unknown:SSL alert number 46) while SSL handshaking, client: 203.0.113.9, server: 0.0.0.0:443`,
		`2026/05/04 01:30:14 [info] 31#31: *85 SSL_do_handshake() failed (SSL: error:0A000416:SSL routines::sslv3 alert certificate unknown:SSL alert number 46) while SSL handshaking, client: 203.0.113.9, server: 0.0.0.0:443`,
		`2026/05/04 01:31:40 [info] 31#31: *86 SSL_do_handshake() failed (SSL: error:0A0000C1:SSL routines::no shared cipher) while SSL handshaking, client: 2001:db8::7, server: 0.0.0.0:443`,
	}, "\n") + "\n"})
}

// compared is the report of the cluster, compared with one of its first node.
func compared(t *testing.T, lang patterns.Lang) *report.Document {
	old := analyse(t, patterns.English, append(recorded(t, "scenarios/expired-mixed-docker-json.log"), input{"logs/plain.log", "2026-05-04T01:30:20Z -------------------------->握手失败！--------------------------> tls: first record does not look like a TLS handshake handshakeStatusUnknown\n"}))
	read, err := report.ReadJSON(strings.NewReader(written(t, "json", old)))
	require.NoError(t, err)
	d := analyse(t, lang, cluster(t))
	d.AddError(report.Error{Source: "logs/broken.log.gz", Message: "unexpected EOF"})
	d.Compare(read)
	return d
}

func TestFormsInBothLanguages(t *testing.T) {
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		for _, form := range []string{"markdown", "csv", "sarif", "table"} {
			golden(t, "cluster."+string(lang)+"."+form, written(t, form, compared(t, lang)))
		}
		var all bytes.Buffer
		require.NoError(t, report.Write(&all, "table", compared(t, lang), report.Options{Say: printer(t, lang), Verbose: true}))
		golden(t, "cluster."+string(lang)+".verbose", all.String())
	}
}

func TestEventsInBothLanguages(t *testing.T) {
	c, err := patterns.Load()
	require.NoError(t, err)
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		var b bytes.Buffer
		events, err := report.NewEventsCSV(&b, c, printer(t, lang))
		require.NoError(t, err)
		d := analyse(t, lang, cluster(t), func(e *patterns.Event) { assert.NoError(t, events.Event(e)) })
		require.NoError(t, events.End(d))
		golden(t, "events."+string(lang)+".csv", b.String())
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata/golden", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, path)
}

// TestOwnReportsAreToldByTheirFirstBytes: in a folder of logs they are none.
func TestOwnReportsAreToldByTheirFirstBytes(t *testing.T) {
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		for _, form := range []string{"table", "json"} {
			text := written(t, form, compared(t, lang))
			assert.True(t, report.BeginsReport([]byte(text[:200])), form)
			assert.False(t, report.BeginsReport([]byte("x\n"+text[:200])), "what a visitor wrote into a log hides nothing")
		}
	}
	assert.True(t, report.BeginsReport([]byte(`{"schema":"wklog.event/v1","source":"a.log"}`)))
	assert.False(t, report.BeginsReport([]byte(`{"level":"info","msg":"{\"schema\": \"wklog.report/v1\""}`)))
}

func TestSameInputGivesSameBytes(t *testing.T) {
	for _, form := range report.Forms() {
		first := written(t, form, compared(t, patterns.English))
		for range 5 {
			require.Equal(t, first, written(t, form, compared(t, patterns.English)), form)
		}
	}
}

// TestCountsAgree adds up the counts by time, node, file and client.
func TestCountsAgree(t *testing.T) {
	var d report.Document
	require.NoError(t, json.Unmarshal([]byte(written(t, "json", analyse(t, patterns.English, cluster(t)))), &d))
	sum := func(list []int) (n int) {
		for _, count := range list {
			n += count
		}
		return n
	}
	require.Equal(t, 33+16+3, d.Summary.Events)
	assert.Equal(t, d.Summary.Events, sum(d.Timeline.Counts)+d.Timeline.Undated)
	nodes, files, clients := 0, 0, d.Clients.Other+d.Clients.Unknown
	for _, n := range d.Nodes {
		nodes += n.Count
		assert.Equal(t, n.Count, sum(n.Counts), n.Name)
	}
	for _, f := range d.Files {
		files += f.Count
		assert.Equal(t, nodeOf(f.Name), f.Node)
	}
	for _, c := range d.Clients.List {
		clients += c.Count
	}
	assert.Equal(t, []int{d.Summary.Events, d.Summary.Events, d.Summary.Events}, []int{nodes, files, clients})
	for i, f := range d.Findings {
		assert.Equal(t, f.Count, sum(d.Timeline.Patterns[i].Counts), f.Pattern)
	}
	assert.Equal(t, []string{"203.0.113.9", "2001:db8::7"}, []string{d.Clients.List[0].Name, d.Clients.List[1].Name})
}

func TestTopLeavesTheRestOut(t *testing.T) {
	d := analyse(t, patterns.English, cluster(t))
	for _, form := range report.Forms() {
		var b bytes.Buffer
		require.NoError(t, report.Write(&b, form, d, report.Options{Say: printer(t, patterns.English), Top: 1}))
		assert.Contains(t, b.String(), d.Findings[0].Pattern, form)
	}
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, "json", d, report.Options{Say: printer(t, patterns.English), Top: 1}))
	var short report.Document
	require.NoError(t, json.Unmarshal(b.Bytes(), &short))
	assert.Len(t, short.Findings, 1)
	assert.Equal(t, report.Omitted{Findings: len(d.Findings) - 1, Diagnosis: len(d.Diagnosis) - 1}, short.Omitted)
	_, err := report.ReadJSON(bytes.NewReader(b.Bytes()))
	assert.ErrorIs(t, err, report.ErrPartial)
}

func TestFormFollowsTheFilesEnding(t *testing.T) {
	for file, want := range map[string]string{
		"a.html": "html", "A.HTM": "html", "x/y.md": "markdown", "a.json": "json", "a.csv": "csv", "a.sarif": "sarif", "a.txt": "table",
	} {
		form, ok := report.FormOf(file)
		assert.True(t, ok)
		assert.Equal(t, want, form, file)
	}
	_, ok := report.FormOf("a.doc")
	assert.False(t, ok)
}

func TestEveryFormTellsOfAnEmptyResult(t *testing.T) {
	for _, form := range report.Forms() {
		d := analyse(t, patterns.English, []input{{"quiet.log", "2026-05-04T01:30:20Z all is well\n"}})
		d.Hints = append(d.Hints, report.Step{Text: "Read the output.", Command: "docker logs wukongim"})
		out := written(t, form, d)
		if form != "csv" && form != "sarif" {
			assert.Contains(t, out, "docker logs wukongim", form)
		}
		assert.NotEmpty(t, out)
	}
}
