package main

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/patterns"
)

func (a *app) patternsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "patterns", Short: a.say.Say("help.patterns"), Long: a.say.Say("help.patterns.long"),
		Example: a.say.Say("help.patterns.examples"),
		Args:    a.arguments(0, 0),
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.patternsList(), a.patternsShow(), a.patternsTest(), a.patternsLint())
	return c
}

func (a *app) patternsList() *cobra.Command {
	format := "table"
	command := &cobra.Command{
		Use: "list", Short: a.say.Say("help.patterns.list"), Args: a.arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			if !slices.Contains(report.References, format) {
				return messages.NewError("error.format", format, report.References)
			}
			c, err := a.catalogue()
			if err != nil {
				return err
			}
			if format != "table" {
				return report.WriteReference(a.stdout, format, c, a.say)
			}
			opts := a.options(0)
			if !isTerminal(a.stdout) {
				opts.Width = 0 // for grep(1)
			}
			return report.WritePatterns(a.stdout, c, opts)
		},
	}
	command.Flags().StringVar(&format, "format", format, a.say.Say("flag.patterns.format"))
	return command
}

func (a *app) patternsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: a.say.Say("help.patterns.show"), Args: a.arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := a.catalogue()
			if err != nil {
				return err
			}
			p := c.Pattern(args[0])
			if p == nil {
				return messages.NewError("error.pattern", args[0])
			}
			causes, err := p.RankCauses()
			if err != nil {
				return err
			}
			return report.WritePattern(a.stdout, c, p, causes, a.options(0))
		},
	}
}

func (a *app) patternsTest() *cobra.Command {
	return &cobra.Command{
		Use: "test [FILE…]", Short: a.say.Say("help.patterns.test"), RunE: a.judging(patterns.CheckSamples),
	}
}

func (a *app) patternsLint() *cobra.Command {
	return &cobra.Command{
		Use: "lint FILE…", Short: a.say.Say("help.patterns.lint"), Args: a.arguments(1, -1), RunE: a.judging(patterns.Lint),
	}
}

// judging checks the files that are named, or the embedded catalogue.
func (a *app) judging(check func(*patterns.Catalogue, []string) []patterns.Problem) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		c, err := a.catalogue()
		if err != nil {
			return err
		}
		err = a.addCatalogues(c, args)
		var wrong patterns.Problems
		if err != nil && (!errors.As(err, &wrong) || wrong.Unreadable()) {
			return err
		}
		if len(args) == 0 {
			args = nil
		}
		problems := check(c, args)
		if slices.ContainsFunc(problems, func(p patterns.Problem) bool { return !p.Warning }) {
			a.status = exitReached
		}
		return report.WriteProblems(a.stdout, problems, c.Count(args), a.options(0))
	}
}
