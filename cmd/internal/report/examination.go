package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/doctor"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/secrets"
	"wklog/parser"
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
	// redactor replaces names of people and machines, nil for none of them: own are those
	// that only their finder knows to be names.
	redactor *Redactor
	own      []parser.Word
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
	// Start is what starts a server that does not run for no reason that is known.
	Start string `json:"start,omitempty"`
	Facts []Fact `json:"facts"`
	// Verdicts are the causes, the first to be mended first.
	Verdicts []Verdict   `json:"verdicts"`
	Report   *Document   `json:"report"`
	Checks   []CheckLine `json:"checks"`

	reason  string
	list    *Checklist
	service string // by which it is known again in the next look
}

// NewExamination begins with what was looked at. A redactor hides the names of people and
// machines, nil hides none.
func NewExamination(say *messages.Printer, generated time.Time, looks []*doctor.Look, redactor *Redactor) *Examination {
	e := &Examination{
		Schema: ExaminationSchema, Generated: generated, Lang: string(say.Lang), Servers: []*Examined{}, Unseen: []Unseen{}, Looked: []Looked{}, News: []string{},
		say: say, redactor: redactor,
	}
	for _, look := range looks {
		for _, s := range look.Servers {
			e.know(s.Name)
			for _, f := range s.Facts {
				e.know(f.Value)
			}
		}
		for _, u := range look.Unseen {
			e.know(u.Names...)
		}
	}
	// A name may be a part of another.
	slices.SortStableFunc(e.own, func(a, b parser.Word) int { return cmp.Compare(len(b.Text), len(a.Text)) })
	for _, look := range looks {
		e.Looked = append(e.Looked, Looked{
			Place: look.Finder, Found: look.Found, Seconds: look.Took.Seconds(), Absent: look.Absent && look.Found == 0, title: say.Say("doctor.finder." + look.Finder),
		})
		for _, u := range look.Unseen {
			e.miss(e.shown(u.What), u)
		}
		e.Unread = e.Unread || look.Partly
	}
	return e
}

// know remembers names that are to be hidden; that of the product is nobody's.
func (e *Examination) know(names ...string) {
	for _, name := range names {
		if !strings.EqualFold(name, "wukongim") {
			e.own = append(e.own, parser.Word{Kind: parser.WordHost, Text: name})
		}
	}
}

// shown is a text that was found, as it may be shown.
func (e *Examination) shown(text string) string {
	if e.redactor != nil {
		text = e.redactor.Said(text, e.own)
	}
	return Visible(secrets.Hide(text))
}

func (e *Examination) miss(what string, u doctor.Unseen) {
	one := Unseen{What: what, Why: e.shown(e.say.Error(u.Why)), Command: u.Command}
	if !slices.Contains(e.Unseen, one) {
		e.Unseen = append(e.Unseen, one)
	}
}

// Miss adds something that was not looked at.
func (e *Examination) Miss(what string, why error) { e.miss(what, doctor.Unseen{Why: why}) }

// Add adds a server with what its checks and its logs say; unseen is what of it could not
// be looked at.
func (e *Examination) Add(s *doctor.Server, list *Checklist, doc *Document, unseen []doctor.Unseen) {
	x := &Examined{
		Name: e.shown(s.Name), Component: string(s.Component), FoundBy: s.FoundBy, State: string(s.State), Started: Moment(s.Started), Restarts: s.Restarts,
		ExitCode: s.ExitCode, Facts: e.facts(s.Facts), Verdicts: []Verdict{}, Report: doc, Checks: list.Checks, reason: e.shown(s.Reason), list: list,
	}
	x.service = s.FoundBy + " " + numberOfProcess.ReplaceAllString(s.Name, "")
	for i := range list.Causes {
		x.add(checkedVerdict(&list.Causes[i], list))
	}
	for i := range doc.Incidents {
		x.add(incidentVerdict(doc, &doc.Incidents[i], s, e.say))
	}
	x.warnings()
	if s.Operate != nil && e.redactor == nil { // it knows the user's own names
		for i := range x.Verdicts {
			for j := range x.Verdicts[i].Steps {
				step := &x.Verdicts[i].Steps[j]
				step.Command = s.Operate(step.Command)
			}
		}
	}
	slices.SortStableFunc(x.Verdicts, func(a, b Verdict) int { return cmp.Compare(b.weight, a.weight) })
	if len(x.Verdicts) == 0 && !x.green() && e.redactor == nil {
		x.Start = s.Start
	}
	for _, u := range unseen {
		e.miss(e.say.Say("doctor.part", x.Name, e.shown(u.What)), u)
	}
	e.Servers = append(e.Servers, x)
}

func (e *Examination) facts(list []patterns.Fact) []Fact {
	facts := factsOf(list)
	if e.redactor != nil {
		for i := range facts {
			facts[i].Value, facts[i].From = e.redactor.fact(&facts[i]), e.shown(facts[i].From)
		}
	}
	return facts
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
