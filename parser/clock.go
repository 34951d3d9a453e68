package parser

import (
	"bytes"
	"io"
	"time"
)

// clock turns the stamps of one log into points in time.
type clock struct {
	// zone is taken for a wall clock that was printed without zone.
	zone *time.Location
	// reference is a time close to the log's end; it gives the year to stamps
	// that print none. Where the log is a file that can be looked at, end tells the
	// time of its last entry more closely, by the reference; else it is nil.
	reference time.Time
	end       func(reference time.Time) time.Time
	// newest is the newest wall clock without a year, with the year that it got.
	newest time.Time
}

// resolve returns the point in time of a stamp. A wrapper with a zone that
// stands before a wall clock without one tells the zone: both were taken at
// about the same moment, and zones differ by quarters of an hour.
func (c *clock) resolve(s, wrapper Stamp) time.Time {
	if s.IsZero() {
		return time.Time{}
	}
	if s.Yearless {
		s.Time = c.withYear(s.Time)
	}
	if wrapper.Yearless && !s.Yearless {
		c.newest = s.Time // of this year are its neighbours
	}
	if s.Zoned {
		return s.Time
	}
	if wrapper.Zoned && !wrapper.IsZero() {
		const quarter = 15 * time.Minute
		offset := s.Time.Sub(wrapper.Time).Round(quarter)
		if offset >= -12*time.Hour && offset <= 14*time.Hour {
			return s.Time.Add(-offset).In(time.FixedZone("", int(offset/time.Second)))
		}
	}
	return inZone(s.Time, c.zone)
}

// withYear gives a stamp its year: that of the log's end tells the first one's, which
// is the latest that fits. From there on time does not jump: each is as near to the one
// before as it can be.
func (c *clock) withYear(t time.Time) time.Time {
	if c.newest.IsZero() {
		end := c.reference
		if c.end != nil {
			end = c.end(end)
		}
		c.newest = latestBefore(t, end)
		return c.newest
	}
	const mostYears = 4 // to the next February 29, but for 1900 and 2100
	best := time.Time{}
	for year := c.newest.Year() - mostYears; year <= c.newest.Year()+mostYears; year++ {
		at := inYear(t, year)
		if at.Day() == t.Day() && (best.IsZero() || at.Sub(c.newest).Abs() < best.Sub(c.newest).Abs()) {
			best = at
		}
	}
	if best.IsZero() {
		return latestBefore(t, c.newest)
	}
	c.newest = best
	return best
}

// latestBefore gives a stamp the latest year in which it lies at most a day after a
// time. February 29 has one in eight years at the latest.
func latestBefore(t, end time.Time) time.Time {
	year := end.Year() + 1
	for at := inYear(t, year); at.After(end.Add(24*time.Hour)) || at.Day() != t.Day(); at = inYear(t, year) {
		year--
	}
	return inYear(t, year)
}

func inYear(t time.Time, year int) time.Time {
	return time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
}

// endOf reads the newest time of a log from the last bytes of its file: it was written
// before a reference, and no time in the log is later.
func endOf(src io.ReaderAt, size int64, reference time.Time) time.Time {
	const enough = 64 << 10
	tail := make([]byte, min(size, enough))
	n, _ := src.ReadAt(tail, size-int64(len(tail))) // less is less to look at
	lines := bytes.Split(tail[:n], newline)
	for i := len(lines) - 1; i >= 0; i-- {
		e := Unwrap(lines[i])
		stamp, ok := Stamps(e.Text)
		if !ok {
			stamp = e.Stamp
		}
		switch {
		case stamp.IsZero():
		case stamp.Yearless:
			return latestBefore(stamp.Time, reference)
		default:
			return stamp.Time
		}
	}
	return reference
}

// inZone reads the wall clock of t in another zone.
func inZone(t time.Time, zone *time.Location) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
}
