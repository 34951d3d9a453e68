package metrics

import (
	"sync"
	"time"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// Sink counts events for Prometheus.
type Sink struct {
	mutex  sync.Mutex
	counts map[Events]int
	last   time.Time
}

// NewSink starts to count.
func NewSink() *Sink { return &Sink{counts: map[Events]int{}} }

// Event counts an event.
func (s *Sink) Event(e *patterns.Event) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	p := e.Pattern
	s.counts[Events{Pattern: p.ID, Category: p.Category, Severity: string(p.Severity), Source: e.Source}]++
	if at := e.Time(); at.After(s.last) {
		s.last = at
	}
	return nil
}

// Incident does nothing: what goes on is asked for.
func (s *Sink) Incident(*report.News) error { return nil }

// End does nothing: Prometheus has asked for what it wanted.
func (s *Sink) End(*report.Document) error { return nil }

// Fill puts what was counted into a snapshot.
func (s *Sink) Fill(snapshot *Snapshot) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	snapshot.Last = s.last
	for e, n := range s.counts {
		e.Count = n
		snapshot.Events = append(snapshot.Events, e)
	}
}
