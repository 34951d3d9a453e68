package patterns

import (
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"wklog/parser"
)

// Filter keeps the events that a reader asked for. Zero fields keep all.
type Filter struct {
	Since, Until time.Time
	Severity     Severity
	Patterns     []string
	Causes       []string
}

// Analyzer counts every failure of an input once and keeps what a report
// needs. Its memory does not grow with the number of events of a source that is
// Alone; with several it remembers each dated event by a hash. It is for one
// goroutine.
type Analyzer struct {
	catalogue *Catalogue
	matcher   *Matcher
	ranker    *Ranker
	filter    Filter
	// OnEvent is called for every event that is counted, in the order of
	// reading.
	OnEvent func(*Event)
	// OnStop is called for every end of the server that is none of a TLS failure.
	OnStop func(*Stop)
	// Alone says that there is one source only, so that no record has to be
	// remembered to be known again in another.
	Alone bool
	// Remember is how many records are known again in another source, 0 for
	// all: sources that are followed together repeat each other at once.
	Remember int
	// Node names the node of the cluster that a source is a log of, empty for
	// none. Nil names none.
	Node func(source string) string
	// ByNode counts the failures by node.
	ByNode bool

	tallies map[*Pattern]*tally
	where   where
	single  map[Key][]CauseScore
	context Context
	proofs  []Proof
	odds    Odds

	stops  stops
	starts once // failed starts of version 3

	duplicates   int
	unclassified int
	odd          []Sample

	seed    maphash.Seed
	seen    map[uint64]occurrence
	order   []uint64 // keys of seen, oldest first, where there is a limit
	sources []*Source
	own     []bool // by source: whether it is one of the server's own files
	names   []string
	orphans map[twinKey][]*orphans
	panics  map[twinKey]*waiting
}

// occurrence is how often a record stood in the source that held it most often,
// in few bytes: there is one for each dated event.
type occurrence struct {
	count uint32
	// source is that source's number, doubled, plus one where the record was
	// counted itself and not as the other form of a failure that was counted.
	source uint32
}

func (o occurrence) alone() bool { return o.source&1 == 1 }

func (o occurrence) withAlone(alone bool) occurrence {
	o.source &^= 1
	if alone {
		o.source |= 1
	}
	return o
}

// NewAnalyzer makes an analyzer over a catalogue.
func NewAnalyzer(c *Catalogue, filter Filter) (*Analyzer, error) {
	m, err := c.Matcher()
	if err != nil {
		return nil, err
	}
	r, err := NewRanker()
	if err != nil {
		return nil, err
	}
	return &Analyzer{
		catalogue: c, matcher: m, ranker: r, filter: filter,
		tallies: map[*Pattern]*tally{}, where: newWhere(), single: map[Key][]CauseScore{},
		stops: newStops(), starts: newOnce(),
		seed: maphash.MakeSeed(), seen: map[uint64]occurrence{},
		orphans: map[twinKey][]*orphans{}, panics: map[twinKey]*waiting{},
	}, nil
}

// Source is one log of the input, while it is read.
type Source struct {
	// Copy says that the log holds what another one does: its failures count
	// as duplicates.
	Copy bool

	analyzer *Analyzer
	name     string
	node     string
	number   uint32
	counts   map[uint64]uint32
	waiting  map[twinKey]*waiting
	swept    int64 // the line at which waiting was swept last
	closes   bool
	first    time.Time
	last     time.Time
}

// Source starts a log. Logs that hold the raw handshake lines should come
// before the files that repeat their debug records.
func (a *Analyzer) Source(name string) *Source {
	a.own, a.names = append(a.own, parser.IsOwnLog(name)), append(a.names, name)
	s := &Source{analyzer: a, name: name, node: a.node(name), number: uint32(len(a.own) - 1), counts: map[uint64]uint32{}, waiting: map[twinKey]*waiting{}}
	if a.Remember > 0 {
		a.sources = append(a.sources, s)
	}
	return s
}

