package patterns

import (
	"cmp"
	"hash/maphash"
	"regexp"
	"strings"
	"time"

	"wklog/parser"
)

// Stopping is how a program says that it ends.
type Stopping struct {
	ID         string   `yaml:"id"`
	Match      []Clause `yaml:"match"`
	References []string `yaml:"references"`
	Samples    []string `yaml:"samples"`
	Misses     []string `yaml:"misses"`
}

// Stop is an end of the server that has nothing to do with TLS.
type Stop struct {
	Reason string
	Count  int
	// First and Last are zero where the log has no times. Source and Line are
	// those of the first.
	First, Last time.Time
	Source      string
	Line        int64
}

// maxStops is how many reasons are told apart.
const maxStops = 20

// stops are what the server ended of.
type stops struct {
	list   []*Stop
	bySaid map[string]*Stop
	once   once
	seed   maphash.Seed
	met    map[uint64]bool // records that have a time of their own
}

func newStops() stops {
	return stops{bySaid: map[string]*Stop{}, once: newOnce(), seed: maphash.MakeSeed(), met: map[uint64]bool{}}
}

// longestReason is how many bytes of a reason are kept.
const longestReason = 500

func shortened(reason string) string {
	if len(reason) <= longestReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:longestReason], "") + "…"
}

// once counts what is printed in several forms, in any order, as often as in the
// form that was met most often.
type once struct {
	forms   map[string]map[string]int
	counted map[string]int
}

// maxOnce bounds how many different texts are remembered.
const maxOnce = 1000

func newOnce() once { return once{forms: map[string]map[string]int{}, counted: map[string]int{}} }

// repeats tells whether the text was counted already in another form.
func (o *once) repeats(text, form string) bool {
	if o.forms[text] == nil {
		if len(o.forms) >= maxOnce {
			*o = newOnce()
		}
		o.forms[text] = map[string]int{}
	}
	o.forms[text][form]++
	if o.forms[text][form] <= o.counted[text] {
		return true
	}
	o.counted[text]++
	return false
}

// add counts a record with which a server ends. It returns the stop, and whether
// it is a new one.
func (s *stops) add(source string, rec *parser.Record) (stop *Stop, isNew bool) {
	if rec.OwnTime {
		text := maphash.String(s.seed, rec.Text)
		if s.met[text] {
			return nil, false // in another file
		}
		if len(s.met) >= maxOnce {
			clear(s.met)
		}
		s.met[text] = true
	}
	said, reason := lastWords(rec)
	repeated := s.once.repeats(said, formOf(rec))
	stop = s.bySaid[said]
	if stop == nil {
		if repeated || len(s.list) >= maxStops {
			return nil, false
		}
		stop = &Stop{Source: source, Line: rec.Line}
		s.bySaid[said], s.list = stop, append(s.list, stop)
	}
	if len(reason) > len(stop.Reason) {
		stop.Reason = reason
	}
	if repeated {
		return nil, false
	}
	stop.Count++
	span := Span{stop.First, stop.Last}
	span.Add(rec.Stamp.Time)
	stop.First, stop.Last = span.First, span.Last
	return stop, true
}

// formOf tells apart in how many ways a program says the same.
func formOf(rec *parser.Record) string {
	return string(rec.Kind) + rec.Message[:min(len(rec.Message), 40)]
}

// goLogTime is the time that Go's log package puts before what a program dies of.
var goLogTime = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? `)

// lastWords are what a record says of the end of its program: said is the same in
// all forms of it, reason is all that this one knows.
func lastWords(rec *parser.Record) (said, reason string) {
	said, reason = allLastWords(rec)
	return shortened(said), shortened(reason)
}

func allLastWords(rec *parser.Record) (said, reason string) {
	switch rec.Kind {
	case parser.KindZap, parser.KindConsole:
		if rec.Level == "panic" || rec.Level == "fatal" {
			said = panicText(rec)
			return said, cmp.Or(strings.TrimSuffix(said+": "+rec.Error, ": "), said)
		}
		return rec.Error, cmp.Or(rec.Error, rec.Message)
	case parser.KindPanic:
		if text := lastPanic(rec); text != "" {
			return text, text
		}
		first, _, _ := strings.Cut(rec.Message, "\n")
		_, text, _ := strings.Cut(first, ": ")
		text, _, _ = strings.Cut(text, " [recovered")
		return text, text
	}
	text := strings.TrimSpace(goLogTime.ReplaceAllString(rec.Text, ""))
	return text, text
}

// stop notes that the server ended, where the record says so and speaks of no TLS
// failure.
func (s *Source) stop(rec *parser.Record) {
	a := s.analyzer
	if s.Copy || !a.matcher.Stops(rec) || !a.filter.keepsStops(rec.Stamp.Time) {
		return
	}
	if stop, isNew := a.stops.add(s.name, rec); isNew && a.OnStop != nil {
		a.OnStop(stop)
	}
}

// saidBefore tells whether a failed start of version 3 was counted in another form:
// it stands in a line of its own, in a record and in what Go's log package prints
// last.
func (a *Analyzer) saidBefore(e *Event) bool {
	if e.Pattern == nil || e.Pattern.Side != SideV3 {
		return false
	}
	said, _ := lastWords(e.Record)
	return a.starts.repeats(said, formOf(e.Record))
}

// keepsStops tells whether stops were asked for: who asks for some failures does
// not ask for these.
func (f *Filter) keepsStops(at time.Time) bool {
	return f.Patterns == nil && f.Causes == nil && f.keepsTime(at)
}
