package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

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
	ctx     context.Context
	options func(*source.Log) parser.Options
	// progress is told where to ask how far a stream was read.
	progress func(name string, stats func() *parser.Stats)

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

func (r *analysis) newQueue(ctx context.Context) *queue {
	q := &queue{ctx: ctx, options: r.options, progress: r.listen}
	q.changed.L = &q.mutex
	return q
}

// Read reads a log into the queue.
func (q *queue) Read(l *source.Log) error {
	q.put(item{log: l})
	stats, err := q.scan(l, func(rec *parser.Record) error {
		q.put(item{record: rec})
		return nil
	})
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	q.put(item{end: &ending{stats: stats, err: err}})
	return err
}

// scan reads a plain file with several workers, everything else as it comes.
func (q *queue) scan(l *source.Log, emit func(*parser.Record) error) (parser.Stats, error) {
	switch {
	case l.File != nil:
		return parser.ReadAt(q.ctx, l.File, l.Size, l.Workers, q.options(l), emit)
	case l.Live:
		return q.listen(l, emit)
	}
	return parser.Read(q.ctx, l, q.options(l), emit)
}

// listen reads a stream that may fall silent: then what waits for more is handed
// out.
func (q *queue) listen(l *source.Log, emit func(*parser.Record) error) (parser.Stats, error) {
	feed := parser.NewFeed(q.options(l), emit)
	var mutex sync.Mutex
	var progress atomic.Pointer[parser.Stats] // asking must not wait for the analysis
	progress.Store(&parser.Stats{})
	q.progress(l.Name, progress.Load)
	fed := time.Now()
	end, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		for ticks := time.NewTicker(beat); ; {
			select {
			case now := <-ticks.C:
				mutex.Lock()
				if feed.Waiting() && now.Sub(fed) >= silence {
					_ = feed.Flush() // emit never fails
				}
				mutex.Unlock()
			case <-end:
				ticks.Stop()
				return
			}
		}
	}()
	buf := make([]byte, 256<<10)
	var err error
	for err == nil {
		var n int
		asked := time.Now()
		n, err = l.Read(buf)
		mutex.Lock()
		fed = time.Now()
		_ = feed.Write(buf[:n], parser.Arrival{At: fed, Waited: fed.Sub(asked) > pause})
		stats := feed.Stats()
		mutex.Unlock()
		progress.Store(&stats)
	}
	close(end)
	<-ended
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return feed.Stats(), errors.Join(err, feed.End())
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
