package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
)

// run1 runs the program in this process, from the project's folder.
func run1(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	a, err := newApp(args)
	require.NoError(t, err)
	var out, errs bytes.Buffer
	a.stdout, a.stderr = &out, &errs
	status = a.execute(context.Background())
	return out.String(), errs.String(), status
}

// TestReportsInBothLanguages compares whole reports with those in
// testdata/golden; -update writes them anew, to be read before they are
// committed.
func TestReportsInBothLanguages(t *testing.T) {
	t.Setenv("TZ", "UTC")
	t.Chdir("../..")
	for name, path := range map[string]string{
		"expired":         "testdata/wukongim/scenarios/expired-mixed-docker-json.log",
		"hostname":        "testdata/wukongim/scenarios/hostname-mismatch-apps-docker-json.log",
		"healthy":         "testdata/wukongim/servers/ok",
		"wss-no-cert":     "testdata/wukongim/servers/wss-no-cert",
		"healthy-traffic": "testdata/wukongim/servers/healthy",
	} {
		for _, lang := range []string{"en", "zh"} {
			out, _, status := run1(t, "analyze", "--lang", lang, path)
			assert.Zero(t, status)
			for line := range strings.Lines(out) {
				assert.Equal(t, strings.TrimRight(line, " \n")+"\n", line, "space at a line's end")
			}
			golden := filepath.Join("cmd/wklog/testdata/golden", name+"."+lang+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
				require.NoError(t, os.WriteFile(golden, []byte(out), 0o644))
				continue
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), out, golden)
		}
	}
}

// TestLogsBesideTheOutputAddNothing compares a server's output alone with the
// output beside the log files of the same run.
func TestLogsBesideTheOutputAddNothing(t *testing.T) {
	t.Chdir("../../testdata/wukongim/servers")
	events := func(path string) (n int, patterns []string) {
		out, _, status := run1(t, "analyze", "--format", "json", path)
		require.Zero(t, status)
		var doc report.Document
		require.NoError(t, json.Unmarshal([]byte(out), &doc))
		for _, f := range doc.Findings {
			patterns = append(patterns, f.Pattern)
		}
		return doc.Summary.Events, patterns
	}
	for server, want := range map[string]int{"ok": 0, "expired": 14, "wss-no-cert": 1} {
		alone, found := events(server + "/stdout.log")
		beside, foundBeside := events(server)
		assert.Equal(t, want, alone, server)
		assert.Equal(t, want, beside, server)
		assert.Equal(t, found, foundBeside, server)
	}
}

// TestNumberOfWorkersChangesNothing reads all recordings, some of them several
// times in other forms, with one worker and with many.
func TestNumberOfWorkersChangesNothing(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "logs"), os.DirFS("../../testdata/wukongim")))
	data, err := os.ReadFile(filepath.Join(dir, "logs/servers/expired/stdout.log"))
	require.NoError(t, err)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write(bytes.Repeat(data, 50))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "logs/many.log.gz"), packed.Bytes(), 0o644))
	large := bytes.Repeat(data, 600) // some eight of the parts that workers take
	require.NoError(t, os.WriteFile(filepath.Join(dir, "logs/large.log"), large, 0o644))
	report := func(jobs string) string {
		out, _, _ := run1(t, "analyze", "--format", "json", "--jobs", jobs, dir)
		_, rest, ok := strings.Cut(out, `"lang"`) // behind the time of the report
		require.True(t, ok)
		return rest
	}
	want := report("1")
	require.Greater(t, len(want), 10_000)
	numbers := []string{"3", "2", "16"}
	if testing.Short() {
		numbers = numbers[:1]
	}
	for _, jobs := range numbers {
		assert.Equal(t, want, report(jobs), jobs)
	}
}

// TestTraceOverARotationIsOneEventWithItsCause cuts a start-up failure where its
// log is rotated.
func TestTraceOverARotationIsOneEventWithItsCause(t *testing.T) {
	data, err := os.ReadFile("../../testdata/wukongim/servers/wss-no-cert/stdout.log")
	require.NoError(t, err)
	at := bytes.Index(data, []byte("goroutine "))
	require.Positive(t, at)
	for _, cut := range []int{at, at + bytes.IndexByte(data[at:], '\n') + 1} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "server.log.1"), data[:cut], 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "server.log"), data[cut:], 0o644))
		out, _, status := run1(t, "analyze", "--format", "json", dir)
		require.Zero(t, status)
		var doc report.Document
		require.NoError(t, json.Unmarshal([]byte(out), &doc))
		require.Equal(t, 1, doc.Summary.Events)
		assert.Equal(t, "cert-not-configured", doc.Diagnosis[0].Cause)
		assert.Contains(t, doc.Findings[0].Samples[0].Text, "readClientHello")
	}
}
