package report

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
)

//go:embed examination.tmpl
var examinationText string

// examinationPage is what the template shows: in the style of a report, with its parts.
type examinationPage struct {
	*Examination
	*htmlPage
}

// Furthers are the verdicts behind the first, each with its line.
func (p *examinationPage) Furthers() (list []furtherVerdict) {
	for _, x := range p.Examination.Servers {
		for i := range x.Verdicts {
			if v := &x.Verdicts[i]; x != p.lead() || i > 0 {
				list = append(list, furtherVerdict{p.say.Say("doctor.part", x.Name, v.line(p.say)), v})
			}
		}
	}
	return list
}

type furtherVerdict struct {
	Line    string
	Verdict *Verdict
}

// Lead is the server of which the first thing is to be done.
func (p *examinationPage) Lead() *Examined { return p.lead() }

// End is the sentence where there is nothing to do.
func (p *examinationPage) End() string { return p.end() }

// Places are those that were looked at.
func (p *examinationPage) Places() []string { return p.looked() }

// NotSeen are those that were not.
func (p *examinationPage) NotSeen() []unseenGroup { return p.unseen() }

// Classes are those of the style, for how a server is and for how a check ended.
var (
	markClasses   = map[string]string{"ok": "info", "FAIL": "error", "warn": "warning", "blind": "warning"}
	statusClasses = map[string]string{"pass": "info", "fail": "error", "warn": "warning", "skip": "quiet"}
)

// writeHTML writes one file that needs no network, as that of a report.
func (e *Examination) writeHTML(w io.Writer, opts Options) error {
	parts := &htmlPage{Document: &Document{}, Say: opts.Say}
	t := template.New("page").Funcs(parts.functions()).Funcs(template.FuncMap{
		"headline": e.headline, "lines": e.lines,
		"todo":   func(v *Verdict, name string) string { return e.say.Say(v.key(), name) },
		"status": func(status string) string { return statusClasses[status] },
		"mark": func(x *Examined) []string {
			return []string{markClasses[x.mark()], e.say.Say("doctor.mark." + x.mark())}
		},
	})
	for _, text := range []string{pageText, examinationText} {
		if _, err := t.Parse(text); err != nil {
			return fmt.Errorf("read the page's template: %w", err)
		}
	}
	if err := t.ExecuteTemplate(w, "examination", &examinationPage{e, parts}); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return nil
}
