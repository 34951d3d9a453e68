//go:build unix

package program

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOutputIsWhatAProgramPrints(t *testing.T) {
	out, complaint, err := Output(t.Context(), 100, "sh", "-c", "echo said; echo hint >&2")
	require.NoError(t, err)
	assert.Equal(t, "said\n", string(out))
	assert.Equal(t, "hint\n", complaint)
}

func TestArgumentsAreNotReadByAShell(t *testing.T) {
	out, _, err := Output(t.Context(), 100, "printf", "%s|", "$(id)", "; id", "a b")
	require.NoError(t, err)
	assert.Equal(t, "$(id)|; id|a b|", string(out))
}

func TestProgramHasNothingToRead(t *testing.T) {
	out, _, err := Output(t.Context(), 100, "cat")
	require.NoError(t, err)
	assert.Empty(t, out)
}

func TestProgramThatFailsGivesWhatCameBefore(t *testing.T) {
	out, _, err := Output(t.Context(), 100, "sh", "-c", "echo half; echo first >&2; echo 'the reason' >&2; exit 3")
	assert.Equal(t, "half\n", string(out))
	assert.ErrorContains(t, err, "sh: the reason")
}

func TestProgramThatIsMissingIsNamed(t *testing.T) {
	_, _, err := Output(t.Context(), 100, "no-such-program")
	assert.ErrorContains(t, err, "no-such-program: executable file not found")
}

func TestProgramThatFloodsIsEnded(t *testing.T) {
	out, _, err := Output(t.Context(), 1000, "yes")
	assert.Len(t, out, 1000)
	assert.ErrorIs(t, err, ErrTooMuch)
	out, _, err = Output(t.Context(), 5, "printf", "12345")
	assert.Equal(t, "12345", string(out))
	assert.NoError(t, err, "which is all of it")
}

// The sleeping child holds the pipes of its parent.
func TestProgramThatHangsIsEndedWithItsChildren(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	out, _, err := Output(ctx, 100, "sh", "-c", "echo before; sleep 1000 & sleep 1000")
	assert.Equal(t, "before\n", string(out))
	assert.ErrorIs(t, err, ErrTooLong)
}

func TestProgramThatIsClosedEnds(t *testing.T) {
	running, err := Start(t.Context(), 1<<20, "yes")
	require.NoError(t, err)
	_, err = io.ReadFull(running, make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, running.Close())
	assert.Error(t, running.cmd.Process.Signal(nil), "it is gone")
}
