package patterns

import (
	"cmp"
	"math"
	"slices"
	"time"

	"wklog/patterns/internal/changes"
	"wklog/patterns/internal/ranking"
)

// sightingsOf is how many sightings so many failures of a kind in one window are.
func sightingsOf(n int) float64 { return 1 + math.Log(float64(n)) }

// difference is how much the mixtures of two stretches differ.
func difference(x, y *stretch) float64 {
	ids := map[*Pattern]bool{}
	for p := range x.weights {
		ids[p] = true
	}
	for p := range y.weights {
		ids[p] = true
	}
	a, b := make([]float64, 0, len(ids)), make([]float64, 0, len(ids))
	for _, p := range sortedPatterns(ids) {
		a, b = append(a, x.weights[p]), append(b, y.weights[p])
	}
	return changes.Difference(a, b)
}

func sortedPatterns(ids map[*Pattern]bool) []*Pattern {
	list := make([]*Pattern, 0, len(ids))
	for p := range ids {
		list = append(list, p)
	}
	slices.SortFunc(list, func(x, y *Pattern) int { return cmp.Compare(x.ID, y.ID) })
	return list
}

// viewOf is the view of the failures of a stretch.
func (f *finder) viewOf(s *stretch) *view {
	v := &view{Analyzer: f.Analyzer, byPattern: map[*Pattern]map[ranking.Key]int{}}
	counts := map[*Pattern]int{}
	for kind, n := range s.counts {
		k := f.sights.kinds[kind]
		if v.byPattern[k.pattern] == nil {
			v.byPattern[k.pattern] = map[ranking.Key]int{}
		}
		v.byPattern[k.pattern][k.key] += n
		counts[k.pattern] += n
	}
	for _, all := range f.findings {
		if n := counts[all.Pattern]; n > 0 {
			all.Count = n
			v.findings = append(v.findings, all)
		}
	}
	for _, w := range s.windows {
		for number := range w.logs {
			near := f.near[f.sights.logs[number].source]
			if near == nil {
				continue // it was read by an earlier run
			}
			v.context.Visible = v.context.Visible || near.visible
			v.context.SilentEnds = v.context.SilentEnds || near.quiet.near(s.span)
		}
	}
	if len(f.sights.clients) > 0 {
		v.clients = map[string]bool{}
		for name, number := range f.sights.clients {
			if number > 0 && s.clients[number] {
				v.clients[name] = true
			}
		}
	}
	return v
}

// hours are those from one time to another in which the logs of a stretch went on.
func (s *stretch) hours(from, to time.Time) float64 {
	sum := 0.0
	for u := range s.units {
		sum += u.hours(from, to)
	}
	return sum / float64(max(len(s.units), 1))
}

// apart cuts stretches where they were silent for longer than their pauses, while
// their logs went on.
func (f *finder) apart(list []*stretch) (parts, crumbs []*stretch) {
	for _, s := range list {
		for _, part := range s.apart(f.sights.kinds) {
			if part.stops() || part.seen >= single {
				parts = append(parts, part)
			} else {
				crumbs = append(crumbs, part)
			}
		}
	}
	return parts, crumbs
}

func (s *stretch) apart(kinds []kind) []*stretch {
	ends := changes.Ends(s.pauses(), anotherFault/2)
	if len(ends) == 0 {
		return []*stretch{s}
	}
	undated := s.undated()
	var parts []*stretch
	from := 0
	for _, end := range ends {
		parts = append(parts, ofWindows(s.windows[from:undated+end+1], kinds))
		from = undated + end + 1
	}
	return append(parts, ofWindows(s.windows[from:], kinds))
}

// undated is how many windows have no time: they stand first.
func (s *stretch) undated() int {
	dated := slices.IndexFunc(s.windows, func(w *window) bool { return !w.span.First.IsZero() })
	if dated < 0 {
		return len(s.windows)
	}
	return dated
}

// pauses are those between the windows of a stretch, in hours. They are asked for again
// and again when stretches are compared, and each asks all units.
func (s *stretch) pauses() []float64 {
	if s.paused != nil {
		return s.paused
	}
	pauses, last := []float64{}, Span{}
	for _, w := range s.windows {
		if !last.Last.IsZero() {
			pauses = append(pauses, s.hours(last.Last, w.span.First))
		}
		last.Add(w.span.Last)
	}
	s.paused = pauses
	return pauses
}

func ofWindows(list []*window, kinds []kind) *stretch {
	s := newStretch()
	for _, w := range list {
		s.addWindow(w, kinds)
	}
	return s
}
