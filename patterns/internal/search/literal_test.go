package search_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wklog/patterns/internal/search"
)

func TestLiteralsOfAnExpression(t *testing.T) {
	for _, c := range []struct {
		expr  string
		known []string
		want  []string
	}{
		{`certificate has expired`, nil, []string{"certificate has expired"}},
		// What the parser of expressions takes apart is joined again.
		{`failed to (?:parse|read) key`, nil, []string{"failed to parse key", "failed to read key"}},
		{`verify error:num=(?:10|18)`, nil, []string{"verify error:num=10", "verify error:num=18"}},
		{`[Uu]nable to load`, nil, []string{"Unable to load", "unable to load"}},
		{`Suite B: (?:a|b|c|d|e|f|g|h)`, nil, []string{"Suite B: "}},
		{`reason (?:is )?unknown`, nil, []string{"reason is unknown", "reason unknown"}},
		{`\bcode \d+ of handshake\b`, nil, []string{" of handshake"}},
		{`(?:handshake|shake .* failed)`, nil, []string{" failed", "handshake"}},
		{`(?:alert )+unknown`, nil, []string{"unknown"}},
		// A wrapper writes these characters in another way.
		{`secret "a-secret" not found`, nil, []string{" not found"}},
		{`证书`, nil, []string{`\u8BC1\u4E66`, `\u8bc1\u4e66`, "证书"}},
		// A known one wins, however short.
		{`SSL routines (?:failed|ended) for a long reason`, []string{"SSL"}, []string{"SSL routines "}},
		// Nothing to go by.
		{`(?i)certificate`, nil, nil},
		{`handshake|.*`, nil, nil},
		{`(?:certificate)?`, nil, nil},
		{`abc`, nil, nil},
		{``, nil, nil},
	} {
		assert.Equal(t, c.want, search.Literals(c.expr, search.Worthwhile, c.known), c.expr)
	}
}
