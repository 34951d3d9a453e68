package main

import (
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
)

// TestHelpFitsAScreen measures the help of every command in columns, of which a Chinese
// character takes two.
func TestHelpFitsAScreen(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		app, err := newApp([]string{"--lang", lang})
		assert.NoError(t, err)
		every(app.root(), func(c *cobra.Command) {
			args := append(strings.Fields(c.CommandPath())[1:], "--help", "--lang", lang)
			out, _, status := run1(t, args...)
			assert.Zero(t, status, args)
			for line := range strings.Lines(out) {
				isExample := strings.Contains(c.Example, strings.TrimSpace(line))
				assert.True(t, isExample || uniseg.StringWidth(strings.TrimRight(line, "\n")) <= 80, "%s: %s", args, line)
			}
			assert.NotContains(t, out, "--format table|", "alternatives are in the text alone")
			assert.NotRegexp(t, `--[a-z-]+ (?:string|int|duration)\b`, out, "what a flag takes is named for people")
		})
	}
}

func every(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		every(sub, visit)
	}
}
