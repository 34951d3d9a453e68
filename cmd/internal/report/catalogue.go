package report

import (
	"fmt"
	"io"
	"strings"

	"wklog/patterns"
)

// WritePatterns lists the patterns of a catalogue.
func WritePatterns(w io.Writer, c *patterns.Catalogue, opts Options) error {
	p := NewPage(opts)
	rows := [][]string{}
	longest := 0
	for _, pattern := range c.Patterns {
		longest = max(longest, columns(pattern.ID))
	}
	for _, pattern := range c.Patterns {
		title := fit(Visible(pattern.Title.In(opts.Say.Lang)), max(p.width-longest-11, 20))
		rows = append(rows, []string{Visible(pattern.ID), p.severity(string(pattern.Severity)), title})
	}
	p.table([]string{"patterns.id", "findings.severity", "findings.title"}, rows)
	_, err := io.WriteString(w, p.String())
	return err
}

// WritePattern shows one pattern with its causes, samples and sources.
func WritePattern(w io.Writer, c *patterns.Catalogue, pattern *patterns.Pattern, causes []patterns.CauseScore, opts Options) error {
	e := ExplainPattern(c, pattern, causes, opts.Say)
	e.Fixes, e.Verify = nil, nil
	if err := WriteExplanation(w, e, opts); err != nil {
		return err
	}
	p := NewPage(opts)
	p.Line("")
	p.Paragraph("", opts.Say.Say("patterns.facts", pattern.ID, p.severity(string(pattern.Severity)), pattern.Category, pattern.Reporter, pattern.Phase))
	p.Heading("patterns.match")
	for _, clause := range pattern.Match {
		p.Line("  " + Visible(clause.Regex) + conditions(&clause))
	}
	p.Heading("patterns.samples")
	for _, sample := range pattern.Samples {
		p.Block("  ", Visible(sample))
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func conditions(c *patterns.Clause) string {
	s := ""
	if c.Kinds != nil {
		s += "  kinds " + strings.Join(c.Kinds, ", ")
	}
	if c.States != nil {
		s += "  states " + strings.Join(c.States, ", ")
	}
	for name, expr := range c.Fields {
		s += fmt.Sprintf("  field %s %s", name, expr)
	}
	if c.Stack != "" {
		s += "  stack " + c.Stack
	}
	return s
}

// WriteProblems tells what is wrong with a catalogue, a line a problem.
func WriteProblems(w io.Writer, problems []patterns.Problem, checked int, opts Options) error {
	var b strings.Builder
	for _, problem := range problems {
		line := problem.ID + ": " + opts.Say.Say("lint."+problem.Kind)
		if problem.Detail != "" {
			line += ": " + problem.Detail
		}
		fmt.Fprintln(&b, Visible(line))
	}
	fmt.Fprintln(&b, opts.Say.Say("lint.done", checked, len(problems)))
	_, err := io.WriteString(w, b.String())
	return err
}
