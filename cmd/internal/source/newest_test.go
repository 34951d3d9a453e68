package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noting is a visitor that notes what it reads, part by part.
type noting struct {
	parts *[]string
	read  func(*Log) error
}

func (n noting) Read(l *Log) error {
	if n.read != nil {
		if err := n.read(l); err != nil {
			return err
		}
	}
	text, err := io.ReadAll(l)
	*n.parts = append(*n.parts, string(text))
	if l.Begins != nil {
		*l.Begins, _ = time.ParseInLocation("2006/01/02 15:04:05", string(text[:len("2006/01/02 15:04:05")]), time.Local)
	}
	return err
}

func (noting) End() {}

// rotatedLog writes a log of an entry of two lines a second, in three files the oldest of
// which is compressed.
func rotatedLog(t *testing.T, folder string) (lines []string) {
	t.Helper()
	for i := range 90 {
		line := fmt.Sprintf("2026/05/04 01:%02d:%02d line %d\n\tand more of it\n", i/60, i%60, i)
		lines = append(lines, line)
	}
	text := func(from, to int) string { return strings.Join(lines[from:to], "") }
	require.NoError(t, os.WriteFile(filepath.Join(folder, "server.log.2.gz"), gzipped(t, text(0, 30)), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "server.log.1"), []byte(text(30, 60)), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "server.log"), []byte(text(60, 90)), 0o644))
	return lines
}

// TestNewestPartsOfLargeLogsAreReadFirst: each line once, no entry in two parts, and a
// compressed file at once.
func TestNewestPartsOfLargeLogsAreReadFirst(t *testing.T) {
	folder := t.TempDir()
	lines := rotatedLog(t, folder)
	for _, most := range []int64{1, 100, 777, 1500, 1 << 20} {
		var parts []string
		failures := Reading{Args: []string{folder}, Newest: most, Visit: func() Visitor { return noting{parts: &parts} }}.Walk(t.Context())
		assert.Empty(t, failures)
		read := ""
		for _, part := range parts {
			assert.True(t, strings.HasPrefix(part, "2026/05/04 "), "an entry in two parts: %q", part)
			if most < 1<<20 {
				read = part + read
			} else {
				read += part // not large
			}
		}
		assert.Equal(t, strings.Join(lines, ""), read, most)
		if most == 777 {
			assert.Len(t, parts, 5, "two of either, and the compressed one")
		}
	}
}

// deadline is a context whose time is up when a test says so.
type deadline struct {
	context.Context
	over chan struct{}
}

func (d *deadline) Done() <-chan struct{} { return d.over }

func (d *deadline) Err() error {
	select {
	case <-d.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// TestTimeThatIsUpIsToldOfTheOldestParts, with the time from when on all was read, once of
// each log; and of files that are not large that the newest lines were not read.
func TestTimeThatIsUpIsToldOfTheOldestParts(t *testing.T) {
	for _, c := range []struct {
		most int64
		ends int // before how many parts were read
		want string
	}{
		{777, 0, "doctor.log-late"}, {777, 2, "doctor.log-older2026-05-04 01:01:00"}, {777, 3, "doctor.log-older2026-05-04 01:00:"}, {1 << 20, 2, "doctor.log-late"},
	} {
		folder := t.TempDir()
		rotatedLog(t, folder)
		ctx := &deadline{t.Context(), make(chan struct{})}
		var parts []string
		failures := Reading{Args: []string{folder}, Newest: c.most, Visit: func() Visitor {
			return noting{&parts, func(*Log) error {
				if len(parts) < c.ends {
					return nil
				}
				close(ctx.over)
				return ctx.Err()
			}}
		}}.Walk(ctx)
		require.Len(t, failures, 1, "%v", failures)
		assert.Equal(t, filepath.Join(folder, "server.log"), failures[0].Source)
		assert.Contains(t, failures[0].Err.Error(), c.want)
	}
}

// TestNewestOfAllLogsComesBeforeTheOlderOfOne: also before those of a log that is no file.
func TestNewestOfAllLogsComesBeforeTheOlderOfOne(t *testing.T) {
	folder := t.TempDir()
	rotatedLog(t, folder)
	given := func(text string, more bool) Given {
		return Given{Name: "journal", More: more, Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
	}
	var parts []string
	failures := Reading{
		Args: []string{folder}, Newest: 777, Given: []Given{given("newest", false), given("older", true)},
		Visit: func() Visitor { return noting{parts: &parts} },
	}.Walk(t.Context())
	assert.Empty(t, failures)
	require.Len(t, parts, 7)
	assert.Equal(t, []string{"newest", "older"}, []string{parts[1], parts[3]})
}

// TestBrokenPartIsTold as any file is.
func TestBrokenPartIsTold(t *testing.T) {
	folder := t.TempDir()
	rotatedLog(t, folder)
	broken := errors.New("broken")
	var parts []string
	failures := Reading{Args: []string{folder + "/server.log"}, Newest: 777, Visit: func() Visitor {
		return noting{&parts, func(l *Log) error {
			if l.From > 0 {
				return broken
			}
			return nil
		}}
	}}.Walk(t.Context())
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0].Err, broken)
	assert.Len(t, parts, 1)
}

// TestLinesWithoutTimesAreSaidToHaveNone: from when on a log was read they do not tell.
func TestLinesWithoutTimesAreSaidToHaveNone(t *testing.T) {
	assert.EqualError(t, OnlyFrom(true, time.Time{}), "doctor.log-part")
	assert.EqualError(t, OnlyFrom(false, time.Time{}), "doctor.log-late")
}
