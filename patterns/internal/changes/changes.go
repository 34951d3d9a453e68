// Package changes finds where a stream of failures changes: in what is seen, or in
// how often.
package changes

import "math"

// Series is a stream of failures in order of time, cut into steps: each is a while
// in which something was seen, or a silence.
type Series struct {
	classes int
	// Rates says that how often something is seen matters as well as what.
	Rates bool
	// Each holds the sums over the steps before: of the sightings by class, of all,
	// and of the time that passed.
	byClass [][]float64
	seen    []float64
	passed  []float64
}

// NewSeries starts one whose sightings are of so many classes.
func NewSeries(classes int) *Series {
	return &Series{classes: classes, byClass: [][]float64{make([]float64, classes)}, seen: []float64{0}, passed: []float64{0}}
}

// Add appends a step: what was seen of each class, nil for a silence, in how much
// time. What one client repeats within moments is one sighting, or little more: the
// caller sees to that.
func (s *Series) Add(sightings []float64, passed float64) {
	last := len(s.seen) - 1
	sums, all := make([]float64, s.classes), s.seen[last]
	copy(sums, s.byClass[last])
	for class, n := range sightings {
		sums[class] += n
		all += n
	}
	s.byClass, s.seen, s.passed = append(s.byClass, sums), append(s.seen, all), append(s.passed, s.passed[last]+passed)
}

// Len is the number of steps.
func (s *Series) Len() int { return len(s.seen) - 1 }

// Seen is how much was seen in the steps from i to before j.
func (s *Series) Seen(i, j int) float64 { return s.seen[j] - s.seen[i] }

// Passed is how much time these steps took.
func (s *Series) Passed(i, j int) float64 { return s.passed[j] - s.passed[i] }

// Cuts are the steps before which the stream changes, in order. They are chosen by
// dynamic programming so that the evidence of all stretches is highest. Each further
// one costs the logarithm of the number of places where it might be, since before
// the log is read it is as likely in each of them. Of a long series one in so many
// places is tried, until at most the given number is left, and every place around
// those that were found.
func (s *Series) Cuts(most int) []int {
	n := s.Len()
	if n < 2 {
		return nil
	}
	places := []int{}
	stride := max(1, (n+most-1)/most)
	for at := 0; at < n; at += stride {
		places = append(places, at)
	}
	places = append(places, n)
	price := math.Log(float64(n))
	best, from := make([]float64, len(places)), make([]int, len(places))
	for j := 1; j < len(places); j++ {
		best[j] = math.Inf(-1)
		for i := range j {
			if score := best[i] + s.Evidence(places[i], places[j]) - price; score > best[j] {
				best[j], from[j] = score, i
			}
		}
	}
	cuts := []int{}
	for j := from[len(places)-1]; j > 0; j = from[j] {
		cuts = append(cuts, places[j])
	}
	for i, j := 0, len(cuts)-1; i < j; i, j = i+1, j-1 {
		cuts[i], cuts[j] = cuts[j], cuts[i]
	}
	if stride > 1 {
		s.refine(cuts, stride)
	}
	return cuts
}

// refine moves each cut to the best place near it.
func (s *Series) refine(cuts []int, stride int) {
	for c, cut := range cuts {
		before, after := 0, s.Len()
		if c > 0 {
			before = cuts[c-1]
		}
		if c+1 < len(cuts) {
			after = cuts[c+1]
		}
		best := math.Inf(-1)
		for at := max(before+1, cut-stride); at <= min(after-1, cut+stride); at++ {
			if score := s.Evidence(before, at) + s.Evidence(at, after); score > best {
				best, cuts[c] = score, at
			}
		}
	}
}

// Weight of the prior of a stretch, in sightings: how much is known before of the
// shares of the classes (half a sighting of each: Jeffreys) and of the rate (half a
// sighting at the average rate of the whole).
const (
	priorOfClass = 0.5
	priorOfRate  = 0.5
)

// Evidence is the logarithm of the probability of what was seen in a stretch, if
// neither the shares nor the rate change within it and both are unknown.
func (s *Series) Evidence(i, j int) float64 {
	seen, log := s.Seen(i, j), 0.0
	if s.Rates {
		log = s.rate(seen, s.Passed(i, j))
	}
	if seen == 0 {
		return log
	}
	return log + shares(s.byClass[i], s.byClass[j], seen)
}

// rate is the evidence of how much was seen in some time (Poisson and gamma).
func (s *Series) rate(seen, passed float64) float64 {
	n := s.Len()
	unit := priorOfRate * s.passed[n] / max(s.seen[n], priorOfRate)
	if unit <= 0 {
		return 0
	}
	return priorOfRate*math.Log(unit) - gammaOfPrior + logGamma(seen+priorOfRate) - (seen+priorOfRate)*math.Log(passed+unit)
}

// shares is the evidence of the classes of a stretch (Dirichlet and multinomial).
func shares(before, after []float64, seen float64) float64 {
	k := float64(len(after))
	log := logGamma(k*priorOfClass) - logGamma(seen+k*priorOfClass)
	for class := range after {
		if n := after[class] - before[class]; n > 0 {
			log += logGamma(n+priorOfClass) - gammaOfPrior
		}
	}
	return log
}

// Difference is the logarithm of how much more likely the sightings of two stretches
// are with shares of their own than with the same; below 0 they are rather the same.
// Both have the same classes.
func Difference(a, b []float64) float64 {
	none, both := make([]float64, len(a)), make([]float64, len(a))
	inA, inB := 0.0, 0.0
	for class := range a {
		both[class] = a[class] + b[class]
		inA, inB = inA+a[class], inB+b[class]
	}
	return shares(none, a, inA) + shares(none, b, inB) - shares(none, both, inA+inB)
}

var gammaOfPrior = 0.5723649429247001 // ln Γ(½)

// logGamma is ln Γ(x) for x > 0, by Stirling's series behind a shift: good to 1e-6,
// and faster than math.Lgamma.
func logGamma(x float64) float64 {
	shift := 0.0
	if x < 8 {
		shift = math.Log(x * (x + 1) * (x + 2) * (x + 3))
		x += 4
	}
	return (x-0.5)*math.Log(x) - x + 0.9189385332046727 + 1/(12*x) - 1/(360*x*x*x) - shift
}
