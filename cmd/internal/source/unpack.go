package source

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"wklog/cmd/internal/messages"
	"wklog/parser"
)

// headSize is how many bytes at the start of a stream tell what it is.
const headSize = 8 << 10

// maxNesting is how many layers of compression and archives are undone.
const maxNesting = 4

// compression is known by the first bytes of what it made.
type compression struct {
	magic []byte
	open  func(io.Reader) (io.Reader, error)
}

var compressions = []compression{
	{[]byte{0x1f, 0x8b}, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{[]byte{0x28, 0xb5, 0x2f, 0xfd}, newZstd},
	{[]byte("BZh"), func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	{[]byte{0xfd, '7', 'z', 'X', 'Z', 0}, func(r io.Reader) (io.Reader, error) { return xz.NewReader(r) }},
}

// format is a compressed or archived form that is known by its first bytes.
type format struct {
	magic  []byte
	offset int
	read   func(w *walker, log *Log, depth int) error
}

func (f *format) fits(head []byte) bool {
	return len(head) >= f.offset && bytes.HasPrefix(head[f.offset:], f.magic)
}

// isTar is how a tar archive is known (POSIX.1-2017, pax, ustar Interchange Format).
var isTar = format{magic: []byte("ustar"), offset: 257}

func formats() []format {
	all := []format{
		{magic: isTar.magic, offset: isTar.offset, read: (*walker).tar},
		{magic: []byte("PK\x03\x04"), read: (*walker).zip},
	}
	for _, c := range compressions {
		all = append(all, format{magic: c.magic, read: decompress(c.open)})
	}
	return all
}

// maxWindow bounds the memory, in bytes, that a zstd stream may ask for.
const maxWindow = 128 << 20

// zstdDecoders are those that have nothing to do: each holds a window of megabytes, which
// an archive of many files would clear as often.
var zstdDecoders sync.Pool

type zstdReader struct{ *zstd.Decoder }

func newZstd(r io.Reader) (io.Reader, error) {
	d, ok := zstdDecoders.Get().(*zstd.Decoder)
	if ok {
		return zstdReader{d}, d.Reset(r)
	}
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return zstdReader{d}, nil
}

// Close lets others have the decoder.
func (z zstdReader) Close() error {
	err := z.Reset(nil) // it lets go of what it has read
	zstdDecoders.Put(z.Decoder)
	return err
}

// unpack looks at the first bytes of a stream and hands the text in it to the
// reader.
func (w *walker) unpack(log *Log, depth int) error {
	buffered := bufio.NewReaderSize(log.Reader, headSize)
	head, err := peek(buffered)
	if err != nil {
		return err
	}
	inner := &Log{
		Name: parser.Readable(log.Name), Size: log.Size, Modified: log.Modified, Reader: buffered, File: log.File,
		Alone: log.Alone, Live: log.Live, Workers: w.workers, Continues: w.continues, Head: bytes.Clone(head), More: log.More, Copy: w.copied, From: log.From, Begins: log.Begins,
	}
	for _, f := range formats() {
		if depth < maxNesting && f.fits(head) {
			return f.read(w, inner, depth+1)
		}
	}
	if decoder := utf16(head); decoder != nil {
		inner.Reader, inner.File = transform.NewReader(buffered, decoder), nil
		return w.visitor.Read(inner)
	}
	if documents.Match(head) {
		return w.document(inner)
	}
	if spread.Match(head) && !w.isReport(head) {
		inner.Reader, inner.File = newFolded(buffered), nil
	}
	switch binary := isBinary(head, log.Name); {
	case !w.named && binary:
		return ErrBinary
	case !w.named && w.isReport(head):
		return errOwnReport
	case binary: // what somebody names is read, whatever it looks like
		return cmp.Or(w.visitor.Read(inner), ErrLooksBinary)
	}
	return w.visitor.Read(inner)
}

// errOwnReport says that a file in a directory is a report of an earlier run.
var errOwnReport = errors.New("a report of wklog")

// peek waits for the first bytes only, so that a stream is read as it arrives.
func peek(r *bufio.Reader) ([]byte, error) {
	_, err := r.Peek(1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, messages.Bare(err)
	}
	head, _ := r.Peek(r.Buffered())
	return head, nil
}

func utf16(head []byte) transform.Transformer {
	for bom, endian := range map[string]unicode.Endianness{
		"\xff\xfe": unicode.LittleEndian, "\xfe\xff": unicode.BigEndian,
	} {
		if bytes.HasPrefix(head, []byte(bom)) {
			return unicode.UTF16(endian, unicode.UseBOM).NewDecoder()
		}
	}
	return nil
}

// decompress reads a compressed stream. What came before damage was handed out
// when the error is returned.
func decompress(open func(io.Reader) (io.Reader, error)) func(*walker, *Log, int) error {
	return func(w *walker, log *Log, depth int) error {
		stored := newPadded(log.Reader)
		r, err := open(stored.Reader)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if c, ok := r.(io.Closer); ok {
			defer c.Close()
		}
		return w.unpack(&Log{Name: log.Name, Size: -1, Modified: log.Modified, Reader: w.limited(compressed{r, stored}), Alone: log.Alone}, depth)
	}
}

// compressed tells errors of the data from those of the reading program.
type compressed struct {
	io.Reader
	stored *padded
}

func (c compressed) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if isNoBeginning(err) && c.stored.endsInZeros() {
		return n, io.EOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return n, err
}

// tar reads one archive after the other: tar -A puts them together, with the end of
// each left in the middle (GNU tar reads them with -i only).
func (w *walker) tar(log *Log, depth int) error {
	r := tar.NewReader(log.Reader)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) && w.ctx.Err() == nil {
			var next io.Reader
			if next, err = w.nextTar(log.Reader); next != nil {
				r = tar.NewReader(next)
				continue
			}
		}
		if errors.Is(err, io.EOF) || w.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if header.Typeflag == tar.TypeReg {
			w.member(log, header.Name, &Log{Size: header.Size, Modified: header.ModTime, Reader: r}, depth)
		}
	}
}

