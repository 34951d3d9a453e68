package source

import (
	"context"
	"io"
	"os"
)

// pieceSize is how many bytes of a stream are read at once.
const pieceSize = 256 << 10

// stream reads from something that may block for ever (a pipe, a terminal), so
// that the end of the context ends a read that waits. The read of the source
// itself cannot be ended: it is left behind until the program ends.
type stream struct {
	ctx    context.Context
	pieces chan piece
	free   chan []byte
	rest   []byte
	buf    []byte
}

// piece is what one read of the source gave.
type piece struct {
	buf []byte
	n   int
	err error
}

func newStream(ctx context.Context, r io.Reader) *stream {
	const ahead = 2
	if f, ok := r.(*os.File); ok {
		widen(f)
	}
	s := &stream{ctx: ctx, pieces: make(chan piece, ahead), free: make(chan []byte, ahead+1)}
	for range ahead {
		s.free <- make([]byte, pieceSize)
	}
	go s.fill(r)
	return s
}

// fill reads ahead until the source ends.
func (s *stream) fill(r io.Reader) {
	for {
		select {
		case buf := <-s.free:
			n, err := r.Read(buf)
			select {
			case s.pieces <- piece{buf: buf, n: n, err: err}:
			case <-s.ctx.Done():
				return
			}
			if err != nil {
				return
			}
		case <-s.ctx.Done():
			return
		}
	}
}

// Read gives what has arrived; it waits only when nothing has. At the end of
// the context the stream ends like its source.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.buf != nil {
			s.free <- s.buf
			s.buf = nil
		}
		select {
		case next := <-s.pieces:
			if next.n == 0 && next.err != nil {
				s.pieces <- next // the next read ends as well
				return 0, next.err
			}
			s.buf, s.rest = next.buf, next.buf[:next.n]
			if next.err != nil {
				s.pieces <- piece{err: next.err}
			}
		case <-s.ctx.Done():
			return 0, io.EOF
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
