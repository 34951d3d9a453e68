//go:build unix

package check

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// pipe makes a named pipe, which hangs whoever opens it.
func pipe(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(path, 0o600)) }
