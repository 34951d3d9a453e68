package patterns

import (
	"regexp"
	"slices"
	"sync"
	"time"

	"wklog/parser"
)

// Echo is how a program tells a failure again in further lines: the causes in a stack
// trace, the error in a log and its trace behind it, a number and then its name. Such
// a line is a failure of its own where none stands before it.
type Echo struct {
	ID    string   `yaml:"id"`
	Match []Clause `yaml:"match"`
	// Of is an expression for the text of the failure that is told again; empty for
	// any that does not match the echo itself.
	Of string `yaml:"of"`
	// Lines is how far behind the failure, or behind the echo before it, it may stand.
	Lines int64 `yaml:"lines"`
	// Chain says that there may be several, each of which may know the failure better;
	// otherwise one follows, of the same pattern.
	Chain bool `yaml:"chain"`
	// As is the id of a pattern without conditions, where the echo is a failure of a
	// connection of its own, which comes of the first; empty where it is the same one.
	As         string   `yaml:"as"`
	Reason     Text     `yaml:"reason"`
	References []string `yaml:"references"`
	// Samples are texts of several lines that tell of one failure each, and Misses
	// those that tell of several.
	Samples []string `yaml:"samples"`
	Misses  []string `yaml:"misses"`
}

const (
	// echoDelay is how much later than its failure an echo may come.
	echoDelay = 2 * time.Second
	// mostHeard is how many failures of a container an echo may belong to, and
	// mostOrigins how many containers of a log are told apart.
	mostHeard   = 8
	mostOrigins = 1000
)

// echo is an entry made ready.
type echo struct {
	*Echo
	rules []*rule
	once  sync.Once
	of    *regexp.Regexp
}

func newEchoes(list []*Echo) []*echo {
	var all []*echo
	for _, entry := range list {
		e := &echo{Echo: entry}
		for i := range entry.Match {
			e.rules = append(e.rules, &rule{clause: &entry.Match[i]})
		}
		all = append(all, e)
	}
	return all
}

func (e *echo) matches(rec *parser.Record) bool {
	return slices.ContainsFunc(e.rules, func(r *rule) bool {
		if r.clause.Kinds != nil && !slices.Contains(r.clause.Kinds, string(rec.Kind)) {
			return false
		}
		_, ok := r.matches(rec, rec.Subject(), parser.UnknownDirection)
		return ok
	})
}

// isOf tells whether a failure may be told again so.
func (e *echo) isOf(rec *parser.Record) bool {
	if e.Of == "" {
		return e.Chain || !e.matches(rec)
	}
	e.once.Do(func() { e.of = regexp.MustCompile(e.Of) })
	return e.of.MatchString(rec.Subject())
}

// heard is a failure that was counted, or known to have been told before, and where
// it was told last.
type heard struct {
	event   *Event
	counted bool
	line    int64
	told    []*echo
}

// near tells whether a record stands near enough to tell the failure again.
func (h *heard) near(rec *parser.Record, lines int64) bool {
	if rec.Line-h.line > lines || rec.Line < h.line {
		return false
	}
	if mine, ok := client(&Event{Record: rec}); ok {
		if its, known := client(h.event); known && its != mine {
			return false
		}
	}
	first, now := ownTime(h.event), rec.Stamp.Time
	return first.IsZero() || rec.TimeInferred || now.IsZero() || now.Sub(first).Abs() <= echoDelay
}

// isEcho tells whether an event only tells a failure again. It gives the pattern to one
// that is a failure of its own and comes of another.
func (s *Source) isEcho(e *Event) bool {
	failure, of := s.echoOf(e.Record, e.Pattern)
	if failure == nil {
		return false
	}
	as := s.analyzer.catalogue.Pattern(of.As)
	if as == nil {
		s.echo(failure, of, e)
		return true
	}
	e.Pattern, e.Causes = as, as.Causes
	failure.told = append(failure.told, of)
	return false
}

// echoOf finds the failure that a record tells again, nil for none.
func (s *Source) echoOf(rec *parser.Record, pattern *Pattern) (failure *heard, of *echo) {
	list := s.heard[rec.Origin]
	if len(list) == 0 {
		return nil, nil
	}
	for _, e := range s.analyzer.matcher.echoes {
		if !e.matches(rec) {
			continue
		}
		for _, h := range slices.Backward(list) {
			same := e.Chain || e.As != "" || h.event.Pattern == pattern || h.event.Pattern == nil || pattern == nil
			if same && (e.Chain || !slices.Contains(h.told, e)) && h.near(rec, e.Lines) && e.isOf(h.event.Record) {
				return h, e
			}
		}
	}
	return nil, nil
}

// hear notes a failure that may be told again.
func (s *Source) hear(e *Event, counted bool) {
	if len(s.analyzer.matcher.echoes) == 0 || e.Record.Kind == parser.KindHandshake || e.Record.Kind == parser.KindClose {
		return
	}
	if s.heard == nil || len(s.heard) > mostOrigins {
		s.heard = map[string][]*heard{}
	}
	list := append(s.heard[e.Record.Origin], &heard{event: e, counted: counted, line: e.Record.Line})
	s.heard[e.Record.Origin] = list[max(0, len(list)-mostHeard):]
}

// echo takes a record that tells a failure again. The one that says more of it counts.
func (s *Source) echo(h *heard, of *echo, e *Event) {
	a := s.analyzer
	h.line, h.told = e.Record.Line, append(h.told, of)
	a.duplicates++
	if !h.counted || !saysMore(a.withCauses(e), a.withCauses(h.event)) {
		return
	}
	a.uncount(h.event)
	a.count(e)
	if a.OnEvent != nil {
		a.OnEvent(e)
	}
	h.event = e
}

func (a *Analyzer) withCauses(e *Event) *Event {
	if e.Pattern != nil && e.Causes == nil {
		e.Causes = a.causesOf(e.Record, e.Pattern)
	}
	return e
}

// saysMore tells whether an event is more certain than another of a cause that the
// other left open.
func saysMore(e, than *Event) bool {
	switch {
	case e.Pattern == nil || len(e.Causes) == 0:
		return false
	case than.Pattern == nil || len(than.Causes) == 0:
		return true
	}
	open := slices.ContainsFunc(than.Causes, func(c CauseScore) bool { return c.ID == e.Causes[0].ID })
	return e.Pattern != than.Pattern && open && e.Causes[0].Score > than.Causes[0].Score
}
