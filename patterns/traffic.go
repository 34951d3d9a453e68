package patterns

import (
	"slices"
	"time"

	"wklog/parser"
)

// holidays are as long as a server without users may be silent, in hours (the longest in
// China take eight days and a night): where the log does not show that anything goes on,
// only a longer pause is one.
const holidays = 8*24 + 12

// worked is when the logs of a unit were written to.
type worked struct {
	points []point
	// settled is how many of the points are sorted and summed up.
	settled int
}

// point is a time, and how much was written before it.
type point struct {
	at    time.Time
	bytes float64
}

func (w *worked) add(t parser.Traffic) {
	for _, at := range t.Times {
		w.points = append(w.points, point{at, float64(t.Step)})
	}
}

// settle sums up what was added.
func (w *worked) settle() {
	if w.settled == len(w.points) {
		return
	}
	slices.SortStableFunc(w.points, func(a, b point) int { return a.at.Compare(b.at) })
	sum := 0.0
	for i := range w.points {
		w.points[i].bytes, sum = sum, sum+w.points[i].bytes
	}
	w.settled = len(w.points)
}

// end is the last time at which a log is known to have been written to.
func (w *worked) end() time.Time {
	if len(w.points) == 0 {
		return time.Time{}
	}
	return w.points[len(w.points)-1].at
}

// before is how much was written before a time: between two points evenly.
func (w *worked) before(at time.Time) float64 {
	i, _ := slices.BinarySearchFunc(w.points, at, func(p point, at time.Time) int { return p.at.Compare(at) })
	switch {
	case i == 0:
		return 0
	case i == len(w.points):
		return w.points[i-1].bytes
	}
	from, to := w.points[i-1], w.points[i]
	share := at.Sub(from.at).Seconds() / max(to.at.Sub(from.at).Seconds(), 1e-9)
	return from.bytes + share*(to.bytes-from.bytes)
}

// enough is how many times of a log tell its traffic.
const enough = 8

// hours are those from one time to another, as far as it is known that the unit was at
// work. What was written between two points of more than a day may stand at its ends.
func (u *unit) hours(from, to time.Time) float64 {
	wall := to.Sub(from).Hours()
	switch {
	case wall <= 0:
		return 0
	case len(u.worked.points) < enough:
		return max(wall-holidays, 0)
	case wall > 24:
		return max(u.written(from, to)-u.worked.length()/float64(len(u.worked.points)), 0)
	}
	return u.written(from, to)
}

// written are the hours from one time to another by how much was written: one with twice
// the average traffic counts as two.
func (u *unit) written(from, to time.Time) float64 {
	w := &u.worked
	if !to.After(from) {
		return 0
	}
	if len(w.points) < enough {
		return to.Sub(from).Hours()
	}
	return (w.before(to) - w.before(from)) / max(w.points[len(w.points)-1].bytes, 1) * w.length()
}

// length is the time that the points cover, in hours.
func (w *worked) length() float64 { return w.points[len(w.points)-1].at.Sub(w.points[0].at).Hours() }
