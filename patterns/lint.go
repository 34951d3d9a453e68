package patterns

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"wklog/parser"
)

// Problem is something wrong in a catalogue. Kind is a stable key: no-id,
// bad-id, no-title, no-explain, no-match, bad-regex, no-literal, bad-severity,
// bad-category, bad-reporter, bad-phase, bad-side, no-causes, bad-score,
// unknown-cause, no-sample, no-reference, sample-missed, sample-taken,
// miss-matched, no-fixes, no-verify.
type Problem struct {
	ID      string
	Kind    string
	Detail  string
	Warning bool
}

// phases of a connection and of a server's life.
var phases = []string{"startup", "listen", "client-hello", "negotiation", "certificate", "finished", "established", "outbound", "crash", reports}

var reporters = []string{"server", "client", "network"}

// categories are those of the contract's causes.
var categories = []string{
	"certificate-config", "certificate-format", "domain", "validity", "trust", "protocol", "wrong-port",
	"listener", "network", "noise", "server", "browser",
}

var kebab = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)

// Lint checks the entries of a catalogue whose ids are in only, all of them
// when only is nil, against the rest.
func Lint(c *Catalogue, only []string) []Problem {
	l := &linter{catalogue: c}
	for _, p := range c.Patterns {
		if only == nil || slices.Contains(only, p.ID) {
			l.pattern(p)
		}
	}
	for _, cause := range c.Causes {
		if only == nil || slices.Contains(only, cause.ID) {
			l.cause(cause)
		}
	}
	if len(l.problems) == 0 || !slices.ContainsFunc(l.problems, func(p Problem) bool { return p.Kind == "bad-regex" }) {
		l.problems = append(l.problems, CheckSamples(c, only)...)
	}
	return l.problems
}

type linter struct {
	catalogue *Catalogue
	problems  []Problem
}

func (l *linter) report(bad bool, id, kind, detail string) {
	if bad {
		l.problems = append(l.problems, Problem{ID: id, Kind: kind, Detail: detail, Warning: kind == "no-literal"})
	}
}

func (l *linter) pattern(p *Pattern) {
	l.report(p.ID == "", p.ID, "no-id", "")
	l.report(!kebab.MatchString(p.ID), p.ID, "bad-id", p.ID)
	l.texts(p.ID, p.Title, p.Explain)
	l.report(p.Severity.Rank() < 0, p.ID, "bad-severity", string(p.Severity))
	l.report(!slices.Contains(categories, p.Category), p.ID, "bad-category", p.Category)
	l.report(!slices.Contains(reporters, p.Reporter), p.ID, "bad-reporter", p.Reporter)
	l.report(!slices.Contains(phases, p.Phase), p.ID, "bad-phase", p.Phase)
	l.report(!slices.Contains([]Side{SideServer, SideV3, SidePeer}, p.Side), p.ID, "bad-side", string(p.Side))
	l.report(len(p.Match) == 0, p.ID, "no-match", "")
	for _, clause := range p.Match {
		err := clause.compiles()
		l.report(err != nil, p.ID, "bad-regex", clause.Regex)
		l.report(err == nil && clause.literals(nil) == nil, p.ID, "no-literal", clause.Regex)
	}
	l.scores(p)
	l.report(len(p.Samples) == 0, p.ID, "no-sample", "")
	l.report(len(p.References) == 0, p.ID, "no-reference", "")
}

func (l *linter) texts(id string, title, explain Text) {
	l.report(strings.TrimSpace(title.En) == "" || strings.TrimSpace(title.Zh) == "", id, "no-title", "")
	l.report(strings.TrimSpace(explain.En) == "" || strings.TrimSpace(explain.Zh) == "", id, "no-explain", "")
}

