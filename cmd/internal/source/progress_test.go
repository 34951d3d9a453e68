package source

import (
	"archive/zip"
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestProgressEndsAtTheTotal reads files in every way in which bytes are read.
func TestProgressEndsAtTheTotal(t *testing.T) {
	dir := t.TempDir()
	text := []byte(strings.Repeat("a line of a log\n", 1<<18))
	var gz, archive bytes.Buffer
	g := gzip.NewWriter(&gz)
	_, err := g.Write(text)
	require.NoError(t, err)
	require.NoError(t, g.Close())
	z := zip.NewWriter(&archive)
	member, err := z.Create("a.log")
	require.NoError(t, err)
	_, err = member.Write(text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	total := int64(0)
	for name, data := range map[string][]byte{
		"plain.log": text, "packed.log.gz": gz.Bytes(), "archive.zip": archive.Bytes(), "binary.log": {0, 1, 2}, "empty.log": nil, "cut.log.gz": gz.Bytes()[:gz.Len()/2],
	} {
		write(t, dir, name, data)
		total += int64(len(data))
	}
	p := &Progress{}
	most := int64(0)
	logs := &readers{}
	Reading{Args: []string{dir}, Jobs: 1, Progress: p, Visit: func() Visitor {
		most = max(most, p.Read())
		return logs.visit()
	}}.Walk(context.Background())
	assert.Equal(t, total, p.Total())
	assert.Equal(t, total, p.Read())
	assert.Positive(t, most, "the progress stood still until the end")
	assert.FileExists(t, p.Current())
}
