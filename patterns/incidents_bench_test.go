package patterns_test

import (
	"fmt"
	"testing"
)

// BenchmarkIncidents finds twenty faults, one after the other, of clusters of so many
// nodes: ns/node is to stay what it is for ten.
func BenchmarkIncidents(b *testing.B) {
	errs := []string{expired, unknownCA, rejected, "remote error: tls: unsupported certificate"}
	for _, nodes := range []int{10, 30, 100} {
		byNode := map[string]*diary{}
		for n := range nodes {
			d := newDiary().work(0, 720, 2).fail(3, 720, 31, hidden)
			for fault := range 20 {
				from := 36*float64(fault) + float64(n%7)/10
				d.fail(from, from+16, 1, errs[fault%len(errs)])
			}
			byNode[fmt.Sprintf("im%03d", n)] = d
		}
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			a := analyzerOf(b, byNode)
			for b.Loop() {
				a.Result()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(nodes), "ns/node")
		})
	}
}
