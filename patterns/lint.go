package patterns

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"wklog/parser"
)

var sides = []Side{SideServer, SideV3, SidePeer}

// phases of a connection and of a server's life.
var phases = []string{"startup", "listen", "client-hello", "negotiation", "certificate", "finished", "established", "outbound", "crash", reports}

var reporters = []string{"server", "client", "network"}

// categories are those of the contract's causes.
var categories = []string{
	"certificate-config", "certificate-format", "domain", "validity", "trust", "protocol", "wrong-port",
	"listener", "network", "noise", "server", "browser",
}

var kinds = []parser.Kind{
	parser.KindHandshake, parser.KindClose, parser.KindZap, parser.KindConsole, parser.KindPanic, parser.KindNginx,
	parser.KindOpenSSL, parser.KindNetHTTP, parser.KindAccess, parser.KindText,
}

// directions are those that a record's words can tell.
var directions = []parser.Direction{parser.UnknownDirection, parser.Inbound, parser.Outbound, parser.Client}

// versions are what a handshake state may say of the version of TLS.
var versions = []string{"", "1.3", "1.2-or-older"}

var kebab = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)

// Lint checks the entries that were read from some files, all of the catalogue when
// files is nil, against the rest. What it finds is in the order of the files and their
// lines.
func Lint(c *Catalogue, files []string) []Problem {
	l := &linter{catalogue: c, files: files, problems: c.problemsOf(files)}
	for _, p := range c.Patterns {
		l.entry(p, p.ID, func() { l.pattern(p) })
	}
	for _, ignored := range c.Ignore {
		l.entry(ignored, ignored.ID, func() { l.ignored(ignored) })
	}
	for _, stop := range c.Stops {
		l.entry(stop, stop.ID, func() { l.stop(stop) })
	}
	for _, echo := range c.Echoes {
		l.entry(echo, echo.ID, func() { l.echo(echo) })
	}
	for _, cause := range c.Causes {
		l.entry(cause, cause.ID, func() { l.cause(cause) })
	}
	for _, state := range c.States {
		l.entry(state, state.ID, func() { l.state(state) })
	}
	for _, symptom := range c.Symptoms {
		l.entry(symptom, symptom.ID, func() { l.symptom(symptom) })
	}
	for _, component := range c.Components {
		l.entry(component, string(component.ID), func() { l.component(component) })
	}
	for _, name := range c.Names {
		l.entry(name, name.Name, func() { l.name(name) })
	}
	for _, source := range c.Facts {
		l.entry(source, source.ID, func() { l.fact(source) })
	}
	for _, absence := range c.Absences {
		l.entry(absence, absence.ID, func() { l.absence(absence) })
	}
	for _, action := range c.Actions {
		l.entry(action, action.ID, func() { l.action(action) })
	}
	for _, guide := range c.Guides {
		l.entry(guide, guide.ID, func() { l.guide(guide) })
	}
	if len(c.problems) == 0 {
		l.problems = append(l.problems, CheckSamples(c, files)...)
	}
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(slices.Index(files, a.File), slices.Index(files, b.File)), cmp.Compare(a.Line, b.Line))
	})
	return l.problems
}

// problemsOf are those that were met when some files were read, of all of them for
// nil.
func (c *Catalogue) problemsOf(files []string) []Problem {
	var found []Problem
	for _, p := range c.problems {
		if files == nil || slices.Contains(files, p.File) {
			found = append(found, p)
		}
	}
	return found
}

// Count is how many patterns were read from some files, all of them for nil.
func (c *Catalogue) Count(files []string) int {
	n := 0
	for _, p := range c.Patterns {
		if c.isFrom(p, files) {
			n++
		}
	}
	return n
}

func (c *Catalogue) isFrom(entry any, files []string) bool {
	return files == nil || slices.Contains(files, c.places[entry].file)
}

type linter struct {
	catalogue *Catalogue
	files     []string
	problems  []Problem
	// at and id are of the entry that is looked at.
	at location
	id string
}

func (l *linter) entry(entry any, id string, check func()) {
	if l.catalogue.isFrom(entry, l.files) {
		l.at, l.id = l.catalogue.places[entry], id
		check()
	}
}

func (l *linter) report(bad bool, kind, detail string) {
	if bad {
		l.problems = append(l.problems, Problem{File: l.at.file, Line: l.at.line, ID: l.id, Kind: kind, Detail: detail, Warning: isWarning(kind)})
	}
}

