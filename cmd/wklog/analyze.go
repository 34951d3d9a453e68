package main

import (
	"time"

	"github.com/spf13/cobra"

	"wklog/cmd/internal/source"
)

func (a *app) analyzeCommand() *cobra.Command {
	f := &analyzeFlags{}
	c := &cobra.Command{
		Use: "analyze PATH…", Short: a.say.Say("help.analyze"), Long: a.say.Say("help.analyze.long"),
		Example: a.say.Say("help.analyze.examples"),
	}
	flags := c.Flags()
	a.readingFlags(flags, f)
	flags.BoolVarP(&f.follow, "follow", "f", false, a.say.Say("flag.follow"))
	flags.BoolVar(&f.fromStart, "from-start", false, a.say.Say("flag.from-start"))
	flags.StringVar(&f.state, "state", "", a.say.Say("flag.state"))
	flags.DurationVar(&f.interval, "interval", 10*time.Second, a.say.Say("flag.interval"))
	flags.StringVar(&f.metricsAddr, "metrics-addr", "", a.say.Say("flag.metrics-addr"))
	flags.StringVar(&f.onNew, "on-new", "", a.say.Say("flag.on-new"))
	flags.StringVar(&f.webhook, "webhook", "", a.say.Say("flag.webhook"))
	flags.StringVar(&f.webhookFormat, "webhook-format", "json", a.say.Say("flag.webhook-format"))
	flags.SortFlags = false
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			args = []string{source.Stdin}
		}
		if err := f.checkStream(args); err != nil {
			return err
		}
		if err := f.checkEngines(args); err != nil {
			return err
		}
		n, err := a.newAnalysis(f)
		if err != nil {
			return err
		}
		return n.over(c.Context(), args)
	}
	return c
}
