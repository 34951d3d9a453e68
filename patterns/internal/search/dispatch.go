package search

import (
	"iter"
	"slices"
	"strings"
)

// gramSize is how many bytes of a literal are looked up at once; no literal is
// shorter.
const gramSize = 4

// Dispatch finds the rules that a text may match, by the literals that they imply.
// Rules are numbers of the caller's.
type Dispatch struct {
	// always are the rules without a literal.
	always []int
	// filter has a bit for the hash of each gram.
	filter [1 << (filterBits - 6)]uint64
	grams  map[uint32][]needle
}

const filterBits = 15

// needle is a literal with the gram by which it is found.
type needle struct {
	literal string
	at      int // of the gram in the literal
	rules   []int
}

// NewDispatch makes the dispatch of some rules, each with its literals of at least
// four bytes, nil where it implies none.
func NewDispatch(rules iter.Seq2[int, []string]) *Dispatch {
	d := &Dispatch{grams: map[uint32][]needle{}}
	needles := map[string]*needle{}
	var literals []string
	for i, ofRule := range rules {
		if ofRule == nil {
			d.always = append(d.always, i)
		}
		for _, literal := range ofRule {
			if needles[literal] == nil {
				needles[literal] = &needle{literal: literal}
				literals = append(literals, literal)
			}
			needles[literal].rules = append(needles[literal].rules, i)
		}
	}
	shared := countGrams(literals)
	for _, literal := range literals {
		n := needles[literal]
		for at := range len(literal) - gramSize + 1 {
			if shared[gramAt(literal, at)] < shared[gramAt(literal, n.at)] {
				n.at = at
			}
		}
		gram := gramAt(literal, n.at)
		d.grams[gram] = append(d.grams[gram], *n)
		bit := hashOf(gram)
		d.filter[bit/64] |= 1 << (bit % 64)
	}
	return d
}

// countGrams tells how many literals hold a gram.
func countGrams(literals []string) map[uint32]int {
	counts := map[uint32]int{}
	for _, literal := range literals {
		for at := range len(literal) - gramSize + 1 {
			counts[gramAt(literal, at)]++
		}
	}
	return counts
}

func gramAt(s string, at int) uint32 {
	return uint32(s[at]) | uint32(s[at+1])<<8 | uint32(s[at+2])<<16 | uint32(s[at+3])<<24
}

// hashOf spreads grams by multiplication (Knuth, The Art of Computer
// Programming, volume 3, section 6.4).
func hashOf(gram uint32) uint32 { return gram * 2654435769 >> (32 - filterBits) }

// Candidates adds the rules that a subject may match to found, in their order.
func (d *Dispatch) Candidates(subject string, found []int) []int {
	found = append(found, d.always...)
	for at := range len(subject) - gramSize + 1 {
		gram := gramAt(subject, at)
		if bit := hashOf(gram); d.filter[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		needles := d.grams[gram]
		for i := range needles {
			n := &needles[i]
			if start := at - n.at; start >= 0 && strings.HasPrefix(subject[start:], n.literal) {
				found = append(found, n.rules...)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
