package source

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
)

// packedLine is "a line" in each form of compression.
func packedLine(t *testing.T) map[string][]byte {
	bzip2, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWeH33BkAAAFRAAAQQAAiJSAAIgybQhgG0EKLuSKcKEhw++4MgA==")
	require.NoError(t, err)
	return map[string][]byte{
		"gz":  gzipped(t, "a line\n"),
		"zst": squeeze(t, "a line\n", func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }),
		"xz":  squeeze(t, "a line\n", func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }),
		"bz2": bzip2,
	}
}

// TestZerosBehindWhatIsPackedAreNoDamage: gzip and bzip2 say nothing of them or warn.
func TestZerosBehindWhatIsPackedAreNoDamage(t *testing.T) {
	for form, data := range packedLine(t) {
		for name, behind := range map[string][]byte{"sector": make([]byte, 512), "more than is buffered": make([]byte, 3*headSize)} {
			path := write(t, t.TempDir(), "a.log."+form, append(bytes.Clone(data), behind...))
			logs, _, failures := walk(path)
			assert.Empty(t, failures, form, name)
			assert.Equal(t, "a line\n", logs[path], form, name)
		}
	}
}

func TestWhatElseStandsBehindIsDamage(t *testing.T) {
	for form, data := range packedLine(t) {
		for name, behind := range map[string]string{
			"text": "another line that is not packed\n", "zeros and text": string(make([]byte, 512)) + "another line\n", "text and zeros": "another line\n" + string(make([]byte, 512)),
		} {
			path := write(t, t.TempDir(), "a.log."+form, append(bytes.Clone(data), behind...))
			logs, _, failures := walk(path)
			require.Len(t, failures, 1, "%s, %s", form, name)
			assert.ErrorIs(t, failures[0].Err, ErrDamaged)
			assert.Equal(t, "a line\n", logs[path], form, name)
		}
	}
}

// TestArchivesOneBehindTheOtherAreRead: tar -A and cat put them together.
func TestArchivesOneBehindTheOtherAreRead(t *testing.T) {
	one, two := tarred(t, map[string]string{"one.log": "one\n"}), tarred(t, map[string]string{"two.log": "two\n"})
	both := append(append(bytes.Clone(one), make([]byte, 20*512)...), two...)
	for name, data := range map[string][]byte{"a.tar": both, "a.tar.gz": gzipped(t, string(both)), "b.tar.gz": append(gzipped(t, string(one)), gzipped(t, string(two))...)} {
		path := write(t, t.TempDir(), name, data)
		logs, _, failures := walk(path)
		assert.Empty(t, failures, name)
		assert.Equal(t, map[string]string{path + "!one.log": "one\n", path + "!two.log": "two\n"}, logs)
	}
	path := write(t, t.TempDir(), "a.tar", append(both, "a line behind the end\n"...))
	logs, _, failures := walk(path)
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0].Err, errBehindTar)
	assert.Len(t, logs, 2)
}

// TestEncryptedFilesAreNamedAsSuch: the others of the archive are read.
func TestEncryptedFilesAreNamedAsSuch(t *testing.T) {
	data := squeeze(t, "", func(w io.Writer) (io.WriteCloser, error) {
		z := zip.NewWriter(w)
		for _, header := range []zip.FileHeader{{Name: "secret.log", Flags: 1}, {Name: "more.log", Flags: 1}, {Name: "open.log"}} {
			member, err := z.CreateHeader(&header)
			require.NoError(t, err)
			_, err = io.WriteString(member, "a line\n")
			require.NoError(t, err)
		}
		return zipCloser{z}, nil
	})
	path := write(t, t.TempDir(), "a.zip", data)
	logs, _, failures := walk(path)
	require.Len(t, failures, 1, "once for all of them")
	assert.ErrorIs(t, failures[0].Err, ErrEncrypted)
	assert.Equal(t, map[string]string{path + "!open.log": "a line\n"}, logs)
}

// TestFilesThatTellNoSizeAreRead: those of /proc are 0 bytes long, and hold text.
func TestFilesThatTellNoSizeAreRead(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	want, err := os.ReadFile("/proc/version")
	require.NoError(t, err)
	logs, _, failures := walk("/proc/version")
	assert.Equal(t, map[string]string{"/proc/version": string(want)}, logs)
	assert.Empty(t, failures)
	empty := filepath.Join(t.TempDir(), "empty.log")
	require.NoError(t, os.WriteFile(empty, nil, 0o644))
	logs, _, failures = walk(empty)
	assert.Equal(t, map[string]string{empty: ""}, logs)
	assert.Empty(t, failures)
}
