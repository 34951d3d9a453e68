package parser

import (
	"time"
)

// dates finds the time of records that have none: that of the nearest dated
// entry before, which is looked for only when it is needed, else after.
type dates struct {
	last    time.Time // of the newest dated entry before the block, or looked up in it
	known   int       // in the block, entries before this index were looked at
	undated []*Record // waiting for the first dated entry
	waited  int64     // bytes that passed since
	given   bool      // the log gave up waiting
}

// date resolves a record's time, or infers it. start is the index of its line
// in the block.
func (r *reader) date(rec *Record, wrapper Stamp, block []byte, start int) {
	rec.Stamp.Time = r.clock.resolve(rec.Stamp, wrapper)
	if !rec.Stamp.Time.IsZero() {
		r.dates.see(r, rec.Stamp.Time)
		if r.stats.First.IsZero() {
			r.stats.First = rec.Stamp.Time
		}
		r.dates.known = max(r.dates.known, start)
		return
	}
	if t := r.dates.before(r, block, start); !t.IsZero() {
		rec.Stamp = Stamp{Time: t, Zoned: true}
		rec.TimeInferred = true
	}
}

// before returns the time of the nearest dated entry before block[start].
func (d *dates) before(r *reader, block []byte, start int) time.Time {
	end := start
	for end > d.known {
		from := lastNewline(block[d.known:end-1]) + 1 + d.known
		if t := r.timeOf(block[from:end]); !t.IsZero() {
			d.see(r, t)
			break
		}
		end = from
	}
	d.known = max(d.known, start)
	return d.last
}

// see notes the newest dated entry.
func (d *dates) see(r *reader, t time.Time) {
	d.last = t
	r.stats.Last = t
}

// timeOf returns the time of a line, zero when it has none.
func (r *reader) timeOf(line []byte) time.Time {
	e := Unwrap(trimEnd(line))
	return r.timeOfEntry(&e)
}

func (r *reader) timeOfEntry(e *Entry) time.Time {
	if own, ok := Stamps(e.Text); ok {
		return r.clock.resolve(own, e.Stamp)
	}
	return r.clock.resolve(e.Stamp, Stamp{})
}

// finish remembers the newest date of a block for the next one.
func (d *dates) finish(r *reader, block []byte) {
	d.before(r, block, len(block))
	d.known = 0
}

// pass looks at an entry that is no record while records wait for a date.
func (d *dates) pass(r *reader, e *Entry, size int64) error {
	if len(d.undated) == 0 {
		return nil
	}
	t := r.timeOfEntry(e)
	if !t.IsZero() {
		return d.settle(r.emit, t)
	}
	if d.waited += size; d.waited > maxUndatedBytes {
		return d.flush(r.emit)
	}
	return nil
}

// send hands a record out, or keeps it until a date is known.
func (d *dates) send(emit func(*Record) error, rec *Record) error {
	if !rec.Stamp.IsZero() {
		if err := d.settle(emit, rec.Stamp.Time); err != nil {
			return err
		}
		return emit(rec)
	}
	if d.given {
		return emit(rec)
	}
	d.undated = append(d.undated, rec)
	d.waited += int64(len(rec.Text))
	if len(d.undated) > maxUndated || d.waited > maxUndatedBytes {
		return d.flush(emit)
	}
	return nil
}

// settle dates the waiting records by the first dated entry after them.
func (d *dates) settle(emit func(*Record) error, t time.Time) error {
	for _, rec := range d.undated {
		if rec.Stamp.IsZero() {
			rec.Stamp, rec.TimeInferred = Stamp{Time: t, Zoned: true}, true
		}
	}
	return d.release(emit)
}

// flush hands the waiting records out as they are.
func (d *dates) flush(emit func(*Record) error) error {
	d.given = true
	return d.release(emit)
}

func (d *dates) release(emit func(*Record) error) error {
	waiting := d.undated
	d.undated, d.waited = nil, 0
	for _, rec := range waiting {
		if err := emit(rec); err != nil {
			return err
		}
	}
	return nil
}
