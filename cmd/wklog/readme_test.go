package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var example = regexp.MustCompile("(?s)<!-- example: ([^\n]+) -->\n```\n(.*?)```")

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
		cmd := exec.Command("go", append([]string{"run", "./cmd/wklog"}, strings.Fields(m[1])...)...)
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
		out, err := cmd.Output()
		require.NoError(t, err, m[1])
		if *update {
			text = strings.Replace(text, m[0], strings.Replace(m[0], "```\n"+m[2], "```\n"+string(out), 1), 1)
			continue
		}
		assert.Equal(t, string(out), m[2], "wklog %s", m[1])
	}
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
}
