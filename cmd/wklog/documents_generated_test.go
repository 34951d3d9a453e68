package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	yaml "go.yaml.in/yaml/v4"
)

const behindChecks = "<!-- checks -->\n"

// TestGeneratedDocumentsAreUpToDate compares the documents of checks and of the catalogue
// with what they come from; -update writes them again.
func TestGeneratedDocumentsAreUpToDate(t *testing.T) {
	if testing.Short() {
		t.Skip("long, with one goroutine")
	}
	t.Setenv("TZ", "UTC")
	t.Chdir("../..")
	for lang, ending := range map[string]string{"en": ".md", "zh": ".zh-CN.md"} {
		reference, _, status := run1(t, "patterns", "list", "--format", "markdown", "--lang", lang)
		require.Zero(t, status)
		isGenerated(t, "docs/patterns"+ending, reference)
		name := "docs/checks" + ending
		written, _, ok := strings.Cut(textOf(t, name), behindChecks)
		require.True(t, ok)
		isGenerated(t, name, written+behindChecks+checksDocument(t, lang))
	}
}

func isGenerated(t *testing.T, name, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(want), 0o644))
		return
	}
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.True(t, string(data) == want, "%s is not what is generated: go test ./cmd/wklog -run Documents -update", name)
}

var (
	checkTitle = regexp.MustCompile(`^check\.((?:config|key|cert|chain|live)-[a-z0-9-]+)$`)
	checkText  = regexp.MustCompile(`^check\.((?:config|key|cert|chain|live)-[a-z0-9-]+)\.([a-z0-9-]+)$`)
	placeheld  = regexp.MustCompile(`%(?:\[\d\])?[sdqv]`)
)

// checksDocument has each check with its title, what it may say, and a configuration that
// fails it.
func checksDocument(t *testing.T, lang string) string {
	t.Helper()
	root := &yaml.Node{}
	require.NoError(t, yaml.Unmarshal([]byte(textOf(t, "cmd/internal/messages/"+lang+".yaml")), root))
	pairs := root.Content[0].Content
	titles, texts := []string{}, map[string][]string{}
	title := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, text := pairs[i].Value, pairs[i+1].Value
		if m := checkTitle.FindStringSubmatch(key); m != nil {
			titles = append(titles, m[1])
			title[m[1]] = text
		}
		if m := checkText.FindStringSubmatch(key); m != nil && !strings.HasPrefix(m[2], "fix") && text != "%s" {
			texts[m[1]] = append(texts[m[1]], placeheld.ReplaceAllString(text, "…"))
		}
	}
	var b strings.Builder
	for _, id := range titles {
		b.WriteString("\n## " + title[id] + "\n\n`" + id + "`\n")
		if len(texts[id]) > 0 {
			b.WriteString("\n")
		}
		for _, text := range texts[id] {
			b.WriteString("- " + text + "\n")
		}
		b.WriteString(failingConfiguration(t, id, title[id], lang))
	}
	return b.String()
}

// failingConfiguration is the first of those with faults that the check finds, with what
// is printed for it; empty where there is none.
func failingConfiguration(t *testing.T, id, title, lang string) string {
	t.Helper()
	expected, err := filepath.Glob("cmd/internal/check/testdata/config/*/expected.txt")
	require.NoError(t, err)
	for _, file := range expected {
		compose := filepath.Join(filepath.Dir(file), "docker-compose.yml")
		if !regexp.MustCompile(`(?m)^(?:fail|warn) `+id+`\.`).MatchString(textOf(t, file)) || !isFile(compose) {
			continue
		}
		out, _, _ := run1(t, "check", "--lang", lang, "--compose", compose)
		_, told, ok := strings.Cut(out, title+"\n")
		require.True(t, ok, "%s: %s", compose, title)
		shown := title + "\n"
		for line := range strings.Lines(told) {
			if !strings.HasPrefix(line, "       ") {
				break
			}
			shown += line
		}
		return "\n```yaml\n" + strings.TrimSpace(textOf(t, compose)) + "\n```\n\n```\n" + strings.TrimRight(shown, "\n") + "\n```\n"
	}
	return ""
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
