package run

import (
	"context"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"

	"wklog/cmd/internal/report"
	"wklog/cmd/internal/source"
	"wklog/parser"
	"wklog/patterns"
)

// Batch reads files that are there, several at the same time, and analyses what
// they give in their order.
type Batch struct {
	*Core
	// Args, Given, Jobs, Outputs, Limit, Newest and Progress are those of a source.Reading.
	Args     []string
	Given    []source.Given
	Stdin    *source.Stream
	Jobs     int
	Outputs  []string
	Limit    source.Limit
	Newest   int64
	Progress *source.Progress
	Engines  *source.Engines

	open openPanic
	// far is how far a live log among them was read, nil for none.
	far atomic.Pointer[farther]
	// passed is when it was written to.
	passed atomic.Pointer[passed]
}

// passed is when a log was written to.
type passed struct {
	name    string
	traffic parser.Traffic
}

// farther is how far a log was read.
type farther struct {
	name  string
	stats parser.Stats
}

// Run reads to the ends, or until the context ends, and tells what could not be
// read.
func (b *Batch) Run(ctx context.Context) []source.Failure {
	if os.Getenv("GOGC") == "" {
		percent := 150 // the heap is small: fewer collections cost little memory
		if slices.ContainsFunc(b.Args, source.IsEngine) {
			percent = 50 // pages are not, and it is the engine that takes long
		}
		debug.SetGCPercent(percent)
	}
	return b.run(ctx)
}

func (b *Batch) run(ctx context.Context) []source.Failure {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queues := make(chan *queue, max(b.Jobs, 1))
	failures := make(chan []source.Failure, 1)
	go func() {
		defer close(queues)
		failures <- source.Reading{
			Args: b.Args, Given: b.Given, Stdin: b.Stdin, Jobs: b.Jobs, Outputs: b.Outputs, Limit: b.Limit, Newest: b.Newest, Progress: b.Progress, Engines: b.Engines,
			IsReport: report.BeginsReport,
			Visit: func() source.Visitor {
				q := &queue{ctx: ctx, scan: b.scan}
				q.changed.L = &q.mutex
				queues <- q
				return q
			},
		}.Walk(ctx)
	}()
	for q := range queues {
		b.drain(q, cancel)
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.open.settle(nil)
	return <-failures
}

// scan reads a plain file with several workers, everything else as it comes.
func (b *Batch) scan(ctx context.Context, l *source.Log, emit func(*parser.Record) error) (parser.Stats, error) {
	switch {
	case l.File != nil:
		stats, err := parser.ReadAt(ctx, l.File, l.Size, l.Workers, b.optionsFor(l), placed(l, emit))
		if err == nil && stats.Bytes < l.Size {
			err = source.ErrShrunk
		}
		if err == nil && l.Begins != nil {
			*l.Begins = stats.First
		}
		return stats, err
	case l.Live:
		return listen(l, b.optionsFor(l), emit, func(stats parser.Stats) { b.far.Store(&farther{l.Name, stats}) },
			func(t parser.Traffic) { b.passed.Store(&passed{l.Name, t}) })
	}
	return parser.Read(ctx, l, b.optionsFor(l), emit)
}

// placed says where the records of a part of a file are: its lines were not counted from the
// beginning.
func placed(l *source.Log, emit func(*parser.Record) error) func(*parser.Record) error {
	if l.From == 0 {
		return emit
	}
	return func(rec *parser.Record) error {
		rec.Line, rec.Offset = 0, rec.Offset+l.From
		return emit(rec)
	}
}

// drain analyses what one file gives. When nothing more is told the rest is passed
// over.
func (b *Batch) drain(q *queue, cancel context.CancelCauseFunc) {
	var log *source.Log
	var src *patterns.Source
	for items := q.take(nil); len(items) > 0; items = q.take(items) {
		b.mutex.Lock()
		for i, next := range items {
			switch {
			case next.log != nil:
				log = next.log
				b.open.settle(log)
				b.analyzer.Alone = log.Alone
				src = b.analyzer.Source(log.Name)
				src.Copy = log.Copy
			case next.end != nil:
				src.Traffic(b.ended(log, next.end))
				if b.open.source != src {
					src.End()
				}
			case b.err != nil:
				cancel(b.err)
			case next.record.Open:
				b.open = openPanic{source: src, record: next.record}
			default:
				src.Add(next.record)
			}
			items[i] = item{}
		}
		b.mutex.Unlock()
	}
}

// ended notes how a log, or a part of one, was read, and tells when the log was written to.
func (b *Batch) ended(log *source.Log, end *ending) parser.Traffic {
	traffic := end.stats.Traffic
	if log.Wrote != nil {
		end.stats.First, end.stats.Last = log.Wrote.First, log.Wrote.Last
	}
	if log.More {
		traffic = b.readMore(log.Name, end.stats, end.err).Traffic
	} else {
		b.read(log.Name, end.stats, end.err)
		b.logs[len(b.logs)-1].Asked = log.Asked
	}
	if log.Wrote != nil {
		traffic = log.Wrote.Traffic
	}
	return traffic
}

// openPanic is a panic within whose trace a log ended.
type openPanic struct {
	source *patterns.Source
	record *parser.Record
}

// settle adds the panic, with the rest of its trace where the next log goes on.
func (o *openPanic) settle(next *source.Log) {
	if o.source == nil {
		return
	}
	if next != nil && next.Continues {
		o.record.Continue(next.Head)
	}
	o.source.Add(o.record)
	o.source.End()
	*o = openPanic{}
}

// Progress is how far one log was read.
type Progress struct {
	Name                 string
	Lines, Bytes, Behind int64
}
