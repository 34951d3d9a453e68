package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// isStatic tells whether a program runs where no library is: in an image of
// Alpine, or from nothing.
func isStatic(t *testing.T, program string) bool {
	t.Helper()
	f, err := elf.Open(program)
	require.NoError(t, err)
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return false
		}
	}
	libraries, err := f.ImportedLibraries()
	require.NoError(t, err)
	return len(libraries) == 0
}

// TestBinaryRunsInAnyImage builds wklog with each command that we give for it.
// Where a C compiler is installed, Go links to its library, unless it is told not
// to.
func TestBinaryRunsInAnyImage(t *testing.T) {
	commands := map[string]bool{}
	for _, file := range []string{"../../README.md", "examples/docker-compose.yml", "examples/wklog.service"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, command := range regexp.MustCompile("(?:[A-Z_]+=[^ `]+ )*go (?:build|install) [^`\n]*").FindAllString(string(text), -1) {
			commands[command] = true
		}
	}
	require.GreaterOrEqual(t, len(commands), 2)
	for command := range commands {
		dir := t.TempDir()
		c := exec.Command("sh", "-c", strings.Replace(command, "-o wklog", "-o "+dir+"/wklog", 1))
		c.Dir = "../.."
		c.Env = append(os.Environ(), "GOBIN="+dir)
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%s\n%s", command, out)
		assert.True(t, isStatic(t, filepath.Join(dir, "wklog")), command)
	}
}
