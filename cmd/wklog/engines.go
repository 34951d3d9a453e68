package main

import (
	"os"
	"slices"

	"github.com/spf13/pflag"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/source"
	"wklog/cmd/internal/source/engine"
	"wklog/patterns"
)

// engineFlags say what is read of engines that keep logs.
type engineFlags struct {
	selector, nodeLabel string
	allPatterns         bool
}

func (a *app) engineFlags(flags *pflag.FlagSet, f *analyzeFlags) {
	flags.StringVar(&f.selector, "select", "", a.say.Say("flag.select"))
	flags.StringVar(&f.nodeLabel, "node-label", "", a.say.Say("flag.node-label"))
	flags.BoolVar(&f.allPatterns, "all-patterns", false, a.say.Say("flag.all-patterns"))
}

// checkEngines checks that the flags of engines have one, before anything is read.
func (f *analyzeFlags) checkEngines(args []string) error {
	for name, given := range map[string]bool{"select": f.selector != "", "node-label": f.nodeLabel != "", "all-patterns": f.allPatterns} {
		if given && !slices.ContainsFunc(args, engine.IsAddress) {
			return messages.NewError("error.engine.only", name)
		}
	}
	return nil
}

// filterOf chooses the entries in which the catalogue may know something.
func filterOf(c *patterns.Catalogue, all bool) engine.Filter {
	return engine.Filter{Literals: c.Pushed(all), BeginsWord: c.BeginsWord}
}

// engines are what is read of them.
func (n *analysis) engines() *source.Engines {
	return &source.Engines{
		Select: n.flags.selector, NodeLabel: n.flags.nodeLabel, Env: os.Getenv,
		Since: n.filter.Since, Until: n.filter.Until,
		Filter: filterOf(n.catalogue, n.flags.allPatterns), Nearby: n.catalogue.Nearby(),
	}
}
