package patterns

import (
	"crypto/tls"
	"regexp"
	"strings"
	"time"

	"wklog/parser"
)

// Event is one record that a pattern matched: one failure.
type Event struct {
	Source  string
	Record  *parser.Record
	Pattern *Pattern
	// Causes are ranked for this event alone, most probable first.
	Causes []CauseScore
	// Program is that whose fault it is, as far as this event alone tells.
	Program Program

	neighbour *neighbour // from which it has its time, nil for none
	log, kind int32      // the numbers of its log and its kind, from 1, once it is counted
}

// Time is when the failure was logged; zero when the log does not tell.
func (e *Event) Time() time.Time { return e.Record.Stamp.Time }

// arrived tells whether the time is that of the arrival.
func (e *Event) arrived() bool {
	return e.Record.TimeInferred && e.Record.Arrived.Equal(e.Time())
}

// ends tells whether the failure ended its process: then what stands before it
// is near in time.
func (e *Event) ends() bool { return e.Record.Kind == parser.KindPanic }

// TLSVersion is "1.3" or "1.2-or-older" where the handshake state tells,
// otherwise empty.
func (c *Catalogue) TLSVersion(e *Event) string {
	if state := c.State(e.Record.State); state != nil && e.Record.State != "" {
		return state.TLS
	}
	return ""
}

var goAlert = regexp.MustCompile(`(?:remote|local) error: tls: (.+?)$`)

// Alert is the TLS alert's name in Go's words (RFC 8446 section 6.2), empty
// when no alert was sent.
func (e *Event) Alert() string {
	if m := goAlert.FindStringSubmatch(e.Record.Error); m != nil {
		return m[1]
	}
	if alert := e.Pattern.Alert; alert.Known {
		return alert.name()
	}
	return ""
}

// name is that of the alert in Go's words.
func (a Alert) name() string { return strings.TrimPrefix(tls.AlertError(a.Number).Error(), "tls: ") }
