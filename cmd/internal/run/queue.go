package run

import (
	"context"
	"errors"
	"sync"

	"wklog/cmd/internal/source"
	"wklog/parser"
)

// item is what a file gives next: the start of a log, one of its records, or
// the log's end.
type item struct {
	log    *source.Log
	record *parser.Record
	end    *ending
}

// ending is how a log was read.
type ending struct {
	stats parser.Stats
	err   error
}

// queue carries what one file gives from the goroutine that reads it to the one
// that analyses: files are read at the same time and analysed in their order.
// It holds a bounded number of records.
type queue struct {
	ctx  context.Context
	scan func(context.Context, *source.Log, func(*parser.Record) error) (parser.Stats, error)

	mutex   sync.Mutex
	changed sync.Cond
	items   []item
	bytes   int
	closed  bool
}

const (
	maxQueued      = 1024
	maxQueuedBytes = 1 << 20
)

// Read reads a log into the queue.
func (q *queue) Read(l *source.Log) error {
	q.put(item{log: l})
	stats, err := q.scan(q.ctx, l, func(rec *parser.Record) error {
		q.put(item{record: rec})
		return nil
	})
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	end := &ending{stats: stats, err: err}
	if errors.Is(err, context.DeadlineExceeded) {
		end.err = nil // what the time was too short for the reading of all tells
	}
	q.put(item{end: end})
	return err
}

// End closes the queue: nothing more will be put.
func (q *queue) End() {
	q.mutex.Lock()
	q.closed = true
	q.mutex.Unlock()
	q.changed.Signal()
}

// put waits until there is room.
func (q *queue) put(i item) {
	q.mutex.Lock()
	for len(q.items) >= maxQueued || q.bytes >= maxQueuedBytes {
		q.changed.Wait()
	}
	q.items = append(q.items, i)
	if i.record != nil {
		q.bytes += len(i.record.Text)
	}
	first := len(q.items) == 1
	q.mutex.Unlock()
	if first {
		q.changed.Signal()
	}
}

// take waits for items and gives all that are there, nil at the end. It takes
// the slice that was given before for the next ones.
func (q *queue) take(done []item) []item {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	for len(q.items) == 0 && !q.closed {
		q.changed.Wait()
	}
	full := q.items
	q.items, q.bytes = done[:0], 0
	q.changed.Signal()
	return full
}
