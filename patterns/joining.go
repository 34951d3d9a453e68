package patterns

import (
	"cmp"
	"container/heap"
	"maps"
	"math"
	"slices"
	"time"

	"wklog/patterns/internal/changes"
)

// neighbours is with how many of those that begin next a stretch is compared, and as many
// before it: of many alike each is joined with its next ones, and so all with each other.
const neighbours = 32

// joined joins the stretches that one fault explains better than two, those that fit
// best first.
func (f *finder) joined(list []*stretch, may func(x, y *stretch) bool) []*stretch {
	j := &joining{finder: f, list: list, may: may, odds: map[[2]*stretch]float64{}, gone: map[*stretch]bool{}}
	for j.round() {
	}
	return j.list
}

// joining are stretches that are being joined.
type joining struct {
	*finder
	list  []*stretch
	may   func(x, y *stretch) bool
	odds  map[[2]*stretch]float64
	gone  map[*stretch]bool
	pairs pairs
}

// pair are two stretches that may be of one fault, with the logarithm of the odds.
type pair struct {
	x, y *stretch
	odds float64
	// order tells apart those of the same odds.
	order int
	// parted says that it was held against those between the two.
	parted bool
}

// pairs are the best first.
type pairs []pair

func (p pairs) Len() int { return len(p) }
func (p pairs) Less(i, j int) bool {
	return p[i].odds > p[j].odds || p[i].odds == p[j].odds && p[i].order < p[j].order
}
func (p pairs) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *pairs) Push(x any)   { *p = append(*p, x.(pair)) }
func (p *pairs) Pop() any {
	last := len(*p) - 1
	x := (*p)[last]
	*p = (*p)[:last]
	return x
}

// round joins what is near to each other, and tells whether there was any.
func (j *joining) round() (any bool) {
	j.pairs = nil
	order := slices.Clone(j.list)
	slices.SortStableFunc(order, func(x, y *stretch) int { return x.span.First.Compare(y.span.First) })
	for i, x := range order {
		for _, y := range order[i+1 : min(i+1+neighbours, len(order))] {
			j.consider(x, y)
		}
	}
	for len(j.pairs) > 0 {
		p := heap.Pop(&j.pairs).(pair)
		switch {
		case j.gone[p.x] || j.gone[p.y]:
		case !p.parted && parted(p.x, p.y, j.list):
			if p.odds += math.Log(anotherFault); p.odds > 0 {
				p.parted = true
				heap.Push(&j.pairs, p)
			}
		default:
			j.join(p.x, p.y)
			any = true
		}
	}
	return any
}

// consider notes a pair that may be of one fault.
func (j *joining) consider(x, y *stretch) {
	key := [2]*stretch{x, y}
	log, known := j.odds[key]
	if !known {
		if log = math.Inf(-1); j.may(x, y) {
			log = j.same(x, y)
		}
		j.odds[key] = log
	}
	if log > 0 {
		heap.Push(&j.pairs, pair{x: x, y: y, odds: log, order: len(j.odds)})
	}
}

// join puts the union of two stretches in the place of the first.
func (j *joining) join(x, y *stretch) {
	both := together([]*stretch{x, y})
	at, with := slices.Index(j.list, x), slices.Index(j.list, y)
	j.list[min(at, with)] = both
	j.list = slices.Delete(j.list, max(at, with), max(at, with)+1)
	j.gone[x], j.gone[y] = true, true
	for _, z := range j.near(both) {
		j.consider(both, z)
	}
}

// near are the stretches that begin next, and those before.
func (j *joining) near(s *stretch) []*stretch {
	list := slices.DeleteFunc(slices.Clone(j.list), func(other *stretch) bool { return other == s })
	if len(list) <= 2*neighbours {
		return list
	}
	slices.SortStableFunc(list, func(x, y *stretch) int { return x.span.First.Compare(y.span.First) })
	at, _ := slices.BinarySearchFunc(list, s, func(x, y *stretch) int { return x.span.First.Compare(y.span.First) })
	return list[max(at-neighbours, 0):min(at+neighbours, len(list))]
}

// parted tells whether something weightier than the smaller of two stretches lies between
// them, or around it: then one would have come and gone within the other.
func parted(x, y *stretch, list []*stretch) bool {
	if y.span.First.Before(x.span.First) {
		x, y = y, x
	}
	return slices.ContainsFunc(list, func(z *stretch) bool {
		if z == x || z == y || z.seen <= min(x.seen, y.seen) || !sharesUnit(z, x) || !sharesUnit(z, y) || !sharesChannel(z, x) {
			return false
		}
		return z.span.First.After(x.span.First) && z.span.Last.Before(y.span.Last) || x.within(z) != y.within(z)
	})
}

// anyTwo lets any two stretches be joined.
func anyTwo(_, _ *stretch) bool { return true }

