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
		usual := f.usual(found, others)
		var more []*stretch
		found, more = f.trimmed(found, nil, usual)
		others = f.completed(found, append(others, more...), usual)
		found = f.joined(found, (*stretch).meets) // what has met by now
		found, more = f.background(found, others).doubted(found)
		steady, remainders = others[:len(steady)], append(others[len(steady):], more...)
	}
	found, more := f.beside(found, steady)
	remainders = append(remainders, more...)
	if len(found) == 0 {
		return []*stretch{together(remainders)}, nil
	}
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

// periods are the parts of the time of an input: what is seen in several of them outside
// of all incidents is usual.
const periods = 10

// usual are the failures that pass by on a unit, whatever befalls it, in an hour.
func (f *finder) usual(found, remainders []*stretch) map[placeOf]float64 {
	in, sum := map[placeOf]map[int]bool{}, map[placeOf]float64{}
	period := f.total.Length()/periods + 1
	for _, s := range remainders {
		for _, w := range s.windows {
			if f.home(w, found) >= 0 {
				continue
			}
			for _, p := range w.patterns(f.sights.kinds) {
				at := placeOf{w.unit, p}
				if in[at] == nil {
					in[at] = map[int]bool{}
				}
				in[at][int(w.span.First.Sub(f.total.First)/period)] = true
				sum[at]++
			}
		}
	}
	usual := map[placeOf]float64{}
	for at, seen := range in {
		if len(seen) >= single {
			usual[at] = sum[at] / f.total.Length().Hours()
		}
	}
	return usual
}

// special tells whether a window holds more than what is usual.
func (f *finder) special(w *window, usual map[placeOf]float64) bool {
	return slices.ContainsFunc(w.patterns(f.sights.kinds), func(p *Pattern) bool { return usual[placeOf{w.unit, p}] == 0 })
}

// byTheWay is from which expected number of failures that pass by one more is none of an
// incident.
const byTheWay = 0.03

// passes tells whether a window some hours away from an incident is what passes by.
func (f *finder) passes(w *window, hours float64, usual map[placeOf]float64) bool {
	if f.special(w, usual) {
		return false
	}
	expected := 0.0
	for _, p := range w.patterns(f.sights.kinds) {
		expected += hours * usual[placeOf{w.unit, p}]
	}
	return expected > byTheWay
}

// trimmed takes what is usual from both ends of the incidents.
func (f *finder) trimmed(found, remainders []*stretch, usual map[placeOf]float64) (cut, others []*stretch) {
	for _, s := range found {
		first, last := f.core(s.windows, usual)
		if within := ofWindows(s.windows[first:last+1], f.sights.kinds); within.stops() || within.seen >= single {
			cut = append(cut, within)
			remainders = append(remainders, ofWindows(s.windows[:first], f.sights.kinds), ofWindows(s.windows[last+1:], f.sights.kinds))
		} else {
			remainders = append(remainders, s)
		}
	}
	return cut, remainders
}

// core are the first and the last window that do not just pass by.
func (f *finder) core(list []*window, usual map[placeOf]float64) (first, last int) {
	special := func(w *window) bool { return f.special(w, usual) }
	first, last = slices.IndexFunc(list, special), len(list)-1
	if first < 0 {
		return f.dense(list, usual)
	}
	for last > first && !special(list[last]) {
		last--
	}
	for more := f.run(reversed(list[:first+1]), usual); more > 0; more = f.run(reversed(list[:first+1]), usual) {
		first -= more
	}
	for more := f.run(list[last:], usual); more > 0; more = f.run(list[last:], usual) {
		last += more
	}
	return first, last
}

