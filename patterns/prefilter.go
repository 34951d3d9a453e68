package patterns

import (
	"bytes"
	"slices"
	"strings"

	"wklog/parser"
)

// Prefilter finds the places in a log where a record may matter, by the few
// literals (anchors) of which every pattern implies one. It knows nothing of
// lines.
type Prefilter struct {
	anchors *anchorSet
	// everything says that a pattern without a literal is loaded, so that
	// every byte is a candidate.
	everything bool
	// nearby are the literals of what matters only near a failure.
	nearby *anchorSet
}

func newPrefilter(c *Catalogue) *Prefilter {
	p := &Prefilter{
		anchors:    newAnchorSet(c.allAnchors(), c.Placements),
		everything: c.Unanchored,
	}
	var nearby []string
	for _, ignored := range c.Ignore {
		if !ignored.Context {
			continue
		}
		for _, clause := range ignored.Match {
			nearby = append(nearby, (literalFinder{least: printSize}).in(clause.Regex)...)
		}
	}
	p.nearby = newAnchorSet(nearby, c.Placements)
	return p
}

// Anchors returns the literals that are searched for.
func (p *Prefilter) Anchors() []string {
	names := make([]string, len(p.anchors.literals))
	for i, literal := range p.anchors.literals {
		names[i] = string(literal)
	}
	return names
}

// Nearby finds what may add to the evidence in lines near a failure: an index
// in the first such line, -1 when there is none.
func (p *Prefilter) Nearby(lines []byte) int {
	at, _ := p.nearby.search(lines).Next(0)
	return at
}

// Search is a walk over one block of bytes.
type Search struct {
	anchors *anchorSet
	block   []byte
	// everything says that every byte is a candidate.
	everything bool
	// next is where each anchor was found last, for the walk without vector
	// instructions: each is looked for once from there, so that the walk over
	// the whole block is linear.
	next []int
}

// Search starts a walk over a block.
func (p *Prefilter) Search(block []byte) *Search {
	s := p.anchors.search(block)
	s.everything = p.everything
	return s
}

func (a *anchorSet) search(block []byte) *Search {
	s := &Search{anchors: a, block: block}
	if vectorWidth == 0 {
		s.next = notLookedFor(len(a.literals))
	}
	return s
}

func notLookedFor(n int) []int {
	next := make([]int, n)
	for i := range next {
		next[i] = -1
	}
	return next
}

// Next returns an index in the first line at or after from that holds an
// anchor, -1 when there is none, and the newlines between from and there, or
// the end of the block. from must be the start of a line and must not decrease
// over the calls of one walk.
func (s *Search) Next(from int) (at, newlines int) {
	switch {
	case s.everything && from < len(s.block):
		return from, 0
	case s.next == nil:
		return s.anchors.vector(s.block, from)
	}
	return s.portable(from)
}

func (s *Search) portable(from int) (at, newlines int) {
	best := len(s.block)
	for i, anchor := range s.anchors.literals {
		if s.next[i] < from {
			at := bytes.Index(s.block[from:], anchor)
			if at < 0 {
				s.next[i] = len(s.block)
			} else {
				s.next[i] = from + at
			}
		}
		best = min(best, s.next[i])
	}
	newlines = bytes.Count(s.block[from:best], newline)
	if best == len(s.block) {
		return -1, newlines
	}
	return best, newlines
}

// kindLiterals stand in every record of a kind.
var kindLiterals = map[string][]string{
	string(parser.KindHandshake): {"握手失败", statePrefix},
	string(parser.KindNetHTTP):   {"TLS handshake error from"},
	string(parser.KindPanic):     {"panic: ", "fatal error: "},
}

// literals returns literals of which every line that the clause matches holds
// at least one, nil when there are none: those of the kinds, which many clauses
// share, else those of the expression, known anchors first.
func (c *Clause) literals(anchors []string) []string {
	ofExpression := literalFinder{least: minLiteral, anchors: anchors}.in(c.Regex)
	var ofKinds []string
	for _, kind := range c.Kinds {
		found := kindLiterals[kind]
		if found == nil {
			return ofExpression
		}
		ofKinds = append(ofKinds, found...)
	}
	if ofKinds == nil {
		return ofExpression
	}
	return ofKinds
}

func containsAny(s string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}
