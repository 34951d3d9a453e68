package parser

import (
	"time"
)

const (
	// maxUndated is how many records wait for the first dated entry of a log,
	// and maxUndatedBytes how far it may be away.
	maxUndated      = 1000
	maxUndatedBytes = 1 << 20
	// apart is how far the time of a neighbour may be from that of the arrival
	// to serve where the log was waited for in between.
	apart = 2 * time.Second
)

// Arrival says when and how bytes of a live log came.
type Arrival struct {
	At time.Time
	// Waited says that the log was silent before them: what came earlier was
	// also written earlier.
	Waited bool
}

// dates gives the records that have no time that of a neighbour: of the nearest
// dated entry before, which is looked for only when it is needed, else of the
// one after. In a live log a neighbour serves while it is near, else the arrival.
type dates struct {
	clock clock
	emit  func(*Record) error
	// first and last are the times of the first and of the newest dated entry
	// before the block, or looked up in it.
	first, last time.Time
	newest      time.Time // the same, or the arrival of a later record without a time

	block   []byte // whole lines that are looked at
	known   int    // in the block, entries before this index were looked at
	undated []*Record
	waited  int64 // bytes that passed since the first of them
	given   bool  // the log gave up waiting

	live   Arrival   // of the block; zero in a log that was written before
	lastAt time.Time // when the newest dated entry arrived
	older  bool      // the log was waited for since
}

// arrive says that what comes next is live.
func (d *dates) arrive(a Arrival) {
	d.live = a
	d.older = d.older || a.Waited
}

// begin takes the next block of lines.
func (d *dates) begin(block []byte) { d.block, d.known = block, 0 }

// end remembers the newest date of the block for the next one.
func (d *dates) end() {
	d.before(len(d.block))
	d.begin(nil)
}

// resolve sets the time of a record whose line starts at an index of the block:
// its own, its wrapper's, or that of the neighbour before it.
func (d *dates) resolve(rec *Record, wrapper Stamp, start int) {
	rec.Arrived = d.live.At
	rec.Stamp.Time = d.clock.resolve(rec.Stamp, wrapper)
	if !rec.Stamp.Time.IsZero() {
		d.see(rec.Stamp.Time)
		d.known = max(d.known, start)
		return
	}
	if t := d.before(start); !t.IsZero() && d.serves(t) {
		rec.infer(t)
	}
}

// infer takes a time from a neighbour.
func (r *Record) infer(t time.Time) {
	r.Stamp, r.TimeInferred = Stamp{Time: t, Zoned: true}, true
}

// before returns the time of the nearest dated entry before block[start].
func (d *dates) before(start int) time.Time {
	end := start
	for end > d.known {
		from := lastNewline(d.block[d.known:end-1]) + 1 + d.known
		if t := d.timeOf(d.block[from:end]); !t.IsZero() {
			d.see(t)
			break
		}
		end = from
	}
	d.known = max(d.known, start)
	return d.last
}

// serves tells whether the time of the newest dated entry says when the present
// line was written.
func (d *dates) serves(t time.Time) bool {
	if d.live.At.IsZero() || !d.older && d.live.At.Sub(d.lastAt) <= apart {
		return true
	}
	return d.live.At.Sub(t).Abs() <= apart
}

// see notes the newest dated entry.
func (d *dates) see(t time.Time) {
	if d.first.IsZero() || !d.live.At.IsZero() && t.Before(d.first) { // a line without a time may have come before
		d.first = t
	}
	d.last, d.newest, d.lastAt, d.older = t, t, d.live.At, false
}

// timeOf returns the time of a line, zero when it has none.
func (d *dates) timeOf(line []byte) time.Time {
	e := Unwrap(trimEnd(line))
	return d.timeOfEntry(&e)
}

func (d *dates) timeOfEntry(e *Entry) time.Time {
	if own, ok := Stamps(e.Text); ok {
		return d.clock.resolve(own, e.Stamp)
	}
	return d.clock.resolve(e.Stamp, Stamp{})
}

// waiting tells whether records wait for a dated entry.
func (d *dates) waiting() bool { return len(d.undated) > 0 }

// pass looks at an entry that is no record while records wait for a date.
func (d *dates) pass(e *Entry) error {
	if !d.waiting() {
		return nil
	}
	t := d.timeOfEntry(e)
	if !t.IsZero() {
		return d.settle(t)
	}
	if d.waited += int64(len(e.Text)); d.waited > maxUndatedBytes {
		return d.flush()
	}
	return nil
}

// send hands a record out, or keeps it until a date is known.
func (d *dates) send(rec *Record) error {
	if !rec.Stamp.IsZero() {
		if err := d.settle(rec.Stamp.Time); err != nil {
			return err
		}
		return d.emit(rec)
	}
	if d.given {
		return d.handOut(rec)
	}
	d.undated = append(d.undated, rec)
	d.waited += int64(len(rec.Text))
	if len(d.undated) > maxUndated || d.waited > maxUndatedBytes {
		return d.flush()
	}
	return nil
}

// settle dates the waiting records by the first dated entry after them.
func (d *dates) settle(t time.Time) error {
	for _, rec := range d.undated {
		rec.infer(t)
	}
	return d.release()
}

// arrived ends the wait of a live log: no date came along with the records.
func (d *dates) arrived() error {
	if d.live.At.IsZero() {
		return nil
	}
	return d.release()
}

// flush hands the waiting records out as they are.
func (d *dates) flush() error {
	d.given = d.live.At.IsZero()
	return d.release()
}

func (d *dates) release() error {
	waiting := d.undated
	d.undated, d.waited = nil, 0
	for _, rec := range waiting {
		if err := d.handOut(rec); err != nil {
			return err
		}
	}
	return nil
}

// handOut gives a record the time of its arrival if it has no other.
func (d *dates) handOut(rec *Record) error {
	if rec.Stamp.IsZero() && !rec.Arrived.IsZero() {
		rec.infer(rec.Arrived)
		d.newest = rec.Arrived
		if d.first.IsZero() {
			d.first = rec.Arrived
		}
	}
	return d.emit(rec)
}
