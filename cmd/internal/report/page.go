package report

import (
	"fmt"
	"strings"

	"github.com/fatih/color"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

const bold = color.Bold

// Page is a text for a person at a terminal, built line by line.
type Page struct {
	strings.Builder
	say   *messages.Printer
	width int
	color bool
	all   bool            // results and steps of a checklist, which is brief else
	much  detail          // of a brief report; all else
	told  map[string]bool // names to replace
}

// NewPage starts an empty page.
func NewPage(opts Options) *Page {
	width := opts.Width
	if width <= 0 {
		width = 80
	}
	return &Page{say: opts.Say, told: map[string]bool{}, width: min(max(width, 40), 120), color: opts.Color, all: opts.Verbose}
}

func (p *Page) paint(s string, attributes ...color.Attribute) string {
	c := color.New(attributes...)
	c.DisableColor()
	if p.color {
		c.EnableColor()
	}
	return c.Sprint(s)
}

// Line writes one line.
func (p *Page) Line(s string) { p.WriteString(s + "\n") }

// Heading writes a heading with an empty line before it.
func (p *Page) Heading(key string) {
	if p.Len() > 0 {
		p.Line("")
	}
	p.Line(p.paint(p.say.Say(key), bold))
}

// Paragraph writes a wrapped text, its first line after a lead of the same
// width as the indent of the others.
func (p *Page) Paragraph(lead, text string, attributes ...color.Attribute) {
	indent := strings.Repeat(" ", columns(colours.ReplaceAllString(lead, "")))
	for i, line := range wrap(text, p.width-len(indent)) {
		if len(attributes) > 0 {
			line = p.paint(line, attributes...)
		}
		if i == 0 {
			p.Line(strings.TrimRight(lead+line, " "))
			continue
		}
		p.Line(indent + line)
	}
}

// Block writes a command or a snippet as it is: it is meant to be copied, so
// nothing is cut or wrapped.
func (p *Page) Block(indent, text string) {
	for _, line := range strings.Split(strings.TrimRight(Visible(text), "\n"), "\n") {
		if line == "" {
			p.Line(strings.TrimRight(indent, " "))
			continue
		}
		p.Line(indent + p.paint(line, color.FgCyan))
	}
}

func (p *Page) advice(indent, key string, steps []Step) {
	if len(steps) == 0 {
		return
	}
	p.Line("")
	p.Line(indent + p.paint(p.say.Say(key), bold))
	p.steps(steps)
}

func (p *Page) steps(steps []Step) {
	for i, step := range steps {
		p.Paragraph(fmt.Sprintf("    %d) ", i+1), step.Text)
		p.instruction("       ", &step)
	}
	p.replaced("    ", steps)
}

// instruction is what is to be typed or configured in a step.
func (p *Page) instruction(indent string, step *Step) {
	p.command(indent, step.Command)
	if step.Config != "" {
		p.Block(indent+"| ", step.Config)
	}
}

// replaced says which names of the steps the reader has to replace.
func (p *Page) replaced(indent string, steps []Step) {
	if text := replacing(steps, p.told, p.say); text != "" {
		p.Paragraph(indent, text)
	}
}

// command shows shell commands without a prompt, ready to be copied.
func (p *Page) command(indent, command string) {
	if command != "" {
		p.Block(indent, command)
	}
}

// place names what stands at a place in the logs, in one line if there is room.
func (p *Page) place(what, at string) {
	if columns(what)+2+columns(at) <= p.width {
		p.Line(p.paint(what, bold) + "  " + at)
		return
	}
	p.Line(p.paint(fit(what, p.width), bold))
	p.Paragraph("  ", at)
}

// inOneLine cuts a text.
func inOneLine(text string, width int) []string { return []string{fit(text, width)} }

// table writes rows; of the texts in the wide column narrow makes lines that leave room for
// the others.
func (p *Page) table(keys []string, rows [][]string, wide int, narrow func(string, int) []string) {
	header := make([]string, len(keys))
	for i, key := range keys {
		header[i] = p.say.Say(key)
	}
	left := p.width
	for i := range header {
		most := 0
		for _, row := range append([][]string{header}, rows...) {
			most = max(most, columns(colours.ReplaceAllString(row[i], "")))
		}
		if i != wide {
			left -= most + 1
		}
	}
	for _, row := range rows {
		row[wide] = strings.Join(narrow(row[wide], max(left-1, 16)), "\n")
	}
	var out strings.Builder
	t := tablewriter.NewTable(&out,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.Border{Left: tw.Off, Right: tw.Off, Top: tw.Off, Bottom: tw.Off},
			Settings: tw.Settings{Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off}, Lines: tw.Lines{ShowHeaderLine: tw.On}},
			Symbols:  tw.NewSymbols(tw.StyleLight),
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: " ", Overwrite: true}),
	)
	t.Header(header)
	if t.Bulk(rows) == nil {
		_ = t.Render() // a strings.Builder takes everything
	}
	for line := range strings.Lines(out.String()) {
		p.Line(strings.TrimRight(line, " \n"))
	}
}

func (p *Page) severity(s string) string {
	word := p.say.Say("severity." + s)
	switch patterns.Severity(s) {
	case patterns.SeverityError:
		return p.paint(word, color.FgRed)
	case patterns.SeverityWarning:
		return p.paint(word, color.FgYellow)
	}
	return p.paint(word, color.FgBlue)
}
