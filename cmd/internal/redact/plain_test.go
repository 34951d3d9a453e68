package redact

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNoDigitMattersToTheExpressions but those for which a text has no shape: otherwise
// a name could pass as the like of a text without any.
func TestNoDigitMattersToTheExpressions(t *testing.T) {
	for _, k := range kinds {
		expr := strings.NewReplacer(`1[3-9]\d{9}`, "", `p12`, "", `%3[ad]`, "", `%3d`, "").Replace(k.expr)
		parsed, err := syntax.Parse(`(?im)`+expr, syntax.Perl)
		require.NoError(t, err)
		program, err := syntax.Compile(parsed.Simplify())
		require.NoError(t, err)
		for _, inst := range program.Inst {
			ranges := inst.Rune
			if len(ranges) == 1 {
				ranges = []rune{ranges[0], ranges[0]}
			}
			for i := 0; i+1 < len(ranges); i += 2 {
				from, behind := ranges[i], ranges[i+1]+1
				assert.False(t, from > '0' && from <= '9' || behind > '0' && behind <= '9', k.expr)
			}
		}
	}
}

func TestPseudonymsAreBounded(t *testing.T) {
	r := New()
	for i := range maxPseudonyms + 10 {
		r.Named("ip", fmt.Sprint(i))
	}
	assert.Equal(t, "ip-1", r.Named("ip", "0"), "what was named keeps its name")
	assert.Equal(t, "ip-other", r.Named("ip", "one more"))
	assert.Equal(t, "ip-other", r.Named("ip", "ip-other"), "it is not replaced again")
	assert.Equal(t, "host-1", r.Named("host", "a"), "of another kind there is room")
	assert.Len(t, r.pseudonyms, maxPseudonyms+1)
}

func TestTextsOfOneShapeAreShownAlike(t *testing.T) {
	r := New()
	for i := range 100 {
		plain := fmt.Sprintf("2026/05/04 01:%02d:07 http: TLS handshake error from ip-%d:1031: remote error: tls: bad certificate", i%60, i)
		assert.Equal(t, plain, r.Text(plain))
	}
	assert.Len(t, r.plain, 2, "they are looked at once for each number of digits")
	for _, c := range []struct{ plain, name, shown string }{
		{"peer 999.999.999.999 left", "peer 203.000.113.009 left", "peer 203.000.113.009 left"}, // which is no address either
		{"peer 999.999.999.999 left", "peer 203.110.113.119 left", "peer ip-1 left"},
		{"call 12345678901 now", "call 13345678901 now", "call user-1 now"},
	} {
		r := New()
		assert.Equal(t, c.plain, r.Text(c.plain))
		assert.Equal(t, c.shown, r.Text(c.name))
	}
}
