package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// rotated looks whether the log's name belongs to another file now, and moves on
// to it. A new file without content does not end the old one: its writer may
// not know of it yet.
func (f *Follow) rotated(l *Followed) (moved bool, err error) {
	info, err := os.Stat(l.Name)
	if err != nil || os.SameFile(info, l.info) || info.Size() == 0 {
		return false, nil
	}
	file, err := openRegular(l.Name)
	if err != nil {
		f.tell(l.Name, err)
		return false, nil
	}
	if info, err = file.Stat(); err != nil || os.SameFile(info, l.info) {
		file.Close()
		return false, nil
	}
	if n, err := f.read(l); n > 0 || err != nil { // what came before the new file had content
		file.Close()
		return true, err
	}
	old := l.piece()
	l.remember(old)
	between := l.rotatedBetween(old, file)
	l.unwatch()
	l.file.Close()
	l.file, l.info = file, info
	if err := f.wholeAll(l, between); err != nil {
		return false, err
	}
	f.watch(l)
	return true, nil
}

// truncated goes back to the start of a file that was cut, after reading from
// the copy what was not read yet (logrotate's copytruncate), and what was copied
// and cut since.
func (f *Follow) truncated(l *Followed) error {
	copied := l.copyOf()
	if copied == nil {
		return f.begin(l, 0, 0)
	}
	if err := f.rest(l, copied, l.offset); err != nil {
		return err
	}
	return f.wholeAll(l, l.rotatedBetween(copied, l.file))
}

// whole reads a piece that was rotated away from an offset, with so many lines
// before it.
func (f *Follow) whole(l *Followed, p *rotatedPiece, offset, lines int64) error {
	l.moveTo(p, offset)
	if err := f.Deliver(Piece{Log: l, Rotated: true, Offset: offset, Lines: lines}); err != nil {
		return err
	}
	return f.rest(l, p, offset)
}

// rest reads a piece from an offset to its end.
func (f *Follow) rest(l *Followed, p *rotatedPiece, offset int64) error {
	r, err := p.open(offset)
	switch {
	case errors.Is(err, fs.ErrNotExist): // what became of it is listed next
		f.tell(p.path, err)
		return nil
	case err != nil:
		f.breaksOff(l, p, err)
		return nil
	}
	defer r.Close()
	buf := make([]byte, pieceSize)
	for {
		n, end := fill(r, buf)
		if n > 0 {
			if err := f.deliver(l, buf[:n], p.modified, 0); err != nil {
				return err
			}
		}
		switch {
		case end == io.EOF:
			if !p.packed { // it may have grown since it was listed
				p.size = l.offset
			}
			l.remember(p)
			return nil
		case end != nil:
			f.breaksOff(l, p, end)
			return nil
		}
	}
}

// breaksOff names a piece that cannot be read to its end. It is not read again: what came
// of it would be told twice.
func (f *Follow) breaksOff(l *Followed, p *rotatedPiece, err error) {
	if p.packed {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	f.tell(p.path, err)
	p.broken = true
	l.remember(p)
}

// nameUnopened names the pieces of a log that cannot be opened: one may hold what is lost.
func (f *Follow) nameUnopened(l *Followed) {
	entries, _ := os.ReadDir(l.folder)
	for _, e := range entries {
		if log, rotated := rotationOf(e.Name()); !rotated || log != filepath.Base(l.Name) {
			continue
		}
		path := filepath.Join(l.folder, e.Name())
		file, err := openRegular(path)
		if err == nil {
			if _, err = unpacked(file); err != nil {
				err = fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			file.Close()
		}
		if err != nil {
			f.tell(path, err)
		}
	}
}

// wholeAll reads pieces, and then the present file from its start.
func (f *Follow) wholeAll(l *Followed, pieces []*rotatedPiece) error {
	for _, p := range pieces {
		if l.wasRead(p) || !isCut(l.present(), p) {
			continue
		}
		if err := f.whole(l, p, 0, 0); err != nil {
			return err
		}
	}
	return f.begin(l, 0, 0)
}