func (l *linter) scores(p *Pattern) {
	sum := 0.0
	for _, score := range p.Causes {
		sum += score.Score
		l.report(score.Score <= 0 || score.Why == "", p.ID, "bad-score", score.ID)
		l.report(l.catalogue.Cause(score.ID) == nil, p.ID, "unknown-cause", score.ID)
	}
	l.report(sum > 1.0001, p.ID, "bad-score", "")
	l.report(!p.Measured && len(p.Causes) == 0 || p.Measured && len(p.Causes) > 0, p.ID, "no-causes", "")
}

func (l *linter) cause(c *Cause) {
	l.report(!kebab.MatchString(c.ID), c.ID, "bad-id", c.ID)
	l.report(!slices.Contains(categories, c.Category), c.ID, "bad-category", c.Category)
	l.report(len(c.References) == 0, c.ID, "no-reference", "")
	advices := []Advice{c.Advice}
	for _, advice := range []*Advice{c.Peer, c.V3} {
		if advice != nil {
			advices = append(advices, *advice)
		}
	}
	for _, advice := range advices {
		l.texts(c.ID, advice.Title, advice.Explain)
		l.report(len(advice.Fixes) == 0, c.ID, "no-fixes", "")
		l.report(len(advice.Verify) == 0, c.ID, "no-verify", "")
		for _, step := range slices.Concat(advice.Fixes, advice.Verify) {
			l.report(step.Text.En == "" || step.Text.Zh == "", c.ID, "no-explain", step.Command)
		}
	}
}

// CheckSamples reads the samples of the entries whose ids are in only, all of
// them when only is nil, as a log, and tells those that their entry does not
// win and the near misses that it wins.
func CheckSamples(c *Catalogue, only []string) []Problem {
	m, err := c.Matcher()
	if err != nil {
		return []Problem{{Kind: "bad-regex", Detail: err.Error()}}
	}
	var problems []Problem
	for _, p := range c.Patterns {
		if only != nil && !slices.Contains(only, p.ID) {
			continue
		}
		for _, sample := range p.Samples {
			switch got := m.best(sample); got {
			case p.ID:
			case "":
				problems = append(problems, Problem{ID: p.ID, Kind: "sample-missed", Detail: sample})
			default:
				problems = append(problems, Problem{ID: p.ID, Kind: "sample-taken", Detail: got + ": " + sample})
			}
		}
		for _, miss := range p.Misses {
			if m.best(miss) == p.ID {
				problems = append(problems, Problem{ID: p.ID, Kind: "miss-matched", Detail: miss})
			}
		}
	}
	for _, stop := range c.Stops {
		if only != nil {
			break
		}
		for _, sample := range stop.Samples {
			if !m.stopsIn(sample) {
				problems = append(problems, Problem{ID: stop.ID, Kind: "sample-missed", Detail: sample})
			}
		}
		for _, miss := range stop.Misses {
			if m.stopsIn(miss) {
				problems = append(problems, Problem{ID: stop.ID, Kind: "miss-matched", Detail: miss})
			}
		}
	}
	for _, ignored := range c.Ignore {
		if only != nil {
			break
		}
		for _, sample := range ignored.Samples {
			if got := m.best(sample); got != "" {
				problems = append(problems, Problem{ID: ignored.ID, Kind: "sample-taken", Detail: got + ": " + sample})
			}
		}
	}
	return problems
}

// best returns the id of the pattern that the first record of a text matches.
func (m *Matcher) best(text string) string {
	id := ""
	_, _ = parser.Read(context.Background(), strings.NewReader(text), parser.Options{}, func(rec *parser.Record) error {
		if p := m.Match(rec).Pattern; p != nil && id == "" {
			id = p.ID
		}
		return nil
	})
	return id
}

// stopsIn tells whether a server ends in a text, and not of a TLS failure.
func (m *Matcher) stopsIn(text string) (is bool) {
	_, _ = parser.Read(context.Background(), strings.NewReader(text), parser.Options{}, func(rec *parser.Record) error {
		is = is || m.Match(rec).Pattern == nil && m.Stops(rec)
		return nil
	})
	return is
}
