// Package report writes what an analysis found, in one form per file.
package report

import (
	"time"

	"wklog/cmd/internal/messages"
	"wklog/parser"
	"wklog/patterns"
)

// Schema names the JSON document's form.
const Schema = "wklog.report/v1"

// Document is a report in one language, ready to be written in any form; its
// JSON is fixed by the contract.
type Document struct {
	Schema    string      `json:"schema"`
	Generated time.Time   `json:"generated"`
	Lang      string      `json:"lang"`
	Inputs    []Input     `json:"inputs"`
	Summary   Summary     `json:"summary"`
	Findings  []Finding   `json:"findings"`
	Diagnosis []Diagnosis `json:"diagnosis"`
	// Incidents are those that the failures make up; Diagnosis is that of the first.
	Incidents []Incident `json:"incidents"`
	// Passing are the failures that are of no incident.
	Passing []PatternCount `json:"passing"`
	Errors  []Error        `json:"errors"`
	// Unclassified are samples of records that speak of a TLS failure which
	// no pattern knows.
	Unclassified []Sample `json:"unclassified"`
	// Stops are the ends of the server that have nothing to do with TLS.
	Stops []Stop `json:"stops"`
	// Hints tell what would show more: where nothing was found, and where the
	// findings do not decide.
	Hints []Step `json:"hints"`
	// Tool is the program that made the report; for the caller to fill in.
	Tool Tool `json:"tool"`
	// Causes are the titles of the causes that the findings name.
	Causes   []CauseTitle `json:"causes"`
	Timeline Timeline     `json:"timeline"`
	Nodes    []Node       `json:"nodes"`
	Files    []File       `json:"files"`
	Clients  Clients      `json:"clients"`
	// Compared is nil for a report that was compared with no other.
	Compared *Comparison `json:"compared"`
	// Gone are the findings of the other report that this one has not.
	Gone []Finding `json:"gone"`
	// Facts are names of the user's own that the commands hold.
	Facts []Fact `json:"facts"`
	// Checks are those that were made beside the logs, Settled says in sentences
	// what they mean for the causes.
	Checks  []CheckLine `json:"checks"`
	Settled []string    `json:"settled"`
	// Omitted counts what the reader did not ask for.
	Omitted Omitted `json:"omitted"`

	catalogue *patterns.Catalogue
	facts     []patterns.Fact
	nodes     []patterns.Place
	chosen    bool // one incident alone
	extent    func(number int) patterns.Extent
	incident  func(patterns.Mark) int
}

// Input is one log that was read.
type Input struct {
	Name    string     `json:"name"`
	Bytes   int64      `json:"bytes"`
	Lines   int64      `json:"lines"`
	Wrapper string     `json:"wrapper"`
	First   *time.Time `json:"first"`
	Last    *time.Time `json:"last"`
	Error   string     `json:"error"`
	// Engine keeps the log, empty for none. What was asked of it stands beside the first of
	// its logs: the bytes that it says it looked at and those that it answered with, and
	// how many requests that were.
	Engine        string `json:"engine,omitempty"`
	ScannedBytes  int64  `json:"scanned_bytes,omitempty"`
	ReceivedBytes int64  `json:"received_bytes,omitempty"`
	Requests      int64  `json:"requests,omitempty"`
	// Matched are the entries that the engine counted before a sample of them was read.
	Matched []Matched `json:"matched,omitempty"`
}

// Matched is how many entries have a reason, empty for those that say none, and how many of
// them were read.
type Matched struct {
	Reason  string `json:"reason"`
	Entries int64  `json:"entries"`
	Read    int64  `json:"read"`
}

// Summary counts over all inputs. First and Last are the times of the first
// and the last dated entry.
type Summary struct {
	Bytes        int64 `json:"bytes"`
	Lines        int64 `json:"lines"`
	Records      int64 `json:"records"`
	Events       int   `json:"events"`
	Duplicates   int   `json:"duplicates"`
	Unclassified int   `json:"unclassified"`
	// Harmless counts the events that healthy servers log as well.
	Harmless int `json:"harmless"`
	// Unread counts the inputs and the stretches of time that were not read, or not in
	// whole: what failed there is in no other count.
	Unread int `json:"unread"`
	// Untimed counts the events whose time is not known, Arrived those that have
	// the time of their arrival.
	Untimed int        `json:"untimed"`
	Arrived int        `json:"arrived"`
	First   *time.Time `json:"first"`
	Last    *time.Time `json:"last"`
}

