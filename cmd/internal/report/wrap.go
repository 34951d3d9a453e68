package report

import (
	"strings"

	"github.com/rivo/uniseg"
)

// wrap breaks a text into lines of at most width columns where Unicode allows
// a break (UAX #14), so that Chinese breaks between characters and English
// between words. A word that is wider than a line is cut.
func wrap(text string, width int) []string {
	var lines []string
	for _, paragraph := range strings.Split(strings.TrimSpace(text), "\n") {
		lines = append(lines, wrapParagraph(paragraph, max(width, 10))...)
	}
	return lines
}

func wrapParagraph(text string, width int) []string {
	var lines []string
	line := ""
	state := -1
	for rest := text; rest != ""; {
		var segment string
		segment, rest, state = wordOf(rest, state, min(longWord, width))
		if line != "" && columns(strings.TrimRight(line+segment, " ")) > width {
			lines = append(lines, strings.TrimRight(line, " "))
			line = ""
		}
		line += segment
		for columns(strings.TrimRight(line, " ")) > width {
			head := cut(line, width)
			lines = append(lines, head)
			line = line[len(head):]
		}
	}
	return append(lines, strings.TrimRight(line, " "))
}

// longWord is as wide as a word may be that is not broken behind a slash, a hyphen or a
// colon: ":5210", the longest id and crypto/tls.(*Conn).readClientHello stay whole, a path
// need not.
const longWord = 36

// wordOf takes the first segment behind which a line may end; a word of up to most columns
// is whole.
func wordOf(text string, state, most int) (word, rest string, after int) {
	word, rest, _, after = uniseg.FirstLineSegmentInString(text, state)
	for rest != "" && isPlain(word[len(word)-1]) && isPlain(rest[0]) {
		next, behind, _, further := uniseg.FirstLineSegmentInString(rest, after)
		if columns(strings.TrimRight(word+next, " ")) > most {
			break
		}
		word, rest, after = word+next, behind, further
	}
	return word, rest, after
}

// isPlain tells a character of ASCII that is no space.
func isPlain(b byte) bool { return b > ' ' && b < 0x7f }

// columns is the display width of a text.
func columns(s string) int { return uniseg.StringWidth(s) }

// cut returns the longest prefix of at most width columns.
func cut(s string, width int) string {
	used, end := 0, 0
	for g := uniseg.NewGraphemes(s); g.Next(); {
		if used += g.Width(); used > width {
			break
		}
		_, end = g.Positions()
	}
	if end == 0 {
		return s
	}
	return s[:end]
}

// fit cuts a text to width columns, with an ellipsis where something is lost.
func fit(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	return cut(s, max(width-1, 1)) + "…"
}

// fitEnd cuts the beginning of a text to width columns, at a word where there is one.
func fitEnd(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	for rest := s; ; {
		_, after, ok := strings.Cut(rest, " ")
		if !ok {
			return fit(s, width)
		}
		if rest = after; columns(rest) <= width-2 {
			return "… " + rest
		}
	}
}

// Fit makes a text from outside safe for a terminal, with at most width columns.
func Fit(s string, width int) string { return fit(Visible(s), width) }

// Wrap breaks a text of our own into lines of at most width columns.
func Wrap(text string, width int) []string { return wrap(text, width) }
