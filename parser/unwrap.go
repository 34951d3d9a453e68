package parser

import "bytes"

// Wrapper names what was put around a program's own text on its way into a
// log.
type Wrapper string

// The wrappers. Stern, kail and kubectl are one, for they write the same pods'
// logs; logcli and Grafana's text count as WrapperDockerTimestamps, exports of log shippers as
// WrapperDockerJSON, and a syslog file written in
// ISO time cannot be told from the journal and counts as WrapperJournald.
const (
	WrapperNone             Wrapper = "none"
	WrapperDockerJSON       Wrapper = "docker-json"
	WrapperDockerTimestamps Wrapper = "docker-timestamps"
	WrapperCompose          Wrapper = "compose"
	WrapperCRI              Wrapper = "cri"
	WrapperKubectl          Wrapper = "kubectl"
	WrapperJournald         Wrapper = "journald"
	WrapperSyslog           Wrapper = "syslog"
)

// Entry is one physical line without its wrappers.
type Entry struct {
	// Wrapper is the outermost one.
	Wrapper Wrapper
	// Text is what the program wrote, without line end. It may alias the
	// line that was unwrapped.
	Text []byte
	// Stamp is the time of the innermost wrapper that has one, else zero.
	Stamp Stamp
	// Stream is stdout, stderr or empty.
	Stream string
	// Origin says who wrote the entry, where a wrapper knows: a container,
	// pod/container, or host and ident[pid].
	Origin string
	// Node is the node of a cluster that wrote the entry, where a wrapper knows:
	// a pod, a host, a container; NodeBy is the label by which it is named.
	Node, NodeBy string
	// Prefix is the number of bytes of the line before Text, 0 where Text
	// was inside JSON.
	Prefix int
	// Partial says that the entry goes on in the next one of the same Origin
	// and Stream: container runtimes cut lines at 16 KiB.
	Partial bool
}

// maxLayers is how many wrappers Unwrap takes off a line.
const maxLayers = 3

// A wrapping recognises and removes one wrapper. first holds the bytes that
// such a line can begin with; among the wrappings of a byte the lower priority
// is tried first. unwrap sets Prefix, or leaves it 0 if Text was decoded from
// JSON, and leaves out what it does not know.
type wrapping struct {
	priority int
	first    string
	unwrap   func(line []byte) (Entry, bool)
}

// wrappings holds by first byte what the wrapper files registered.
var wrappings [256][]*wrapping

// register is called from the init function of each wrapper's file.
func register(w wrapping) {
	for i := range len(w.first) {
		list := &wrappings[w.first[i]]
		at := 0
		for at < len(*list) && (*list)[at].priority <= w.priority {
			at++
		}
		*list = append(*list, nil)
		copy((*list)[at+1:], (*list)[at:])
		(*list)[at] = &w
	}
}

// First bytes that several formats share.
const (
	digits = "0123456789"
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	escape = "\x1b"
	bom    = "\xef\xbb\xbf"
	crlf   = "\r\n"
)

// Unwrap takes the wrappers off one line, with or without its line end. A line
// in no known wrapper is its own text. A byte order mark and the zero bytes
// that log rotation by truncation leaves count as prefix.
func Unwrap(line []byte) Entry {
	e := Entry{Wrapper: WrapperNone, Text: trimLineEnd(line)}
	e.skipLeadIn()
	decoded := false
	var done [maxLayers]*wrapping
	for depth := range maxLayers {
		w, inner := unwrapOnce(e.Text, done[:depth])
		if w == nil {
			break
		}
		done[depth] = w
		decoded = decoded || inner.Prefix == 0
		e.enter(inner)
	}
	if decoded {
		e.Prefix = 0
	}
	return e
}

// unwrapOnce removes the outermost wrapper; one in done is not removed again,
// because a program may well print a time of the same form.
func unwrapOnce(text []byte, done []*wrapping) (*wrapping, Entry) {
	if len(text) == 0 {
		return nil, Entry{}
	}
candidates:
	for _, w := range wrappings[text[0]] {
		for _, d := range done {
			if d == w {
				continue candidates
			}
		}
		if e, ok := w.unwrap(text); ok {
			return w, e
		}
	}
	return nil, Entry{}
}

// enter replaces what e knows by what the next inner layer adds.
func (e *Entry) enter(inner Entry) {
	if e.Wrapper == WrapperNone {
		e.Wrapper = inner.Wrapper
	}
	e.Text = inner.Text
	e.Prefix += inner.Prefix
	if !inner.Stamp.IsZero() {
		e.Stamp = inner.Stamp
	}
	if inner.Stream != "" {
		e.Stream = inner.Stream
	}
	if e.Origin == "" {
		e.Origin = inner.Origin
	}
	if e.Node == "" {
		e.Node, e.NodeBy = inner.Node, inner.NodeBy
	}
	e.Partial = e.Partial || inner.Partial
}

func (e *Entry) skipLeadIn() {
	if len(e.Text) == 0 || (e.Text[0] != 0 && e.Text[0] != bom[0]) {
		return
	}
	rest := bytes.TrimPrefix(bytes.TrimLeft(e.Text, "\x00"), []byte(bom))
	e.Prefix = len(e.Text) - len(rest)
	e.Text = rest
}

func trimLineEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// behind returns the text that follows a prefix of n bytes and one blank, and
// where it begins. A line that ends with the prefix has an empty text: editors
// and terminals drop trailing blanks.
func behind(line []byte, n int) (text []byte, at int, ok bool) {
	if n == len(line) {
		return line[n:], n, true
	}
	if line[n] != ' ' {
		return nil, 0, false
	}
	return line[n+1:], n + 1, true
}

// startsRecord reports whether text visibly begins an entry of a server's log;
// it decides where a prefix alone would prove nothing.
func startsRecord(text []byte) bool {
	for _, start := range []string{`{"`, "---", "\t", "panic: ", "fatal error: ", "goroutine "} {
		if hasPrefix(text, start) {
			return true
		}
	}
	return false
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}
