package report

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var bar = regexp.MustCompile(`<path[^>]* d="M (\d+) (\d+)\s+L (\d+) \d+\s+L \d+ (\d+)[^"]*" class="s\d"`)

// TestEveryBarCanBeSeen draws as many bars as a timeline has.
func TestEveryBarCanBeSeen(t *testing.T) {
	for _, width := range []int{360, 1040} {
		for _, n := range []int{2, 31, 121, 400} {
			line := Timeline{Unit: "day"}
			counts := make([]int, n)
			for i := range n {
				line.Starts = append(line.Starts, time.Date(2025, 1, 1+i, 0, 0, 0, 0, time.UTC))
				counts[i] = 1 + i%50
			}
			c := chart{width: width, height: 240, labels: line.labels(), series: [][]int{counts, counts}}
			svg, err := c.svg()
			require.NoError(t, err)
			bars := bar.FindAllStringSubmatch(svg, -1)
			require.Len(t, bars, 2*n)
			for _, b := range bars {
				left, _ := strconv.Atoi(b[1])
				top, _ := strconv.Atoi(b[2])
				right, _ := strconv.Atoi(b[3])
				bottom, _ := strconv.Atoi(b[4])
				assert.Greater(t, right, left, "%d bars on %d pixels", n, width)
				assert.Greater(t, bottom, top, "%d bars on %d pixels", n, width)
			}
			assert.NotContains(t, svg, "style=")
			assert.NotContains(t, svg, "rgb(")
		}
	}
}

func TestSqueezeKeepsTheSum(t *testing.T) {
	assert.Equal(t, []int{3, 7, 5}, squeeze([]int{1, 2, 3, 4, 5}, 3))
	assert.Equal(t, []int{1, 2}, squeeze([]int{1, 2}, 3))
	assert.Empty(t, squeeze(nil, 3))
}
