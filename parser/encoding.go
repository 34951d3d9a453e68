package parser

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Readable gives a text in UTF-8 where a part of it is in GBK, as many tools on Windows
// in China write Chinese, beside what others wrote in UTF-8. What is neither stays as
// it is.
func Readable(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string(readable([]byte(text)))
}

// readable is Readable for the bytes of an entry, which it does not change.
func readable(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	var b bytes.Buffer
	for len(text) > 0 {
		word := text[:gbkWordEnd(text)]
		text = text[len(word):]
		if decoded, ok := fromGBK(word); ok {
			word = decoded
		}
		b.Write(word)
	}
	return b.Bytes()
}

// gbkWordEnd is where the first byte stands that can be no part of a character in GBK:
// blanks, digits, quotes and the like.
func gbkWordEnd(text []byte) int {
	const leastTrail = 0x40
	for i, c := range text {
		if c < leastTrail {
			return i + 1
		}
	}
	return len(text)
}

// fromGBK decodes a word that is no UTF-8, if it is plausible in GBK: most of its
// characters are of GB 2312, whose bytes are all high. A single letter with an accent of
// a Western encoding is followed by a low one.
func fromGBK(word []byte) ([]byte, bool) {
	if utf8.Valid(word) {
		return nil, false
	}
	const leastLead, leastHigh = 0x81, 0xa1
	common, rare := 0, 0
	for i := 0; i < len(word); i++ {
		switch {
		case word[i] < leastLead:
		case i+1 < len(word) && word[i] >= leastHigh && word[i+1] >= leastHigh:
			common++
			i++
		default:
			rare++
			i++
		}
	}
	decoded, err := simplifiedchinese.GBK.NewDecoder().Bytes(word)
	if err != nil || common == 0 || rare > common {
		return nil, false
	}
	return decoded, bytes.IndexFunc(decoded, func(c rune) bool { return c > unicode.MaxASCII && !isChinese(c) }) < 0
}

// isChinese tells whether a character is one of Chinese texts.
func isChinese(c rune) bool {
	return unicode.Is(unicode.Han, c) || '　' <= c && c <= '〿' || '！' <= c && c <= '～' || '‐' <= c && c <= '…' || c == '·' || c == '→'
}
