package secrets

import (
	"regexp"
	"strings"
)

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemDash  = "-----"
	// maxLabel is how long the label of a PEM block may be, which has no more than a
	// few words (RFC 7468).
	maxLabel = 60
	// maxPEM is far above what a key or a chain takes.
	maxPEM = 64 << 10
)

// The lines of a PEM body, whose ends may be escaped.
const (
	pemLineEnd = `(?:[ \t]|\r?\n|(?:\\+[nrt])|\\+u000[aAdD])*`
	pemHeaders = `(?:` + pemLineEnd + `(?:Proc-Type|DEK-Info): [\w,-]+)*`
	pemBody    = pemHeaders + `(?:(?:` + pemLineEnd + `[A-Za-z0-9+/]{16,}={0,2})+(?:` + pemLineEnd + `[A-Za-z0-9+/]{1,15}={0,2})?)?`
)

// cutOff is the rest of a block of which the end is not there.
var cutOff = regexp.MustCompile(`^` + pemBody)

// hidePEM hides what a block holds, with its marks: its label says what it was.
func hidePEM(text string) string {
	var b strings.Builder
	for rest := text; ; {
		at := strings.Index(rest, pemBegin)
		if at < 0 {
			text = b.String() + rest
			break
		}
		label, behind, ok := strings.Cut(rest[at+len(pemBegin):], pemDash)
		if !ok || len(label) > maxLabel {
			b.WriteString(rest[:at+len(pemBegin)])
			rest = rest[at+len(pemBegin):]
			continue
		}
		end := endOfPEM(behind)
		if end == 0 && !strings.HasSuffix(label, "KEY") { // it is spoken of
			b.WriteString(rest[:len(rest)-len(behind)])
		} else {
			b.WriteString(rest[:at] + label + " " + Hidden)
		}
		rest = behind[end:]
	}
	return hideBodies(text)
}

// endOfPEM is where what follows a beginning is no longer of its block.
func endOfPEM(text string) int {
	near := text[:min(len(text), maxPEM)]
	if next := strings.Index(near, pemBegin); next >= 0 {
		near = near[:next]
	}
	end := strings.Index(near, pemEnd)
	if end < 0 {
		return len(cutOff.FindString(near))
	}
	mark := text[end+len(pemEnd):]
	if dash := strings.Index(mark, pemDash); dash >= 0 && dash <= maxLabel {
		return len(text) - len(mark) + dash + len(pemDash)
	}
	return len(text) - len(mark)
}

// longWord is from when on a word of base64 may be a line of a body, which has 64 but
// for its last (RFC 7468 section 2).
const longWord = 40

// hideBodies hides what has lost its marks: a line of a body alone, the one before an
// end, DER of a key or a certificate, which begins with MII in base64.
func hideBodies(text string) string {
	var b strings.Builder
	done := 0
	for at := 0; at < len(text); at++ {
		if !isBase64(text[at]) {
			continue
		}
		start := at
		for at < len(text) && isBase64(text[at]) {
			at++
		}
		if word := text[start:at]; isBody(word) || len(word) > 1 && endsPEM(text[at:min(len(text), at+2*len(pemEnd))]) {
			b.WriteString(text[done:start] + Hidden)
			done = at
		}
	}
	b.WriteString(text[done:])
	return b.String()
}

func isBody(word string) bool {
	return len(word) >= longWord && (strings.HasPrefix(word, "MII") || isMixed(word))
}

// endsPEM tells whether the mark of an end stands behind a line.
func endsPEM(text string) bool {
	return strings.HasPrefix(strings.TrimLeft(text, "\\nr\r\n \t"), pemEnd)
}

func isBase64(c byte) bool {
	return c == '+' || c == '/' || c == '=' || c != '_' && isWordByte(c)
}

// isMixed tells base64 from words, numbers, paths and the names of functions and of
// handshake states.
func isMixed(word string) bool {
	const few, long = 5, 20
	if word[0] == '/' && !strings.Contains(word, "+") {
		return false
	}
	digits, upper, lower, part, longest := 0, 0, 0, 0, 0
	for _, c := range word {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'A' <= c && c <= 'Z':
			upper++
		case 'a' <= c && c <= 'z':
			lower++
		}
		if part++; c == '/' {
			part = 0
		}
		longest = max(longest, part)
	}
	return digits >= few && upper >= few && lower >= few && longest >= long
}
