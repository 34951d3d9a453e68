package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
)

// toldEvents reads the events in a file; a line that a kill cut is passed over.
func toldEvents(t *testing.T, out string) []report.Event {
	t.Helper()
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	var all []report.Event
	for line := range bytes.Lines(data) {
		var e report.Event
		if json.Unmarshal(line, &e) == nil {
			all = append(all, e)
		}
	}
	return all
}

// TestUndatedFailuresOutlastRotationsAndKills lets a server write raw lines alone
// over rotations of each kind, while the program is killed and started again. None
// is lost, and what is told again came after the last save.
func TestUndatedFailuresOutlastRotationsAndKills(t *testing.T) {
	const files, every, kills = 51, 10, 4
	const busy = 10 * time.Second // from the writing of a line to its reading, at most, on a machine that has other things to do
	lines := streamLines()
	for _, kind := range append(slices.Sorted(maps.Keys(rotations)), "lumberjack") {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			log, state := filepath.Join(dir, "stdout.log"), filepath.Join(dir, "state.json")
			require.NoError(t, os.WriteFile(log, nil, 0o644))
			writer := self(t, "writer", log, strconv.Itoa(lines), strconv.Itoa(files), "20000", strconv.Itoa(every), "raw", kind)
			var outs []string
			var saved []time.Time
			for run := range kills + 1 {
				out := filepath.Join(dir, "events."+strconv.Itoa(run))
				_ = os.Remove(state + ".lock") // of the process that was killed
				c := follower(t, out, "--state", state, log)
				outs = append(outs, out)
				if run == 0 {
					require.Eventually(t, func() bool { _, err := os.Stat(state); return err == nil }, time.Minute, time.Millisecond)
					require.NoError(t, writer.Start())
				}
				if run < kills {
					some := lines / every / (kills + 1) / 2
					more := some + rand.IntN(some)
					require.Eventually(t, func() bool { return bytes.Count(read(t, out), []byte("\n")) > more }, 2*time.Minute, time.Millisecond)
					require.NoError(t, c.Process.Kill())
					_ = c.Wait()
					info, err := os.Stat(state)
					require.NoError(t, err)
					saved = append(saved, info.ModTime())
					continue
				}
				require.NoError(t, writer.Wait())
				require.Eventually(t, func() bool { _, err := os.Stat(state + ".lock"); return err == nil }, time.Minute, time.Millisecond, "it listens to signals by then")
				require.NoError(t, c.Process.Signal(syscall.SIGINT))
				require.NoError(t, c.Wait())
			}
			told := map[int]time.Time{} // when each failure came that an earlier run told
			again := 0
			for run, out := range outs {
				mine := map[int]bool{}
				for _, e := range toldEvents(t, out) {
					require.True(t, e.TimeInferred)
					n := numberOf(e.Message)
					require.False(t, mine[n], "%d was told twice by run %d", n, run)
					mine[n] = true
					if at, before := told[n]; before {
						again++
						require.WithinRange(t, at, saved[run-1].Add(-busy), time.Now(), "told again, though it was saved as told")
					}
					told[n] = *e.Time
				}
			}
			assert.Len(t, told, lines/every, "lost")
			t.Logf("%d failures, %d told again after %d kills", len(told), again, kills)
		})
	}
}

func read(t testing.TB, name string) []byte {
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return data
}

// TestServerMayEndBeforeItsReader: Ctrl-C reaches both sides of a pipe.
func TestServerMayEndBeforeItsReader(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	server, c := self(t, "last words"), self(t, "wklog")
	var out shared
	server.Stdout, c.Stdin, c.Stdout = w, r, &out
	require.NoError(t, server.Start())
	require.NoError(t, c.Start())
	require.NoError(t, w.Close())
	require.NoError(t, r.Close())
	require.Eventually(t, func() bool { return bytes.Contains([]byte(out.String()), []byte("Alert 46")) }, time.Minute, time.Millisecond)
	require.NoError(t, c.Process.Signal(os.Interrupt))
	require.NoError(t, server.Process.Signal(os.Interrupt))
	assert.NoError(t, server.Wait(), "it was not ended by a closed pipe")
	require.NoError(t, c.Wait())
	assert.Contains(t, out.String(), "TLS failures: 2, ")
}
