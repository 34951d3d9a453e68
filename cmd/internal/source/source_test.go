package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
)

// readers keep what they read, in the order of the files.
type readers struct {
	files []*reader
}

type reader struct {
	names, texts []string
	ended        bool
}

func (r *readers) visit() Visitor {
	file := &reader{}
	r.files = append(r.files, file)
	return file
}

func (r *reader) Read(l *Log) error {
	data, err := io.ReadAll(l)
	r.names, r.texts = append(r.names, l.Name), append(r.texts, string(data))
	return err
}

func (r *reader) End() { r.ended = true }

// walk reads everything behind the arguments.
func walk(args ...string) (logs map[string]string, order []string, failures []Failure) {
	logs = map[string]string{}
	r := &readers{}
	failures = Reading{Args: args, Stdin: NewStream(context.Background(), strings.NewReader("from stdin\n")), Jobs: 3, Limit: Limit{Times: 200}, Visit: r.visit}.Walk(context.Background())
	for _, file := range r.files {
		if !file.ended {
			panic("a file has no end")
		}
		for i, name := range file.names {
			logs[name] = file.texts[i]
			order = append(order, name)
		}
	}
	return logs, order, failures
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, data, 0o644))
	return path
}

func squeeze(t *testing.T, text string, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	require.NoError(t, err)
	_, err = io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func gzipped(t *testing.T, text string) []byte {
	return squeeze(t, text, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

func tarred(t *testing.T, members map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range members {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}))
		_, err := io.WriteString(w, text)
		require.NoError(t, err)
	}
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "device", Typeflag: tar.TypeChar}))
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "link", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}))
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestCompressionIsToldByContent(t *testing.T) {
	dir := t.TempDir()
	const text = "a line\n"
	write(t, dir, "a.log.gz", gzipped(t, text))
	write(t, dir, "named-as-text.log", gzipped(t, text))
	write(t, dir, "b.zst", squeeze(t, text, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }))
	write(t, dir, "c.xz", squeeze(t, text, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }))
	write(t, dir, "twice.gz", gzipped(t, string(gzipped(t, text))))
	logs, _, failures := walk(dir)
	assert.Empty(t, failures)
	assert.Len(t, logs, 5)
	for name, got := range logs {
		assert.Equal(t, text, got, name)
	}
}

func TestArchiveMembersAreLogs(t *testing.T) {
	dir := t.TempDir()
	tarball := tarred(t, map[string]string{"node1/info.log": "one\n"})
	path := write(t, dir, "logs.tar", tarball)
	packed := write(t, dir, "logs.tar.gz", gzipped(t, string(tarball)))
	zipped := write(t, dir, "logs.zip", squeeze(t, "", func(w io.Writer) (io.WriteCloser, error) {
		z := zip.NewWriter(w)
		member, err := z.Create("node2/info.log")
		if err == nil {
			_, err = io.WriteString(member, "two\n")
		}
		return zipCloser{z}, err
	}))
	inner, err := os.ReadFile(zipped)
	require.NoError(t, err)
	nested := write(t, dir, "nested.tar.gz", gzipped(t, string(tarred(t, map[string]string{"logs.zip": string(inner)}))))
	logs, _, failures := walk(path, packed, zipped, nested)
	assert.Empty(t, failures)
	assert.Equal(t, map[string]string{
		path + "!node1/info.log": "one\n", packed + "!node1/info.log": "one\n", zipped + "!node2/info.log": "two\n",
		nested + "!logs.zip!node2/info.log": "two\n",
	}, logs)
}

type zipCloser struct{ *zip.Writer }

func (zipCloser) Write(p []byte) (int, error) { return len(p), nil }

func TestOutputIsReadBeforeTheFilesThatRepeatIt(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"logs/info.log", "logs/error-2026-05-04T01-30-00.000.log.gz", "stdout.log", "app.txt"} {
		write(t, dir, name, []byte(name+"\n"))
	}
	_, order, _ := walk(dir)
	require.Len(t, order, 4)
	own := []string{filepath.Base(order[2]), filepath.Base(order[3])}
	slices.Sort(own)
	assert.Equal(t, []string{"error-2026-05-04T01-30-00.000.log.gz", "info.log"}, own)
}

func TestSameFileIsReadOnce(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.log", []byte("x\n"))
	require.NoError(t, os.Symlink(path, filepath.Join(dir, "b.log")))
	_, order, failures := walk(path, dir, filepath.Join(dir, "*.log"))
	assert.Empty(t, failures)
	assert.Len(t, order, 1)
}

func TestDamageIsNamedAndWhatCameBeforeCounts(t *testing.T) {
	dir := t.TempDir()
	data := gzipped(t, strings.Repeat("a line of a log that was cut\n", 10_000))
	path := write(t, dir, "cut.gz", data[:len(data)-30])
	logs, _, failures := walk(path)
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0].Err, ErrDamaged)
	assert.Equal(t, path, failures[0].Source)
	assert.NotEmpty(t, logs[path])
}

func TestBinaryFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "data/000001.log", []byte{0, 1, 2})
	write(t, dir, "data/MANIFEST", []byte{0, 1, 2})
	path := write(t, dir, "named.bin", []byte{0, 1, 2})
	_, order, failures := walk(filepath.Join(dir, "data"), path)
	assert.Equal(t, []string{path}, order, "what is named is read")
	require.Len(t, failures, 2, "a file that is no log by its name is passed over in silence")
	assert.True(t, failures[0].Minor)
	assert.ErrorIs(t, failures[1].Err, ErrLooksBinary)
	assert.False(t, failures[1].Minor)
}

// TestZeroBytesDoNotHideALog: a power loss leaves blocks of them, and whoever shares an
// output may print one.
func TestZeroBytesDoNotHideALog(t *testing.T) {
	dir := t.TempDir()
	const dated = "2026/05/04 01:30:02 a line of a log\n"
	for name, text := range map[string]string{
		"one":    "x \x00 y\n" + strings.Repeat("a line that is like no other\n", 5),
		"first":  "\x00" + dated,
		"hole":   dated + strings.Repeat("\x00", 600) + strings.Repeat(dated, 10),
		"page":   strings.Repeat("\x00", headSize-10) + dated,
		"client": dated + "id \x00\x01\x02\x03\x04\x05\x06\x07\n",
	} {
		path := write(t, dir, name, []byte(text))
		for _, arg := range []string{path, dir} {
			logs, _, failures := walk(arg)
			assert.Empty(t, failures, name)
			assert.Equal(t, text, logs[path], name)
		}
	}
	binary := "\x00\x01\x02\x03" + dated
	r := &readers{}
	failures := Reading{Args: []string{Stdin}, Stdin: NewStream(context.Background(), strings.NewReader(binary)), Visit: r.visit}.Walk(context.Background())
	assert.Equal(t, []string{binary}, r.files[0].texts, "what is piped is read")
	assert.Len(t, failures, 1)
}

// TestArchivesThatCannotBeReadAreNamed: nobody should take their nodes for
// healthy.
func TestArchivesThatCannotBeReadAreNamed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "n1.7z", []byte("7z\xbc\xaf\x27\x1c\x00"))
	write(t, dir, "n2.RAR", []byte("Rar!\x1a\x07\x00"))
	write(t, dir, "n3.tar", append([]byte("a.log"), make([]byte, 1019)...)) // before POSIX: no magic
	deep := "a\n"
	for range 6 {
		deep = string(gzipped(t, deep))
	}
	write(t, dir, "n4.gz", []byte(deep))
	_, order, failures := walk(dir)
	assert.Empty(t, order)
	require.Len(t, failures, 4)
	for _, f := range failures {
		assert.ErrorIs(t, f.Err, ErrBinary, f.Source)
		assert.True(t, f.Minor)
	}
}

// TestLogsThatWereCutWhileOpenAreRead: their first page is a hole.
func TestLogsThatWereCutWhileOpenAreRead(t *testing.T) {
	dir := t.TempDir()
	for name, zeros := range map[string]int{"short.log": 100, "page.log": headSize, "nohup.out": 3 * headSize, "disk.img": 3 * headSize, "empty.log": 100} {
		text := "a\n"
		if name == "empty.log" {
			text = ""
		}
		write(t, dir, name, append(make([]byte, zeros), text...))
	}
	logs, _, failures := walk(dir)
	for name, zeros := range map[string]int{"short.log": 100, "page.log": headSize, "nohup.out": 3 * headSize} {
		assert.Equal(t, string(make([]byte, zeros))+"a\n", logs[filepath.Join(dir, name)], name)
	}
	assert.Len(t, logs, 3)
	require.Len(t, failures, 1)
	assert.Equal(t, filepath.Join(dir, "empty.log"), failures[0].Source)
}

// TestArchivesOfVeryManyFilesAreBounded: each takes memory, however small it is.
func TestArchivesOfVeryManyFilesAreBounded(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range MaxMembers + 100 {
		_, err := z.Create(strconv.Itoa(i) + ".log")
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	path := write(t, t.TempDir(), "many.zip", b.Bytes())
	_, order, failures := walk(path)
	assert.Len(t, order, MaxMembers)
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0].Err, ErrMembers)
	assert.Equal(t, path, failures[0].Source)
}

// TestNamesInGBKAreShownReadably: archives that were made on Windows in China have them.
func TestNamesInGBKAreShownReadably(t *testing.T) {
	dir := t.TempDir()
	const gbk = "\xc8\xd5\xd6\xbe.log" // 日志.log
	write(t, dir, gbk, []byte("a\n"))
	write(t, dir, "n.tar", tarred(t, map[string]string{"b/" + gbk: "b\n"}))
	logs, _, failures := walk(dir)
	assert.Empty(t, failures)
	assert.Equal(t, map[string]string{filepath.Join(dir, "日志.log"): "a\n", filepath.Join(dir, "n.tar") + "!b/日志.log": "b\n"}, logs)
}

