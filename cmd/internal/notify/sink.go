package notify

import (
	"bytes"
	"context"
	"slices"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// Sink sends the first event of each kind to all senders.
type Sink struct {
	catalogue *patterns.Catalogue
	say       *messages.Printer
	host      string
	queues    []*Queue // of what is told of each new kind of failure
	watching  []*Queue // of what is told of each incident
	met       map[*patterns.Pattern]bool
}

// NewSink starts to deliver, in the name of a host; failed is told of each message that could not be
// delivered, from another goroutine.
func NewSink(c *patterns.Catalogue, say *messages.Printer, host string, senders []Sender, failed func(error)) *Sink {
	s := &Sink{catalogue: c, say: say, host: host, met: map[*patterns.Pattern]bool{}}
	for _, sender := range senders {
		if _, ok := sender.(*Webhook); ok { // a message a begin and an end, not one a kind of line
			s.watching = append(s.watching, NewQueue(sender, failed))
		} else {
			s.queues = append(s.queues, NewQueue(sender, failed))
		}
	}
	return s
}

// Event sends the first of its kind. A slow receiver makes nobody wait.
func (s *Sink) Event(e *patterns.Event) error {
	if s.met[e.Pattern] {
		return nil
	}
	s.met[e.Pattern] = true
	var event bytes.Buffer
	if err := report.WriteEvent(&event, s.catalogue, e, nil); err != nil {
		return err
	}
	for _, q := range s.queues {
		q.Send(Message{Event: bytes.TrimSpace(event.Bytes())})
	}
	return nil
}

// Watch tells whether anybody is told of incidents.
func (s *Sink) Watch() bool { return len(s.watching) > 0 }

// Incident sends the begin and the end of an incident.
func (s *Sink) Incident(n *report.News) error {
	if n.What == report.Changes {
		return nil
	}
	told := *n
	told.Host = s.host
	body, err := report.WriteNews(&told, s.say)
	if err != nil {
		return err
	}
	for _, q := range s.watching {
		q.Send(Message{Event: body, Bulletin: told.Bulletin(s.say)})
	}
	return nil
}

// End sends nothing: what was to be told was told.
func (s *Sink) End(*report.Document) error { return nil }

// Undelivered counts the messages that were not delivered.
func (s *Sink) Undelivered() int64 {
	n := int64(0)
	for _, q := range slices.Concat(s.queues, s.watching) {
		n += q.Dropped() + q.Failed()
	}
	return n
}

// Close waits for what is being sent until the context ends, and tells how many
// messages were not tried.
func (s *Sink) Close(ctx context.Context) (dropped int64) {
	for _, q := range slices.Concat(s.queues, s.watching) {
		q.Close(ctx)
		dropped += q.Dropped()
	}
	return dropped
}
