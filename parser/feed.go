package parser

import (
	"errors"
	"slices"
)

// Feed reads a log that grows: bytes are given to it as they arrive, and records
// are handed out as soon as they are complete. It is for one goroutine.
type Feed struct {
	r     *reader
	lines int64 // that were read in the files before the present one
}

// NewFeed starts a log.
func NewFeed(opts Options, emit func(*Record) error) *Feed {
	return &Feed{r: newReader(opts, emit)}
}

// Write takes the next bytes of the log, which may end within a line, with their
// arrival. They are not kept after the call. A record without a time takes that
// of a dated entry that came with it or shortly before, else its arrival: it waits
// for nothing. Errors are those of emit.
func (f *Feed) Write(data []byte, arrival Arrival) error {
	f.r.dates.arrive(arrival)
	p := cutPiece(&f.r.opts, data, nil)
	return errors.Join(f.r.take(&p), f.r.dates.arrived())
}

// Flush hands out what waits for more: an entry of several lines. It is meant for
// a log that has been silent for a while. The beginning of a line goes on waiting.
func (f *Feed) Flush() error {
	return errors.Join(f.r.flushParts(), f.r.closePanic(), f.r.dates.flush())
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
	r.base, r.line, r.skipping, r.unnumbered = 0, 0, false, false
	return err
}

// Skip says that the file goes on at an offset, before which are so many lines,
// negative where nobody counted them: then its records have no line.
func (f *Feed) Skip(offset, lines int64) {
	r := f.r
	r.start -= offset
	r.base += offset
	r.unnumbered = lines < 0
	f.lines -= max(lines, 0)
	r.line += max(lines, 0)
}

// Settled is how many of the bytes that were written are done with (every record
// that begins in them was handed out) and how many lines stand before that place
// in its file, negative where they were not counted.
func (f *Feed) Settled() (bytes, lines int64) {
	r := f.r
	bytes, lines = r.start+r.base, r.line
	if r.panics.open && r.panics.start+r.panics.offset < bytes {
		bytes, lines = r.panics.start+r.panics.offset, r.panics.line-1
	}
	for _, p := range r.parts {
		if r.start+p.offset < bytes {
			bytes, lines = r.start+p.offset, p.line-1
		}
	}
	for _, rec := range r.dates.undated {
		if r.start+rec.Offset < bytes {
			bytes, lines = r.start+rec.Offset, rec.Line-1
		}
	}
	if r.unnumbered {
		lines = -1
	}
	return bytes, lines
}

// Stats describe what was read so far.
func (f *Feed) Stats() Stats {
	stats := f.r.stats
	stats.Lines = f.lines + f.r.line
	stats.Records = stats.Lines - f.r.joined
	stats.Wrapper = f.r.wrapper()
	stats.First, stats.Last = f.r.dates.first, f.r.dates.newest
	stats.inOrder()
	return stats
}

// End closes what is open. Errors are those of emit.
func (f *Feed) End() error {
	_, err := f.r.finish(nil)
	return err
}

// Traffic is when the log was written to so far.
func (f *Feed) Traffic() Traffic {
	return Traffic{Step: f.r.sampler.Step, Times: slices.Clone(f.r.sampler.Times)}
}
