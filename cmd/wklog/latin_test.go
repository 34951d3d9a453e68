package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	yaml "go.yaml.in/yaml/v4"

	"wklog/cmd/internal/messages/latin"
)

// chinese runs the program in Chinese, with a standard input.
func chinese(t *testing.T, stdin string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stdin")
	require.NoError(t, os.WriteFile(file, []byte(stdin), 0o644))
	in, err := os.Open(file)
	require.NoError(t, err)
	defer in.Close()
	a, err := newApp(append([]string{"--lang", "zh"}, args...))
	require.NoError(t, err)
	var out, errs bytes.Buffer
	a.stdin, a.stdout, a.stderr = in, &out, &errs
	status = a.execute(context.Background())
	return out.String(), errs.String(), status
}

// wrongUsages bring about every error that a command line, a file and a disk can.
var wrongUsages = [][]string{
	{"analyze", "-z"}, {"--bogus"}, {"report", "--bogus", "x"}, {"check", "--bogus"}, {"analyze", "--since"}, {"analyze", "--top", "x"}, {"analyze", "--redact=x"},
	{"--format", "foo", "x.log"}, {"explain", "--format", "foo", "x"}, {"patterns", "list", "--format", "foo"}, {"check", "--format", "foo", "--cert", "x"},
	{"analyze", "--since", "x", "x.log"}, {"analyze", "--tz", "x", "x.log"}, {"analyze", "--level", "x", "x.log"}, {"analyze", "--pattern", "x", "x.log"},
	{"analyze", "--cause", "x", "x.log"}, {"analyze", "--fail-on", "x", "x.log"}, {"analyze", "--progress", "x", "x.log"}, {"analyze", "--max-expand", "x", "x.log"},
	{"analyze", "--interval", "x", "-"}, {"analyze", "--interval", "1ms", "-"}, {"analyze", "-f", "-"}, {"analyze", "--state", "s", "x.log"}, {"analyze", "--incident", "7", "one.log"},
	{"analyze", "--metrics-addr", "x", "-"}, {"analyze", "--metrics-addr", "203.0.113.1:1", "-"}, {"analyze", "--on-new", "no-such-program", "-"}, {"analyze", "--on-new", "a | b", "-"},
	{"analyze", "--on-new", `a "b`, "-"}, {"analyze", "--on-new", "cat", "x.log"}, {"analyze", "--webhook", "x", "-"}, {"analyze", "--webhook", "https://example.com", "--webhook-format", "x", "-"},
	{"analyze", "--webhook-format", "feishu", "-"}, {"analyze", "missing.log"}, {"analyze", "one.log/missing.log"}, {"analyze", "empty.log"}, {"analyze", "-"}, {"analyze", "broken.gz"},
	{"analyze", "-o", "missing/x", "one.log"}, {"analyze", "-o", "folder", "one.log"}, {"analyze", "-o", "one.log", "one.log"}, {"analyze", "--check", "missing.yaml", "one.log"},
	{"analyze", "--check", "broken.yaml", "one.log"}, {"analyze", "--patterns", "missing.yaml", "one.log"}, {"analyze", "--patterns", "broken.yaml", "one.log"},
	{"analyze", "--patterns", "regex.yaml", "one.log"}, {"report"}, {"report", "-o", "x.foo", "one.log"}, {"report", "--events", "one.log"}, {"report", "--node-from", "x", "one.log"},
	{"report", "--baseline", "missing.json", "one.log"}, {"report", "--baseline", "broken.yaml", "one.log"}, {"report", "--generated", "x", "one.log"}, {"report", "-", "one.log"},
	{"check"}, {"check", "foo"}, {"check", "--config", "missing.yaml"}, {"check", "--config", "broken.yaml"}, {"check", "--config", "list.yaml"}, {"check", "--config", "twice.yaml"},
	{"check", "--config", "anchors.yaml"}, {"check", "--config", "folder"}, {"check", "--compose", "list.yaml"}, {"check", "--compose", "twice.yaml"}, {"check", "--addr", "foo"},
	{"check", "--addr", "config", "--config", "empty.yaml"}, {"check", "--timeout", "x", "--cert", "x"}, {"check", "--timeout", "-1s", "--cert", "x"}, {"check", "--repeat", "10000", "--cert", "x"},
	{"check", "--ca", "one.log", "--cert", "x"}, {"check", "--ca", "missing.pem", "--cert", "x"}, {"check", "--fail-on", "x", "--cert", "x"}, {"check", "--addr", "@missing"},
	{"explain"}, {"explain", "missing.log"}, {"explain", "xyzzy"}, {"patterns", "foo"}, {"patterns", "show"}, {"patterns", "show", "foo"}, {"patterns", "list", "foo"}, {"patterns", "lint"},
	{"patterns", "lint", "missing.yaml"}, {"patterns", "lint", "broken.yaml"}, {"completion", "foo"}, {"completion", "bash", "foo"}, {"help", "foo"}, {"version", "foo"}, {"bogus"},
	{"doctor", "foo"}, {"doctor", "--bogus"}, {"doctor", "--since", "x"}, {"doctor", "--timeout", "x"}, {"doctor", "--format", "foo"}, {"doctor", "-o", "missing/x"}, {"doctor", "--ca", "missing.pem"},
	{"rules"}, {"rules", "foo"}, {"rules", "loki", "foo"}, {"rules", "loki", "--bogus"}, {"rules", "loki", "-o", "missing/x"},
	{"query"}, {"query", "foo"}, {"query", "loki", "foo"}, {"query", "loki", "--bogus"}, {"query", "loki", "-o", "missing/x"},
	{"analyze", "loki://"}, {"analyze", "loki://127.0.0.1:1/?query=x"}, {"analyze", "vlogs://127.0.0.1:1"}, {"analyze", "vlogs://127.0.0.1:1/?bogus=x"}, {"analyze", "loki+https://127.0.0.1:1"},
	{"analyze", "loki://user:hunter2@127.0.0.1:1"}, {"analyze", "--select", "x", "one.log"}, {"analyze", "--since", "x", "vlogs://127.0.0.1:1"}, {"analyze", "-f", "loki://127.0.0.1:1"}, {"analyze", "elastic://127.0.0.1:1"},
}

