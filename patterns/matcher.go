package patterns

import (
	"iter"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"wklog/parser"
	"wklog/patterns/internal/search"
)

// Verdict is what the catalogue says of a record.
type Verdict int

// A record is Unrelated to TLS failures, Ignorable (it looks like a failure
// and is none), Matched by a pattern, or Unclassified: it plainly speaks of a
// TLS failure that no pattern knows.
const (
	Unrelated Verdict = iota
	Ignorable
	Matched
	Unclassified
)

// Match is a verdict with the entry of the catalogue behind it: Pattern for
// Matched, Ignored for Ignorable.
type Match struct {
	Verdict Verdict
	Pattern *Pattern
	Ignored *Ignored
}

// Matcher finds the pattern of a record. It is safe for concurrent use.
type Matcher struct {
	rules []*rule
	// stops are the rules for the end of a server.
	stops []*rule
	// echoes tell a failure again.
	echoes []*echo
	// kinds holds a *search.Dispatch for each kind of record that was met.
	kinds sync.Map
}

// rule is a clause made ready: its expressions are compiled when a record
// first gets that far.
type rule struct {
	clause     *Clause
	conditions int
	match      Match

	once    sync.Once
	subject *regexp.Regexp
	stack   *regexp.Regexp
	fields  map[string]*regexp.Regexp
}

func newMatcher(c *Catalogue) *Matcher {
	m := &Matcher{echoes: newEchoes(c.Echoes)}
	for _, p := range c.Patterns {
		m.add(p.Match, Match{Verdict: Matched, Pattern: p})
	}
	for _, ignored := range c.Ignore {
		m.add(ignored.Match, Match{Verdict: Ignorable, Ignored: ignored})
	}
	m.add(c.Suspicious, Match{Verdict: Unclassified})
	for _, stop := range c.Stops {
		for i := range stop.Match {
			m.stops = append(m.stops, &rule{clause: &stop.Match[i]})
		}
	}
	return m
}

func (m *Matcher) add(clauses []Clause, match Match) {
	for i := range clauses {
		m.rules = append(m.rules, &rule{clause: &clauses[i], conditions: clauses[i].conditions(), match: match})
	}
}

// Match returns what the record is. Where it is in no form that is known, what a TLS
// library said in it ([parser.Record.Core]) counts as if net/http or nginx had printed it:
// on the side that accepts before all else, otherwise where nothing more is known of the
// record. What the side that dials meets has its own patterns.
func (m *Matcher) Match(rec *parser.Record) Match {
	if rec.Kind == parser.KindNetHTTP {
		if match := m.match(rec, rec.Kind, rec.Subject(), parser.Inbound); match.Verdict == Matched || match.Verdict == Ignorable {
			return match
		}
	}
	core := rec.Core()
	if core.Direction == parser.Inbound && core.Kind == parser.KindNetHTTP {
		if match := m.match(rec, core.Kind, core.Text, core.Direction); match.Verdict == Matched || match.Verdict == Ignorable {
			return match
		}
	}
	match := m.match(rec, rec.Kind, rec.Subject(), core.Direction)
	if core.Text != "" && (match.Verdict == Unrelated || match.Verdict == Unclassified) {
		kind := core.Kind
		if core.Direction == parser.Outbound {
			kind = parser.KindText
		}
		if said := m.match(rec, kind, core.Text, core.Direction); said.Verdict == Matched {
			return said
		}
	}
	return match
}

// longestNginx is how much of a message of nginx is looked at: nginx cuts a record at
// 2048 bytes, and what it says of TLS is short. The rest is a visitor's.
const longestNginx = 1024

// match compares a subject with what is known of records of a kind. The longest match
// in the subject wins, then the clause with more conditions, then the one that stands
// first. What a library said to a client has clauses that say so: the others blame the
// clients of the one that accepts.
func (m *Matcher) match(rec *parser.Record, kind parser.Kind, subject string, direction parser.Direction) Match {
	toClient := kind != rec.Kind && direction == parser.Client
	if kind == parser.KindNginx && len(subject) > longestNginx {
		subject = subject[:longestNginx]
	}
	var best *rule
	bestLength := -1
	var space [32]int
	for _, i := range m.dispatchOf(kind).Candidates(subject, space[:0]) {
		r := m.rules[i]
		if toClient && r.clause.Direction != parser.Client {
			continue
		}
		if best != nil && (r.match.Verdict == Unclassified || bestLength == len(subject) && r.conditions <= best.conditions) {
			continue // it cannot win
		}
		length, ok := r.matches(rec, subject, direction)
		if ok && (length > bestLength || length == bestLength && r.conditions > best.conditions) {
			best, bestLength = r, length
		}
	}
	if best == nil {
		return Match{}
	}
	return best.match
}

