package report

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/doctor"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/secrets"
	"wklog/patterns"
)

// ExaminationSchema names the form of an examination as JSON.
const ExaminationSchema = "wklog.doctor/v1"

// Examination is what doctor found; its JSON is fixed by the contract.
type Examination struct {
	Schema    string    `json:"schema"`
	Generated time.Time `json:"generated"`
	Lang      string    `json:"lang"`
	// Servers are in the order in which they are at fault, the worst first.
	Servers []*Examined `json:"servers"`
	Unseen  []Unseen    `json:"unseen"`
	// Looked are the places that were looked at.
	Looked []Looked `json:"looked_at"`
	// News says what has changed since the last look of --watch.
	News []string `json:"news"`
	Cut  bool     `json:"cut"`
	// Unread says that something that is there could not be read, or not to its end.
	Unread bool `json:"unread"`

	say *messages.Printer
}

// Unseen is something that could not be looked at.
type Unseen struct {
	What    string `json:"what"`
	Why     string `json:"why"`
	Command string `json:"command,omitempty"`
}

// Looked is a place that was looked at.
type Looked struct {
	Place   string  `json:"place"`
	Found   int     `json:"found"`
	Seconds float64 `json:"seconds"`
	Absent  bool    `json:"absent"`

	title string
}

// Examined is a server with what was found of it.
type Examined struct {
	Name      string     `json:"name"`
	Component string     `json:"component"`
	FoundBy   string     `json:"found_by"`
	State     string     `json:"state"`
	Started   *time.Time `json:"started"`
	Restarts  int        `json:"restarts"`
	ExitCode  int        `json:"exit_code"`
	Facts     []Fact     `json:"facts"`
	// Verdicts are the causes, the first to be mended first.
	Verdicts []Verdict   `json:"verdicts"`
	Report   *Document   `json:"report"`
	Checks   []CheckLine `json:"checks"`

	reason string
	list   *Checklist
}

// Verdict is one cause of a server.
type Verdict struct {
	Cause      string  `json:"cause"`
	Title      string  `json:"title"`
	Confidence float64 `json:"confidence"`
	Proven     bool    `json:"proven"`
	Why        string  `json:"why"`
	// Found are the details of the checks that found it, or the failures that point to it.
	Found []string `json:"found"`
	// Steps are the fixes of what is decided, else what decides.
	Steps   []Step `json:"steps"`
	Decided bool   `json:"decided"`

	weight  float64
	checked bool // by a check
}

// NewExamination begins with what was looked at.
func NewExamination(say *messages.Printer, generated time.Time, looks []*doctor.Look) *Examination {
	e := &Examination{
		Schema: ExaminationSchema, Generated: generated, Lang: string(say.Lang), Servers: []*Examined{}, Unseen: []Unseen{}, Looked: []Looked{}, News: []string{}, say: say,
	}
	for _, look := range looks {
		e.Looked = append(e.Looked, Looked{
			Place: look.Finder, Found: look.Found, Seconds: look.Took.Seconds(), Absent: look.Absent && look.Found == 0, title: say.Say("doctor.finder." + look.Finder),
		})
		e.miss(look.Unseen)
		e.Unread = e.Unread || look.Partly
	}
	return e
}

func (e *Examination) miss(list []doctor.Unseen) {
	for _, u := range list {
		one := Unseen{What: Visible(secrets.Hide(u.What)), Why: Visible(secrets.Hide(e.say.Error(u.Why))), Command: u.Command}
		if !slices.Contains(e.Unseen, one) {
			e.Unseen = append(e.Unseen, one)
		}
	}
}

// Add adds a server with what its checks and its logs say.
func (e *Examination) Add(s *doctor.Server, list *Checklist, doc *Document, unseen []doctor.Unseen) {
	x := &Examined{
		Name: Visible(s.Name), Component: string(s.Component), FoundBy: s.FoundBy, State: string(s.State), Started: Moment(s.Started), Restarts: s.Restarts,
		ExitCode: s.ExitCode, Facts: factsOf(s.Facts), Verdicts: []Verdict{}, Report: doc, Checks: list.Checks, reason: s.Reason, list: list,
	}
	running := s.State == doctor.Running
	for i := range list.Causes {
		x.add(checkedVerdict(&list.Causes[i], list))
	}
	for i := range doc.Incidents {
		if in := &doc.Incidents[i]; !running || !in.overcome(s.Started, list.catalogue) {
			x.add(incidentVerdict(doc, in, running))
		}
	}
	x.warnings()
	for i := range x.Verdicts {
		operated(x.Verdicts[i].Steps, s.Operate)
	}
	slices.SortStableFunc(x.Verdicts, func(a, b Verdict) int { return cmp.Compare(b.weight, a.weight) })
	e.miss(unseen)
	e.Servers = append(e.Servers, x)
}

