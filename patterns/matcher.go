package patterns

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"wklog/parser"
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
}

// rule is a clause made ready: its expressions are compiled when a record
// first gets that far.
type rule struct {
	clause   Clause
	literals []string
	match    Match

	once    sync.Once
	subject *regexp.Regexp
	stack   *regexp.Regexp
	fields  map[string]*regexp.Regexp
}

func newMatcher(c *Catalogue) *Matcher {
	m := &Matcher{}
	for _, p := range c.Patterns {
		m.add(p.Match, Match{Verdict: Matched, Pattern: p})
	}
	for _, ignored := range c.Ignore {
		m.add(ignored.Match, Match{Verdict: Ignorable, Ignored: ignored})
	}
	m.add(c.Suspicious, Match{Verdict: Unclassified})
	return m
}

func (m *Matcher) add(clauses []Clause, match Match) {
	for _, clause := range clauses {
		m.rules = append(m.rules, &rule{
			clause: clause, literals: clause.Literals, match: match,
		})
	}
}

// Match returns what the record is. The longest match in the subject wins, then the clause with more conditions,
// then the one that stands first.
func (m *Matcher) Match(rec *parser.Record) Match {
	subject := rec.Subject()
	var best *rule
	bestLength, bestConditions := -1, -1
	for _, r := range m.rules {
		if best != nil && r.match.Verdict == Unclassified {
			break
		}
		length, ok := r.matches(rec, subject)
		if !ok {
			continue
		}
		conditions := r.clause.conditions()
		if length > bestLength || length == bestLength && conditions > bestConditions {
			best, bestLength, bestConditions = r, length, conditions
		}
	}
	if best == nil {
		return Match{}
	}
	return best.match
}

func (r *rule) matches(rec *parser.Record, subject string) (length int, ok bool) {
	if r.clause.Kinds != nil && !slices.Contains(r.clause.Kinds, string(rec.Kind)) ||
		r.clause.States != nil && !slices.Contains(r.clause.States, rec.State) ||
		r.literals != nil && !containsOneOf(subject, r.literals) {
		return 0, false
	}
	r.once.Do(r.compile)
	at := r.subject.FindStringIndex(subject)
	if at == nil || r.stack != nil && !r.stack.MatchString(rec.Stack) {
		return 0, false
	}
	for name, expr := range r.fields {
		if !expr.MatchString(rec.Fields[name]) {
			return 0, false
		}
	}
	return at[1] - at[0], true
}

func containsOneOf(s string, literals []string) bool {
	for _, literal := range literals {
		if strings.Contains(s, literal) {
			return true
		}
	}
	return false
}

// compile cannot fail: Catalogue.Add has parsed every expression.
func (r *rule) compile() {
	r.subject = regexp.MustCompile(r.clause.Regex)
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
	for _, given := range []bool{c.Kinds != nil, c.States != nil, c.Stack != ""} {
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

// compiles tells whether every expression of a clause is one. It parses them
// and builds no program: most are never run.
func (c *Clause) compiles() error {
	for _, expr := range c.expressions() {
		if _, err := syntax.Parse(expr, syntax.Perl); err != nil {
			return fmt.Errorf("regular expression %q: %w", expr, err)
		}
	}
	return nil
}
