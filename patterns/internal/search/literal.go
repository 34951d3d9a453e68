package search

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
)

// Worthwhile is the shortest literal, in bytes, that is worth a search: a
// shorter one stands in too many lines.
const Worthwhile = 5

// Required returns literals of which every match of the expression
// holds at least one, nil when there are none of at least Worthwhile bytes:
// those that the fewest of the expressions share.
func Required(expr string, all []string) []string {
	return literalFinder{least: Worthwhile, sharing: func(literal string) int {
		n := 0
		for _, other := range all {
			if strings.Contains(other, literal) {
				n++
			}
		}
		return n
	}}.in(expr)
}

// Literals returns literals of which every match of the expression holds at least one,
// nil when there are none of at least so many bytes: known ones first, else the
// longest.
func Literals(expr string, least int, known []string) []string {
	return literalFinder{least: least, known: known}.in(expr)
}

// Whole returns the one text that an expression matches, from its start
// to its end; empty when it matches others.
func Whole(expr string) string {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return ""
	}
	tree = tree.Simplify()
	if tree.Op != syntax.OpConcat || len(tree.Sub) != 3 || tree.Sub[0].Op != syntax.OpBeginText ||
		tree.Sub[1].Op != syntax.OpLiteral || tree.Sub[1].Flags&syntax.FoldCase != 0 || tree.Sub[2].Op != syntax.OpEndText {
		return ""
	}
	return string(tree.Sub[1].Rune)
}

// literalFinder takes literals from the syntax tree of an expression, cut where
// a wrapper may print the character in another way: JSON escapes quotes,
// backslashes, < > & and control characters, and some writers escape everything
// outside ASCII: what has no other literal is looked for in both writings.
type literalFinder struct {
	// least is the shortest literal in bytes.
	least int
	// known ones are preferred: literals that hold one of them win over longer
	// ones.
	known []string
	// sharing counts the expressions that hold a literal: fewer are better.
	sharing func(literal string) int
}

func (f literalFinder) in(expr string) []string {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	return f.of(tree.Simplify())
}

func (f literalFinder) of(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return f.literal(re)
	case syntax.OpCapture, syntax.OpPlus:
		return f.of(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return f.of(re.Sub[0])
		}
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			set := f.of(sub)
			if set == nil {
				return nil
			}
			all = append(all, set...)
		}
		return all
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			best = f.better(best, f.of(sub))
		}
		return best
	}
	return nil
}

func (f literalFinder) literal(re *syntax.Regexp) []string {
	if re.Flags&syntax.FoldCase != 0 {
		return nil
	}
	var best []string
	for _, part := range strings.FieldsFunc(string(re.Rune), escapedByWrappers) {
		if len(part) >= f.least {
			best = f.better(best, []string{part})
		}
	}
	if best != nil {
		return best
	}
	for _, part := range strings.FieldsFunc(string(re.Rune), func(r rune) bool { return r <= '~' && escapedByWrappers(r) }) {
		if len(part) >= f.least {
			best = f.better(best, inAnyWriting(part))
		}
	}
	return best
}

// inAnyWriting are the ways in which wrappers print a text that is not ASCII: as it
// is, or escaped in JSON.
func inAnyWriting(text string) []string {
	ways := []string{text}
	for _, form := range []string{`\u%04x`, `\u%04X`} {
		escaped := strings.Builder{}
		for _, r := range text {
			if r <= '~' {
				escaped.WriteRune(r)
			} else {
				fmt.Fprintf(&escaped, form, r)
			}
		}
		if !slices.Contains(ways, escaped.String()) {
			ways = append(ways, escaped.String())
		}
	}
	return ways
}

// better chooses the set that is rarer: one that holds only known anchors or
// that fewer expressions share, else the one whose shortest literal is longer.
func (f literalFinder) better(a, b []string) []string {
	if f.worth(b) > f.worth(a) {
		return b
	}
	return a
}

func (f literalFinder) worth(set []string) int {
	const best = 1 << 20
	worth := 0
	for i, literal := range set {
		if i == 0 || len(literal) < worth {
			worth = len(literal)
		}
	}
	if set != nil && f.sharing != nil {
		shared := 0
		for _, literal := range set {
			shared += f.sharing(literal)
		}
		return best/max(shared, 1) + worth
	}
	if set == nil || f.known == nil {
		return worth
	}
	for _, literal := range set {
		if !containsAny(literal, f.known) {
			return worth
		}
	}
	return best + worth
}

func escapedByWrappers(r rune) bool {
	return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r)
}

func containsAny(s string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}
