package run

import (
	"context"
	"errors"
	"time"

	"wklog/cmd/internal/report"
	"wklog/cmd/internal/source"
	"wklog/parser"
	"wklog/patterns"
)

// remembered is how many dated failures of followed files are known again in
// another file: those stand there within moments.
const remembered = 100_000

// Follow analyses what is appended to files.
type Follow struct {
	*Core
	Paths     []string
	FromStart bool
	// State of an earlier run, nil for none.
	State *source.State
	// Report takes what cannot be read, and notes for the user, at once.
	Report func(source.Failure)

	know     func() any
	followed []*following
	failures []source.Failure
	saved    time.Time
}

// following is one followed log with its reading.
type following struct {
	log    *source.Followed
	name   string // as it is shown
	feed   *parser.Feed
	source *patterns.Source
	fed    time.Time
	behind int64
	begun  bool
}

// Run follows until the context ends.
func (f *Follow) Run(ctx context.Context) ([]source.Failure, error) {
	f.analyzer.Remember = remembered
	know, err := f.recall(f.State)
	if err != nil {
		return nil, err
	}
	f.know = know
	files := &source.Follow{
		Paths: f.Paths, FromStart: f.FromStart, State: f.State, Deliver: f.deliver, IsReport: report.BeginsReport,
		Report: func(failure source.Failure) {
			f.failures = append(f.failures, failure)
			f.Report(failure)
		},
	}
	files.Tick = func() error { return f.beat(files) }
	err = files.Run(ctx)
	for _, l := range f.followed {
		err = errors.Join(err, f.end(l))
	}
	if f.Err() != nil {
		return f.failures, nil // a closed pipe ends quietly
	}
	err = errors.Join(err, files.SaveAll(know))
	return f.failures, err
}

// memory is what a later run has to know of the logs and of what was told.
type memory struct {
	patterns.Memory
	Told []*told `json:"incidents"`
}

// recall takes what an earlier run knew, and gives what a later one has to know.
func (c *Core) recall(state *source.State) (know func() any, err error) {
	var known memory
	if err := state.Memory(&known); err != nil {
		return nil, err
	}
	c.analyzer.Recall(known.Memory)
	c.told = known.Told
	for _, k := range c.told {
		c.numbered = max(c.numbered, k.Number)
	}
	return func() any { return memory{c.analyzer.Memory(), c.told} }, nil
}

// deliver takes what was appended to a log.
func (f *Follow) deliver(p source.Piece) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	l := f.of(p.Log)
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
	return errors.Join(append(errs, f.err)...)
}

func (f *Follow) of(log *source.Followed) *following {
	for _, l := range f.followed {
		if l.log == log {
			return l
		}
	}
	l := &following{log: log, name: parser.Readable(log.Name)}
	l.source = f.analyzer.Source(l.name)
	l.feed = parser.NewFeed(f.optionsFor(&source.Log{Name: log.Name}), func(rec *parser.Record) error {
		l.source.Add(rec)
		return f.err
	})
	f.followed = append(f.followed, l)
	return l
}

// beat hands out what waited in silent logs, gives the sinks a turn, and saves how
// far the logs were read.
func (f *Follow) beat(files *source.Follow) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	now := time.Now()
	for _, l := range f.followed {
		if l.feed.Waiting() && now.Sub(l.fed) >= silence {
			if err := l.feed.Flush(); err != nil {
				return err
			}
			l.log.Settle(l.feed.Settled())
		}
	}
	if now.Sub(f.ranked) >= silence {
		for _, l := range f.followed {
			l.source.Traffic(l.feed.Traffic())
		}
	}
	f.tick(now)
	if now.Sub(f.saved) >= silence {
		f.saved = now
		if err := files.Save(f.know); err != nil {
			return err
		}
	}
	return f.err
}

func (f *Follow) end(l *following) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	err := l.feed.End()
	l.log.Settle(l.feed.Settled())
	l.source.End()
	f.read(l.name, l.feed.Stats(), nil)
	return err
}

// Far is how far each log was read.
func (f *Follow) Far() []Progress {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	var logs []Progress
	for _, l := range f.followed {
		stats := l.feed.Stats()
		logs = append(logs, Progress{Name: l.name, Lines: stats.Lines, Bytes: stats.Bytes, Behind: l.behind})
	}
	return logs
}
