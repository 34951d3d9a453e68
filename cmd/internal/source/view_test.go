package source

import (
	"context"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
)

// TestFileThatIsCutWhileItIsReadEndsEarlier truncates a file of which the later
// parts are about to be looked at where they lie.
func TestFileThatIsCutWhileItIsReadEndsEarlier(t *testing.T) {
	const line = "2026/05/04 01:30:00 http: TLS handshake error from 203.0.113.7:4711: EOF\n"
	const size, left = 64 << 20, 1 << 20
	for _, workers := range []int{1, 2, 8} {
		path := write(t, t.TempDir(), "a.log", []byte(strings.Repeat(line, size/len(line))))
		f, err := os.Open(path)
		require.NoError(t, err)
		defer f.Close()
		records := 0
		stats, err := parser.ReadAt(context.Background(), storedFile{File: f}, size/int64(len(line))*int64(len(line)), workers, parser.Options{}, func(*parser.Record) error {
			if records++; records == 1 {
				require.NoError(t, os.Truncate(path, left))
			}
			return nil
		})
		require.NoError(t, err)
		assert.GreaterOrEqual(t, stats.Lines, int64(1))
		assert.Less(t, stats.Lines, int64(size/len(line)), "%d workers", workers)
	}
}

// TestFileThatGrowsIsReadToItsFormerEnd appends to a file while it is read.
func TestFileThatGrowsIsReadToItsFormerEnd(t *testing.T) {
	const line = "a line of a log that grows\n"
	const lines = 1 << 20
	path := write(t, t.TempDir(), "a.log", []byte(strings.Repeat(line, lines)))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	require.NoError(t, err)
	defer f.Close()
	grown := false
	stats, err := parser.ReadAt(context.Background(), storedFile{File: f}, int64(lines*len(line)), runtime.NumCPU(), parser.Options{}, func(*parser.Record) error {
		if !grown {
			grown = true
			_, err := io.WriteString(f, strings.Repeat(line, 1000))
			require.NoError(t, err)
		}
		return nil
	})
	require.NoError(t, err)
	assert.EqualValues(t, lines, stats.Lines)
}
