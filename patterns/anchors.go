package patterns

import (
	"bytes"
	"math/bits"
)

// anchorSet searches for a few literals at once. On processors with AVX2 it
// compares 32 bytes in a step with fingerprints of three bytes each (the Teddy
// algorithm of Hyperscan), elsewhere it looks for one literal after the other;
// both find the same lines.
type anchorSet struct {
	literals [][]byte
	// prints are the fingerprints: which three bytes of each literal, by the
	// index of the first.
	prints []int
	tables [6][32]byte
}

const printSize = 3

func newAnchorSet(literals []string) *anchorSet {
	s := &anchorSet{}
	for i, literal := range literals {
		b := []byte(literal)
		at := rarest(b)
		s.literals = append(s.literals, b)
		s.prints = append(s.prints, at)
		group := byte(1) << (i % 8)
		for k, c := range b[at : at+printSize] {
			for _, lane := range []int{0, 16} {
				s.tables[2*k][lane+int(c&15)] |= group
				s.tables[2*k+1][lane+int(c>>4)] |= group
			}
		}
	}
	return s
}

// rarest returns the index of the three bytes of a literal that are least
// common in logs.
func rarest(literal []byte) int {
	best, least := 0, 1<<30
	for i := 0; i+printSize <= len(literal); i++ {
		sum := 0
		for _, c := range literal[i : i+printSize] {
			sum += commonness(c)
		}
		if sum < least {
			best, least = i, sum
		}
	}
	return best
}

// commonness is a rough share of a byte in WuKongIM's logs, in thousandths:
// counted in servers/healthy/stdout-debug.log.
func commonness(c byte) int {
	switch {
	case c == '"' || c == 'e':
		return 60
	case c == ':' || c == ',' || c == '0' || c == ' ':
		return 30
	case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		return 20
	case c >= 0x80:
		return 8
	}
	return 5
}

// vector returns the index of the first anchor in block that starts at or
// after from, -1 when there is none. Of anchors that overlap it may return a
// later one.
func (s *anchorSet) vector(block []byte, from int) int {
	at := from
	for len(block)-at >= teddyStep {
		step, hits := teddy(&block[at], len(block)-at, &s.tables)
		at += step
		if hits == 0 {
			break
		}
		for ; hits != 0; hits &= hits - 1 {
			if start := s.verify(block, at+bits.TrailingZeros32(hits), from); start >= 0 {
				return start
			}
		}
		at += 32
	}
	for ; at+printSize <= len(block); at++ {
		if start := s.verify(block, at, from); start >= 0 {
			return start
		}
	}
	return -1
}

// verify returns the start of the anchor whose fingerprint stands at place, -1
// when none does, or when it starts before from.
func (s *anchorSet) verify(block []byte, place, from int) int {
	for i, literal := range s.literals {
		start := place - s.prints[i]
		if start >= from && bytes.HasPrefix(block[start:], literal) {
			return start
		}
	}
	return -1
}
