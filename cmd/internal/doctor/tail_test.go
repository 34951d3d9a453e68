package doctor

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// grown is a log to which a line is added each time that it is opened, if it grows; lines
// are longer than what is kept of one at once now and then.
type grown struct {
	lines []string
	grows bool
}

func (g *grown) add() {
	text := strings.Repeat("x", len(g.lines)%7*20_000)
	g.lines = append(g.lines, fmt.Sprintf("2026-05-04T01:00:%02d.%09dZ line %s\n", len(g.lines)%60, len(g.lines), text))
}

func (g *grown) log() Log {
	return Log{Open: func(_ context.Context, _ time.Time, newest int) (io.ReadCloser, error) {
		text := strings.Join(g.lines[max(0, len(g.lines)-newest):], "")
		if g.grows {
			g.add()
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

// TestLogIsReadNewestFirstAndEachLineOnce: as far back as the last piece goes.
func TestLogIsReadNewestFirstAndEachLineOnce(t *testing.T) {
	for _, grows := range []bool{false, true} {
		for _, count := range []int{0, 1, 2, 3, 4, 9, 10, 11, 29, 30, 31, 50} {
			g := &grown{}
			for range count {
				g.add()
			}
			g.grows = grows
			tail := g.log().Tail(time.Time{})
			tail.sizes = []int{3, 10, 30}
			read, told := "", error(nil)
			for _, open := range tail.Pieces() {
				r, err := open(t.Context())
				require.NoError(t, err)
				if r == nil {
					continue
				}
				text, err := io.ReadAll(r)
				read = string(text) + read
				if err != nil {
					told = err
				}
			}
			begin := max(0, count-30)
			if grows {
				begin = max(0, count-28) // two were written meanwhile
			}
			assert.True(t, read == strings.Join(g.lines[begin:count], ""), "%d lines, grows: %v", count, grows)
			assert.NoError(t, tail.Unread())
			if count >= 30 {
				assert.EqualError(t, told, "doctor.newest30")
			} else if count < 26 {
				assert.NoError(t, told)
			}
		}
	}
}

// TestTimeThatIsUpLeavesTheOldestLinesUnread, and tells from when on all was read.
func TestTimeThatIsUpLeavesTheOldestLinesUnread(t *testing.T) {
	g := &grown{}
	for range 20 {
		g.add()
	}
	for hangs, want := range map[int]string{3: "doctor.log-late", 10: "doctor.log-older2026-05-04 01:00:17", 30: "doctor.log-older2026-05-04 01:00:10"} {
		synctest.Test(t, func(t *testing.T) { // whose time passes where all wait
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			log := g.log()
			open := log.Open
			log.Open = func(ctx context.Context, since time.Time, newest int) (io.ReadCloser, error) {
				if newest == hangs {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return open(ctx, since, newest)
			}
			tail := log.Tail(time.Time{})
			tail.sizes = []int{3, 10, 30}
			var told error
			for _, open := range tail.Pieces() {
				r, err := open(ctx)
				if err == nil && r != nil {
					_, err = io.Copy(io.Discard, r)
				}
				if err != nil {
					told = err
				}
			}
			cancel()
			require.EqualError(t, told, strings.Replace(want, "2026-05-04 01", time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC).Local().Format("2006-01-02 15"), 1))
			assert.Equal(t, told.Error(), tail.Unread().Error())
		})
	}
}

// TestLogThatBreaksOffIsNotReadAgain: what came of it would be counted twice.
func TestLogThatBreaksOffIsNotReadAgain(t *testing.T) {
	g := &grown{}
	for range 20 {
		g.add()
	}
	opened := 0
	log := Log{Open: func(ctx context.Context, since time.Time, newest int) (io.ReadCloser, error) {
		opened++
		r, err := g.log().Open(ctx, since, newest)
		if newest == 10 {
			r = io.NopCloser(io.MultiReader(strings.NewReader(g.lines[10]), brokenReader{}))
		}
		return r, err
	}}
	tail := log.Tail(time.Time{})
	tail.sizes = []int{3, 10, 30}
	for _, open := range tail.Pieces() {
		r, err := open(t.Context())
		require.NoError(t, err)
		if r != nil {
			_, _ = io.Copy(io.Discard, r)
		}
	}
	assert.Equal(t, 2, opened)
	assert.Error(t, tail.Unread())
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestTimeOfALineIsThatOfItsEngine(t *testing.T) {
	at := time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC)
	for _, line := range []string{at.Format(time.RFC3339Nano) + " text", fmt.Sprintf(`{"_PID":"1","__REALTIME_TIMESTAMP":"%d"}`, at.UnixMicro())} {
		assert.True(t, at.Equal(timeIn([]byte(line))), line)
	}
	assert.Zero(t, timeIn([]byte("text")))
}
