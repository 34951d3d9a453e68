package parser

import (
	"bytes"
	"slices"
	"time"
)

// openPanic collects the lines of one Go panic.
type openPanic struct {
	open     bool
	first    Entry
	line     int64
	offset   int64
	start    int64 // bytes of the files before the one in which it began
	prefix   []byte
	texts    [][]byte
	size     int
	patience int
	inferred bool
	arrived  time.Time
}

// parts collects an entry that its wrapper wrote in several pieces.
type parts struct {
	first        Entry
	text         []byte
	line, offset int64
	candidate    bool
}

// entry handles the line block[start:end].
func (r *reader) entry(block []byte, start, end int, here stop) error {
	line := trimEnd(block[start:end])
	offset := r.base + int64(start)
	if offset == 0 {
		line = bytes.TrimPrefix(line, utf8BOM)
	}
	e := Unwrap(line)
	r.wrappers[e.Wrapper]++
	if here.candidate && r.unfinished.holds(block, start, &e) {
		r.joined++
		return nil
	}
	if e.Partial || r.parts[e.partKey()] != nil {
		whole := r.join(e, r.line+1, offset, here.candidate)
		if whole == nil {
			return r.limitParts()
		}
		return r.handle(whole.first, whole.line, whole.offset, whole.candidate, block, start)
	}
	if r.panics.open && e.Wrapper == WrapperNone && len(r.panics.prefix) > 0 {
		if rest, ok := bytes.CutPrefix(line, r.panics.prefix); ok {
			e.Text = rest
		}
	}
	return r.handle(e, r.line+1, offset, here.candidate || here.near, block, start)
}

var utf8BOM = []byte("\xef\xbb\xbf")

func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, newline), []byte{'\r'})
}

func (e *Entry) partKey() string { return e.Origin + "\x00" + e.Stream }

// join adds a piece to its entry and returns the entry when it is whole.
func (r *reader) join(e Entry, line, offset int64, candidate bool) *parts {
	key := e.partKey()
	p := r.parts[key]
	if p == nil {
		p = &parts{first: e, line: line, offset: offset}
		r.parts[key] = p
		r.open = append(r.open, key)
	} else {
		r.joined++
	}
	if len(p.text) < MaxLine {
		p.text = append(p.text, e.Text...)
		r.partial += len(e.Text)
	}
	p.candidate = p.candidate || candidate
	if e.Partial {
		return nil
	}
	r.forget(key, p)
	p.first.Text, p.first.Partial = p.text, false
	if !p.candidate {
		p.candidate = r.matters(p.text)
	}
	return p
}

// matters tells whether the search points into a text.
func (r *reader) matters(text []byte) bool {
	at, _ := r.opts.Search(text).Next(0)
	return at >= 0
}

// forget ends the wait of an entry for its pieces.
func (r *reader) forget(key string, p *parts) {
	delete(r.parts, key)
	r.partial -= len(p.text)
	if at := slices.Index(r.open, key); at >= 0 {
		r.open = slices.Delete(r.open, at, at+1)
	}
}

const (
	// maxParts is how many entries wait for their pieces at the same time, and
	// maxPartial how many bytes these have: whoever writes a log names as many
	// containers as he likes.
	maxParts   = 1000
	maxPartial = 16 << 20
)

// limitParts takes the oldest entries as they are where too many wait.
func (r *reader) limitParts() error {
	for len(r.open) > maxParts || r.partial > maxPartial {
		key := r.open[0]
		p := r.parts[key]
		r.forget(key, p)
		if err := r.asItIs(p); err != nil {
			return err
		}
	}
	return nil
}

// asItIs handles an entry whose last piece did not come.
func (r *reader) asItIs(p *parts) error {
	p.first.Text, p.first.Partial = p.text, false
	p.candidate = p.candidate || r.matters(p.text)
	return r.handle(p.first, p.line, p.offset, p.candidate, nil, 0)
}

// flushParts handles the entries whose last piece never came.
func (r *reader) flushParts() error {
	keys := make([]string, 0, len(r.parts))
	for key := range r.parts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if err := r.asItIs(r.parts[key]); err != nil {
			return err
		}
	}
	clear(r.parts)
	r.open, r.partial = r.open[:0], 0
	return nil
}

// handle takes one unwrapped entry: a line of the open panic, the start of one,
// a record, or something that only passes by.
func (r *reader) handle(e Entry, line, offset int64, candidate bool, block []byte, start int) error {
	if r.panics.open && !StartsPanic(e.Text) {
		if ContinuesPanic(e.Text) {
			r.addTrace(e.Text)
			r.joined++
			return nil
		}
		if r.panics.patience--; r.panics.patience < 0 {
			if err := r.closePanic(); err != nil {
				return err
			}
		}
	}
	if candidate && StartsPanic(e.Text) {
		if err := r.closePanic(); err != nil {
			return err
		}
		r.openPanic(e, line, offset, block, start)
		return nil
	}
	if !candidate {
		return r.dates.pass(&e)
	}
	rec := Parse(e)
	r.dates.resolve(rec, e.Stamp, start)
	return r.send(rec, line, offset)
}

func (r *reader) send(rec *Record, line, offset int64) error {
	if r.unnumbered {
		line = 0
	}
	rec.Line, rec.Offset = line, offset
	return r.dates.send(rec)
}

func (r *reader) openPanic(e Entry, line, offset int64, block []byte, start int) {
	stamp := Record{Stamp: e.Stamp}
	r.dates.resolve(&stamp, e.Stamp, start)
	e.Stamp, e.Text = stamp.Stamp, bytes.Clone(e.Text)
	p := openPanic{open: true, first: e, line: line, offset: offset, start: r.start, patience: maxPatience, inferred: stamp.TimeInferred, arrived: stamp.Arrived}
	if e.Prefix > 0 && block != nil {
		p.prefix = bytes.Clone(block[start : start+e.Prefix])
	}
	r.panics = p
	r.addTrace(e.Text)
}

func (r *reader) addTrace(text []byte) {
	p := &r.panics
	if p.size += len(text); p.size <= maxTrace {
		p.texts = append(p.texts, bytes.Clone(readable(text)))
	}
}

func (r *reader) closePanic() error {
	p := r.panics
	if !p.open {
		return nil
	}
	r.panics = openPanic{}
	rec := ParsePanic(p.texts, p.first)
	rec.TimeInferred, rec.Arrived, rec.Open = p.inferred, p.arrived, r.ended
	return r.send(&rec, p.line, p.offset)
}
