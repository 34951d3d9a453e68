package search

import (
	"bytes"
	_ "embed"
	"math"
	"math/bits"
	"sync"
)

// Set searches for a few literals at once. On processors with AVX2 or
// AVX-512 it compares 32 or 64 places in a step with fingerprints of three bytes
// each (the Teddy algorithm of Hyperscan), elsewhere it looks for one literal
// after the other; all find the same lines.
type Set struct {
	literals [][]byte
	// prints are the fingerprints: which three bytes of each literal, by the
	// index of the first.
	prints []int
	// members are the indexes of the literals by the slot of their fingerprint, and
	// taken are the slots that have any: most places that look like one of a group
	// stand in none of these.
	members [slots][]int
	taken   [slots / 64]uint64
	// halves and sixes are the fingerprints as tables of groups: by the low and
	// the high half of a byte, and by its lowest six bits.
	halves [2 * printSize][32]byte
	sixes  [printSize][64]byte
}

const printSize = 3

// Shortest is the length in bytes of the shortest literal that a Set takes.
const Shortest = printSize

// Placement is how a literal is searched for: which three bytes of it are its
// fingerprint, by the index of the first, and the group that it is in.
type Placement struct{ Print, Group int }

// NewSet makes the set of some literals. Those that have no placement yet
// are placed where they add the least to the places of a typical log which
// have to be looked at twice; placed keeps what was chosen.
func NewSet(literals []string, placed map[string]Placement) *Set {
	s := &Set{}
	var groups [8]group
	for i, literal := range literals {
		p, known := placed[literal]
		if !known {
			p = place(literal, &groups)
			placed[literal] = p
		}
		b := []byte(literal)
		groups[p.Group] = groups[p.Group].with(b[p.Print:])
		s.literals = append(s.literals, b)
		s.prints = append(s.prints, p.Print)
		at := slotOf(b[p.Print:])
		s.members[at] = append(s.members[at], i)
		s.taken[at/64] |= 1 << (at % 64)
	}
	s.fill(&groups)
	return s
}

// Literals returns what is searched for.
func (s *Set) Literals() []string {
	names := make([]string, len(s.literals))
	for i, literal := range s.literals {
		names[i] = string(literal)
	}
	return names
}

func place(literal string, groups *[8]group) Placement {
	var best Placement
	least := math.Inf(1)
	index := ofTypical()
	for g := range groups {
		before := index.cost(&groups[g])
		for print := range len(literal) - printSize + 1 {
			joined := groups[g].with([]byte(literal[print:]))
			if added := index.cost(&joined) - before; added < least {
				best, least = Placement{Print: print, Group: g}, added
			}
		}
	}
	return best
}

// group holds the literals that share one bit of the tables: for each of the
// places of their fingerprints, the bytes there by their halves, as sets of 16,
// and by their lowest six bits, as sets of 64.
type group struct {
	low, high [printSize]uint16
	six       [printSize]uint64
}

// with is the group with one more fingerprint: the first bytes of b.
func (g group) with(b []byte) group {
	for k := range printSize {
		g.low[k] |= 1 << (b[k] & 15)
		g.high[k] |= 1 << (b[k] >> 4)
		g.six[k] |= 1 << (b[k] & 63)
	}
	return g
}

// typical.log holds a line of each kind of a healthy server's debug log, and every
// fortieth of its ordinary traffic, so that what stands there often weighs more.
//
//go:embed typical.log
var typical string

var ofTypical = sync.OnceValue(func() *trigrams { return newTrigrams(typical) })

// trigrams counts what stands in a text: every three bytes in a row, and single
// bytes.
type trigrams struct {
	counted []counted
	shares  [256]float64
}

// counted are three bytes and how often they stand in the text.
type counted struct {
	print [printSize]byte
	count float64
}

func newTrigrams(text string) *trigrams {
	t := &trigrams{}
	counts := map[[printSize]byte]float64{}
	each := 1 / float64(len(text)+len(t.shares))
	for c := range t.shares {
		t.shares[c] = each // none is zero
	}
	for i := range len(text) - printSize + 1 {
		counts[[printSize]byte([]byte(text[i:i+printSize]))]++
		t.shares[text[i]] += each
	}
	for print, count := range counts {
		t.counted = append(t.counted, counted{print, count})
	}
	return t
}

