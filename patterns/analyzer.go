package patterns

import (
	"strings"
	"time"

	"wklog/parser"
	"wklog/patterns/internal/ranking"
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
	ranker    *ranking.Ranker
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
	single  map[ranking.Key][]CauseScore
	context ranking.Context
	proofs  []Proof
	odds    ranking.Odds

	stops  stops
	starts once // failed starts of version 3

	duplicates   int
	unclassified int
	odd          []Sample

	again *again
}

// NewAnalyzer makes an analyzer over a catalogue.
func NewAnalyzer(c *Catalogue, filter Filter) (*Analyzer, error) {
	m, err := c.Matcher()
	if err != nil {
		return nil, err
	}
	r, err := ranking.Load()
	if err != nil {
		return nil, err
	}
	return &Analyzer{
		catalogue: c, matcher: m, ranker: r, filter: filter,
		tallies: map[*Pattern]*tally{}, where: newWhere(), single: map[ranking.Key][]CauseScore{},
		again: newAgain(), stops: newStops(), starts: newOnce(),
	}, nil
}

// Source is one log of the input, while it is read.
type Source struct {
	// Copy says that the log holds what another one does: its failures count
	// as duplicates.
	Copy bool

	analyzer *Analyzer
	name     string
	told     *retold

	neighbour neighbour
	chain     chain
}

// Source starts a log. Logs that hold the raw handshake lines should come
// before the files that repeat their debug records.
func (a *Analyzer) Source(name string) *Source {
	return &Source{analyzer: a, name: name, told: a.again.log(name, a.node(name))}
}

// Add takes the next record of the log.
func (s *Source) Add(rec *parser.Record) {
	a := s.analyzer
	s.told.pass(rec)
	a.context.Visible = a.context.Visible || s.told.closes
	match := a.matcher.Match(rec)
	if match.Verdict == Ignorable && match.Ignored.Again {
		var done bool
		if match, done = s.again(rec); done {
			return
		}
	}
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
	s.timeOf(event)
	a.again.alone, a.again.remember = a.Alone, a.Remember
	v := s.told.meet(event)
	if v.takeBack != nil {
		a.uncount(v.takeBack)
		if v.instead {
			a.count(event)
		} else {
			a.duplicates++
		}
	}
	known := v.known || a.saidBefore(event)
	s.chain.begin(event, !known)
	if known {
		a.duplicates++
		return
	}
	a.count(event)
	if pattern != nil && a.OnEvent != nil {
		a.OnEvent(event)
	}
}

// End finishes the log: raw handshake lines that met no debug record may find
// theirs in another file.
func (s *Source) End() { s.told.end() }

// causesOf ranks the causes of one record alone.
func (a *Analyzer) causesOf(rec *parser.Record, p *Pattern) []CauseScore {
	if !p.Measured {
		return p.Causes
	}
	key := ranking.KeyOf(rec, p.ID)
	scores, ok := a.single[key]
	if !ok {
		scores = a.ranker.Rank(map[ranking.Key]int{key: 1}, ranking.Context{}, nil)
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
