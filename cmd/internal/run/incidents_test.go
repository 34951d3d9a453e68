package run

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// heard keeps what a sink was told of incidents.
type heard struct{ news []report.News }

func (*heard) Event(*patterns.Event) error { return nil }

func (*heard) End(*report.Document) error { return nil }

func (h *heard) Incident(n *report.News) error {
	h.news = append(h.news, *n)
	return nil
}

// take gives what was told since.
func (h *heard) take() (whats []report.What, numbers []int) {
	for _, n := range h.news {
		whats, numbers = append(whats, n.What), append(numbers, n.Number)
	}
	h.news = nil
	return whats, numbers
}

var begin = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func incident(cause string, from, to time.Duration, ongoing bool) patterns.Incident {
	return patterns.Incident{
		First: begin.Add(from), Last: begin.Add(to), Ongoing: ongoing, Sources: []string{"stdout.log"},
		Diagnosis: []patterns.Diagnosis{{Cause: &patterns.Cause{ID: cause}, Confidence: 0.9}},
	}
}

func TestIncidentIsToldWhenItBeginsChangesAndEnds(t *testing.T) {
	h := &heard{}
	c := &Core{sinks: report.Sinks{h}}
	c.watch([]patterns.Incident{incident("cert-expired", 0, time.Minute, true)})
	whats, _ := h.take()
	assert.Equal(t, []report.What{report.Begins}, whats)
	c.watch([]patterns.Incident{incident("cert-expired", 0, time.Hour, true)})
	whats, _ = h.take()
	assert.Empty(t, whats, "nothing is new")
	assert.Equal(t, map[string]time.Time{"cert-expired": begin}, c.Open())
	c.watch([]patterns.Incident{incident("clock-skew", 0, 2*time.Hour, true)})
	whats, _ = h.take()
	assert.Equal(t, []report.What{report.Changes}, whats)
	c.watch([]patterns.Incident{incident("clock-skew", 0, 2*time.Hour, false)})
	whats, _ = h.take()
	assert.Equal(t, []report.What{report.Ends}, whats)
	assert.Empty(t, c.Open())
	c.watch([]patterns.Incident{incident("clock-skew", 0, 2*time.Hour, false)})
	whats, _ = h.take()
	assert.Empty(t, whats, "it is told once that it is over")
}

func TestNextIncidentHasANumberOfItsOwn(t *testing.T) {
	h := &heard{}
	c := &Core{sinks: report.Sinks{h}}
	first := incident("cert-expired", 0, time.Hour, false)
	c.watch([]patterns.Incident{first})
	h.take()
	c.watch([]patterns.Incident{incident("untrusted-ca", 50*time.Hour, 51*time.Hour, true), first})
	whats, numbers := h.take()
	assert.Equal(t, []report.What{report.Begins}, whats)
	assert.Equal(t, []int{2}, numbers)
}

func TestIncidentThatGoesOnAfterAllIsToldAgain(t *testing.T) {
	h := &heard{}
	c := &Core{sinks: report.Sinks{h}}
	c.watch([]patterns.Incident{incident("cert-expired", 0, time.Hour, false)})
	h.take()
	c.watch([]patterns.Incident{incident("cert-expired", 0, 3*time.Hour, true)})
	whats, numbers := h.take()
	assert.Equal(t, []report.What{report.Begins}, whats)
	assert.Equal(t, []int{1}, numbers)
}

func TestIncidentOfAnEarlierRunIsNotToldAgain(t *testing.T) {
	h := &heard{}
	c := &Core{sinks: report.Sinks{h}, told: []*told{{Number: 4, First: begin, Last: begin.Add(time.Hour), Sources: []string{"stdout.log"}, Cause: "cert-expired"}}, numbered: 4}
	c.watch([]patterns.Incident{incident("cert-expired", 0, 2*time.Hour, true)})
	whats, _ := h.take()
	assert.Empty(t, whats)
}
