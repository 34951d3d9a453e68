package source

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCopyTruncateLosesOnlyWhatIsWrittenInBetween(t *testing.T) {
	for _, packed := range []bool{false, true} {
		dir := t.TempDir()
		path := write(t, dir, "server.log", nil)
		var l lines
		stop := following(t, &Follow{Paths: []string{path}}, &l)
		appendTo(t, path, "one\ntwo\n")
		l.settles(t, "one", "two")
		// A burst, the copy and the cut come before the follower can read: what it
		// has not read stands in the copy only.
		l.mutex.Lock()
		appendTo(t, path, "three\nfour\n")
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		if packed {
			write(t, dir, "server.log.1.gz", gzipped(t, string(data)))
		} else {
			write(t, dir, "server.log.1", data)
		}
		require.NoError(t, os.Truncate(path, 0))
		appendTo(t, path, "five\nsix\nseven, so that the file is longer than before\n")
		l.mutex.Unlock()
		l.settles(t, "one", "two", "three", "four", "five", "six", "seven, so that the file is longer than before")
		assert.Empty(t, stop())
	}
}

// TestFileThatIsWrittenAnewWithTheSameStartIsReadAgain: what a server prints when it
// starts stands at the head of both.
func TestFileThatIsWrittenAnewWithTheSameStartIsReadAgain(t *testing.T) {
	banner := strings.Split(strings.Repeat("the server prints this line whenever it starts\n", 2*headBytes/47), "\n")
	banner = banner[:len(banner)-1]
	head := strings.Join(banner, "\n") + "\n"
	path := write(t, t.TempDir(), "server.log", nil)
	var l lines
	stop := following(t, &Follow{Paths: []string{path}}, &l)
	appendTo(t, path, head+"one\n")
	l.settles(t, append(slices.Clone(banner), "one")...)
	l.mutex.Lock()
	require.NoError(t, os.Truncate(path, 0))
	appendTo(t, path, head+"two\nthree\n")
	l.mutex.Unlock()
	l.settles(t, slices.Concat(banner, []string{"one"}, banner, []string{"two", "three"})...)
	assert.Empty(t, stop())
}

// resumed makes a log of a line, which is followed from its start by each run, and goes on
// where the one before stood, until what was read in all is as wanted.
func resumed(t *testing.T, dir string) (path string, run func(want ...string) []Failure) {
	path, state := write(t, dir, "info.log", []byte("one\n")), filepath.Join(dir, "state.json")
	var l lines
	return path, func(want ...string) []Failure {
		s, err := OpenState(state)
		require.NoError(t, err)
		defer s.Close()
		l.carry = nil
		stop := following(t, &Follow{Paths: []string{path}, FromStart: true, State: s}, &l)
		l.settles(t, want...)
		return stop()
	}
}

func TestRotationToGzipWhileItIsRead(t *testing.T) {
	dir := t.TempDir()
	path, run := resumed(t, dir)
	assert.Empty(t, run("one"))
	// The rest is written, packed and taken away while nobody follows; another
	// piece is rotated, and a new file begins.
	write(t, dir, "info-2026-05-04T01-30-00.000.log.gz", gzipped(t, "one\ntwo\n"))
	write(t, dir, "info-2026-05-04T02-30-00.000.log", []byte("three\n"))
	require.NoError(t, os.Remove(path))
	appendTo(t, path, "four\n")
	assert.Empty(t, run("one", "two", "three", "four"))
}

// TestRotatedPieceIsReadOnceThoughItsSizeIsNotWhatItTells: one that is cut off or damaged is
// named, and what can be read of it is read; the last four bytes of gzip tell the length of
// the last member alone.
func TestRotatedPieceIsReadOnceThoughItsSizeIsNotWhatItTells(t *testing.T) {
	packed := gzipped(t, "one\ntwo\n")
	damaged := bytes.Clone(packed)
	damaged[len(damaged)-5] ^= 1 // a byte of the checksum
	for name, c := range map[string]struct {
		content []byte
		named   bool
	}{
		"cut off":     {packed[:len(packed)-8], true},
		"damaged":     {damaged, true},
		"two members": {slices.Concat(gzipped(t, "one\n"), gzipped(t, "two\n")), false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, run := resumed(t, dir)
			assert.Empty(t, run("one"))
			write(t, dir, "info-2026-05-04T01-30-00.000.log.gz", c.content)
			require.NoError(t, os.Remove(path))
			appendTo(t, path, "three\n")
			for range 2 { // and not after a restart either
				failures := run("one", "two", "three")
				if assert.Equal(t, c.named, len(failures) == 1, "%v", failures); c.named {
					assert.Contains(t, failures[0].Source, ".log.gz")
					assert.ErrorIs(t, failures[0].Err, ErrDamaged)
				}
				c.named = false
			}
		})
	}
}