// Add takes the next record of the log.
func (s *Source) Add(rec *parser.Record) {
	a := s.analyzer
	if t := rec.Stamp.Time; !t.IsZero() {
		if s.first.IsZero() {
			s.first = t
		}
		s.last = t
	}
	s.closes = s.closes || rec.Kind == parser.KindClose
	a.context.Visible = a.context.Visible || s.closes
	match := a.matcher.Match(rec)
	if match.Verdict == Ignorable && match.Ignored.Context {
		a.context.SilentEnds = true
	}
	if match.Verdict != Matched && match.Verdict != Unclassified {
		s.stop(rec)
		return
	}
	pattern := match.Pattern
	event := &Event{Source: s.name, Record: rec, Pattern: pattern}
	if pattern != nil && (a.OnEvent != nil || a.filter.Causes != nil) {
		event.Causes = a.causesOf(rec, pattern)
	}
	if !a.filter.keeps(event) {
		return
	}
	if s.Copy {
		a.duplicates++
		return
	}
	key, repeated := s.repeats(rec)
	if repeated {
		a.duplicates++
		s.settleTwin(event, key)
		return
	}
	if s.joinsTwin(event) || a.saidBefore(event) {
		a.duplicates++
		return
	}
	if known, ok := a.seen[key]; ok {
		a.seen[key] = known.withAlone(true)
	}
	a.count(event)
	if pattern != nil && a.OnEvent != nil {
		a.OnEvent(event)
	}
}

// repeats tells whether the record stands in an earlier source already, as
// often as it was met in this one. The key is that of the record, 0 for one
// that has no time of its own.
func (s *Source) repeats(rec *parser.Record) (key uint64, is bool) {
	a := s.analyzer
	if a.Alone || rec.Stamp.IsZero() || rec.TimeInferred {
		return 0, false
	}
	var h maphash.Hash
	h.SetSeed(a.seed)
	h.WriteString(rec.Text)
	if !rec.OwnTime {
		h.WriteString(rec.Stamp.Time.UTC().Format(time.RFC3339Nano))
	}
	key = h.Sum64()
	s.counts[key]++
	known := a.seen[key]
	if s.counts[key] <= known.count && s.mayRepeat(a.own[known.source/2], rec) {
		return key, true
	}
	if known.count == 0 {
		a.forget(key)
	}
	a.seen[key] = occurrence{count: s.counts[key], source: 2 * s.number}
	return key, false
}

// forget makes room for a key where the number of them is limited.
func (a *Analyzer) forget(key uint64) {
	if a.Remember == 0 {
		return
	}
	a.order = append(a.order, key)
	if len(a.order) <= a.Remember {
		return
	}
	oldest := a.order[0]
	a.order = a.order[1:]
	delete(a.seen, oldest)
	for _, s := range a.sources {
		delete(s.counts, oldest)
	}
}

// settleTwin takes back one of two events of one failure: a raw handshake line
// of this source was counted, and its debug record turns out to stand in an
// earlier source. If that was counted there, the raw line is kept, since it
// shows the state; otherwise the raw line is a copy.
func (s *Source) settleTwin(e *Event, key uint64) {
	t, ok := twinOf(e.Record)
	if !ok || !t.near || t.first {
		return
	}
	raw := s.waiting[t.key].near(e.Record.Line)
	if raw == nil {
		return
	}
	a := s.analyzer
	a.duplicates++
	known := a.seen[key]
	if !known.alone() {
		a.uncount(raw)
		return
	}
	a.seen[key] = known.withAlone(false)
	e.Source = a.names[known.source/2] // where it was counted
	a.uncount(e)
}

// mayRepeat tells whether an equal record of another source is the same event.
// Times in whole seconds are equal by chance: there one of the two has to be a
// file that the server writes beside its output.
func (s *Source) mayRepeat(own bool, rec *parser.Record) bool {
	return rec.Stamp.Time.Nanosecond() != 0 || s.analyzer.own[s.number] != own
}

