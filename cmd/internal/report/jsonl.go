package report

import (
	"io"
	"time"

	"wklog/patterns"
)

// EventSchema names the form of one event as JSON.
const EventSchema = "wklog.event/v1"

// Event is one failure as a line of JSON; its form is fixed by the contract.
type Event struct {
	Schema         string                `json:"schema"`
	Source         string                `json:"source"`
	Line           int64                 `json:"line"`
	Offset         int64                 `json:"offset"`
	Time           *time.Time            `json:"time"`
	TimeInferred   bool                  `json:"time_inferred"`
	Level          string                `json:"level"`
	Pattern        string                `json:"pattern"`
	Category       string                `json:"category"`
	Severity       string                `json:"severity"`
	Reporter       string                `json:"reporter"`
	HandshakeState string                `json:"handshake_state"`
	TLS            string                `json:"tls"`
	Alert          string                `json:"alert"`
	Remote         string                `json:"remote"`
	Message        string                `json:"message"`
	Text           string                `json:"text"`
	Causes         []patterns.CauseScore `json:"causes"`
}

func init() {
	register(form{name: "jsonl", endings: []string{".jsonl"}, sink: func(w io.Writer, c *patterns.Catalogue, _ Options) Sink {
		return &jsonl{w: w, catalogue: c}
	}})
}

// jsonl writes a line for each event, at once.
type jsonl struct {
	w         io.Writer
	catalogue *patterns.Catalogue
}

func (j *jsonl) Event(e *patterns.Event) error { return WriteEvent(j.w, j.catalogue, e) }

func (*jsonl) End(*Document) error { return nil }

// WriteEvent writes an event as one line of JSON.
func WriteEvent(w io.Writer, c *patterns.Catalogue, e *patterns.Event) error {
	return WriteJSON(w, Event{
		Schema: EventSchema, Source: e.Source, Line: e.Record.Line, Offset: e.Record.Offset,
		Time: Moment(e.Time()), TimeInferred: e.Record.TimeInferred, Level: e.Record.Level,
		Pattern: e.Pattern.ID, Category: e.Pattern.Category, Severity: string(e.Pattern.Severity), Reporter: e.Pattern.Reporter,
		HandshakeState: e.Record.State, TLS: c.TLSVersion(e), Alert: e.Alert(), Remote: e.Record.Remote,
		Message: e.Record.Subject(), Text: e.Record.Text, Causes: Scores(e.Causes),
	}, "")
}
