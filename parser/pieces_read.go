package parser

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

// stream reads a log piece by piece as its bytes arrive.
func (r *reader) stream(ctx context.Context, src io.Reader) error {
	buf := make([]byte, r.block)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := src.Read(buf)
		p := cutPiece(&r.opts, buf[:n], readError(err, r.stats.Bytes+int64(n)))
		if err := r.take(&p); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if p.err != nil {
			return p.err
		}
	}
}

// readError tells where a log could not be read further.
func readError(err error, at int64) error {
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("read at byte %d: %w", at, err)
}

// Viewer is an [io.ReaderAt] that can show its bytes where they lie, which
// saves a copy of each: a mapped file.
type Viewer interface {
	// View gives the bytes at an offset until release is called. Bytes that
	// are gone when they are looked at (of a file that was cut) fault.
	View(offset, size int64) (data []byte, release func(), err error)
}

// parallel lets workers look at pieces ahead, and takes the pieces in the order
// of the file.
func (r *reader) parallel(ctx context.Context, src io.ReaderAt, size int64, workers int) error {
	ahead, cancel := context.WithCancel(ctx)
	defer cancel()
	pieces := make(chan chan piece, workers)
	free := make(chan []byte, 2*workers+2)
	go func() {
		defer close(pieces)
		running := make(chan struct{}, workers)
		for offset := int64(0); offset < size && ahead.Err() == nil; offset += int64(r.block) {
			result := make(chan piece, 1)
			pieces <- result
			running <- struct{}{}
			go func() {
				defer func() { <-running }()
				result <- r.pieceAt(src, offset, min(int64(r.block), size-offset), free)
			}()
		}
	}()
	var err error
	for result := range pieces {
		p := <-result
		if err == nil {
			err = r.takeNext(ctx, &p)
		}
		if err != nil {
			cancel() // what was looked at ahead is only given back
		}
		p.giveBack(free)
	}
	if errors.Is(err, io.EOF) {
		return nil // a file that was cut ends earlier
	}
	return err
}

// takeNext takes a piece and tells whether it was the last one: io.EOF for the
// early end of a file that was cut.
func (r *reader) takeNext(ctx context.Context, p *piece) error {
	err := unlessGone(func() error { return r.take(p) })
	return cmp.Or(err, p.err, ctx.Err())
}

// pieceAt looks at one piece of a file where it lies, or reads it.
func (r *reader) pieceAt(src io.ReaderAt, offset, size int64, free chan []byte) piece {
	if v, ok := src.(Viewer); ok {
		if p, err := r.view(v, offset, size); err == nil {
			return p
		}
	}
	var buf []byte
	select {
	case buf = <-free:
	default:
		buf = make([]byte, r.block)
	}
	n, err := src.ReadAt(buf[:size], offset)
	if int64(n) == size {
		err = nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = readError(err, offset+int64(n))
	}
	return cutPiece(&r.opts, buf[:n], err)
}

// view looks at a piece of a file where it lies.
func (r *reader) view(v Viewer, offset, size int64) (piece, error) {
	data, release, err := v.View(offset, size)
	if err != nil {
		return piece{}, err
	}
	var p piece
	if err := unlessGone(func() error {
		p = cutPiece(&r.opts, data, nil)
		return nil
	}); err != nil {
		release()
		return piece{}, err
	}
	p.release = release
	return p, nil
}

// giveBack ends the use of a piece's bytes.
func (p *piece) giveBack(free chan []byte) {
	if p.release != nil {
		p.release()
		return
	}
	select {
	case free <- p.data[:cap(p.data)]:
	default:
	}
}

// unlessGone runs something over bytes that may lie in a file. Where they are
// gone, because the file was cut or cannot be read, it ends with io.EOF.
func unlessGone(run func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if reason := recover(); reason != nil {
			if _, ok := reason.(interface{ Addr() uintptr }); !ok {
				panic(reason)
			}
			err = io.EOF
		}
	}()
	return run()
}
