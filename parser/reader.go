package parser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// blockSize is how much is read at once.
	blockSize = 256 << 10
	// MaxLine is how much of one line, in bytes, is looked at: the rest of a
	// longer line is skipped.
	MaxLine = 1 << 20
	// maxPatience is how many unrelated entries may stand between two lines
	// of one panic's trace, where stdout and stderr are mixed.
	maxPatience = 20
	// nearLines is how many lines after a candidate are near it.
	nearLines = 20
	// maxTrace is how many bytes of a panic's trace are kept.
	maxTrace = 64 << 10
	// maxUndated is how many records wait for the first dated entry of a log,
	// and maxUndatedBytes how far it may be away.
	maxUndated      = 1000
	maxUndatedBytes = 1 << 20
)

// Finder walks over one block of bytes.
type Finder interface {
	// Next returns the index of the next byte at or after from that makes its
	// line worth parsing, -1 when there is none.
	Next(from int) int
}

// Options say how a log is read.
type Options struct {
	// Search starts a walk over a block; the records of lines that it does
	// not point at are not parsed, and their lines are only counted. Nil
	// means every line. The walk has to point at the Anchors of this package
	// too.
	Search func(block []byte) Finder
	// Nearby tells whether one of the nearLines lines after a candidate is to
	// be parsed as well; nil means none.
	Nearby func(line []byte) bool
	// Zone is taken for wall clocks without one; nil is time.Local.
	Zone *time.Location
	// Reference is a time close to the end of the log, for stamps without a
	// year; zero is now.
	Reference time.Time
}

// Stats describe a log that was read.
type Stats struct {
	// Bytes and Lines that were read, and the entries that they make.
	Bytes, Lines, Records int64
	// Wrapper that most of the inspected lines had.
	Wrapper Wrapper
	// First and Last are the times of the first and the last dated entry;
	// zero when none is dated.
	First, Last time.Time
	// TooLong are the lines that were longer than MaxLine.
	TooLong int64
	// FirstTooLong is the number of the first of them, from 1.
	FirstTooLong int64
}

// Read reads a log to its end and hands each record that matters to emit, in
// the order of the log, with its line, offset and time. A record without a time
// takes that of the nearest dated entry before it, else after it. The slices of
// a record stay valid.
//
// The result does not depend on how the bytes arrive. Errors are those of the
// source, wrapped, of emit, and of the context; what was read before an error
// has been handed out.
func Read(ctx context.Context, src io.Reader, opts Options, emit func(*Record) error) (Stats, error) {
	r := newReader(opts, emit)
	err := r.run(ctx, src)
	if endErr := r.end(); err == nil {
		err = endErr
	}
	r.stats.Wrapper = r.wrapper()
	return r.stats, err
}

type reader struct {
	search func([]byte) Finder
	nearby func([]byte) bool
	near   int // lines that are still near a candidate
	clock  clock
	emit   func(*Record) error
	stats  Stats

	buf      []byte
	base     int64 // offset of buf[0]
	line     int64 // lines before buf[0]
	skipping bool  // in the rest of a line over MaxLine
	joined   int64 // lines that belong to an earlier entry

	wrappers map[Wrapper]int
	sniffed  int
	panics   openPanic
	parts    map[string]*parts
	dates    dates
}

func newReader(opts Options, emit func(*Record) error) *reader {
	if opts.Zone == nil {
		opts.Zone = time.Local
	}
	if opts.Reference.IsZero() {
		opts.Reference = time.Now()
	}
	if opts.Search == nil {
		opts.Search = func(block []byte) Finder { return everyLine(len(block)) }
	}
	return &reader{
		search: opts.Search, nearby: opts.Nearby, clock: clock{zone: opts.Zone, reference: opts.Reference}, emit: emit,
		wrappers: map[Wrapper]int{}, parts: map[string]*parts{},
	}
}

// everyLine finds every byte of a block of its length.
type everyLine int

func (n everyLine) Next(from int) int {
	if from < int(n) {
		return from
	}
	return -1
}

