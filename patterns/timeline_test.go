package patterns_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	require.NoError(t, err)
	return z
}

func TestScaleFollowsTheSpan(t *testing.T) {
	start := time.Date(2026, 5, 6, 9, 30, 20, 0, zone(t, "Asia/Shanghai")) // a Wednesday
	for _, c := range []struct {
		span        time.Duration
		unit, first string
		bins        int
	}{
		{0, "minute", "2026-05-06T09:30:00+08:00", 1},
		{2 * time.Hour, "minute", "2026-05-06T09:30:00+08:00", 121},
		{2*time.Hour + 1, "hour", "2026-05-06T09:00:00+08:00", 3},
		{72 * time.Hour, "hour", "2026-05-06T09:00:00+08:00", 73},
		{30 * 24 * time.Hour, "day", "2026-05-06T00:00:00+08:00", 31},
		{401 * 24 * time.Hour, "week", "2026-05-04T00:00:00+08:00", 58},
		{290 * 365 * 24 * time.Hour, "year", "2026-01-01T00:00:00+08:00", 291},
	} {
		s := patterns.ScaleOf(start, start.Add(c.span))
		require.Len(t, s.Starts, c.bins, c.unit)
		assert.Equal(t, c.unit, s.Unit)
		assert.Equal(t, c.first, s.Starts[0].Format(time.RFC3339))
	}
	assert.Empty(t, patterns.ScaleOf(time.Time{}, start).Starts)
	assert.Empty(t, patterns.ScaleOf(start, start.Add(-1)).Starts)
}

func TestDaysFollowTheCalendarWhenTheClockChanges(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	s := patterns.ScaleOf(time.Date(2026, 3, 26, 12, 0, 0, 0, berlin), time.Date(2026, 4, 1, 12, 0, 0, 0, berlin))
	for _, start := range s.Starts {
		assert.Equal(t, "00:00:00", start.Format(time.TimeOnly), start)
	}
	var line patterns.Timeline
	for _, at := range []time.Time{
		time.Date(2026, 3, 28, 23, 59, 59, 0, berlin), time.Date(2026, 3, 29, 0, 0, 0, 0, berlin),
		time.Date(2026, 3, 29, 23, 59, 59, 0, berlin), time.Date(2026, 3, 30, 0, 0, 0, 0, berlin),
	} {
		line.Add(at)
	}
	assert.Equal(t, []int{0, 0, 1, 2, 1, 0, 0}, line.On(s))
}

// TestTimelineAddsUpToDaysOfEveryZone counts a failure every five minutes of a
// year, more than a timeline has bins for.
func TestTimelineAddsUpToDaysOfEveryZone(t *testing.T) {
	for _, name := range []string{"UTC", "Asia/Shanghai", "America/New_York"} {
		at := zone(t, name)
		start, end := time.Date(2026, 1, 1, 0, 0, 0, 0, at), time.Date(2027, 1, 1, 0, 0, 0, 0, at)
		var line patterns.Timeline
		for when := start; when.Before(end); when = when.Add(5 * time.Minute) {
			line.Add(when)
		}
		scale := patterns.ScaleOf(start, end.Add(-1))
		counts := line.On(scale)
		require.Len(t, counts, 365)
		for i, n := range counts {
			hours := scale.Starts[i].AddDate(0, 0, 1).Sub(scale.Starts[i]).Hours()
			assert.Equal(t, int(hours)*12, n, scale.Starts[i])
		}
	}
}

func TestTimelineLosesNothingOutsideOfTheScale(t *testing.T) {
	var line patterns.Timeline
	start := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	for _, offset := range []time.Duration{-time.Hour, 0, time.Minute, time.Hour, -100 * 365 * 24 * time.Hour} {
		line.Add(start.Add(offset))
	}
	assert.Equal(t, []int{3, 2}, line.On(patterns.ScaleOf(start, start.Add(time.Minute))))
	line.Remove(start)
	assert.Equal(t, []int{2, 2}, line.On(patterns.ScaleOf(start, start.Add(time.Minute))))
}
