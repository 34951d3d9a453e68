package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// charts gives a chart of two series for a desk and a phone, for as many bins as
// a timeline may have.
func charts(t *testing.T, check func(t *testing.T, c *chart, counts []int)) {
	for _, width := range []int{360, 1040} {
		for _, n := range []int{2, 31, 121, 400} {
			t.Run(fmt.Sprintf("%d bins on %d pixels", n, width), func(t *testing.T) {
				line := Timeline{Unit: "day"}
				counts := make([]int, n)
				for i := range n {
					line.Starts = append(line.Starts, time.Date(2025, 1, 1+i, 0, 0, 0, 0, time.UTC))
					counts[i] = 1 + i*i%5000
				}
				check(t, newTimelineChart(width, 240, line.labels(), [][]int{counts, counts}), counts)
			})
		}
	}
}

func TestEveryBarCanBeSeen(t *testing.T) {
	charts(t, func(t *testing.T, c *chart, counts []int) {
		require.Len(t, c.Bars, 2*len(counts))
		right, top := 0.0, 0.0
		for i, b := range c.Bars {
			assert.Positive(t, b.Width)
			assert.GreaterOrEqual(t, b.Height, 1.0)
			assert.GreaterOrEqual(t, b.Y, 0.0)
			if b.Series == 0 {
				assert.Greater(t, b.X, right, "bar %d is beside the one before", i)
				right, top = b.X+b.Width, b.Y
			} else {
				assert.InDelta(t, top, b.Y+b.Height, 1e-6, "bar %d stands on the one below", i)
			}
		}
		assert.Less(t, right, float64(c.Width))
	})
}

func TestBarsAreReadOnTheGrid(t *testing.T) {
	c := newTimelineChart(360, 220, []string{"05-01", "05-02", "05-03"}, [][]int{{10, 0, 4}, {10, 0, 2}})
	heights := map[int]float64{}
	for _, line := range c.Grid {
		heights[line.Count] = line.Y
	}
	require.Equal(t, []int{0, 5, 10, 15, 20}, []int{c.Grid[0].Count, c.Grid[1].Count, c.Grid[2].Count, c.Grid[3].Count, c.Grid[4].Count})
	require.Len(t, c.Bars, 4, "nothing is drawn where nothing was counted")
	assert.InDelta(t, heights[0], c.Bars[0].Y+c.Bars[0].Height, 1e-6)
	assert.InDelta(t, heights[10], c.Bars[0].Y, 1e-6)
	assert.InDelta(t, heights[20], c.Bars[1].Y, 1e-6)
}

func TestGridHasRoundNumbers(t *testing.T) {
	for most, step := range map[int]int{1: 1, 5: 1, 6: 2, 10: 2, 11: 5, 25: 5, 26: 10, 500: 100, 501: 200, 1_000_000: 200_000} {
		assert.Equal(t, step, gridStep(most), most)
	}
}

func TestLabelsOfAChartStandApart(t *testing.T) {
	charts(t, func(t *testing.T, c *chart, _ []int) {
		require.NotEmpty(t, c.Labels)
		right := 0.0
		for _, l := range c.Labels {
			half := float64(len(l.Text)*digit) / 2
			assert.GreaterOrEqual(t, l.X-half, right)
			right = l.X + half
		}
		assert.LessOrEqual(t, right, float64(c.Width))
	})
}

func TestSqueezeKeepsTheSum(t *testing.T) {
	assert.Equal(t, []int{3, 7, 5}, squeeze([]int{1, 2, 3, 4, 5}, 3))
	assert.Equal(t, []int{1, 2}, squeeze([]int{1, 2}, 3))
	assert.Empty(t, squeeze(nil, 3))
}
