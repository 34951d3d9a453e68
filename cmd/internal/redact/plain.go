package redact

import "strings"

// plainTexts remembers the shapes of texts in which nothing is to be replaced: the
// events of a log are alike but for their numbers, and looking for names of every kind
// takes a hundred times as long as reading a line.
//
// A shape is a text with all digits alike, so that texts of one shape have their matches
// in the same places: where a digit matters to the expressions there is none.
type plainTexts map[string]bool

const (
	maxPlain     = 10_000 // shapes that are remembered
	longestPlain = 1024   // bytes of one
	// phoneDigits is how long a number is from which its first digits matter.
	phoneDigits = 11
)

// digitsThatMatter are what the expressions hold of digits besides numbers of phones.
var digitsThatMatter = []string{"%3", "p12", "P12"}

// shape is that of a text, empty for one that has none.
func (p plainTexts) shape(text string) string {
	if len(text) > longestPlain {
		return ""
	}
	for _, digits := range digitsThatMatter {
		if strings.Contains(text, digits) {
			return ""
		}
	}
	b := []byte(text)
	digits := 0
	for i, c := range b {
		if c < '0' || c > '9' {
			digits = 0
			continue
		}
		b[i] = '0'
		if digits++; digits >= phoneDigits {
			return ""
		}
	}
	return string(b)
}

// add notes that nothing is replaced in texts of a shape.
func (p plainTexts) add(shape string) {
	if shape == "" {
		return
	}
	if len(p) >= maxPlain {
		clear(p)
	}
	p[shape] = true
}

// isTime tells whether what was found and not replaced is no name whatever its digits
// are: a time of day looks like an address to the expressions.
func isTime(found string) bool {
	return strings.Trim(found, "0123456789: \t[T") == "" && !strings.Contains(found, "::")
}
