package source

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// rotations are the names that rotated pieces get: logrotate's numbers and
// dates (info.log.1, info.log-20260504), lumberjack's times (info-2026-05-04T01-30-00.000.log),
// with the ending of a compression.
var rotations = []*regexp.Regexp{
	regexp.MustCompile(`^(.+)\.\d{1,4}$`),
	regexp.MustCompile(`^(.+)[-.]\d{4}-?\d\d-?\d\d(?:[-T_.]?[\d-]+)?$`),
	regexp.MustCompile(`^(.+)-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}(\.\w+)$`),
	regexp.MustCompile(`^(.+)-\d{8}(?:-\d+)?(\.\w+)$`),
}

// rotationOf tells the name that a file had before it was rotated.
func rotationOf(name string) (log string, rotated bool) {
	plain := strings.TrimSuffix(name, packedSuffix(name))
	for _, r := range rotations {
		if m := r.FindStringSubmatch(plain); m != nil {
			return strings.Join(m[1:], ""), true
		}
	}
	return plain, plain != name
}

// isRotated tells by its name whether a file is a piece of another: it is
// compressed, or stands beside the file that it was.
func isRotated(path string) bool {
	log, rotated := rotationOf(filepath.Base(path))
	if !rotated || packedSuffix(path) != "" {
		return rotated
	}
	_, err := os.Stat(filepath.Join(filepath.Dir(path), log))
	return err == nil
}

// packedSuffix is the ending of a compressed file's name.
func packedSuffix(name string) string {
	for _, suffix := range []string{".gz", ".zst", ".bz2", ".xz"} {
		if strings.HasSuffix(name, suffix) {
			return suffix
		}
	}
	return ""
}

// rotatedPiece is a file that a log was rotated to.
type rotatedPiece struct {
	path     string
	info     fs.FileInfo
	modified time.Time
	head     []byte // uncompressed
	size     int64  // uncompressed, as far as its own words tell
	packed   bool
	broken   bool // it could not be read to its end
	// opened is the file itself where it is open: its name may be another's by now. It is
	// not compressed.
	opened *os.File
}

// identity tells a piece again by what it is, not by its name, which changes with
// every rotation.
type identity struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	// Size is that of the content; that of compressed content may be known modulo 4 GiB.
	Size   int64 `json:"size"`
	Packed bool  `json:"packed,omitempty"`
	// Broken says that the content could not be read to its end: no size tells it again.
	Broken bool  `json:"broken,omitempty"`
	Head   print `json:"head"`
}

func (p *rotatedPiece) identity() identity {
	id := identity{Size: p.size, Packed: p.packed, Broken: p.broken, Head: printOf(p.head)}
	id.Device, id.Inode = identityOf(p.info)
	return id
}

// same tells whether two pieces are one: the same file, or one and its
// compressed form. Inodes are given anew, so the content must agree as well.
func (id identity) same(other identity) bool {
	sameFile := id.Device == other.Device && id.Inode == other.Inode
	switch packed := id.Packed || other.Packed; {
	case id.Head != other.Head:
		return false
	case id.Broken || other.Broken:
		return sameFile
	case packed:
		return uint32(id.Size) == uint32(other.Size)
	}
	return id.Size == other.Size && sameFile
}

// startsWith tells whether the piece begins with what was read of a file, as its
// copy or its compressed form does.
func (p *rotatedPiece) startsWith(head, tail []byte, offset int64) bool {
	if p.size < offset && !p.packed || len(p.head) < len(head) || !bytes.Equal(p.head[:len(head)], head) {
		return false
	}
	r, err := p.open(offset - int64(len(tail)))
	if err != nil {
		return false
	}
	defer r.Close()
	found := make([]byte, len(tail))
	_, err = io.ReadFull(r, found)
	return err == nil && bytes.Equal(found, tail)
}

