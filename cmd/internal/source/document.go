package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"time"

	"wklog/cmd/internal/source/engine"
	"wklog/parser"
)

// documents begin like this: Loki's answers, what is cut out of them, and what Grafana
// downloads. A program's own records may begin with the same names, and not go on so.
var documents = regexp.MustCompile(`^\x{FEFF}?\s*(?:` +
	`\{\s*"status"\s*:\s*"success"\s*,\s*"data"\s*:\s*\{|` +
	`\{\s*"data"\s*:\s*\{\s*"(?:encodingFlags|result|resultType|stats)"|` +
	`\{\s*"streams"\s*:\s*\[|` +
	`(?:\[\s*)?\{\s*"stream"\s*:\s*\{|` +
	`\[\s*\{(?s:[^{]*|\s*"date"\s*:\s*"[^"]*"\s*,\s*"fields"\s*:\s*\{[^}]*\}\s*,\s*)"line"\s*:\s*")`)

// holdSize is how many bytes of text are held at once to be put in the order of time,
// and overlap how many of the last entries of a stream are held back for the next ones,
// at most: there a pause is looked for, so that no failure is taken apart. One of enough
// is as good as a longer one.
const (
	holdSize = 2 << 20
	overlap  = 200
	enough   = 2 * time.Second
)

