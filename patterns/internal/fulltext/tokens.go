package fulltext

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Words splits a text into its words in lower case: runs of letters and digits, runs
// of Chinese characters, and numbers with the sign before them. What is written in
// full width is taken as narrow.
func Words(text string) []string {
	words := make([]string, 0, len(text)/8)
	if strings.ContainsFunc(text, isWide) {
		text = width.Narrow.String(text)
	}
	text = strings.ToLower(text)
	before := kindOther // the kind of the character before
	start := -1
	for i, r := range text {
		kind := kindOf(r)
		if kind != before && start >= 0 {
			words = append(words, text[start:i])
			start = -1
		}
		switch {
		case start >= 0 || kind == kindOther:
		case kind == kindWord && signed(text, i, r):
			start = i - 1
		default:
			start = i
		}
		before = kind
	}
	if start >= 0 {
		words = append(words, text[start:])
	}
	return words
}

type characters int

const (
	kindOther characters = iota
	kindWord
	kindHan
)

// isWide tells whether a character is of those that have a narrow form.
func isWide(r rune) bool { return r == 0x3000 || r >= 0xff00 && r <= 0xffef }

// kindOf begins with the characters that hardly any text goes beyond: a catalogue is
// read in whole before each search.
func kindOf(r rune) characters {
	const firstHan, lastHan = 0x4e00, 0x9fff
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		return kindWord
	case r < utf8.RuneSelf:
		return kindOther
	case r >= firstHan && r <= lastHan, unicode.Is(unicode.Han, r):
		return kindHan
	case unicode.IsLetter(r), unicode.IsDigit(r):
		return kindWord
	}
	return kindOther
}

// signed tells whether a digit has a minus before it that no word ends in.
func signed(text string, at int, r rune) bool {
	if !unicode.IsDigit(r) || at == 0 || text[at-1] != '-' {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(text[:at-1])
	return before != '-' && kindOf(before) != kindWord
}

// Terms are what an index holds of some words: stems, and for Chinese, which has no
// blanks between its words, each two characters that stand side by side. Numbers are
// none: in messages they are times, ports and addresses.
func Terms(words []string) []string {
	terms := make([]string, 0, 2*len(words))
	for _, word := range words {
		if strings.Trim(word, "0123456789") == "" {
			continue
		}
		first, size := utf8.DecodeRuneInString(word)
		if kindOf(first) != kindHan || len(word) == size {
			terms = append(terms, stem(word))
			continue
		}
		for at := 0; at+size < len(word); {
			_, size = utf8.DecodeRuneInString(word[at:])
			_, next := utf8.DecodeRuneInString(word[at+size:])
			terms = append(terms, word[at:at+size+next])
			at += size
			_, size = utf8.DecodeRuneInString(word[at:])
		}
	}
	return terms
}

// stem takes off what English puts behind a word.
func stem(word string) string {
	const shortest = 4
	for _, ending := range []string{"ing", "ed", "es", "s", "e"} {
		if rest, ok := strings.CutSuffix(word, ending); ok && len(rest) >= shortest {
			return rest
		}
	}
	return word
}
