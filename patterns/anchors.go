package patterns

import (
	"bytes"
	"cmp"
	_ "embed"
	"math"
	"math/bits"
	"slices"
	"strings"
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
	// members are the indexes of the literals of each group.
	members [8][]int
	tables  [2 * printSize][32]byte
}

const printSize = 3

// group holds the literals that share one bit of the tables.
type group struct {
	// nibbles are the low and the high halves of the bytes that the group's
	// fingerprints hold at each of their places, as sets of 16.
	low, high [printSize]uint16
}

// newAnchorSet puts each literal into the group where its fingerprint adds the
// least to the places that have to be looked at twice.
func newAnchorSet(literals []string) *anchorSet {
	s := &anchorSet{}
	var groups [8]group
	var chances [8]float64
	for _, literal := range literals {
		b := []byte(literal)
		best, at, least := 0, 0, math.Inf(1)
		for _, window := range rareWindows(b) {
			for g := range groups {
				joined := groups[g].with(b[window:])
				if added := joined.chance() - chances[g]; added < least {
					best, at, least = g, window, added
				}
			}
		}
		groups[best] = groups[best].with(b[at:])
		chances[best] = groups[best].chance()
		s.literals = append(s.literals, b)
		s.prints = append(s.prints, at)
		s.members[best] = append(s.members[best], len(s.literals)-1)
	}
	s.fill(&groups)
	return s
}

// with is the group with one more fingerprint: the first bytes of b.
func (g group) with(b []byte) group {
	for k := range printSize {
		g.low[k] |= 1 << (b[k] & 15)
		g.high[k] |= 1 << (b[k] >> 4)
	}
	return g
}

// chance is the probability that a place in a log looks like one of the group,
// if its bytes were independent.
func (g *group) chance() float64 {
	p := 1.0
	for k := range printSize {
		sum := 0.0
		for c, share := range byteShares {
			if g.low[k]&(1<<(c&15)) != 0 && g.high[k]&(1<<(c>>4)) != 0 {
				sum += share
			}
		}
		p *= sum
	}
	return p
}

// fill writes the groups into the tables, once for each 16 bytes of a vector.
func (s *anchorSet) fill(groups *[8]group) {
	for g := range groups {
		for k := range printSize {
			for nibble := range 16 {
				for _, lane := range []int{0, 16} {
					if groups[g].low[k]&(1<<nibble) != 0 {
						s.tables[2*k][lane+nibble] |= 1 << g
					}
					if groups[g].high[k]&(1<<nibble) != 0 {
						s.tables[2*k+1][lane+nibble] |= 1 << g
					}
				}
			}
		}
	}
}

// typical.log holds a line of each kind of a healthy server's debug log: it
// tells which bytes and which three bytes in a row are common in logs.
//
//go:embed typical.log
var typical string

// rareWindows returns the few places of a literal whose next bytes are the
// least common in logs.
func rareWindows(literal []byte) []int {
	const few = 6
	windows := make([]int, len(literal)-printSize+1)
	for i := range windows {
		windows[i] = i
	}
	rarity := make([]float64, len(windows))
	for i := range windows {
		print := literal[i : i+printSize]
		rarity[i] = float64(strings.Count(typical, string(print))) + byteShares[print[0]]*byteShares[print[1]]*byteShares[print[2]]
	}
	slices.SortStableFunc(windows, func(a, b int) int { return cmp.Compare(rarity[a], rarity[b]) })
	return windows[:min(few, len(windows))]
}

// byteShares is the share of each byte in a typical log; none is zero.
var byteShares = func() (shares [256]float64) {
	each := 1 / float64(len(typical)+len(shares))
	for c := range shares {
		shares[c] = each
	}
	for i := range len(typical) {
		shares[typical[i]] += each
	}
	return shares
}()

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
	for groups := s.groupsAt(block, place); groups != 0; groups &= groups - 1 {
		for _, i := range s.members[bits.TrailingZeros8(groups)] {
			start := place - s.prints[i]
			if start >= from && bytes.HasPrefix(block[start:], s.literals[i]) {
				return start
			}
		}
	}
	return -1
}

// groupsAt has a bit for each group of which a fingerprint may stand at place.
func (s *anchorSet) groupsAt(block []byte, place int) uint8 {
	groups := ^uint8(0)
	for k, c := range block[place : place+printSize] {
		groups &= s.tables[2*k][c&15] & s.tables[2*k+1][c>>4]
	}
	return groups
}
