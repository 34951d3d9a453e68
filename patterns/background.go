package patterns

import (
	"math"
	"slices"

	"wklog/patterns/internal/changes"
)

// background is what passes by on each unit, whatever befalls it: how many windows in an
// hour hold each kind of failure outside of all incidents.
type background struct {
	*finder
	seen  map[placeOf]float64
	hours map[*unit]float64
	// anywhere are the windows of the kinds over all units, all are the hours of these.
	anywhere habits
	all      float64
}

// habits are how many windows hold each kind of failure, and how many of them hold it again
// and again: who passes by mostly comes once, and a client tries again.
type habits struct{ windows, repeated map[*Pattern]float64 }

func newHabits() habits {
	return habits{windows: map[*Pattern]float64{}, repeated: map[*Pattern]float64{}}
}

func (h habits) add(w *window, kinds []kind) {
	for p, n := range w.byPattern(kinds) {
		h.windows[p]++
		if n > 1 {
			h.repeated[p]++
		}
	}
}

// of is the probability that a kind is seen so often in a window, once or more (Jeffreys).
func (h habits) of(p *Pattern, n int) float64 {
	again := (h.repeated[p] + 0.5) / (h.windows[p] + 1)
	if n > 1 {
		return again
	}
	return 1 - again
}

// placeOf is where a kind of failure is seen.
type placeOf struct {
	unit    *unit
	pattern *Pattern
}

// Half a sighting in a day is what is known of a kind before a log is read: it is half of
// one (Jeffreys), and a day of a small server shows what its odd clients do.
const seenBefore, hoursBefore = 0.5, 24

// background counts what is seen outside of the incidents.
func (f *finder) background(found, others []*stretch) *background {
	b := &background{finder: f, seen: map[placeOf]float64{}, hours: map[*unit]float64{}, anywhere: newHabits(), all: hoursBefore}
	for _, s := range others {
		for _, w := range s.windows {
			if w.span.First.IsZero() || f.home(w, found) >= 0 {
				continue
			}
			for _, p := range w.patterns(f.sights.kinds) {
				b.seen[placeOf{w.unit, p}]++
			}
			b.anywhere.add(w, f.sights.kinds)
		}
	}
	for _, u := range f.logs {
		if _, known := b.hours[u]; !known {
			b.hours[u] = f.outside(u, found)
			b.all += b.hours[u]
		}
	}
	return b
}

// outside are the hours of a unit outside of all incidents, of which some go on at the
// same time.
func (f *finder) outside(u *unit, found []*stretch) float64 {
	var spans []Span
	for _, s := range found {
		if s.units[u] {
			spans = append(spans, s.span)
		}
	}
	slices.SortFunc(spans, func(x, y Span) int { return x.First.Compare(y.First) })
	hours, last := worth(f.total), Span{}
	for _, span := range spans {
		if !last.Last.IsZero() && !span.First.After(last.Last) {
			if span.Last.After(last.Last) {
				hours -= span.Last.Sub(last.Last).Hours()
			}
		} else {
			hours -= worth(span)
		}
		last.Add(span.Last)
	}
	return max(hours, 0)
}

// rate is how many windows in an hour hold a kind of failure that passes by: what the unit
// has met, with one more at the rate that all units have, which may have met more.
func (b *background) rate(at placeOf) float64 { return b.rateWithout(at, 0, 0) }

// rateWithout is the same but for so many windows in some hours.
func (b *background) rateWithout(at placeOf, windows, hours float64) float64 {
	anywhere := (b.anywhere.windows[at.pattern] - windows + seenBefore) / b.all
	return (b.seen[at] - windows + 1) / (max(b.hours[at.unit]-hours, 0) + 1/anywhere)
}

// scan is the likelihood of what is seen in a while against what passes by (the scan
// statistic of Kulldorff, 1997, in time): of each place, so many windows in so many hours.
type scan struct {
	*background
	// counted says that the background has counted these windows, too.
	counted bool
	windows int
	places  []placeOf // in order, for the sum is to be the same
	counts  map[placeOf]float64
}

