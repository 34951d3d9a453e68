package messages

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

func TestEmbeddedTextsAreThoseOfTheYAML(t *testing.T) {
	for lang, texts := range embedded {
		want, err := Parse(os.DirFS("."), lang)
		require.NoError(t, err)
		assert.Equal(t, want, texts(), "run go generate in cmd/internal/messages")
	}
}

func TestLanguagesHaveTheSameTexts(t *testing.T) {
	en, err := In(patterns.English)
	require.NoError(t, err)
	zh, err := In(patterns.Chinese)
	require.NoError(t, err)
	assert.Equal(t, slices.Sorted(maps.Keys(en.texts)), slices.Sorted(maps.Keys(zh.texts)))
	for key, text := range en.texts {
		assert.Equal(t, verbs(text), verbs(zh.texts[key]), key)
	}
}

var verb = regexp.MustCompile(`%(?:\[(\d)\])?([sdqv])`)

// verbs tells how each argument of a text is printed, by its number.
func verbs(text string) map[int]string {
	list := map[int]string{}
	for i, m := range verb.FindAllStringSubmatch(text, -1) {
		number := i + 1
		if m[1] != "" {
			number = int(m[1][0] - '0')
		}
		list[number] = m[2]
	}
	return list
}

var said = regexp.MustCompile(`(?:Say\(|NewError\(|\bsay )"([a-z.-]+)"`)

// TestEveryTextIsUsed reads the commands' source and templates: a key that is said must
// exist, and one that exists must be said. Keys that are put together at run
// time are known by their beginning.
func TestEveryTextIsUsed(t *testing.T) {
	p, err := In(patterns.English)
	require.NoError(t, err)
	var source strings.Builder
	for _, dir := range []string{".", "../report", "../notify", "../run", "../rules", "../check", "../doctor", "../program", "../source", "../../wklog"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		templates, err := filepath.Glob(filepath.Join(dir, "*.tmpl"))
		require.NoError(t, err)
		for _, name := range append(files, templates...) {
			if name == "embedded.go" {
				continue
			}
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			source.Write(data)
		}
	}
	for _, m := range said.FindAllStringSubmatch(source.String(), -1) {
		if !strings.HasSuffix(m[1], ".") {
			assert.Contains(t, p.texts, m[1])
		}
	}
	for key := range p.texts {
		made := slices.ContainsFunc([]string{"status.", "lint.", "hint.", "severity.", "change.", "answer.", "timeline.unit.", "system.", "category.", "reporter.", "phase.", "source.", "doctor.state.", "doctor.mark.", "doctor.finder.", "doctor.found."}, func(prefix string) bool {
			return strings.HasPrefix(key, prefix)
		})
		said := strings.Contains(source.String(), `"`+key+`"`)
		if detail, ok := strings.CutPrefix(key, "check."); ok { // check.ID, check.ID.KEY, also behind "form-" and "other-"
			_, word, _ := strings.Cut(detail, ".")
			word = cmp.Or(word, detail)
			for _, before := range []string{"", "form-", "other-"} {
				said = said || strings.Contains(source.String(), `"`+strings.TrimPrefix(word, before)+`"`)
			}
		}
		assert.True(t, made || said, "%s is never said", key)
	}
}

func TestLanguageOfTheEnvironment(t *testing.T) {
	for _, c := range []struct{ all, messages, lang, want string }{
		{"", "", "zh_CN.UTF-8", "zh"},
		{"", "", "en_US.UTF-8", "en"},
		{"", "zh_TW", "en_US", "zh"},
		{"C", "zh_CN", "zh_CN", "en"},
		{"", "", "", "en"},
	} {
		t.Setenv("LC_ALL", c.all)
		t.Setenv("LC_MESSAGES", c.messages)
		t.Setenv("LANG", c.lang)
		got, err := Detect("auto")
		require.NoError(t, err)
		assert.Equal(t, c.want, string(got), "%+v", c)
	}
}

// reported are the kinds of problems of a catalogue, where it is checked.
var reported = regexp.MustCompile(`(?:l\.(?:report|text)\(.*|Kind: )"([a-z]+(?:-[a-z]+)+)"`)

func TestEveryProblemOfACatalogueHasAText(t *testing.T) {
	p, err := In(patterns.English)
	require.NoError(t, err)
	files, err := filepath.Glob("../../../patterns/*.go")
	require.NoError(t, err)
	kinds := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "embedded.go") {
			continue
		}
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range reported.FindAllStringSubmatch(string(data), -1) {
			kinds[m[1]] = true
		}
	}
	require.Greater(t, len(kinds), 30)
	for kind := range kinds {
		assert.Contains(t, p.texts, "lint."+kind)
	}
}