func operated(steps []Step, operate func(string) string) {
	if operate == nil {
		return
	}
	for i := range steps {
		steps[i].Command = operate(steps[i].Command)
	}
}

// How much a verdict weighs: what a check proves weighs by what is broken; what the logs
// say less, unless the server does not run, of which the checks know nothing.
var weights = map[check.Breaks]float64{check.TheServer: 100, check.AllClients: 90, check.SomeClients: 70, "": 60}

const (
	weightOfLogs    = 80
	weightOfOver    = 40
	weightOfStopped = 30 // more
	weightOfWarning = 20
)

func checkedVerdict(c *CheckedCause, list *Checklist) Verdict {
	v := Verdict{Cause: c.Cause, Title: c.Title, Confidence: 1, Proven: true, Decided: true, Why: c.Why, Steps: slices.Clone(c.Fixes), Found: []string{}, weight: weights[c.Breaks], checked: true}
	v.Steps = once(v.Steps)
	for _, line := range list.Checks {
		if line.Status == string(check.Fail) && line.Cause == c.Cause && !slices.Contains(v.Found, line.Detail) {
			v.Found = append(v.Found, line.Detail)
		}
	}
	return v
}

// once are steps without those that two checks ask for.
func once(steps []Step) (list []Step) {
	for _, s := range steps {
		if !slices.ContainsFunc(list, func(other Step) bool {
			return s.Text == other.Text && s.Command == other.Command && s.Config == other.Config
		}) {
			list = append(list, s)
		}
	}
	return list
}

// overcome tells of what kept a server from starting that it has started since.
func (in *Incident) overcome(started time.Time, c *patterns.Catalogue) bool {
	return in.Last != nil && in.Last.Before(started) && !slices.ContainsFunc(in.Findings, func(f PatternCount) bool {
		pattern := c.Pattern(f.Pattern)
		return pattern == nil || pattern.Phase != "startup"
	})
}

// incidentVerdict is the leading cause of an incident; none of what healthy servers show.
func incidentVerdict(doc *Document, in *Incident, running bool) (v Verdict) {
	if len(in.Diagnosis) == 0 || doc.harmless() || in.Diagnosis[0].Category == "noise" {
		return v
	}
	d := &in.Diagnosis[0]
	v = Verdict{
		Cause: d.Cause, Title: d.Title, Confidence: d.Confidence, Proven: d.Proven, Decided: d.decided(), Why: d.Why, Found: []string{}, weight: weightOfLogs * d.Confidence,
	}
	for _, e := range d.Evidence {
		v.Found = append(v.Found, fmt.Sprintf("%s ×%d", e.Title, e.Count))
	}
	v.Steps = slices.Clone(d.Fixes)
	if !v.Decided {
		v.Steps = d.lookFirst()
		if d.Decide != nil && d.Alike {
			v.Steps = append([]Step{d.Decide.step()}, v.Steps...)
		}
	}
	switch {
	case !running:
		v.weight += weightOfStopped
	case !in.Ongoing:
		v.weight = weightOfOver * d.Confidence
	}
	return v
}

// add keeps one verdict of each cause: what is proven, with what the logs show of it.
func (x *Examined) add(v Verdict) {
	if v.Cause == "" {
		return
	}
	at := slices.IndexFunc(x.Verdicts, func(other Verdict) bool { return other.Cause == v.Cause })
	if at < 0 {
		x.Verdicts = append(x.Verdicts, v)
		return
	}
	known := &x.Verdicts[at]
	known.weight = max(known.weight, v.weight)
	for _, found := range v.Found {
		if !slices.Contains(known.Found, found) && !strings.Contains(found, ": ") {
			known.Found = append(known.Found, found)
		}
	}
}

