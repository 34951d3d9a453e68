package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// documents are those that are written by hand, in English; each has a counterpart in
// Chinese.
var documents = []string{"README.md", "docs/operating.md", "docs/checks.md", "docs/catalogue.md", "docs/ranking.md", "docs/speed.md", "docs/architecture.md"}

// inChinese is the name of a document's counterpart.
func inChinese(name string) string {
	return filepath.Join("docs", strings.TrimSuffix(filepath.Base(name), ".md")+".zh-CN.md")
}

// inBothLanguages runs a test for each document and its counterpart, from the
// project's folder.
func inBothLanguages(t *testing.T, test func(t *testing.T, name, lang string)) {
	t.Setenv("TZ", "UTC")
	t.Chdir("../..")
	for _, name := range documents {
		test(t, name, "en")
		test(t, inChinese(name), "zh")
	}
}

func textOf(t *testing.T, name string) string { return string(read(t, name)) }

var example = regexp.MustCompile("(?s)<!-- (begin|check|stream|follow): ([^\n]+) -->\n```\n(.*?)```")

// TestDocumentsShowRealOutput runs the examples of the documents and compares what
// they show of them; -update writes it again.
func TestDocumentsShowRealOutput(t *testing.T) {
	inBothLanguages(t, func(t *testing.T, name, lang string) {
		text := textOf(t, name)
		for _, m := range example.FindAllStringSubmatch(text, -1) {
			out := exampleOutput(t, lang, m[1], strings.Fields(m[2]))
			if *update {
				text = strings.Replace(text, m[0], strings.TrimSuffix(m[0], m[3]+"```")+out+"```", 1)
				continue
			}
			assert.Equal(t, out, m[3], "%s: %s: %s", name, m[1], m[2])
		}
		if *update {
			require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
		}
	})
}

// exampleOutput gives the first lines of what wklog prints: of a command, of the checks of
// a compose file, of a stream or a follower over a file while it comes.
func exampleOutput(t *testing.T, lang, kind string, args []string) string {
	t.Helper()
	c := self(t, "wklog", "--lang", lang)
	var file string
	var lines int
	switch kind {
	case "begin", "check":
		lines = atoi(args[0])
		if args = args[1:]; kind == "check" {
			args = append([]string{"check", "--compose"}, args...)
		}
		c.Args = append(c.Args, args...)
		out, _ := c.Output() // checks fail
		return strings.Join(strings.SplitAfter(string(out), "\n")[:lines], "")
	case "stream":
		file, lines = args[0], atoi(args[1])
		in, err := os.Open(file)
		require.NoError(t, err)
		defer in.Close()
		c.Stdin = in
	case "follow":
		file, lines = args[0], atoi(args[1])
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

var (
	heading = regexp.MustCompile(`(?m)^#+ `)
	inCode  = regexp.MustCompile("(?s)```.*?\n```|`[^`\n]+`|(?m:^    [a-zA-Z][^\n]*$)")
	row     = regexp.MustCompile(`(?m)^\|`)
	link    = regexp.MustCompile(`\]\(([^)#]+)\)`)
)

// TestDocumentsAreTheSameInBothLanguages compares their headings, tables, code and links.
func TestDocumentsAreTheSameInBothLanguages(t *testing.T) {
	t.Chdir("../..")
	for _, name := range documents {
		en, zh := textOf(t, name), textOf(t, inChinese(name))
		en, _, _ = strings.Cut(en, "<!-- checks -->") // behind which it is generated
		zh, _, _ = strings.Cut(zh, "<!-- checks -->")
		assert.Equal(t, heading.FindAllString(en, -1), heading.FindAllString(zh, -1), name)
		assert.Len(t, row.FindAllString(zh, -1), len(row.FindAllString(en, -1)), name)
		shown := func(text string) []string {
			return inCode.FindAllString(example.ReplaceAllString(text, ""), -1)
		}
		assert.ElementsMatch(t, shown(en), shown(zh), name)
		assert.Len(t, link.FindAllString(zh, -1), len(link.FindAllString(en, -1)), name)
	}
}

// inEnglish are files of figures and names, which have one language.
var inEnglish = []string{"trust.md", "vocabulary.md", "comparison.md", "confidence.md", "remedies.md", "LICENSE"}

func TestLinksOfDocumentsLeadSomewhere(t *testing.T) {
	inBothLanguages(t, func(t *testing.T, name, lang string) {
		for _, m := range link.FindAllStringSubmatch(textOf(t, name), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			_, err := os.Stat(filepath.Join(filepath.Dir(name), m[1]))
			assert.NoError(t, err, name)
			if base := filepath.Base(m[1]); lang == "zh" && !slices.Contains(inEnglish, base) && !strings.Contains(m[0], "README") {
				assert.True(t, strings.Contains(base, ".zh-CN.") || base == strings.Replace(filepath.Base(name), ".zh-CN", "", 1), "%s: %s", name, m[1])
			}
		}
	})
}

var ourProgram = regexp.MustCompile("(?:^|[`|] ?)(wklog(?: [^`|]*)?)")

// TestCommandsOfDocumentsAreUnderstood reads the flags of every command line.
func TestCommandsOfDocumentsAreUnderstood(t *testing.T) {
	found := 0
	inBothLanguages(t, func(t *testing.T, name, _ string) {
		for _, code := range inCode.FindAllString(strings.ReplaceAll(textOf(t, name), `\|`, "|"), -1) {
			for line := range strings.Lines(strings.Trim(code, "`")) {
				m := ourProgram.FindStringSubmatch(strings.TrimSpace(line))
				if m == nil || strings.Contains(line, "go run") {
					continue
				}
				found++
				a, err := newApp(nil)
				require.NoError(t, err)
				command, rest, err := a.root().Find(strings.Fields(m[1])[1:])
				require.NoError(t, err, line)
				assert.NoError(t, command.ParseFlags(rest), line)
			}
		}
	})
	assert.Greater(t, found, 50)
}
