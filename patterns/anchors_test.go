package patterns

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// candidateLines walks over a block line by line and lists the starts of the
// lines that a search finds.
func candidateLines(s *Search) []int {
	var starts []int
	for from := 0; from < len(s.block); {
		at := s.Next(from)
		if at < 0 {
			break
		}
		starts = append(starts, bytes.LastIndexByte(s.block[:at], '\n')+1)
		end := bytes.IndexByte(s.block[at:], '\n')
		if end < 0 {
			break
		}
		from = at + end + 1
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

func checkSearch(t *testing.T, p *Prefilter, block []byte) {
	t.Helper()
	want := plainLines(p.Anchors(), block)
	assert.Equal(t, want, candidateLines(p.Search(block)))
	portable := &Search{prefilter: p, block: block, next: notLookedFor(len(p.anchors.literals))}
	assert.Equal(t, want, candidateLines(portable))
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
	for name, search := range map[string]func() *Search{
		"vector": func() *Search { return p.Search(block) },
		"portable": func() *Search {
			return &Search{prefilter: p, block: block, next: notLookedFor(len(p.anchors.literals))}
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(block)))
			b.ReportAllocs()
			for b.Loop() {
				candidateLines(search())
			}
		})
	}
}
