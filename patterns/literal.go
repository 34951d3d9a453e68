package patterns

import (
	"regexp/syntax"
	"strings"
)

// minLiteral is the shortest literal, in bytes, that is worth a search: a
// shorter one stands in too many lines.
const minLiteral = 5

// requiredLiterals returns literals of which every match of the expression
// holds at least one, nil when there are none of at least minLiteral bytes.
// They are taken from the syntax tree, cut where a wrapper may print the
// character in another way: JSON escapes quotes, backslashes, < > & and
// control characters, and some writers escape everything outside ASCII.
func requiredLiterals(expr string) []string {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	return literalsOf(tree.Simplify())
}

func literalsOf(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return literalSet(re)
	case syntax.OpCapture, syntax.OpPlus:
		return literalsOf(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return literalsOf(re.Sub[0])
		}
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			set := literalsOf(sub)
			if set == nil {
				return nil
			}
			all = append(all, set...)
		}
		return all
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if set := literalsOf(sub); shortest(set) > shortest(best) {
				best = set
			}
		}
		return best
	}
	return nil
}

func literalSet(re *syntax.Regexp) []string {
	if re.Flags&syntax.FoldCase != 0 {
		return nil
	}
	longest := ""
	for _, part := range strings.FieldsFunc(string(re.Rune), escapedByWrappers) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	if len(longest) < minLiteral {
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
