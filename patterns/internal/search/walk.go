package search

import "bytes"

// Walk is a walk over one block of bytes.
type Walk struct {
	set   *Set
	block []byte
	// next is where each literal was found last, for the walk without vector
	// instructions: each is looked for once from there, so that the walk over
	// the whole block is linear.
	next []int
}

// Walk starts a walk over a block.
func (s *Set) Walk(block []byte) *Walk {
	w := &Walk{set: s, block: block}
	if vectorWidth == 0 {
		w.next = notLookedFor(len(s.literals))
	}
	return w
}

// First returns an index in the first line that holds one of the literals, -1 when
// none does.
func (s *Set) First(lines []byte) int {
	at, _ := s.Walk(lines).Next(0)
	return at
}

func notLookedFor(n int) []int {
	next := make([]int, n)
	for i := range next {
		next[i] = -1
	}
	return next
}

// Next returns an index in the first line at or after from that holds a
// literal, -1 when there is none, and the newlines between from and there, or
// the end of the block. from must be the start of a line and must not decrease
// over the calls of one walk.
func (w *Walk) Next(from int) (at, newlines int) {
	if w.next == nil {
		return w.set.vector(w.block, from)
	}
	return w.portable(from)
}

func (w *Walk) portable(from int) (at, newlines int) {
	best := len(w.block)
	for i, literal := range w.set.literals {
		if w.next[i] < from {
			at := bytes.Index(w.block[from:], literal)
			if at < 0 {
				w.next[i] = len(w.block)
			} else {
				w.next[i] = from + at
			}
		}
		best = min(best, w.next[i])
	}
	newlines = bytes.Count(w.block[from:best], newline)
	if best == len(w.block) {
		return -1, newlines
	}
	return best, newlines
}
