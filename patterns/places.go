package patterns

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// maxClients is how many client addresses are told apart.
const maxClients = 1000

// Place is where failures were seen: a log, a node or a client.
type Place struct {
	Name string
	// Node is the node that a log is of, as [Analyzer.Node] names it.
	Node  string
	Count int
	// First and Last are zero where the log has no times.
	First, Last time.Time
	// Patterns are the failures that were seen there, most frequent first.
	Patterns []Evidence
	// Timeline is kept for nodes, which are few, and for the places of one incident.
	Timeline Timeline
}

// places count failures by where they were seen.
type places struct {
	byName map[string]*counted
	// most bounds how many are told apart, 0 for all; other counts the events
	// of the rest.
	most, other int
	timed       bool
}

func newPlaces(most int, timed bool) places {
	return places{byName: map[string]*counted{}, most: most, timed: timed}
}

type counted struct {
	count    int
	span     Span
	patterns map[*Pattern]int
	timeline Timeline
}

// Span is the time from the first to the last of some events. The zero value
// is that of none.
type Span struct{ First, Last time.Time }

// Add extends the span to a time; the zero time is none.
func (s *Span) Add(at time.Time) {
	if at.IsZero() {
		return
	}
	if s.First.IsZero() || at.Before(s.First) {
		s.First = at
	}
	if at.After(s.Last) {
		s.Last = at
	}
}

// Length is the time from the first to the last.
func (s *Span) Length() time.Duration { return s.Last.Sub(s.First) }

// admit makes room for a place. Where there are too many, those that failed least so far
// are given up, half of them at once, and count as others: whoever fails often is there
// whoever came before him. What is shown of a place was counted of it, which Space-Saving
// (Metwally, Agrawal and El Abbadi, 2005), with its estimates from above, could not say;
// libraries of it count no patterns and take nothing back.
func (p *places) admit(name string) *counted {
	if p.most > 0 && len(p.byName) >= p.most+p.most/2 {
		for _, least := range p.frequent()[p.most/2:] {
			p.other += p.byName[least].count
			delete(p.byName, least)
		}
	}
	at := &counted{patterns: map[*Pattern]int{}}
	p.byName[name] = at
	return at
}

// frequent are the names of the places, most frequent first.
func (p *places) frequent() []string {
	return slices.SortedFunc(maps.Keys(p.byName), func(x, y string) int {
		return cmp.Or(cmp.Compare(p.byName[y].count, p.byName[x].count), cmp.Compare(x, y))
	})
}

// shown are the names of the places that are told apart, in their order, and other
// counts the events of the rest.
func (p *places) shown() (names []string, other int) {
	names, other = p.frequent(), p.other
	if p.most > 0 && len(names) > p.most {
		for _, name := range names[p.most:] {
			other += p.byName[name].count
		}
		names = names[:p.most]
	}
	slices.Sort(names)
	return names, other
}

func (p *places) add(name string, e *Event) {
	p.count(name, e.Pattern, 1, Span{e.known(), e.known()})
}

// count adds so many events of a pattern. Those without a time have no span.
func (p *places) count(name string, pattern *Pattern, count int, span Span) {
	at := p.byName[name]
	if at == nil {
		at = p.admit(name)
	}
	at.patterns[pattern] += count
	at.count += count
	at.span.Add(span.First)
	at.span.Add(span.Last)
	if p.timed && !span.First.IsZero() {
		at.timeline.add(span.First, count)
	}
}

// date gives a time to events that were counted without.
func (p *places) date(name string, when time.Time, count int) {
	at := p.byName[name]
	if at == nil {
		return
	}
	at.span.Add(when)
	if p.timed {
		at.timeline.add(when, count)
	}
}

func (p *places) remove(name string, e *Event) {
	at := p.byName[name]
	if at == nil {
		p.other--
		return
	}
	if at.patterns[e.Pattern] == 0 {
		p.other-- // it was given up with others since then
		return
	}
	at.count--
	if at.patterns[e.Pattern]--; at.patterns[e.Pattern] == 0 {
		delete(at.patterns, e.Pattern)
	}
	if p.timed && !e.known().IsZero() {
		at.timeline.Remove(e.known())
	}
	if len(at.patterns) == 0 {
		delete(p.byName, name)
	}
}

// list gives the places in the order of their names.
func (p *places) list() []Place {
	list := []Place{}
	names, _ := p.shown()
	for _, name := range names {
		at := p.byName[name]
		place := Place{Name: name, First: at.span.First, Last: at.span.Last, Timeline: at.timeline}
		for pattern, n := range at.patterns {
			place.Count += n
			place.Patterns = append(place.Patterns, Evidence{Pattern: pattern, Count: n})
		}
		slices.SortFunc(place.Patterns, func(x, y Evidence) int {
			return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Pattern.ID, y.Pattern.ID))
		})
		list = append(list, place)
	}
	return list
}

// stillAt is how long a client that failed is still at it: clients try again
// within minutes.
const stillAt = 5 * time.Minute

// together is how many of the places had failures of the given patterns at the
// same time, at most. Those whose failures have no time are taken to have had
// them then.
func (p *places) together(of func(*Pattern) bool) int {
	type edge struct {
		at    time.Time
		begin bool
	}
	var edges []edge
	undated := 0
	for _, at := range p.byName {
		switch {
		case !containsKey(at.patterns, of):
		case at.span.First.IsZero():
			undated++
		default:
			edges = append(edges, edge{at.span.First, true}, edge{at.span.Last.Add(stillAt), false})
		}
	}
	slices.SortFunc(edges, func(x, y edge) int { return x.at.Compare(y.at) })
	now, most := 0, 0
	for _, e := range edges {
		if e.begin {
			now++
		} else {
			now--
		}
		most = max(most, now)
	}
	return most + undated
}

func containsKey[K comparable, V any](m map[K]V, is func(K) bool) bool {
	for key := range m {
		if is(key) {
			return true
		}
	}
	return false
}

// client is the address of the client that an event is about, without its
// port; ok is false where the log does not tell.
func client(e *Event) (address string, ok bool) {
	if at, err := netip.ParseAddrPort(e.Record.Remote); err == nil {
		return at.Addr().Unmap().WithZone("").String(), true
	}
	if at, err := netip.ParseAddr(e.Record.Remote); err == nil {
		return at.Unmap().WithZone("").String(), true
	}
	return "", false
}

// where counts the failures of an input by log, node and client.
type where struct {
	sources, nodes, clients places
	// unknown counts the events whose client the log does not tell.
	unknown int
	scans   scans
}

func newWhere() where {
	return where{sources: newPlaces(0, false), nodes: newPlaces(0, true), clients: newPlaces(maxClients, false), scans: newScans()}
}

func (w *where) add(e *Event, node string) {
	w.sources.add(e.Source, e)
	w.scans.add(e)
	if node != "" {
		w.nodes.add(node, e)
	}
	if address, ok := client(e); ok {
		w.clients.add(address, e)
		return
	}
	w.unknown++
}

// date gives a time to events of a log that were counted without. Those of
// clients stay without: the lines that have no time rarely name one.
func (w *where) date(source, node string, when time.Time, count int) {
	w.sources.date(source, when, count)
	w.nodes.date(node, when, count)
}

func (w *where) remove(e *Event, node string) {
	w.sources.remove(e.Source, e)
	w.scans.remove(e)
	if node != "" {
		w.nodes.remove(node, e)
	}
	if address, ok := client(e); ok {
		w.clients.remove(address, e)
		return
	}
	w.unknown--
}
