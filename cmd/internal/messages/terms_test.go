package messages

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	yaml "go.yaml.in/yaml/v4"

	"wklog/patterns"
)

const project = "../../.."

// A place is a text for people, with where it is.
type place struct{ at, text string }

// TestOneTermForOneConcept searches all texts for people for the words that
// testdata/terms.yaml has a better one for.
func TestOneTermForOneConcept(t *testing.T) {
	if testing.Short() {
		t.Skip("long, with one goroutine")
	}
	data, err := os.ReadFile("testdata/terms.yaml")
	require.NoError(t, err)
	var terms map[patterns.Lang][]struct {
		Use, In  string
		Not, But []string
	}
	require.NoError(t, yaml.Unmarshal(data, &terms))
	for lang, list := range terms {
		texts := textsIn(t, lang)
		require.NotEmpty(t, texts)
		for _, term := range list {
			avoided := regexp.MustCompile(strings.Join(term.Not, "|"))
			places := regexp.MustCompile(term.In)
			meant := regexp.MustCompile(strings.Join(append(term.But, `\z.`), "|"))
			for _, p := range texts {
				if !places.MatchString(p.at) || !avoided.MatchString(p.text) {
					continue
				}
				for _, found := range avoided.FindAllString(meant.ReplaceAllString(p.text, ""), -1) {
					assert.Fail(t, "a word with a better one", "%s: %q: write %q", p.at, found, term.Use)
				}
			}
		}
	}
}

// textsIn are all texts in a language: of the catalogue, of the commands, of the
// documents, of the examples.
func textsIn(t *testing.T, lang patterns.Lang) (texts []place) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(project, "patterns/catalogue/*.yaml"))
	require.NoError(t, err)
	for _, name := range files {
		root := document(t, name)
		walk(root, func(key string, value *yaml.Node) {
			if key == string(lang) {
				texts = append(texts, placed(name, value))
			}
		})
	}
	messages := string(lang) + ".yaml"
	walk(document(t, messages), func(_ string, value *yaml.Node) { texts = append(texts, placed(messages, value)) })
	for _, name := range documents(t, lang) {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		for i, line := range strings.Split(string(data), "\n") {
			texts = append(texts, place{name + ":" + strconv.Itoa(i+1), line})
		}
	}
	return texts
}

// documents are the files for people that are no YAML of ours: those with .zh-CN. in
// their names are in Chinese; the examples are in both languages.
func documents(t *testing.T, lang patterns.Lang) (names []string) {
	t.Helper()
	for _, pattern := range []string{"README.md", "docs/*.md", "cmd/wklog/examples/*.yml", "cmd/wklog/examples/*.json"} {
		files, err := filepath.Glob(filepath.Join(project, pattern))
		require.NoError(t, err)
		for _, name := range files {
			if strings.Contains(name, "/patterns.") { // which are made of the catalogue
				continue
			}
			if chinese := strings.Contains(name, ".zh-CN."); filepath.Ext(name) != ".md" || chinese == (lang == patterns.Chinese) {
				names = append(names, name)
			}
		}
	}
	return names
}

func document(t *testing.T, name string) *yaml.Node {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	root := &yaml.Node{}
	require.NoError(t, yaml.Unmarshal(data, root))
	return root
}

// walk visits every scalar that is the value of a key.
func walk(node *yaml.Node, visit func(key string, value *yaml.Node)) {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 1 && child.Kind == yaml.ScalarNode {
			visit(node.Content[i-1].Value, child)
		}
		walk(child, visit)
	}
}

func placed(file string, value *yaml.Node) place {
	return place{filepath.Base(file) + ":" + strconv.Itoa(value.Line), value.Value}
}
