package main

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/run"
	"wklog/cmd/internal/source"
	"wklog/patterns"
)

// engineFlags say what is read of engines that keep logs.
type engineFlags struct {
	selector, nodeLabel string
	allPatterns         bool
	sample              string
	most                *int64 // of the sample, nil for all
}

func (a *app) engineFlags(flags *pflag.FlagSet, f *analyzeFlags) {
	flags.StringVar(&f.selector, "select", "", a.say.Say("flag.select"))
	flags.StringVar(&f.nodeLabel, "node-label", "", a.say.Say("flag.node-label"))
	flags.StringVar(&f.sample, "sample", "", a.say.Say("flag.sample"))
	flags.BoolVar(&f.allPatterns, "all-patterns", false, a.say.Say("flag.all-patterns"))
}

// checkEngines checks that the flags of engines have one, before anything is read.
func (f *analyzeFlags) checkEngines(args []string) error {
	for name, given := range map[string]bool{"select": f.selector != "", "node-label": f.nodeLabel != "", "all-patterns": f.allPatterns, "sample": f.sample != ""} {
		if given && !slices.ContainsFunc(args, source.IsEngine) {
			return messages.NewError("error.engine.only", name)
		}
	}
	if f.sample != "" {
		n, err := strconv.ParseUint(f.sample, 10, 31)
		if err != nil || f.follow {
			return messages.NewError("error.engine.sample", f.sample)
		}
		most := int64(n)
		f.most = &most
	}
	if f.follow && slices.ContainsFunc(args, source.IsEngine) && slices.ContainsFunc(args, isNoEngine) {
		return messages.NewError("error.engine.follow")
	}
	return nil
}

func isNoEngine(arg string) bool { return !source.IsEngine(arg) }

// filterOf chooses the entries in which the catalogue may know something.
func filterOf(c *patterns.Catalogue, all bool) source.Filter {
	return source.Filter{Literals: c.Pushed(all), BeginsWord: c.BeginsWord}
}

// poll analyses what comes to engines, until the context ends.
func (n *analysis) poll(ctx context.Context, core *run.Core, told *telling, args []string, commit func() error) ([]source.Failure, error) {
	state, err := openState(n.flags.state)
	if err != nil {
		return nil, err
	}
	defer state.Close()
	p := &run.Poll{
		Core: core, Args: args, Engines: n.engines(), FromStart: n.flags.fromStart, State: state, Commit: commit, Report: n.complainOf(),
	}
	told.watch(core, p.Far)
	return p.Run(ctx)
}

// explainFailures says of an engine that was not reached for a TLS failure which cause that
// has: the catalogue knows the messages of this program as well.
func (n *analysis) explainFailures(ctx context.Context, failures []source.Failure) {
	for i := range failures {
		f := &failures[i]
		text := f.Err.Error()
		if !source.IsEngine(f.Source) || !strings.Contains(text, "tls: ") && !strings.Contains(text, "x509: ") {
			continue
		}
		meant, err := patterns.Understand(context.WithoutCancel(ctx), text, &patterns.Options{Catalogue: n.catalogue})
		if err == nil && len(meant.Causes) > 0 {
			f.Err = messages.NewError("error.engine.tls", run.Reason(f.Err, n.app.say), meant.Causes[0].ID)
		}
	}
}

// engines are what is read of them.
func (n *analysis) engines() *source.Engines {
	return &source.Engines{
		Select: n.flags.selector, NodeLabel: n.flags.nodeLabel, Env: os.Getenv,
		Since: n.filter.Since, Until: n.filter.Until,
		Sample: n.flags.most,
		Filter: filterOf(n.catalogue, n.flags.allPatterns), Nearby: n.catalogue.Nearby(),
	}
}
