package parser

import (
	"bytes"
	"strings"
)

// WuKongIM's TLS code prints each failed handshake to stdout:
//
//	-------------------------->握手失败！--------------------------> error state
//
// (WuKongIM/crypto b872b70 tls/conn.go:1478). The words between the arrows may
// be garbled, the arrows' heads may be escaped. The line is found behind an
// unknown prefix too, but only after all other forms.
func init() {
	registerForm(form{priority: 10, first: "-", parse: parseHandshake})
	registerForm(form{priority: 80, parse: findHandshake})
}

const (
	dashes      = "----------" // an arrow has at least these
	stateMarker = "handshakeStatus"
)

func parseHandshake(text []byte, r *Record) bool {
	return hasPrefix(text, dashes) && r.setHandshake(r.Text)
}

func findHandshake(text []byte, r *Record) bool {
	at := bytes.Index(text, []byte(dashes))
	if at < 0 || !bytes.Contains(text[at:], []byte(stateMarker)) {
		return r.setHandshakeTail(plain(r.Text))
	}
	return !KindText.Theirs(r.Text, at) && r.setHandshake(r.Text[at:])
}

// setHandshakeTail fills r from a line of which the arrows were cut off: what crypto/tls
// said, and the state.
func (r *Record) setHandshakeTail(line string) bool {
	err, state := splitState(strings.TrimRight(line, " \t\r\n\x00"))
	core, at, end := findCore(err)
	if state == "" || core == "" || end < len(err) || KindText.Theirs(err, at) {
		return false
	}
	r.Kind, r.Error, r.State = KindHandshake, core, state
	return true
}

// setHandshake fills r from a line that begins with an arrow.
func (r *Record) setHandshake(line string) bool {
	rest, ok := cutArrow(line)
	if !ok {
		return false
	}
	at := strings.Index(rest, dashes)
	if at < 0 {
		return false
	}
	rest, ok = cutArrow(rest[at:])
	if !ok {
		return false
	}
	r.Kind = KindHandshake
	r.Error, r.State = splitState(strings.Trim(rest, " \t\r\n\x00"))
	return true
}

// cutArrow removes dashes and an arrow's head.
func cutArrow(s string) (rest string, ok bool) {
	s = strings.TrimLeft(s, "-")
	for _, head := range []string{">", `\u003e`, `\u003E`, "&gt;"} {
		if rest, ok = strings.CutPrefix(s, head); ok {
			return rest, true
		}
	}
	return "", false
}

// splitState separates the error from the state behind it. Without state all
// is error.
func splitState(s string) (err, state string) {
	at := strings.LastIndex(s, stateMarker)
	if at < 0 || (at > 0 && s[at-1] != ' ') {
		return s, ""
	}
	end := at + len(stateMarker)
	for end < len(s) && isWordByte(s[end]) {
		end++
	}
	return strings.TrimRight(s[:at], " "), s[at:end]
}

func isWordByte(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
}
