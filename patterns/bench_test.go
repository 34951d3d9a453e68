package patterns_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
)

// benchLog is a healthy server's debug log with failed connections in it: one
// of each recorded attempt after every few lines.
func benchLog(b *testing.B, healthyPerFailure int) string {
	b.Helper()
	data, err := os.ReadFile(filepath.Join(recordings, "servers/healthy/stdout-debug.log"))
	require.NoError(b, err)
	healthy := strings.SplitAfter(string(data), "\n")
	var log strings.Builder
	at := 0
	for _, r := range readJSONL[recorded](b, "attempts.jsonl") {
		for range healthyPerFailure {
			log.WriteString(healthy[at%len(healthy)])
			at++
		}
		log.WriteString(r.log() + "\n")
	}
	return log.String()
}

// records reads a log as the commands do.
func records(b *testing.B, c *patterns.Catalogue, log string, emit func(*parser.Record)) {
	b.Helper()
	_, err := parser.ReadAt(context.Background(), strings.NewReader(log), int64(len(log)), runtime.GOMAXPROCS(0), c.ReadOptions(), func(rec *parser.Record) error {
		emit(rec)
		return nil
	})
	require.NoError(b, err)
}

// BenchmarkRead reads and parses, and matches nothing.
func BenchmarkRead(b *testing.B) {
	c := loaded(b)
	for name, healthy := range map[string]int{"failures=0.1%": 1000, "failures=5%": 20, "failures=50%": 1} {
		log := benchLog(b, healthy)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(log)))
			b.ReportAllocs()
			for b.Loop() {
				records(b, c, log, func(*parser.Record) {})
			}
		})
	}
}

// BenchmarkMatch finds the patterns of every candidate of the recordings.
func BenchmarkMatch(b *testing.B) {
	c := loaded(b)
	m, err := c.Matcher()
	require.NoError(b, err)
	var all []*parser.Record
	size := 0
	records(b, c, benchLog(b, 0), func(rec *parser.Record) {
		all = append(all, rec)
		size += len(rec.Text)
	})
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, rec := range all {
			m.Match(rec)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(all)), "ns/record")
}

// BenchmarkAnalyze counts the events of all candidates and ranks the causes.
func BenchmarkAnalyze(b *testing.B) {
	c := loaded(b)
	var all []*parser.Record
	size := 0
	records(b, c, benchLog(b, 0), func(rec *parser.Record) {
		all = append(all, rec)
		size += len(rec.Text)
	})
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		a, err := patterns.NewAnalyzer(c, patterns.Filter{})
		require.NoError(b, err)
		a.Alone = true
		src := a.Source("server.log")
		for _, rec := range all {
			src.Add(rec)
		}
		src.End()
		a.Result()
	}
}

// BenchmarkLoad is what every start of a command pays for the catalogue.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c := loaded(b)
		c.ReadOptions().Search(bytes.Repeat([]byte("x"), 100)).Next(0)
		_, err := c.Matcher()
		require.NoError(b, err)
	}
}
