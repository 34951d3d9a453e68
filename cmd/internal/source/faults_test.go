//go:build unix

package source

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFollowerOutlastsFaultsOfTheDisk: what cannot be read for a while is named, once
// for each reason, and read when it can be; nothing is told twice for it.
func TestFollowerOutlastsFaultsOfTheDisk(t *testing.T) {
	log := filepath.Join(t.TempDir(), "server.log")
	require.NoError(t, os.WriteFile(log, []byte("one\n"), 0o644))
	var count atomic.Int64
	var named []string
	out := &lines{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	faults := []error{syscall.EIO, syscall.ESTALE, syscall.EINTR, syscall.EIO}
	f := &Follow{
		Paths: []string{log}, FromStart: true, Deliver: out.deliver, Tick: func() error {
			if len(out.all) == 2 && int(count.Load()) > 2*len(faults) {
				cancel()
			}
			return nil
		},
		Report: func(failure Failure) { named = append(named, failure.Source+": "+failure.Err.Error()) },
		// Once the first line is read, every second reading fails: of the place that
		// was reached, and of the start by which the file is known again.
		fault: func(_ string, offset int64) error {
			if len(out.all) == 0 {
				return nil
			}
			n := int(count.Add(1))
			if n == 1 {
				appendTo(t, log, "two\n")
			}
			if n%2 == 1 && n/2 < len(faults) {
				return &os.PathError{Op: "read", Path: log, Err: faults[n/2]}
			}
			return nil
		},
	}
	require.NoError(t, f.Run(ctx))
	assert.Equal(t, []string{"one", "two"}, out.all)
	slices.Sort(named)
	want := []string{}
	for _, fault := range faults[:3] {
		want = append(want, log+": "+fault.Error())
	}
	slices.Sort(want)
	assert.Equal(t, want, named)
}

// TestPipeWithoutWriterIsWaitedForUntilTheEnd: opening it blocks for ever.
func TestPipeWithoutWriterIsWaitedForUntilTheEnd(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan *os.File)
	go func() {
		w := &walker{ctx: ctx}
		file, err := w.openFile(pipe)
		assert.NoError(t, err)
		opened <- file
	}()
	cancel()
	assert.Nil(t, <-opened)
	// A writer frees what was left behind, whenever that comes to open the pipe: this one
	// stays to the end of the tests.
	_, err := syscall.Open(pipe, syscall.O_RDWR, 0)
	require.NoError(t, err)
}

// TestPipeIsReadOnceItHasAWriter: the name of a pipe is a log like any other.
func TestPipeIsReadOnceItHasAWriter(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	go func() {
		w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
		if assert.NoError(t, err) {
			_, _ = w.WriteString("line\n")
			w.Close()
		}
	}()
	w := &walker{ctx: t.Context()}
	file, err := w.openFile(pipe)
	require.NoError(t, err)
	defer file.Close()
	var b strings.Builder
	_, err = file.WriteTo(&b)
	require.NoError(t, err)
	assert.Equal(t, "line\n", b.String())
}

// TestStateWhoseFolderVanishesIsWrittenWhenItIsBack: it is told once.
func TestStateWhoseFolderVanishesIsWrittenWhenItIsBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.Mkdir(dir, 0o755))
	state, err := OpenState(filepath.Join(dir, "state.json"))
	require.NoError(t, err)
	defer state.Close()
	var named []string
	f := &Follow{State: state, told: map[string]bool{}, Report: func(failure Failure) { named = append(named, failure.Source) }}
	memory := func() any { return nil }
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, f.SaveAll(memory))
	require.NoError(t, f.SaveAll(memory))
	assert.Equal(t, []string{state.path}, named)
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, f.SaveAll(memory))
	assert.FileExists(t, state.path)
}

// TestLockThatWasTakenAwayIsNone: of two processes that wait for a third, one holds
// the state.
func TestLockThatWasTakenAwayIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json.lock")
	first, err := lockFile(path)
	require.NoError(t, err)
	late, err := os.OpenFile(path, os.O_RDWR, 0) // opened before the first one ended
	require.NoError(t, err)
	defer late.Close()
	unlockFile(first)
	second, err := lockFile(path)
	require.NoError(t, err)
	defer unlockFile(second)
	assert.False(t, hasName(late, path))
	assert.True(t, hasName(second, path))
}
