package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/cmd/internal/secrets"
	"wklog/cmd/internal/source"
	"wklog/patterns"
)

// app is one run of the program: its streams, its language, and the exit
// status that its commands leave.
type app struct {
	args   []string
	stdin  *os.File
	stdout io.Writer
	stderr io.Writer
	say    *messages.Printer
	status int

	lang       string
	noColor    bool
	catalogs   []string
	unfinished *unfinished
}

// newApp finds the language before anything is printed in it.
func newApp(args []string) (*app, error) {
	asked := langFlag(args)
	lang, langErr := messages.Detect(asked)
	if langErr != nil { // said in the language of the environment
		lang, _ = messages.Detect("auto")
	}
	say, err := messages.In(lang)
	if err != nil {
		return nil, err
	}
	if langErr != nil {
		return nil, errors.New(say.Error(messages.NewError("error.lang", asked)))
	}
	return &app{args: args, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, say: say, unfinished: &unfinished{}}, nil
}

// langFlag reads --lang ahead of the other flags: their help needs it.
func langFlag(args []string) string {
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--lang="); ok {
			return value
		}
		if arg == "--lang" && i+1 < len(args) {
			return args[i+1]
		}
		if arg == "--" {
			break
		}
	}
	return "auto"
}

func (a *app) execute(ctx context.Context) int {
	root := a.root()
	root.SetArgs(withText(a.args))
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	if c, err := root.ExecuteContextC(ctx); err != nil {
		a.complain(a.explainError(c.CommandPath(), err))
		return exitWrong
	}
	return a.status
}

// withText marks what explain is given as text from where it begins with three
// dashes or more, as WuKongIM's raw line does: no flag does.
func withText(args []string) []string {
	explains := slices.Index(args, "explain")
	for i, arg := range args {
		switch {
		case explains < 0 || i <= explains:
		case arg == "--":
			return args
		case strings.HasPrefix(arg, "---"):
			return slices.Insert(slices.Clone(args), i, "--")
		}
	}
	return args
}

// complainOf complains of an input.
func (a *app) complainOf(name, message string) {
	if name == source.Stdin {
		name = a.say.Say("input.stdin")
	}
	a.complain(a.say.Say("error.in-file", name, message))
}

// complain prints one message to stderr, without the secrets in it.
func (a *app) complain(text string) {
	fmt.Fprintln(a.stderr, "wklog: "+report.Visible(secrets.Hide(text)))
}

func (a *app) root() *cobra.Command {
	analyze := a.analyzeCommand()
	root := &cobra.Command{
		Use: "wklog", Short: a.say.Say("help.wklog"), Long: a.say.Say("help.wklog.long"), Example: a.say.Say("help.wklog.examples"),
		SilenceErrors: true, SilenceUsage: true, Args: cobra.ArbitraryArgs, RunE: a.withoutCommand(analyze),
	}
	root.PersistentFlags().StringVar(&a.lang, "lang", "auto", a.say.Say("flag.lang"))
	root.PersistentFlags().BoolVar(&a.noColor, "no-color", false, a.say.Say("flag.no-color"))
	root.PersistentFlags().StringArrayVar(&a.catalogs, "patterns", nil, a.say.Say("flag.patterns"))
	root.Flags().AddFlagSet(analyze.Flags())
	root.AddCommand(analyze, a.reportCommand(), a.checkCommand(), a.doctorCommand(), a.explainCommand(), a.patternsCommand(), a.rulesCommand(), a.queryCommand(), a.versionCommand())
	a.translateHelp(root)
	return root
}

// withoutCommand runs analyze over piped stdin or the named files, and shows
// help to somebody who typed the bare name at a terminal.
func (a *app) withoutCommand(analyze *cobra.Command) func(*cobra.Command, []string) error {
	return func(root *cobra.Command, args []string) error {
		if len(args) == 0 && term.IsTerminal(int(a.stdin.Fd())) {
			return root.Help()
		}
		for _, arg := range args {
			if _, err := os.Stat(arg); err != nil && arg != "-" && !strings.ContainsAny(arg, "./*") {
				return messages.NewError("error.command", arg)
			}
		}
		analyze.SetContext(root.Context())
		return analyze.RunE(analyze, args)
	}
}

// catalogue is the embedded one with the user's files.
func (a *app) catalogue() (*patterns.Catalogue, error) {
	c, err := patterns.Load()
	if err != nil {
		return nil, err
	}
	return c, a.addCatalogues(c, a.catalogs)
}

// addCatalogues adds users' files.
func (a *app) addCatalogues(c *patterns.Catalogue, files []string) error {
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return messages.InFile(name, err)
		}
		if err := c.Add(name, data); err != nil {
			return err
		}
	}
	return nil
}

// options for showing something on standard output.
func (a *app) options(top int) report.Options {
	opts := report.Options{Say: a.say, Top: top, Width: 80}
	file, ok := a.stdout.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return opts
	}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil {
		opts.Width = width
	}
	opts.Color = !a.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return opts
}
