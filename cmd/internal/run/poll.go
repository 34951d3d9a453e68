package run

import (
	"context"
	"errors"
	"slices"
	"time"

	"wklog/cmd/internal/source"
	"wklog/parser"
	"wklog/patterns"
)

// Poll analyses what comes to engines.
type Poll struct {
	*Core
	Args      []string
	Engines   *source.Engines
	FromStart bool
	// State of an earlier run, nil for none.
	State *source.State
	// Commit lets out what sinks hold back.
	Commit func() error
	// Report takes what cannot be read, and notes for the user, at once.
	Report func(source.Failure)

	polled   map[string]*polled
	wrote    map[string]*source.Wrote
	order    []*polled
	failures []source.Failure
}

// polled is one log of an engine with its reading.
type polled struct {
	name   string
	feed   *parser.Feed
	source *patterns.Source
}

// Run polls until the context ends.
func (p *Poll) Run(ctx context.Context) ([]source.Failure, error) {
	p.analyzer.Remember = remembered
	p.polled, p.wrote = map[string]*polled{}, map[string]*source.Wrote{}
	know, err := p.recall(p.State)
	if err != nil {
		return nil, err
	}
	engines := &source.Poll{
		Args: p.Args, Engines: p.Engines, FromStart: p.FromStart, State: p.State,
		Deliver: p.deliver, Wrote: p.hasWrote, Done: p.done, Commit: p.Commit, Tick: p.beat,
		Report: func(failure source.Failure) {
			p.failures = append(p.failures, failure)
			p.Report(failure)
		},
	}
	err = engines.Run(ctx, know)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, l := range p.order {
		err = errors.Join(err, l.feed.End())
		l.source.End()
		stats := l.feed.Stats()
		if wrote := p.wrote[l.name]; wrote != nil {
			stats.First, stats.Last = wrote.First, wrote.Last
		}
		p.read(l.name, stats, nil)
	}
	if p.err != nil {
		return p.failures, nil // a closed pipe ends quietly
	}
	return p.failures, errors.Join(err, p.Commit())
}

func (p *Poll) deliver(log string, lines []byte) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	l := p.polled[log]
	if l == nil {
		l = &polled{name: log, source: p.analyzer.Source(log)}
		l.feed = parser.NewFeed(p.optionsFor(&source.Log{Name: log}), func(rec *parser.Record) error {
			l.source.Add(rec)
			return p.err
		})
		p.polled[log], p.order = l, append(p.order, l)
	}
	return errors.Join(l.feed.Write(lines, parser.Arrival{At: time.Now()}), p.err)
}

// hasWrote notes when a log was written to.
func (p *Poll) hasWrote(log string, wrote *source.Wrote) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	kept := *wrote
	kept.Traffic.Times = slices.Clone(wrote.Traffic.Times)
	p.wrote[log] = &kept
}

// done takes what waits for more as it is: a stretch of time was read to its end.
func (p *Poll) done() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, l := range p.order {
		if l.feed.Waiting() {
			if err := l.feed.Flush(); err != nil {
				return err
			}
		}
	}
	return p.err
}

func (p *Poll) beat() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	now := time.Now()
	if now.Sub(p.ranked) >= silence {
		for _, l := range p.order {
			traffic := l.feed.Traffic()
			if wrote := p.wrote[l.name]; wrote != nil {
				traffic = wrote.Traffic
			}
			l.source.Traffic(traffic)
		}
	}
	p.tick(now)
	return errors.Join(p.err, p.Commit())
}

// Far is how far each log was read.
func (p *Poll) Far() []Progress {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var logs []Progress
	for _, l := range p.order {
		stats := l.feed.Stats()
		logs = append(logs, Progress{Name: l.name, Lines: stats.Lines, Bytes: stats.Bytes})
	}
	return logs
}
