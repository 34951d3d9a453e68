package parser

import (
	"bytes"
	"strings"
	"time"
)

// Kind says what form of record an entry is.
type Kind string

// The kinds of record.
const (
	// KindHandshake is WuKongIM's raw line `-->握手失败！--> error state`
	// (WuKongIM/crypto tls/conn.go:1478).
	KindHandshake Kind = "handshake"
	// KindClose is the record that a connection was closed for an error
	// (WuKongIM pkg/wknet/reactor_sub.go).
	KindClose Kind = "close"
	// KindZap is any other JSON log record, of WuKongIM, Caddy or Traefik.
	KindZap Kind = "zap"
	// KindConsole is a tab-separated console line of WuKongIM version 3.
	KindConsole Kind = "console"
	// KindPanic is a Go panic or fatal error with its goroutine trace.
	KindPanic Kind = "panic"
	// KindNginx is a line of nginx's error log.
	KindNginx Kind = "nginx"
	// KindOpenSSL is an OpenSSL error in the log of Apache httpd, stunnel,
	// lighttpd or Hitch; Message holds it in nginx's words.
	KindOpenSSL Kind = "openssl"
	// KindNetHTTP is a TLS handshake error of Go's net/http server, or of another
	// server in Go that words it so.
	KindNetHTTP Kind = "net-http"
	// KindAccess is a request in an access log: its text is the client's.
	KindAccess Kind = "access"
	// KindText is everything else.
	KindText Kind = "text"
)

// Record is one log entry, or the entries of one panic, taken apart. It shares
// no memory with the input.
type Record struct {
	Kind Kind
	// Line counts from 1, 0 where it is not known, and Offset is in bytes of
	// the uncompressed source; both are set by the reader, not by Parse.
	Line, Offset int64
	// Wrapper, Stream, Origin, Node and NodeBy are those of the Entry.
	Wrapper        Wrapper
	Stream, Origin string
	Node, NodeBy   string
	// Stamp is the record's own time if OwnTime, else the wrapper's.
	Stamp   Stamp
	OwnTime bool
	// Collected is the wrapper's time, zero where it has none.
	Collected time.Time
	// TimeInferred says that the reader took the time from a neighbour; Parse
	// never does.
	TimeInferred bool
	// Arrived is when a live log gave the record, zero in one that was written
	// before; where no neighbour is near it is the inferred time.
	Arrived time.Time
	// Level is as printed but in lower case; empty if there is none.
	Level string
	// Logger is the text inside 【】 before a message, else the logger or
	// module of the record.
	Logger string
	// Message is without the Logger's brackets.
	Message string
	Error   string
	// State is the handshake state of a raw handshake line.
	State string
	// Remote is the client's address, with port where the log has it.
	Remote string
	// Fields holds what else the record has, nil for nothing. A value that is
	// no string stands as its JSON text. Of a repeated key the first counts,
	// except that a second message is kept as msg#2.
	Fields map[string]string
	// Stack is a stack trace, without the panic's own lines.
	Stack string
	// Text is the whole entry without wrapper, control characters included.
	Text string
	// Open says that the log ended within a panic's trace, which may go on in
	// the file that the log was rotated to.
	Open bool
}

// Subject is the text in which failure patterns are searched, empty where it
// would be a client's.
func (r *Record) Subject() string {
	switch r.Kind {
	case KindHandshake, KindNetHTTP:
		return r.Error
	case KindClose:
		if r.Error != "" {
			return r.Error
		}
		return r.Message
	case KindZap, KindConsole:
		switch {
		case r.Error == "":
			return r.Message
		case r.Message == "":
			return r.Error
		}
		return r.Message + ": " + r.Error
	case KindPanic, KindNginx, KindOpenSSL:
		return r.Message
	case KindAccess:
		return ""
	}
	return plain(r.Text)
}

// plain is a text without colours.
func plain(s string) string {
	if strings.IndexByte(s, '\x1b') < 0 {
		return s
	}
	return string(stripANSI([]byte(s)))
}

// setField keeps the first value of a key.
func (r *Record) setField(key, value string) {
	if r.Fields == nil {
		r.Fields = make(map[string]string, 4)
	}
	if _, ok := r.Fields[key]; !ok {
		r.Fields[key] = value
	}
}

// ownStamp sets the record's own time.
func (r *Record) ownStamp(s Stamp) {
	r.Stamp, r.OwnTime = s, true
}

// A form recognises one form of record. first holds the bytes that it can
// begin with, all if empty; among the forms of a byte the lower priority is
// tried first. parse finds the entry's text in r.Text as well, so that parts
// of it need no copy; if it returns false what it set is dropped. stamp reads
// the form's own time and nothing else; it may be nil.
type form struct {
	priority int
	first    string
	parse    func(text []byte, r *Record) bool
	stamp    func(text []byte) (Stamp, bool)
}

// forms holds by first byte what the files of the record forms registered.
var forms [256][]*form

// registerForm is called from the init function of each form's file.
func registerForm(f form) {
	for c := range forms {
		if f.first != "" && !containsByte(f.first, byte(c)) {
			continue
		}
		list := &forms[c]
		at := 0
		for at < len(*list) && (*list)[at].priority <= f.priority {
			at++
		}
		*list = append(*list, nil)
		copy((*list)[at+1:], (*list)[at:])
		(*list)[at] = &f
	}
}

func containsByte(set string, c byte) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

// Parse takes an entry apart. It never fails: what it does not know, or what
// is broken, becomes a record of KindText.
//
// The colours that a program or grep puts into an entry are no part of its form, and
// neither is its encoding ([Readable]).
func Parse(e Entry) *Record {
	e.Text = readable(e.Text)
	r := parse(e)
	if r.Kind != KindText || bytes.IndexByte(e.Text, '\x1b') < 0 {
		return r
	}
	uncoloured := e
	uncoloured.Text = stripANSI(e.Text)
	if p := parse(uncoloured); p.Kind != KindText {
		p.Text = r.Text
		return p
	}
	return r
}

func parse(e Entry) *Record {
	r := newRecord(&e)
	if len(e.Text) == 0 || r.setAccess(sshd().MatchString(e.Origin)) {
		return r
	}
	for _, f := range forms[e.Text[0]] {
		if f.parse(e.Text, r) {
			return r
		}
		text := r.Text
		r.reset(&e)
		r.Text = text
	}
	return r
}

func newRecord(e *Entry) *Record {
	r := &Record{}
	r.reset(e)
	r.Text = string(e.Text)
	return r
}

// reset drops what a form that did not fit has set.
func (r *Record) reset(e *Entry) {
	*r = Record{Kind: KindText, Wrapper: e.Wrapper, Stream: e.Stream, Origin: e.Origin, Node: e.Node, NodeBy: e.NodeBy, Stamp: e.Stamp, Collected: e.Stamp.Time}
}

// Stamps reads the time that an entry's text has of its own, without parsing
// the rest: it is called on the neighbours of undated records.
func Stamps(text []byte) (Stamp, bool) {
	if len(text) == 0 {
		return Stamp{}, false
	}
	for _, f := range forms[text[0]] {
		if f.stamp == nil {
			continue
		}
		if s, ok := f.stamp(text); ok {
			return s, true
		}
	}
	return Stamp{}, false
}