func (b *background) scan(counted bool) *scan {
	return &scan{background: b, counted: counted, counts: map[placeOf]float64{}}
}

func (s *scan) add(w *window) {
	s.windows++
	for _, p := range w.patterns(s.sights.kinds) {
		at := placeOf{w.unit, p}
		if s.counts[at] == 0 {
			s.places = append(s.places, at)
		}
		s.counts[at]++
	}
}

// excess is the logarithm of that likelihood, where as much may pass by as in the busiest
// hour.
func (s *scan) excess(hours float64) float64 {
	log := 0.0
	for _, at := range s.places {
		n, rate := s.counts[at], s.rate(at)
		if s.counted {
			rate = s.rateWithout(at, n, hours)
		}
		if usually := busyHour * rate * hours; n > usually {
			log += n*math.Log(n/usually) - (n - usually)
		}
	}
	return log
}

// ends are the first and the last window of an incident among those that may be of it:
// from the one to the other each is likelier to follow upon the one before, at the pauses
// and with the kinds of the incident, than to pass by.
func (b *background) ends(s *stretch, list []*window) (first, last int) {
	rhythm, own := changes.NewRhythm(wall(s.windows)), newHabits()
	for _, w := range s.windows {
		own.add(w, b.sights.kinds)
	}
	sum, best, from, before := math.Inf(-1), math.Inf(-1), 0, Span{}
	for i, w := range list {
		sum += rhythm.Next(max(w.span.First.Sub(before.Last), 0).Hours())
		if sum < 0 {
			sum, from = 0, i
		}
		sum += b.rather(s, own, w)
		if sum > best {
			best, first, last = sum, from, i
		}
		before.Add(w.span.Last)
	}
	return first, last
}

// wall are the pauses between windows by the clock, in hours.
func wall(list []*window) []float64 {
	pauses, before := []float64{}, Span{}
	for _, w := range list {
		if !before.Last.IsZero() {
			pauses = append(pauses, max(w.span.First.Sub(before.Last), 0).Hours())
		}
		before.Add(w.span.Last)
	}
	return pauses
}

// rather is the logarithm of how much more of what an incident shows is like a window than
// of what passes by in an hour.
func (b *background) rather(s *stretch, own habits, w *window) float64 {
	most := math.Inf(-1)
	for p, n := range w.byPattern(b.sights.kinds) {
		share := (s.weights[p] + priorOfKind) / (s.seen + priorOfKind*float64(len(s.weights)))
		again := own.of(p, n) / b.anywhere.of(p, n)
		most = max(most, math.Log(share/b.rate(placeOf{w.unit, p})*again))
	}
	return most
}

// priorOfKind is how much of each kind is known of an incident before it is seen (Jeffreys).
const priorOfKind = 0.5

// worth are the hours of a span, of one window at least. They are not counted by what was
// written, which an incident itself makes more.
func worth(span Span) float64 { return span.Length().Hours() + widest.Hours() }

// settled gives to each incident, of the windows of its kinds, those between its ends, and
// takes from it those beyond them. One of which too little is left is none.
func (b *background) settled(found, others []*stretch) (cut, rest []*stretch) {
	for _, s := range found {
		own := s.windows[s.undated():]
		if len(own) == 0 || !b.known(s) {
			cut = append(cut, s)
			continue
		}
		list := slices.Concat(own, b.near(s, others))
		slices.SortStableFunc(list, func(x, y *window) int { return x.span.First.Compare(y.span.First) })
		first, last := b.ends(s, list)
		list = list[first : last+1]
		kept := slices.DeleteFunc(slices.Clone(own), func(w *window) bool {
			return w.span.First.Before(list[0].span.First) || w.span.First.After(list[len(list)-1].span.First)
		})
		if !s.stops() && ofWindows(kept, b.sights.kinds).seen < min(single, s.seen) {
			others = append(others, s)
			continue
		}
		within := ofWindows(slices.Concat(s.windows[:s.undated()], list), b.sights.kinds)
		cut = append(cut, within)
		others = b.left(s, within, others)
	}
	return cut, others
}

