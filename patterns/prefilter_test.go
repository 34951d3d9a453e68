package patterns

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEverySampleHoldsAnAnchor is what the search for candidates rests on.
func TestEverySampleHoldsAnAnchor(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	require.False(t, c.unanchored, "a pattern implies no literal, so every line would be parsed")
	anchors := c.searches().anchors
	for _, p := range c.Patterns {
		for _, sample := range p.Samples {
			assert.GreaterOrEqual(t, anchors.First([]byte(sample)), 0, "%s: %s", p.ID, sample)
		}
	}
}

// TestHealthyServerIsHardlyLookedAt keeps anchors rare, those that the catalogue
// states and those that come from a new pattern's own expression.
func TestHealthyServerIsHardlyLookedAt(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	data, err := os.ReadFile("../testdata/wukongim/servers/healthy/stdout-debug.log")
	require.NoError(t, err)
	lines, met := 0, map[string]int{}
	for line := range bytes.Lines(data) {
		lines++
		for _, anchor := range c.allAnchors() {
			if bytes.Contains(line, []byte(anchor)) {
				met[anchor]++
			}
		}
	}
	require.Greater(t, lines, 1000)
	for anchor, n := range met {
		assert.Less(t, n, lines/100, "%q stands in many lines of a healthy log: let the pattern imply a rarer text", anchor)
	}
}
