package report

import (
	"fmt"
	"io"
	"strings"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/secrets"
	"wklog/patterns"
)

// ExplainSchema names the JSON form of an explanation.
const ExplainSchema = "wklog.explain/v1"

// Explanation says what somebody's text means: a pattern, a cause, a handshake state,
// lines of a log or words. Its JSON is fixed by the contract.
type Explanation struct {
	Schema  string `json:"schema"`
	Kind    string `json:"kind"`
	ID      string `json:"id"`
	Pattern string `json:"pattern"`
	Title   string `json:"title"`
	Why     string `json:"why"`
	// Named says that the text names what is explained; else it fits best.
	Named  bool                  `json:"named"`
	Causes []patterns.CauseScore `json:"causes"`
	// Decide is what tells the causes apart, nil where one is certain.
	Decide *Verification `json:"decide"`
	// Fixes and Verify are those of the causes that are worth a thought, each with
	// its cause: of the most probable one alone where it is certain.
	Fixes      []causeStep         `json:"fixes"`
	Verify     []causeVerification `json:"verify"`
	References []string            `json:"references"`
	// Findings and Diagnosis are those of the text as a log, as in a report.
	Findings  []Finding   `json:"findings"`
	Diagnosis []Diagnosis `json:"diagnosis"`
	// Near are other entries that the text fits, best first.
	Near []Neighbour `json:"near"`

	titles map[string]string // of the causes
	advice []causeAdvice
	state  string
	steps  []Step // of a guide, which are numbered
}

// Neighbour is an entry that a text fits as well.
type Neighbour struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Title string `json:"title"`
}

type causeStep struct {
	Cause string `json:"cause"`
	Step
}

type causeVerification struct {
	Cause string `json:"cause"`
	Verification
}

// causeAdvice is what to do if a cause is the one.
type causeAdvice struct {
	patterns.CauseScore
	title         string
	verify, fixes []Step
}

// Explain puts into words what a text means.
func Explain(c *patterns.Catalogue, u *patterns.Understanding, say *messages.Printer) *Explanation {
	e := &Explanation{
		Schema: ExplainSchema, Kind: kindOf(u.Entry), ID: u.Entry.ID(), Named: u.Named, Causes: Scores(u.Causes),
		Fixes: []causeStep{}, Verify: []causeVerification{}, References: []string{}, Findings: []Finding{}, Diagnosis: []Diagnosis{}, Near: []Neighbour{},
		titles: map[string]string{},
	}
	side := e.describe(c, u.Entry, say)
	if u.Analysis != nil {
		e.ofLog(u.Analysis, say)
	}
	if u.Event != nil {
		e.Kind = "text"
		if state := c.State(u.Event.Record.State); state != nil && u.Event.Record.State != "" {
			e.state = state.ID + ": " + state.Explain.In(say.Lang)
		}
	}
	e.because(c, u, side, say)
	if guide := u.Entry.Guide; guide != nil {
		e.steps = Steps(c.Fill(guide.Steps, side.Program()), say.Lang)
		for _, step := range e.steps {
			e.Fixes = append(e.Fixes, causeStep{"", step})
		}
	}
	for _, near := range u.Near {
		e.Near = append(e.Near, Neighbour{Kind: kindOf(near), ID: near.ID(), Title: near.Title().In(say.Lang)})
	}
	return e
}

// kindOf is the kind of an entry in JSON.
func kindOf(e patterns.Entry) string {
	switch {
	case e.Pattern != nil:
		return "pattern"
	case e.Cause != nil:
		return "cause"
	case e.State != nil:
		return "state"
	case e.Guide != nil:
		return "guide"
	}
	return "text"
}

// describe says what the entry is, and gives whose setup it is about.
func (e *Explanation) describe(c *patterns.Catalogue, entry patterns.Entry, say *messages.Printer) patterns.Side {
	side := patterns.SideServer
	e.Title = entry.Title().In(say.Lang)
	switch {
	case entry.Pattern != nil:
		e.Pattern, e.Why, side = entry.Pattern.ID, entry.Pattern.Explain.In(say.Lang), entry.Pattern.Side
		e.References = append(e.References, entry.Pattern.References...)
	case entry.Cause != nil:
		e.Why = entry.Cause.Explain.In(say.Lang)
		e.References = append(e.References, c.Sources(entry.Cause)...)
	case entry.State != nil:
		e.Why = entry.State.Explain.In(say.Lang)
		e.References = append(e.References, "WuKongIM/crypto b872b70 tls/conn.go:36-146")
	case entry.Symptom != nil:
		e.Why = entry.Symptom.Explain.In(say.Lang)
		e.References = append(e.References, entry.Symptom.References...)
	case entry.Guide != nil:
		e.Why = entry.Guide.Explain.In(say.Lang)
		e.References = append(e.References, entry.Guide.References...)
	default:
		e.Title, e.Why = say.Say("explain.unknown"), say.Say("explain.unknown.why")
	}
	return side
}

// ofLog tells what was found in lines of a log.
func (e *Explanation) ofLog(a *patterns.Analysis, say *messages.Printer) {
	e.Kind = "text"
	if len(a.Findings) == 0 {
		if e.Title = say.Say("explain.nothing"); len(a.Stops) > 0 {
			e.Why = say.Say("stopped", secrets.Hide(a.Stops[0].Reason))
		}
		return
	}
	for _, f := range a.Findings {
		e.Findings = append(e.Findings, finding(&f, say.Lang))
	}
	for _, d := range a.Diagnosis {
		e.Diagnosis = append(e.Diagnosis, diagnose(&d, say))
	}
	if len(a.Findings) > 1 {
		e.Title, e.Why = say.Say("explain.several", a.Events, len(a.Findings)), ""
	}
}