// cost is how many places look like one of the group in the one or in the other
// table, and the probability that one does if bytes were independent, for what
// the text does not hold.
func (t *trigrams) cost(g *group) float64 {
	cost := 0.0
	for i := range t.counted {
		cost += t.counted[i].count * g.looks(t.counted[i].print)
	}
	byHalves, bySix := 1.0, 1.0
	for k := range printSize {
		halves, six := 0.0, 0.0
		for c, share := range t.shares {
			halves += share * truth(g.hasHalves(k, byte(c)))
			six += share * truth(g.hasSix(k, byte(c)))
		}
		byHalves *= halves
		bySix *= six
	}
	return cost + byHalves + bySix
}

// looks counts the tables in which three bytes look like the group.
func (g *group) looks(print [printSize]byte) float64 {
	return truth(g.hasHalves(0, print[0]) && g.hasHalves(1, print[1]) && g.hasHalves(2, print[2])) +
		truth(g.hasSix(0, print[0]) && g.hasSix(1, print[1]) && g.hasSix(2, print[2]))
}

func (g *group) hasHalves(k int, c byte) bool {
	return g.low[k]&(1<<(c&15)) != 0 && g.high[k]&(1<<(c>>4)) != 0
}

func (g *group) hasSix(k int, c byte) bool { return g.six[k]&(1<<(c&63)) != 0 }

// truth is 1 for true.
func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// fill writes the groups into the tables, once for each 16 bytes of a vector.
func (s *Set) fill(groups *[8]group) {
	for g := range groups {
		for k := range printSize {
			for six := range 64 {
				if groups[g].six[k]&(1<<six) != 0 {
					s.sixes[k][six] |= 1 << g
				}
			}
			for nibble := range 16 {
				for _, lane := range []int{0, 16} {
					if groups[g].low[k]&(1<<nibble) != 0 {
						s.halves[2*k][lane+nibble] |= 1 << g
					}
					if groups[g].high[k]&(1<<nibble) != 0 {
						s.halves[2*k+1][lane+nibble] |= 1 << g
					}
				}
			}
		}
	}
}

// vector returns the index of the first literal in block that starts at or
// after from, -1 when there is none, and the newlines between from and there.
// Of literals that overlap it may return a later one.
func (s *Set) vector(block []byte, from int) (start, newlines int) {
	at := from
	for {
		step, hits, lines := s.step(block[at:])
		at += step
		newlines += lines
		if hits == 0 {
			break
		}
		for ; hits != 0; hits &= hits - 1 {
			if start := s.verify(block, at+bits.TrailingZeros64(hits), from); start >= 0 {
				return start, newlines + newlinesBetween(block, at, start)
			}
		}
		newlines += bytes.Count(block[at:at+vectorWidth], newline)
		at += vectorWidth
	}
	for i := at; i+printSize <= len(block); i++ {
		if start := s.verify(block, i, from); start >= 0 {
			return start, newlines + newlinesBetween(block, at, start)
		}
	}
	return -1, newlines + bytes.Count(block[at:], newline)
}

// step finds the first places of data that look like a literal.
func (s *Set) step(data []byte) (at int, hits uint64, newlines int) {
	switch {
	case len(data) < vectorWidth+printSize:
		return 0, 0, 0
	case vectorWidth == 64:
		return teddy64(&data[0], len(data), &s.sixes)
	}
	return teddy32(&data[0], len(data), &s.halves)
}

// newlinesBetween counts the newlines from one index to another, negative where
// the other comes first.
func newlinesBetween(block []byte, from, to int) int {
	if to < from {
		return -bytes.Count(block[to:from], newline)
	}
	return bytes.Count(block[from:to], newline)
}

var newline = []byte{'\n'}

// verify returns the start of the literal whose fingerprint stands at place, -1
// when none does, or when it starts before from.
func (s *Set) verify(block []byte, place, from int) int {
	at := slotOf(block[place:])
	if s.taken[at/64]&(1<<(at%64)) == 0 {
		return -1
	}
	for _, i := range s.members[at] {
		start := place - s.prints[i]
		if start >= from && bytes.HasPrefix(block[start:], s.literals[i]) {
			return start
		}
	}
	return -1
}

// slots is how many places there are for fingerprints; few of some hundred share one.
const slots = 1 << 13

// slotOf is that of the fingerprint with which b begins.
func slotOf(b []byte) uint32 {
	print := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	return print * 2654435761 >> 19 // the golden ratio of 32 bits, of which 13 are kept
}
