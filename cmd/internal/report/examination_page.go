package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fatih/color"
)

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

// mostTold verdicts of a server are told; the rest is counted.
const mostTold = 3

// examinationDetail is how much of the first thing to do is shown.
type examinationDetail struct {
	// found are the details of what is at fault, steps what is to be done, and config the
	// lines that a snippet may have: a part of one would break what it is pasted into.
	found, steps, config int
}

// examinationDetails are tried in turn, until a page of one server is brief.
var examinationDetails = []examinationDetail{{4, 3, 16}, {2, 3, 16}, {2, 3, 10}, {2, 2, 10}, {1, 1, 10}}

func (p *Page) examination(e *Examination) {
	for _, much := range examinationDetails {
		p.Reset()
		p.told = map[string]bool{}
		p.examinationWith(e, much)
		if len(e.Servers) > 1 || p.lines() <= maxBrief {
			return
		}
	}
}

func (p *Page) examinationWith(e *Examination, much examinationDetail) {
	for _, text := range e.News {
		p.Paragraph("", text, bold)
	}
	if len(e.News) > 0 {
		p.Line("")
	}
	for _, x := range e.Servers {
		p.server(e, x)
	}
	if len(e.Servers) == 0 {
		p.Paragraph("", e.say.Say("doctor.nothing"), bold)
	}
	if x := e.lead(); x != nil {
		p.first(e, x, much)
		p.furthers(e, x)
	} else if text := e.end(); text != "" {
		p.Line("")
		p.Paragraph("", text, bold)
	}
	if e.Blind() {
		p.unseen(e)
	}
	p.looked(e)
	if !e.Blind() {
		p.unseen(e)
	}
}

// server is one line, with its verdict on the next.
func (p *Page) server(e *Examination, x *Examined) {
	colours := map[string]color.Attribute{"ok": color.FgGreen, "FAIL": color.FgRed, "warn": color.FgYellow, "blind": color.FgYellow}
	mark := x.mark()
	word := e.say.Say("doctor.mark." + mark)
	lead := p.paint(word, colours[mark]) + strings.Repeat(" ", max(1, len(underServer)-columns(word)))
	p.Paragraph(lead, e.headline(x))
	for _, text := range e.lines(x) {
		p.Paragraph(underServer, text)
	}
}

// underServer is the indent of what is said of one.
const underServer = "      "

// first is what to do first, with the names of the server.
func (p *Page) first(e *Examination, x *Examined, much examinationDetail) {
	v := &x.Verdicts[0]
	p.Line("")
	p.Line(p.paint(e.say.Say(v.key(), x.Name), bold))
	for _, found := range limit(v.rest(), much.found) {
		p.Paragraph("  ", Visible(found))
	}
	steps := slices.Clone(limit(v.Steps, much.steps))
	for i := range steps {
		s := &steps[i]
		p.Paragraph(fmt.Sprintf("  %d) ", i+1), s.Text)
		p.command("     ", s.Command)
		switch {
		case s.Config == "":
		case strings.Count(s.Config, "\n") < much.config:
			p.Block("     ", s.Config)
		case s.Command == "": // explain shows it
			s.left = nil
		}
	}
	p.replaced("  ", steps)
	if v.Cause != "" {
		p.Paragraph("  ", e.say.Say("diagnosis.explain", v.Cause))
	}
}

// furthers are the other verdicts, in a line each.
func (p *Page) furthers(e *Examination, lead *Examined) {
	lines, more := e.furthers(lead)
	if len(lines) == 0 {
		return
	}
	p.Heading("doctor.further")
	for _, line := range lines {
		p.Paragraph("  ", line)
	}
	if more > 0 {
		p.Paragraph("  ", e.say.Say("doctor.more", more))
	}
}

// looked says what was looked at.
func (p *Page) looked(e *Examination) {
	p.Heading("doctor.looked-at")
	for _, text := range e.looked() {
		p.Paragraph("  ", text)
	}
}

// unseen says what was not looked at, and what to type so that it can be.
func (p *Page) unseen(e *Examination) {
	groups := e.unseen()
	if len(groups) > 0 {
		p.Heading("doctor.unseen")
	}
	for _, g := range groups {
		for _, line := range g.Lines {
			p.Paragraph("  ", line)
		}
		p.command("      ", g.Command)
	}
}
