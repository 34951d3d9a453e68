package source

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

const (
	// pieceSize is how many bytes of a stream are read at once.
	pieceSize = 256 << 10
	// lastWords is how long a stream is read on after Ctrl-C, for what its writer
	// says while it ends, and lastSilence how long it may be silent then.
	lastWords   = 5 * time.Second
	lastSilence = time.Second
)

// Stream reads from something that may block for ever (a pipe, a terminal), so
// that the end of the context ends a read that waits. The read of the source
// itself cannot be ended: it is left behind until the program ends.
type Stream struct {
	source io.Reader
	ctx    context.Context
	pieces chan piece
	free   chan []byte
	rest   []byte
	buf    []byte
	until  time.Time // of the last words, zero before them
	ended  bool      // its writer has closed it
}

// piece is what one read of the source gave.
type piece struct {
	buf []byte
	n   int
	err error
}

// NewStream reads from a source when it is asked to. Where the context is
// canceled without a cause, by Ctrl-C, which a server on the other side of the
// pipe got as well, it reads on for a moment.
func NewStream(ctx context.Context, source io.Reader) *Stream {
	return &Stream{source: source, ctx: ctx}
}

// Live tells whether the source is written while it is read, and no file.
func (s *Stream) Live() bool {
	file, ok := s.source.(*os.File)
	if !ok {
		return true
	}
	info, err := file.Stat()
	return err != nil || !info.Mode().IsRegular()
}

// start reads ahead.
func (s *Stream) start() {
	const ahead = 2
	if f, ok := s.source.(*os.File); ok {
		widen(f)
	}
	s.pieces, s.free = make(chan piece, ahead), make(chan []byte, ahead+1)
	for range ahead {
		s.free <- make([]byte, pieceSize)
	}
	go func() {
		for buf := range s.free {
			n, err := s.source.Read(buf)
			s.pieces <- piece{buf: buf, n: n, err: err}
			if err != nil {
				return
			}
		}
	}()
}

// Read gives what has arrived; it waits only when nothing has. At the end of
// the context the stream ends like its source.
func (s *Stream) Read(p []byte) (int, error) {
	if s.pieces == nil {
		s.start()
	}
	for len(s.rest) == 0 {
		if s.buf != nil {
			s.free <- s.buf
			s.buf = nil
		}
		next := s.next()
		if next.n == 0 && next.err != nil {
			s.until = time.Now() // the next read ends as well
			s.ended = next.buf != nil || s.ended
			return 0, next.err
		}
		s.buf, s.rest = next.buf, next.buf[:next.n]
		if next.err != nil {
			s.ended = true
			s.pieces <- piece{err: next.err}
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

var atEnd = piece{err: io.EOF}

// next waits for the next piece, at the end of the context for a moment only.
func (s *Stream) next() piece {
	if s.until.IsZero() {
		select {
		case p := <-s.pieces:
			return p
		case <-s.ctx.Done():
			s.until = time.Now().Add(lastWords)
		}
	}
	if !errors.Is(context.Cause(s.ctx), context.Canceled) {
		return atEnd
	}
	silence := time.NewTimer(min(lastSilence, time.Until(s.until)))
	defer silence.Stop()
	select {
	case p := <-s.pieces:
		return p
	case <-silence.C:
		return atEnd
	}
}

// Linger keeps the pipe open until its writer has closed it, for so long at most:
// a server that writes its last words into a closed pipe is ended by it in the
// middle of its shutdown (signal(7), SIGPIPE).
func (s *Stream) Linger(longest time.Duration) {
	if s.pieces == nil || s.ended {
		return
	}
	limit := time.NewTimer(longest)
	defer limit.Stop()
	if s.buf != nil {
		s.free <- s.buf
		s.buf = nil
	}
	for {
		select {
		case p := <-s.pieces:
			if p.err != nil {
				return
			}
			s.free <- p.buf
		case <-limit.C:
			return
		}
	}
}
