package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// Incident is a stretch of time on one or more nodes in which one fault explains the
// failures. They are numbered from 1: still going on first, then the newest first.
type Incident struct {
	ID    int        `json:"id"`
	First *time.Time `json:"first"`
	Last  *time.Time `json:"last"`
	// Ongoing says that the logs end before its silence is longer than its pauses,
	// Over is the probability that it is over.
	Ongoing bool    `json:"ongoing"`
	Over    float64 `json:"over"`
	// Inferred counts the failures whose time is a neighbour's or that of the arrival.
	Inferred    int            `json:"inferred"`
	Nodes       []string       `json:"nodes"`
	Sources     []string       `json:"sources"`
	Components  []string       `json:"components"`
	Events      int            `json:"events"`
	Clients     int            `json:"clients"`
	Findings    []PatternCount `json:"findings"`
	Unexplained []PatternCount `json:"unexplained"`
	Diagnosis   []Diagnosis    `json:"diagnosis"`
	// Change is new or same; empty for a report that was compared with no other.
	Change string `json:"change,omitempty"`
}

// addIncidents adds those of an analysis, and names in each finding those that it is
// part of.
func (d *Document) addIncidents(a *patterns.Analysis, say *messages.Printer) {
	d.Incidents, d.Passing = []Incident{}, patternCounts(a.Passing)
	for i, in := range a.Incidents {
		d.Incidents = append(d.Incidents, incidentOf(i+1, &in, say))
		for _, e := range in.Findings {
			if f := d.finding(e.Pattern.ID); f != nil {
				f.Incidents = append(f.Incidents, i+1)
				if in := &d.Incidents[i]; !slices.Contains(in.Components, f.Component) {
					in.Components = append(in.Components, f.Component)
				}
			}
		}
	}
}

// incidentOf describes one by its number.
func incidentOf(number int, in *patterns.Incident, say *messages.Printer) Incident {
	incident := Incident{
		ID: number, First: Moment(in.First), Last: Moment(in.Last), Ongoing: in.Ongoing, Over: in.Over, Inferred: in.Inferred,
		Nodes: append([]string{}, in.Nodes...), Sources: append([]string{}, in.Sources...), Components: []string{}, Events: in.Events, Clients: in.Clients,
		Findings: patternCounts(in.Findings), Unexplained: patternCounts(in.Unexplained), Diagnosis: []Diagnosis{},
	}
	for _, diagnosis := range in.Diagnosis {
		incident.Diagnosis = append(incident.Diagnosis, diagnose(&diagnosis, say))
	}
	return incident
}

func patternCounts(list []patterns.Evidence) []PatternCount {
	counts := []PatternCount{}
	for _, e := range list {
		counts = append(counts, PatternCount{Pattern: e.Pattern.ID, Count: e.Count})
	}
	return counts
}

// Only keeps one incident, by its number, with its findings, places and times; it tells
// whether there is one.
func (d *Document) Only(number int) bool {
	at := slices.IndexFunc(d.Incidents, func(in Incident) bool { return in.ID == number })
	if at < 0 {
		return false
	}
	in, where := d.Incidents[at], d.extent(number)
	d.Incidents, d.Diagnosis, d.Passing, d.chosen = []Incident{in}, in.Diagnosis, []PatternCount{}, true
	findings := []Finding{}
	for _, part := range in.Findings {
		f := *d.finding(part.Pattern)
		f.Count, f.Incidents = part.Count, []int{number}
		if i := slices.IndexFunc(where.Patterns, func(p patterns.Place) bool { return p.Name == f.Pattern }); i >= 0 {
			p := &where.Patterns[i]
			f.First, f.Last, f.timeline = Moment(p.First), Moment(p.Last), p.Timeline
		}
		f.Sources = slices.DeleteFunc(slices.Clone(f.Sources), func(name string) bool { return !slices.Contains(in.Sources, name) })
		f.Samples = slices.DeleteFunc(slices.Clone(f.Samples), func(s Sample) bool {
			return !slices.Contains(in.Sources, s.Source) || s.Time != nil && in.First != nil && (s.Time.Before(*in.First) || s.Time.After(*in.Last))
		})
		findings = append(findings, f)
	}
	d.Findings, d.Summary.Events = findings, in.Events
	d.locate(&where, 0)
	d.HideSecrets()
	return true
}

// several tells whether the report is of more than one incident, of one beside failures
// that are of none, or of one that was chosen.
func (d *Document) several() bool {
	return d.chosen || len(d.Incidents) > 1 || len(d.Incidents) > 0 && len(d.Passing) > 0
}

// headline says when an incident was and how long, on which nodes, and how much failed.
func (in *Incident) headline(d *Document, say *messages.Printer) string {
	parts := []string{}
	switch {
	case in.First == nil || in.Last == nil:
		parts = append(parts, say.Say("incident.undated"))
	case in.Ongoing:
		parts = append(parts, say.Say("incident.ongoing", short(in.First, d.Summary), lasting(in.Last.Sub(*in.First), say)))
	default:
		parts = append(parts, say.Say("incident.over", short(in.First, d.Summary), short(in.Last, d.Summary), lasting(in.Last.Sub(*in.First), say)))
	}
	if len(in.Nodes) > 0 {
		parts = append(parts, say.Say("incident.nodes", in.where(say)))
	} else if len(in.Sources) == 1 && len(d.Files) > 1 {
		parts = append(parts, say.Say("incident.nodes", Visible(in.Sources[0])))
	}
	parts = append(parts, say.Say("incident.events", in.Events))
	if in.Clients > 0 {
		parts = append(parts, say.Say("incident.clients", in.Clients))
	}
	if in.Inferred > 0 {
		parts = append(parts, say.Say("incident.inferred", in.Inferred))
	}
	if in.Change != "" {
		parts = append(parts, say.Say("change."+in.Change))
	}
	return strings.Join(parts, say.Say("incident.join"))
}