func (l *linter) pattern(p *Pattern) {
	l.kebab()
	l.texts(p.Title, p.Explain)
	l.report(p.Severity.Rank() < 0, "bad-severity", string(p.Severity))
	l.report(!slices.Contains(categories, p.Category), "bad-category", p.Category)
	l.report(!slices.Contains(reporters, p.Reporter), "bad-reporter", p.Reporter)
	l.report(!slices.Contains(phases, p.Phase), "bad-phase", p.Phase)
	l.report(!slices.Contains(sides, p.Side), "bad-side", string(p.Side))
	if len(p.Match) > 0 || !l.catalogue.isTold(p) {
		l.clauses(p.Match, true)
	}
	l.report(p.Steady != "" && !l.catalogue.hasNoConditions(p.Steady), "bad-steady", p.Steady)
	l.scores(p.Causes)
	l.report(!p.Measured && len(p.Causes) == 0 || p.Measured && len(p.Causes) > 0, "no-causes", "")
	l.report(len(p.Samples) == 0, "no-sample", "")
	l.report(len(p.References) == 0, "no-reference", "")
}

func (l *linter) ignored(i *Ignored) {
	l.kebab()
	l.text(i.Reason, "no-reason", "")
	l.clauses(i.Match, false)
	l.report(len(i.Samples) == 0, "no-sample", "")
	l.report(len(i.References) == 0, "no-reference", "")
}

func (l *linter) stop(s *Stopping) {
	l.kebab()
	l.clauses(s.Match, false)
	l.report(len(s.Samples) == 0, "no-sample", "")
	l.report(len(s.References) == 0, "no-reference", "")
}

func (l *linter) echo(e *Echo) {
	l.kebab()
	l.text(e.Reason, "no-reason", "")
	l.clauses(e.Match, false)
	l.report(e.Lines <= 0, "no-lines", "")
	l.report(e.As != "" && !l.catalogue.hasNoConditions(e.As), "bad-as", e.As)
	l.report(len(e.Samples) == 0, "no-sample", "")
	l.report(len(e.References) == 0, "no-reference", "")
}

func (l *linter) state(s *State) {
	l.report(s.ID == "", "no-id", "")
	l.text(s.Explain, "no-explain", "")
	l.report(!slices.Contains(versions, s.TLS), "bad-tls", s.TLS)
}

func (l *linter) kebab() {
	l.report(l.id == "", "no-id", "")
	l.report(l.id != "" && !kebab.MatchString(l.id), "bad-id", "")
}

// clauses checks conditions. Only those of patterns are searched for, and so need a
// literal.
func (l *linter) clauses(list []Clause, searched bool) {
	l.report(len(list) == 0, "no-match", "")
	entry := l.at
	for i := range list {
		l.at = l.catalogue.at(&list[i], entry)
		_, ok := list[i].compiles()
		l.report(list[i].Regex == "", "no-regex", "")
		l.report(searched && ok && list[i].Regex != "" && list[i].literals(nil) == nil, "no-literal", list[i].Regex)
		for _, kind := range list[i].Kinds {
			l.report(!slices.Contains(kinds, parser.Kind(kind)), "bad-kind", kind)
		}
		direction := list[i].Direction
		l.report(direction != "" && !slices.Contains(directions, direction), "bad-direction", string(direction))
		for _, state := range list[i].States {
			l.report(l.catalogue.State(state) == nil, "unknown-state", state)
		}
	}
	l.at = entry
}

func (l *linter) texts(title, explain Text) {
	l.text(title, "no-title", "")
	l.text(explain, "no-explain", "")
}

func (l *linter) text(t Text, kind, detail string) {
	l.report(strings.TrimSpace(t.En) == "" || strings.TrimSpace(t.Zh) == "", kind, detail)
}

func (l *linter) scores(causes []CauseScore) {
	sum := 0.0
	for _, score := range causes {
		sum += score.Score
		l.report(score.Score <= 0 || score.Why == "", "bad-score", score.ID)
		l.report(l.catalogue.Cause(score.ID) == nil, "unknown-cause", score.ID)
	}
	l.report(sum > 1.0001, "bad-score", "")
}

func (l *linter) symptom(s *Symptom) {
	l.kebab()
	l.texts(s.Title, s.Explain)
	l.scores(s.Causes)
	l.report(len(s.Causes) == 0, "no-causes", "")
	l.report(len(s.Codes)+len(s.Words) == 0, "no-words", "")
	l.report(len(s.References) == 0, "no-reference", "")
}

func (l *linter) cause(c *Cause) {
	l.kebab()
	l.report(!slices.Contains(categories, c.Category), "bad-category", c.Category)
	l.report(len(c.References) == 0, "no-reference", "")
	for _, advice := range c.advices() {
		whole := c.over(advice)
		l.texts(whole.Title, whole.Explain)
		l.report(len(advice.Fixes) == 0, "no-fixes", "")
		l.report(len(whole.Verify) == 0, "no-verify", "")
		l.steps(advice.Fixes, false)
		l.steps(advice.Verify, true)
	}
	l.remedies(c)
}