// document reads a document of entries as logs, one for each stream. The entries of a
// stream are put into the order of time as far as they are held at once: a larger document
// that is newest first is read in parts, each in its order, the newest part first.
func (w *walker) document(log *Log) error {
	err := newStreams(w, log).read(log.Reader)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// streams are those of a document.
type streams struct {
	walker *walker
	log    *Log
	size   int
	// logName names the log of a stream.
	logName func(log string, l *parser.Labels) string
	sets    map[parser.Labels]int // numbers of labels
	labels  []labelled
	named   map[string]*stream
	list    []*stream

	text, spare []byte
	held        int // entries
}

func newStreams(w *walker, log *Log) *streams {
	return &streams{walker: w, log: log, size: holdSize, logName: nameOfOrigin, sets: map[parser.Labels]int{}, named: map[string]*stream{}}
}

func (s *streams) read(document io.Reader) error {
	err := engine.Read(document, s.add)
	err = cmp.Or(s.flush(true), err)
	if err == nil && len(s.list) == 0 {
		return s.walker.visitor.Read(&Log{Name: s.log.Name, Modified: s.log.Modified, Reader: bytes.NewReader(nil)})
	}
	return err
}

// labelled are labels as they are printed, with the stream that they are of.
type labelled struct {
	json   []byte
	stream *stream
}

// stream holds the entries of one writer.
type stream struct {
	name    string
	entries []held
	begun   bool
	wrote   *Wrote // nil where it is not known
}

// held is an entry whose text stands in the text of all.
type held struct {
	at       int64 // nanoseconds since 1970, 0 for none
	from, to int
	labels   int
	number   int
}

// add holds an entry.
func (s *streams) add(e *engine.Entry) error {
	if err := s.walker.ctx.Err(); err != nil {
		return err
	}
	labels, ok := s.sets[*e.Labels]
	if !ok {
		labels = len(s.labels)
		s.sets[*e.Labels] = labels
		s.labels = append(s.labels, labelled{e.Labels.JSON(), s.of(e.Labels)})
	}
	from := len(s.text)
	s.text = appendText(s.text, e.Text)
	h := held{from: from, to: len(s.text), labels: labels, number: s.held}
	if !e.Time.IsZero() {
		h.at = e.Time.UnixNano()
	}
	s.held++
	of := s.labels[labels].stream
	of.entries = append(of.entries, h)
	const perEntry = 48
	if len(s.text)+perEntry*s.held < s.size {
		return nil
	}
	return s.flush(false)
}

// maxStreams is how many streams of a document are told apart: the others are read as one.
const maxStreams = 1000

func (s *streams) of(l *parser.Labels) *stream {
	name := s.logName(s.log.Name, l)
	if s.named[name] == nil && len(s.named) >= maxStreams {
		name = s.log.Name
	}
	of := s.named[name]
	if of == nil {
		of = &stream{name: parser.Readable(name)}
		s.named[name] = of
		s.list = append(s.list, of)
	}
	return of
}

// nameOfOrigin names the log of a stream as a member of the document.
func nameOfOrigin(log string, l *parser.Labels) string {
	if origin := l.Origin(); origin != "" {
		return log + "!" + origin
	}
	return log
}

// appendText adds a text as it is printed. Letters that are escaped, as some programs do
// with all that is not English, would not be found.
func appendText(text, printed []byte) []byte {
	if !bytes.Contains(printed, []byte(`\u`)) {
		return append(text, printed...)
	}
	b := bytes.NewBuffer(text)
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(parser.Unquote(printed)); err != nil { // of a string there is none
		return append(text, printed...)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// flush hands out what is held, as logs in the order of time: those that servers write
// themselves last, as they repeat a part of the others.
func (s *streams) flush(all bool) error {
	kept := map[*stream][]held{}
	if !all {
		kept = s.keepBack()
	}
	list := slices.Clone(s.list)
	slices.SortFunc(list, func(a, b *stream) int {
		return cmp.Or(order(a.name)-order(b.name), cmp.Compare(a.name, b.name))
	})
	var failed error
	for _, of := range list {
		if len(of.entries) == 0 {
			continue
		}
		sortByTime(of.entries)
		err := s.walker.visitor.Read(&Log{
			Name: of.name, Size: -1, Modified: s.log.Modified, Reader: &entryLines{of: s, entries: of.entries}, More: of.begun, Asked: s.log.Asked,
		})
		of.begun = true
		failed = cmp.Or(failed, err)
	}
	s.rest(kept)
	return failed
}

// ends hands out when the streams were written to, and those that had no entry, which are
// healthy.
func (s *streams) ends() error {
	var failed error
	for _, of := range s.list {
		if !of.begun || of.wrote != nil {
			failed = cmp.Or(failed, s.walker.visitor.Read(&Log{Name: of.name, Size: -1, Reader: bytes.NewReader(nil), Asked: s.log.Asked, More: of.begun, Wrote: of.wrote}))
		}
	}
	return failed
}

// wrote notes when a stream was written to.
func (s *streams) wrote(w engine.Wrote) {
	of := s.of(&w.Labels)
	if of.wrote == nil {
		of.wrote = &Wrote{}
	}
	of.wrote.add(&w)
}

// touched tells whether any stream had an entry.
func (s *streams) touched() bool {
	return slices.ContainsFunc(s.list, func(of *stream) bool { return of.begun })
}

// rest goes on with what was kept back.
func (s *streams) rest(kept map[*stream][]held) {
	text := s.text
	s.text, s.held = s.spare[:0], 0
	for _, of := range s.list {
		of.entries = of.entries[:0:0]
		for _, h := range kept[of] {
			from := len(s.text)
			s.text = append(s.text, text[h.from:h.to]...)
			h.from, h.to, h.number = from, len(s.text), s.held
			s.held++
			of.entries = append(of.entries, h)
		}
	}
	s.spare = text
}

// keepBack takes the last entries of each stream out, from the last pause that is enough,
// or the longest among them.
// Where many streams would keep back most of what is held, nothing is.
func (s *streams) keepBack() map[*stream][]held {
	kept, size := map[*stream][]held{}, 0
	for _, of := range s.list {
		from, pause := len(of.entries), int64(-1)
		for i := len(of.entries) - 1; i > 0 && i >= len(of.entries)-overlap && pause < int64(enough); i-- {
			if gap := distance(of.entries[i-1].at, of.entries[i].at); gap > pause {
				from, pause = i, gap
			}
		}
		kept[of] = of.entries[from:]
		for _, h := range kept[of] {
			size += h.to - h.from
		}
	}
	if size > s.size/2 {
		return nil
	}
	for of, last := range kept {
		of.entries = of.entries[:len(of.entries)-len(last)]
	}
	return kept
}

func distance(a, b int64) int64 { return max(a-b, b-a) }

// sortByTime puts entries into the order of time. Those of one time keep their order, or
// the opposite one where the document is newest first; those without a time stay behind
// the entry before them.
func sortByTime(entries []held) {
	falls, last := 0, int64(0)
	for i := range entries {
		if entries[i].at == 0 {
			entries[i].at = last
		}
		switch at := entries[i].at; {
		case i > 0 && at < last:
			falls++
		case i > 0 && at > last:
			falls--
		}
		last = entries[i].at
	}
	if falls > 0 {
		slices.Reverse(entries)
	}
	slices.SortStableFunc(entries, func(a, b held) int { return cmp.Compare(a.at, b.at) })
}

// entryLines gives entries as lines of JSON, which the parser takes apart again.
type entryLines struct {
	of      *streams
	entries []held
	rest    []byte
	buf     []byte
}

// Read fills p: the parser takes longer over each part that is read.
func (l *entryLines) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(l.rest) == 0 && !l.next() {
			break
		}
		copied := copy(p[n:], l.rest)
		l.rest = l.rest[copied:]
		n += copied
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// next writes the line of the next entry.
func (l *entryLines) next() bool {
	if len(l.entries) == 0 || l.of.walker.ctx.Err() != nil {
		return false
	}
	e := l.entries[0]
	l.entries = l.entries[1:]
	b := append(l.buf[:0], `{"labels":`...)
	b = append(b, l.of.labels[e.labels].json...)
	if e.at != 0 {
		b = time.Unix(0, e.at).UTC().AppendFormat(append(b, `,"timestamp":"`...), "2006-01-02T15:04:05.000000000Z07:00")
		b = append(b, '"')
	}
	b = append(append(b, `,"line":`...), l.of.text[e.from:e.to]...)
	l.buf = append(b, '}', '\n')
	l.rest = l.buf
	return true
}
