package messages

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/messages/latin"
	"wklog/patterns"
)

// TestChineseTextsAreInChinese looks for words in Latin letters that are no names.
func TestChineseTextsAreInChinese(t *testing.T) {
	known, err := latin.Known("testdata/latin.txt")
	require.NoError(t, err)
	zh, err := In(patterns.Chinese)
	require.NoError(t, err)
	for key, text := range zh.texts {
		isCode := strings.HasSuffix(key, ".examples") || strings.HasSuffix(key, ".command") || key == "help.template" || key == "lang"
		if isCode {
			continue
		}
		for _, word := range latin.Words(text) {
			assert.True(t, known[word], "%s: %q", key, word)
		}
	}
}
