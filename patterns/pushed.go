package patterns

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"wklog/patterns/internal/search"
)

// Pushed are the literals by which an engine that holds logs is asked for the lines that
// matter: each line that a pattern knows holds one. They are few, for engines search
// each line for each of them. By default they are those of what programs on the server
// print, and of every pattern that was added to the catalogue; all of them find what
// clients print as well, and plain lines of programs that no component knows. Nil says
// that a pattern implies no literal, so that every line has to be read.
//
// Each begins where a word begins, or with what parts words, so that an index of words
// finds it: of letters, digits and underscores. The last word may go on behind it.
//
// A line that stands in JSON as a string holds them as well. Parts of a line that a
// container's runtime split, the lines of WuKongIM's banner, and what weighs only beside
// a failure ([Catalogue.Nearby]) are not found by them, nor the stack behind a panic.
func (c *Catalogue) Pushed(all bool) []string {
	if c.unanchored {
		return nil
	}
	literals := slices.Concat(c.Pushes, c.pushedByAdded())
	if all {
		literals = slices.Concat(literals, c.PushesOfClients)
	}
	slices.Sort(literals)
	literals = slices.Compact(literals)
	return slices.DeleteFunc(slices.Clone(literals), func(literal string) bool {
		return slices.ContainsFunc(literals, func(other string) bool { return other != literal && beginsWordIn(literal, other) })
	})
}

// beginsWordIn tells whether a literal stands in a text where a word begins, or itself
// begins with what parts words.
func beginsWordIn(text, literal string) bool {
	first, _ := utf8.DecodeRuneInString(literal)
	for from := 0; ; {
		at := strings.Index(text[from:], literal)
		if at < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(text[:from+at])
		if from+at == 0 || !isOfWord(before) || !isOfWord(first) {
			return true
		}
		from += at + len(literal)
	}
}

// pushedByAdded are the literals of patterns that are not the embedded catalogue's.
func (c *Catalogue) pushedByAdded() []string {
	var literals []string
	for _, p := range c.Patterns {
		if _, added := c.places[p]; !added {
			continue
		}
		for i := range p.Match {
			for _, literal := range p.Match[i].literals(c.Pushes) {
				literals = append(literals, fromWord(literal))
			}
		}
	}
	return literals
}

// fromWord cuts the beginning of a literal that may be the end of a longer word. One word
// alone stays.
func fromWord(literal string) string {
	at := strings.IndexFunc(literal, func(r rune) bool { return !isOfWord(r) })
	if at < 0 || strings.IndexFunc(literal[at:], isOfWord) < 0 || len(literal)-at < search.Worthwhile {
		return literal
	}
	return literal[at:]
}

// Nearby are the literals of what is no failure by itself and adds to the evidence where
// it stands near one: how some clients end a connection.
func (c *Catalogue) Nearby() []string {
	var literals []string
	for _, ignored := range c.Ignore {
		if !ignored.Context {
			continue
		}
		for _, clause := range ignored.Match {
			literals = append(literals, search.Literals(clause.Regex, search.Shortest, nil)...)
		}
	}
	return notImplied(literals, slices.Clone(literals))
}

// isOfWord tells what belongs to a word: everything else parts words.
func isOfWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