// warnings are checks that warn and know what to do.
func (x *Examined) warnings() {
	for _, line := range x.Checks {
		if line.Status != string(check.Warn) || len(line.Fixes) == 0 || line.ID == "live-names" {
			continue
		}
		if slices.ContainsFunc(x.Verdicts, func(v Verdict) bool { return v.Cause == line.Cause && v.Cause != "" }) {
			continue
		}
		x.Verdicts = append(x.Verdicts, Verdict{Cause: line.Cause, Title: line.Title, Decided: true, Found: []string{line.Detail}, Steps: slices.Clone(line.Fixes), weight: weightOfWarning})
	}
}

// Finish orders the servers.
func (e *Examination) Finish(cut bool) {
	e.Cut = cut
	slices.SortStableFunc(e.Servers, func(a, b *Examined) int { return cmp.Compare(b.weight(), a.weight()) })
}

func (x *Examined) weight() float64 {
	if len(x.Verdicts) == 0 {
		return 0
	}
	return x.Verdicts[0].weight
}

// green tells that nothing worse than a warning was found.
func (x *Examined) green() bool {
	return x.weight() <= weightOfWarning && (x.State == string(doctor.Running) || x.State == "")
}

// blind tells that nothing of it could be looked at: no log has a line, and no check was
// made. That it is well is not known then.
func (x *Examined) blind() bool {
	return x.Report.Summary.Lines == 0 && len(x.Verdicts) == 0 && !x.list.Has(check.Pass) && !x.list.Has(check.Warn) && !x.list.Has(check.Fail)
}

// Blind tells that of nothing anything could be looked at.
func (e *Examination) Blind() bool {
	return !slices.ContainsFunc(e.Servers, func(x *Examined) bool { return !x.blind() })
}

// Green tells that something was looked at, and nothing is at fault.
func (e *Examination) Green() bool {
	return !e.Blind() && !slices.ContainsFunc(e.Servers, func(x *Examined) bool { return !x.green() })
}

// Status is the exit status: reached where something is at fault, wrong where nothing could
// be looked at.
func (e *Examination) Status(reached, wrong int) int {
	switch {
	case e.Cut, e.Unread:
		return wrong
	case slices.ContainsFunc(e.Servers, func(x *Examined) bool { return x.list.Has(check.Fail) || !x.green() }):
		return reached
	case e.Blind():
		return wrong
	}
	return 0
}

// keys are what is at fault, of which server.
func (e *Examination) keys() map[string]string {
	all := map[string]string{}
	for _, x := range e.Servers {
		for _, v := range x.Verdicts {
			all[x.Name+" "+v.Cause+" "+v.Title] = e.say.Say("doctor.part", x.Name, v.Title)
		}
		if len(x.Verdicts) == 0 && !x.green() {
			all[x.Name+" "+x.State] = e.say.Say("doctor.part", x.Name, e.say.Say("doctor.state."+x.State))
		}
	}
	return all
}

// Same tells that nothing has changed since.
func (e *Examination) Same(before *Examination) bool {
	now, then := e.keys(), before.keys()
	if len(now) != len(then) || len(e.Servers) != len(before.Servers) {
		return false
	}
	for key := range now {
		if _, ok := then[key]; !ok {
			return false
		}
	}
	return true
}

// Since tells what has changed; before may be nil.
func (e *Examination) Since(before *Examination, say *messages.Printer) {
	if before == nil {
		return
	}
	now, then := e.keys(), before.keys()
	tell := func(key string, of, not map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			if _, ok := not[name]; !ok {
				e.News = append(e.News, say.Say(key, of[name]))
			}
		}
	}
	tell("doctor.mended", then, now)
	tell("doctor.new", now, then)
}

// examinationForms are those of an examination, with the endings of their files.
var examinationForms = []struct {
	name, ending string
	write        func(*Examination, io.Writer, Options) error
}{
	{"table", ".txt", (*Examination).writePage},
	{"json", ".json", (*Examination).writeJSON},
	{"html", ".html", (*Examination).writeHTML},
	{"markdown", ".md", (*Examination).writeMarkdown},
}

// ExaminationForms lists their names.
func ExaminationForms() (names []string) {
	for _, f := range examinationForms {
		names = append(names, f.name)
	}
	return names
}

// ExaminationFormOf is the form of a file by the ending of its name, else the page.
func ExaminationFormOf(file string) string {
	for _, f := range examinationForms {
		if strings.HasSuffix(strings.ToLower(file), f.ending) {
			return f.name
		}
	}
	return "table"
}

