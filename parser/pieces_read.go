package parser

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// stream reads a log piece by piece as its bytes arrive.
func (r *reader) stream(ctx context.Context, src io.Reader) error {
	buf := make([]byte, r.block)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := src.Read(buf)
		p := cutPiece(r.search, buf[:n], readError(err, r.stats.Bytes+int64(n)))
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

// parallel lets workers read and search pieces ahead, and takes the pieces in
// the order of the file.
func (r *reader) parallel(ctx context.Context, src io.ReaderAt, size int64, workers int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	const ahead = 2 // pieces a worker
	pieces := make(chan chan piece, workers*ahead)
	free := make(chan []byte, workers*(ahead+1))
	for range cap(free) {
		free <- nil
	}
	go func() {
		defer close(pieces)
		running := make(chan struct{}, workers)
		for offset := int64(0); offset < size; offset += int64(r.block) {
			result := make(chan piece, 1)
			select {
			case pieces <- result:
			case <-ctx.Done():
				return
			}
			running <- struct{}{}
			go func() {
				defer func() { <-running }()
				result <- r.pieceAt(src, offset, min(int64(r.block), size-offset), <-free)
			}()
		}
	}()
	for result := range pieces {
		p := <-result
		if err := r.take(&p); err != nil {
			return err
		}
		if p.err != nil {
			return ignoreEnd(p.err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		free <- p.data[:0]
	}
	return ctx.Err()
}

// pieceAt reads and searches one piece of a file.
func (r *reader) pieceAt(src io.ReaderAt, offset, size int64, buf []byte) piece {
	if buf == nil {
		buf = make([]byte, r.block)
	}
	n, err := src.ReadAt(buf[:size], offset)
	if int64(n) == size {
		err = nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = readError(err, offset+int64(n))
	}
	return cutPiece(r.search, buf[:n], err)
}

// ignoreEnd makes the early end of a file that was cut its end.
func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
