package source

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPieceIsNotTheNextFileOfItsInode: a piece is compressed, which removes it, and
// the file that the server writes next gets its inode, and at the next rotation its name.
func TestPieceIsNotTheNextFileOfItsInode(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "stdout.log.1")
	require.NoError(t, os.WriteFile(plain, []byte("first piece\n"), 0o600))
	piece := newRotatedPiece(plain)

	packPiece(t, plain, filepath.Join(dir, "stdout.log.2.gz"))
	require.NoError(t, os.WriteFile(plain, []byte("second piece, of another length\n"), 0o600))

	r, err := piece.open(0)
	require.NoError(t, err)
	defer r.Close()
	content, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, "first piece\n", string(content))
}

// packPiece compresses a file, which stays.
func packPiece(t *testing.T, from, to string) {
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	out, err := os.Create(to)
	require.NoError(t, err)
	w := gzip.NewWriter(out)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, out.Close())
}

// TestFileThatIsCompressedWhileItIsOpenIsNoPieceBeforeIt: it is read where it is open.
func TestFileThatIsCompressedWhileItIsOpenIsNoPieceBeforeIt(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "stdout.log")
	require.NoError(t, os.WriteFile(name, []byte("first piece\n"), 0o600))
	packPiece(t, name, name+".2.gz")
	require.NoError(t, os.Remove(name))
	require.NoError(t, os.WriteFile(name, []byte("second piece\n"), 0o600))
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	info, err := file.Stat()
	require.NoError(t, err)
	packPiece(t, name, name+".1.gz")
	require.NoError(t, os.Remove(name))
	require.NoError(t, os.WriteFile(name, []byte("third piece\n"), 0o600))
	l := &Followed{Name: name, folder: dir, file: file, info: info}
	var paths []string
	for _, p := range l.piecesBefore(file) {
		paths = append(paths, filepath.Base(p.path))
	}
	assert.Equal(t, []string{"stdout.log.2.gz"}, paths)
}
