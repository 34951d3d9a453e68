package patterns

import (
	"strings"
	"time"

	"wklog/parser"
)

// twin describes a record that the server prints a second time in another
// form: the raw handshake line and the debug record that follows it, the panic
// record and the Go panic, nginx's line on stderr and in its log.
type twin struct {
	// key is the same for both forms.
	key twinKey
	// first is the form that carries more and is printed first, mostly.
	first bool
	// near says that both forms stand within nearLines of each other.
	near bool
}

// twinKey says what failed: for a handshake the error, for what ends the process
// its last words.
type twinKey struct{ what, text string }

// nearLines is how many lines after a raw handshake line its debug record may
// stand: the two are printed by one goroutine without a lock between them.
const nearLines = 200

// twinOf tells the two forms apart; ok is false for a record that has one form
// only.
func twinOf(rec *parser.Record) (t twin, ok bool) {
	switch rec.Kind {
	case parser.KindHandshake:
		return twin{key: twinKey{"handshake", rec.Error}, first: true, near: true}, true
	case parser.KindClose:
		return twin{key: twinKey{"handshake", rec.Error}, near: true}, true
	case parser.KindNginx:
		return twin{key: twinKey{"nginx", rec.Subject()}, first: !rec.Stamp.IsZero()}, rec.Level == "emerg"
	case parser.KindZap:
		return twin{key: twinKey{"panic", panicText(rec)}, first: true}, rec.Level == "panic" || rec.Level == "fatal"
	case parser.KindPanic:
		text := lastPanic(rec)
		return twin{key: twinKey{"panic", text}}, text != ""
	}
	return twin{}, false
}

// panicText is what a zap record at level panic panics with: its message with
// the logger's prefix (WuKongIM v2.2.5 pkg/wklog/logger.go:208).
func panicText(rec *parser.Record) string {
	if rec.Logger == "" {
		return rec.Message
	}
	return "【" + rec.Logger + "】" + rec.Message
}

// waiting are the failures of one key of which one form was seen so far.
type waiting struct {
	lines  []int64
	events []*Event
	first  bool
	total  int
}

// maxWaiting bounds what is remembered of a key within a source: debug records
// follow their raw lines at once.
const maxWaiting = 64

func (w *waiting) push(line int64, e *Event) {
	w.total++
	if len(w.lines) == maxWaiting {
		w.lines, w.events = w.lines[1:], w.events[1:]
	}
	w.lines = append(w.lines, line)
	w.events = append(w.events, e)
}

func (w *waiting) pop() *Event {
	e := w.events[0]
	w.lines, w.events = w.lines[1:], w.events[1:]
	w.total--
	return e
}

// near takes the first event that stands at most nearLines before a line; those
// that are further away are given up. It returns nil when there is none.
func (w *waiting) near(line int64) *Event {
	for w != nil && len(w.lines) > 0 {
		at := w.lines[0]
		if e := w.pop(); at >= line-nearLines {
			return e
		}
	}
	return nil
}

// orphans are raw handshake lines of a finished source that wrote no debug
// records: those may stand in another file.
type orphans struct {
	node        string
	count       int
	first, last time.Time
}

// covers tells whether a debug record of this time can belong to the lines.
func (o *orphans) covers(at time.Time) bool {
	const slack = time.Minute
	return o.first.IsZero() || at.IsZero() ||
		!at.Before(o.first.Add(-slack)) && !at.After(o.last.Add(slack))
}

// lastPanic is the text that a Go panic ended with, where it came from a zap
// record.
func lastPanic(rec *parser.Record) string {
	text := ""
	for line := range strings.Lines(rec.Subject()) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "panic: "); ok && strings.HasPrefix(value, "【") {
			text = value
		}
	}
	return text
}
