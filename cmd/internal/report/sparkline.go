package report

import "strings"

var bars = []rune("▁▂▃▄▅▆▇█")

// sparkline draws counts as bars of one column each; an empty part is a dot.
func sparkline(counts []int) string {
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	var b strings.Builder
	for _, n := range counts {
		if n == 0 {
			b.WriteByte('.')
			continue
		}
		b.WriteRune(bars[(n*len(bars)-1)/most])
	}
	return b.String()
}
