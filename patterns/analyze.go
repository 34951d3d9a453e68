package patterns

import (
	"context"
	"io"
	"iter"
	"time"

	"wklog/parser"
)

// Options say how a log is read and what of it is wanted. The zero value, and nil,
// mean everything that the embedded catalogue knows.
type Options struct {
	// Catalogue is what failures are recognised by; nil is the embedded one, as
	// [Load] gives it.
	Catalogue *Catalogue
	// Filter keeps some of the failures.
	Filter Filter
	// Zone is taken for wall clocks without one; nil is time.Local.
	Zone *time.Location
}

// Analyze reads a log to its end and tells what failed in it, and why. Only lines
// that the catalogue may know are parsed, so most of a log costs no more than
// reading it. For several logs that are one input, see [Analyzer].
//
// Errors are those of the catalogue, of the log, wrapped, and of the context; with
// the latter two the analysis is that of what was read before.
func Analyze(ctx context.Context, log io.Reader, opts *Options) (*Analysis, error) {
	opts = opts.orDefault()
	a, err := opts.analyzer()
	if err != nil {
		return nil, err
	}
	src := a.Source("")
	stats, err := parser.Read(ctx, log, opts.reading(a.catalogue), func(rec *parser.Record) error {
		src.Add(rec)
		return nil
	})
	src.Traffic(stats.Traffic)
	src.End()
	result := a.Result()
	return &result, err
}

// Events reads a log and gives each failure in it once, in the order of the log. An
// error, of the same kinds as those of [Analyze], comes last, beside a nil event.
func Events(ctx context.Context, log io.Reader, opts *Options) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		opts := opts.orDefault()
		a, err := opts.analyzer()
		if err != nil {
			yield(nil, err)
			return
		}
		var event *Event
		a.OnEvent = func(e *Event) { event = e }
		src := a.Source("")
		for rec, err := range parser.Records(ctx, log, opts.reading(a.catalogue)) {
			if err != nil {
				yield(nil, err)
				return
			}
			event = nil
			if src.Add(rec); event != nil && !yield(event, nil) {
				return
			}
		}
	}
}

func (o *Options) orDefault() *Options {
	if o == nil {
		return &Options{}
	}
	return o
}

// analyzer makes one for a single log.
func (o *Options) analyzer() (*Analyzer, error) {
	c := o.Catalogue
	if c == nil {
		var err error
		if c, err = Load(); err != nil {
			return nil, err
		}
	}
	a, err := NewAnalyzer(c, o.Filter)
	if err == nil {
		a.Alone = true
	}
	return a, err
}

func (o *Options) reading(c *Catalogue) parser.Options {
	options := c.ReadOptions()
	options.Zone = o.Zone
	return options
}
