package main

import (
	"errors"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/cmd/internal/run"
	"wklog/cmd/internal/source"
)

// reportFlags are what report has beside analyze's.
type reportFlags struct {
	nodeFrom, baseline, generated string
	events                        bool
}

func (a *app) reportCommand() *cobra.Command {
	f := &analyzeFlags{interval: run.Beat}
	c := &cobra.Command{
		Use: "report PATH…", Short: a.say.Say("help.report"), Long: a.say.Say("help.report.long"),
		Example: a.say.Say("help.report.examples"), Args: a.arguments(1, -1),
	}
	flags := c.Flags()
	a.readingFlags(flags, f)
	flags.StringVar(&f.nodeFrom, "node-from", "", a.say.Say("flag.node-from"))
	flags.StringVar(&f.baseline, "baseline", "", a.say.Say("flag.baseline"))
	flags.BoolVar(&f.events, "events", false, a.say.Say("flag.events"))
	flags.StringVar(&f.generated, "generated", "", a.say.Say("flag.generated"))
	flags.SortFlags = false
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := f.checkReport(c, args); err != nil {
			return err
		}
		if err := f.checkEngines(args); err != nil {
			return err
		}
		n, err := a.newAnalysis(f)
		if err != nil {
			return err
		}
		if err := n.prepareReport(args); err != nil {
			return err
		}
		return n.over(c.Context(), args)
	}
	return c
}

// checkReport settles the form of the report by its file's ending.
func (f *analyzeFlags) checkReport(c *cobra.Command, args []string) error {
	if !c.Flags().Changed("top") {
		f.top = 0 // a report is complete
	}
	if !c.Flags().Changed("verbose") && f.output != "" {
		f.verbose = true
	}
	if !c.Flags().Changed("format") && f.output != "" && f.output != "-" {
		form, ok := report.FormOf(f.output)
		if !ok {
			return messages.NewError("error.ending", f.output, report.Endings())
		}
		f.format = form
	}
	if f.events && f.format != "csv" {
		return messages.NewError("error.events")
	}
	if slices.Contains(args, source.Stdin) && len(args) > 1 {
		return messages.NewError("error.report.stdin")
	}
	return nil
}

// prepareReport reads what the report is made with, before the logs.
func (n *analysis) prepareReport(args []string) error {
	n.facts.Command = append([]string{"wklog"}, n.app.args...)
	n.analyzer.Node = source.NodesOf(args)
	if n.flags.nodeFrom != "" {
		node, err := source.NodesByPattern(n.flags.nodeFrom)
		if err != nil {
			return messages.NewError("error.node-from", n.flags.nodeFrom)
		}
		n.analyzer.Node, n.analyzer.NodeGiven = node, true
	}
	if n.flags.generated != "" {
		generated, err := moment("--generated", n.flags.generated, n.zone)
		if err != nil {
			return err
		}
		n.facts.Generated = generated
	}
	if n.flags.baseline == "" {
		return nil
	}
	file, err := os.Open(n.flags.baseline)
	if err != nil {
		return messages.InFile(n.flags.baseline, err)
	}
	defer file.Close()
	n.facts.Baseline, err = report.ReadJSON(file)
	switch {
	case errors.Is(err, report.ErrPartial):
		return messages.NewError("error.baseline.partial", n.flags.baseline)
	case err != nil:
		return messages.NewError("error.baseline", n.flags.baseline)
	}
	return nil
}
