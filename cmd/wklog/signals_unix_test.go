//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEndOfASessionReportsLikeCtrlC: the terminal and the shell send SIGHUP each, and
// neither is a second Ctrl-C, which would leave without a report.
func TestEndOfASessionReportsLikeCtrlC(t *testing.T) {
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("the tests run under nohup")
	}
	ctx, stop := interruptible(func() { t.Error("it leaves at once") })
	defer stop()
	here := make(chan os.Signal, 1)
	signal.Notify(here, syscall.SIGHUP)
	defer signal.Stop(here)
	for range 3 {
		require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGHUP))
		<-here
		<-ctx.Done()
	}
	assert.Error(t, ctx.Err())
}
