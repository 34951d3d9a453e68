package check

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/syntax"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// requireTexts checks that results have their texts in both languages, and that
// the causes that they name exist.
func requireTexts(t testing.TB, results []Result) {
	t.Helper()
	for _, r := range results {
		requireTypes(t, r)
		seen[fmt.Sprint(r.ID, " ", r.Key, " ", r.Status, " ", len(r.Met))] = r
	}
	catalogue, err := embedded()
	require.NoError(t, err)
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		say := sayIn(t, lang)
		for _, r := range results {
			assert.NotEqual(t, "check."+r.ID, r.Title(say), "%s: no title in %s", r.ID, lang)
			if r.Key != "" {
				assert.NotContains(t, []string{"check." + r.ID + "." + r.Key, "check." + r.Key}, r.Detail(say), "no text in %s", lang)
			}
			assert.NotContains(t, r.Detail(say), "%!", "%s.%s in %s", r.ID, r.Key, lang)
			for _, fix := range r.Fixes {
				assert.NotEqual(t, r.message(fix.Key), r.Text(fix, say), "no text in %s", lang)
				assert.NotContains(t, fix.CommandLine()+fix.Snippet(), "%!", "%s.%s", r.ID, r.Key)
				command, err := syntax.NewParser().Parse(strings.NewReader(fix.CommandLine()), "")
				require.NoError(t, err, fix.CommandLine())
				assert.LessOrEqual(t, len(command.Stmts), 1, "a step holds one command: %s", fix.CommandLine())
			}
			for _, id := range append([]string{r.Cause}, r.RulesOut...) {
				assert.True(t, id == "" || catalogue.Cause(id) != nil, "%s names the unknown cause %q", r.ID, id)
			}
			assert.Equal(t, r.Status == Fail, r.Cause != "" && r.Breaks != "", "%s.%s: a failure has a cause and says what it breaks", r.ID, r.Key)
		}
	}
}

// sayIn gives the printer of a language, which is the same for all tests.
func sayIn(t testing.TB, lang patterns.Lang) *messages.Printer {
	t.Helper()
	say, err := printers[lang]()
	require.NoError(t, err)
	return say
}

var printers = map[patterns.Lang]func() (*messages.Printer, error){
	patterns.English: sync.OnceValues(func() (*messages.Printer, error) { return messages.In(patterns.English) }),
	patterns.Chinese: sync.OnceValues(func() (*messages.Printer, error) { return messages.In(patterns.Chinese) }),
}

// embedded is the catalogue, which is the same for all tests.
var embedded = sync.OnceValues(func() (*patterns.Catalogue, error) { return patterns.Load() })

// seen has a result of each kind that the tests brought about, by its check, key and
// status. What redaction makes of them is looked at when all tests are done.
var seen = map[string]Result{}

// Originals are the names that the tests give to what is a user's own: hosts,
// certificates, services, files.
var Originals = regexp.MustCompile(`(?i)wangwei|\b203\.0\.113\.[78]\b|\b10\.1\.2\.|\b192\.168\.1\.10\b|\b2001:db8::7\b|` + regexp.QuoteMeta(os.TempDir()) + `/Test`)

// local is what the tests connect to: redaction leaves it, and yet it is an address.
var local = regexp.MustCompile(`127\.0\.0\.\d|::1`)

var quotations = regexp.MustCompile(`"(?:[^"\\\\]|\\\\.)*"`)

// requireTypes checks that nothing of a user's own passes for a text, a number or a
// time, which redaction leaves, or stands in the command of a fix without a type.
func requireTypes(t testing.TB, r Result) {
	t.Helper()
	values := map[string]string{}
	check := func(v Value) Value {
		switch v.Type {
		case Text:
			said := quotations.ReplaceAllString(fmt.Sprint(v.V), "")
			assert.NotRegexp(t, Originals, said, "%s.%s: %s is no text", r.ID, r.Key, v.Name)
			assert.NotRegexp(t, local, said, "%s.%s: %s is no text", r.ID, r.Key, v.Name)
		case Number, Time:
			assert.NotRegexp(t, Originals, v.String(), "%s.%s: %s is no %s", r.ID, r.Key, v.Name, v.Type)
		case Name, Host, Address, Path:
		default:
			assert.Fail(t, "value without a type", "%s.%s: %s", r.ID, r.Key, v.Name)
		}
		assert.Regexp(t, `^[a-z]+(_[a-z]+)*$`, v.Name, "%s.%s", r.ID, r.Key)
		if known, ok := values[v.Name]; ok {
			assert.Equal(t, known, v.String(), "%s.%s: two values are called %s", r.ID, r.Key, v.Name)
		}
		values[v.Name] = v.String()
		return v
	}
	r.Map(check)
	for _, fix := range r.Fixes {
		assert.NotRegexp(t, Originals, fix.Key+fix.Command+fix.Config, "%s.%s", r.ID, r.Key)
	}
}