// open reads the piece from an uncompressed offset.
func (p *rotatedPiece) open(offset int64) (io.ReadCloser, error) {
	if p.opened != nil {
		return io.NopCloser(io.NewSectionReader(p.opened, offset, math.MaxInt64-offset)), nil
	}
	file, err := p.find()
	if err != nil {
		return nil, err
	}
	if !p.packed {
		_, err := file.Seek(offset, io.SeekStart)
		return file, err
	}
	r, err := unpacked(file)
	if err == nil {
		_, err = io.CopyN(io.Discard, r, offset)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{r, file}, nil
}

// find opens the piece, which may have another name by now, or be compressed.
func (p *rotatedPiece) find() (*os.File, error) {
	file, err := os.Open(p.path)
	if err == nil && (p.info == nil || p.isOpen(file)) {
		return file, nil
	}
	if err == nil {
		file.Close()
		err = fs.ErrNotExist
	}
	entries, _ := os.ReadDir(filepath.Dir(p.path))
	for _, e := range entries {
		if _, rotated := rotationOf(e.Name()); !rotated {
			continue
		}
		now := newRotatedPiece(filepath.Join(filepath.Dir(p.path), e.Name()))
		if now != nil && p.info != nil && now.identity().same(p.identity()) {
			p.path, p.info, p.packed = now.path, now.info, now.packed
			return os.Open(p.path)
		}
	}
	return nil, err
}

// isOpen tells whether an open file is the piece. The inode of a file that was
// removed is given to the next one, so it has to begin with the same as well.
func (p *rotatedPiece) isOpen(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || !os.SameFile(info, p.info) {
		return false
	}
	r, err := unpacked(file)
	if err != nil {
		return false
	}
	head := make([]byte, len(p.head))
	if _, err := io.ReadFull(r, head); err != nil || !bytes.Equal(head, p.head) {
		return false
	}
	_, err = file.Seek(0, io.SeekStart)
	return err == nil
}

// isCopy tells whether a compressed file holds exactly what a plain one does.
func isCopy(packed, plain string) bool {
	a, err := (&rotatedPiece{path: packed, packed: true}).open(0)
	if err != nil {
		return false
	}
	defer a.Close()
	b, err := os.Open(plain)
	if err != nil {
		return false
	}
	defer b.Close()
	if !beginsWith(b, a) {
		return false
	}
	more, _ := b.Read(make([]byte, 1))
	return more == 0
}

// beginsWith tells whether one content begins with all of another, and reads as
// much of it. Damage is a difference.
func beginsWith(r, start io.Reader) bool {
	got, want := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, end := fill(start, want)
		m, _ := io.ReadFull(r, got[:n])
		if !bytes.Equal(got[:m], want[:n]) {
			return false
		}
		if end != nil {
			return end == io.EOF
		}
	}
}

// fill reads until a buffer is full or the content ends, and tells an end from content that
// is cut off, which io.ReadFull calls the same.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var more int
		more, err = r.Read(buf[n:])
		n += more
	}
	return n, err
}

// repeatsItself tells whether all lines of the piece are the same, so that one
// place in it cannot be told from another.
func (p *rotatedPiece) repeatsItself() bool {
	line := bytes.IndexByte(p.head, '\n') + 1
	if line == 0 {
		return false
	}
	whole, err := p.open(0)
	if err != nil {
		return false
	}
	defer whole.Close()
	shifted, err := p.open(int64(line))
	if err != nil {
		return false
	}
	defer shifted.Close()
	return beginsWith(whole, shifted)
}

// unpacked undoes the one compression of a file.
func unpacked(file *os.File) (io.Reader, error) {
	head := make([]byte, headSize)
	n, _ := file.ReadAt(head, 0)
	for _, c := range compressions {
		if bytes.HasPrefix(head[:n], c.magic) {
			return c.open(file)
		}
	}
	return file, nil
}

// isPacked tells whether a file that begins so is compressed or an archive.
func isPacked(head []byte) bool {
	return slices.ContainsFunc(formats(), func(f format) bool { return f.fits(head) })
}

// rotatedPieces lists the pieces of the log in its folder, oldest first. A listing
// that is made while files are renamed may miss some or have one twice, so two
// have to agree.
func (l *Followed) rotatedPieces() []*rotatedPiece {
	pieces := l.listPieces()
	for range maxListings {
		again := l.listPieces()
		if slices.EqualFunc(pieces, again, func(a, b *rotatedPiece) bool {
			return a.path == b.path && os.SameFile(a.info, b.info) && a.size == b.size
		}) {
			break
		}
		pieces = again
	}
	return pieces
}

// maxListings is how often a folder is listed anew while its files are renamed.
const maxListings = 10

// listPieces lists them once. Where one stands beside its compressed form, that
// is not finished or not needed.
func (l *Followed) listPieces() []*rotatedPiece {
	entries, err := os.ReadDir(l.folder)
	if err != nil {
		return nil
	}
	base := filepath.Base(l.Name)
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true
	}
	var pieces []*rotatedPiece
	for _, e := range entries {
		name := e.Name()
		suffix := packedSuffix(name)
		if log, rotated := rotationOf(name); !rotated || log != base || suffix != "" && names[strings.TrimSuffix(name, suffix)] {
			continue
		}
		if p := newRotatedPiece(filepath.Join(l.folder, name)); p != nil {
			pieces = append(pieces, p)
		}
	}
	slices.SortFunc(pieces, (*rotatedPiece).compare)
	if ascending(pieces) {
		slices.Reverse(pieces)
	}
	return pieces
}

