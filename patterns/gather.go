package patterns

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"wklog/patterns/internal/changes"
	"wklog/patterns/internal/ranking"
)

// gather gives to each incident what small remainders belong to it; what passes by
// also before and after the incidents is of none. The rest is nil where there is none.
func (f *finder) gather(found, steady, remainders []*stretch) (all []*stretch, rest *stretch) {
	if len(found) > 0 {
		found = f.together(found)
		others := slices.Concat(steady, remainders)
		var more []*stretch
		for range 2 {
			found, others = f.background(found, others).settled(found, others)
		}
		found = f.bordered(f.recut(found))
		found = f.joined(found, (*stretch).meets) // what has met by now
		found, more = f.background(found, others).doubted(found)
		steady, remainders = others[:len(steady)], append(others[len(steady):], more...)
	}
	found, more := f.beside(found, steady)
	remainders = append(remainders, more...)
	if len(found) == 0 {
		return []*stretch{together(remainders)}, nil
	}
	found, remainders = f.background(found, remainders).settled(found, remainders)
	found = f.bordered(found)
	found, remainders = f.background(found, remainders).settled(found, remainders)
	return f.housed(found, remainders)
}

// housed gives the remainders to the incidents at whose time they came, but for what
// passes by also at other times.
func (f *finder) housed(found, remainders []*stretch) (all []*stretch, rest *stretch) {
	steady := f.steady(found, remainders)
	others := newStretch()
	byUnit := map[*unit]*stretch{}
	for _, s := range remainders {
		for _, w := range s.windows {
			switch at := f.home(w, found); {
			case w.channel.passing && steady[place{w.unit, w.channel}]:
				others.addWindow(w, f.sights.kinds)
			case at >= 0:
				w.beside = true
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

// together adds to an incident what else was raised while it went on and has no cause of
// its own that stands out: clients that leave without a word.
func (f *finder) together(found []*stretch) []*stretch {
	var silent, others []*stretch
	for _, s := range found {
		if _, lead := f.lead(s); s.passing() && lead < standsOut {
			silent = append(silent, s)
		} else {
			others = append(others, s)
		}
	}
	for _, s := range silent {
		at := slices.IndexFunc(others, func(o *stretch) bool { return sharesUnit(s, o) && s.meets(o) })
		if at < 0 {
			others = append(others, s)
			continue
		}
		others[at] = together([]*stretch{others[at], s})
	}
	return others
}

// byPattern counts what was seen in a window.
func (w *window) byPattern(kinds []kind) map[*Pattern]int {
	counts := map[*Pattern]int{}
	for kind, n := range w.counts {
		counts[kinds[kind].pattern] += n
	}
	return counts
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

// holds tells whether a window lies within a stretch, as far as that is known. What stands
// in no server's own log may be of any.
func (s *stretch) holds(w *window) bool {
	companion := w.unit.name == "" && !w.unit.server
	if !s.units[w.unit] && !companion {
		return false
	}
	if w.span.First.IsZero() || s.span.First.IsZero() {
		return true
	}
	return s.spans(w)
}

// incident describes a stretch, but for its diagnosis.
func (f *finder) incident(s *stretch) Incident {
	in := Incident{
		First: s.span.First, Last: s.span.Last, Inferred: s.inferred, Events: s.events, Clients: len(s.clients),
		Nodes: []string{}, Sources: f.sourcesOf(s), Findings: f.evidence(s),
	}
	for _, u := range slices.SortedFunc(maps.Keys(s.units), func(x, y *unit) int { return cmp.Compare(x.name, y.name) }) {
		if u.name != "" && u.in(s) {
			in.Nodes = append(in.Nodes, u.name)
		}
	}
	in.Over = f.over(s)
	in.Ongoing = in.Over < likelyOver
	return in
}

// diagnoseIncident ranks the causes of an incident; whole says that it is all there is.
// Checks look at what is: at the newest incident, and at those that go on.
func (f *finder) diagnoseIncident(s *stretch, whole, newest, ongoing bool) []Diagnosis {
	v := f.viewOf(s)
	if whole {
		near := v.context
		v = f.Analyzer.whole(f.findings)
		v.context = near
	}
	v.settled, v.old = newest || ongoing, !newest
	return v.told()
}

// in tells whether a stretch has failures of the unit other than what passes by.
func (u *unit) in(s *stretch) bool {
	return slices.ContainsFunc(s.windows, func(w *window) bool { return w.unit == u && !w.beside })
}

// likelyOver is from which probability an incident is told to be over.
const likelyOver = 0.9

// over is the probability that an incident is over: that it would have been seen again
// until its logs end.
func (f *finder) over(s *stretch) float64 {
	if s.span.First.IsZero() {
		return 0
	}
	quiet, known := 0.0, 0
	for u := range s.units {
		if end := u.worked.end(); !end.IsZero() {
			quiet += u.hours(s.span.Last, end)
			known++
		}
	}
	if known == 0 {
		const tail = 20
		if f.total.Last.Sub(s.span.Last) > f.total.Length()/tail {
			return likelyOver
		}
		return 0
	}
	pauses := slices.Clone(s.pauses())
	slices.SortFunc(pauses, func(a, b float64) int { return cmp.Compare(b, a) })
	return 1 - math.Exp(changes.Pause(quiet/float64(known), pauses))
}

func (f *finder) sourcesOf(s *stretch) []string {
	names := map[string]bool{}
	for _, w := range s.windows {
		for number := range w.logs {
			names[f.sights.logs[number].source] = true
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