// writeWrongFiles makes the files that wrongUsages name.
func writeWrongFiles(t *testing.T) {
	t.Helper()
	require.NoError(t, os.Mkdir("folder", 0o755))
	gz, err := compressed(strings.Repeat(handshakeLine, 100))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"one.log": handshakeLine, "empty.log": "", "broken.gz": string(gz[:len(gz)/2]),
		"broken.yaml": "a: [1\nb: {\n", "list.yaml": "- a\n", "twice.yaml": "a: 1\na: 2\n", "anchors.yaml": "a: &a {b: *a}\n", "empty.yaml": "mode: release\n",
		"regex.yaml": "patterns:\n  - id: x\n    match: [{regex: 'a(b'}]\n",
	} {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
}

// TestErrorsAreInChinese brings about every error.
func TestErrorsAreInChinese(t *testing.T) {
	known, err := latin.Known("../internal/messages/testdata/latin.txt")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	writeWrongFiles(t)
	for _, args := range wrongUsages {
		stdout, stderr, _ := chinese(t, "", args...)
		said := stderr
		if said == "" {
			said = stdout // of lint
		}
		assert.Regexp(t, `\p{Han}`, said, args)
		for _, arg := range args { // what was typed is repeated
			if !strings.HasPrefix(arg, "-") {
				said = strings.ReplaceAll(said, strings.TrimPrefix(arg, "@"), "")
			}
		}
		for _, word := range latin.Words(said) {
			assert.True(t, known[word], "%q in %q (%v)", word, stderr, args)
		}
	}
}

