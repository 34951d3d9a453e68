package parser

import (
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
				require.NoError(t, feed.Write(rest[:n]))
				rest = rest[n:]
				require.GreaterOrEqual(t, feed.Settled(), settled, "what is settled stays so")
				settled = feed.Settled()
				require.LessOrEqual(t, settled, int64(len(data)-len(rest)))
			}
			require.NoError(t, feed.End())
			assert.Equal(t, want, got)
			assert.Equal(t, wantStats.Lines, feed.Stats().Lines)
			assert.EqualValues(t, len(data), feed.Settled())
		}
	}
}

// TestFeedGoesOnFromWhatIsSettled restarts at random places, as after a crash.
func TestFeedGoesOnFromWhatIsSettled(t *testing.T) {
	data, err := os.ReadFile("../testdata/wukongim/servers/wss-no-cert/stdout.log")
	require.NoError(t, err)
	want, _ := read(t, strings.NewReader(string(data)))
	require.NotEmpty(t, want)
	for cut := range data {
		var got []*Record
		first := feeding(&got)
		require.NoError(t, first.Write(data[:cut]))
		at := first.Settled()
		second := feeding(&got)
		second.Skip(at)
		require.NoError(t, second.Write(data[at:]))
		require.NoError(t, second.End())
		require.Len(t, got, len(want), "cut at %d", cut)
		for i := range want {
			require.Equal(t, want[i].Text, got[i].Text)
			require.Equal(t, want[i].Offset, got[i].Offset)
		}
		require.EqualValues(t, len(data), at+second.Settled())
	}
}

func TestFeedJoinsATraceOverARotation(t *testing.T) {
	panicked := "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n"
	var got []*Record
	feed := feeding(&got)
	require.NoError(t, feed.Write([]byte("a line\n"+panicked)))
	assert.EqualValues(t, len("a line\n"), feed.Settled())
	require.NoError(t, feed.Rotate())
	require.NoError(t, feed.Write([]byte("\t/app/main.go:7 +0x1d\nexit status 2\n")))
	assert.EqualValues(t, len("a line\n"), feed.Settled())
	assert.Empty(t, got)
	require.NoError(t, feed.Flush())
	require.Len(t, got, 1)
	assert.Contains(t, got[0].Text, "main.go:7")
	assert.EqualValues(t, 2, got[0].Line)
	require.NoError(t, feed.Write([]byte(handshakeLine)))
	require.NoError(t, feed.Rotate())
	require.NoError(t, feed.Flush())
	require.Len(t, got, 2)
	assert.EqualValues(t, 3, got[1].Line, "lines count from the start of the file")
	assert.EqualValues(t, feed.Settled(), len("a line\n"+panicked)+len("\t/app/main.go:7 +0x1d\nexit status 2\n"+handshakeLine))
}

func TestSilenceHandsOutWhatWaits(t *testing.T) {
	var got []*Record
	feed := feeding(&got)
	require.NoError(t, feed.Write([]byte(handshakeLine+"\n")))
	assert.True(t, feed.Waiting(), "for a time")
	require.NoError(t, feed.Flush())
	assert.False(t, feed.Waiting())
	require.Len(t, got, 1)
	require.NoError(t, feed.Write([]byte(handshakeLine+"\n")))
	require.Len(t, got, 2, "a log that gave no time is not waited for again")
}
