package patterns_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

// TestEveryProgramHasARemedyForWhatItCanHave lints the causes, with their places.
func TestEveryProgramHasARemedyForWhatItCanHave(t *testing.T) {
	c, err := patterns.Parse(os.DirFS("catalogue"))
	require.NoError(t, err)
	for _, problem := range patterns.Lint(c, nil) {
		assert.Fail(t, problem.String())
	}
}
