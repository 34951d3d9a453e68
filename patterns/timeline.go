package patterns

import (
	"maps"
	"slices"
	"time"
)

// maxBins bounds a timeline's memory: an hour each for more than a year.
const maxBins = 10_000

// grains are the widths of a timeline's bins. The offset of every time zone is
// a multiple of a quarter of an hour, so that bins of that width and below add
// up to the hours and days of any zone.
var grains = []time.Duration{time.Second, time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour, 365 * 24 * time.Hour}

// Timeline counts events over time in bins whose width grows with the number of
// bins, so that its size stays bounded. The zero value is empty.
type Timeline struct {
	grain int
	bins  map[int64]int
}

// Add counts one event.
func (t *Timeline) Add(at time.Time) { t.add(at, 1) }

func (t *Timeline) add(at time.Time, count int) {
	if t.bins == nil {
		t.bins = map[int64]int{}
	}
	t.bins[t.bin(at.Unix())] += count
	for len(t.bins) > maxBins && t.grain < len(grains)-1 {
		t.widen()
	}
}

// Remove takes back an event that was added.
func (t *Timeline) Remove(at time.Time) {
	bin := t.bin(at.Unix())
	if t.bins[bin] > 1 {
		t.bins[bin]--
		return
	}
	delete(t.bins, bin)
}

func (t *Timeline) seconds() int64 { return int64(grains[t.grain] / time.Second) }

func (t *Timeline) bin(second int64) int64 {
	width := t.seconds()
	if second < 0 {
		return (second - width + 1) / width
	}
	return second / width
}

func (t *Timeline) widen() {
	old, width := t.bins, t.seconds()
	t.grain++
	t.bins = make(map[int64]int, len(old)/2)
	for bin, n := range old {
		t.bins[t.bin(bin*width)] += n
	}
}

// Spread returns the counts over n equal parts of the time from first to last.
func (t *Timeline) Spread(first, last time.Time, n int) []int {
	parts := make([]int, n)
	span := last.Unix() - first.Unix() + 1
	for bin, count := range t.bins {
		part := (bin*t.seconds() - first.Unix()) * int64(n) / span
		parts[min(max(part, 0), int64(n-1))] += count
	}
	return parts
}

// On returns the counts over the bins of a scale. What lies outside of it is
// counted in its first or last bin, so that nothing is lost.
func (t *Timeline) On(s Scale) []int {
	counts := make([]int, len(s.Starts))
	if len(counts) == 0 {
		return counts
	}
	for _, bin := range slices.Sorted(maps.Keys(t.bins)) {
		at := time.Unix(bin*t.seconds(), 0)
		i, exact := slices.BinarySearchFunc(s.Starts, at, time.Time.Compare)
		if !exact {
			i = max(i-1, 0)
		}
		counts[i] += t.bins[bin]
	}
	return counts
}

// Scale divides a span of time by the calendar of a time zone.
type Scale struct {
	// Unit is minute, hour, day, week or year; empty for a span that is not
	// known.
	Unit string
	// Starts are the beginnings of the bins, in order and without a gap.
	Starts []time.Time
}

// ScaleOf chooses the scale for the time from first to last: minutes up to two
// hours, hours up to three days, days up to 400 days, weeks, which begin on
// Monday (ISO 8601), up to ten years, then years. The calendar is that of
// first's zone.
func ScaleOf(first, last time.Time) Scale {
	if first.IsZero() || last.Before(first) {
		return Scale{}
	}
	last = last.In(first.Location())
	year, month, day := first.Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, first.Location())
	const oneDay = 24 * time.Hour
	switch span := last.Sub(first); {
	case span <= 2*time.Hour:
		return Scale{Unit: "minute", Starts: every(time.Minute, midnight, first, last)}
	case span <= 3*oneDay:
		return Scale{Unit: "hour", Starts: every(time.Hour, midnight, first, last)}
	case span <= 400*oneDay:
		return Scale{Unit: "day", Starts: dates(midnight, 0, 1, last)}
	case span <= 3660*oneDay:
		monday := midnight.AddDate(0, 0, -(int(first.Weekday())+6)%7)
		return Scale{Unit: "week", Starts: dates(monday, 0, 7, last)}
	}
	return Scale{Unit: "year", Starts: dates(time.Date(year, 1, 1, 0, 0, 0, 0, first.Location()), 1, 0, last)}
}

func every(width time.Duration, midnight, first, last time.Time) []time.Time {
	starts := []time.Time{}
	for at := midnight.Add(first.Sub(midnight).Truncate(width)); !at.After(last); at = at.Add(width) {
		starts = append(starts, at)
	}
	return starts
}

// dates counts by the calendar: a day on which the clock changes has 23 or 25
// hours.
func dates(start time.Time, years, days int, last time.Time) []time.Time {
	starts := []time.Time{}
	for at := start; !at.After(last); at = at.AddDate(years, 0, days) {
		starts = append(starts, at)
	}
	return starts
}