// namedNodes is how many nodes a headline names: the table of nodes has all of them.
const namedNodes = 4

// where names the nodes of an incident, of many the first and how many others.
func (in *Incident) where(say *messages.Printer) string {
	if others := len(in.Nodes) - namedNodes; others > 1 {
		return say.Say("incident.others", Visible(say.List(in.Nodes[:namedNodes])), others)
	}
	return Visible(say.List(in.Nodes))
}

// lasting says how long something lasts, in its two largest units.
func lasting(t time.Duration, say *messages.Printer) string {
	const day = 24 * time.Hour
	switch {
	case t >= day:
		return say.Say("incident.days", int(t/day), int(t%day/time.Hour))
	case t >= time.Hour:
		return say.Say("incident.hours", int(t/time.Hour), int(t%time.Hour/time.Minute))
	case t >= time.Minute:
		return say.Say("incident.minutes", int(t/time.Minute), int(t%time.Minute/time.Second))
	}
	return say.Say("incident.seconds", int(t/time.Second))
}

// unexplainedText names what the leading cause does not explain, empty for nothing.
func (d *Document) unexplainedText(in *Incident, say *messages.Printer) string {
	if len(in.Unexplained) == 0 {
		return ""
	}
	return say.Say("incident.unexplained", d.counted(in.Unexplained, say))
}

// passingText tells of the failures that are of no incident.
func (d *Document) passingText(say *messages.Printer) string {
	if len(d.Passing) == 0 {
		return ""
	}
	sum := 0
	for _, p := range d.Passing {
		sum += p.Count
	}
	return say.Say("incident.passing", sum, d.counted(d.Passing, say))
}

func (d *Document) counted(list []PatternCount, say *messages.Printer) string {
	parts := []string{}
	for _, p := range list {
		parts = append(parts, fmt.Sprintf("%s ×%d", d.title(p.Pattern), p.Count))
	}
	return strings.Join(parts, say.Say("diagnosis.evidence.join"))
}

// compareIncidents marks those that an earlier report has not: of another cause, or of
// another time.
func (d *Document) compareIncidents(old *Document) {
	for i := range d.Incidents {
		in := &d.Incidents[i]
		in.Change = "new"
		for _, before := range old.Incidents {
			if leadOf(in) == leadOf(&before) && in.meets(&before) {
				in.Change = "same"
			}
		}
	}
}

func leadOf(in *Incident) string {
	if len(in.Diagnosis) == 0 {
		return ""
	}
	return in.Diagnosis[0].Cause
}

// meets tells whether two incidents have a time in common, as far as it is known; one that
// went on when its logs ended may have gone on since.
func (in *Incident) meets(before *Incident) bool {
	if in.First == nil || before.First == nil || in.Last == nil || before.Last == nil {
		return true
	}
	return (before.Ongoing || !in.First.After(*before.Last)) && !before.First.After(*in.Last)
}

// incidents tells of each incident: of the first in full, of the others what leads and
// how to see all of it.
func (p *Page) incidents(d *Document) {
	p.Heading("incidents")
	for i := range d.Incidents {
		in := &d.Incidents[i]
		if i > 0 {
			p.Line("")
		}
		p.Paragraph(fmt.Sprintf("#%d  ", in.ID), in.headline(d, p.say), bold)
		p.diagnosisOf(d, in, i == 0)
	}
	if text := d.passingText(p.say); text != "" {
		p.Line("")
		p.Paragraph("", Visible(text))
	}
	p.percentages(d.Diagnosis)
}

func (p *Page) diagnosisOf(d *Document, in *Incident, full bool) {
	indent := strings.Repeat(" ", 4)
	if len(in.Diagnosis) == 0 {
		p.Paragraph(indent, p.say.Say("diagnosis.none"))
		return
	}
	if full {
		p.lead(d, in.Diagnosis)
		return
	}
	if p.much.kinds > 0 {
		p.briefIncident(d, in)
		return
	}
	p.decide(indent, &in.Diagnosis[0], false)
	for i, cause := range in.Diagnosis {
		switch {
		case i == 0:
			p.cause(i, &cause, false)
			p.unexplained(d, in)
		case cause.Alike || cause.Confidence >= worthwhile:
			p.Paragraph(indent, cause.amount(p.say)+"  "+cause.Title+"  "+cause.Cause)
		}
	}
}

func (p *Page) unexplained(d *Document, in *Incident) {
	if text := d.unexplainedText(in, p.say); text != "" {
		p.Paragraph("    ", Visible(text), color.FgYellow)
	}
}

// incidentNumbers are those of the incidents that a finding is part of.
func (f *Finding) incidentNumbers() string {
	parts := []string{}
	for _, number := range f.Incidents {
		parts = append(parts, fmt.Sprint(number))
	}
	return strings.Join(parts, "; ")
}
