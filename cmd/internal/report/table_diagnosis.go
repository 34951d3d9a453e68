package report

import (
	"fmt"
	"slices"
	"strings"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

func (p *Page) diagnosis(d *Document) {
	if d.several() {
		p.incidents(d)
		return
	}
	p.Heading("diagnosis")
	if len(d.Diagnosis) == 0 {
		p.Paragraph("", p.say.Say("diagnosis.none"))
		return
	}
	p.lead(d, d.Diagnosis)
	if d.Omitted.Diagnosis > 0 && p.much.kinds == 0 {
		p.Paragraph("", p.say.Say("diagnosis.more", d.Omitted.Diagnosis))
	}
	p.percentages(d.Diagnosis)
}

// lead tells of a diagnosis, of its leading cause in full.
func (p *Page) lead(d *Document, list []Diagnosis) {
	if p.much.kinds > 0 {
		p.briefDiagnosis(d, list)
		return
	}
	p.Paragraph("", verdict(d, list, p.say))
	if list[0].Alike {
		p.decide("    ", &list[0], true)
	}
	p.steps(d.Hints)
	for i, cause := range list {
		p.cause(i, &cause, i == 0 && !d.harmless())
		if i == 0 && len(d.Incidents) > 0 {
			p.unexplained(d, &d.Incidents[0])
		}
	}
}

// harmless tells whether healthy servers show all that was found as well.
func (d *Document) harmless() bool {
	return d.Summary.Events > 0 && d.Summary.Harmless == d.Summary.Events
}

// certainty chooses the sentence that tells how far the leading cause of a diagnosis is
// to be trusted.
func (d *Document) certainty(list []Diagnosis) string {
	const likely = 0.5
	switch lead := &list[0]; {
	case d.harmless():
		return "certainty.harmless"
	case lead.Proven:
		return "certainty.proven"
	case lead.Confidence >= sure && len(d.Settled) > 0:
		return "certainty.checked"
	case lead.Confidence >= sure:
		return "certainty.sure"
	case lead.Alike:
		return "certainty.alike"
	case lead.Confidence >= likely:
		return "certainty.likely"
	}
	return "certainty.open"
}

// verdict says how far the leading cause of a diagnosis is to be trusted.
func verdict(d *Document, list []Diagnosis, say *messages.Printer) string {
	key := d.certainty(list)
	if key != "certainty.alike" {
		return say.Say(key)
	}
	return say.Say(key, alikeOf(list))
}

// Undecided tells whether no cause of failing clients leads clearly.
func (d *Document) Undecided() bool {
	return len(d.Diagnosis) > 0 && d.Diagnosis[0].Side == string(patterns.SideServer) && slices.Contains([]string{"certainty.alike", "certainty.open"}, d.certainty(d.Diagnosis))
}

func (p *Page) cause(i int, d *Diagnosis, leads bool) {
	p.Line("")
	lead := fmt.Sprintf("%2d. %5s  ", i+1, d.amount(p.say))
	p.Paragraph(lead, d.Title+"  "+d.Cause, bold)
	indent := strings.Repeat(" ", 4)
	if !leads {
		for _, check := range d.Verify[:min(len(d.Verify), 1)] {
			p.Paragraph(indent, check.Text)
			p.command(indent+"  ", check.Command)
		}
		p.Line(indent + p.say.Say("diagnosis.explain", d.Cause))
		return
	}
	p.Paragraph(indent, d.Why)
	if len(d.Evidence) > 0 {
		p.Paragraph(indent+p.say.Say("diagnosis.evidence"), evidence(d.Evidence, p.say))
	}
	p.advice(indent, "diagnosis.verify", d.lookFirst())
	p.advice(indent, d.fixesKey(), d.Fixes)
}

// lookFirst are the ways to be sure of a cause: what decides first, but where it stands
// above the causes that look alike.
func (d *Diagnosis) lookFirst() []Step {
	steps := verificationSteps(d.Verify)
	if d.Decide != nil && !d.Alike && !slices.ContainsFunc(d.Verify, func(v Verification) bool { return v.Command == d.Decide.Command }) {
		steps = append([]Step{d.Decide.step()}, steps...)
	}
	return steps
}

func verificationSteps(list []Verification) []Step {
	steps := []Step{}
	for _, c := range list {
		steps = append(steps, c.step())
	}
	return steps
}
