package patterns

import (
	"wklog/parser"
	"wklog/patterns/internal/search"
)

// searches find the places in a log where a record may matter, by the few literals
// (anchors) of which every pattern implies one.
type searches struct {
	anchors *search.Set
	// nearby are the literals of what matters only near a failure.
	nearby *search.Set
}

func newSearches(c *Catalogue) *searches {
	return &searches{anchors: search.NewSet(c.allAnchors(), c.placements), nearby: search.NewSet(c.Nearby(), c.placements)}
}

// ReadOptions are those of the parser by which only lines are parsed that the
// catalogue, as it is now, may know.
func (c *Catalogue) ReadOptions() parser.Options {
	s := c.searches()
	options := parser.Options{Nearby: s.nearby.First}
	if !c.unanchored {
		options.Search = func(block []byte) parser.Finder { return s.anchors.Walk(block) }
	}
	return options
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
	ofExpression := search.Literals(c.Regex, search.Worthwhile, anchors)
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
