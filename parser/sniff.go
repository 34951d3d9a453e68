package parser

import (
	"bytes"
	"maps"
	"slices"
)

const (
	// sniffLines is how many of the first lines of a log tell its wrapper.
	sniffLines = 64
	// firstDate is how many of its first lines are searched for a date.
	firstDate = 4096
)

// sniff looks at the beginning of the log.
func (r *reader) sniff(block []byte) {
	for len(block) > 0 && r.sniffed < firstDate && (r.sniffed < sniffLines || r.stats.First.IsZero()) {
		end := lineEnd(block, 0)
		e := Unwrap(bytes.TrimPrefix(trimEnd(block[:end]), utf8BOM))
		if r.sniffed < sniffLines {
			r.wrappers[e.Wrapper]++
		}
		if t := r.timeOfEntry(&e); !t.IsZero() && r.stats.First.IsZero() {
			r.stats.First = t
		}
		r.sniffed++
		block = block[end:]
	}
}

// wrapper is the one that most of the inspected lines had; a log of which some
// lines are wrapped is wrapped.
func (r *reader) wrapper() Wrapper {
	best, most := WrapperNone, 0
	for _, w := range slices.Sorted(maps.Keys(r.wrappers)) {
		if w != WrapperNone && r.wrappers[w] > most {
			best, most = w, r.wrappers[w]
		}
	}
	return best
}

// dockerPiece is the size in bytes at which Docker's log drivers cut a line.
const dockerPiece = 16 << 10

var (
	criPartOut = []byte(" stdout P ")
	criPartErr = []byte(" stderr P ")
)

// partFinder finds the pieces of entries that a wrapper wrote in several: CRI
// marks them, docker's json-file shows them only by their length.
type partFinder struct {
	block []byte
	at    int
}

func newPartFinder(block []byte) *partFinder {
	return &partFinder{block: block, at: -1}
}

// next returns an index in the first line at or after from that is such a
// piece, -1 when there is none. from must not decrease.
func (f *partFinder) next(from int) int {
	if f.at == len(f.block) {
		return -1
	}
	if f.at < from {
		f.at = f.find(from)
	}
	if f.at == len(f.block) {
		return -1
	}
	return f.at
}

func (f *partFinder) find(from int) int {
	best := len(f.block)
	for _, mark := range [][]byte{criPartOut, criPartErr} {
		if at := bytes.Index(f.block[from:best], mark); at >= 0 {
			best = from + at
		}
	}
	if at := longLine(f.block[from:best]); at >= 0 {
		best = from + at
	}
	return best
}

// longLine returns the start of the first line of at least dockerPiece bytes,
// -1 when there is none. It looks at one line end in that many bytes.
func longLine(block []byte) int {
	start := 0
	for start+dockerPiece <= len(block) {
		end := bytes.LastIndexByte(block[start:start+dockerPiece], '\n')
		if end < 0 {
			return start
		}
		start += end + 1
	}
	return -1
}
