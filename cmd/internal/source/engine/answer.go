package engine

import (
	"errors"
	"io"
	"strconv"
	"time"

	"wklog/parser"
)

// Entry is one entry of an answer.
type Entry struct {
	// Labels tell who wrote it. Entries of one stream share them.
	Labels *parser.Labels
	// Time is zero where it has none that can be read.
	Time time.Time
	// Text is what was logged, as a string of JSON with its quotes, at most
	// parser.MaxLine bytes. It is valid until emit returns.
	Text []byte
	// Stream chooses the stream that the entry is of, empty where the document does not
	// say it: its own labels as Prometheus writes them.
	Stream string
}

// Read reads the entries of JSON documents, one after the other, and hands each to emit.
// These are the answer of Loki's query_range, with the labels of single entries too
// (https://grafana.com/docs/loki/latest/reference/loki-http-api/), its streams alone, what
// its push endpoint takes, and what Grafana downloads as JSON
// (public/app/features/logs/utils.ts, logRowsToReadableJson):
//
//	{"status":"success","data":{"resultType":"streams","result":[{"stream":{…},"values":[["NS","text"],…]},…]}}
//	{"streams":[{"stream":{…},"values":[["NS","text",{…}],…]},…]}
//	[{"line":"text","timestamp":"NS","date":"…","fields":{…}},…]
//
// Memory does not grow with the document. What came before an error was handed out; the
// error is ErrCut, a SyntaxError, that of the reader, or of emit.
func Read(r io.Reader, emit func(*Entry) error) error {
	return (&answer{tokens: newTokens(r), emit: emit}).documents()
}

func (a *answer) documents() error {
	if head, err := a.r.Peek(3); err == nil && string(head) == "\xef\xbb\xbf" {
		_, _ = a.r.Discard(3)
	}
	for {
		c, err := a.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := a.value(c, 0); err != nil {
			return err
		}
	}
}

type answer struct {
	*tokens
	emit func(*Entry) error
	kept []byte // the text of the present entry
	// writer is what the labels of an entry begin with.
	writer parser.Labels
	// set are the labels of the present stream, nil while none is read.
	set map[string]string
	// scanned is how many bytes the engine says it looked at.
	scanned int64
}

// value looks for entries in the value that begins with a byte.
func (a *answer) value(first byte, depth int) error {
	switch {
	case depth >= deepest:
		return a.skip(first)
	case first == '{':
		return a.object(depth)
	case first == '[':
		for {
			c, err := a.must()
			if err != nil {
				return err
			}
			if c == ']' {
				return nil
			}
			if err := a.value(c, depth+1); err != nil {
				return err
			}
		}
	}
	return a.skip(first)
}

// row is an entry that is an object.
type row struct {
	labels parser.Labels
	stream string
	time   time.Time
	text   []byte
}

// object reads an object: of a stream, of an entry, or of what holds them.
func (a *answer) object(depth int) error {
	of := row{labels: a.writer}
	for {
		c, err := a.must()
		if err != nil {
			return err
		}
		if c == '}' {
			break
		}
		if c != '"' {
			return a.damaged()
		}
		key, err := a.str()
		if err != nil {
			return err
		}
		name := string(key[1 : len(key)-1])
		if c, err = a.must(); err != nil {
			return err
		}
		if err := a.member(&of, name, c, depth); err != nil {
			return err
		}
	}
	if of.text == nil {
		return nil
	}
	return a.emit(&Entry{Labels: &of.labels, Time: of.time, Text: of.text})
}

func (a *answer) member(of *row, name string, first byte, depth int) error {
	switch {
	case first == '{' && name == "stream":
		a.set = map[string]string{}
		err := a.labels(&of.labels, depth+1)
		of.stream, a.set = selectorFor(a.set), nil
		return err
	case first == '{' && (name == "labels" || name == "fields"):
		return a.labels(&of.labels, depth+1)
	case first == '[' && name == "values":
		return a.values(of, depth+1)
	case first == '"' && name == "line":
		text, err := a.str()
		of.text = append([]byte(nil), text...)
		return err
	case name == "totalBytesProcessed" && begins(first):
		number, err := a.scalar(first)
		if n, wrong := strconv.ParseFloat(string(number), 64); wrong == nil && n > 0 {
			a.scanned += int64(n)
		}
		return err
	case name == "timestamp" || name == "date":
		at, err := a.time(first)
		if !at.IsZero() && (of.time.IsZero() || name == "timestamp") { // the date has milliseconds
			of.time = at
		}
		return err
	}
	return a.value(first, depth+1)
}

// labels reads an object of labels, and those in it.
func (a *answer) labels(to *parser.Labels, depth int) error {
	for {
		c, err := a.must()
		if err != nil || c == '}' {
			return err
		}
		if c != '"' {
			return a.damaged()
		}
		key, err := a.str()
		if err != nil {
			return err
		}
		name := parser.Unquote(key)
		if c, err = a.must(); err != nil {
			return err
		}
		switch {
		case c == '"':
			var value []byte
			if value, err = a.str(); err == nil {
				text := parser.Unquote(value)
				to.Add(name, text)
				if a.set != nil {
					a.set[name] = text
				}
			}
		case c == '{' && depth < deepest && name != "parsed":
			err = a.labels(to, depth+1)
		default:
			err = a.skip(c)
		}
		if err != nil {
			return err
		}
	}
}

// values reads the entries of a stream.
func (a *answer) values(of *row, depth int) error {
	shared := of.labels
	for {
		c, err := a.must()
		if err != nil || c == ']' {
			return err
		}
		if c != '[' {
			err = a.skip(c)
		} else {
			err = a.pair(&shared, of.stream, depth+1)
		}
		if err != nil {
			return err
		}
	}
}

// pair reads a time, a text, and the labels of the entry alone, which are rare: they
// stand behind the text. Where the time is a number it is a value of a metric.
func (a *answer) pair(shared *parser.Labels, stream string, depth int) error {
	e, dated := Entry{Labels: shared, Stream: stream}, false
	for at := 0; ; at++ {
		c, err := a.must()
		if err != nil {
			return err
		}
		switch {
		case c == ']':
			if e.Text == nil {
				return nil
			}
			return a.emit(&e)
		case at == 0 && c == '"':
			dated = true
			e.Time, err = a.time(c)
		case at == 1 && c == '"' && dated:
			var text []byte
			text, err = a.str()
			e.Text = append(a.kept[:0], text...)
			a.kept = e.Text
		case at == 2 && c == '{':
			own := *shared
			if err = a.labels(&own, depth); err == nil && own != *shared {
				e.Labels = &own
			}
		default:
			err = a.skip(c)
		}
		if err != nil {
			return err
		}
	}
}

// time reads nanoseconds since 1970, as a string or a number, or a date.
func (a *answer) time(first byte) (time.Time, error) {
	switch {
	case first == '"':
		text, err := a.str()
		if err != nil {
			return time.Time{}, err
		}
		return timeOf(string(text[1 : len(text)-1])), nil
	case begins(first):
		text, err := a.scalar(first)
		if err != nil {
			return time.Time{}, err
		}
		return timeOf(string(text)), nil
	}
	return time.Time{}, a.skip(first)
}

func timeOf(text string) time.Time {
	if ns, err := strconv.ParseInt(text, 10, 64); err == nil && ns > 0 {
		return time.Unix(0, ns)
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
