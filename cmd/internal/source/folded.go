package source

import (
	"bufio"
	"bytes"
	"io"
	"regexp"

	"wklog/parser"
)

// spread begins what holds an entry in several lines: an object as vlogscli prints it by
// default (v1.52.1), jq, and journalctl with -o json-pretty, or what vlogscli tells before.
var spread = regexp.MustCompile(`^(?:sending queries to -datasource|executing \[)|(?m:^)\{\r?\n[ \t]+"`)

// folded gives each object that takes several lines as one: its line ends become blanks, so
// that all bytes keep their places. What is no such object stays as it is.
type folded struct {
	in   *bufio.Reader
	line []byte
	rest []byte
	err  error
	// open is how many bytes the present object has, 0 for none; within says that the
	// present piece goes on with a line.
	open   int
	within bool
}

func newFolded(r io.Reader) *folded { return &folded{in: bufio.NewReaderSize(r, headSize)} }

func (f *folded) Read(p []byte) (int, error) {
	if len(f.rest) == 0 && f.err == nil {
		var piece []byte
		if piece, f.err = f.in.ReadSlice('\n'); f.err == bufio.ErrBufferFull {
			f.err = nil
		}
		f.line = append(f.line[:0], piece...) // to look ahead moves what was read
		f.fold()
		f.rest = f.line
	}
	if len(f.rest) == 0 {
		return 0, f.err
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// fold makes a blank of the line's end within an object, whose lines are indented.
func (f *folded) fold() {
	whole := !f.within
	end := len(f.line) - 1
	f.within = end >= 0 && f.line[end] != '\n'
	text := bytes.TrimRight(f.line, "\r\n")
	switch {
	case whole && f.open == 0 && string(text) == "{", f.open > 0:
		f.open += len(f.line)
	default:
		return
	}
	if f.within {
		return
	}
	next, err := f.in.Peek(1)
	if whole && text[0] == '}' || f.open > parser.MaxLine || err != nil || !bytes.ContainsAny(next, " \t}") {
		f.open = 0
		return
	}
	f.line[end] = ' '
}
