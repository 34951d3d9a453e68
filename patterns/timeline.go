package patterns

import (
	"maps"
	"slices"
	"time"
)

// maxBins bounds a timeline's memory.
const maxBins = 512

// Timeline counts events over time in bins whose width grows with the span, so
// that its size stays bounded. The zero value is empty.
type Timeline struct {
	width time.Duration
	bins  map[int64]int
}

// Add counts one event.
func (t *Timeline) Add(at time.Time) {
	if t.bins == nil {
		t.bins, t.width = map[int64]int{}, time.Second
	}
	t.bins[t.bin(at)]++
	for len(t.bins) > maxBins {
		t.widen()
	}
}

func (t *Timeline) bin(at time.Time) int64 {
	seconds, width := at.Unix(), int64(t.width/time.Second)
	if seconds < 0 {
		return (seconds - width + 1) / width
	}
	return seconds / width
}

func (t *Timeline) widen() {
	wider := make(map[int64]int, len(t.bins)/2)
	for bin, n := range t.bins {
		wider[bin>>1] += n
	}
	t.bins, t.width = wider, 2*t.width
}

// Spread returns the counts over n equal parts of the time from first to last.
func (t *Timeline) Spread(first, last time.Time, n int) []int {
	parts := make([]int, n)
	span := last.Unix() - first.Unix() + 1
	for _, bin := range slices.Sorted(maps.Keys(t.bins)) {
		at := bin * int64(t.width/time.Second)
		part := (at - first.Unix()) * int64(n) / span
		parts[min(max(part, 0), int64(n-1))] += t.bins[bin]
	}
	return parts
}
