package parser

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTrafficOfAmountsHasATimeAfterEachStep, however they are cut up.
func TestTrafficOfAmountsHasATimeAfterEachStep(t *testing.T) {
	from := time.Date(2026, 5, 4, 1, 30, 0, 0, time.UTC)
	at := func(minutes float64) time.Time { return from.Add(time.Duration(minutes * float64(time.Minute))) }
	var busy Traffic
	busy.Wrote(at(0), at(10), 160)   // 16 a minute
	busy.Wrote(at(10), at(20), 1600) // 160 a minute
	busy.Wrote(at(60), at(61), 5)    // less than a step
	busy.Wrote(at(61), at(62), 16)
	assert.Equal(t, int64(10), busy.Step)
	assert.Len(t, busy.Times, 16+160+3)
	assert.Equal(t, at(0), busy.Times[0])
	assert.Equal(t, at(5), busy.Times[8])
	assert.Equal(t, at(15), busy.Times[16+80])
	assert.Equal(t, at(60), busy.Times[16+160])
	assert.Equal(t, at(61+5.0/16), busy.Times[16+160+1])

	var long Traffic
	for minute := range 10_000 {
		long.Wrote(at(float64(minute)), at(float64(minute+1)), 1000)
	}
	assert.Less(t, len(long.Times), maxTimes)
	assert.GreaterOrEqual(t, len(long.Times), maxTimes/4)
	assert.Equal(t, at(0), long.Times[0])
	width := long.Times[1].Sub(long.Times[0])
	for i, one := range long.Times[1:] {
		assert.InDelta(t, width.Seconds(), one.Sub(long.Times[i]).Seconds(), 60, i)
	}
	assert.Less(t, at(10_000).Sub(long.Times[len(long.Times)-1]), 2*width)
}

// TestTrafficOfALogIsSpreadOverIt: more times of a longer log, but no more than are kept,
// and as many of each part.
func TestTrafficOfALogIsSpreadOverIt(t *testing.T) {
	start := time.Date(2026, 4, 4, 0, 0, 0, 0, time.UTC)
	for lines, want := range map[int][2]int{100: {4, 8}, 1_000: {16, 32}, 20_000: {64, 128}, 200_000: {128, 256}} {
		var log bytes.Buffer
		for n := range lines {
			fmt.Fprintf(&log, `{"level":"info","time":%q,"msg":"【Server】user online"}`+"\n", start.Add(time.Duration(n)*time.Second).Format(time.RFC3339))
		}
		stats, err := Read(t.Context(), &log, Options{}, func(*Record) error { return nil })
		require.NoError(t, err)
		times := stats.Traffic.Times
		assert.GreaterOrEqual(t, len(times), want[0], "%d lines", lines)
		assert.LessOrEqual(t, len(times), want[1], "%d lines", lines)
		apart := float64(lines) / float64(len(times))
		for i, at := range times {
			assert.InDelta(t, float64(i)*apart, at.Sub(start).Seconds(), 2*apart, "time %d of %d lines", i, lines)
		}
	}
}