// TestPipesAmongPiecesAreNotWaitedFor: to open one waits for who writes to it.
func TestPipesAmongPiecesAreNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	path, pipe := write(t, dir, "info.log", []byte("one\n")), filepath.Join(dir, "pipe.log")
	for _, name := range []string{pipe, path + ".1"} {
		if out, err := exec.Command("mkfifo", name).CombinedOutput(); err != nil {
			t.Skipf("no pipe can be made: %s", out)
		}
	}
	var l lines
	stop := following(t, &Follow{Paths: []string{path, pipe}, FromStart: true}, &l)
	l.settles(t, "one")
	failures := stop()
	require.Len(t, failures, 1)
	assert.Equal(t, pipe, failures[0].Source)
	assert.ErrorIs(t, failures[0].Err, ErrNoFile)
}

// TestPieceThatCannotBeOpenedIsNamedWhereItMayHoldWhatIsLost, and not called removed.
func TestPieceThatCannotBeOpenedIsNamedWhereItMayHoldWhatIsLost(t *testing.T) {
	dir := t.TempDir()
	path, run := resumed(t, dir)
	assert.Empty(t, run("one"))
	write(t, dir, "info.log.1.gz", gzipped(t, "one\ntwo\n")[:5])
	require.NoError(t, os.Remove(path))
	appendTo(t, path, "three\n")
	failures := run("one", "three")
	require.Len(t, failures, 2)
	assert.ErrorIs(t, failures[0].Err, ErrLost)
	assert.Equal(t, filepath.Join(dir, "info.log.1.gz"), failures[1].Source)
	assert.ErrorIs(t, failures[1].Err, ErrDamaged)
}

// TestPiecesAreReadOldestFirst: most rotations count from the newest piece, some from
// the oldest, and the times of the last changes tell.
func TestPiecesAreReadOldestFirst(t *testing.T) {
	for name, c := range map[string]struct {
		minutes []int // after which piece 1, 2, … was written last
		want    string
	}{
		"the highest number is the oldest": {[]int{30, 20, 10}, "3 2 1"},
		"the lowest number is the oldest":  {[]int{10, 20, 30}, "1 2 3"},
		"most of the times say so":         {[]int{10, 30, 20, 40}, "1 2 3 4"},
		"all were copied at one time":      {[]int{10, 10, 10}, "3 2 1"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for i, minutes := range c.minutes {
				piece := write(t, dir, fmt.Sprintf("server.log.%d", i+1), []byte("a line\n"))
				at := time.Date(2026, 5, 4, 1, minutes, 0, 0, time.UTC)
				require.NoError(t, os.Chtimes(piece, at, at))
			}
			l := Followed{Name: filepath.Join(dir, "server.log"), folder: dir}
			var got []string
			for _, p := range l.rotatedPieces() {
				got = append(got, strings.TrimPrefix(filepath.Ext(p.path), "."))
			}
			assert.Equal(t, c.want, strings.Join(got, " "))
		})
	}
}

func TestRotatedNames(t *testing.T) {
	for name, want := range map[string]string{
		"info-2026-05-04T01-30-00.000.log": "info.log", "info-2026-05-04T01-30-00.000.log.gz": "info.log",
		"server.log.1": "server.log", "server.log.12.gz": "server.log", "server.log-20260504": "server.log",
		"server.log.2026-05-04.zst": "server.log", "app-20260504.log": "app.log",
		"info.log": "", "wk.yaml": "", "im-01.log": "",
	} {
		log, rotated := rotationOf(name)
		assert.Equal(t, want != "", rotated, name)
		if want != "" {
			assert.Equal(t, want, log, name)
		}
	}
}
