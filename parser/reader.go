package parser

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

const (
	// blockSize is how much is read at once, and viewSize how much is looked at
	// where it lies: there the processors have to agree on each end of a view.
	blockSize = 256 << 10
	viewSize  = 2 << 20
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
)

// Finder walks over one block of bytes.
type Finder interface {
	// Next returns the index of the next byte at or after from that makes its
	// line worth parsing, -1 when there is none, and the newlines from from to
	// there, or to the end of the block. from is the start of a line.
	Next(from int) (at, newlines int)
}

// Options say how a log is read.
type Options struct {
	// Search starts a walk over a block; the records of lines that it does
	// not point at are not parsed, and their lines are only counted. Nil
	// means every line. The walk has to point at the Anchors of this package
	// too.
	Search func(block []byte) Finder
	// Nearby finds in the nearLines lines after a candidate what makes a line
	// worth parsing there; it returns an index in the first such line, -1 for
	// none. Nil means that no line is.
	Nearby func(lines []byte) int
	// Zone is taken for wall clocks without one; nil is time.Local.
	Zone *time.Location
	// Reference is a time close to the end of the log, for stamps without a
	// year; zero is now. The end of a file, for ReadAt, tells it more closely.
	Reference time.Time
}

// Stats describe a log that was read.
type Stats struct {
	// Bytes and Lines that were read, and the entries that they make.
	Bytes, Lines, Records int64
	// Wrapper that most of the inspected lines had.
	Wrapper Wrapper
	// First and Last are the times of the first and the last dated entry, in a
	// live log also those of arrival of records without a time; zero when none is
	// dated.
	First, Last time.Time
	// Styles counts how the inspected lines are written, which tells what wrote
	// the log.
	Styles map[Style]int
	// TooLong are the lines that were longer than MaxLine.
	TooLong int64
	// FirstTooLong is the number of the first of them, from 1.
	FirstTooLong int64
	// Traffic is when the log was written to.
	Traffic Traffic
}

// Add takes what another part of the log has.
func (s *Stats) Add(more *Stats) {
	s.Bytes, s.Lines, s.Records, s.TooLong = s.Bytes+more.Bytes, s.Lines+more.Lines, s.Records+more.Records, s.TooLong+more.TooLong
	if s.FirstTooLong == 0 {
		s.FirstTooLong = more.FirstTooLong
	}
	if s.First.IsZero() || !more.First.IsZero() && more.First.Before(s.First) {
		s.First = more.First
	}
	if more.Last.After(s.Last) {
		s.Last = more.Last
	}
	if s.Styles == nil && len(more.Styles) > 0 {
		s.Styles = map[Style]int{}
	}
	for style, n := range more.Styles {
		s.Styles[style] += n
	}
	s.Traffic.Add(more.Traffic)
}

// inOrder puts the first and the last time into the order of time: some logs stand
// newest first.
func (s *Stats) inOrder() {
	if !s.Last.IsZero() && s.Last.Before(s.First) {
		s.First, s.Last = s.Last, s.First
	}
}

// Style is how an entry is written.
type Style struct {
	Kind  Kind
	Level string
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
	return r.finish(r.stream(ctx, src))
}

