package main

import (
	"bufio"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var example = regexp.MustCompile("(?s)<!-- (example|check|stream|follow): ([^\n]+) -->\n```\n(.*?)```")

// TestReadmeShowsRealOutput runs the examples of the README and compares what
// it shows of them; -update writes it anew.
func TestReadmeShowsRealOutput(t *testing.T) {
	const name = "../../README.md"
	readme, err := os.ReadFile(name)
	require.NoError(t, err)
	found := example.FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, found)
	text := string(readme)
	for _, m := range found {
		out := exampleOutput(t, m[1], strings.Fields(m[2]))
		if *update {
			text = strings.Replace(text, m[0], strings.Replace(m[0], "```\n"+m[3], "```\n"+out, 1), 1)
			continue
		}
		assert.Equal(t, out, m[3], "%s: %s", m[1], m[2])
	}
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
}

// exampleOutput runs wklog with arguments; as a stream or a follower over a file
// it gives the first lines of what is told while it comes.
func exampleOutput(t *testing.T, kind string, args []string) string {
	t.Helper()
	c := self(t, "wklog")
	c.Dir = "../.."
	if kind == "example" {
		c.Args = append(c.Args, args...)
		out, err := c.Output()
		require.NoError(t, err, args)
		return string(out)
	}
	file, lines := args[0], atoi(args[1])
	switch kind {
	case "check":
		c.Args = append(c.Args, "check", "--compose", file)
		out, _ := c.Output() // checks fail
		return strings.Join(strings.SplitAfter(string(out), "\n")[:lines], "")
	case "stream":
		in, err := os.Open("../../" + file)
		require.NoError(t, err)
		defer in.Close()
		c.Stdin = in
	case "follow":
		c.Args = append(c.Args, "analyze", "-f", "--from-start", file)
	}
	pipe, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	var out strings.Builder
	for told := bufio.NewScanner(pipe); lines > 0 && told.Scan(); lines-- {
		out.WriteString(told.Text() + "\n")
	}
	_ = c.Process.Signal(os.Interrupt)
	_, _ = io.Copy(io.Discard, pipe)
	_ = c.Wait()
	return out.String()
}
