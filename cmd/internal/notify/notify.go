// Package notify notifies other programs of new kinds of failures, by a command
// or a webhook.
package notify

import (
	"context"
	"sync"
	"sync/atomic"

	"wklog/cmd/internal/report"
)

// Message is one new kind of failure, or what is new of an incident.
type Message struct {
	// Event is one JSON object in the form wklog.event/v1 or wklog.incident/v1, without a
	// newline.
	Event []byte
	// Bulletin says the same to people.
	report.Bulletin
}

// Sender delivers messages, one at a time.
type Sender interface {
	// Send delivers a message. Its error names the receiver without secrets.
	Send(ctx context.Context, m Message) error
}

// maxQueued is how many messages wait for a slow receiver.
const maxQueued = 100

// Queue hands messages to a sender one after the other, and never makes the
// caller wait.
type Queue struct {
	sender  Sender
	failed  func(error)
	waiting chan Message
	cancel  context.CancelFunc
	done    chan bool
	end     sync.Once

	sent, failures, dropped atomic.Int64
}

// NewQueue starts to deliver. It calls failed, from another goroutine, for each
// message that could not be delivered.
func NewQueue(s Sender, failed func(error)) *Queue {
	ctx, cancel := context.WithCancel(context.Background())
	q := &Queue{sender: s, failed: failed, waiting: make(chan Message, maxQueued), cancel: cancel, done: make(chan bool)}
	go q.run(ctx)
	return q
}

func (q *Queue) run(ctx context.Context) {
	defer close(q.done)
	for m := range q.waiting {
		if ctx.Err() != nil {
			q.dropped.Add(1)
			continue
		}
		if err := q.sender.Send(ctx, m); err != nil {
			q.failures.Add(1)
			q.failed(err)
			continue
		}
		q.sent.Add(1)
	}
}

// Send queues a message; when too many wait already it is dropped and counted.
func (q *Queue) Send(m Message) {
	select {
	case q.waiting <- m:
	default:
		q.dropped.Add(1)
	}
}

// Sent, Failed and Dropped count messages.
func (q *Queue) Sent() int64 { return q.sent.Load() }

// Failed counts the messages that the receiver did not take.
func (q *Queue) Failed() int64 { return q.failures.Load() }

// Dropped counts the messages that were not tried, for want of room or time.
func (q *Queue) Dropped() int64 { return q.dropped.Load() }

// Close waits until what is queued was delivered or the context ends, and drops
// the rest. Nothing may be sent after it.
func (q *Queue) Close(ctx context.Context) {
	q.end.Do(func() { close(q.waiting) })
	select {
	case <-q.done:
	case <-ctx.Done():
		q.cancel()
		<-q.done
	}
	q.cancel()
}
