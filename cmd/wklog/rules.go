package main

import (
	"bytes"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/cmd/internal/rules"
	"wklog/cmd/internal/source"
	"wklog/patterns"
)

func (a *app) rulesCommand() *cobra.Command {
	var r rules.Request
	output := ""
	command := &cobra.Command{
		Use: "rules ENGINE", Short: a.say.Say("help.rules"), Long: a.say.Say("help.rules.long"),
		ValidArgs: rules.Forms(), Args: a.arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(rules.Forms(), args[0]) {
				return messages.NewError("error.rules", args[0], rules.Forms())
			}
			if err := a.fillRules(&r); err != nil {
				return err
			}
			var b bytes.Buffer
			if err := rules.Write(&b, args[0], &r); err != nil {
				return ofSelector(err, r.Select)
			}
			return a.put(output, b.Bytes())
		},
	}
	command.Flags().StringVarP(&output, "output", "o", "", a.say.Say("flag.rules.output"))
	command.Flags().StringVar(&r.Select, "select", "", a.say.Say("flag.rules.select"))
	command.Flags().StringVar(&r.Node, "node-label", "pod", a.say.Say("flag.rules.node-label"))
	return command
}

func (a *app) fillRules(r *rules.Request) (err error) {
	if r.Catalogue, err = a.catalogue(); err != nil {
		return err
	}
	r.Say = a.say
	if r.English, err = messages.In(patterns.English); err != nil {
		return err
	}
	r.Chinese, err = messages.In(patterns.Chinese)
	return err
}

func (a *app) queryCommand() *cobra.Command {
	selector, output, all := "", "", false
	command := &cobra.Command{
		Use: "query ENGINE", Short: a.say.Say("help.query"), ValidArgs: []string{"loki", "vlogs"}, Args: a.arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := a.catalogue()
			if err != nil {
				return err
			}
			query, err := source.EngineQuery(args[0], selector, filterOf(c, all))
			if errors.Is(err, source.ErrAddress) {
				return messages.NewError("error.rules", args[0], []string{"loki", "vlogs"})
			}
			if err != nil {
				return ofSelector(err, selector)
			}
			return a.put(output, []byte(query+"\n"))
		},
	}
	command.Flags().StringVarP(&output, "output", "o", "", a.say.Say("flag.query.output"))
	command.Flags().StringVar(&selector, "select", "", a.say.Say("flag.rules.select"))
	command.Flags().BoolVar(&all, "all-patterns", false, a.say.Say("flag.all-patterns"))
	return command
}

// ofSelector says of a selector that an engine refuses why.
func ofSelector(err error, selector string) error {
	if errors.Is(err, source.ErrUnbound) {
		return messages.NewError("error.rules.select", selector)
	}
	return err
}

// put shows content, or has it take the place of the file of that name as a whole.
func (a *app) put(name string, content []byte) error {
	if name == "" || name == "-" {
		_, err := a.stdout.Write(content)
		return err
	}
	out, err := report.NewOutput(name)
	if err != nil {
		return messages.InFile(name, err)
	}
	a.unfinished.Store(out)
	defer a.unfinished.discard()
	_, err = out.Write(content)
	if err == nil && a.unfinished.Swap(nil) != nil {
		err = out.Commit()
	}
	if err != nil {
		return messages.InFile(name, err)
	}
	return nil
}
