package search

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
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
	// known ones are preferred, however short: what holds one of them needs no search
	// of its own.
	known []string
	// sharing counts the expressions that hold a literal: fewer are better.
	sharing func(literal string) int
}

func (f literalFinder) in(expr string) []string {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	return f.required(f.of(tree.Simplify()))
}

// texts are what is known of the texts that an expression matches.
type texts struct {
	// all of them, nil where they are too many to list.
	all []string
	// parts are literals of which each of them holds at least one, nil when none is
	// known.
	parts []string
}

// most is how many texts are listed: more are told by their parts. It is what keeps
// an alternation of two words and three endings, and lets one of many words be.
const most = 6

// of lists the texts of an expression as far as they are few, as Russ Cox does
// for the trigrams of code search (swtch.com/~rsc/regexp/regexp4.html).
func (f literalFinder) of(re *syntax.Regexp) texts {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return texts{all: []string{""}}
	case syntax.OpLiteral:
		switch {
		case re.Flags&syntax.FoldCase == 0:
			return texts{all: []string{string(re.Rune)}}
		case len(re.Rune) == 1: // how [Uu] is parsed
			return texts{all: casesOf(re.Rune[0])}
		}
	case syntax.OpCharClass:
		return texts{all: fewOf(re.Rune)}
	case syntax.OpCapture:
		return f.of(re.Sub[0])
	case syntax.OpPlus:
		return texts{parts: f.required(f.of(re.Sub[0]))}
	case syntax.OpQuest:
		if inner := f.of(re.Sub[0]).all; inner != nil && len(inner) < most {
			return texts{all: append([]string{""}, inner...)}
		}
	case syntax.OpAlternate:
		return f.alternate(re.Sub)
	case syntax.OpConcat:
		return f.concat(re.Sub)
	}
	return texts{}
}

// casesOf lists a letter in its cases.
func casesOf(r rune) []string {
	all := []string{string(r)}
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		all = append(all, string(other))
	}
	return all
}

// fewOf lists the characters of a class, given as ranges, nil when they are many.
func fewOf(ranges []rune) []string {
	var all []string
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(all) == most/2 {
				return nil
			}
			all = append(all, string(r))
		}
	}
	return all
}

func (f literalFinder) alternate(subs []*syntax.Regexp) texts {
	var all, parts []string
	listed, told := true, true
	for _, sub := range subs {
		got := f.of(sub)
		listed = listed && got.all != nil
		all = append(all, got.all...)
		required := f.required(got)
		told = told && required != nil
		parts = append(parts, required...)
	}
	switch {
	case listed && len(all) <= most:
		return texts{all: all}
	case told:
		slices.Sort(parts)
		return texts{parts: slices.Compact(parts)}
	}
	return texts{}
}

// concat joins what stands in a row as long as the texts are few; the best part of
// each row, and of what lies between rows, tells the whole.
func (f literalFinder) concat(subs []*syntax.Regexp) texts {
	row, whole := []string{""}, true
	var best []string
	for _, sub := range subs {
		got := f.of(sub)
		if len(got.all) != 1 {
			best = f.better(best, f.parts(row)) // before there are more of them
		}
		joined := product(row, got.all)
		if got.all != nil && len(joined) <= most {
			row = joined
			continue
		}
		whole = false
		best = f.better(best, f.required(got))
		row = []string{""}
		if got.all != nil {
			row = got.all
		}
	}
	if whole {
		return texts{all: row, parts: best}
	}
	return texts{parts: f.better(best, f.parts(row))}
}

func product(first, second []string) []string {
	var all []string
	for _, a := range first {
		for _, b := range second {
			all = append(all, a+b)
		}
	}
	return all
}

// required are the best literals by which texts are found.
func (f literalFinder) required(t texts) []string { return f.better(t.parts, f.parts(t.all)) }

// parts takes the best literal of each text, nil when one has none.
func (f literalFinder) parts(all []string) []string {
	var set []string
	for _, text := range all {
		part := f.part(text)
		if part == nil {
			return nil
		}
		set = append(set, part...)
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// part is the best literal in one text, in each writing.
func (f literalFinder) part(text string) []string {
	var best []string
	for _, part := range strings.FieldsFunc(text, escapedByWrappers) {
		if len(part) >= f.least || containsAny(part, f.known) {
			best = f.better(best, []string{part})
		}
	}
	if best != nil {
		return best
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r <= '~' && escapedByWrappers(r) }) {
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
// that fewer expressions share, else the one whose shortest unknown literal is
// longer, and of those the smaller set.
func (f literalFinder) better(a, b []string) []string {
	if f.worth(b) > f.worth(a) {
		return b
	}
	return a
}

func (f literalFinder) worth(set []string) int {
	if set == nil {
		return 0
	}
	// long enough is as good as longer.
	const best, enough = 1 << 20, 20
	shortest, shared := best, 0
	for _, literal := range set {
		if f.sharing != nil {
			shared += f.sharing(literal)
		}
		if f.known == nil || !containsAny(literal, f.known) {
			shortest = min(shortest, min(len(literal), enough)*most)
		}
	}
	if f.sharing != nil {
		return best/max(shared, 1) + shortest
	}
	return max(shortest-len(set), 1)
}

func escapedByWrappers(r rune) bool {
	return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r)
}

func containsAny(s string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}
