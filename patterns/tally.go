package patterns

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"wklog/parser"
	"wklog/patterns/internal/ranking"
)

// maxSamples is how many different samples of a finding are kept.
const maxSamples = 3

// Sample is one record as it stood in the log.
type Sample struct {
	Source string
	Line   int64
	Time   time.Time
	// TimeInferred says that the time is a neighbour's or that of the arrival.
	TimeInferred bool
	Text         string
	// Subject is what the record says, without the form around it.
	Subject string
	// Words are those of the record that are somebody's own.
	Words []parser.Word
}

// tally collects the events of one pattern.
type tally struct {
	count    int
	span     Span
	sources  map[string]int
	samples  []Sample
	keys     map[ranking.Key]int
	programs map[Program]int
	timeline Timeline
	// untimed counts the events whose time is not known, arrived those that have
	// the time of their arrival.
	untimed, arrived int
}

func (a *Analyzer) count(e *Event) {
	sample := Sample{Source: e.Source, Line: e.Record.Line, Time: e.Time(), TimeInferred: e.Record.TimeInferred, Text: e.Record.Text, Subject: e.Record.Subject()}
	if e.Pattern == nil {
		a.unclassified++
		a.odd = keepSample(a.odd, sample, e.Record)
		return
	}
	t := a.tallies[e.Pattern]
	if t == nil {
		t = &tally{keys: map[ranking.Key]int{}, programs: map[Program]int{}, sources: map[string]int{}}
		a.tallies[e.Pattern] = t
	}
	t.count++
	t.programs[e.Program]++
	a.facts.ofFailure(e)
	t.keys[ranking.KeyOf(e.Record, e.Pattern.ID)]++
	t.samples = keepSample(t.samples, sample, e.Record)
	t.sources[e.Source]++
	t.span.Add(e.known())
	if at := e.known(); !at.IsZero() {
		t.timeline.Add(at)
	} else {
		t.untimed++
	}
	if e.held() {
		e.neighbour.held[e.Pattern]++
	}
	if e.arrived() {
		t.arrived++
	}
	a.noteNode(e)
	a.where.add(e, a.nodeOf(e.Source, e.Record.Node))
	a.sights.add(e)
}

// uncount takes back an event that turned out to be the lesser form of another.
func (a *Analyzer) uncount(e *Event) {
	t := a.tallies[e.Pattern]
	if t == nil {
		a.unclassified--
		return
	}
	a.where.remove(e, a.nodeOf(e.Source, e.Record.Node))
	a.sights.remove(e)
	t.count--
	t.programs[e.Program]--
	key := ranking.KeyOf(e.Record, e.Pattern.ID)
	if t.keys[key]--; t.keys[key] == 0 {
		delete(t.keys, key)
	}
	if t.sources[e.Source]--; t.sources[e.Source] == 0 {
		delete(t.sources, e.Source)
	}
	if at := e.known(); !at.IsZero() {
		t.timeline.Remove(at)
	} else {
		t.untimed--
	}
	if e.held() {
		e.neighbour.held[e.Pattern]--
	}
	if e.arrived() {
		t.arrived--
	}
	if t.count == 0 {
		delete(a.tallies, e.Pattern)
	}
}

// nodeOf is the node that a failure is counted for, of a source and of the node that
// its record names, if any.
func (a *Analyzer) nodeOf(source, named string) string {
	if !a.ByNode {
		return ""
	}
	return a.node(source, named)
}

func (a *Analyzer) node(source, named string) string {
	if a.Node == nil || named != "" && !a.NodeGiven {
		return named
	}
	return cmp.Or(a.Node(source), named)
}

// maxNamed is how many nodes are told apart by what records name: whoever writes a log
// names as many as he likes.
const maxNamed = 1000

// toldApart is the node that a record names, empty for those beyond the bound.
func (a *Analyzer) toldApart(named string) string {
	if named == "" || a.named[named] {
		return named
	}
	if len(a.named) >= maxNamed {
		return ""
	}
	a.named[strings.Clone(named)] = true
	return named
}

// noteNode keeps which node a source is of, empty for several.
func (a *Analyzer) noteNode(e *Event) {
	node := a.node(e.Source, e.Record.Node)
	if known, ok := a.sourceNodes[e.Source]; ok && known != node {
		node = ""
	}
	a.sourceNodes[e.Source] = node
}

// keepSample keeps the first samples of different texts.
func keepSample(samples []Sample, s Sample, of *parser.Record) []Sample {
	if len(samples) >= maxSamples ||
		slices.ContainsFunc(samples, func(kept Sample) bool { return kept.Text == s.Text }) {
		return samples
	}
	const longest = 4096
	if len(s.Text) > longest {
		s.Text = s.Text[:longest] + "…"
	}
	s.Words = of.Words()
	return append(samples, s)
}