func (r *reader) run(ctx context.Context, src io.Reader) error {
	r.buf = make([]byte, 0, blockSize)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.fill(src)
		r.stats.Bytes += int64(n)
		if err != nil && !errors.Is(err, io.EOF) {
			err = fmt.Errorf("read at byte %d: %w", r.stats.Bytes, err)
		}
		atEnd := err != nil
		if blockErr := r.block(atEnd); blockErr != nil {
			return blockErr
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *reader) fill(src io.Reader) (int, error) {
	if len(r.buf) == cap(r.buf) {
		r.buf = append(r.buf, make([]byte, cap(r.buf))...)[:len(r.buf)]
	}
	n, err := src.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+n]
	return n, err
}

// block looks at the complete lines in the buffer, at the end of the log at
// all of it, and keeps the rest.
func (r *reader) block(atEnd bool) error {
	if r.skipping {
		r.skip()
	}
	complete := bytes.LastIndexByte(r.buf, '\n') + 1
	if atEnd {
		complete = len(r.buf)
	}
	if complete > 0 {
		if err := r.lines(r.buf[:complete]); err != nil {
			return err
		}
		r.keep(complete)
	}
	if len(r.buf) > MaxLine {
		return r.cut()
	}
	return nil
}

// keep drops the first n bytes of the buffer.
func (r *reader) keep(n int) {
	r.base += int64(n)
	r.buf = append(r.buf[:0], r.buf[n:]...)
}

// cut handles a line that outgrew MaxLine: what is there is looked at, the rest
// is skipped.
func (r *reader) cut() error {
	r.stats.TooLong++
	if r.stats.FirstTooLong == 0 {
		r.stats.FirstTooLong = r.line + 1
	}
	err := r.lines(r.buf[:MaxLine])
	r.keep(len(r.buf))
	r.skipping = true
	return err
}

// skip drops the rest of a line that was cut. The line was counted then.
func (r *reader) skip() {
	end := bytes.IndexByte(r.buf, '\n')
	if end < 0 {
		r.keep(len(r.buf))
		return
	}
	r.keep(end + 1)
	r.skipping = false
}

// lines walks over a block of whole lines from candidate to candidate, and
// line by line while an entry is open or a date is looked for.
func (r *reader) lines(block []byte) error {
	finder := r.search(block)
	long := newLongLines(block)
	r.sniff(block)
	pos, next := 0, finder.Next(0)
	for pos < len(block) {
		start := pos
		if !r.attentive() {
			first := earliest(next, long.next(pos))
			if first < 0 {
				break
			}
			start = bytes.LastIndexByte(block[pos:first], '\n') + 1 + pos
		}
		end := lineEnd(block, start)
		r.line += int64(bytes.Count(block[pos:start], newline))
		candidate := next >= 0 && next < end
		if candidate && r.nearby != nil {
			r.near = nearLines
		}
		if err := r.entry(block, start, end, candidate); err != nil {
			return err
		}
		r.line++
		pos = end
		if candidate {
			next = finder.Next(min(pos, len(block)))
		}
	}
	r.line += int64(bytes.Count(block[pos:], newline))
	if pos < len(block) && block[len(block)-1] != '\n' {
		r.line++
	}
	r.dates.finish(r, block)
	return nil
}

var newline = []byte{'\n'}

// lineEnd is the index after the line's newline, or the block's length.
func lineEnd(block []byte, start int) int {
	if at := bytes.IndexByte(block[start:], '\n'); at >= 0 {
		return start + at + 1
	}
	return len(block)
}

func earliest(a, b int) int {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}

// attentive tells whether every line matters now.
func (r *reader) attentive() bool {
	return r.near > 0 || r.waiting()
}

// waiting tells whether an entry is open or a record waits for its date.
func (r *reader) waiting() bool {
	return r.panics.open || len(r.parts) > 0 || len(r.dates.undated) > 0
}

// end closes what is open at the end of the log.
func (r *reader) end() error {
	r.stats.Lines = r.line
	errs := []error{r.flushParts(), r.closePanic(), r.dates.flush(r.emit)}
	r.stats.Records = r.stats.Lines - r.joined
	return errors.Join(errs...)
}
