package source

import (
	"bytes"
	"path/filepath"

	"wklog/parser"
)

// textShare is how many bytes of a text there are for each control byte in it, at
// least: of programs, databases and images every tenth byte is one.
const textShare = 100

// isBinary tells by the first bytes, and where those are all zero by the name, that
// a file is no text. Zero bytes alone do not tell: a log that was cut to nothing while
// its writer went on behind the old end (logrotate's copytruncate) begins with them, a
// power loss leaves blocks of them, and whoever shares an output may print one.
func isBinary(head []byte, name string) bool {
	if bytes.IndexByte(head, 0) < 0 {
		return false
	}
	size, controls := 0, 0
	for i, c := range head {
		if c == 0 && i > 0 && head[i-1] == 0 {
			continue // a hole counts once
		}
		size++
		if isControl(c) {
			controls++
		}
	}
	if size == 1 {
		return len(head) < headSize || !mayHoldLogs(name) && filepath.Ext(name) != ".out"
	}
	beginsWithHole := head[0] == 0 && controls == 1
	return !beginsWithHole && controls*textShare > size && !holdsRecord(head)
}

func isControl(c byte) bool {
	return c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\x1b' || c == 0x7f
}

// holdsRecord tells whether a line without any control byte is of a known form.
func holdsRecord(head []byte) bool {
	for line := range bytes.Lines(head) {
		if bytes.ContainsFunc(line, func(c rune) bool { return c < 0x80 && isControl(byte(c)) }) {
			continue
		}
		r := parser.Parse(parser.Unwrap(bytes.TrimRight(line, "\r\n")))
		if r.Kind != parser.KindText || r.OwnTime || r.Wrapper != parser.WrapperNone {
			return true
		}
	}
	return false
}
