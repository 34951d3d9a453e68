package parser

import "errors"

// Feed reads a log that grows: bytes are given to it as they arrive, and records
// are handed out as soon as they are complete. It is for one goroutine.
type Feed struct {
	r     *reader
	lines int64 // of the files before the present one
}

// NewFeed starts a log.
func NewFeed(opts Options, emit func(*Record) error) *Feed {
	return &Feed{r: newReader(opts, emit)}
}

// Write takes the next bytes of the log, which may end within a line. They are
// not kept after the call. Errors are those of emit.
func (f *Feed) Write(data []byte) error {
	p := cutPiece(&f.r.opts, data, nil)
	return f.r.take(&p)
}

// Flush hands out what waits for more: an entry of several lines and records
// without a time. It is meant for a log that has been silent for a while. The
// beginning of a line goes on waiting.
func (f *Feed) Flush() error {
	return errors.Join(f.r.flushParts(), f.r.closePanic(), f.r.dates.flush(f.r.emit))
}

// Waiting tells whether something waits for more.
func (f *Feed) Waiting() bool { return f.r.waiting() }

// Rotate says that the next bytes are the first of another file: lines and
// offsets count from its start. A line that was cut by the end of the file
// before is complete; a panic's trace may go on.
func (f *Feed) Rotate() error {
	r := f.r
	err := errors.Join(r.flush(), r.flushParts())
	f.lines += r.line
	r.start += r.base
	r.base, r.line, r.skipping = 0, 0, false
	return err
}

// Skip says that the file goes on at an offset: what stands before it was read
// by an earlier run. Lines count from there.
func (f *Feed) Skip(offset int64) {
	f.r.start -= offset
	f.r.base += offset
}

// Settled is how many of the bytes that were written are done with: every
// record that begins in them was handed out.
func (f *Feed) Settled() int64 {
	r := f.r
	settled := r.start + r.base
	if r.panics.open {
		settled = min(settled, r.panics.start+r.panics.offset)
	}
	for _, p := range r.parts {
		settled = min(settled, r.start+p.offset)
	}
	for _, rec := range r.dates.undated {
		settled = min(settled, r.start+rec.Offset)
	}
	return settled
}

// Stats describe what was read so far.
func (f *Feed) Stats() Stats {
	stats := f.r.stats
	stats.Lines = f.lines + f.r.line
	stats.Records = stats.Lines - f.r.joined
	stats.Wrapper = f.r.wrapper()
	return stats
}

// End closes what is open. Errors are those of emit.
func (f *Feed) End() error {
	_, err := f.r.finish(nil)
	return err
}
