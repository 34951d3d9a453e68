package main

import (
	"bytes"
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