// TestScreensAreInChinese runs every command and looks for two words of English beside
// each other that stand so in no text, command, sample or input.
func TestScreensAreInChinese(t *testing.T) {
	if testing.Short() {
		t.Skip("long, with one goroutine")
	}
	t.Setenv("TZ", "UTC")
	t.Chdir("../..")
	known, err := latin.Known("cmd/internal/messages/testdata/latin.txt")
	require.NoError(t, err)
	pairs := catalogueWords(t)
	inputs, err := filepath.Glob("cmd/internal/check/testdata/config/*/*")
	require.NoError(t, err)
	stream, err := os.ReadFile("testdata/wukongim/scenarios/expired-mixed-docker-json.log")
	require.NoError(t, err)
	screens := [][]string{
		{"--help"}, {"analyze", "--help"}, {"report", "--help"}, {"check", "--help"}, {"explain", "--help"}, {"patterns", "--help"}, {"patterns", "list", "--help"},
		{"patterns", "show", "--help"}, {"patterns", "test", "--help"}, {"patterns", "lint", "--help"}, {"completion", "--help"}, {"completion", "bash", "--help"}, {"help", "--help"}, {"version", "--help"},
		{"doctor", "--help"}, {"rules", "--help"}, {"rules", "loki", "--help"}, {"query", "--help"}, {"query", "vlogs", "--help"},
		{"patterns", "list"}, {"patterns", "show", "alert-unknown-certificate"}, {"patterns", "list", "--format", "markdown"}, {"patterns", "test"},
		{"explain", "46"}, {"explain", "handshakeStatus13ReadClientFinished"}, {"explain", "xyzzy", "xyzzy"}, {"explain", "curl", "60"}, {"explain", handshakeLine},
		{"analyze", "testdata/wukongim/servers/ok"}, {"analyze", "testdata/wukongim/servers/wss-no-cert"}, {"analyze", "--top", "0", "testdata/wukongim/scenarios/expired-mixed-docker-json.log"},
		{"analyze", "-"}, {"analyze", "--format", "markdown", "testdata/wukongim/servers/expired"}, {"report", "--format", "markdown", "testdata/wukongim/servers"}, {"report", "--format", "csv", "testdata/wukongim/servers"},
	}
	for _, input := range inputs {
		data, err := os.ReadFile(input)
		if err != nil {
			continue
		}
		pairs.add(string(data))
		switch base := filepath.Base(input); {
		case strings.Contains(base, "compose"):
			screens = append(screens, []string{"check", "--compose", input})
		case base == "wk.yaml":
			screens = append(screens, []string{"check", "--config", input})
		}
	}
	for _, args := range screens {
		stdout, stderr, _ := chinese(t, string(stream), args...)
		for _, pair := range englishIn(stdout + "\n" + stderr) {
			assert.True(t, pairs[pair] || known[pair[0]] && known[pair[1]], "%q in %v", pair, args)
		}
	}
}

// A wordPairs holds which words follow each other.
type wordPairs map[[2]string]bool

func (p wordPairs) add(text string) {
	for _, pair := range englishIn(text) {
		p[pair] = true
	}
}

var (
	folded  = regexp.MustCompile(`[ \t]*\n[ \t>│]*|\t`)
	notTold = regexp.MustCompile("```\\w*|\\S*…|[\\p{Han}，。；：、（）“”！？…×|]+") // fences, and what ends a run of English
)

// englishIn gives each two words beside each other; a line that is broken goes on.
func englishIn(text string) (list [][2]string) {
	before := ""
	for _, token := range strings.Split(folded.ReplaceAllString(notTold.ReplaceAllString(text, " / "), " "), " ") {
		if words := latin.Words(token); len(words) == 1 && words[0] == token {
			if before != "" {
				list = append(list, [2]string{before, token})
			}
			before = token
		} else {
			before = ""
		}
	}
	return list
}

// catalogueWords are those that stand beside each other in the catalogue, in Chinese
// texts, commands and samples, and in the texts of the commands.
func catalogueWords(t *testing.T) wordPairs {
	t.Helper()
	pairs := wordPairs{}
	var visit func(node *yaml.Node, key string)
	visit = func(node *yaml.Node, key string) {
		if node.Kind == yaml.ScalarNode && key != "en" {
			pairs.add(node.Value)
		}
		for i, child := range node.Content {
			if node.Kind == yaml.MappingNode && i%2 == 1 {
				key = node.Content[i-1].Value
			}
			visit(child, key)
		}
	}
	files, err := filepath.Glob("patterns/catalogue/*.yaml")
	require.NoError(t, err)
	for _, file := range append(files, "cmd/internal/messages/zh.yaml") {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		root := &yaml.Node{}
		require.NoError(t, yaml.Unmarshal(data, root))
		visit(root, "")
	}
	logs, err := filepath.Glob("testdata/wukongim/servers/*/*.log")
	require.NoError(t, err)
	for _, file := range logs {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		pairs.add(string(data))
	}
	return pairs
}
