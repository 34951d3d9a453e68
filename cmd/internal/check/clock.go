package check

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/beevik/ntp"
)

const (
	clockWarns = 2 * time.Second
	clockFails = 24 * time.Hour
)

// reading is another machine's clock: it was between low and high ahead of this
// machine's.
type reading struct {
	source    string
	low, high time.Duration
}

// newReading is for an answer that was asked for at sent and received at got.
// A Date header is cut to the second. What is farther off than a century counts
// as that, so that differences of differences stay within a Duration.
func newReading(date, sent, got time.Time, source string) *reading {
	const century = 100 * 365 * 24 * time.Hour
	within := func(d time.Duration) time.Duration { return max(-century, min(century, d)) }
	return &reading{source: source, low: within(date.Sub(got)), high: within(date.Add(time.Second).Sub(sent))}
}

// offset is the least that the clocks differ by, given that this machine's is
// off by own.
func (r *reading) offset(own time.Duration) time.Duration {
	switch low, high := r.low-own, r.high-own; {
	case low > 0:
		return low
	case high < 0:
		return high
	}
	return 0
}

// skew is what the clocks were found to be.
type skew struct {
	local  time.Duration // the true time minus this machine's
	server time.Duration // the server's time minus the true one
	proven bool          // by a time server; else local is the server's view
}

func (e *endpoint) clock(ctx context.Context) Result {
	if e.NTP == "" {
		if e.date == nil {
			return Result{Status: Skip, Key: "no-date"}
		}
		e.skew = skew{local: e.date.offset(0)}
		return e.judge("differs", e.skew.local, fromPeer(e.date.source))
	}
	own, err := e.askTime(ctx)
	if err != nil {
		return e.withoutTimeServer(err)
	}
	e.skew = skew{local: own, proven: true}
	if e.date != nil {
		e.skew.server = e.date.offset(own)
	}
	if e.date != nil && e.skew.server.Abs() > own.Abs() {
		return e.judge("server", e.skew.server, fromPeer(e.date.source))
	}
	return e.judge("local", own, fromPeer(e.NTP))
}

func (e *endpoint) withoutTimeServer(err error) Result {
	if e.date != nil {
		e.skew = skew{local: e.date.offset(0)}
		if r := e.judge("differs", e.skew.local, fromPeer(e.date.source)); r.Status != Pass {
			return r
		}
	}
	return warn("", "no-time", Address.of("server", fromPeer(e.NTP)), Text.of("error", told(err)))
}

// judge tells a difference between clocks. One under a day is a failure too
// where the certificate is in date by one of the clocks only.
func (e *endpoint) judge(key string, offset time.Duration, source string) Result {
	if offset.Abs() <= clockWarns {
		return pass("agrees", Address.of("source", source))
	}
	r := warn("", key, Address.of("source", source), Text.of("offset", signed(offset))).fix(e.whoseClock()...)
	if offset.Abs() > clockFails || key != "server" && e.disputed() {
		r.Status, r.Cause = Fail, "clock-skew"
	}
	return r
}

// whoseClock shows the times of both machines, and whether this one asks for it.
func (e *endpoint) whoseClock() (steps []Step) {
	if e.date != nil && e.date.source == e.API {
		steps = append(steps, step("fix-there", "curl -sSI --max-time 5 %[1]s | grep -i '^date:'", "", Address.of("api", "http://"+e.API+"/")))
	}
	return append(steps, step("fix-here", "date -u", ""), step("fix-synchronised", "timedatectl status", ""))
}

// disputed tells that the two clocks judge the certificate's dates differently.
func (e *endpoint) disputed() bool {
	if len(e.peers) == 0 {
		return false
	}
	now := e.Now()
	here, there := e.datesAt(now), e.datesAt(now.Add(e.skew.local))
	return (here.Status == Fail) != (there.Status == Fail)
}

// settleDates judges the certificate by the true time where this machine's
// clock is proven wrong. Where only the server's clock says so, the dates are
// left open, and the clock is the one fault that is told.
func (e *endpoint) settleDates() {
	if e.result("live-clock").Status != Fail || len(e.peers) == 0 || e.skew.local.Abs() <= clockWarns {
		return
	}
	dates := e.result("live-dates")
	there := e.datesAt(e.Now().Add(e.skew.local))
	switch {
	case e.skew.proven:
		there.ID, there.Took = dates.ID, dates.Took
		*dates = there
	case (dates.Status == Fail) == (there.Status == Fail):
	case dates.Status == Fail:
		*dates = skipped("needs", Text.of("check", "live-clock"))
		dates.ID = "live-dates"
	default:
		dates.RulesOut = nil
	}
}

// signed shows a difference as +8h0m2s.
func signed(d time.Duration) string {
	s := d.Round(time.Second).String()
	if d > 0 {
		s = "+" + s
	}
	return s
}

// errNoTime says that what came back is no answer of a time server.
var errNoTime = errors.New("the answer is none of a time server")

// askTime asks the time server how much this machine's clock lags behind.
func (e *endpoint) askTime(ctx context.Context) (time.Duration, error) {
	return e.askTimeOver(ctx, func(_, address string) (net.Conn, error) {
		return (&net.Dialer{Resolver: e.resolverFor(ctx)}).DialContext(ctx, "udp", address)
	})
}

func (e *endpoint) askTimeOver(ctx context.Context, dial func(local, remote string) (net.Conn, error)) (offset time.Duration, err error) {
	defer func() {
		if recover() != nil { // ntp 1.6.0 panics at an interval of 2^-128 s
			err = errNoTime
		}
	}()
	var stop func() bool
	response, err := ntp.QueryWithOptions(e.NTP, ntp.QueryOptions{
		Timeout:       e.Timeout,
		GetSystemTime: e.Now,
		Dialer: func(local, remote string) (net.Conn, error) {
			conn, err := dial(local, remote)
			if err == nil {
				stop = context.AfterFunc(ctx, func() { conn.Close() })
			}
			return conn, err
		},
	})
	if stop != nil {
		stop()
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err != nil {
		return 0, err
	}
	if err := response.Validate(); err != nil {
		return 0, err
	}
	return response.ClockOffset, nil
}
