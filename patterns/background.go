package patterns

import (
	"cmp"
	"math"
	"slices"
)

// background is what passes by on each unit, whatever befalls it: how many windows in an
// hour hold each kind of failure outside of all incidents.
type background struct {
	*finder
	seen  map[placeOf]float64
	hours map[*unit]float64
	// anywhere are the rates of the kinds over all units, never is that of a kind that
	// none of them met.
	anywhere map[*Pattern]float64
	never    float64
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
	b := &background{finder: f, seen: map[placeOf]float64{}, hours: map[*unit]float64{}, anywhere: map[*Pattern]float64{}}
	for _, s := range others {
		for _, w := range s.windows {
			if w.span.First.IsZero() || f.home(w, found) >= 0 {
				continue
			}
			for _, p := range w.patterns(f.sights.kinds) {
				b.seen[placeOf{w.unit, p}]++
				b.anywhere[p]++
			}
		}
	}
	total := float64(hoursBefore)
	for _, u := range f.logs {
		if _, known := b.hours[u]; !known {
			b.hours[u] = f.outside(u, found)
			total += b.hours[u]
		}
	}
	for p, n := range b.anywhere {
		b.anywhere[p] = (n + seenBefore) / total
	}
	b.never = seenBefore / total
	return b
}

// outside are the hours of a unit outside of all incidents.
func (f *finder) outside(u *unit, found []*stretch) float64 {
	hours := worth(f.total)
	for _, s := range found {
		if s.units[u] {
			hours -= worth(s.span)
		}
	}
	return max(hours, 0)
}

// rate is how many windows in an hour hold a kind of failure that passes by: what the unit
// has met, with one more at the rate that all units have, which may have met more.
func (b *background) rate(at placeOf) float64 {
	anywhere := cmp.Or(b.anywhere[at.pattern], b.never)
	return (b.seen[at] + 1) / (b.hours[at.unit] + 1/anywhere)
}

// special tells whether a window holds a kind that does not pass by.
func (b *background) special(w *window) bool {
	return slices.ContainsFunc(w.patterns(b.sights.kinds), func(p *Pattern) bool { return b.seen[placeOf{w.unit, p}] < single })
}

// scan is the likelihood of what is seen in a while against what passes by (the scan
// statistic of Kulldorff, 1997, in time): of each place, so many windows in so many hours.
type scan struct {
	*background
	number map[placeOf]int
	places []placeOf
	counts []float64
}

func (b *background) scan() *scan { return &scan{background: b, number: map[placeOf]int{}} }

func (s *scan) add(w *window) {
	for _, p := range w.patterns(s.sights.kinds) {
		at := placeOf{w.unit, p}
		number, known := s.number[at]
		if !known {
			number = len(s.places)
			s.number[at], s.places, s.counts = number, append(s.places, at), append(s.counts, 0)
		}
		s.counts[number]++
	}
}

// excess is the logarithm of that likelihood, where so much more than on the average may
// pass by.
func (s *scan) excess(hours, times float64) float64 {
	log := 0.0
	for number, n := range s.counts {
		if usually := times * s.rate(s.places[number]) * hours; n > usually {
			log += n*math.Log(n/usually) - (n - usually)
		}
	}
	return log
}

// ends are the first and the last window of an incident among those that may be of it:
// between them most more is seen than passes by.
func (b *background) ends(list []*window) (first, last int) {
	first, last = slices.IndexFunc(list, b.special), len(list)-1
	for first >= 0 && !b.special(list[last]) {
		last--
	}
	first = max(first, 0)
	for range 4 { // one end has a say in the other
		from := last - b.reach(reversed(list[:last+1]))
		to := from + b.reach(list[from:])
		if from == first && to == last {
			break
		}
		first, last = from, to
	}
	return first, last
}

// reach is the window up to which, from the first one on, most more is seen than passes by.
func (b *background) reach(list []*window) int {
	seen, span := b.scan(), Span{}
	best, at := math.Inf(-1), 0
	for i, w := range list {
		seen.add(w)
		span.Add(w.span.First)
		span.Add(w.span.Last)
		if excess := seen.excess(worth(span), 1); excess > best {
			best, at = excess, i
		}
	}
	return at
}

func reversed(list []*window) []*window {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// worth are the hours of a span, of one window at least. They are not counted by what was
// written, which an incident itself makes more.
func worth(span Span) float64 { return span.Length().Hours() + widest.Hours() }

// settled gives to each incident, of the windows of its kinds, those between its ends, and
// takes from it those beyond them.
func (b *background) settled(found, others []*stretch) (cut, rest []*stretch) {
	for _, s := range found {
		near := b.near(s, others)
		var undated, list []*window
		for _, w := range s.windows {
			if w.span.First.IsZero() {
				undated = append(undated, w)
			} else {
				list = append(list, w)
			}
		}
		if len(list) == 0 {
			cut = append(cut, s)
			continue
		}
		list = append(list, near...)
		slices.SortStableFunc(list, func(x, y *window) int { return x.span.First.Compare(y.span.First) })
		first, last := b.ends(list)
		within := ofWindows(slices.Concat(undated, list[first:last+1]), b.sights.kinds)
		if !within.stops() && within.seen < single {
			others = append(others, s)
			continue
		}
		cut = append(cut, within)
		others = b.left(s, within, others)
	}
	return cut, others
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

// near are the windows of others that may be of an incident: of its kinds, on its units and
// on those that have met at its time what does not pass by.
func (b *background) near(s *stretch, others []*stretch) []*window {
	var list []*window
	met := map[*unit]int{}
	for _, r := range others {
		for _, w := range r.windows {
			if w.span.First.IsZero() || s.span.First.IsZero() || w.unit.server && !s.units[w.unit] || !s.knows(w, b.sights.kinds) {
				continue
			}
			list = append(list, w)
			if s.spans(w) && b.special(w) {
				met[w.unit]++
			}
		}
	}
	return slices.DeleteFunc(list, func(w *window) bool { return !s.units[w.unit] && met[w.unit] < single })
}

// knows tells whether all kinds of failure of a window are of a stretch too.
func (s *stretch) knows(w *window, kinds []kind) bool {
	return !slices.ContainsFunc(w.patterns(kinds), func(p *Pattern) bool { return s.weights[p] == 0 })
}

// spans tells whether a window lies in the time of a stretch.
func (s *stretch) spans(w *window) bool {
	return !w.span.First.Before(s.span.First) && !w.span.Last.After(s.span.Last)
}

// doubted parts the incidents from those in which no cause stands out and that pass by: even
// at the busiest hour as much would.
func (b *background) doubted(found []*stretch) (sure, passing []*stretch) {
	for _, s := range found {
		if _, lead := b.lead(s); lead < standsOut && !s.stops() && !s.span.First.IsZero() && !b.exceededBy(s) {
			passing = append(passing, s)
		} else {
			sure = append(sure, s)
		}
	}
	return sure, passing
}

func (b *background) exceededBy(s *stretch) bool {
	seen := b.scan()
	for _, w := range s.windows {
		seen.add(w)
	}
	hours := worth(s.span)
	return seen.excess(hours, busyHour) > math.Log(max(b.total.Length().Hours()/hours, 1)/anotherFault)
}
