package parser

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func feeding(records *[]*Record) *Feed {
	return NewFeed(Options{Search: search, Zone: time.UTC}, func(r *Record) error {
		*records = append(*records, r)
		return nil
	})
}

func settledBytes(f *Feed) int64 {
	bytes, _ := f.Settled()
	return bytes
}

// TestFeedGivesWhatReadGives cuts real logs at random places.
func TestFeedGivesWhatReadGives(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, name := range []string{"servers/wss-no-cert/stdout.log", "scenarios/expired-apps-kubectl.log", "scenarios/not-yet-valid-apps-cri.log"} {
		data, err := os.ReadFile("../testdata/wukongim/" + name)
		require.NoError(t, err)
		want, wantStats := read(t, strings.NewReader(string(data)))
		for _, longest := range []int{1, 20, 5000} {
			var got []*Record
			feed := feeding(&got)
			settled := int64(0)
			for rest := data; len(rest) > 0; {
				n := min(len(rest), 1+rng.IntN(longest))
				require.NoError(t, feed.Write(rest[:n], Arrival{}))
				rest = rest[n:]
				require.GreaterOrEqual(t, settledBytes(feed), settled, "what is settled stays so")
				settled = settledBytes(feed)
				require.LessOrEqual(t, settled, int64(len(data)-len(rest)))
			}
			require.NoError(t, feed.End())
			assert.Equal(t, want, got)
			assert.Equal(t, wantStats.Lines, feed.Stats().Lines)
			assert.EqualValues(t, len(data), settledBytes(feed))
		}
	}
}

// TestFeedGoesOnFromWhatIsSettled restarts at random places, as after a crash.
func TestFeedGoesOnFromWhatIsSettled(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	data, err := os.ReadFile("../testdata/wukongim/servers/wss-no-cert/stdout.log")
	require.NoError(t, err)
	want, _ := read(t, strings.NewReader(string(data)))
	require.NotEmpty(t, want)
	for cut := range data {
		if cut%7 > 0 && !bytes.Contains(data[max(0, cut-2):min(cut+2, len(data))], []byte("\n")) {
			continue // inside a line a few are as good as all
		}
		var got []*Record
		first := feeding(&got)
		require.NoError(t, first.Write(data[:cut], Arrival{}))
		at := settledBytes(first)
		second := feeding(&got)
		second.Skip(at, -1)
		require.NoError(t, second.Write(data[at:], Arrival{}))
		require.NoError(t, second.End())
		require.Len(t, got, len(want), "cut at %d", cut)
		for i := range want {
			require.Equal(t, want[i].Text, got[i].Text)
			require.Equal(t, want[i].Offset, got[i].Offset)
		}
		require.EqualValues(t, len(data), at+settledBytes(second))
	}
}

func TestFeedJoinsATraceOverARotation(t *testing.T) {
	panicked := "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n"
	var got []*Record
	feed := feeding(&got)
	require.NoError(t, feed.Write([]byte("a line\n"+panicked), Arrival{}))
	assert.EqualValues(t, len("a line\n"), settledBytes(feed))
	require.NoError(t, feed.Rotate())
	require.NoError(t, feed.Write([]byte("\t/app/main.go:7 +0x1d\nexit status 2\n"), Arrival{}))
	assert.EqualValues(t, len("a line\n"), settledBytes(feed))
	assert.Empty(t, got)
	require.NoError(t, feed.Flush())
	require.Len(t, got, 1)
	assert.Contains(t, got[0].Text, "main.go:7")
	assert.EqualValues(t, 2, got[0].Line)
	require.NoError(t, feed.Write([]byte(handshakeLine), Arrival{}))
	require.NoError(t, feed.Rotate())
	require.NoError(t, feed.Flush())
	require.Len(t, got, 2)
	assert.EqualValues(t, 3, got[1].Line, "lines count from the start of the file")
	assert.EqualValues(t, settledBytes(feed), len("a line\n"+panicked)+len("\t/app/main.go:7 +0x1d\nexit status 2\n"+handshakeLine))
}