func reversed(list []*window) []*window {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// run is how many of the windows behind the first one are more than pass by in their time,
// all of a usual kind: as many as are the least likely by chance. Several at once have to be
// more than even in the busiest hour.
func (f *finder) run(list []*window, usual map[placeOf]float64) int {
	rates, most, best := 0.0, -math.Log(byTheWay), 0
	met := map[placeOf]bool{}
	for i, w := range list[1:] {
		if f.special(w, usual) {
			break
		}
		for _, p := range w.patterns(f.sights.kinds) {
			if at := (placeOf{w.unit, p}); !met[at] {
				met[at], rates = true, rates+usual[at]
			}
		}
		away := max(w.span.First.Sub(list[0].span.Last), list[0].span.First.Sub(w.span.Last), 0).Hours()
		expected := rates * away
		if i > 0 {
			expected *= busyHour
		}
		if log := unlikely(i+1, expected); log > most {
			most, best = log, i+1
		}
	}
	return best
}

// unlikely is minus the logarithm of the probability of at least so many where so many are
// expected (Poisson).
func unlikely(n int, expected float64) float64 {
	if float64(n) <= expected {
		return 0
	}
	term, sum := 1.0, 0.0
	for k := n; k < n+50; k++ { // relative to that of n
		sum += term
		term *= expected / float64(k+1)
	}
	factorial, _ := math.Lgamma(float64(n + 1))
	return expected + factorial - float64(n)*math.Log(max(expected, math.SmallestNonzeroFloat64)) - math.Log(sum)
}

// dense are the first and the last window of failures that are all usual, of which the
// next one is nearer than usual.
func (f *finder) dense(list []*window, usual map[placeOf]float64) (first, last int) {
	last = len(list) - 1
	for first < last && f.passes(list[first], list[first+1].span.First.Sub(list[first].span.Last).Hours(), usual) {
		first++
	}
	for last > first && f.passes(list[last], list[last].span.First.Sub(list[last-1].span.Last).Hours(), usual) {
		last--
	}
	return first, last
}

// completed adds to each incident what of the remainders, on any node, is of its kinds,
// does not pass by, and follows upon it within its pauses.
func (f *finder) completed(found, remainders []*stretch, usual map[placeOf]float64) []*stretch {
	for _, s := range found {
		kinds, pauses := maps.Clone(s.weights), slices.Clone(s.pauses())
		slices.SortFunc(pauses, func(a, b float64) int { return cmp.Compare(b, a) })
		elsewhere := f.elsewhere(s, remainders, kinds, usual)
		for grown := true; grown; {
			grown = false
			for i, r := range remainders {
				var left []*window
				for _, w := range r.windows {
					if (s.units[w.unit] || elsewhere[w.unit] >= single) && f.follows(s, w, kinds, pauses, usual) {
						s.addWindow(w, f.sights.kinds)
						grown = true
					} else {
						left = append(left, w)
					}
				}
				if len(left) < len(r.windows) {
					remainders[i] = ofWindows(left, f.sights.kinds)
				}
			}
		}
		slices.SortStableFunc(s.windows, func(x, y *window) int { return x.span.First.Compare(y.span.First) })
		s.paused = nil
	}
	return remainders
}

// elsewhere is how much of the kinds of an incident was seen at its time on other units,
// and is not usual there.
func (f *finder) elsewhere(s *stretch, remainders []*stretch, kinds map[*Pattern]float64, usual map[placeOf]float64) map[*unit]float64 {
	seen := map[*unit]float64{}
	for _, r := range remainders {
		for _, w := range r.windows {
			if !s.units[w.unit] && f.special(w, usual) && f.follows(s, w, kinds, nil, usual) {
				seen[w.unit]++
			}
		}
	}
	return seen
}

// follows tells whether a window may be of an incident: of its kinds, and not too far away.
func (f *finder) follows(s *stretch, w *window, kinds map[*Pattern]float64, pauses []float64, usual map[placeOf]float64) bool {
	if w.span.First.IsZero() || s.span.First.IsZero() || w.unit.server && !s.units[w.unit] {
		return false
	}
	for _, p := range w.patterns(f.sights.kinds) {
		if kinds[p] == 0 {
			return false
		}
	}
	away := max(w.span.First.Sub(s.span.Last), s.span.First.Sub(w.span.Last), 0).Hours()
	hours := max(s.hours(s.span.Last, w.span.First), s.hours(w.span.Last, s.span.First))
	return !f.passes(w, away, usual) && (hours == 0 || changes.Pause(hours, pauses) > math.Log(anotherFault/2))
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
	return !w.span.First.Before(s.span.First) && !w.span.Last.After(s.span.Last)
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