// Finding is all events of one pattern.
type Finding struct {
	Pattern  string `json:"pattern"`
	Title    string `json:"title"`
	Why      string `json:"why"`
	Category string `json:"category"`
	Severity string `json:"severity"`
	Reporter string `json:"reporter"`
	// Component is the program whose log tells of it.
	Component string                `json:"component"`
	Count     int                   `json:"count"`
	First     *time.Time            `json:"first"`
	Last      *time.Time            `json:"last"`
	Causes    []patterns.CauseScore `json:"causes"`
	Sources   []string              `json:"sources"`
	Samples   []Sample              `json:"samples"`
	// Side is whose certificate or setup is at fault, as in Diagnosis.
	Side string `json:"side"`
	// Ongoing says that the last failure stands within the last twentieth of
	// the time that the logs cover; nil where the logs have no times.
	Ongoing *bool `json:"ongoing"`
	// Fixes are those of the most probable cause.
	Fixes      []Step   `json:"fixes"`
	References []string `json:"references"`
	// Change is nil for a report that was compared with no other.
	Change *Change `json:"change"`
	// Incidents are the numbers of those that it is part of.
	Incidents []int `json:"incidents"`

	timeline patterns.Timeline
}

// Sample is one record as it stood in a log.
type Sample struct {
	Source string     `json:"source"`
	Line   int64      `json:"line"`
	Time   *time.Time `json:"time"`
	// TimeInferred says that the time is a neighbour's or that of the arrival.
	TimeInferred bool   `json:"time_inferred"`
	Text         string `json:"text"`

	subject string
	words   []parser.Word
}

// Diagnosis is one root cause. Side tells whose certificate or setup is at
// fault: that of the server, or of a peer that it calls.
type Diagnosis struct {
	Cause    string `json:"cause"`
	Category string `json:"category"`
	Title    string `json:"title"`
	Side     string `json:"side"`
	// Component is the program that the fixes are for, Deployment how it is run, empty
	// where it is not known.
	Component  string     `json:"component"`
	Deployment string     `json:"deployment"`
	Confidence float64    `json:"confidence"`
	Why        string     `json:"why"`
	Evidence   []Evidence `json:"evidence"`
	Fixes      []Step     `json:"fixes"`
	// Others are the fixes for other ways in which the program may be run.
	Others []Step         `json:"others"`
	Verify []Verification `json:"verify"`
	// Proven says that a check found the cause itself, Alike that it is one of several at
	// the head of the diagnosis that look alike to a log. Decide tells whether it is the
	// one, nil for what is proven.
	Proven bool          `json:"proven"`
	Alike  bool          `json:"alike"`
	Decide *Verification `json:"decide"`

	checks []string
}

// Evidence is a finding that speaks for a cause, or a failed check that proves
// it; then Pattern is empty.
type Evidence struct {
	Pattern string `json:"pattern"`
	Check   string `json:"check,omitempty"`
	Absence string `json:"absence,omitempty"`
	Title   string `json:"title"`
	Count   int    `json:"count"`
}

// Step is one thing to do. Placeholders are the names in it that the user has to replace.
type Step struct {
	Text         string   `json:"text"`
	Command      string   `json:"command"`
	Config       string   `json:"config"`
	Placeholders []string `json:"placeholders,omitempty"`

	left []*patterns.Name
}

// Verification is one way to make sure of a cause.
type Verification struct {
	Text         string   `json:"text"`
	Command      string   `json:"command"`
	Placeholders []string `json:"placeholders,omitempty"`

	left []*patterns.Name
}

// Stop is an end of the server that is none of a TLS failure. Text is a sentence
// with the reason; the source and the line are those of the first.
type Stop struct {
	Text   string     `json:"text"`
	Reason string     `json:"reason"`
	Count  int        `json:"count"`
	First  *time.Time `json:"first"`
	Last   *time.Time `json:"last"`
	Source string     `json:"source"`
	Line   int64      `json:"line"`
}

// Error is an input that could not be read, or not in whole, or a note about one of which
// nothing is missing.
type Error struct {
	Source  string `json:"source"`
	Message string `json:"message"`
	Note    bool   `json:"note,omitempty"`
	// Empty says that there was nothing in it.
	Empty bool `json:"-"`
}

