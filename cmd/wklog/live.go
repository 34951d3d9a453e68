package main

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/term"

	"wklog/cmd/internal/report"
	"wklog/cmd/internal/source"
	"wklog/parser"
	"wklog/patterns"
)

const (
	// beat is how often a stream is looked at while nothing comes.
	beat = 200 * time.Millisecond
	// silence is how long a log is silent before what waits for more is taken
	// as it is.
	silence = time.Second
	// pause is how long a stream is waited for where what comes was not there
	// yet: less is the time of the program that hands it on.
	pause = 50 * time.Millisecond
	// farewell is how long the writer of a stream may take to end after Ctrl-C,
	// once the report is out.
	farewell = 3 * time.Second
	// remembered is how many dated failures of followed files are known again
	// in another file: those stand there within moments.
	remembered = 100_000
)

// startLive makes the report of a stream as it comes.
func (r *analysis) startLive() {
	if r.flags.format != "table" || r.flags.output != "" {
		return
	}
	opts := r.app.options(0)
	file, ok := r.app.stdout.(*os.File)
	inPlace := ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
	r.live = report.NewLive(r.out, r.catalogue, opts, inPlace)
	r.told, r.ranked = time.Now(), time.Now()
}

// tick tells what changed: the counts once in an interval, the leading cause
// when it is another one.
func (r *analysis) tick(now time.Time) {
	if r.live == nil || r.outErr != nil {
		return
	}
	var errs []error
	if r.changed && now.Sub(r.ranked) >= silence {
		r.changed, r.ranked, r.lead = false, now, r.leading()
	}
	errs = append(errs, r.live.Leading(r.lead))
	if now.Sub(r.told) >= r.flags.interval {
		r.told = now
		errs = append(errs, r.live.Counts())
	}
	r.outErr = errors.Join(errs...)
}

// leading is the most probable cause so far, nil for none.
func (r *analysis) leading() *patterns.Diagnosis {
	if result := r.analyzer.Result(); len(result.Diagnosis) > 0 {
		return &result.Diagnosis[0]
	}
	return nil
}

// endLive tells what was not told yet, before the report.
func (r *analysis) endLive() {
	if r.live != nil && r.outErr == nil {
		r.outErr = r.live.Close()
	}
}

// beating calls tick while something else reads, until stop is called.
func (r *analysis) beating() (stop func()) {
	if r.live == nil {
		return func() {}
	}
	end, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		for ticks := time.NewTicker(beat); ; {
			select {
			case now := <-ticks.C:
				r.mutex.Lock()
				r.tick(now)
				r.mutex.Unlock()
			case <-end:
				ticks.Stop()
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

// following is one followed log with its reading.
type following struct {
	log    *source.Followed
	feed   *parser.Feed
	source *patterns.Source
	fed    time.Time
	behind int64
	begun  bool
}

// follow analyses what is appended to logs, until the context ends.
func (r *analysis) follow(ctx context.Context, paths []string) ([]source.Failure, error) {
	r.analyzer.Remember = remembered
	state, err := r.openState()
	if err != nil {
		return nil, err
	}
	defer state.Close()
	var memory patterns.Memory
	if err := state.Memory(&memory); err != nil {
		return nil, errors.New(r.app.say.Say("error.state", r.flags.state))
	}
	r.analyzer.Recall(memory)
	var failures []source.Failure
	f := &source.Follow{
		Paths: paths, FromStart: r.flags.fromStart, State: state,
		Deliver: r.deliver,
		Report: func(failure source.Failure) {
			r.app.complain(failure.Source + ": " + r.failure(failure.Err))
			failures = append(failures, failure)
		},
	}
	f.Tick = func() error { return r.tickFollowed(f) }
	err = f.Run(ctx)
	for _, l := range r.followed {
		err = errors.Join(err, r.endFollowed(l))
	}
	if r.outErr != nil {
		return failures, nil // a closed pipe ends quietly
	}
	err = errors.Join(err, f.SaveAll(r.memory))
	return failures, err
}

// memory is what a later run has to know of the logs.
func (r *analysis) memory() any { return r.analyzer.Memory() }

func (r *analysis) openState() (*source.State, error) {
	if r.flags.state == "" {
		return nil, nil
	}
	state, err := source.OpenState(r.flags.state)
	switch {
	case errors.Is(err, source.ErrState):
		return nil, errors.New(r.app.say.Say("error.state", r.flags.state))
	case errors.Is(err, source.ErrStateUsed):
		return nil, errors.New(r.app.say.Say("error.state.used", r.flags.state))
	case err != nil:
		return nil, errors.New(r.flags.state + ": " + r.app.fileError(err))
	}
	return state, nil
}

// deliver takes what was appended to a log.
func (r *analysis) deliver(p source.Piece) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	l := r.followingOf(p.Log)
	var errs []error
	if p.Rotated {
		if l.begun {
			errs = append(errs, l.feed.Rotate())
		}
		l.begun = true
		l.feed.Skip(p.Offset, p.Lines)
	}
	if len(p.Data) > 0 {
		errs = append(errs, l.feed.Write(p.Data, parser.Arrival{At: p.Arrived, Waited: p.Waited}))
	}
	l.fed, l.behind = time.Now(), p.Behind
	p.Log.Settle(l.feed.Settled())
	return errors.Join(append(errs, r.outErr)...)
}

func (r *analysis) followingOf(log *source.Followed) *following {
	for _, l := range r.followed {
		if l.log == log {
			return l
		}
	}
	l := &following{log: log, source: r.analyzer.Source(log.Name)}
	l.feed = parser.NewFeed(r.options(&source.Log{Name: log.Name}), func(rec *parser.Record) error {
		l.source.Add(rec)
		return r.outErr
	})
	r.followed = append(r.followed, l)
	return l
}

// tickFollowed hands out what waited in silent logs, tells what changed, and
// saves how far the logs were read.
func (r *analysis) tickFollowed(f *source.Follow) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	now := time.Now()
	for _, l := range r.followed {
		if l.feed.Waiting() && now.Sub(l.fed) >= silence {
			if err := l.feed.Flush(); err != nil {
				return err
			}
			l.log.Settle(l.feed.Settled())
		}
	}
	r.tick(now)
	if now.Sub(r.saved) >= silence {
		r.saved = now
		if err := f.Save(r.memory); err != nil {
			return err
		}
	}
	return r.outErr
}

func (r *analysis) endFollowed(l *following) error {
	err := l.feed.End()
	l.log.Settle(l.feed.Settled())
	l.source.End()
	r.note(&source.Log{Name: l.log.Name}, &ending{stats: l.feed.Stats()})
	return err
}
