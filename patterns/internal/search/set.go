package search

import (
	"bytes"
	_ "embed"
	"math"
	"math/bits"
	"slices"
	"sync"
)

// Set searches for a few literals at once. On processors with AVX2 or
// AVX-512 it compares 32 or 64 places in a step with fingerprints of four or three bytes
// each (the Teddy algorithm of Hyperscan), elsewhere it looks for one literal
// after the other; all find the same lines.
type Set struct {
	literals [][]byte
	// members are the fingerprints of the literals by their slot, and taken are the
	// slots that have any: most places that look like one of a group stand in none of
	// these.
	members [slots][]member
	taken   [slots / 64]uint64
	// halves and sixes are the fingerprints as tables of groups: by the low and
	// the high half of a byte, and by its lowest six bits.
	halves [2 * halvesSize][32]byte
	sixes  [printSize][64]byte
}

// printSize is how many bytes a fingerprint has, halvesSize with the byte behind them:
// half a byte tells less than six bits of it, so that its tables need one more.
const printSize, halvesSize = 3, 4

// Shortest is the length in bytes of the shortest literal that a Set takes.
const Shortest = printSize

// Placement is how a literal is searched for in the tables of halves, and how in those
// of six bits: each tells other bytes apart.
type Placement struct{ Halves, Sixes Spot }

// Spot is which bytes of a literal are its fingerprint, by the index of the first, and
// the group that it is in.
type Spot struct{ Print, Group int }

// member is a literal, by its index, with the index of its fingerprint.
type member struct{ literal, print int }

// NewSet makes the set of some literals. Those that have no placement yet
// are placed where they add the least to the places of a typical log which
// have to be looked at twice; placed keeps what was chosen.
func NewSet(literals []string, placed map[string]Placement) *Set {
	s := &Set{}
	var groups [8]group
	for i, literal := range literals {
		p, known := placed[literal]
		if !known {
			p = Placement{Halves: place(literal, &groups, group.costOfHalves), Sixes: place(literal, &groups, group.costOfSixes)}
			placed[literal] = p
		}
		b := []byte(literal)
		s.literals = append(s.literals, b)
		groups[p.Halves.Group] = groups[p.Halves.Group].withHalves(b[p.Halves.Print:])
		groups[p.Sixes.Group] = groups[p.Sixes.Group].withSixes(b[p.Sixes.Print:])
		s.enter(member{i, p.Halves.Print})
		if p.Sixes.Print != p.Halves.Print {
			s.enter(member{i, p.Sixes.Print})
		}
	}
	s.fill(&groups)
	return s
}

func (s *Set) enter(m member) {
	at := slotOf(s.literals[m.literal][m.print:])
	s.members[at] = append(s.members[at], m)
	s.taken[at/64] |= 1 << (at % 64)
}

// Literals returns what is searched for.
func (s *Set) Literals() []string {
	names := make([]string, len(s.literals))
	for i, literal := range s.literals {
		names[i] = string(literal)
	}
	return names
}

func place(literal string, groups *[8]group, cost func(group) float64) Spot {
	var best Spot
	least := math.Inf(1)
	for g := range groups {
		before := cost(groups[g])
		for print := range len(literal) - printSize + 1 {
			b := []byte(literal[print:])
			if added := cost(groups[g].withHalves(b).withSixes(b)) - before; added < least {
				best, least = Spot{Print: print, Group: g}, added
			}
		}
	}
	return best
}

// group holds the literals that share one bit of the tables: for each of the
// places of their fingerprints, the bytes there by their halves, as sets of 16,
// and by their lowest six bits, as sets of 64.
type group struct {
	low, high [halvesSize]uint16
	six       [printSize]uint64
}

// withHalves is the group with one more fingerprint in the tables of halves: the first
// bytes of b. Behind the end of a literal stands anything.
func (g group) withHalves(b []byte) group {
	for k := range halvesSize {
		if k == len(b) {
			g.low[k], g.high[k] = math.MaxUint16, math.MaxUint16
			break
		}
		g.low[k] |= 1 << (b[k] & 15)
		g.high[k] |= 1 << (b[k] >> 4)
	}
	return g
}

// withSixes is the same in the tables of six bits.
func (g group) withSixes(b []byte) group {
	for k := range printSize {
		g.six[k] |= 1 << (b[k] & 63)
	}
	return g
}

// typical.log holds a line of each kind of a healthy server's debug log, and every
// fortieth of its ordinary traffic, so that what stands there often weighs more.
//
//go:embed typical.log
var typical string

var ofTypical = sync.OnceValue(func() *grams { return newGrams(typical) })

// grams counts what stands in a text: every four bytes in a row, and single bytes.
type grams struct {
	counted []counted
	shares  [256]float64
}

// counted are four bytes and how often they stand in the text.
type counted struct {
	print [halvesSize]byte
	count float64
}

// digit stands for all ten, since logs are of other days than the typical one.
const digit = '0'

func newGrams(text string) *grams {
	t := &grams{}
	counts := map[[halvesSize]byte]float64{}
	each := 1 / float64(len(text)+len(t.shares))
	for c := range t.shares {
		t.shares[c] = each // none is zero
	}
	plain := []byte(text)
	for i, c := range plain {
		t.shares[c] += each
		if '0' <= c && c <= '9' {
			plain[i] = digit
		}
	}
	for i := range len(plain) - halvesSize + 1 {
		counts[[halvesSize]byte(plain[i:i+halvesSize])]++
	}
	for print, count := range counts {
		t.counted = append(t.counted, counted{print, count})
	}
	return t
}

// costOfHalves is how many places of a typical log look like one of the group in the
// tables of halves, and the probability that one does if bytes were independent, for what
// the log does not hold.
func (g group) costOfHalves() float64 { return ofTypical().cost(halvesSize, g.hasHalves) }

// costOfSixes is the same in the tables of six bits.
func (g group) costOfSixes() float64 { return ofTypical().cost(printSize, g.hasSix) }

func (t *grams) cost(size int, has func(int, byte) bool) float64 {
	var holds [halvesSize][256]bool
	chance := 1.0
	for k := range size {
		share := 0.0
		for c := range holds[k] {
			if holds[k][c] = has(k, byte(c)); holds[k][c] {
				share += t.shares[c]
			}
		}
		chance *= share
		holds[k][digit] = slices.Contains(holds[k]['0':'9'+1], true)
	}
	cost := chance
	for i := range t.counted {
		c := &t.counted[i]
		looks := true
		for k := 0; looks && k < size; k++ {
			looks = holds[k][c.print[k]]
		}
		if looks {
			cost += c.count
		}
	}
	return cost
}

func (g group) hasHalves(k int, c byte) bool {
	return g.low[k]&(1<<(c&15)) != 0 && g.high[k]&(1<<(c>>4)) != 0
}

func (g group) hasSix(k int, c byte) bool { return g.six[k]&(1<<(c&63)) != 0 }

// fill writes the groups into the tables, once for each 16 bytes of a vector.
func (s *Set) fill(groups *[8]group) {
	for g := range groups {
		for k := range printSize {
			for six := range 64 {
				if groups[g].six[k]&(1<<six) != 0 {
					s.sixes[k][six] |= 1 << g
				}
			}
		}
		for k := range halvesSize {
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
	for _, m := range s.members[at] {
		start := place - m.print
		if start >= from && bytes.HasPrefix(block[start:], s.literals[m.literal]) {
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
