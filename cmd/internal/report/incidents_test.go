package report

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// TestHeadlineNamesFewOfManyNodes holds the headline of a fault of a whole cluster to a
// line or two.
func TestHeadlineNamesFewOfManyNodes(t *testing.T) {
	nodes := func(n int) *Incident {
		in := &Incident{}
		for i := range n {
			in.Nodes = append(in.Nodes, fmt.Sprintf("im%03d", i))
		}
		return in
	}
	english, err := messages.In(patterns.English)
	require.NoError(t, err)
	chinese, err := messages.In(patterns.Chinese)
	require.NoError(t, err)
	assert.Equal(t, "im000, im001, im002, im003, im004", nodes(5).where(english), "one other is named as well")
	assert.Equal(t, "im000, im001, im002, im003 and 96 others", nodes(100).where(english))
	assert.Equal(t, "im000、im001、im002、im003 等，另有 96 个节点", nodes(100).where(chinese))
}
