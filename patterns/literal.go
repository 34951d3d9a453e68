package patterns

import (
	"regexp/syntax"
	"strings"
)

// minLiteral is the shortest literal, in bytes, that is worth a search: a
// shorter one stands in too many lines.
const minLiteral = 5

// requiredLiterals returns literals of which every match of the expression
// holds at least one, nil when there are none of at least least bytes.
// They are taken from the syntax tree, cut where a wrapper may print the
// character in another way: JSON escapes quotes, backslashes, < > & and
// control characters, and some writers escape everything outside ASCII.
func requiredLiterals(expr string, least int) []string {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	return literalFinder(least).of(tree.Simplify())
}

// literalFinder looks for literals of at least so many bytes.
type literalFinder int

func (f literalFinder) of(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return f.set(re)
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
			if set := f.of(sub); shortest(set) > shortest(best) {
				best = set
			}
		}
		return best
	}
	return nil
}

func (f literalFinder) set(re *syntax.Regexp) []string {
	if re.Flags&syntax.FoldCase != 0 {
		return nil
	}
	longest := ""
	for _, part := range strings.FieldsFunc(string(re.Rune), escapedByWrappers) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	if len(longest) < int(f) {
		return nil
	}
	return []string{longest}
}

func escapedByWrappers(r rune) bool {
	return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r)
}

func shortest(set []string) int {
	n := 0
	for i, s := range set {
		if i == 0 || len(s) < n {
			n = len(s)
		}
	}
	return n
}