// New makes the document of an analysis. Inputs, Errors, Tool and the counts of
// bytes, lines and records are the caller's to fill in, and so are the times of
// the first and the last entry: the timeline covers these.
func New(a *patterns.Analysis, say *messages.Printer, generated time.Time) *Document {
	d := &Document{
		Schema: Schema, Generated: generated, Lang: string(say.Lang),
		Inputs: []Input{}, Findings: []Finding{}, Diagnosis: []Diagnosis{}, Errors: []Error{},
		Unclassified: samples(a.Odd), Stops: []Stop{}, Hints: []Step{},
		Summary: Summary{Events: a.Events, Duplicates: a.Duplicates, Unclassified: a.Unclassified, Untimed: a.Untimed, Arrived: a.Arrived},
		Tool:    Tool{Name: "wklog", Command: []string{}}, Causes: []CauseTitle{}, Gone: []Finding{},
		Facts: factsOf(a.Facts), Checks: []CheckLine{}, Settled: []string{},
		catalogue: a.Catalogue, facts: a.Facts, extent: a.Extent, incident: a.IncidentOf,
	}
	for _, f := range a.Findings {
		d.Findings = append(d.Findings, finding(&f, say.Lang))
		d.addTitles(f.Causes, a.Catalogue)
		if f.Pattern.Severity == patterns.SeverityInfo {
			d.Summary.Harmless += f.Count
		}
	}
	for _, diagnosis := range a.Diagnosis {
		d.Diagnosis = append(d.Diagnosis, diagnose(&diagnosis, say))
	}
	d.addIncidents(a, say)
	for _, stop := range a.Stops {
		d.Stops = append(d.Stops, stopped(&stop, say))
	}
	d.locate(&patterns.Extent{Sources: a.Sources, Nodes: a.Nodes, Clients: a.Clients, UnknownClients: a.UnknownClients}, a.OtherClients)
	return d
}

// AddInput tells of a log that was read, and of the records in it.
func (d *Document) AddInput(in Input, records int64) {
	s := &d.Summary
	s.Bytes, s.Lines, s.Records = s.Bytes+in.Bytes, s.Lines+in.Lines, s.Records+records
	if in.First != nil && (s.First == nil || in.First.Before(*s.First)) {
		s.First = in.First
	}
	if in.Last != nil && (s.Last == nil || in.Last.After(*s.Last)) {
		s.Last = in.Last
	}
	d.Inputs = append(d.Inputs, in)
}

// AddError tells of an input that could not be read, or not in whole.
func (d *Document) AddError(e Error) {
	if !e.Note {
		d.Summary.Unread++
	}
	d.Errors = append(d.Errors, e)
}

// AddHints says which input or check would show what the logs do not: one of more
// where nothing was found.
func (d *Document) AddHints(more []string, checked bool, say *messages.Printer) {
	keys := []string{}
	switch {
	case len(d.Findings) == 0:
		keys = more
	case d.Undecided():
		keys = []string{"client"}
	}
	if checked {
		d.checked()
	}
	for _, key := range keys {
		d.Hints = append(d.Hints, d.hint(key, say))
	}
}

// hint is one in the user's own names.
func (d *Document) hint(key string, say *messages.Printer) Step {
	server := patterns.Program{Component: patterns.ComponentWuKongIM, Reporter: patterns.ComponentWuKongIM, Deployment: hintsIn[key]}
	step := patterns.Step{Command: say.Say("hint." + key + ".command")}
	if server.Deployment != "" {
		step.In = []patterns.Deployment{server.Deployment}
	}
	filled := Steps(d.catalogue.Fill([]patterns.Step{step}, server, d.facts...), say.Lang)[0]
	filled.Text = say.Say("hint." + key)
	return filled
}

// hintsIn are how the server is run whose log the command of a hint reads.
var hintsIn = map[string]patterns.Deployment{"stdout": patterns.DeployedByDocker, "stderr": patterns.DeployedOnKubernetes}

