package patterns

import (
	"slices"
	"time"
)

// surroundings are what stands in a log near its failures and is none itself.
type surroundings struct {
	// visible says that the log holds close records at all.
	visible bool
	quiet   quiet
}

// quiet is when connections of a log ended as healthy ones do: a fault of another week
// brings none about, and is not explained by them.
type quiet struct {
	// undated says that some ended at a time that the log does not tell.
	undated bool
	// spans are in order, with more than the pause between two of them.
	spans []Span
	pause time.Duration
}

// mostQuiet bounds the spans of a log; where there are more the shortest pauses are left out.
const mostQuiet = 1000

// add notes the end of a connection.
func (q *quiet) add(at time.Time) {
	if at.IsZero() {
		q.undated = true
		return
	}
	if q.pause == 0 {
		q.pause = widest
	}
	i, _ := slices.BinarySearchFunc(q.spans, at, func(s Span, at time.Time) int { return s.Last.Add(q.pause).Compare(at) })
	switch {
	case i < len(q.spans) && !at.Before(q.spans[i].First.Add(-q.pause)):
		q.spans[i].Add(at)
		if i+1 < len(q.spans) && q.spans[i+1].First.Sub(q.spans[i].Last) <= q.pause {
			q.spans = q.merged()
		}
	default:
		q.spans = slices.Insert(q.spans, i, Span{at, at})
	}
	for len(q.spans) > mostQuiet {
		q.pause *= 2
		q.spans = q.merged()
	}
}

// merged are the spans without the pauses that are too short.
func (q *quiet) merged() []Span {
	list := q.spans[:1]
	for _, s := range q.spans[1:] {
		if last := &list[len(list)-1]; s.First.Sub(last.Last) <= q.pause {
			last.Add(s.Last)
		} else {
			list = append(list, s)
		}
	}
	return list
}

// near tells whether a connection ended in the time of a span, or a window away.
func (q *quiet) near(span Span) bool {
	if q.undated || span.First.IsZero() {
		return q.undated || len(q.spans) > 0
	}
	from, to := span.First.Add(-widest), span.Last.Add(widest)
	i, _ := slices.BinarySearchFunc(q.spans, from, func(s Span, at time.Time) int { return s.Last.Compare(at) })
	return i < len(q.spans) && !q.spans[i].First.After(to)
}
