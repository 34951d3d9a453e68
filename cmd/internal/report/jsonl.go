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
	Schema         string     `json:"schema"`
	Source         string     `json:"source"`
	Line           int64      `json:"line"`
	Offset         int64      `json:"offset"`
	Time           *time.Time `json:"time"`
	TimeInferred   bool       `json:"time_inferred"`
	Level          string     `json:"level"`
	Pattern        string     `json:"pattern"`
	Category       string     `json:"category"`
	Severity       string     `json:"severity"`
	Reporter       string     `json:"reporter"`
	HandshakeState string     `json:"handshake_state"`
	TLS            string     `json:"tls"`
	Alert          string     `json:"alert"`
	Remote         string     `json:"remote"`
	Message        string     `json:"message"`
	Text           string     `json:"text"`
	// Incident is the number of the one that goes on in its log, as far as it was known
	// when the event was told, null for none.
	Incident *int                  `json:"incident"`
	Causes   []patterns.CauseScore `json:"causes"`
}

func init() {
	register(form{name: "jsonl", endings: []string{".jsonl"}, sink: func(w io.Writer, c *patterns.Catalogue, _ Options) Sink {
		return &jsonl{w: w, catalogue: c, open: map[string]int{}}
	}})
}

// jsonl writes a line for each event, at once.
type jsonl struct {
	w         io.Writer
	catalogue *patterns.Catalogue
	open      map[string]int // numbers of incidents by their logs
}

func (j *jsonl) Event(e *patterns.Event) error {
	var incident *int
	if number, ok := j.open[e.Source]; ok {
		incident = &number
	}
	return WriteEvent(j.w, j.catalogue, e, incident)
}

// Incident notes in which logs one goes on.
func (j *jsonl) Incident(n *News) error {
	for _, name := range n.Incident.Sources {
		switch {
		case n.What != Ends:
			j.open[name] = n.Number
		case j.open[name] == n.Number:
			delete(j.open, name)
		}
	}
	return nil
}

func (*jsonl) End(*Document) error { return nil }

// WriteEvent writes an event as one line of JSON, with the number of its incident, nil for
// none that is known.
func WriteEvent(w io.Writer, c *patterns.Catalogue, e *patterns.Event, incident *int) error {
	return WriteJSON(w, Event{
		Schema: EventSchema, Source: e.Source, Line: e.Record.Line, Offset: e.Record.Offset,
		Time: Moment(e.Time()), TimeInferred: e.Record.TimeInferred, Level: e.Record.Level,
		Pattern: e.Pattern.ID, Category: e.Pattern.Category, Severity: string(e.Pattern.Severity), Reporter: e.Pattern.Reporter,
		HandshakeState: e.Record.State, TLS: c.TLSVersion(e), Alert: e.Alert(), Remote: e.Record.Remote,
		Message: e.Record.Subject(), Text: e.Record.Text, Causes: Scores(e.Causes), Incident: incident,
	}, "")
}
