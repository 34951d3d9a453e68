package parser

import (
	"bytes"
	"unicode/utf8"
)

// undoOctal undoes rsyslog's escaping of bytes as # and three octal digits
// ($EscapeControlCharactersOnReceive, $Escape8BitCharactersOnReceive):
// `#346#217#241` is 握, `#011` a tab. rsyslog does not escape # itself, so only
// control characters and well-formed UTF-8 are taken for escapes.
func undoOctal(b []byte) []byte {
	i := bytes.IndexByte(b, '#')
	if i < 0 {
		return b
	}
	out := append(make([]byte, 0, len(b)), b[:i]...)
	for i < len(b) {
		if n := appendOctal(&out, b[i:]); n > 0 {
			i += n
			continue
		}
		out = append(out, b[i])
		i++
	}
	return out
}

// appendOctal decodes the character whose escapes begin b and returns the
// bytes read, 0 if there is none.
func appendOctal(out *[]byte, b []byte) int {
	lead := octal(b)
	if lead < 0 {
		return 0
	}
	if lead < 0x20 || lead == 0x7f {
		*out = append(*out, byte(lead))
		return 4
	}
	var char [utf8.UTFMax]byte
	size := 0
	for size < utf8.UTFMax {
		c := octal(b[min(4*size, len(b)):])
		if c < 0x80 {
			return 0
		}
		char[size] = byte(c)
		size++
		if utf8.Valid(char[:size]) {
			*out = append(*out, char[:size]...)
			return 4 * size
		}
	}
	return 0
}

// octal returns the value of #ooo at the start of b, -1 if it is none.
func octal(b []byte) int {
	if len(b) < 4 || b[0] != '#' {
		return -1
	}
	v := 0
	for _, c := range b[1:4] {
		if c < '0' || c > '7' {
			return -1
		}
		v = v<<3 | int(c-'0')
	}
	if v > 0xff {
		return -1
	}
	return v
}
