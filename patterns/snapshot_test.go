package patterns

import (
	"os"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const regenerate = "run go generate ./patterns and commit what it makes"

func TestEmbeddedCatalogueIsThatOfTheYAML(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	want, err := Parse(os.DirFS("catalogue"))
	require.NoError(t, err)
	want.made.searches = nil
	got, err := Load()
	require.NoError(t, err)
	assert.True(t, reflect.DeepEqual(want, got), regenerate)
}

func TestLoadedCatalogueIsTheCallersOwnToAddTo(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	require.NoError(t, c.Add("mine.yaml", []byte(`{patterns: [{id: mine, match: [{regex: "gateway gave up"}]}], suspicious: [{regex: "gateway"}], anchors: [gateway]}`)))
	c.ReadOptions()
	other, err := Load()
	require.NoError(t, err)
	assert.Nil(t, other.Pattern("mine"))
	assert.Len(t, other.Suspicious, len(c.Suspicious)-1)
	assert.Contains(t, c.placements, "gateway")
	assert.NotContains(t, other.placements, "gateway")
}
