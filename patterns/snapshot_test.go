package patterns

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const regenerate = "run go generate ./patterns and commit what it makes"

func TestEmbeddedCatalogueIsThatOfTheYAML(t *testing.T) {
	c, err := Parse(os.DirFS("catalogue"))
	require.NoError(t, err)
	data, err := Encode(c, catalogueGob)
	require.NoError(t, err)
	assert.True(t, string(data) == string(catalogueGob), regenerate)
}

func TestEmbeddedRankingIsThatOfTheMeasurements(t *testing.T) {
	assumptions, measured := recordedAssumptions(t)
	data, err := Encode(assumptions.Ranker(measured), rankingGob)
	require.NoError(t, err)
	assert.True(t, string(data) == string(rankingGob), regenerate)
}

func TestChangeOfTheCatalogueChangesTheSnapshot(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	c.Patterns[0].Title.Zh += "。"
	data, err := Encode(c, catalogueGob)
	require.NoError(t, err)
	assert.False(t, string(data) == string(catalogueGob))
}