// Records reads a log like [Read] and gives its records one by one. An error, of
// the source or of the context, comes last, beside a nil record.
func Records(ctx context.Context, src io.Reader, opts Options) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		_, err := Read(ctx, src, opts, func(rec *Record) error {
			if !yield(rec, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// errEnough ends the reading of a log of which no more is wanted.
var errEnough = errors.New("no more records are wanted")

// ReadAt reads like Read from a file of the given size, with several workers
// that read and search pieces of it at the same time. The result is the same
// for any number of workers. Bytes that are added to the file after the call
// are left; a file that is cut ends earlier. The bytes of a [Viewer] are looked
// at where they lie.
func ReadAt(ctx context.Context, src io.ReaderAt, size int64, workers int, opts Options, emit func(*Record) error) (Stats, error) {
	r := newReader(opts, emit)
	if _, ok := src.(Viewer); ok {
		r.block = viewSize
	}
	r.dates.clock.end = func(reference time.Time) time.Time { return endOf(src, size, reference) }
	return r.finish(r.parallel(ctx, src, size, max(workers, 1)))
}

type reader struct {
	opts  Options
	near  int // lines that are still near a candidate of a block before
	block int // how many bytes are read at once
	stats Stats

	carry    []byte // a line of which the end has not come
	base     int64  // offset of the block that is looked at, and of the carry
	start    int64  // bytes of the files before the present one
	line     int64  // lines before the line that is looked at
	skipping bool   // in the rest of a line over MaxLine
	// unnumbered says that the lines before the present one were not counted.
	unnumbered bool
	joined     int64 // lines that belong to an earlier entry
	ended      bool

	wrappers map[Wrapper]int
	sniffed  int
	panics   openPanic
	parts    map[string]*parts
	open     []string // the keys of parts, oldest first
	partial  int      // bytes in parts
	dates    dates
	sampler  sampler

	unfinished unfinished
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
		opts: opts, block: blockSize, dates: dates{clock: clock{zone: opts.Zone, reference: opts.Reference}, emit: emit},
		wrappers: map[Wrapper]int{}, parts: map[string]*parts{},
	}
}

// everyLine finds every byte of a block of its length.
type everyLine int

func (n everyLine) Next(from int) (at, newlines int) {
	if from < int(n) {
		return from, 0
	}
	return -1, 0
}

// piece is a part of a log as it was read: whole is what of it are lines from
// their start to their end, with the index of these.
type piece struct {
	data       []byte
	start, end int // of the whole lines in data; equal when there are none
	index      index
	err        error
	release    func() // of data that lies in a file
}

// cutPiece finds the whole lines of what was read: all but what comes before
// the first newline and after the last one.
func cutPiece(opts *Options, data []byte, err error) piece {
	p := piece{data: data, err: err}
	first := bytes.IndexByte(data, '\n') + 1
	p.start, p.end = first, first
	if first > 0 {
		p.end = lastNewline(data) + 1
		p.index = newIndex(opts, data[p.start:p.end])
	}
	return p
}

// take looks at the next piece of the log.
func (r *reader) take(p *piece) error {
	r.stats.Bytes += int64(len(p.data))
	if err := r.head(p.data[:p.start]); err != nil {
		return err
	}
	if p.start < p.end {
		if err := r.lines(p.data[p.start:p.end], &p.index); err != nil {
			return err
		}
		r.base += int64(p.end - p.start)
	}
	return r.tail(p.data[p.end:])
}

// head completes the line that the piece before left open.
func (r *reader) head(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if r.skipping {
		r.base += int64(len(data))
		r.skipping = false
		return nil
	}
	if err := r.tail(data); err != nil {
		return err
	}
	if r.skipping {
		r.skipping = false
		return nil
	}
	return r.flush()
}

// tail keeps a line that is not complete. Of one that outgrows MaxLine what is
// there is looked at, and the rest is skipped.
func (r *reader) tail(data []byte) error {
	if r.skipping {
		r.base += int64(len(data))
		return nil
	}
	r.carry = append(r.carry, data...)
	if len(r.carry) <= MaxLine {
		return nil
	}
	r.stats.TooLong++
	if r.stats.FirstTooLong == 0 {
		r.stats.FirstTooLong = r.line + 1
	}
	rest := len(r.carry) - MaxLine
	r.carry = r.carry[:MaxLine]
	r.skipping = true
	err := r.flush()
	r.base += int64(rest)
	return err
}

// flush looks at the kept line.
func (r *reader) flush() error {
	if len(r.carry) == 0 {
		return nil
	}
	x := newIndex(&r.opts, r.carry)
	err := r.lines(r.carry, &x)
	r.base += int64(len(r.carry))
	r.carry = r.carry[:0]
	return err
}

// lines walks over a block of whole lines from stop to stop, and line by line
// while an entry is open or a date is looked for.
func (r *reader) lines(block []byte, x *index) error {
	first := r.line
	r.dates.begin(block)
	r.unfinished.begin()
	r.sniff(block)
	r.sampler.sample(block, r.start+r.base, &r.dates)
	stops := x.stops
	for pos := 0; pos < len(block); {
		start := pos
		if !r.attentive() {
			if len(stops) == 0 {
				break
			}
			start = stops[0].start
			r.line = first + stops[0].lines
		}
		var here stop
		known := len(stops) > 0 && stops[0].start == start
		if known {
			here, stops = stops[0], stops[1:]
		}
		end := lineEnd(block, start)
		r.approach(&here, block[start:end])
		if known || here.near || r.waiting() {
			if err := r.entry(block, start, end, here); err != nil {
				return err
			}
		}
		r.line++
		pos = end
	}
	r.line = first + x.lines
	if x.near >= 0 {
		r.near = x.near
	}
	r.dates.end()
	r.unfinished.end(block)
	return nil
}

// approach looks for evidence in a line that is near a candidate of a block
// before; what is near those of this block stands in the index.
func (r *reader) approach(here *stop, line []byte) {
	if here.candidate {
		r.near = 0
	}
	if r.near > 0 {
		r.near--
		here.near = here.near || r.opts.Nearby(line) >= 0
	}
}

// attentive tells whether every line matters now.
func (r *reader) attentive() bool {
	return r.near > 0 || r.waiting()
}

// waiting tells whether an entry is open or a record waits for its date.
func (r *reader) waiting() bool {
	return r.panics.open || len(r.parts) > 0 || r.dates.waiting()
}

// finish closes what is open at the end of the log.
func (r *reader) finish(err error) (Stats, error) {
	errs := []error{err, r.flush(), r.flushParts()}
	r.ended = true
	errs = append(errs, r.closePanic(), r.dates.flush())
	r.stats.Lines = r.line
	r.stats.Records = r.line - r.joined
	r.stats.Wrapper = r.wrapper()
	r.stats.First, r.stats.Last, r.stats.Traffic = r.dates.first, r.dates.newest, r.sampler.Traffic
	r.stats.inOrder()
	return r.stats, errors.Join(errs...)
}
