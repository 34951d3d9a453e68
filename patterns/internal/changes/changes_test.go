package changes

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// mixture appends steps of one sighting each, of the first class with a probability.
func mixture(s *Series, rng *rand.Rand, steps int, first float64) {
	for range steps {
		sightings := []float64{0, 1}
		if rng.Float64() < first {
			sightings = []float64{1, 0}
		}
		s.Add(sightings, 1)
	}
}

func TestMixtureThatDoesNotChangeIsNotCut(t *testing.T) {
	cut := 0
	for seed := range uint64(100) {
		s := NewSeries(2)
		mixture(s, rand.New(rand.NewPCG(seed, 1)), 150, 0.4)
		cut += len(s.Cuts(120))
	}
	assert.LessOrEqual(t, cut, 2)
}

func TestMixtureThatChangesIsCutThere(t *testing.T) {
	near := 0
	for seed := range uint64(100) {
		s, rng := NewSeries(2), rand.New(rand.NewPCG(seed, 2))
		mixture(s, rng, 250, 0.9)
		mixture(s, rng, 150, 0.3)
		if cuts := s.Cuts(120); len(cuts) == 1 && cuts[0] >= 242 && cuts[0] <= 258 {
			near++
		}
	}
	assert.GreaterOrEqual(t, near, 90, "also between the places that are tried first")
}

func TestRateThatChangesIsCutOnlyWhereRatesMatter(t *testing.T) {
	s := NewSeries(1)
	for i := range 60 {
		s.Add([]float64{1}, 0)
		if i < 20 || i >= 40 {
			s.Add(nil, 10)
		} else {
			s.Add(nil, 0.1)
		}
	}
	assert.Empty(t, s.Cuts(200))
	s.Rates = true
	assert.Len(t, s.Cuts(200), 2)
}

func TestDifferenceIsNegativeForTheSameMixture(t *testing.T) {
	assert.Negative(t, Difference([]float64{40, 20}, []float64{19, 11}))
	assert.Greater(t, Difference([]float64{40, 2}, []float64{2, 40}), 20.0)
	assert.InDelta(t, Difference([]float64{3, 9}, []float64{8, 1}), Difference([]float64{8, 1}, []float64{3, 9}), 1e-9)
}

func TestEndsArePausesThatAreTooLong(t *testing.T) {
	assert.Empty(t, Ends([]float64{1, 2, 1, 3, 2, 1, 2}, 0.05))
	assert.Empty(t, Ends([]float64{0.1, 0.2, 16, 0.1}, 0.05), "a night")
	assert.Equal(t, []int{3}, Ends([]float64{1, 2, 1, 120, 2, 1, 2}, 0.05))
	assert.Equal(t, []int{1, 4}, Ends([]float64{1, 100, 2, 1, 110, 2, 1, 2}, 0.05), "one does not hide the other")
	assert.Empty(t, Ends([]float64{60, 50, 70, 40, 65}, 0.05), "its own rhythm is slow")
	assert.Empty(t, Ends(nil, 0.05))
}

func TestPauseDoesNotSpeakForItself(t *testing.T) {
	pauses := []float64{0.1, 2, 0.15, 30, 0.2, 3, 0.12}
	all := NewRhythm(pauses)
	for i, pause := range pauses {
		others := NewRhythm(slices.Delete(slices.Clone(pauses), i, i+1))
		assert.InDelta(t, others.Next(pause), all.Next(pause), 1e-9)
	}
	assert.Less(t, all.Next(31), all.Next(2.5))
	assert.Less(t, all.Next(2.5), all.Next(0.11))
}

func TestLogGamma(t *testing.T) {
	for _, x := range []float64{0.5, 1, 1.5, 3, 7.9, 8, 50, 12345.5} {
		want, _ := math.Lgamma(x)
		assert.InDelta(t, want, logGamma(x), 1e-5*max(1, want))
	}
}