// joinsTwin tells whether the other form of the failure was counted already.
func (s *Source) joinsTwin(e *Event) bool {
	t, ok := twinOf(e.Record)
	if !ok {
		return false
	}
	if !t.near {
		return s.analyzer.joinsPanic(t, e)
	}
	w := s.waiting[t.key]
	if t.first {
		if w == nil {
			w = &waiting{first: true}
			s.waiting[t.key] = w
			s.sweep(e.Record.Line)
		}
		w.push(e.Record.Line, e)
		return false
	}
	if w.near(e.Record.Line) != nil {
		return true
	}
	return s.adopts(t.key, e.Time())
}

// adopts gives a debug record to a raw line of another log of the same node.
func (s *Source) adopts(key twinKey, at time.Time) bool {
	list := s.analyzer.orphans[key]
	for i, o := range list {
		if o.node != "" && s.node != "" && o.node != s.node || !o.covers(at) {
			continue
		}
		if o.count--; o.count == 0 {
			s.analyzer.orphans[key] = slices.Delete(list, i, i+1)
		}
		return true
	}
	return false
}

// sweep gives up raw lines that no debug record can follow any more, where no
// other source may hold it: their errors name clients, so there may be any
// number of them.
func (s *Source) sweep(line int64) {
	const many = 1000
	if len(s.waiting) < many || !s.analyzer.Alone && s.analyzer.Remember == 0 || line-s.swept < nearLines {
		return
	}
	s.swept = line
	for key, w := range s.waiting {
		if len(w.lines) == 0 || w.lines[len(w.lines)-1] < line-nearLines {
			delete(s.waiting, key)
		}
	}
}

// joinsPanic pairs the forms of a failure that ends the process; they may come
// in any order and from different streams. The form that carries more is kept.
func (a *Analyzer) joinsPanic(t twin, e *Event) bool {
	w := a.panics[t.key]
	if w == nil {
		w = &waiting{first: t.first}
		a.panics[t.key] = w
	}
	if len(w.events) == 0 || w.first == t.first {
		w.first = t.first
		w.push(e.Record.Line, e)
		return false
	}
	counted := w.pop()
	if t.first && counted.Pattern != e.Pattern {
		a.uncount(counted)
		a.count(e)
	}
	return true
}

// End finishes the log: raw handshake lines that met no debug record may find
// theirs in another file.
func (s *Source) End() {
	if s.closes {
		return
	}
	for key, w := range s.waiting {
		if w.total == 0 {
			continue
		}
		o := &orphans{node: s.node, count: w.total, first: s.first, last: s.last}
		s.analyzer.orphans[key] = append(s.analyzer.orphans[key], o)
	}
}

// causesOf ranks the causes of one record alone.
func (a *Analyzer) causesOf(rec *parser.Record, p *Pattern) []CauseScore {
	if !p.Measured {
		return p.Causes
	}
	key := KeyOf(rec, p)
	scores, ok := a.single[key]
	if !ok {
		scores = a.ranker.Rank(map[Key]int{key: 1}, Context{}, nil)
		a.single[key] = scores
	}
	return scores
}

func (f *Filter) keepsTime(t time.Time) bool {
	return t.IsZero() || (f.Since.IsZero() || !t.Before(f.Since)) && (f.Until.IsZero() || !t.After(f.Until))
}

func (f *Filter) keeps(e *Event) bool {
	if !f.keepsTime(e.Time()) {
		return false
	}
	if e.Pattern == nil {
		return f.Severity == "" && f.Patterns == nil && f.Causes == nil
	}
	return e.Pattern.Severity.Rank() >= f.Severity.Rank() &&
		(f.Patterns == nil || containsFold(f.Patterns, e.Pattern.ID)) &&
		(f.Causes == nil || e.hasCause(f.Causes))
}

func (e *Event) hasCause(ids []string) bool {
	for _, cause := range e.Causes {
		if containsFold(ids, cause.ID) {
			return true
		}
	}
	return false
}

func containsFold(list []string, s string) bool {
	for _, item := range list {
		if strings.EqualFold(item, s) {
			return true
		}
	}
	return false
}
