package parser

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// An objectReader walks the members of a JSON object in the order they stand,
// repeated keys and all. It reads each byte once, keeps no copy, and accepts a
// little more than RFC 8259 does: raw control bytes and invalid UTF-8 in
// strings, for logs contain both.
type objectReader struct {
	b []byte
	i int
	// whole is set when the closing brace was reached and nothing follows.
	whole bool
	// cut is set when the text ended inside the object.
	cut bool
}

// A member is a key and a value as ranges of the text. The key is without its
// quotes, the value is as printed.
type member struct {
	key, value span
}

type span struct{ from, to int }

func (s span) of(b []byte) []byte { return b[s.from:s.to] }

// readObject starts at the object's opening brace, if b has one.
func readObject(b []byte) objectReader {
	o := objectReader{b: b}
	if len(b) > 0 && b[0] == '{' {
		o.i = 1
	} else {
		o.i = len(b)
	}
	return o
}

// next returns the next member; ok is false at the end and at the first fault.
func (o *objectReader) next() (m member, ok bool) {
	o.blanks()
	if o.i < len(o.b) && o.b[o.i] == ',' {
		o.i++
		o.blanks()
	}
	if o.i >= len(o.b) {
		o.cut = true
		return m, false
	}
	if o.b[o.i] == '}' {
		o.i++
		o.whole = onlyTrailing(o.b[o.i:])
		return m, false
	}
	key, ok := o.str()
	if !ok {
		return m, false
	}
	m.key = span{key.from + 1, key.to - 1}
	o.blanks()
	if o.i >= len(o.b) || o.b[o.i] != ':' {
		o.cut = o.i >= len(o.b)
		return m, false
	}
	o.i++
	o.blanks()
	m.value, ok = o.val()
	return m, ok
}

func (o *objectReader) blanks() {
	for o.i < len(o.b) && isBlank(o.b[o.i]) {
		o.i++
	}
}

// str reads the string at o.i, quotes included.
func (o *objectReader) str() (span, bool) {
	if o.i >= len(o.b) || o.b[o.i] != '"' {
		o.cut = o.i >= len(o.b)
		return span{}, false
	}
	from := o.i
	end := stringEnd(o.b, from)
	if end < 0 {
		o.i, o.cut = len(o.b), true
		return span{}, false
	}
	o.i = end
	return span{from, end}, true
}

// stringEnd returns the index behind the string that begins with the quote at
// b[i], -1 if it does not end.
func stringEnd[T []byte | string](b T, i int) int {
	i++
	for i < len(b) {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
		i++
	}
	return -1
}

// val reads the value at o.i.
func (o *objectReader) val() (span, bool) {
	if o.i >= len(o.b) {
		o.cut = true
		return span{}, false
	}
	switch c := o.b[o.i]; {
	case c == '"':
		return o.str()
	case c == '{' || c == '[':
		return o.nested()
	case c == '-' || isDigit(c) || c == 't' || c == 'f' || c == 'n':
		return o.scalar()
	}
	return span{}, false
}

func (o *objectReader) scalar() (span, bool) {
	from := o.i
	for o.i < len(o.b) {
		switch c := o.b[o.i]; {
		case c == ',' || c == '}' || c == ']' || isBlank(c):
			return span{from, o.i}, true
		case c == '"' || c == '{' || c == '[' || c == ':':
			return span{}, false
		}
		o.i++
	}
	o.cut = true
	return span{}, false
}

// nested reads an object or array; it counts brackets and does not recurse.
func (o *objectReader) nested() (span, bool) {
	from, depth := o.i, 0
	for o.i < len(o.b) {
		switch o.b[o.i] {
		case '"':
			if _, ok := o.str(); !ok {
				return span{}, false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		o.i++
		if depth == 0 {
			return span{from, o.i}, true
		}
	}
	o.cut = true
	return span{}, false
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// onlyTrailing reports whether nothing stands in b but blanks, zero bytes and
// terminal escape sequences.
func onlyTrailing(b []byte) bool {
	return len(bytes.Trim(stripANSI(b), " \t\r\n\x00")) == 0
}

// jsonString returns the content of the JSON string raw, which includes its
// quotes. It aliases raw if there is nothing to unescape.
func jsonString(raw []byte) []byte {
	raw = raw[1 : len(raw)-1]
	i := bytes.IndexByte(raw, '\\')
	if i < 0 {
		return raw
	}
	return appendUnescaped(append(make([]byte, 0, len(raw)), raw[:i]...), raw[i:])
}

// appendUnescaped undoes JSON's escapes; a wrong one is kept as it stands.
func appendUnescaped(dst, raw []byte) []byte {
	for len(raw) > 0 {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || i+1 == len(raw) {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:i]...)
		raw = raw[i:]
		r, n := unescape(raw)
		if n == 0 {
			dst, raw = append(dst, raw[:2]...), raw[2:]
			continue
		}
		dst, raw = utf8.AppendRune(dst, r), raw[n:]
	}
	return dst
}

// unescape decodes the escape at the start of raw, which is a backslash and at
// least one byte; n is 0 if JSON knows no such escape.
func unescape(raw []byte) (r rune, n int) {
	switch raw[1] {
	case '"', '\\', '/':
		return rune(raw[1]), 2
	case 'n':
		return '\n', 2
	case 't':
		return '\t', 2
	case 'r':
		return '\r', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'u':
		return unescapeUnicode(raw)
	}
	return 0, 0
}

func unescapeUnicode(raw []byte) (r rune, n int) {
	r = hex4(raw)
	if r < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' {
		if pair := utf16.DecodeRune(r, hex4(raw[6:])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// hex4 returns the code unit of \uXXXX at the start of raw, -1 if it is none.
func hex4(raw []byte) rune {
	if len(raw) < 6 {
		return -1
	}
	var r rune
	for _, c := range raw[2:6] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// Unquote returns the content of a JSON string, which has both its quotes.
func Unquote(raw []byte) string { return string(jsonString(raw)) }
