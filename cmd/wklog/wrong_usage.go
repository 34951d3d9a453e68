package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// explainError puts the error of a command into the user's language.
func (a *app) explainError(command string, err error) string {
	var wrong patterns.Problems
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &wrong):
		return strings.Join(report.Problems(wrong, a.say), "\n")
	case errors.As(err, &unknown):
		return a.say.Say("error.flag", dashed(unknown.GetSpecifiedName(), unknown.GetSpecifiedShortnames()), command)
	case errors.As(err, &missing):
		return a.say.Say("error.flag.value", dashed(missing.GetSpecifiedName(), missing.GetSpecifiedShortnames()), command)
	case errors.As(err, &invalid):
		return a.invalidValue(command, invalid)
	}
	return a.say.Error(err)
}

// dashed is a flag as it was typed; shorthands tells that it was one letter.
func dashed(name, shorthands string) string {
	if shorthands != "" {
		return "-" + name
	}
	return "--" + name
}

// invalidValue says what a flag takes where its own text says it.
func (a *app) invalidValue(command string, err *pflag.InvalidValueError) string {
	switch name := err.GetFlag().Name; name {
	case "interval":
		return a.say.Say("error.interval", err.GetValue())
	case "timeout":
		return a.say.Say("error.check.timeout", err.GetValue())
	default:
		return a.say.Say("error.flag.invalid", name, err.GetValue(), command)
	}
}

// arguments limits their number.
func (a *app) arguments(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case most == 0 && len(args) > 0 && c.HasSubCommands():
			return messages.NewError("error.subcommand", c.CommandPath(), args[0], c.CommandPath())
		case most == 0 && len(args) > 0:
			return messages.NewError("error.args.none", c.CommandPath(), args[0], c.CommandPath())
		case len(args) < least || most >= 0 && len(args) > most:
			return messages.NewError("error.args", c.CommandPath())
		}
		return nil
	}
}

// topic is that of help: the path of a command.
func (a *app) topic(help *cobra.Command, args []string) error {
	at := help.Root()
	for _, name := range args {
		i := slices.IndexFunc(at.Commands(), func(c *cobra.Command) bool { return c.Name() == name })
		if i < 0 {
			return messages.NewError("error.subcommand", at.CommandPath(), name, at.CommandPath())
		}
		at = at.Commands()[i]
	}
	return nil
}
