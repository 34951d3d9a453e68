package patterns

import (
	"time"

	"wklog/patterns/internal/ranking"
)

// RankWith lets an analyzer rank by another ranker than the one that is embedded.
func (a *Analyzer) RankWith(r *ranking.Ranker) { a.ranker = r }

// Quiet is when connections of a log ended as healthy ones do.
type Quiet struct{ quiet }

func (q *Quiet) Add(at time.Time)    { q.add(at) }
func (q *Quiet) Near(span Span) bool { return q.near(span) }
func (q *Quiet) Spans() int          { return len(q.spans) }
