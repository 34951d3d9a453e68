package patterns

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wklog/parser"
)

// TestWhatIsTakenBackIsCountedNowhere takes back failures of a client that is told
// apart, of one beyond the bound, and of an unknown one.
func TestWhatIsTakenBackIsCountedNowhere(t *testing.T) {
	w := newWhere()
	w.clients.most = 1
	of := func(remote string) *Event {
		return &Event{Source: "out", Record: &parser.Record{Remote: remote}, Pattern: &Pattern{ID: "a"}}
	}
	events := []*Event{of("203.0.113.9:1"), of("203.0.113.10:1"), of("203.0.113.11:1"), of("")}
	for _, e := range events {
		w.add(e, "node")
	}
	assert.Equal(t, []int{1, 2, 1}, []int{len(w.clients.byName), w.clients.other, w.unknown})
	for _, e := range events[1:] {
		w.remove(e, "node")
	}
	assert.Equal(t, []int{0, 1, 0}, []int{len(w.clients.byName), w.clients.other, w.unknown})
	assert.Equal(t, 1, w.nodes.list()[0].Count)
	w.remove(events[0], "node")
	assert.Empty(t, w.clients.list())
	assert.Empty(t, w.nodes.list())
	assert.Empty(t, w.sources.list())
}