// same is the logarithm of the odds that two stretches are of the same fault.
func (f *finder) same(x, y *stretch) float64 {
	if !joinable(x, y) || !sharesChannel(x, y) && !x.meets(y) {
		return math.Inf(-1)
	}
	another, others := anotherFault, otherClients
	if cause, _ := f.lead(x); cause != first(f.lead(y)) {
		others = otherCauses
	}
	if !sharesUnit(x, y) {
		others = min(others*math.Pow(coincidence, float64(x.coincides(y))), 1)
	}
	others = max(others, fewClients*math.Exp(-min(x.seen, y.seen)/few))
	dated := !x.span.First.IsZero() && !y.span.First.IsZero()
	if sharesUnit(x, y) && dated {
		if sharesChannel(x, y) && (x.within(y) || y.within(x)) {
			another *= anotherFault // it would have to end as well, and leave the other as it was
		}
		another *= f.lasting(x, y)
		span := x.span
		span.Add(y.span.First)
		span.Add(y.span.Last)
		another = min(another, 1-math.Exp(-span.Length().Hours()/faultEvery.Hours()))
		others = max(others, math.Exp(-span.Length().Hours()/atOnce.Hours()))
	}
	unlike := difference(x, y)
	if !sharesUnit(x, y) {
		others *= math.Exp(-max(unlike, 0) / ownClients)
	}
	log := f.likeness(x, y) - math.Log(another) + math.Log((1-others)*math.Exp(-max(unlike, -20))+others)
	if dated && !x.meets(y) {
		log += max(between(x, y), longSilence)
	}
	return log
}

// ownClients is by how much, in logarithms of odds, the mixtures of two nodes differ if one
// fault is met by clients of their own on each, some of which try again and again. The more
// they differ the less likely it is one fault.
const ownClients = 20

func first(cause string, _ float64) string { return cause }

// lasts is how long a fault lasts on the average, at least: somebody has to notice it, and
// to find out what it is.
const lasts = 24 * time.Hour

// lasting is the probability that a fault is over as soon as the shorter of two stretches,
// 1 for one that goes on to the end of the logs.
func (f *finder) lasting(x, y *stretch) float64 {
	if y.span.Length() < x.span.Length() {
		x = y
	}
	if f.total.Last.Sub(x.span.Last) <= widest {
		return 1
	}
	return 1 - math.Exp(-x.length()/lasts.Hours())
}

// longSilence is the least that a silence between two stretches says against one fault:
// the pauses within a part of it need not be those of the whole.
const longSilence = -5

// between is the logarithm of the probability of the pause between two stretches, if they
// are of one fault that goes on.
func between(x, y *stretch) float64 {
	if y.span.First.Before(x.span.First) {
		x, y = y, x
	}
	pauses := slices.Concat(x.pauses(), y.pauses())
	slices.SortFunc(pauses, func(a, b float64) int { return cmp.Compare(b, a) })
	return changes.Pause((x.hours(x.span.Last, y.span.First)+y.hours(x.span.Last, y.span.First))/2, pauses)
}

// coincidence is how much more likely failures of two nodes that begin at the same time are
// of one fault, and as much again if they end at the same time: of two faults of their own
// that meet, each end would be as near in one of so many cases.
const coincidence = 1 / (2 * nearby)

// nearby is the part of their length by which the ends of two stretches may differ.
const nearby = 0.1

// coincides counts the ends, the first and the last, that two stretches have at the same
// time.
func (s *stretch) coincides(other *stretch) int {
	whole := s.span
	whole.Add(other.span.First)
	whole.Add(other.span.Last)
	slack, n := time.Duration(float64(whole.Length())*nearby), 0
	for _, apart := range []time.Duration{s.span.First.Sub(other.span.First), s.span.Last.Sub(other.span.Last)} {
		if apart.Abs() <= slack {
			n++
		}
	}
	return n
}

// joinable tells whether the stretches may be of one fault: those of servers that
// nothing joins are not.
func joinable(x, y *stretch) bool {
	for u := range x.units {
		for v := range y.units {
			if u != v && u.server && v.server {
				return false
			}
		}
	}
	return true
}

func sharesUnit(x, y *stretch) bool {
	return containsKey(x.units, func(u *unit) bool { return y.units[u] })
}

func sharesChannel(x, y *stretch) bool {
	return containsKey(x.channels, func(c channel) bool { return y.channels[c] })
}

// likeness is the logarithm of how much more likely both have the same cause than two
// causes that do not depend on each other.
func (f *finder) likeness(x, y *stretch) float64 {
	const least = 1e-6
	if a, b := f.fitsOf(x), f.fitsOf(y); a != nil && b != nil {
		return math.Log(max(f.ranker.Likeness(a, b), least))
	}
	const prior = 0.1 // of each of the causes that are not ranked
	a, b := f.causesOfStretch(x), f.causesOfStretch(y)
	sum := 0.0
	for _, cause := range slices.Sorted(maps.Keys(a)) {
		sum += a[cause] * b[cause] / prior
	}
	return math.Log(max(sum, least))
}

// fitsOf are how well the ranked setups fit the verdicts in a stretch, nil for none.
func (f *finder) fitsOf(s *stretch) []float64 {
	known, ok := f.fits[s]
	if !ok {
		known = f.viewOf(s).fits()
		f.fits[s] = known
	}
	return known
}

// causesOfStretch are the probabilities of the causes of a stretch.
func (f *finder) causesOfStretch(s *stretch) map[string]float64 {
	if known, ok := f.causes[s]; ok {
		return known
	}
	causes, total := map[string]float64{}, 0.0
	for _, d := range f.viewOf(s).diagnose() {
		causes[d.Cause.ID] += d.Confidence
		total += d.Confidence
	}
	for id := range causes {
		causes[id] /= max(total, 1)
	}
	f.causes[s] = causes
	return causes
}
