package patterns

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
)

// TestWhatWaitsForItsOtherFormIsBounded: a client chooses what a raw line holds, and a
// message may have a megabyte.
func TestWhatWaitsForItsOtherFormIsBounded(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	a, err := NewAnalyzer(c, Filter{})
	require.NoError(t, err)
	src := a.Source("stdout.log")
	add := func(line string) { src.Add(parser.Parse(parser.Entry{Text: []byte(line)})) }
	for i := range maxUnmet + 100 {
		add(fmt.Sprintf("---------->x----------> tls: client offered only unsupported versions: [%x 301] handshakeStatusReadHandshake1", i))
	}
	assert.Len(t, src.told.unmet, maxUnmet)
	const size = 1 << 20
	for i := range 2 * maxOpenBytes / size {
		add(fmt.Sprintf(`{"level":"panic","msg":"x %d tls: failed to find any PEM data in certificate input","pad":"%s"}`, i, strings.Repeat("x", size)))
	}
	assert.LessOrEqual(t, a.again.openBytes, maxOpenBytes)
	assert.Less(t, len(a.again.queue), maxOpenBytes/size)
	assert.Equal(t, maxUnmet+100+2*maxOpenBytes/size, a.Result().Events, "each is counted all the same")
}
