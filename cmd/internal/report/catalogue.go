package report

import (
	"io"
	"maps"
	"slices"
	"strings"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// WritePatterns lists the patterns of a catalogue, with their whole titles where the
// options give no width.
func WritePatterns(w io.Writer, c *patterns.Catalogue, opts Options) error {
	p := NewPage(opts)
	rows := [][]string{}
	longest := 0
	for _, pattern := range c.Patterns {
		longest = max(longest, columns(pattern.ID))
	}
	for _, pattern := range c.Patterns {
		title := Visible(pattern.Title.In(opts.Say.Lang))
		if opts.Width > 0 {
			title = fit(title, max(p.width-longest-11, 20))
		}
		rows = append(rows, []string{Visible(pattern.ID), p.severity(string(pattern.Severity)), title})
	}
	p.table([]string{"patterns.id", "findings.severity", "findings.title"}, rows)
	_, err := io.WriteString(w, p.String())
	return err
}

// WritePattern shows one pattern with its causes, samples and sources.
func WritePattern(w io.Writer, c *patterns.Catalogue, pattern *patterns.Pattern, causes []patterns.CauseScore, opts Options) error {
	e := Explain(c, &patterns.Understanding{Entry: patterns.Entry{Pattern: pattern}, Named: true, Causes: causes}, opts.Say)
	e.advice, e.Decide = nil, nil
	if err := WriteExplanation(w, e, opts); err != nil {
		return err
	}
	p := NewPage(opts)
	p.Line("")
	p.Paragraph("", pattern.ID+opts.Say.Say("colon")+facts(pattern, opts.Say))
	p.Heading("patterns.match")
	for _, clause := range pattern.Match {
		p.Line("  " + Visible(clause.Regex) + conditions(&clause, opts.Say))
	}
	p.Heading("patterns.samples")
	for _, sample := range pattern.Samples {
		p.Block("  ", Visible(sample))
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func conditions(c *patterns.Clause, say *messages.Printer) string {
	s := ""
	if c.Kinds != nil {
		s += "  " + say.Say("patterns.kinds", say.List(c.Kinds))
	}
	if c.States != nil {
		s += "  " + say.Say("patterns.states", say.List(c.States))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		s += "  " + say.Say("patterns.field", name, c.Fields[name])
	}
	if c.Stack != "" {
		s += "  " + say.Say("patterns.stack", c.Stack)
	}
	return s
}

// WriteProblems tells what is wrong with a catalogue, a line a problem.
func WriteProblems(w io.Writer, problems []patterns.Problem, checked int, opts Options) error {
	warnings := 0
	for _, p := range problems {
		if p.Warning {
			warnings++
		}
	}
	lines := append(Problems(problems, opts.Say), opts.Say.Say("lint.done", checked, len(problems)-warnings))
	if warnings > 0 {
		lines[len(lines)-1] = opts.Say.Say("lint.done.warnings", checked, len(problems)-warnings, warnings)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// Problems gives what is wrong with a catalogue, each with its place and entry.
func Problems(problems []patterns.Problem, say *messages.Printer) []string {
	var lines []string
	for _, p := range problems {
		text := say.Say("lint." + p.Kind)
		if p.Detail != "" {
			text = say.Say("lint.detail", text, p.Detail)
		}
		if p.ID != "" {
			text = p.ID + ": " + text
		}
		lines = append(lines, Visible(p.At()+text))
	}
	return lines
}