// Stops tells whether the server ends with a record.
func (m *Matcher) Stops(rec *parser.Record) bool {
	subject := rec.Subject()
	return slices.ContainsFunc(m.stops, func(r *rule) bool {
		if r.clause.Kinds != nil && !slices.Contains(r.clause.Kinds, string(rec.Kind)) {
			return false
		}
		_, ok := r.matches(rec, subject, parser.UnknownDirection)
		return ok
	})
}

func (m *Matcher) dispatchOf(kind parser.Kind) *search.Dispatch {
	if d, ok := m.kinds.Load(kind); ok {
		return d.(*search.Dispatch)
	}
	d, _ := m.kinds.LoadOrStore(kind, search.NewDispatch(m.literalsOf(kind)))
	return d.(*search.Dispatch)
}

// literalsOf are those of each rule that holds for a kind of record, by its index.
func (m *Matcher) literalsOf(kind parser.Kind) iter.Seq2[int, []string] {
	return func(yield func(int, []string) bool) {
		for i, r := range m.rules {
			if (r.clause.Kinds == nil || slices.Contains(r.clause.Kinds, string(kind))) && !yield(i, r.clause.Literals) {
				return
			}
		}
	}
}

func (r *rule) matches(rec *parser.Record, subject string, direction parser.Direction) (length int, ok bool) {
	if r.clause.Direction != "" && r.clause.Direction != direction {
		return 0, false
	}
	if r.clause.States != nil && !slices.Contains(r.clause.States, rec.State) {
		return 0, false
	}
	if r.clause.Levels != nil && !slices.Contains(r.clause.Levels, rec.Level) {
		return 0, false
	}
	if r.clause.whole != "" && r.clause.whole != subject {
		return 0, false
	}
	r.once.Do(r.compile)
	length = len(subject)
	if r.clause.whole == "" {
		if length = r.matchLength(rec.Kind, subject); length < 0 {
			return 0, false
		}
	}
	if r.stack != nil && !r.stack.MatchString(rec.Stack) {
		return 0, false
	}
	for name, expr := range r.fields {
		if !expr.MatchString(rec.Fields[name]) {
			return 0, false
		}
	}
	return length, true
}

// quotesAddress is the beginning of a match within the address that was dialed, or at
// its end: Get "https://im.example.com/": message.
var quotesAddress = regexp.MustCompile(`^(?:[a-z]+://[^\s"]*)?":`)

// matchLength is how much of a subject the expression matches where the program itself
// speaks, -1 for nothing.
func (r *rule) matchLength(kind parser.Kind, subject string) int {
	for from := 0; ; {
		at := r.subject.FindStringIndex(subject[from:])
		if at == nil {
			return -1
		}
		start := from + at[0]
		if end := strings.Index(subject[start:from+at[1]], `": `); end >= 0 && quotesAddress.MatchString(subject[start:]) {
			start += end + len(`": `) // the message is about a quotation
		}
		// What is merely suspicious may begin with a level and end in a visitor's words.
		if !kind.Theirs(subject, start) && (r.match.Verdict != Unclassified || !kind.Theirs(subject, from+max(at[0], at[1]-1))) {
			return at[1] - at[0]
		}
		from += max(at[1], at[0]+1)
		if from >= len(subject) {
			return -1
		}
	}
}

// compile cannot fail: every expression was parsed when it was read.
func (r *rule) compile() {
	if r.clause.whole == "" {
		r.subject = regexp.MustCompile(r.clause.Regex)
	}
	if r.clause.Stack != "" {
		r.stack = regexp.MustCompile(r.clause.Stack)
	}
	r.fields = make(map[string]*regexp.Regexp, len(r.clause.Fields))
	for name, expr := range r.clause.Fields {
		r.fields[name] = regexp.MustCompile(expr)
	}
}

func (c *Clause) conditions() int {
	n := len(c.Fields)
	for _, given := range []bool{c.Kinds != nil, c.Levels != nil, c.States != nil, c.Stack != "", c.Direction != ""} {
		if given {
			n++
		}
	}
	return n
}

func (c *Clause) expressions() []string {
	all := []string{c.Regex}
	if c.Stack != "" {
		all = append(all, c.Stack)
	}
	for _, expr := range c.Fields {
		all = append(all, expr)
	}
	return all
}

// compiles tells whether every expression of a clause is one, or else which is not.
// It parses them and builds no program: most are never run.
func (c *Clause) compiles() (wrong string, ok bool) {
	for _, expr := range c.expressions() {
		if _, err := syntax.Parse(expr, syntax.Perl); err != nil {
			return expr, false
		}
	}
	return "", true
}
