package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/patterns"
)

func (a *app) explainCommand() *cobra.Command {
	format := "table"
	c := &cobra.Command{
		Use: "explain WHAT", Short: a.say.Say("help.explain"), Long: a.say.Say("help.explain.long"),
		Example: a.say.Say("help.explain.examples"),
	}
	c.Flags().StringVar(&format, "format", "table", a.say.Say("flag.explain.format"))
	c.RunE = func(c *cobra.Command, args []string) error {
		if format != "json" && format != "table" {
			return messages.NewError("error.format", format, []string{"table", "json"})
		}
		if areFiles(args) {
			return a.explainFiles(c.Context(), args, format)
		}
		what, err := a.question(args)
		if err != nil {
			return err
		}
		catalogue, err := a.catalogue()
		if err != nil {
			return err
		}
		u, err := patterns.Understand(c.Context(), what, &patterns.Options{Catalogue: catalogue})
		if err != nil {
			return err
		}
		return a.tell(report.Explain(catalogue, u, a.say), what, format)
	}
	return c
}

// tell writes an explanation. One word that is nothing known may be a slip in a script.
func (a *app) tell(e *report.Explanation, what, format string) error {
	write := func() error { return report.WriteExplanation(a.stdout, e, a.options(0)) }
	if format == "json" {
		write = func() error { return report.WriteJSON(a.stdout, e, "  ") }
	}
	if err := write(); err != nil {
		return err
	}
	if e.ID == "" && !strings.ContainsAny(strings.TrimSpace(what), " :") {
		return messages.NewError("error.unknown", what)
	}
	return nil
}

// question is what to explain: the arguments, or standard input for "-".
func (a *app) question(args []string) (string, error) {
	what := strings.Join(args, " ")
	if what == "-" {
		const longest = 1 << 20
		data, err := io.ReadAll(io.LimitReader(a.stdin, longest))
		if err != nil {
			return "", err
		}
		what = string(data)
	}
	if strings.TrimSpace(what) == "" {
		return "", messages.NewError("error.explain")
	}
	return what, nil
}

// areFiles tells whether all arguments name files, or one is a path that should:
// their content is meant.
func areFiles(args []string) bool {
	if len(args) == 1 && (filepath.IsAbs(args[0]) || slices.Contains([]string{".log", ".gz", ".txt"}, filepath.Ext(args[0]))) && !strings.Contains(args[0], " ") {
		return true
	}
	return len(args) > 0 && !slices.ContainsFunc(args, func(arg string) bool {
		info, err := os.Stat(arg)
		return err != nil || !info.Mode().IsRegular()
	})
}

// explainFiles writes the report that analyze writes without flags, or what it found as
// an explanation for programs.
func (a *app) explainFiles(ctx context.Context, paths []string, format string) error {
	f := &analyzeFlags{}
	a.readingFlags(pflag.NewFlagSet("", pflag.ContinueOnError), f)
	n, err := a.newAnalysis(f)
	if err != nil {
		return err
	}
	if format == "table" {
		return n.over(ctx, paths)
	}
	core := n.core(nil)
	failures, err := n.read(ctx, core, paths, true)
	if err != nil {
		return err
	}
	doc, result := core.Document(n.facts, failures)
	n.setStatus(result, failures)
	for _, e := range doc.Errors {
		a.complainOf(e.Source, e.Message)
	}
	return report.WriteJSON(a.stdout, report.Explain(n.catalogue, result.Understanding(), a.say), "  ")
}
