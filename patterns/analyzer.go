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
	// none. Nil names none. Where a record names its node itself (a pod, a label) that
	// counts, unless NodeGiven says that the user told how nodes are named; a container
	// counts where its log is of no node.
	Node      func(source string) string
	NodeGiven bool
	// Nameless leaves the catalogue's names in commands: the user's own are not to be
	// shown.
	Nameless bool
	// ByNode counts the failures by node.
	ByNode bool

	tallies  map[*Pattern]*tally
	programs programs
	facts    facts
	where    where
	sights   sightings
	single   map[ranking.Key][]CauseScore
	context  ranking.Context
	// near is what stands near the failures of each log.
	near map[string]*surroundings
	// sourceNodes are the nodes that each log is of, empty for several.
	sourceNodes map[string]string
	// named are the nodes that records name.
	named map[string]bool
	// passed is when each log was written to.
	passed map[string]parser.Traffic
	// recalled says that an earlier run saw some of the sightings.
	recalled bool
	proofs   []Proof
	odds     ranking.Odds

	checks checks
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
		tallies: map[*Pattern]*tally{}, programs: newPrograms(c), facts: newFacts(c), where: newWhere(), sights: newSightings(),
		single: map[ranking.Key][]CauseScore{}, near: map[string]*surroundings{}, passed: map[string]parser.Traffic{},
		sourceNodes: map[string]string{}, named: map[string]bool{},
		again: newAgain(), checks: newChecks(), stops: newStops(), starts: newOnce(),
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
	near     *surroundings

	neighbour neighbour
	// heard are the newest failures of each container, oldest first.
	heard map[string][]*heard
}

// Source starts a log. Logs that hold the raw handshake lines should come
// before the files that repeat their debug records.
func (a *Analyzer) Source(name string) *Source {
	if a.near[name] == nil {
		a.near[name] = &surroundings{}
	}
	return &Source{analyzer: a, name: name, told: a.again.log(name, a.homeOf(name)), near: a.near[name]}
}

// Add takes the next record of the log.
func (s *Source) Add(rec *parser.Record) {
	a := s.analyzer
	if rec.Node = a.toldApart(rec.Node); rec.NodeBy == parser.ByContainer && s.told.home.log != "" {
		rec.Node = ""
	}
	s.told.pass(rec)
	if s.told.closes && !s.near.visible {
		s.near.visible, a.context.Visible = true, true
	}
	match := a.matcher.Match(rec)
	if match.Verdict == Ignorable && match.Ignored.Context {
		a.context.SilentEnds = true
		s.near.quiet.add(rec.Stamp.Time)
	}
	if match.Verdict != Matched && match.Verdict != Unclassified {
		a.facts.ofStart(s.name, rec)
		s.stop(rec)
		return
	}
	pattern := match.Pattern
	event := &Event{Source: s.name, Record: rec, Pattern: pattern}
	event.Program = a.programs.of(event)
	if pattern != nil && (a.OnEvent != nil || a.filter.Causes != nil) {
		event.Causes = a.causesOf(rec, pattern)
	}
	if !a.filter.keeps(event) && !a.filter.keeps(a.asCheck(event)) {
		return
	}
	if s.Copy {
		a.duplicates++
		return
	}
	if s.isEcho(event) {
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
	if v.known || a.saidBefore(event) {
		a.duplicates++
		s.hear(event, false)
		return
	}
	s.hear(a.take(event), true)
}

// take counts an event that was not told before. Health checks are known as such
// after some of them: those before are counted as checks then, too. It returns the
// event as it was counted.
func (a *Analyzer) take(e *Event) *Event {
	is, before := a.checks.meet(e)
	for _, earlier := range before {
		if a.filter.keeps(earlier) {
			a.uncount(earlier)
		}
		if check := a.asCheck(earlier); a.filter.keeps(check) {
			a.count(check)
		}
	}
	if is {
		e = a.asCheck(e)
	}
	if !a.filter.keeps(e) {
		return e
	}
	a.count(e)
	if e.Pattern != nil && a.OnEvent != nil {
		a.OnEvent(e)
	}
	return e
}

// asCheck is the event as the health check that it may be, the same for one that may
// be none.
func (a *Analyzer) asCheck(e *Event) *Event {
	if e.Pattern == nil || e.Pattern.Steady == "" {
		return e
	}
	pattern := a.catalogue.Pattern(e.Pattern.Steady)
	if pattern == nil {
		return e // in a catalogue of the user's, where lint tells it
	}
	check := *e
	check.Pattern, check.Causes = pattern, pattern.Causes
	return &check
}

// Traffic tells when the log was written to, so far: without, a long silence says nothing
// of whether a fault is over.
func (s *Source) Traffic(t parser.Traffic) { s.analyzer.Traffic(s.name, t) }

// Traffic tells it of a log by its name.
func (a *Analyzer) Traffic(source string, t parser.Traffic) { a.passed[source] = t }

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