// checked lets what was not proven by the checks that were made be decided by other means.
func (d *Document) checked() {
	lists := [][]Diagnosis{d.Diagnosis}
	for _, in := range d.Incidents {
		lists = append(lists, in.Diagnosis)
	}
	for _, list := range lists {
		for i := range list {
			if c := &list[i]; !c.Proven && len(c.Verify) > 0 {
				c.Decide = &c.Verify[0]
			}
		}
	}
}

func stopped(s *patterns.Stop, say *messages.Printer) Stop {
	return Stop{
		Text: say.Say("stopped", s.Reason), Reason: s.Reason, Count: s.Count,
		First: Moment(s.First), Last: Moment(s.Last), Source: s.Source, Line: s.Line,
	}
}

func finding(f *patterns.Finding, lang patterns.Lang) Finding {
	doc := Finding{
		Pattern: f.Pattern.ID, Title: f.Pattern.Title.In(lang), Why: f.Pattern.Explain.In(lang),
		Category: f.Pattern.Category, Severity: string(f.Pattern.Severity), Reporter: f.Pattern.Reporter, Component: string(f.Program.Reporter),
		Count: f.Count, First: Moment(f.First), Last: Moment(f.Last), Causes: Scores(f.Causes),
		Sources: f.Sources, Samples: samples(f.Samples), Side: string(f.Pattern.Side), Fixes: []Step{},
		References: append([]string{}, f.Pattern.References...), Incidents: []int{}, timeline: f.Timeline,
	}
	if len(f.Causes) > 0 {
		doc.Fixes = Steps(f.Advice.Fixes, lang)
	}
	return doc
}

// addTitles adds the titles of a finding's causes.
func (d *Document) addTitles(causes []patterns.CauseScore, c *patterns.Catalogue) {
	for _, score := range causes {
		cause := c.Cause(score.ID)
		if cause != nil && d.causeTitle(cause.ID) == "" {
			d.Causes = append(d.Causes, CauseTitle{ID: cause.ID, Title: cause.Title.In(d.lang())})
		}
	}
}

func (d *Document) causeTitle(id string) string {
	for _, cause := range d.Causes {
		if cause.ID == id {
			return cause.Title
		}
	}
	return ""
}

func diagnose(d *patterns.Diagnosis, say *messages.Printer) Diagnosis {
	advice := &d.Advice
	doc := Diagnosis{
		Cause: d.Cause.ID, Category: d.Cause.Category, Title: advice.Title.In(say.Lang), Side: string(d.Side),
		Component: string(d.Program.Component), Deployment: string(d.Program.Deployment),
		Confidence: d.Confidence, Why: advice.Explain.In(say.Lang), Evidence: []Evidence{},
		Fixes: Steps(advice.Fixes, say.Lang), Others: Steps(advice.Others, say.Lang), Verify: []Verification{},
		Proven: d.Proven(), Alike: d.Alike, checks: d.Checks,
	}
	for _, e := range d.Evidence {
		doc.Evidence = append(doc.Evidence, Evidence{Pattern: e.Pattern.ID, Title: e.Pattern.Title.In(say.Lang), Count: e.Count})
	}
	for _, a := range d.Absent {
		doc.Evidence = append(doc.Evidence, Evidence{Absence: a.ID, Title: a.Title.In(say.Lang)})
	}
	for _, step := range Steps(advice.Verify, say.Lang) {
		doc.Verify = append(doc.Verify, step.verification())
	}
	if v, ok := decider(d, say); ok && !doc.Proven {
		doc.Decide = &v
	}
	return doc
}

// Steps gives steps of the catalogue in a language.
func Steps(steps []patterns.Step, lang patterns.Lang) []Step {
	list := []Step{}
	for _, s := range steps {
		list = append(list, Step{Text: s.Says(lang), Command: s.Command, Config: s.Config, Placeholders: named(s.Left), left: s.Left})
	}
	return list
}

// Scores gives a list that is never null in JSON.
func Scores(scores []patterns.CauseScore) []patterns.CauseScore {
	return append([]patterns.CauseScore{}, scores...)
}

func samples(list []patterns.Sample) []Sample {
	out := []Sample{}
	for _, s := range list {
		out = append(out, Sample{Source: s.Source, Line: s.Line, Time: Moment(s.Time), TimeInferred: s.TimeInferred, Text: s.Text, subject: s.Subject, words: s.Words})
	}
	return out
}

// Moment gives a time that is null in JSON when it is not known.
func Moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
