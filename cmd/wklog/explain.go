package main

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

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
		what, err := a.question(args)
		if err != nil {
			return err
		}
		catalogue, err := a.catalogue()
		if err != nil {
			return err
		}
		e, err := a.explain(c.Context(), catalogue, what)
		if err != nil {
			return err
		}
		switch format {
		case "json":
			return report.WriteJSON(a.stdout, e, "  ")
		case "table":
			return report.WriteExplanation(a.stdout, e, a.options(0))
		}
		return messages.NewError("error.format", format, "table, json")
	}
	return c
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

func (a *app) explain(ctx context.Context, c *patterns.Catalogue, what string) (*report.Explanation, error) {
	id := strings.ToLower(strings.TrimSpace(what))
	if cause := c.Cause(id); cause != nil {
		return report.ExplainCause(cause, a.say), nil
	}
	if p := c.Pattern(id); p != nil {
		causes, err := p.RankCauses()
		if err != nil {
			return nil, err
		}
		return report.ExplainPattern(c, p, causes, a.say), nil
	}
	if state := c.State(strings.TrimSpace(what)); state != nil {
		causes, err := state.RankCauses()
		if err != nil {
			return nil, err
		}
		return report.ExplainState(c, state, causes, a.say), nil
	}
	event, stop, err := patterns.Recognise(ctx, what, &patterns.Options{Catalogue: c})
	if err != nil {
		return nil, err
	}
	if event == nil && stop != nil {
		return report.ExplainStop(stop, a.say), nil
	}
	if event == nil {
		if !strings.ContainsAny(strings.TrimSpace(what), " :") {
			return nil, messages.NewError("error.unknown", what)
		}
		return report.ExplainNothing(a.say), nil
	}
	return report.ExplainEvent(c, event, a.say), nil
}