// Write writes it in the named form.
func (e *Examination) Write(w io.Writer, name string, opts Options) error {
	for _, f := range examinationForms {
		if f.name == name {
			return f.write(e, w, opts)
		}
	}
	return messages.NewError("error.format", name, ExaminationForms())
}

func (e *Examination) writeJSON(w io.Writer, _ Options) error { return WriteJSON(w, e, "  ") }

func (e *Examination) writePage(w io.Writer, opts Options) error {
	p := NewPage(opts)
	p.examination(e)
	if opts.Verbose {
		for _, x := range e.Servers {
			p.Line("")
			p.Line(p.paint(e.headline(x), bold))
			p.Line("")
			p.document(x.Report)
			p.Heading("checks")
			p.checklist(x.list)
		}
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// mostTold verdicts of a server are told, and steps of the first one; the rest is counted.
const (
	mostTold  = 3
	mostSteps = 3
	mostFound = 4
	// mostConfig lines of a snippet are shown: a part of one would break what it is
	// pasted into.
	mostConfig = 10
)

func (p *Page) examination(e *Examination) {
	for _, text := range e.News {
		p.Paragraph("", text, bold)
	}
	for _, x := range e.Servers {
		p.server(e, x)
	}
	if len(e.Servers) == 0 {
		p.Paragraph("", e.say.Say("doctor.nothing"), bold)
	}
	if x := e.lead(); x != nil {
		p.first(e, x)
		p.furthers(e, x)
	} else if len(e.Servers) > 0 && e.Blind() {
		p.Line("")
		p.Paragraph("", e.say.Say("doctor.blind"), bold)
	} else if e.Green() {
		p.Line("")
		p.Paragraph("", e.say.Say("doctor.good"), bold)
	}
	p.looked(e)
}

// lead is the server of which the first thing is to be done, nil for none.
func (e *Examination) lead() *Examined {
	if len(e.Servers) > 0 && len(e.Servers[0].Verdicts) > 0 {
		return e.Servers[0]
	}
	return nil
}

// server is one line, with its verdict on the next.
func (p *Page) server(e *Examination, x *Examined) {
	mark, colour := "ok  ", color.FgGreen
	switch {
	case !x.green():
		mark, colour = "FAIL", color.FgRed
	case len(x.Verdicts) > 0:
		mark, colour = "warn", color.FgYellow
	case x.blind():
		mark, colour = "blind", color.FgYellow
	}
	p.Line(p.paint(e.say.Say("doctor.mark."+strings.TrimSpace(mark)), colour) + "  " + e.headline(x))
	if len(x.Verdicts) > 0 {
		p.Paragraph("      ", x.Verdicts[0].line(p.say))
	} else if !x.green() {
		p.Paragraph("      ", e.say.Say("doctor.no-reason", x.ExitCode))
	}
	if x.reason != "" {
		p.Paragraph("      ", Visible(secrets.Hide(x.reason)))
	}
	for _, s := range x.Report.Stops {
		p.Paragraph("      ", Visible(s.Text))
	}
}

// headline names a server with its state.
func (e *Examination) headline(x *Examined) string {
	text := e.say.Say("doctor.headline", x.Name, e.say.Say("doctor.found."+x.FoundBy), e.say.Say("doctor.state."+x.State))
	if x.Started != nil && x.State == string(doctor.Running) {
		text += e.say.Say("doctor.since", x.Started.Local().Format("2006-01-02 15:04"))
	}
	if x.Restarts > 0 {
		text += e.say.Say("doctor.restarts", x.Restarts)
	}
	return text
}

func (v *Verdict) line(say *messages.Printer) string {
	if v.weight == weightOfWarning {
		return v.Title
	}
	if v.checked && len(v.Found) > 0 { // which has the names
		return v.amount(say) + "  " + Visible(v.Found[0]) + "  " + v.Cause
	}
	return v.amount(say) + "  " + v.Title + "  " + v.Cause
}

func (v *Verdict) amount(say *messages.Printer) string {
	return (&Diagnosis{Proven: v.Proven, Confidence: v.Confidence}).amount(say)
}

// first is what to do first, with the names of the server.
func (p *Page) first(e *Examination, x *Examined) {
	v := &x.Verdicts[0]
	key := "doctor.first"
	if !v.Decided {
		key = "doctor.look"
	}
	p.Line("")
	p.Line(p.paint(e.say.Say(key, x.Name), bold))
	for _, found := range limit(v.Found, mostFound) {
		p.Paragraph("  ", Visible(found))
	}
	for i, s := range limit(v.Steps, mostSteps) {
		p.Paragraph(fmt.Sprintf("  %d) ", i+1), s.Text)
		p.command("     ", s.Command)
		switch {
		case s.Config == "":
		case strings.Count(s.Config, "\n") < mostConfig:
			p.Block("     ", s.Config)
		case s.Command == "" && v.Cause != "":
			p.command("     ", "wklog explain "+v.Cause)
		}
	}
	p.replaced("  ", limit(v.Steps, mostSteps))
	if v.Cause != "" {
		p.Paragraph("  ", e.say.Say("diagnosis.explain", v.Cause))
	}
}

// furthers are the other verdicts, in a line each.
func (p *Page) furthers(e *Examination, lead *Examined) {
	var lines []string
	for _, x := range e.Servers {
		for i := range x.Verdicts {
			if x == lead && i == 0 {
				continue
			}
			if v := &x.Verdicts[i]; i < mostTold && v.weight >= weightOfWarning {
				lines = append(lines, p.say.Say("doctor.part", x.Name, v.line(p.say)))
			}
		}
	}
	if len(lines) == 0 {
		return
	}
	p.Heading("doctor.further")
	for _, line := range lines {
		p.Paragraph("  ", line)
	}
}

// looked says what was looked at, and what was not.
func (p *Page) looked(e *Examination) {
	p.Heading("doctor.looked-at")
	var absent []string
	for _, l := range e.Looked {
		if l.Absent {
			absent = append(absent, l.title)
			continue
		}
		p.Paragraph("  ", e.say.Say("doctor.looked", l.title, l.Found, l.Seconds))
	}
	for _, x := range e.Servers {
		counts := map[string]int{}
		for _, c := range x.Checks {
			counts[c.Status]++
		}
		p.Paragraph("  ", e.say.Say("doctor.read", x.Name, x.Report.Summary.Lines, x.Report.Summary.Events, len(x.Checks)-counts["skip"], counts["skip"]))
	}
	if len(e.Unseen)+len(absent) == 0 {
		return
	}
	p.Heading("doctor.unseen")
	if len(absent) > 0 {
		p.Paragraph("  ", e.say.Say("doctor.absent", e.say.List(absent)))
	}
	for _, u := range e.Unseen {
		p.Paragraph("  ", e.say.Say("error.in-file", u.What, u.Why))
		p.command("    ", u.Command)
	}
}

// markdown writes the page as it is, and the report of each server below it.
func (e *Examination) writeMarkdown(w io.Writer, opts Options) error {
	opts.Color = false
	p := NewPage(opts)
	p.examination(e)
	m := &markdown{say: opts.Say}
	m.heading(1, e.say.Say("doctor.title"))
	m.fence("", p.String())
	for _, x := range e.Servers {
		m.details(literal(e.headline(x)), func() { m.document(x.Report) })
	}
	_, err := io.WriteString(w, m.String())
	return err
}

var examinationPage = template.Must(template.New("examination").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{{.Policy}}">
<title>{{.Title}}</title><style>{{.Style}}</style>
<h1>{{.Title}}</h1><pre>{{.Page}}</pre>
{{range .Parts}}<details><summary>{{.Name}}</summary><pre>{{.Text}}</pre></details>
{{end}}</html>
`))

const examinationStyle = "body{font:16px sans-serif;max-width:60em;margin:auto;padding:1em}pre{white-space:pre-wrap;font-size:14px}"

// writeHTML writes one file that needs no network: the page, and below it what was found of
// each server in full.
func (e *Examination) writeHTML(w io.Writer, opts Options) error {
	opts.Color = false
	type part struct{ Name, Text string }
	var parts []part
	for _, x := range e.Servers {
		p := NewPage(opts)
		p.document(x.Report)
		p.Heading("checks")
		p.checklist(x.list)
		parts = append(parts, part{e.headline(x), p.String()})
	}
	p := NewPage(opts)
	p.examination(e)
	return examinationPage.Execute(w, map[string]any{
		"Lang": e.Lang, "Title": e.say.Say("doctor.title"), "Page": p.String(), "Parts": parts, "Style": template.CSS(examinationStyle),
		"Policy": policy(examinationStyle, ""),
	})
}
