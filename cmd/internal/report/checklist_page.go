package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fatih/color"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
)

// Write writes the checklist as JSON or as a table.
func (l *Checklist) Write(w io.Writer, form string, opts Options) error {
	if form == "json" {
		if l.Report != nil {
			l.Report = l.Report.shown(opts.Top)
		}
		return WriteJSON(w, l, "  ")
	}
	p := NewPage(opts)
	p.checklist(l)
	if _, err := io.WriteString(w, p.String()); err != nil || l.Report == nil {
		return err
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return Write(w, form, l.Report, opts)
}

// groupOf names the heading under which a check stands.
func groupOf(id string) string {
	switch kind, _, _ := strings.Cut(id, "-"); kind {
	case "config", "kube":
		return "checks.config"
	case "live":
		return "checks.live"
	case "proxy":
		return "checks.proxy"
	}
	return "checks.certificate"
}

func (p *Page) checklist(l *Checklist) {
	counts := map[string]int{}
	for _, c := range l.Checks {
		counts[c.Status]++
	}
	p.Paragraph("", p.say.Say("checks.summary", counts["fail"], counts["warn"], counts["pass"], counts["skip"]))
	group := ""
	target := ""
	for i := 0; i < len(l.Checks); {
		c := &l.Checks[i]
		if next := groupOf(c.ID); next != group || c.Target != target {
			group, target = next, c.Target
			p.Heading(group)
			p.Paragraph(" ", Visible(target))
		}
		n := 1
		for !p.all && i+n < len(l.Checks) && c.skippedLike(&l.Checks[i+n]) {
			n++
		}
		p.check(l.Checks[i : i+n])
		i += n
	}
	if len(l.Causes) == 0 {
		p.Line("")
		p.Paragraph("", l.end(p.say, counts["warn"], counts["skip"]), bold)
	}
	if l.Report == nil { // whose diagnosis says it otherwise
		p.todo(l.Causes)
	}
}

// end is the closing sentence of a list without a failure: what was not checked is
// not in order.
func (l *Checklist) end(say *messages.Printer, warned, skipped int) string {
	switch {
	case l.Cut:
		return say.Say("checks.cut", skipped)
	case l.nothing:
		return say.Say("checks.nothing")
	case warned > 0:
		return say.Say("checks.warned", warned, skipped)
	case skipped > 0:
		return say.Say("checks.partly", skipped)
	}
	return say.Say("checks.good")
}

// todo says what to do about the causes that checks found: of the first the most
// important, of the others what the checks know, or all.
func (p *Page) todo(causes []CheckedCause) {
	told := map[string]bool{}
	for i, cause := range causes {
		if i == 0 {
			p.Heading("checks.first")
		} else {
			p.Line("")
		}
		p.Paragraph(fmt.Sprintf("%2d. ", i+1), cause.Title+"  "+cause.Cause, bold)
		p.Paragraph("    ", p.say.Say("checks.by", p.say.List(cause.titles(p.say))))
		switch {
		case p.all:
			p.Paragraph("    ", cause.Why)
			p.steps(cause.Fixes)
		case i == 0:
			p.firstToDo(&cause, told)
		default:
			p.alsoToDo(&cause, told)
		}
	}
}

func (p *Page) firstToDo(cause *CheckedCause, told map[string]bool) {
	p.Paragraph("    ", sentences(cause.Why, 2))
	fixes := cause.Fixes[:min(len(cause.Fixes), max(cause.own, 2))]
	p.steps(fixes)
	for _, s := range fixes {
		told[s.Text+s.Command] = true
	}
	if len(fixes) < len(cause.Fixes) {
		p.Paragraph("    ", p.say.Say("diagnosis.rest", cause.Cause))
	}
}

func (p *Page) alsoToDo(cause *CheckedCause, told map[string]bool) {
	fresh := slices.DeleteFunc(slices.Clone(cause.Fixes[:cause.own]), func(s Step) bool { return told[s.Text+s.Command] })
	p.steps(fresh)
	if len(fresh) < cause.own {
		p.Paragraph("    ", p.say.Say("checks.told"))
	}
	p.Paragraph("    ", p.say.Say("diagnosis.rest", cause.Cause))
}

// skippedLike tells of two checks of one target that they were not made for one reason.
func (c *CheckLine) skippedLike(other *CheckLine) bool {
	return c.Status == string(check.Skip) && other.Status == c.Status && groupOf(other.ID) == groupOf(c.ID) &&
		other.Target == c.Target && other.Detail == c.Detail
}

// check writes one line of the checklist, and what was found below it. Several were not
// made, for the same reason.
func (p *Page) check(several []CheckLine) {
	c := &several[0]
	colors := map[string]color.Attribute{"pass": color.FgGreen, "warn": color.FgYellow, "fail": color.FgRed, "skip": color.Faint}
	word := p.say.Say("status." + c.Status)
	pad := strings.Repeat(" ", max(0, 6-columns(word)))
	var titles []string
	for i := range several {
		titles = append(titles, Visible(several[i].Title))
	}
	if c.Seconds >= 0.0005 {
		titles[0] += fmt.Sprintf("  %.0f ms", c.Seconds*1000)
	}
	p.Paragraph(" "+p.paint(word, colors[c.Status])+pad, p.say.List(titles))
	if c.Detail != "" {
		p.Paragraph("       ", Visible(c.Detail))
	}
	if p.all && c.Status == string(check.Warn) {
		p.steps(c.Fixes)
	}
}
