package search_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
	"wklog/patterns/internal/search"
)

// candidateLines walks over a block line by line and lists the starts of the
// lines that a search finds. It panics where the newlines are miscounted.
func candidateLines(s *search.Set, block []byte) []int {
	var starts []int
	walk := s.Walk(block)
	for from := 0; from < len(block); {
		at, newlines := walk.Next(from)
		end := at
		if at < 0 {
			end = len(block)
		}
		if want := bytes.Count(block[from:end], []byte{'\n'}); newlines != want {
			panic(fmt.Sprintf("%d newlines from %d to %d, counted %d", want, from, end, newlines))
		}
		if at < 0 {
			break
		}
		starts = append(starts, bytes.LastIndexByte(block[:at], '\n')+1)
		length := bytes.IndexByte(block[at:], '\n')
		if length < 0 {
			break
		}
		from = at + length + 1
	}
	return starts
}

// plainLines is the same by the plainest means.
func plainLines(anchors []string, block []byte) []int {
	var starts []int
	start := 0
	for line := range bytes.Lines(block) {
		for _, anchor := range anchors {
			if bytes.Contains(line, []byte(anchor)) {
				starts = append(starts, start)
				break
			}
		}
		start += len(line)
	}
	return starts
}

func checkSearch(t *testing.T, p *search.Set, block []byte) {
	t.Helper()
	want := plainLines(p.Literals(), block)
	for _, width := range search.Widths {
		search.WithWidth(width, func() { assert.Equal(t, want, candidateLines(p, block), "width %d", width) })
	}
}

// anchors are what the catalogue is searched by.
func anchors(t testing.TB) *search.Set {
	c, err := patterns.Load()
	require.NoError(t, err)
	return search.NewSet(append(c.Anchors, parser.Anchors...), map[string]search.Placement{})
}

func TestSearchFindsEveryCandidateLine(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	p := anchors(t)
	for _, name := range []string{"attempts.jsonl", "faults.jsonl", "nginx.jsonl", "startup.jsonl", "servers/healthy/stdout-debug.log"} {
		data, err := os.ReadFile("../../../testdata/wukongim/" + name)
		require.NoError(t, err)
		checkSearch(t, p, data)
	}
}

func TestSearchFindsAnchorsAtEveryPlace(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	p := anchors(t)
	for _, anchor := range p.Literals() {
		for before := range 70 {
			for after := range 40 {
				block := append(bytes.Repeat([]byte("x"), before), anchor...)
				checkSearch(t, p, append(block, bytes.Repeat([]byte("s"), after)...))
			}
		}
	}
}

func FuzzSearch(f *testing.F) {
	p := anchors(f)
	f.Add([]byte("a tls: b\nx509: \n\nhandshakeStatu"), uint64(1))
	f.Fuzz(func(t *testing.T, block []byte, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		for range rng.IntN(4) {
			anchors := p.Literals()
			anchor := anchors[rng.IntN(len(anchors))]
			at := rng.IntN(len(block) + 1)
			block = append(block[:at:at], append([]byte(anchor[:rng.IntN(len(anchor)+1)]), block[at:]...)...)
		}
		checkSearch(t, p, block)
	})
}

func BenchmarkSearch(b *testing.B) {
	p := anchors(b)
	data, err := os.ReadFile("../../../testdata/wukongim/servers/healthy/stdout-debug.log")
	require.NoError(b, err)
	block := data[:256<<10]
	for _, width := range search.Widths {
		b.Run(fmt.Sprintf("width=%d", width), func(b *testing.B) {
			b.SetBytes(int64(len(block)))
			b.ReportAllocs()
			search.WithWidth(width, func() {
				for b.Loop() {
					candidateLines(p, block)
				}
			})
		})
	}
}
