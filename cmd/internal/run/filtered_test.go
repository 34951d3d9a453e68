package run

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

// TestRecordingsSayTheSameOfTheLinesThatAreFetched: of each recording of a server, what an
// engine is asked for, and what weighs beside it, gives the events and the causes of all.
func TestRecordingsSayTheSameOfTheLinesThatAreFetched(t *testing.T) {
	c, err := patterns.Load()
	require.NoError(t, err)
	literals := slices.Concat(c.Pushed(false), c.Nearby())
	recordings, err := filepath.Glob("../../../testdata/wukongim/scenarios/*.log")
	require.NoError(t, err)
	require.Greater(t, len(recordings), 15)
	analysed := func(name string, data []byte) *patterns.Analysis {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		a, err := patterns.NewAnalyzer(c, patterns.Filter{})
		require.NoError(t, err)
		b := &Batch{Core: NewCore(a, c.ReadOptions(), nil), Args: []string{path}, Jobs: 1}
		require.Empty(t, b.Run(t.Context()))
		result := a.Result()
		return &result
	}
	left := 0
	for _, path := range recordings {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		var fetched bytes.Buffer
		for line := range bytes.Lines(data) {
			if slices.ContainsFunc(literals, func(l string) bool { return bytes.Contains(line, []byte(l)) }) {
				fetched.Write(line)
			} else {
				left++
			}
		}
		name := filepath.Base(path)
		whole, part := analysed(name, data), analysed(name, fetched.Bytes())
		assert.Equal(t, whole.Events, part.Events, name)
		assert.Equal(t, whole.Duplicates, part.Duplicates, name)
		assert.Equal(t, whole.Unclassified, part.Unclassified, name)
		require.Len(t, part.Diagnosis, len(whole.Diagnosis), name)
		for i, d := range whole.Diagnosis {
			assert.Equal(t, d.Cause.ID, part.Diagnosis[i].Cause.ID, "%s %s", name, strings.Repeat("#", i))
			assert.InDelta(t, d.Confidence, part.Diagnosis[i].Confidence, 0.01, "%s: %s", name, d.Cause.ID)
		}
	}
	assert.Greater(t, left, 100, "lines are left out")
}
