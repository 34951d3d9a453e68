package source

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
)

const (
	// headBytes and tailBytes are how many bytes at the start of a file, and
	// before the place that was read to, tell whether it is still the same.
	headBytes = 1024
	tailBytes = 4096
	// maxCounted is how many bytes before the place where the reading begins are
	// searched for line ends; of a longer file the lines are not numbered.
	maxCounted = 256 << 20
	// maxRemembered is how many pieces of a log that were read are known again.
	maxRemembered = 200
)

// Followed is a log that is followed over the files that make it up.
type Followed struct {
	// Name is the path as the user knows it.
	Name string

	folder string // where its rotated pieces are
	file   *os.File
	info   fs.FileInfo
	offset int64 // of the next byte in the present file

	head, tail []byte // of what was read of the present file
	waited     bool   // there was nothing to read the last time

	delivered int64 // bytes of all files
	settled   int64
	lines     int64 // before the settled place in its file, negative if not known
	segments  []segment
	done      []donePiece // the pieces that need not be read

	awake    atomic.Bool
	watching *watching
}

// donePiece is a piece that was read, with the bytes that were delivered by then.
type donePiece struct {
	identity
	end int64
}

// segment is a file of the log whose bytes are not all settled.
type segment struct {
	start  int64 // delivered bytes before it
	offset int64 // in the file, of the first that was delivered
	info   fs.FileInfo
	head   []byte
}

// Settle says that the first n bytes that were delivered need not be read again
// after a restart, and how many lines are before that place in its file, negative
// where that is not known.
func (l *Followed) Settle(n, lines int64) {
	l.settled, l.lines = n, lines
	for len(l.segments) > 1 && l.segments[1].start <= n {
		l.segments = l.segments[1:]
	}
}

func (l *Followed) close() {
	l.unwatch()
	l.file.Close()
}

// open starts to read the present file at an offset.
func (l *Followed) open(offset int64) error {
	l.offset = offset
	l.head, l.tail = make([]byte, min(offset, headBytes)), make([]byte, min(offset, tailBytes))
	if _, err := l.file.ReadAt(l.head, 0); err != nil && offset > 0 {
		return err
	}
	if _, err := l.file.ReadAt(l.tail, offset-int64(len(l.tail))); err != nil && offset > 0 {
		return err
	}
	l.addSegment(l.info)
	return nil
}

// moveTo starts to read a piece that was rotated away.
func (l *Followed) moveTo(p *rotatedPiece, offset int64) {
	l.offset, l.head, l.tail = offset, slices.Clone(p.head[:min(int64(len(p.head)), offset)]), nil
	l.addSegment(p.info)
}

func (l *Followed) addSegment(info fs.FileInfo) {
	l.segments = append(l.segments, segment{start: l.delivered, offset: l.offset, info: info, head: l.head})
	if len(l.segments) > 1 && l.segments[len(l.segments)-2].start == l.delivered {
		l.segments = slices.Delete(l.segments, len(l.segments)-2, len(l.segments)-1) // nothing came of it
	}
}

// passed notes what was read.
func (l *Followed) passed(data []byte) {
	l.offset += int64(len(data))
	l.delivered += int64(len(data))
	if missing := headBytes - len(l.head); missing > 0 {
		l.head = append(slices.Clip(l.head), data[:min(missing, len(data))]...)
		l.segments[len(l.segments)-1].head = l.head
	}
	l.tail = append(l.tail, data[max(0, len(data)-tailBytes):]...)
	l.tail = append(l.tail[:0], l.tail[max(0, len(l.tail)-tailBytes):]...)
}

// halfWritten tells whether the last line that was read lacks its end.
func (l *Followed) halfWritten() bool {
	return len(l.tail) > 0 && l.tail[len(l.tail)-1] != '\n' && l.delivered > 0
}

// intact tells whether the file still holds what was read of it, so that n more
// bytes that were read after it belong there. A file that was cut and has grown
// past the place again differs at its start or before the place.
func (f *Follow) intact(l *Followed, n int64) (info fs.FileInfo, is bool, err error) {
	info, err = l.file.Stat()
	if err != nil || info.Size() < l.offset+n {
		return nil, false, err
	}
	var buf [max(headBytes, tailBytes)]byte
	for _, part := range []struct {
		bytes []byte
		at    int64
	}{{l.head, 0}, {l.tail, l.offset - int64(len(l.tail))}} {
		found := buf[:len(part.bytes)]
		_, err := f.readAt(l, found, part.at)
		switch {
		case errors.Is(err, io.EOF): // it was cut meanwhile
			return nil, false, nil
		case err != nil:
			return nil, false, err
		case !bytes.Equal(found, part.bytes):
			return nil, false, nil
		}
	}
	return info, true, nil
}

// piece describes the present file as one that was rotated away.
func (l *Followed) piece() *rotatedPiece {
	info, err := l.file.Stat()
	if err != nil {
		info = l.info
	}
	return &rotatedPiece{info: info, modified: info.ModTime(), head: l.head, size: l.offset}
}

// remember knows a piece again that was read to its end, or is older than what is
// followed.
func (l *Followed) remember(p *rotatedPiece) {
	l.done = append(l.done, donePiece{p.identity(), l.delivered})
	if len(l.done) > maxRemembered {
		l.done = l.done[1:]
	}
}

func (l *Followed) wasRead(p *rotatedPiece) bool {
	id := p.identity()
	return slices.ContainsFunc(l.done, func(d donePiece) bool { return d.same(id) })
}

// settledPieces are those that need not be read after a restart either.
func (l *Followed) settledPieces() []identity {
	pieces := []identity{}
	for _, d := range l.done {
		if d.end <= l.settled {
			pieces = append(pieces, d.identity)
		}
	}
	return pieces
}

// linesBefore counts the lines before an offset of the present file, -1 where
// that would take long.
func (l *Followed) linesBefore(offset int64) int64 {
	if offset > maxCounted {
		return -1
	}
	lines := int64(0)
	buf := make([]byte, pieceSize)
	for r := io.NewSectionReader(l.file, 0, offset); ; {
		n, err := r.Read(buf)
		lines += int64(bytes.Count(buf[:n], []byte{'\n'}))
		if err != nil {
			return lines
		}
	}
}

// wake asks for a turn, once.
func (l *Followed) wake(turns chan<- *Followed) {
	if l.awake.Swap(true) {
		return
	}
	select {
	case turns <- l:
	default: // the regular check will come by
		l.awake.Store(false)
	}
}

// folderOf is where the pieces of a log go when it is rotated: where the file
// itself is, behind symbolic links.
func folderOf(name string) string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	return filepath.Dir(name)
}
