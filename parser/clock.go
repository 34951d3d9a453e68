package parser

import "time"

// clock turns the stamps of one log into points in time.
type clock struct {
	// zone is taken for a wall clock that was printed without zone.
	zone *time.Location
	// reference is a time close to the log's end; it gives the year to stamps
	// that print none.
	reference time.Time
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

// withYear gives a stamp the latest year in which it lies at most a day after
// the reference. February 29 has one in eight years at the latest.
func (c *clock) withYear(t time.Time) time.Time {
	in := func(year int) time.Time {
		return time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	}
	year := c.reference.Year() + 1
	for at := in(year); at.After(c.reference.Add(24*time.Hour)) || at.Day() != t.Day(); at = in(year) {
		year--
	}
	return in(year)
}

// inZone reads the wall clock of t in another zone.
func inZone(t time.Time, zone *time.Location) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
}
