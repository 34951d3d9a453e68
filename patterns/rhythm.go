package patterns

import (
	"net/netip"
	"slices"
	"time"
)

// Load balancers look every few seconds whether a server is there: they open a
// connection to its TLS port and leave again. Of a single connection nothing tells
// that from a client that gave up; the rhythm does, and the private address. A client
// that tries again and again keeps time less well, and mostly waits longer each time.
const (
	// longestPeriod is the longest pause between two checks that balancers offer
	// (Google Cloud, Alibaba Cloud and AWS: 300 s and less).
	longestPeriod = 5 * time.Minute
	// mostMissed is how many checks in a row may be missing in the log.
	mostMissed = 5
	// mostRecent is how many failures of a client a rhythm is looked for in, and
	// mostRhythms how many rhythms one client may have: it may check several ports.
	mostRecent  = 32
	mostRhythms = 8
	// longestCheck is how long the text of such a failure is, in bytes, to be kept.
	longestCheck = 4096
)

// privately are the addresses that balancers have beside those of RFC 1918 and 4193:
// Alibaba Cloud's and Tencent Cloud's check from there (RFC 6598).
var privately = netip.MustParsePrefix("100.64.0.0/10")

// isPrivate tells whether an address is one of the server's own network.
func isPrivate(address string) bool {
	at, err := netip.ParseAddr(address)
	return err == nil && (at.IsPrivate() || at.IsLoopback() || at.IsLinkLocalUnicast() || privately.Contains(at))
}

// checks finds health checks among the failures of an input.
type checks struct{ clients map[string]*checking }

// checking is one client of one log: its newest failures that are no checks, and its
// rhythms, oldest first.
type checking struct {
	recent  []*Event
	rhythms []*rhythm
}

// rhythm is a row of checks.
type rhythm struct {
	last   time.Time
	period time.Duration
}

func newChecks() checks { return checks{clients: map[string]*checking{}} }

// meet tells whether a failure is a health check, and which failures before it turn
// out to have been checks too: that is known after some of them only.
func (c *checks) meet(e *Event) (is bool, before []*Event) {
	address, ok := client(e)
	at := ownTime(e)
	if !ok || e.Pattern == nil || e.Pattern.Steady == "" || at.IsZero() || len(e.Record.Text) > longestCheck || !isPrivate(address) {
		return false, nil
	}
	key := e.Source + "\x00" + address
	of := c.clients[key]
	if of == nil {
		if len(c.clients) >= maxRuns {
			clear(c.clients)
		}
		of = &checking{}
		c.clients[key] = of
	}
	return of.meet(e, at)
}

func (c *checking) meet(e *Event, at time.Time) (is bool, before []*Event) {
	if n := len(c.recent); n > 0 && at.Before(ownTime(c.recent[n-1])) {
		c.recent = nil // another log begins
	}
	c.rhythms = slices.DeleteFunc(c.rhythms, func(r *rhythm) bool { return at.Sub(r.last) > (mostMissed+1)*r.period })
	for _, r := range c.rhythms {
		if r.goesOn(at) {
			return true, nil
		}
	}
	c.recent = append(c.recent, e)
	c.recent = c.recent[max(0, len(c.recent)-mostRecent):]
	r, row := c.find()
	if r == nil {
		return false, nil
	}
	if len(c.rhythms) == mostRhythms {
		c.rhythms = c.rhythms[1:]
	}
	c.rhythms = append(c.rhythms, r)
	before = row[:len(row)-1]
	c.recent = slices.DeleteFunc(c.recent, func(of *Event) bool { return slices.Contains(row, of) })
	return true, before
}

// goesOn tells whether a time is one at which a check is due.
func (r *rhythm) goesOn(at time.Time) bool {
	passed := at.Sub(r.last)
	n := time.Duration(passed.Round(r.period) / r.period)
	if n < 1 || n > mostMissed || (passed-n*r.period).Abs() >= slack(r.period, at) {
		return false
	}
	r.last, r.period = at, (7*r.period+passed/n)/8
	return true
}

// find looks for a rhythm of which the newest failure is a part. row are its
// failures, oldest first.
func (c *checking) find() (found *rhythm, row []*Event) {
	newest := ownTime(c.recent[len(c.recent)-1])
	for j := len(c.recent) - 2; j >= 0; j-- {
		period := newest.Sub(ownTime(c.recent[j]))
		if period > longestPeriod {
			break
		}
		if period >= 2*slack(period, newest) {
			if row = c.row(j, period); row != nil {
				return &rhythm{last: newest, period: newest.Sub(ownTime(row[0])) / time.Duration(len(row)-1)}, row
			}
		}
	}
	return nil, nil
}

// row walks back from the newest failure over that with an index, period by period, as
// far as it is a rhythm; nil where it is none.
func (c *checking) row(at int, period time.Duration) (longest []*Event) {
	last := len(c.recent) - 1
	newest := ownTime(c.recent[last])
	near := slack(period, newest)
	row := []*Event{c.recent[last], c.recent[at]}
	for {
		due := ownTime(c.recent[at]).Add(-period)
		// Neither time is exact, and the period comes of such two.
		if at = c.nearest(at, due); at < 0 || ownTime(c.recent[at]).Sub(due).Abs() >= 2*near {
			slices.Reverse(longest)
			return longest
		}
		row = append(row, c.recent[at])
		period = newest.Sub(ownTime(c.recent[at])) / time.Duration(len(row)-1)
		off := farthest(row, period)
		others := last + 1 - at - len(row) // among many a rhythm is found by chance
		if off < near && len(row) >= beats(period, max(off, near/2))+others/2 {
			longest = slices.Clone(row)
		}
	}
}

// farthest is how far the failures of a row, newest first, are from their beat at most.
func farthest(row []*Event, period time.Duration) (off time.Duration) {
	for n, e := range row {
		due := ownTime(row[0]).Add(-time.Duration(n) * period)
		off = max(off, ownTime(e).Sub(due).Abs())
	}
	return off
}

// nearest is the index before another of the failure that is nearest to a time, -1
// for none.
func (c *checking) nearest(before int, to time.Time) int {
	best := -1
	for i := before - 1; i >= 0; i-- {
		if best >= 0 && ownTime(c.recent[i]).Sub(to).Abs() > ownTime(c.recent[best]).Sub(to).Abs() {
			break
		}
		best = i
	}
	return best
}

// slack is how far from its time a check may come: a twentieth of the period, or what
// a log that counts in whole seconds does not tell.
func slack(period time.Duration, at time.Time) time.Duration {
	least := 200 * time.Millisecond
	if at.Nanosecond() == 0 {
		least = time.Second
	}
	return max(least, period/20)
}

// beats is how many checks make a rhythm whose times are off by so much: the less exact
// they are for a period, the more often chance keeps it.
func beats(period, off time.Duration) int {
	switch {
	case 20*off <= period:
		return 5
	case 10*off <= period:
		return 6
	case 5*off <= period:
		return 7
	}
	return 12
}
