package patterns_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"wklog/parser"
	"wklog/patterns"
)

func TestZZ(t *testing.T) {
	c := loaded(t)
	a, _ := patterns.NewAnalyzer(c, patterns.Filter{})
	names, _ := filepath.Glob(os.Getenv("ZZ"))
	options := c.ReadOptions()
	options.Zone = time.UTC
	for _, n := range names {
		if strings.HasSuffix(n, ".jsonl") {
			continue
		}
		data, _ := os.ReadFile(n)
		src := a.Source(n)
		parser.Read(context.Background(), strings.NewReader(string(data)), options, func(r *parser.Record) error { src.Add(r); return nil })
		src.End()
	}
	at := time.Now()
	r := a.Result()
	fmt.Println("result took", time.Since(at))
	for _, in := range r.Incidents {
		lead := ""
		for _, d := range in.Diagnosis[:min(2, len(in.Diagnosis))] {
			lead += fmt.Sprintf("%s %.2f ", d.Cause.ID, d.Confidence)
		}
		fmt.Println(in.First.UTC().Format(time.DateTime), in.Last.Sub(in.First), in.Events, in.Clients, lead, in.Nodes, filepath.Base(in.Sources[0]), len(in.Sources))
		for _, e := range in.Unexplained {
			fmt.Println("    not explained", e.Pattern.ID, e.Count)
		}
	}
	for _, e := range r.Passing {
		fmt.Println("passing", e.Pattern.ID, e.Count)
	}
}
