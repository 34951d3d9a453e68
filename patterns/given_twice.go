package patterns

import (
	"time"

	"wklog/parser"
)

// mostGiven is how many failures back a log may give one again.
const mostGiven = 10_000

// given knows the newest failures of a log by their time and text.
type given struct {
	times map[uint64]bool
	order []uint64 // keys of times, oldest first
}

// twice tells whether a live log, or one of `docker logs -t`, gave this very
// record before. While Docker rotates its log, `docker logs -f` gives the lines at
// the end of the old file again, a few or thousands (20.10, drivers json-file and
// local). A time of Docker's, in nanoseconds, tells them from failures that are
// alike, and so does the program's own, which stands beside the connection's
// number, where it is finer than a second.
func (g *given) twice(rec *parser.Record, hash func(...string) uint64) bool {
	if rec.Arrived.IsZero() && rec.Wrapper != parser.WrapperDockerTimestamps {
		return false
	}
	least := 7
	if rec.OwnTime {
		least = 1
	}
	if rec.TimeInferred || rec.Stamp.Fraction < least {
		return false
	}
	key := hash(rec.Text, rec.Stream, rec.Origin, rec.Stamp.Time.UTC().Format(time.RFC3339Nano))
	if g.times[key] {
		return true
	}
	if g.times == nil {
		g.times = map[uint64]bool{}
	}
	g.times[key] = true
	if g.order = append(g.order, key); len(g.order) > mostGiven {
		delete(g.times, g.order[0])
		g.order = g.order[1:]
	}
	return false
}
