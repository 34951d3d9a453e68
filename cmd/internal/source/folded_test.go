package source

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
)

// TestObjectOfSeveralLinesIsOneLine whose bytes keep their places, however they arrive.
func TestObjectOfSeveralLinesIsOneLine(t *testing.T) {
	long := strings.Repeat("x", 3*headSize)
	for text, want := range map[string]string{
		"{\n  \"a\": \"b\",\n  \"c\": {\n    \"d\": 1\n  }\n}\n{\n  \"e\": 2\n}\n": "{   \"a\": \"b\",   \"c\": {     \"d\": 1   } }\n{   \"e\": 2 }\n",
		"{\r\n\t\"a\" : 1\r\n}\r\n":                 "{\r \t\"a\" : 1\r }\r\n",
		"executing [*]...\n{\n  \"a\": 1\n}\n\nx\n": "executing [*]...\n{   \"a\": 1 }\n\nx\n",
		"{\n  \"a\": \"" + long + "\"\n}\nx\n":      "{   \"a\": \"" + long + "\" }\nx\n",
		"{\"a\":1}\n{\nx\n  y\n}\n":                 "{\"a\":1}\n{\nx\n  y\n}\n",  // no object
		"{\n  \"a\": 1,\nx\n  y\n}\n":               "{   \"a\": 1,\nx\n  y\n}\n", // one that is cut
		"{\n  \"a\": 1":                             "{   \"a\": 1",
		"{\n":                                       "{\n",
		"":                                          "",
	} {
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
			got, err := io.ReadAll(iotest.OneByteReader(newFolded(r)))
			require.NoError(t, err)
			assert.Equal(t, want, string(got))
		}
	}
	endless := "{\n" + strings.Repeat("  \"a\": 1,\n", parser.MaxLine)
	got, err := io.ReadAll(newFolded(strings.NewReader(endless)))
	require.NoError(t, err)
	assert.Len(t, got, len(endless))
	assert.Less(t, strings.IndexByte(string(got), '\n'), 2*parser.MaxLine)
	_, err = io.ReadAll(newFolded(iotest.ErrReader(io.ErrClosedPipe)))
	assert.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestObjectsOfSeveralLinesAreKnownByTheirBeginning(t *testing.T) {
	for head, is := range map[string]bool{
		"{\n  \"_msg\": \"x\"": true, "text\n{\n\t\"MESSAGE\" : 1": true, "{\r\n \"a\"": true, "executing [*]...; duration: 0.1s\n": true,
		"sending queries to -datasource.url=x": true, "{\"a\":1}\n{\"b\":2}\n": false, "{\nx": false, " {\n  \"a\"": false, "": false,
	} {
		assert.Equal(t, is, spread.MatchString(head), head)
	}
}
