package check

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// requireTexts checks that results have their texts in both languages, and that
// the causes that they name exist.
func requireTexts(t testing.TB, results []Result) {
	t.Helper()
	catalogue, err := patterns.Load()
	require.NoError(t, err)
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		say, err := messages.In(lang)
		require.NoError(t, err)
		for _, r := range results {
			assert.NotEqual(t, "check."+r.ID, r.Title(say), "%s: no title in %s", r.ID, lang)
			if r.Key != "" {
				assert.NotContains(t, []string{"check." + r.ID + "." + r.Key, "check." + r.Key}, r.Detail(say), "no text in %s", lang)
			}
			assert.NotContains(t, r.Detail(say), "%!", "%s.%s in %s", r.ID, r.Key, lang)
			for _, fix := range r.Fixes {
				assert.NotEqual(t, r.message(fix.Key), r.Text(fix, say), "no text in %s", lang)
			}
			for _, id := range append([]string{r.Cause}, r.RulesOut...) {
				assert.True(t, id == "" || catalogue.Cause(id) != nil, "%s names the unknown cause %q", r.ID, id)
			}
			assert.Equal(t, r.Status == Fail, r.Cause != "" && r.Breaks != "", "%s.%s: a failure has a cause and says what it breaks", r.ID, r.Key)
		}
	}
}