// known tells whether the logs of an incident go on beside it for so long that they show
// what passes by.
func (b *background) known(s *stretch) bool {
	for u := range s.units {
		if b.hours[u] >= hoursBefore {
			return true
		}
	}
	return false
}

// left are the others without what is of an incident now, and with what it had before.
func (b *background) left(before, now *stretch, others []*stretch) []*stretch {
	taken := map[*window]bool{}
	for _, w := range now.windows {
		taken[w] = true
	}
	isTaken := func(w *window) bool { return taken[w] }
	for i, s := range others {
		if slices.ContainsFunc(s.windows, isTaken) {
			others[i] = ofWindows(slices.DeleteFunc(slices.Clone(s.windows), isTaken), b.sights.kinds)
		}
	}
	if beyond := slices.DeleteFunc(slices.Clone(before.windows), isTaken); len(beyond) > 0 {
		others = append(others, ofWindows(beyond, b.sights.kinds))
	}
	return others
}

// near are the windows of others that may be of an incident: on its units and, of its kinds, on
// those that have met at its time more than passes by at other times.
func (b *background) near(s *stretch, others []*stretch) []*window {
	var list []*window
	seen := map[*unit]*scan{}
	for _, r := range others {
		for _, w := range r.windows {
			if w.span.First.IsZero() || s.span.First.IsZero() || w.unit.server && !s.units[w.unit] || !s.mayHold(w, b.sights.kinds) {
				continue
			}
			list = append(list, w)
			if !s.units[w.unit] && s.spans(w) {
				if seen[w.unit] == nil {
					seen[w.unit] = b.scan(true)
				}
				seen[w.unit].add(w)
			}
		}
	}
	met := func(u *unit) bool {
		return seen[u] != nil && seen[u].windows >= single && seen[u].excess(worth(s.span)) > -math.Log(anotherFault)
	}
	return slices.DeleteFunc(list, func(w *window) bool { return !s.units[w.unit] && !met(w.unit) })
}

// mayHold tells whether a window may be of a stretch: its kinds are, or they are clients'
// verdicts on the certificate of a unit of it, which a few clients more bring about.
func (s *stretch) mayHold(w *window, kinds []kind) bool {
	return s.knows(w, kinds) || w.channel.verdict && s.units[w.unit] && s.channels[w.channel]
}

// knows tells whether all kinds of failure of a window are of a stretch too.
func (s *stretch) knows(w *window, kinds []kind) bool {
	return !slices.ContainsFunc(w.patterns(kinds), func(p *Pattern) bool { return s.weights[p] == 0 })
}

// spans tells whether a window lies in the time of a stretch.
func (s *stretch) spans(w *window) bool {
	return !w.span.First.Before(s.span.First) && !w.span.Last.After(s.span.Last)
}

// doubted parts the incidents from those in which no cause stands out and that pass by, since
// even at the busiest hour as much would, or that are of another one.
func (b *background) doubted(found []*stretch) (sure, passing []*stretch) {
	for _, s := range found {
		if _, lead := b.lead(s); lead < standsOut && !s.stops() && !s.span.First.IsZero() && (!b.exceededBy(s) || b.explainedBy(s, found)) {
			passing = append(passing, s)
		} else {
			sure = append(sure, s)
		}
	}
	return sure, passing
}

// explainedBy tells whether a greater incident explains where or what was seen of one.
func (b *background) explainedBy(s *stretch, found []*stretch) bool {
	return slices.ContainsFunc(found, func(other *stretch) bool {
		return other.seen > s.seen && !other.span.First.IsZero() && s.within(other) && (sharesUnit(s, other) || b.knownTo(other, s))
	})
}

// knownTo tells whether a stretch shows all kinds of another one.
func (b *background) knownTo(s, other *stretch) bool {
	return !slices.ContainsFunc(other.windows, func(w *window) bool { return !s.knows(w, b.sights.kinds) })
}

func (b *background) exceededBy(s *stretch) bool {
	seen := b.scan(false)
	for _, w := range s.windows {
		seen.add(w)
	}
	hours := worth(s.span)
	return seen.excess(hours) > math.Log(max(b.total.Length().Hours()/hours, 1)/anotherFault)
}