// ascending tells whether the numbers of pieces grow with time, so that the first
// one is the oldest: their last changes say so.
func ascending(pieces []*rotatedPiece) bool {
	up, down := 0, 0
	for i, p := range pieces {
		if !numbered.MatchString(strings.TrimSuffix(p.path, packedSuffix(p.path))) {
			return false
		}
		if i == 0 {
			continue
		}
		switch before := pieces[i-1].modified; {
		case before.After(p.modified):
			up++
		case before.Before(p.modified):
			down++
		}
	}
	return up > down
}

var (
	numbered = regexp.MustCompile(`\.(\d{1,4})$`)
	dated    = regexp.MustCompile(`\d{4}-?\d\d-?\d\d`)
)

// compare puts the older piece first: by the times in their names, by their
// numbers, of which the highest is the oldest, or else by their last changes,
// which a compression may have moved.
func (p *rotatedPiece) compare(other *rotatedPiece) int {
	a, b := strings.TrimSuffix(p.path, packedSuffix(p.path)), strings.TrimSuffix(other.path, packedSuffix(other.path))
	if dated.MatchString(filepath.Base(a)) && dated.MatchString(filepath.Base(b)) {
		return strings.Compare(a, b)
	}
	if x, y := numbered.FindStringSubmatch(a), numbered.FindStringSubmatch(b); x != nil && y != nil {
		return cmp.Or(cmp.Compare(len(y[1]), len(x[1])), strings.Compare(y[1], x[1]))
	}
	return cmp.Or(p.modified.Compare(other.modified), strings.Compare(a, b))
}

func newRotatedPiece(path string) *rotatedPiece {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	packed := packedSuffix(path) != ""
	if packed && exists(strings.TrimSuffix(path, packedSuffix(path))) {
		return nil // it is being made: the name was another file's when it was listed
	}
	// The size is asked for only now: what was packed is removed when that is done.
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	p := &rotatedPiece{path: path, info: info, modified: info.ModTime(), size: info.Size(), packed: packed}
	r, err := unpacked(file)
	if err != nil {
		return nil
	}
	p.head = make([]byte, headBytes)
	n, _ := io.ReadFull(r, p.head)
	p.head = p.head[:n]
	if p.packed {
		p.size = unpackedSize(file, r, int64(n), info.Size())
	}
	return p
}

// unpackedSize is what the end of a gzip file tells of its content's length
// (RFC 1952 section 2.3.1, modulo 4 GiB), for others the length itself.
func unpackedSize(file *os.File, r io.Reader, read, size int64) int64 {
	if strings.HasSuffix(file.Name(), ".gz") && size >= 18 {
		var last [4]byte
		if _, err := file.ReadAt(last[:], size-4); err == nil {
			return int64(binary.LittleEndian.Uint32(last[:]))
		}
	}
	n, _ := io.Copy(io.Discard, r)
	return read + n
}

// rotatedBetween lists the pieces that were written after one and before the
// present file, and not read yet.
func (l *Followed) rotatedBetween(old *rotatedPiece, now *os.File) []*rotatedPiece {
	pieces := l.piecesBefore(now)
	is := func(p *rotatedPiece) bool {
		return os.SameFile(p.info, old.info) && bytes.HasPrefix(p.head, old.head) || p.identity().same(old.identity())
	}
	if at := slices.IndexFunc(pieces, is); at >= 0 {
		pieces = pieces[at+1:]
	} else {
		pieces = slices.DeleteFunc(pieces, func(p *rotatedPiece) bool { return p.modified.Before(old.modified) })
	}
	return slices.DeleteFunc(pieces, l.wasRead)
}

// piecesBefore lists the pieces that are older than a file.
func (l *Followed) piecesBefore(file *os.File) []*rotatedPiece {
	pieces := l.rotatedPieces()
	now := openedPiece(file)
	if now == nil {
		return nil
	}
	named, err := os.Stat(l.Name)
	away := (err != nil || !os.SameFile(named, now.info)) && now.size > 0
	for at, p := range slices.Backward(pieces) {
		if os.SameFile(p.info, now.info) || away && p.packed && p.identity().same(now.identity()) {
			return pieces[:at] // it was rotated as well by now, and perhaps compressed
		}
	}
	return pieces
}

// unread lists the pieces before the present file that were not read; a copy of it
// that is still being made is none.
func (l *Followed) unread() []*rotatedPiece {
	return slices.DeleteFunc(l.piecesBefore(l.file), func(p *rotatedPiece) bool {
		return l.wasRead(p) || !isCut(l.present(), p)
	})
}

// copyOf finds the copy that was made of the present file before it was cut.
func (l *Followed) copyOf() *rotatedPiece {
	if l.offset == 0 {
		return nil
	}
	pieces := l.rotatedPieces()
	slices.Reverse(pieces)
	for _, p := range pieces {
		if !os.SameFile(p.info, l.info) && p.startsWith(l.head, l.tail, l.offset) && !l.wasRead(p) {
			return p
		}
	}
	return nil
}