func TestStdinIsReadAndEndsWithTheContext(t *testing.T) {
	logs, _, failures := walk(Stdin)
	assert.Empty(t, failures)
	assert.Equal(t, "from stdin\n", logs[Stdin])

	ctx, cancel := context.WithCancel(context.Background())
	r1, w := io.Pipe()
	defer w.Close()
	done := make(chan *readers)
	go func() {
		r := &readers{}
		Reading{Args: []string{Stdin}, Stdin: NewStream(ctx, r1), Jobs: 1, Visit: r.visit}.Walk(ctx)
		done <- r
	}()
	_, err := io.WriteString(w, "and then nothing\n")
	require.NoError(t, err)
	cancel()
	r := <-done
	assert.Contains(t, []string{"", "and then nothing\n"}, strings.Join(r.files[0].texts, ""))
}

func TestMissingAndUnmatchedAreNamed(t *testing.T) {
	dir := t.TempDir()
	_, _, failures := walk(filepath.Join(dir, "missing.log"), filepath.Join(dir, "*.log"))
	require.Len(t, failures, 2)
	assert.ErrorIs(t, failures[0].Err, os.ErrNotExist)
	assert.ErrorIs(t, failures[1].Err, ErrNone)
}

// TestBombsAreEndedAtTheLimit reads a file that would fill a machine.
func TestBombsAreEndedAtTheLimit(t *testing.T) {
	dir := t.TempDir()
	line := strings.Repeat("a line of a log, again and again, and again\n", 1<<16)
	bomb := squeeze(t, strings.Repeat(line, 100), func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestCompression) })
	require.Greater(t, 100*len(line), 200*len(bomb))
	path := write(t, dir, "bomb.log.gz", bomb)
	logs, _, failures := walk(path)
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0].Err, ErrBomb)
	assert.Less(t, len(logs[path]), 100*len(line))
	assert.GreaterOrEqual(t, len(logs[path]), harmless-1<<20, "what came before the limit counts")
	packed := write(t, dir, "bomb.tar.gz", gzipped(t, string(tarred(t, map[string]string{"bomb.log.gz": string(bomb)}))))
	_, _, failures = walk(packed)
	require.NotEmpty(t, failures)
	for _, failure := range failures {
		assert.ErrorIs(t, failure.Err, ErrBomb)
	}
}

func TestReportIsNoInput(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.log", []byte("x\n"))
	r := &readers{}
	write(t, dir, "last-week.md", []byte("# a report\n"))
	write(t, dir, "last-week.json", []byte("OURS"))
	packed := write(t, dir, "nodes.tar", tarred(t, map[string]string{"last-week.html": "<!DOCTYPE html>", "old.txt": "OURS"}))
	isReport := func(head []byte) bool { return string(head) == "OURS" }
	failures := Reading{Args: []string{dir, packed}, Jobs: 1, IsReport: isReport, Outputs: []string{write(t, dir, "report.txt", nil)}, Visit: r.visit}.Walk(context.Background())
	assert.Empty(t, failures)
	var names []string
	for _, file := range r.files {
		names = append(names, file.names...)
	}
	assert.Equal(t, []string{filepath.Join(dir, "a.log")}, names)
}

func TestRotatedPiecesAreReadInTheOrderOfTime(t *testing.T) {
	dir := t.TempDir()
	names := []string{
		"a/info-2026-05-03T01-30-00.000.log.gz", "a/info-2026-05-04T01-30-00.000.log", "a/info.log",
		"b/server.log.10.gz", "b/server.log.2", "b/server.log.1", "b/server.log",
	}
	for _, name := range names {
		write(t, dir, name, []byte(name+"\n"))
	}
	r := &readers{}
	Reading{Args: []string{dir}, Jobs: 1, Visit: r.visit}.Walk(context.Background())
	var order []string
	for _, file := range r.files {
		for _, name := range file.names {
			rel, err := filepath.Rel(dir, name)
			require.NoError(t, err)
			order = append(order, rel)
		}
	}
	// The server's own files come after its output.
	assert.Equal(t, append(names[3:], names[:3]...), order)
}

func TestCompressedCopiesAreTold(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "out.log", []byte("a\n"))
	write(t, dir, "out.log.1", []byte("b\nc\n"))
	write(t, dir, "out.log.1.gz", gzipped(t, "b\nc\n"))
	write(t, dir, "out.log.2.gz", gzipped(t, "b\nc\n"))
	write(t, dir, "short.log", []byte("b\n"))
	write(t, dir, "short.log.gz", gzipped(t, "b\nc\n"))
	write(t, dir, "long.log", []byte("b\nc\nd\n"))
	write(t, dir, "long.log.gz", gzipped(t, "b\nc\n"))
	r := copies{}
	Reading{Args: []string{dir}, Jobs: 1, Visit: func() Visitor { return r }}.Walk(context.Background())
	assert.Equal(t, copies{
		"out.log": false, "out.log.1": false, "out.log.1.gz": true, "out.log.2.gz": false,
		"short.log": false, "short.log.gz": false, "long.log": false, "long.log.gz": false,
	}, r)
}

// copies tells by name which logs are copies.
type copies map[string]bool

func (c copies) Read(l *Log) error {
	c[filepath.Base(l.Name)] = l.Copy
	_, err := io.Copy(io.Discard, l)
	return err
}

func (c copies) End() {}