// because adds what to do about the causes.
func (e *Explanation) because(c *patterns.Catalogue, u *patterns.Understanding, side patterns.Side, say *messages.Printer) {
	const most = 3
	for i, score := range u.Causes {
		cause := c.Cause(score.ID)
		if cause == nil {
			continue
		}
		if i < len(e.Diagnosis) && e.Diagnosis[i].Cause == score.ID {
			side = patterns.Side(e.Diagnosis[i].Side)
		}
		advice := c.Advice(cause, programOf(u, score.ID, side))
		e.titles[score.ID] = advice.Title.In(say.Lang)
		if i == 0 || score.Score >= worthwhile && i < most && !e.certain() {
			e.advice = append(e.advice, causeAdvice{score, e.titles[score.ID], Steps(advice.Verify, say.Lang), Steps(advice.Fixes, say.Lang)})
		}
	}
	for _, a := range e.advice {
		for _, step := range a.fixes {
			e.Fixes = append(e.Fixes, causeStep{a.ID, step})
		}
		for _, step := range a.verify {
			e.Verify = append(e.Verify, causeVerification{a.ID, step.verification()})
		}
	}
	e.decide(u, say)
}

// programOf is the program that the text is about, as far as it tells.
func programOf(u *patterns.Understanding, cause string, side patterns.Side) patterns.Program {
	if u.Analysis != nil {
		for _, d := range u.Analysis.Diagnosis {
			if d.Cause.ID == cause {
				return d.Program
			}
		}
	}
	if u.Event != nil {
		return u.Event.Program
	}
	return side.Program()
}

// certain tells whether the first cause is.
func (e *Explanation) certain() bool { return len(e.Causes) > 0 && e.Causes[0].Score >= sure }

// decide is what tells the causes apart: what the server sends, where it is about a
// certificate that clients do not accept, else how to be sure of the first.
func (e *Explanation) decide(u *patterns.Understanding, say *messages.Printer) {
	if len(e.advice) == 0 || e.certain() {
		return
	}
	pattern := u.Entry.Pattern
	if pattern == nil || pattern.Measured && pattern.Side == patterns.SideServer {
		e.Decide = &Verification{Text: say.Say("live.check"), Command: say.Say("hint.check.command")}
		return
	}
	if verify := e.advice[0].verify; len(verify) > 0 {
		decide := verify[0].verification()
		e.Decide = &decide
	}
}

// WriteExplanation writes an explanation for a person.
func WriteExplanation(w io.Writer, e *Explanation, opts Options) error {
	p := NewPage(opts)
	if e.ID != "" && !e.Named {
		p.Paragraph("", p.say.Say("explain.fits"))
		p.Line("")
	}
	p.Paragraph("", e.Title, bold)
	if e.Why != "" {
		p.Paragraph("", e.Why)
	}
	if e.state != "" {
		p.Paragraph("", e.state)
	}
	for _, step := range e.steps {
		p.Line("")
		p.Paragraph("", step.Text)
		p.instruction("    ", &step)
	}
	p.replaced("", e.steps)
	p.found(e)
	if e.Decide != nil {
		p.Heading("explain.decide")
		p.Paragraph("    ", e.Decide.Text)
		p.command("    ", e.Decide.Command)
	}
	p.possible(e)
	if e.certain() {
		p.remedy(e.advice)
	} else {
		p.choices(e.advice)
	}
	if len(e.Near) > 0 {
		p.Heading("explain.near")
		for _, near := range e.Near {
			p.Paragraph("  ", near.Title+"  "+near.ID)
		}
	}
	if len(e.References) > 0 {
		p.Heading("explain.references")
		p.Paragraph("  ", sources(e.References, opts.Say))
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// found lists several kinds of failures.
func (p *Page) found(e *Explanation) {
	if len(e.Findings) < 2 {
		return
	}
	p.Heading("findings")
	for _, f := range e.Findings {
		p.Paragraph("  ", fmt.Sprintf("%s ×%d  %s", f.Title, f.Count, f.Pattern))
	}
}

// possible lists the causes, but for one that was asked for.
func (p *Page) possible(e *Explanation) {
	if len(e.Causes) == 0 || e.Kind == "cause" {
		return
	}
	p.Heading("explain.causes")
	for _, score := range e.Causes {
		if score.Score >= 0.01 {
			p.Paragraph(fmt.Sprintf("  %s  ", percent(score.Score)), strings.TrimSpace(e.titles[score.ID]+"  "+score.ID))
		}
	}
}

// remedy is what to do about a cause that is certain.
func (p *Page) remedy(advice []causeAdvice) {
	for _, a := range advice {
		p.advice("", "diagnosis.verify", a.verify)
		p.advice("", "diagnosis.fixes", a.fixes)
	}
}

// choices are what to do about each cause, if it is the one: all of it where it is more
// likely than the others together.
func (p *Page) choices(advice []causeAdvice) {
	const likely = 0.5
	for _, a := range advice {
		p.Line("")
		p.Paragraph("", p.say.Say("explain.if", a.title, strings.TrimSpace(percent(a.Score)), a.ID), bold)
		if a.Score >= likely {
			p.advice("  ", "explain.tell", a.verify)
			p.advice("  ", "explain.fix", a.fixes)
			continue
		}
		p.advice("  ", "explain.tell", a.verify[:min(len(a.verify), 1)])
		p.advice("  ", "explain.fix", a.fixes[:min(len(a.fixes), 1)])
		p.Line("  " + p.say.Say("diagnosis.explain", a.ID))
	}
}
