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
		return slices.ContainsFunc(literals, func(other string) bool { return other != literal && c.isFoundBy(literal, other) })
	})
}

// isFoundBy tells whether an engine that looks for a literal finds a text: as a word where
// it is one.
func (c *Catalogue) isFoundBy(text, literal string) bool {
	several := strings.ContainsFunc(literal, isNotOfWord)
	for from := 0; ; {
		at := strings.Index(text[from:], literal)
		if at < 0 {
			return false
		}
		at += from
		from = at + len(literal)
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[from:])
		begins := at == 0 || isNotOfWord(before)
		ends := several || from == len(text) || isNotOfWord(after)
		if !c.BeginsWord(literal) || begins && ends {
			return true
		}
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
			literals = append(literals, p.Match[i].literals(c.Pushes)...)
		}
	}
	return literals
}

// BeginsWord tells of a pushed literal that it begins where a word begins and, if it is
// no more than one word, ends where that ends: an index of words finds it. Others may
// stand within a word.
func (c *Catalogue) BeginsWord(literal string) bool { return slices.Contains(c.Pushes, literal) }

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

// isNotOfWord tells what parts words.
func isNotOfWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }
