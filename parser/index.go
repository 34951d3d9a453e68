package parser

import (
	"bytes"
	"encoding/binary"
)

// stop is a line of a block that has to be looked at.
type stop struct {
	start int // index of the line's first byte
	// lines is how many lines of the block stand before it.
	lines int64
	// candidate says that the search pointed at it, near that it may add to the
	// evidence of a candidate before it; otherwise it is only long enough to be
	// a piece of an entry.
	candidate, near bool
}

// index lists the lines of a block that have to be looked at, in order, so
// that the rest is only counted. It can be made for several blocks at once.
type index struct {
	stops []stop
	lines int64 // of the whole block
	// near is how many lines after the block are still near its last candidate,
	// -1 where it has none.
	near int
}

// newIndex searches a block of whole lines, the last of which may lack its end.
func newIndex(opts *Options, block []byte) index {
	x := index{near: -1}
	finder := opts.Search(block)
	long := newLongLines(block)
	close := vicinity{nearby: opts.Nearby, block: block}
	next, newlines := finder.Next(0)
	pos := 0
	for pos < len(block) {
		first := earliest(next, earliest(long.next(pos), close.next(pos)))
		if first < 0 {
			x.lines += int64(newlines)
			break
		}
		start := lastNewline(block[pos:first]) + 1 + pos
		end := lineEnd(block, start)
		candidate := next >= 0 && next < end
		before := newlines
		if !candidate {
			before = bytes.Count(block[pos:start], newline)
		}
		x.lines += int64(before)
		near := close.holds(start, end)
		x.stops = append(x.stops, stop{start: start, lines: x.lines, candidate: candidate, near: near})
		x.lines++
		newlines -= before + 1
		pos = end
		if candidate {
			next, newlines = finder.Next(pos)
			x.near = close.open(pos, next, newlines)
		}
	}
	if pos < len(block) && block[len(block)-1] != '\n' {
		x.lines++
	}
	return x
}

// vicinity is the nearLines lines after a candidate, up to the next one, which
// has its own.
type vicinity struct {
	nearby func([]byte) int
	block  []byte
	end    int
	at     int // where the next evidence in it stands, -1 for none
}

// open starts at the end of a candidate, with the next one, -1 for none, and
// the newlines up to there. It returns how many of the lines stand after the
// block.
func (v *vicinity) open(start, next, newlines int) (left int) {
	v.end, v.at = start, -1
	if v.nearby == nil {
		return 0
	}
	if next >= 0 && newlines < nearLines {
		v.end = next
	} else {
		for left = nearLines; left > 0 && v.end < len(v.block); left-- {
			v.end = lineEnd(v.block, v.end)
		}
	}
	v.find(start)
	return left
}

func (v *vicinity) find(from int) {
	if v.at = v.nearby(v.block[from:v.end]); v.at >= 0 {
		v.at += from
	}
}

// next returns where the first evidence at or after from stands, -1 for none.
func (v *vicinity) next(from int) int {
	if v.end <= from {
		return -1
	}
	if v.at >= 0 && v.at < from {
		v.find(from)
	}
	return v.at
}

// holds tells whether a line is evidence.
func (v *vicinity) holds(start, end int) bool {
	at := v.next(start)
	return at >= 0 && at < end
}

var newline = []byte{'\n'}

// lastNewline is bytes.LastIndexByte for a newline in steps of eight bytes: it
// runs over the length of a line for every candidate.
func lastNewline(b []byte) int {
	const ones, highest, newlines = 0x0101010101010101, 0x8080808080808080, 0x0a0a0a0a0a0a0a0a
	end := len(b)
	for end >= 8 {
		x := binary.LittleEndian.Uint64(b[end-8:]) ^ newlines
		if (x-ones)&^x&highest != 0 {
			break
		}
		end -= 8
	}
	return bytes.LastIndexByte(b[max(end-8, 0):end], '\n') + max(end-8, 0)
}

// lineEnd is the index after the line's newline, or the block's length.
func lineEnd(block []byte, start int) int {
	if at := bytes.IndexByte(block[start:], '\n'); at >= 0 {
		return start + at + 1
	}
	return len(block)
}

func earliest(a, b int) int {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}
