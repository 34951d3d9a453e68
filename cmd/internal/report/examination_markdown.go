package report

import (
	"io"
	"regexp"
	"strings"
)

// writeMarkdown writes what is wrong and what to do in headings, lists and blocks of code
// alone, which chats show too, and what was found of each server folded below it.
func (e *Examination) writeMarkdown(w io.Writer, opts Options) error {
	m := &markdown{say: opts.Say}
	m.examination(e)
	_, err := io.WriteString(w, m.String())
	return err
}

func (m *markdown) examination(e *Examination) {
	m.heading(1, e.say.Say("doctor.title"))
	m.bullets(e.News)
	for _, x := range e.Servers {
		m.line("- **", e.say.Say("doctor.mark."+x.mark()), "** ", withNames(e.headline(x)))
		for _, text := range e.lines(x) {
			m.line("  - ", withNames(text))
		}
	}
	m.line()
	if len(e.Servers) == 0 {
		m.paragraph(e.say.Say("doctor.nothing"))
	}
	if x := e.lead(); x != nil {
		m.first(e, x)
	} else if text := e.end(); text != "" {
		m.paragraph(text)
	}
	m.heading(2, e.say.Say("doctor.looked-at"))
	m.bullets(e.looked())
	m.unseen(e)
	for _, x := range e.Servers {
		m.details(literalText(e.headline(x)), func() { m.examined(x) })
	}
}

// bullets writes texts as they are.
func (m *markdown) bullets(texts []string) {
	for _, text := range texts {
		m.line("- ", withNames(text))
	}
	m.line()
}

// withNames shows a text with names in it, of which GitHub would make links.
func withNames(text string) string {
	return linked.ReplaceAllStringFunc(prose(text), func(begin string) string {
		return strings.NewReplacer(":", "&#58;", ".", "&#46;").Replace(begin)
	})
}

// linked begins what GitHub makes a link of (GitHub Flavored Markdown, 6.9).
var linked = regexp.MustCompile(`(?i)\b(?:https?|ftp)://|www\.`)

// first is what to do first, and what else there is.
func (m *markdown) first(e *Examination, x *Examined) {
	v := &x.Verdicts[0]
	m.heading(2, withNames(e.say.Say(v.key(), x.Name)))
	m.bullets(v.rest())
	m.steps("", v.Steps)
	if lines, more := e.furthers(x); len(lines) > 0 {
		m.heading(2, e.say.Say("doctor.further"))
		if more > 0 {
			lines = append(lines, e.say.Say("doctor.more", more))
		}
		m.bullets(lines)
	}
}

func (m *markdown) unseen(e *Examination) {
	groups := e.unseen()
	if len(groups) > 0 {
		m.heading(2, e.say.Say("doctor.unseen"))
	}
	for _, g := range groups {
		m.bullets(g.Lines)
		if g.Command != "" {
			m.fence("sh", g.Command)
		}
	}
}

// examined is what the checks and the logs say of a server.
func (m *markdown) examined(x *Examined) {
	rows := [][]string{}
	for _, c := range x.Checks {
		rows = append(rows, []string{m.say.Say("status." + c.Status), prose(c.Title), withNames(c.Detail)})
	}
	m.table(m.words([]string{"doctor.status", "doctor.check", "doctor.detail"}), 0, rows)
	m.stops(x.Report)
	if len(x.Report.Findings) > 0 {
		m.findings(x.Report)
	}
	m.unclassified(x.Report)
}