// CheckSamples reads the samples of the entries that were read from some files, of all
// when files is nil, as a log, and tells those that their entry does not win and the
// near misses that it wins. Where a file has problems of its own it tells those.
func CheckSamples(c *Catalogue, files []string) []Problem {
	m, err := c.Matcher()
	if err != nil {
		return c.problemsOf(files)
	}
	var problems []Problem
	check := func(winner func(string) string, entry any, id string, samples, misses []string) {
		if !c.isFrom(entry, files) {
			return
		}
		report := func(text *string, kind, detail string) {
			at := c.at(text, c.places[entry])
			problems = append(problems, Problem{File: at.file, Line: at.line, ID: id, Kind: kind, Detail: detail})
		}
		for i, sample := range samples {
			switch winner := winner(sample); winner {
			case id:
			case "":
				report(&samples[i], "sample-missed", sample)
			default:
				report(&samples[i], "sample-taken", winner+": "+sample)
			}
		}
		for i, miss := range misses {
			if winner(miss) == id {
				report(&misses[i], "miss-matched", miss)
			}
		}
	}
	for _, p := range c.Patterns {
		winner := m.best
		if c.isTold(p) {
			winner = c.lastIn
		}
		check(winner, p, p.ID, p.Samples, p.Misses)
	}
	for _, ignored := range c.Ignore {
		check(m.best, ignored, ignored.ID, ignored.Samples, ignored.Misses)
	}
	for _, stop := range c.Stops {
		check(m.stopIn(stop.ID), stop, stop.ID, stop.Samples, stop.Misses)
	}
	for _, echo := range c.Echoes {
		check(c.echoIn(echo.ID, echo.As), echo, echo.ID, echo.Samples, echo.Misses)
	}
	return problems
}

// echoIn gives the id of an echo where a text tells of one failure in several lines, or
// of what the echo is told as.
func (c *Catalogue) echoIn(id, as string) func(text string) string {
	return func(text string) string {
		result, err := Analyze(context.Background(), strings.NewReader(text), &Options{Catalogue: c})
		is := func(f Finding) bool { return f.Pattern.ID == as }
		switch {
		case err != nil || as != "" && !slices.ContainsFunc(result.Findings, is):
			return ""
		case as == "" && (result.Events+result.Unclassified != 1 || result.Duplicates == 0):
			return ""
		}
		return id
	}
}

// best returns the id of the entry that wins the first record of a text: of a pattern
// if there is a record that one wins.
func (m *Matcher) best(text string) string {
	var pattern, ignored string
	_, _ = parser.Read(context.Background(), strings.NewReader(text), parser.Options{}, func(rec *parser.Record) error {
		switch match := m.Match(rec); {
		case match.Pattern != nil && pattern == "":
			pattern = match.Pattern.ID
		case match.Ignored != nil && ignored == "":
			ignored = match.Ignored.ID
		}
		return nil
	})
	return cmp.Or(pattern, ignored)
}

// hasNoConditions tells whether there is a pattern that others may be told as.
func (c *Catalogue) hasNoConditions(id string) bool {
	p := c.Pattern(id)
	return p != nil && !p.Measured && len(p.Match) == 0
}

// isTold tells whether a pattern is what others are at a steady rhythm or behind
// another failure: it has no conditions of its own.
func (c *Catalogue) isTold(p *Pattern) bool {
	return slices.ContainsFunc(c.Patterns, func(other *Pattern) bool { return other.Steady == p.ID }) ||
		slices.ContainsFunc(c.Echoes, func(e *Echo) bool { return e.As == p.ID })
}

// lastIn returns the id of the pattern of the last failure in a text.
func (c *Catalogue) lastIn(text string) string {
	last := ""
	for e, err := range Events(context.Background(), strings.NewReader(text), &Options{Catalogue: c}) {
		if err != nil {
			return ""
		}
		last = e.Pattern.ID
	}
	return last
}

// stopIn gives the id where a server ends in a text, and not of a TLS failure.
func (m *Matcher) stopIn(id string) func(text string) string {
	return func(text string) string {
		var found string
		_, _ = parser.Read(context.Background(), strings.NewReader(text), parser.Options{}, func(rec *parser.Record) error {
			if m.Match(rec).Pattern == nil && m.Stops(rec) {
				found = id
			}
			return nil
		})
		return found
	}
}

func (l *linter) guide(g *Guide) {
	l.kebab()
	l.texts(g.Title, g.Explain)
	l.report(len(g.References) == 0, "no-reference", "")
	l.steps(g.Steps, false)
}

// action checks the steps of one, which may look or act.
func (l *linter) action(a *Action) {
	l.kebab()
	l.report(len(a.References) == 0, "no-reference", "")
	l.steps(a.Steps, false)
}

// steps checks those of an entry.
func (l *linter) steps(list []Step, verifies bool) {
	entry := l.at
	for i := range list {
		l.step(&list[i], entry, verifies)
	}
	l.at = entry
}
