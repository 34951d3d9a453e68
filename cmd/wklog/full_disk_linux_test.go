package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFollowerOutlastsAFullDisk: a disk that logs have filled is the day on which
// the follower is needed.
func TestFollowerOutlastsAFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("only root may mount a small disk")
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, 0) })
	dir := t.TempDir()
	log, out, state := filepath.Join(dir, "stdout.log"), filepath.Join(dir, "events"), filepath.Join(disk, "state.json")
	require.NoError(t, os.WriteFile(log, []byte(rawFailure(0)), 0o644))
	c := self(t, "wklog", "analyze", "-f", "--from-start", "--format", "jsonl", "--state", state, log)
	events, err := os.Create(out)
	require.NoError(t, err)
	defer events.Close()
	var complaints shared
	c.Stdout, c.Stderr = events, &complaints
	require.NoError(t, c.Start())
	told := func(n int) {
		t.Helper()
		require.Eventually(t, func() bool { return len(numbers(t, out)) == n }, time.Minute, time.Millisecond)
	}
	write := func(text string) {
		f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.WriteString(text)
		require.NoError(t, err)
	}
	told(1)
	require.Eventually(t, func() bool { _, err := os.Stat(state); return err == nil }, time.Minute, time.Millisecond)
	_ = os.WriteFile(filepath.Join(disk, "full"), make([]byte, 64<<10), 0o644) // as much as fits
	write(rawFailure(1))
	told(2)
	require.Eventually(t, func() bool { return strings.Contains(complaints.String(), "no space left") }, time.Minute, time.Millisecond)
	write(rawFailure(2))
	told(3)
	require.NoError(t, os.Remove(filepath.Join(disk, "full")))
	write(rawFailure(3))
	told(4)
	require.NoError(t, c.Process.Signal(os.Interrupt))
	err = c.Wait()
	assert.Equal(t, exitWrong, c.ProcessState.ExitCode(), "%v", err)
	assert.Equal(t, 1, strings.Count(complaints.String(), "no space left"))
	saved, err := os.ReadFile(state)
	require.NoError(t, err)
	assert.Contains(t, string(saved), `"lines": 4`)
}

// TestFullDiskLeavesTheEarlierReport: what is to take its place does not fit.
func TestFullDiskLeavesTheEarlierReport(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("only root may mount a small disk")
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, 0) })
	log, report := filepath.Join(t.TempDir(), "a.log"), filepath.Join(disk, "report.json")
	require.NoError(t, os.WriteFile(log, []byte(failureLine(1)), 0o644))
	require.NoError(t, os.WriteFile(report, []byte("earlier"), 0o644))
	_ = os.WriteFile(filepath.Join(disk, "full"), make([]byte, 64<<10), 0o644)
	for _, command := range [][]string{{"report", log}, {"doctor", "--offline", "--namespace", "none"}} {
		_, complaint, status := run1(t, append(command, "-o", report)...)
		assert.Equal(t, exitWrong, status)
		assert.Contains(t, complaint, "no space left on device")
		left, err := os.ReadDir(disk)
		require.NoError(t, err)
		assert.Len(t, left, 2, "nothing half done stays")
		assert.Equal(t, "earlier", string(read(t, report)))
	}
}
