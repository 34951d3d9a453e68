package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
)

// truth is what the generator of the archive says of it.
type truth struct {
	Events, Duplicates, Lines int
	Bytes                     int64
	Patterns, Nodes, Days     map[string]int
}

// archive makes the logs of a cluster: a small one, or of as many MiB as
// ARCHIVE_SIZE asks for with ten nodes and thirty days.
func archive(t testing.TB, nodes, days, size string) (folder string, want truth) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "cluster")
	c := exec.Command("go", "run", "./testdata/archive", "-o", folder, "-nodes", nodes, "-days", days, "-size", size)
	c.Dir = "../.."
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	data, err := os.ReadFile(folder + ".truth.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &want))
	require.Greater(t, want.Events, 50)
	return folder, want
}

// TestReportsOverAnArchiveAreTrue compares every form with what the archive was
// made of.
func TestReportsOverAnArchiveAreTrue(t *testing.T) {
	nodes, days, size := "3", "7", "24"
	if large := os.Getenv("ARCHIVE_SIZE"); large != "" {
		nodes, days, size = "10", "30", large
	}
	folder, want := archive(t, nodes, days, size)
	written := func(ending string, args ...string) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "report"+ending)
		_, stderr, status := run1(t, append([]string{"report", folder, "-o", file, "--generated", "2026-06-01", "--tz", "UTC", "--lang", "en"}, args...)...)
		require.Zero(t, status, stderr)
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		return string(data)
	}
	var doc report.Document
	require.NoError(t, json.Unmarshal([]byte(written(".json")), &doc))
	assert.Equal(t, want.Events, doc.Summary.Events)
	assert.Equal(t, want.Duplicates, doc.Summary.Duplicates)
	assert.EqualValues(t, want.Lines, doc.Summary.Lines)
	assert.Equal(t, want.Bytes, doc.Summary.Bytes)
	patterns, byNode, byDay := map[string]int{}, map[string]int{}, map[string]int{}
	for _, f := range doc.Findings {
		patterns[f.Pattern] = f.Count
	}
	for _, n := range doc.Nodes {
		byNode[n.Name] = n.Count
	}
	require.Equal(t, "day", doc.Timeline.Unit)
	for i, start := range doc.Timeline.Starts {
		if n := doc.Timeline.Counts[i]; n > 0 {
			byDay[start.Format("2006-01-02")] = n
		}
	}
	assert.Equal(t, want.Patterns, patterns)
	assert.Equal(t, want.Nodes, byNode)
	assert.Equal(t, want.Days, byDay)

	total := strconv.Itoa(want.Events)
	for _, ending := range []string{".txt", ".md", ".html"} {
		text := written(ending)
		assert.Contains(t, text, "TLS failures: "+total, ending)
		for pattern, n := range want.Patterns {
			assert.Contains(t, text, pattern, ending)
			assert.Contains(t, text, strconv.Itoa(n), ending)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(written(".csv"), "\ufeff"))).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 1+len(want.Patterns))
	rows, err = csv.NewReader(strings.NewReader(strings.TrimPrefix(written(".csv", "--events"), "\ufeff"))).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 1+want.Events)
	var sarif struct {
		Runs []struct {
			Results []struct{ OccurrenceCount int }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(written(".sarif")), &sarif))
	sum := 0
	for _, r := range sarif.Runs[0].Results {
		sum += max(r.OccurrenceCount, 1)
	}
	assert.Equal(t, want.Events, sum)

	commandless := regexp.MustCompile(`(?s)"command": \[.*?\],`)
	one, many := written(".json", "--jobs", "1"), written(".json", "--jobs", "7")
	assert.Equal(t, commandless.ReplaceAllString(one, ""), commandless.ReplaceAllString(many, ""), "the number of workers shows")
}

// BenchmarkArchive measures reports over an archive of 512 MiB and one of four times that:
// the most memory each takes, their ratio, and the time against one worker's.
func BenchmarkArchive(b *testing.B) {
	small, _ := archive(b, "10", "30", "512")
	large, _ := archive(b, "10", "30", "2048")
	report := func(folder string, args ...string) (seconds, mebibytes float64) {
		c := self(b, "wklog", append([]string{"report", folder, "-o", filepath.Join(b.TempDir(), "report.html")}, args...)...)
		start := time.Now()
		require.NoError(b, c.Run())
		usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
		require.True(b, ok)
		return time.Since(start).Seconds(), float64(usage.Maxrss) / 1024
	}
	for b.Loop() {
		_, before := report(small)
		both, after := report(large)
		one, _ := report(large, "--jobs", "1")
		b.ReportMetric(before, "MiB-for-512")
		b.ReportMetric(after, "MiB-for-2048")
		b.ReportMetric(after/before, "memory-ratio")
		b.ReportMetric(both/one, "time-to-one-job")
	}
}
