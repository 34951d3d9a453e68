package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/fatih/color"
)

// maxBrief is how many lines a report of one incident takes unless all is asked for: what
// fits on two screens of a terminal.
const maxBrief = 40

// detail is how much of each part a brief report shows.
type detail struct {
	// sentences are those of an explanation, fixes those of the leading cause, kinds of
	// failure those in the table, others the less likely causes.
	sentences, fixes, kinds, samples, others int
	// block is how many lines a command or a snippet may have.
	block int
}

// details are tried in turn, until the report is brief.
var details = []detail{
	{2, 2, 5, 5, 3, 20}, {2, 2, 3, 2, 3, 20}, {2, 2, 3, 1, 3, 20}, {2, 2, 2, 1, 2, 12}, {1, 2, 2, 1, 2, 12},
	{1, 2, 2, 1, 2, 6}, {1, 2, 1, 0, 1, 6}, {1, 1, 1, 0, 1, 6},
}

// briefly writes the report with as much detail as it has room for.
func (p *Page) briefly(d *Document) {
	for _, much := range details {
		p.Reset()
		p.told = map[string]bool{}
		p.much = much
		p.document(d)
		if d.several() || p.lines() <= maxBrief {
			return
		}
	}
}

// colours are what steers those of a terminal (ECMA-48, SGR).
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// lines are those of the terminal: what is not to be wrapped takes several.
func (p *Page) lines() int {
	n := 0
	for line := range strings.Lines(colours.ReplaceAllString(p.String(), "")) {
		n += max(1, (columns(strings.TrimRight(line, "\n"))+p.width-1)/p.width)
	}
	return n
}

// briefDiagnosis is the verdict, what decides, why in two sentences, and two fixes.
func (p *Page) briefDiagnosis(d *Document, list []Diagnosis) {
	p.Paragraph("", verdict(d, list, p.say))
	lead := &list[0]
	indent := strings.Repeat(" ", 7)
	switch {
	case d.harmless():
		p.seen(indent, lead)
		for i := range list {
			if list[i].Confidence >= worthwhile {
				p.briefCause(&list[i], 0)
			}
		}
	case lead.Alike:
		p.decide("  ", lead, true)
		for _, hint := range d.Hints {
			p.Paragraph("  ", hint.Text)
			p.command("  ", hint.Command)
		}
		for i := range list {
			if list[i].Alike {
				p.briefCause(&list[i], p.much.sentences/2)
			}
		}
		p.seen(indent, lead)
		p.others(list)
	default:
		p.briefCause(lead, 0)
		p.decide(indent, lead, false)
		p.Paragraph(indent, sentences(lead.Why, p.much.sentences))
		p.seen(indent, lead)
		p.briefFixes(lead)
		p.others(list)
	}
	for i := range list {
		if i > 0 && list[i].Proven {
			p.briefCause(&list[i], 0)
		}
	}
	if len(d.Incidents) > 0 {
		p.unexplained(d, &d.Incidents[0])
	}
	p.Paragraph("  ", p.say.Say("diagnosis.rest", lead.Cause))
}

// briefCause is one line of a cause, with so many sentences of its explanation.
func (p *Page) briefCause(d *Diagnosis, many int) {
	p.Paragraph(fmt.Sprintf("%5s  ", d.amount(p.say)), d.Title+"  "+d.Cause, bold)
	if many > 0 {
		p.Paragraph(strings.Repeat(" ", 7), sentences(d.Why, many))
	}
}

// decide shows the command that tells whether a cause is the one; announced says that the
// line before has led to it.
func (p *Page) decide(indent string, d *Diagnosis, announced bool) {
	switch {
	case d.Decide == nil:
	case d.Decide.Command == "":
		p.Paragraph(indent, d.Decide.Text)
	case saysItself(d.Decide.Command) && announced:
		p.command(indent, d.Decide.Command)
	case saysItself(d.Decide.Command):
		p.command(indent+p.say.Say("live.look"), d.Decide.Command)
	default:
		p.Paragraph(indent, d.Decide.Text)
		p.command(indent, d.Decide.Command)
	}
}

// saysItself tells of wklog's own checks, which say what they look at.
func saysItself(command string) bool { return strings.HasPrefix(command, "wklog check") }

// beginWith is what to do first, behind its heading.
func (p *Page) beginWith(indent, heading string, step *Step) {
	if saysItself(step.Command) {
		p.command(indent+heading, step.Command)
		return
	}
	p.Paragraph(indent+heading, step.Text)
	p.instruction(indent+"  ", step)
}

func (p *Page) seen(indent string, d *Diagnosis) {
	if len(d.Evidence) > 0 {
		p.Paragraph(indent+p.say.Say("diagnosis.evidence"), evidence(d.Evidence, p.say))
	}
}

// briefFixes are the first fixes. Of a long snippet only its place is told: a part of it
// would break what it is pasted into.
func (p *Page) briefFixes(d *Diagnosis) {
	fixes := slices.Clone(limit(d.Fixes, p.much.fixes))
	for i := range fixes {
		f := &fixes[i]
		if strings.Count(strings.TrimSpace(f.Command+"\n"+f.Config), "\n") >= p.much.block {
			f.Command, f.Config = "wklog explain "+d.Cause, ""
		}
	}
	p.advice("  ", d.fixesKey(), fixes)
}

// others names the causes behind those that lead, in one paragraph.
func (p *Page) others(list []Diagnosis) {
	parts := []string{}
	for i := range list {
		switch d := &list[i]; {
		case i == 0 || d.Alike || d.Proven:
		case len(parts) < p.much.others && d.Confidence >= worthwhile:
			parts = append(parts, p.say.Say("findings.cause", d.Title, d.amount(p.say)))
		}
	}
	if len(parts) > 0 {
		p.Paragraph("  "+p.say.Say("diagnosis.others"), strings.Join(parts, p.say.Say("diagnosis.evidence.join")))
	}
}

// alikeOf counts the causes at the head of a diagnosis that look alike to a log.
func alikeOf(list []Diagnosis) int {
	n := 0
	for _, d := range list {
		if d.Alike {
			n++
		}
	}
	return n
}

// briefIncident tells of one of several incidents: its causes, and what decides.
func (p *Page) briefIncident(d *Document, in *Incident) {
	for i := range in.Diagnosis {
		if c := &in.Diagnosis[i]; i == 0 || c.Alike {
			p.briefCause(c, 0)
		}
	}
	p.decide("       ", &in.Diagnosis[0], false)
	p.unexplained(d, in)
}

// sentences are the first ones of a text.
func sentences(text string, many int) string {
	text = strings.Join(strings.Fields(text), " ")
	end := 0
	for range many {
		end += len(firstSentence(text[end:]))
		for end < len(text) && text[end] == ' ' {
			end++
		}
	}
	return strings.TrimSpace(text[:end])
}

// percentages says what a percentage is, under the diagnosis.
func (p *Page) percentages(list []Diagnosis) {
	for _, d := range list {
		if !d.Proven {
			p.Paragraph("  ", p.say.Say("diagnosis.percent"), color.Faint)
			return
		}
	}
}
