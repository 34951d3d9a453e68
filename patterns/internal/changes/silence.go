package changes

import (
	"cmp"
	"math"
	"slices"
)

// usual is a pause that is nothing special, in hours: whoever uses a client sleeps
// and works. It counts as some pauses that were seen before.
const usual, usualCount = 8.0, 2

// maxEnds is how many ends are looked for in one stream.
const maxEnds = 50

// Ends are the pauses, by their index, that are too long for a stream with such
// pauses between its sightings, in hours of traffic: there it ended, and began anew.
// The odds are those of an end, against going on.
func Ends(pauses []float64, odds float64) []int {
	order := make([]int, len(pauses))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(pauses[b], pauses[a]) })
	longest := make([]float64, len(pauses))
	for i, at := range order {
		longest[i] = pauses[at]
	}
	ends := 0
	for n := 1; n <= min(len(order)/2, maxEnds); n++ { // most pauses are none
		if Pause(longest[n-1], longest[n:]) < math.Log(odds) {
			ends = n // all that are as long, too
		}
	}
	found := slices.Clone(order[:ends])
	slices.Sort(found)
	return found
}

// Pause is the logarithm of the probability that among pauses like those that were
// seen, the longest first, there is one of at least this length. The tail of their
// distribution is taken for exponential, with the mean by which the longest of them
// exceed the others: clients that try in rows make long pauses of the same kind.
func Pause(length float64, seen []float64) float64 {
	tail := min(int(math.Ceil(math.Sqrt(float64(len(seen))))), len(seen))
	beyond := 0.0
	if tail < len(seen) {
		beyond = seen[tail]
	}
	mean := usual * usualCount
	for _, pause := range seen[:tail] {
		mean += pause - beyond
	}
	mean /= float64(tail + usualCount)
	return min(0, math.Log(float64(tail+1))-(length-beyond)/mean)
}

// shortest is the least mean pause, in hours: what one client repeats is no rhythm.
const shortest = 1.0 / 60

// Rhythm is how a stream of failures pauses. Some of its pauses are the short ones of
// clients that try again, some the long ones between such rows.
type Rhythm struct {
	longest []float64 // first
	sums    []float64 // of so many of them
}

// NewRhythm takes the pauses of a stream, in hours.
func NewRhythm(pauses []float64) *Rhythm {
	r := &Rhythm{longest: slices.Clone(pauses), sums: make([]float64, 1, len(pauses)+1)}
	slices.SortFunc(r.longest, func(a, b float64) int { return cmp.Compare(b, a) })
	for _, pause := range r.longest {
		r.sums = append(r.sums, r.sums[len(r.sums)-1]+pause)
	}
	return r
}

// Next is the logarithm of how likely it is, in an hour, that after so long a pause the
// stream is seen again. A pause that is one of its own does not speak for itself.
func (r *Rhythm) Next(pause float64) float64 {
	n, sum, own := len(r.longest), r.sums[len(r.longest)], 0
	at, is := slices.BinarySearchFunc(r.longest, pause, func(length, pause float64) int { return cmp.Compare(pause, length) })
	if is {
		n, sum, own = n-1, sum-pause, 1
	}
	tail := int(math.Ceil(math.Sqrt(float64(n))))
	long := r.sums[tail]
	if is && at < tail {
		long = r.sums[tail+own] - pause
	}
	short := max((shortest+sum-long)/float64(n-tail+1), shortest)
	long = (usual*usualCount + long) / float64(tail+usualCount)
	share := float64(tail+1) / float64(n+2)
	return math.Log((1-share)*math.Exp(-pause/short)/short + share*math.Exp(-pause/long)/long)
}