// live feeds lines that arrive some seconds after 09:30 on May 4th.
func live(t *testing.T, feed *Feed, second float64, waited bool, lines ...string) {
	t.Helper()
	at := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC).Add(time.Duration(second * float64(time.Second)))
	require.NoError(t, feed.Write([]byte(strings.Join(lines, "\n")+"\n"), Arrival{At: at, Waited: waited}))
	require.False(t, feed.Waiting(), "a live log waits for no date")
}

// datedLine is an entry of some seconds after 09:30.
func datedLine(second int) string {
	at := time.Date(2026, 5, 4, 9, 30, second, 0, time.UTC)
	return `{"level":"info","time":"` + at.Format(time.RFC3339) + `","msg":"【Server】hello"}`
}

func TestUndatedLineOfALiveLogTakesTheTimeThatIsNear(t *testing.T) {
	const hour = 3600
	for name, c := range map[string]struct {
		feed func(*Feed)
		want float64 // seconds after 09:30
	}{
		"alone: its arrival":            {func(f *Feed) { live(t, f, 5, false, handshakeLine) }, 5},
		"after a record that came with": {func(f *Feed) { live(t, f, 3*hour, false, datedLine(0), handshakeLine) }, 0},
		"before a record that came with it, where none stands before": {func(f *Feed) {
			live(t, f, 3*hour, false, handshakeLine, datedLine(7))
		}, 7},
		"a moment after a record": {func(f *Feed) {
			live(t, f, 0, false, datedLine(0))
			live(t, f, 1, true, handshakeLine)
		}, 0},
		"long after a record: its arrival": {func(f *Feed) {
			live(t, f, 0, false, datedLine(0))
			live(t, f, 75, true, handshakeLine)
		}, 75},
		"long after, without a pause that was seen": {func(f *Feed) {
			live(t, f, 0, false, datedLine(0))
			live(t, f, 75, false, handshakeLine)
		}, 75},
		"after a pause behind an old record": {func(f *Feed) {
			live(t, f, 3*hour, false, datedLine(0))
			live(t, f, 3*hour+0.5, true, handshakeLine)
		}, 3*hour + 0.5},
		"further in the lines that were there": {func(f *Feed) {
			live(t, f, 3*hour, false, datedLine(0))
			live(t, f, 3*hour+0.1, false, "a line")
			live(t, f, 3*hour+0.2, false, handshakeLine)
		}, 0},
		"nearer to the record that came with it than to an old one": {func(f *Feed) {
			live(t, f, 0, false, datedLine(0))
			live(t, f, 50, true, handshakeLine, datedLine(49))
		}, 49},
	} {
		t.Run(name, func(t *testing.T) {
			var got []*Record
			c.feed(feeding(&got))
			var found *Record
			for _, r := range got {
				if r.Kind == KindHandshake {
					found = r
				}
			}
			require.NotNil(t, found)
			assert.True(t, found.TimeInferred)
			want := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC).Add(time.Duration(c.want * float64(time.Second)))
			assert.Equal(t, want, found.Stamp.Time.UTC())
		})
	}
}

func TestLinesCountFromTheStartOfAFileThatIsReadFromItsMiddle(t *testing.T) {
	var got []*Record
	feed := feeding(&got)
	feed.Skip(1000, 7)
	live(t, feed, 1, false, "a line", handshakeLine)
	require.NoError(t, feed.Rotate())
	feed.Skip(1000, -1)
	live(t, feed, 2, false, handshakeLine)
	require.Len(t, got, 2)
	assert.EqualValues(t, 9, got[0].Line)
	assert.EqualValues(t, 1000+len("a line\n"), got[0].Offset)
	assert.Zero(t, got[1].Line, "nobody counted what stands before it")
	assert.EqualValues(t, 3, feed.Stats().Lines, "of those that were read")
}
