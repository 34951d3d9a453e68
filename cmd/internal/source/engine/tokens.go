package engine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"wklog/parser"
)

// ErrCut says that an answer ends before its end.
var ErrCut = errors.New("the document ends in the middle")

// SyntaxError says that an answer is no JSON from a byte on, counted from 1.
type SyntaxError struct{ At int64 }

func (e *SyntaxError) Error() string { return fmt.Sprintf("no JSON from byte %d on", e.At) }

const (
	// mostText is how many bytes of a string are kept: more of a line is not looked at.
	mostText = parser.MaxLine
	// deepest is how deep an answer nests what is looked at; what is deeper is passed
	// over without a stack.
	deepest = 16
)

// tokens reads JSON piece by piece. The decoders of libraries keep a string however long
// it is, decode it, which a line that holds no failure does not need, and end at a control
// byte or a wrong letter, of which logs have some.
type tokens struct {
	r    *bufio.Reader
	at   int64 // bytes that were read
	text []byte
}

func newTokens(r io.Reader) *tokens { return &tokens{r: bufio.NewReaderSize(r, 64<<10)} }

// next gives the first byte of what follows, behind blanks and what only separates.
func (t *tokens) next() (byte, error) {
	for {
		c, err := t.r.ReadByte()
		if err != nil {
			return 0, err
		}
		t.at++
		switch c {
		case ' ', '\t', '\n', '\r', ',', ':':
			continue
		}
		return c, nil
	}
}

// must is next within a value, which has to go on.
func (t *tokens) must() (byte, error) {
	c, err := t.next()
	return c, cut(err)
}

// cut tells the end in the middle of a value from the end behind it.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrCut
	}
	return err
}

func (t *tokens) damaged() error { return &SyntaxError{t.at} }

// str reads the rest of a string, behind its first quote, and gives it with both quotes as
// it is printed, until the next call; of a long one the beginning.
func (t *tokens) str() ([]byte, error) {
	t.text = append(t.text[:0], '"')
	slashes := 0 // backslashes before the present place
	for {
		piece, err := t.r.ReadSlice('"')
		t.at += int64(len(piece))
		full := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !full {
			return nil, cut(err)
		}
		body := piece
		if !full {
			body = piece[:len(piece)-1]
		}
		trimmed := len(bytes.TrimRight(body, `\`))
		if trimmed > 0 {
			slashes = 0
		}
		slashes += len(body) - trimmed
		ends := !full && slashes%2 == 0
		if room := mostText - len(t.text); !ends && len(piece) <= room {
			t.text = append(t.text, piece...)
		} else if room > 0 {
			t.text = append(t.text, body[:min(len(body), room)]...)
		}
		if !full {
			slashes = 0
		}
		if ends {
			return t.closed(), nil
		}
	}
}

// closed ends the text with a quote, and not within an escape where it was shortened.
func (t *tokens) closed() []byte {
	if len(t.text) < mostText {
		t.text = append(t.text, '"')
		return t.text
	}
	bare := bytes.TrimRight(t.text, `\`)
	if (len(t.text)-len(bare))%2 == 1 {
		t.text = t.text[:len(t.text)-1]
	}
	t.text = append(t.text, '"')
	return t.text
}

// scalar reads the rest of a number or a word, and gives it until the next call.
func (t *tokens) scalar(first byte) ([]byte, error) {
	const longest = 64
	t.text = append(t.text[:0], first)
	for {
		c, err := t.r.ReadByte()
		if errors.Is(err, io.EOF) {
			return t.text, nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c == '.', c == '+', c == '-', c == 'E':
			t.at++
			if t.text = append(t.text, c); len(t.text) > longest {
				return nil, t.damaged()
			}
		default:
			return t.text, t.r.UnreadByte()
		}
	}
}

// skip passes over the value that begins with a byte.
func (t *tokens) skip(first byte) error {
	switch {
	case first == '"':
		_, err := t.str()
		return err
	case first != '{' && first != '[':
		if !begins(first) {
			return t.damaged()
		}
		_, err := t.scalar(first)
		return err
	}
	for open := 1; open > 0; {
		c, err := t.must()
		if err != nil {
			return err
		}
		switch c {
		case '{', '[':
			open++
		case '}', ']':
			open--
		case '"':
			_, err = t.str()
		default:
			if !begins(c) {
				return t.damaged()
			}
			_, err = t.scalar(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begins tells whether a number or a word may begin with the byte.
func begins(c byte) bool {
	return c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f' || c == 'n'
}
