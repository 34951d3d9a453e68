package main

import (
	"os"
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
	return &cobra.Command{
		Use: "list", Short: a.say.Say("help.patterns.list"), Args: a.arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			c, err := a.catalogue()
			if err != nil {
				return err
			}
			return report.WritePatterns(a.stdout, c, a.options(0))
		},
	}
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
			ranker, err := patterns.NewRanker()
			if err != nil {
				return err
			}
			return report.WritePattern(a.stdout, c, p, ranker.RankPattern(p), a.options(0))
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
		only, err := a.addCatalogues(c, args)
		if err != nil {
			return err
		}
		return a.judge(c, check(c, only), only)
	}
}

// addCatalogues adds users' files and returns the ids that they brought, nil
// when there are no files.
func (a *app) addCatalogues(c *patterns.Catalogue, files []string) ([]string, error) {
	if len(files) == 0 {
		return nil, nil
	}
	before := len(c.Patterns)
	causes := len(c.Causes)
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, messages.InFile(name, err)
		}
		if err := c.Add(name, data); err != nil {
			return nil, err
		}
	}
	ids := []string{}
	for _, p := range c.Patterns[before:] {
		ids = append(ids, p.ID)
	}
	for _, cause := range c.Causes[causes:] {
		ids = append(ids, cause.ID)
	}
	return ids, nil
}

// judge prints what is wrong with a catalogue and sets the exit status.
func (a *app) judge(c *patterns.Catalogue, problems []patterns.Problem, only []string) error {
	checked := 0
	for _, p := range c.Patterns {
		if only == nil || slices.Contains(only, p.ID) {
			checked++
		}
	}
	for _, problem := range problems {
		if !problem.Warning {
			a.status = exitReached
		}
	}
	return report.WriteProblems(a.stdout, problems, checked, a.options(0))
}
