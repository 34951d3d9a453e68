package patterns

import "time"

// neighbour is the dated entry from which the failures of a log without a time
// take theirs. While it is the only one of its log, as a server's start-up is at
// the default level, it does not say when they came: it may be days before.
type neighbour struct {
	at time.Time
	// another says that there was a second one.
	another bool
	held    map[*Pattern]int
}

// timeOf notes which neighbour an event has its time from. An event with a time of
// its own is a neighbour too.
func (s *Source) timeOf(e *Event) {
	rec, n := e.Record, &s.neighbour
	if n.another || rec.Stamp.IsZero() || rec.TimeInferred && (e.ends() || !rec.Arrived.IsZero()) {
		return
	}
	if n.at.IsZero() {
		n.at, n.held = rec.Stamp.Time, map[*Pattern]int{}
	}
	if !n.at.Equal(rec.Stamp.Time) {
		n.another = true
		s.release()
		return
	}
	if rec.TimeInferred {
		e.neighbour = n
	}
}

// release counts at their time the failures that were held.
func (s *Source) release() {
	n, a := &s.neighbour, s.analyzer
	for p, count := range n.held {
		if t := a.tallies[p]; t != nil && count > 0 {
			t.span.Add(n.at)
			t.timeline.add(n.at, count)
			t.untimed -= count
			a.where.date(s.name, a.nodeOf(s.name, ""), n.at, count)
		}
	}
	a.sights.date(s.name, n.at)
	n.held = nil
}

// held tells whether it is not known when the failure came.
func (e *Event) held() bool { return e.neighbour != nil && !e.neighbour.another }

// known is the time of the failure, zero where it is not known.
func (e *Event) known() time.Time {
	if e.held() {
		return time.Time{}
	}
	return e.Time()
}
