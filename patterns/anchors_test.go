package patterns

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// candidateLines walks over a block line by line and lists the starts of the
// lines that a search finds. It panics where the newlines are miscounted.
func candidateLines(s *Search) []int {
	var starts []int
	for from := 0; from < len(s.block); {
		at, newlines := s.Next(from)
		end := at
		if at < 0 {
			end = len(s.block)
		}
		if want := bytes.Count(s.block[from:end], newline); newlines != want {
			panic(fmt.Sprintf("%d newlines from %d to %d, counted %d", want, from, end, newlines))
		}
		if at < 0 {
			break
		}
		starts = append(starts, bytes.LastIndexByte(s.block[:at], '\n')+1)
		length := bytes.IndexByte(s.block[at:], '\n')
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

// widths are the ways to search that this processor has.
var widths = func() []int {
	var all []int
	for width := vectorWidth; width > 0; width -= 32 {
		all = append(all, width)
	}
	return append(all, 0)
}()

// withWidth runs something with another vector width.
func withWidth(width int, run func()) {
	before := vectorWidth
	defer func() { vectorWidth = before }()
	vectorWidth = width
	run()
}

func checkSearch(t *testing.T, p *Prefilter, block []byte) {
	t.Helper()
	want := plainLines(p.Anchors(), block)
	for _, width := range widths {
		withWidth(width, func() { assert.Equal(t, want, candidateLines(p.Search(block)), "width %d", width) })
	}
}

func TestSearchFindsEveryCandidateLine(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	p := c.Prefilter()
	for _, name := range []string{"attempts.jsonl", "faults.jsonl", "nginx.jsonl", "startup.jsonl", "servers/healthy/stdout-debug.log"} {
		data, err := os.ReadFile("../testdata/wukongim/" + name)
		require.NoError(t, err)
		checkSearch(t, p, data)
	}
}

func TestSearchFindsAnchorsAtEveryPlace(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	p := c.Prefilter()
	for _, anchor := range p.Anchors() {
		for before := range 70 {
			for after := range 40 {
				block := append(bytes.Repeat([]byte("x"), before), anchor...)
				checkSearch(t, p, append(block, bytes.Repeat([]byte("s"), after)...))
			}
		}
	}
}

func FuzzSearch(f *testing.F) {
	c, err := Load()
	require.NoError(f, err)
	p := c.Prefilter()
	f.Add([]byte("a tls: b\nx509: \n\nhandshakeStatu"), uint64(1))
	f.Fuzz(func(t *testing.T, block []byte, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		for range rng.IntN(4) {
			anchors := p.Anchors()
			anchor := anchors[rng.IntN(len(anchors))]
			at := rng.IntN(len(block) + 1)
			block = append(block[:at:at], append([]byte(anchor[:rng.IntN(len(anchor)+1)]), block[at:]...)...)
		}
		checkSearch(t, p, block)
	})
}

func BenchmarkSearch(b *testing.B) {
	c, err := Load()
	require.NoError(b, err)
	p := c.Prefilter()
	data, err := os.ReadFile("../testdata/wukongim/servers/healthy/stdout-debug.log")
	require.NoError(b, err)
	block := data[:256<<10]
	for _, width := range widths {
		b.Run(fmt.Sprintf("width=%d", width), func(b *testing.B) {
			b.SetBytes(int64(len(block)))
			b.ReportAllocs()
			withWidth(width, func() {
				for b.Loop() {
					candidateLines(p.Search(block))
				}
			})
		})
	}
}
