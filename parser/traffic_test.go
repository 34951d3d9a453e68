package parser

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
