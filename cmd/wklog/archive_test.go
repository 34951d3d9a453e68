package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

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

// TestHostileArchivesAreReadAndNothingIsWritten makes archives as an attacker
// or a full disk would.
func TestHostileArchivesAreReadAndNothingIsWritten(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "archive"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "outside.log"), []byte(handshakeLine), 0o644))
	file := func(name string, data []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "archive", name), data, 0o644))
	}
	gz, err := compressed(strings.Repeat(handshakeLine, 1000))
	require.NoError(t, err)
	checksum := bytes.Clone(gz)
	checksum[len(checksum)-8] ^= 0xff
	file("checksum.log.gz", checksum)
	file("twice.log.gz", append(bytes.Clone(gz), gz...))
	file("padded.log.gz", append(bytes.Clone(gz), make([]byte, 1024)...))
	file("names.zip", zipped(t, "../../escape.log", "/etc/cron.d/escape", "a\x1b[2Jb\r\nc\u202e.log", `..\..\windows.log`))
	file("odd.tar", tarred(t))
	before := listing(t, dir)

	out, stderr, status := run1(t, "report", filepath.Join(dir, "archive"), "--format", "json", "--lang", "en")
	assert.Equal(t, before, listing(t, dir))
	assert.Equal(t, exitWrong, status)
	var doc report.Document
	require.NoError(t, json.Unmarshal([]byte(out), &doc))
	// checksum: what came before damage counts; twice and padded: all; one line in each
	// member of names.zip; the regular file of odd.tar.
	assert.Equal(t, 1000+2000+1000+4+1, doc.Summary.Events)
	damaged := []string{}
	for _, e := range doc.Errors {
		damaged = append(damaged, filepath.Base(e.Source))
		assert.NotContains(t, stderr, "\x1b")
	}
	assert.Equal(t, []string{"checksum.log.gz"}, damaged)
	for _, form := range report.Forms() {
		text, _, _ := run1(t, "report", filepath.Join(dir, "archive"), "--format", form, "--lang", "en")
		assert.NotContains(t, text, "\x1b", form)
		if form == "csv" || form == "html" {
			assert.NotContains(t, text, "\u202e", form)
			assert.Contains(t, text, `a\x1b[2Jb`, form)
		}
	}
}

// zipped holds a failure under each of the names.
func zipped(t *testing.T, names ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		member, err := w.Create(name)
		require.NoError(t, err)
		_, err = member.Write([]byte(handshakeLine))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// tarred holds links, devices, a named pipe and one log.
func tarred(t *testing.T) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "passwd.log", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		{Name: "hard.log", Typeflag: tar.TypeLink, Linkname: "../outside.log"},
		{Name: "zero.log", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 5},
		{Name: "disk.log", Typeflag: tar.TypeBlock, Devmajor: 8},
		{Name: "pipe.log", Typeflag: tar.TypeFifo},
		{Name: "../../../escape.log", Typeflag: tar.TypeReg, Size: int64(len(handshakeLine)), Mode: 0o4755},
	} {
		require.NoError(t, w.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg {
			_, err := w.Write([]byte(handshakeLine))
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// listing are the files of a folder with their contents.
func listing(t *testing.T, dir string) map[string]string {
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			data, readErr := os.ReadFile(path)
			files[path], err = string(data), readErr
		}
		return err
	}))
	return files
}