// errBehindTar says what stands behind an archive's end.
var errBehindTar = errors.New("what follows the end of the tar archive is none")

// nextTar finds the archive that follows the end of one, behind any number of empty
// blocks: those that mark the end, and those that fill up a tape.
func (w *walker) nextTar(r io.Reader) (io.Reader, error) {
	const blockSize = 512
	block := make([]byte, blockSize)
	for w.ctx.Err() == nil {
		n, err := io.ReadFull(r, block)
		switch empty := len(bytes.Trim(block[:n], "\x00")) == 0; {
		case errors.Is(err, ErrDamaged), errors.Is(err, ErrBomb):
			return nil, err
		case empty && err != nil:
			return nil, io.EOF
		case empty:
		case isTar.fits(block[:n]):
			return io.MultiReader(bytes.NewReader(block[:n]), r), nil
		default:
			return nil, errBehindTar
		}
	}
	return nil, io.EOF
}

// MaxZip is how many bytes of a zip archive are kept in memory where it is no
// file: its directory stands at its end.
const MaxZip = 64 << 20

// zip reads an archive from a file, or from memory where it comes on a stream or
// in another archive.
func (w *walker) zip(log *Log, depth int) error {
	file, size := log.File, log.Size
	if file == nil {
		data, err := io.ReadAll(io.LimitReader(log.Reader, MaxZip+1))
		if err != nil {
			return err
		}
		if len(data) > MaxZip {
			return ErrLargeZip
		}
		file, size = bytes.NewReader(data), int64(len(data))
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	encrypted := false
	for _, f := range archive.File {
		if !f.Mode().IsRegular() || w.ctx.Err() != nil {
			continue
		}
		const isEncrypted = 1 // APPNOTE.TXT 6.3.10 section 4.4.4, bit 0
		if f.Flags&isEncrypted != 0 {
			encrypted = true
			continue
		}
		r, err := f.Open()
		if err != nil {
			w.fail(log.Name+"!"+f.Name, err, false)
			continue
		}
		w.member(log, f.Name, &Log{Size: int64(f.UncompressedSize64), Modified: f.Modified, Reader: w.limited(r)}, depth)
		r.Close()
	}
	if encrypted {
		return ErrEncrypted
	}
	return nil
}

// MaxMembers is how many files of an archive are read: each takes memory in the report,
// however small it is.
const MaxMembers = 50_000

// member reads one file of an archive like one of a directory: what is no log is
// passed over, and told where its name says log.
func (w *walker) member(archive *Log, name string, log *Log, depth int) {
	if isDocument(name) {
		return
	}
	named := w.named
	w.named = false
	defer func() { w.named = named }()
	if w.members++; w.members > MaxMembers {
		return
	}
	log.Name = archive.Name + "!" + name
	switch err := w.unpack(log, depth); {
	case err == nil, errors.Is(err, errOwnReport):
	case !errors.Is(err, ErrBinary):
		w.fail(log.Name, err, false)
	case mayHoldLogs(name):
		w.fail(log.Name, err, true)
	}
}
