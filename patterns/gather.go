package patterns

import (
	"cmp"
	"maps"
	"slices"

	"wklog/patterns/internal/ranking"
)

// gather gives to each incident what small remainders belong to it; what passes by
// also before and after the incidents is of none. The rest is nil where there is none.
func (f *finder) gather(found, remainders []*stretch) (all []*stretch, rest *stretch) {
	found, remainders = f.trimmed(found, remainders)
	steady := f.steady(found, remainders)
	others := newStretch()
	byUnit := map[*unit]*stretch{}
	for _, s := range remainders {
		for _, w := range s.windows {
			switch at := f.home(w, found); {
			case w.channel.passing && steady[place{w.unit, w.channel}]:
				others.addWindow(w, f.sights.kinds)
			case at >= 0:
				found[at].addWindow(w, f.sights.kinds)
			case w.unit.server && !w.channel.passing && !hasIncident(found, w.unit):
				if byUnit[w.unit] == nil {
					byUnit[w.unit] = newStretch()
				}
				byUnit[w.unit].addWindow(w, f.sights.kinds)
			default:
				others.addWindow(w, f.sights.kinds)
			}
		}
	}
	for _, s := range remainders { // in order
		for u := range s.units {
			if byUnit[u] != nil {
				found = append(found, byUnit[u])
				delete(byUnit, u)
			}
		}
	}
	if others.events == 0 {
		return found, nil
	}
	return found, others
}

func hasIncident(found []*stretch, u *unit) bool {
	return slices.ContainsFunc(found, func(s *stretch) bool { return s.units[u] })
}

// trimmed takes from both ends of the incidents what was seen outside of them as well,
// up to the first failure that was not.
func (f *finder) trimmed(found, remainders []*stretch) (cut, others []*stretch) {
	usual := map[placeOf]float64{}
	for _, s := range remainders {
		for _, w := range s.windows {
			if f.home(w, found) < 0 {
				for _, p := range w.patterns(f.sights.kinds) {
					usual[placeOf{w.unit, p}]++
				}
			}
		}
	}
	special := func(w *window) bool {
		return slices.ContainsFunc(w.patterns(f.sights.kinds), func(p *Pattern) bool { return usual[placeOf{w.unit, p}] < single })
	}
	for _, s := range found {
		first := slices.IndexFunc(s.windows, special)
		last := len(s.windows) - 1
		for last > first && !special(s.windows[last]) {
			last--
		}
		if first < 0 || first == 0 && last == len(s.windows)-1 {
			cut = append(cut, s)
			continue
		}
		cut = append(cut, ofWindows(s.windows[first:last+1], f.sights.kinds))
		remainders = append(remainders, ofWindows(slices.Concat(s.windows[:first], s.windows[last+1:]), f.sights.kinds))
	}
	return cut, remainders
}

// placeOf is where a kind of failure is seen.
type placeOf struct {
	unit    *unit
	pattern *Pattern
}

// patterns are those of a window.
func (w *window) patterns(kinds []kind) []*Pattern {
	list := []*Pattern{}
	for kind := range w.counts {
		if p := kinds[kind].pattern; !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// place is where what passes by is watched.
type place struct {
	unit    *unit
	channel channel
}

// steady are the places where as many pass by outside of all incidents as make a
// fault.
func (f *finder) steady(found, remainders []*stretch) map[place]bool {
	outside := map[place]float64{}
	for _, s := range remainders {
		for _, w := range s.windows {
			if w.channel.passing && !w.span.First.IsZero() && f.home(w, found) < 0 {
				outside[place{w.unit, w.channel}] += float64(len(w.counts))
			}
		}
	}
	steady := map[place]bool{}
	for at, seen := range outside {
		steady[at] = seen >= single
	}
	return steady
}

// home is the incident of the unit within whose time a window lies, -1 for none. One
// without a time belongs to the largest.
func (f *finder) home(w *window, found []*stretch) int {
	best := -1
	for i, s := range found {
		if !s.holds(w) {
			continue
		}
		if best < 0 || s.events > found[best].events {
			best = i
		}
	}
	return best
}

// holds tells whether a window lies within a stretch, as far as that is known.
func (s *stretch) holds(w *window) bool {
	if !s.units[w.unit] {
		return false
	}
	if w.span.First.IsZero() || s.span.First.IsZero() {
		return s.units[w.unit]
	}
	return !w.span.First.Before(s.span.First) && !w.span.Last.After(s.span.Last)
}

// incident describes a stretch; whole says that it is all there is.
func (f *finder) incident(s *stretch, whole bool) Incident {
	v := f.viewOf(s)
	if whole {
		v = f.Analyzer.whole(f.findings)
	}
	v.settled = true
	in := Incident{
		First: s.span.First, Last: s.span.Last, Inferred: s.inferred, Events: s.events, Clients: len(s.clients),
		Nodes: []string{}, Sources: f.sourcesOf(s), Findings: f.evidence(s), Diagnosis: v.diagnose(),
	}
	for _, u := range slices.SortedFunc(maps.Keys(s.units), func(x, y *unit) int { return cmp.Compare(x.name, y.name) }) {
		if u.name != "" && u.in(s) {
			in.Nodes = append(in.Nodes, u.name)
		}
	}
	in.Over = f.over(s)
	in.Ongoing = in.Over < likelyOver
	in.Unexplained = f.unexplained(s, in.Diagnosis)
	return in
}

// in tells whether a stretch has failures of the unit other than what passes by.
func (u *unit) in(s *stretch) bool {
	return slices.ContainsFunc(s.windows, func(w *window) bool { return w.unit == u && (!w.channel.passing || s.passing()) })
}

// likelyOver is from which probability an incident is told to be over.
const likelyOver = 0.9

func (f *finder) over(s *stretch) float64 {
	return 0
}

func (f *finder) sourcesOf(s *stretch) []string {
	names := map[string]bool{}
	for _, w := range s.windows {
		for number := range w.logs {
			names[f.sights.logs[number]] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// evidence are the failures of a stretch, in the order of the findings.
func (f *finder) evidence(s *stretch) []Evidence {
	counts := map[*Pattern]int{}
	for kind, n := range s.counts {
		counts[f.sights.kinds[kind].pattern] += n
	}
	list := []Evidence{}
	for _, finding := range f.findings {
		if n := counts[finding.Pattern]; n > 0 {
			list = append(list, Evidence{Pattern: finding.Pattern, Count: n})
		}
	}
	slices.SortStableFunc(list, func(x, y Evidence) int { return cmp.Compare(y.Count, x.Count) })
	return list
}

// unexplained are the failures that the leading cause does not bring about.
func (f *finder) unexplained(s *stretch, diagnosis []Diagnosis) []Evidence {
	counts := map[*Pattern]int{}
	for kind, n := range s.counts {
		k := f.sights.kinds[kind]
		if len(diagnosis) > 0 && !f.explains(diagnosis[0].Cause.ID, k.pattern, k.key) {
			counts[k.pattern] += n
		}
	}
	list := []Evidence{}
	for _, e := range f.evidence(s) {
		if n := counts[e.Pattern]; n > 0 {
			list = append(list, Evidence{Pattern: e.Pattern, Count: n})
		}
	}
	return list
}

func (f *finder) explains(cause string, p *Pattern, key ranking.Key) bool {
	if p.Measured {
		return f.ranker.Explains(cause, key)
	}
	return p.may(cause)
}
