package patterns

import (
	"slices"
	"strings"

	"wklog/parser"
	"wklog/patterns/internal/ranking"
)

// Absence is something that WuKongIM lists at its start where it has it, and what it says
// that a start does not list it. A log that holds no start says nothing.
type Absence struct {
	ID    string `yaml:"id"`
	Title Text   `yaml:"title"`
	// Fact is the name of the port on which then nothing listens.
	Fact   string  `yaml:"fact"`
	Starts []Start `yaml:"starts"`
	// Odds are how much likelier causes are.
	Odds       []Likelier `yaml:"odds"`
	References []string   `yaml:"references"`
}

// Start is a form of a start: between the lines that hold Before and After stands the one
// that holds Listed, if any, with at most as many lines between as Within.
type Start struct {
	Before string `yaml:"before"`
	Listed string `yaml:"listed"`
	After  string `yaml:"after"`
	Within int64  `yaml:"within"`
}

// Likelier is a cause that is Times as likely.
type Likelier struct {
	ID    string  `yaml:"id"`
	Times float64 `yaml:"times"`
	Why   string  `yaml:"why"`
}

// begun is a start whose end was not seen yet.
type begun struct {
	line   int64
	listed bool
}

// startKey is where a start is told: several programs may write to one log.
type startKey struct {
	start          *Start
	source, origin string
}

// watch learns what a start does not list.
func (f *facts) watch(source string, rec *parser.Record) {
	for _, absence := range f.catalogue.Absences {
		for i := range absence.Starts {
			f.watchStart(absence, &absence.Starts[i], source, rec)
		}
	}
}

func (f *facts) watchStart(absence *Absence, start *Start, source string, rec *parser.Record) {
	key := startKey{start, source, rec.Origin + " " + rec.Node}
	switch before := f.starts[key]; {
	case strings.Contains(rec.Text, start.Before):
		if len(f.starts) < maxFacts {
			f.starts[key] = &begun{line: rec.Line}
		}
	case before == nil:
	case strings.Contains(rec.Text, start.Listed):
		before.listed = true
	case strings.Contains(rec.Text, start.After):
		if !before.listed && rec.Line-before.line <= start.Within {
			f.add(Fact{Kind: FactPort, Name: absence.Fact, Component: ComponentWuKongIM, Value: NoPort, From: whence(source, rec)})
		}
		delete(f.starts, key)
	}
}

// absences are those of all starts that were seen: where one lists what another does not,
// a later one may have been set up otherwise, or it is another server.
func (v *view) absences() []*Absence {
	known := v.facts.list()
	return slices.DeleteFunc(slices.Clone(v.catalogue.Absences), func(a *Absence) bool {
		return the(known, FactPort, a.Fact, ComponentWuKongIM) != NoPort
	})
}

// absent are the absences that speak of a problem: of what clients and other ports say. A
// handshake that WuKongIM itself tells of is one of a start that is not in the log.
func (v *view) absent(p problem) []*Absence {
	if p.side != SideServer || p.stopsServer() || slices.ContainsFunc(v.findings, func(f Finding) bool {
		return f.Pattern.Measured && f.Pattern.Side == SideServer && f.Program.Reporter == ComponentWuKongIM
	}) {
		return nil
	}
	return v.absences()
}

// absentOdds are what absences say of the causes of a problem.
func absentOdds(absences []*Absence) ranking.Odds {
	var odds ranking.Odds
	for _, a := range absences {
		more := ranking.Odds{}
		for _, likelier := range a.Odds {
			more[likelier.ID] = likelier.Times
		}
		odds = odds.Times(more)
	}
	return odds
}

// speaksFor are the absences that make a cause likelier.
func speaksFor(absences []*Absence, cause string) []*Absence {
	return slices.DeleteFunc(slices.Clone(absences), func(a *Absence) bool {
		return !slices.ContainsFunc(a.Odds, func(l Likelier) bool { return l.ID == cause && l.Times > 1 })
	})
}

// absence checks one, with the causes that it names.
func (l *linter) absence(a *Absence) {
	l.kebab()
	l.text(a.Title, "no-title", "")
	l.report(len(a.References) == 0, "no-reference", "")
	l.report(len(a.Starts) == 0 || a.Fact == "", "no-sample", "")
	for _, likelier := range a.Odds {
		l.report(l.catalogue.Cause(likelier.ID) == nil, "unknown-cause", likelier.ID)
		l.report(likelier.Times <= 0 || likelier.Why == "", "no-explain", likelier.ID)
	}
}
