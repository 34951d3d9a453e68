package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wklog/cmd/internal/report"
)

const (
	helpWidth = 79
	// nameColumns are for the names of flags; what a wider one does stands below it.
	nameColumns = 26
)

// translateHelp replaces what cobra itself says.
func (a *app) translateHelp(root *cobra.Command) {
	cobra.AddTemplateFunc("indent", func(text string) string {
		return strings.ReplaceAll(text, "\n", "\n  ")
	})
	cobra.AddTemplateFunc("flags", flagUsages)
	root.SetUsageTemplate(a.say.Say("help.template"))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Short, c.Long, c.Args = a.say.Say("help.help"), a.say.Say("help.help"), a.topic
		case "completion":
			a.translateCompletion(c)
		}
	}
	a.describeHelpFlags(root)
}

func (a *app) translateCompletion(c *cobra.Command) {
	c.Short, c.Long, c.Args = a.say.Say("help.completion"), a.say.Say("help.completion"), a.arguments(0, 0)
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	for _, shell := range c.Commands() {
		shell.Short = a.say.Say("help.completion.shell", shell.Name())
		shell.Long, shell.Args = shell.Short, a.arguments(0, 0)
		if f := shell.Flags().Lookup("no-descriptions"); f != nil {
			f.Usage = a.say.Say("flag.completion.no-descriptions")
		}
	}
}

func (a *app) describeHelpFlags(c *cobra.Command) {
	c.InitDefaultHelpFlag()
	c.DisableFlagsInUseLine = true // cobra would add "[flags]" in English
	c.Flags().Lookup("help").Usage = a.say.Say("flag.help")
	for _, sub := range c.Commands() {
		a.describeHelpFlags(sub)
	}
}

// flagUsages describes flags. pflag's own description counts a Chinese character as
// one column, breaks at spaces only, and adds its defaults in English.
func flagUsages(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "      --" + f.Name
		if f.Shorthand != "" {
			name = fmt.Sprintf("  -%s, --%s", f.Shorthand, f.Name)
		}
		if f.Value.Type() != "bool" && !strings.Contains(value, "|") { // which the text names
			name += " " + value
		}
		lines := report.Wrap(usage, helpWidth-nameColumns)
		if len(name)+2 <= nameColumns {
			fmt.Fprintf(&b, "%-*s%s\n", nameColumns, name, lines[0])
			lines = lines[1:]
		} else {
			fmt.Fprintln(&b, name)
		}
		for _, line := range lines {
			fmt.Fprintf(&b, "%*s%s\n", nameColumns, "", line)
		}
	})
	return strings.TrimRight(b.String(), "\n")
}
