package ranking

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEmbeddedRankingIsThatOfTheMeasurements(t *testing.T) {
	assumptions, measured := recordedAssumptions(t)
	data, err := Encode(assumptions.Ranker(measured), rankingGob)
	require.NoError(t, err)
	assert.True(t, string(data) == string(rankingGob), "run go generate ./patterns and commit what it makes")
}

func TestOldRootStoreIsOfOneProgram(t *testing.T) {
	r, err := Load()
	require.NoError(t, err)
	of := map[string][]ReachOf{}
	for _, s := range r.Setups {
		of[s.Cause] = append(of[s.Cause], s.Reach.Of)
		if s.Reach.Of != "" {
			assert.NotEmpty(t, s.Reach.Why, s.Cause)
			assert.Positive(t, s.Reach.Again, s.Cause)
			assert.Less(t, s.Reach.Again, 1.0, s.Cause)
		}
	}
	assert.ElementsMatch(t, []ReachOf{"", "", "", ReachProgram}, of["untrusted-ca"])
	assert.Equal(t, []ReachOf{"", ""}, of["cert-expired"])
}

func TestUnknownReachIsAnError(t *testing.T) {
	_, err := ParseAssumptions([]byte("priors: [{cause: clock-skew, score: 0.1, reach: {of: divice, again: 0.1}}]"))
	assert.ErrorContains(t, err, `clock-skew: no reach "divice"`)
}
