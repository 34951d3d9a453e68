package parser

import "bytes"

// stop is a line of a block that has to be looked at.
type stop struct {
	start int // index of the line's first byte
	// lines is how many lines of the block stand before it.
	lines int64
	// candidate says that the search pointed at it; otherwise it is only long
	// enough to be a piece of an entry.
	candidate bool
}

// index lists the lines of a block that have to be looked at, in order, so
// that the rest is only counted. It can be made for several blocks at once.
type index struct {
	stops []stop
	lines int64 // of the whole block
}

// newIndex searches a block of whole lines, the last of which may lack its end.
func newIndex(search func([]byte) Finder, block []byte) index {
	var x index
	finder := search(block)
	long := newLongLines(block)
	pos := 0
	for next := finder.Next(0); pos < len(block); {
		first := earliest(next, long.next(pos))
		if first < 0 {
			break
		}
		start := bytes.LastIndexByte(block[pos:first], '\n') + 1 + pos
		end := lineEnd(block, start)
		x.lines += int64(bytes.Count(block[pos:start], newline))
		candidate := next >= 0 && next < end
		x.stops = append(x.stops, stop{start: start, lines: x.lines, candidate: candidate})
		x.lines++
		pos = end
		if candidate && pos < len(block) {
			next = finder.Next(pos)
		}
	}
	x.lines += int64(bytes.Count(block[pos:], newline))
	if pos < len(block) && block[len(block)-1] != '\n' {
		x.lines++
	}
	return x
}

var newline = []byte{'\n'}

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
