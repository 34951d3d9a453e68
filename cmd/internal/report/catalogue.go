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
	for _, pattern := range c.Patterns {
		rows = append(rows, []string{Visible(pattern.ID), p.severity(string(pattern.Severity)), Visible(pattern.Title.In(opts.Say.Lang))})
	}
	narrow := inOneLine
	if opts.Width <= 0 {
		narrow = func(title string, _ int) []string { return []string{title} }
	}
	p.table([]string{"patterns.id", "findings.severity", "findings.title"}, rows, 2, narrow)
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
		p.Line("  " + Visible(clause.Regex))
		if text := conditions(&clause, opts.Say); text != "" {
			p.Paragraph("    ", text)
		}
	}
	p.Heading("patterns.samples")
	for _, sample := range pattern.Samples {
		p.Block("  ", Visible(sample))
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func conditions(c *patterns.Clause, say *messages.Printer) string {
	var parts []string
	if c.Kinds != nil {
		parts = append(parts, say.Say("patterns.kinds", say.List(c.Kinds)))
	}
	if c.States != nil {
		parts = append(parts, say.Say("patterns.states", say.List(c.States)))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		parts = append(parts, say.Say("patterns.field", name, c.Fields[name]))
	}
	if c.Stack != "" {
		parts = append(parts, say.Say("patterns.stack", c.Stack))
	}
	return strings.Join(parts, say.Say("diagnosis.evidence.join"))
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
