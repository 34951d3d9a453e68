package patterns

import (
	"cmp"
	"math"
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

// worth are the hours of a span, of one window at least. They are not counted by what was
// written, which an incident itself makes more.
func worth(span Span) float64 { return span.Length().Hours() + widest.Hours() }

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
