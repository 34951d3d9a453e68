// Package run leads the records of logs through an analyzer to sinks: of files that
// are there, of a stream that comes, of files that grow.
package run

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"wklog/cmd/internal/report"
	"wklog/cmd/internal/source"
	"wklog/parser"
	"wklog/patterns"
)

const (
	// Beat is how often a stream is looked at while nothing comes.
	Beat = 200 * time.Millisecond
	// silence is how long a log is silent before what waits for more is taken
	// as it is.
	silence = time.Second
	// again is how long it takes until incidents are looked at once more, of which nothing
	// new came: one may be over.
	again = 10 * time.Second
	// pause is how long a stream is waited for where what comes was not there
	// yet: less is the time of the program that hands it on.
	pause = 50 * time.Millisecond
)

// Core is what every run has: the analyzer, and where its events go. Its methods
// may be called from any goroutine.
type Core struct {
	analyzer *patterns.Analyzer
	options  parser.Options

	mutex sync.Mutex
	sinks report.Sinks
	err   error // of a sink; nothing more is told then
	logs  []Log

	changed  bool // there are events since the causes were ranked
	ranked   time.Time
	lead     *patterns.Diagnosis
	told     []*told // incidents that were told
	numbered int     // of these, the last
}

// Log is one log that was read.
type Log struct {
	Name  string
	Stats parser.Stats
	// Err says why it could not be read to its end.
	Err error
	// Asked is set of a log that an engine keeps.
	Asked *source.Asked
}

// NewCore leads what the analyzer finds to sinks, without the secrets in it. The options hold for every log;
// the reference of its dates is its last change.
func NewCore(a *patterns.Analyzer, options parser.Options, sinks report.Sinks) *Core {
	sinks = report.WithoutSecrets(sinks)
	c := &Core{analyzer: a, options: options, sinks: sinks, ranked: time.Now()}
	a.OnStop = c.stop
	if sinks.Listen() {
		a.OnEvent = c.event
	}
	return c
}

// stop hands on that the server ended, and not of a TLS failure.
func (c *Core) stop(s *patterns.Stop) {
	if c.err == nil {
		c.err = c.sinks.Stop(s)
	}
}

// event hands an event on as soon as it is known.
func (c *Core) event(e *patterns.Event) {
	c.changed = true
	if c.err == nil {
		c.err = c.sinks.Event(e)
	}
}

// Err is why nothing more is told: a sink does not take it, mostly since its
// reader has gone.
func (c *Core) Err() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.err
}

// HasRead tells whether any log was read.
func (c *Core) HasRead() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.logs) > 0
}

// End gives the sinks the document.
func (c *Core) End(d *report.Document) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.sinks.End(d)
}

// Lead is the most probable cause so far, nil for none.
func (c *Core) Lead() *patterns.Diagnosis {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.changed {
		c.rank(time.Now())
	}
	return c.lead
}

func (c *Core) rank(now time.Time) {
	c.changed, c.ranked, c.lead = false, now, nil
	result := c.analyzer.Result()
	if len(result.Diagnosis) > 0 {
		c.lead = &result.Diagnosis[0]
	}
	c.watch(result.Incidents)
}

// tick gives the sinks a turn. The causes are ranked once in a while only.
func (c *Core) tick(now time.Time) {
	if c.err != nil {
		return
	}
	open := slices.ContainsFunc(c.told, func(k *told) bool { return !k.Over })
	if since := now.Sub(c.ranked); c.changed && since >= silence || open && since >= again {
		c.rank(now)
	}
	if c.err == nil {
		c.err = c.sinks.Tick(now)
	}
}

// read notes how a log was read.
func (c *Core) read(name string, stats parser.Stats, err error) {
	c.logs = append(c.logs, Log{Name: name, Stats: stats, Err: err})
}

// readMore notes how the next part of a log was read, and gives what is known of all.
func (c *Core) readMore(name string, stats parser.Stats, err error) parser.Stats {
	at := len(c.logs) - 1
	for at >= 0 && c.logs[at].Name != name {
		at--
	}
	if at < 0 {
		c.read(name, stats, err)
		return stats
	}
	l := &c.logs[at]
	l.Stats.Add(&stats)
	l.Err = cmp.Or(l.Err, err)
	return l.Stats
}

func (c *Core) optionsFor(l *source.Log) parser.Options {
	options := c.options
	options.Reference = l.Modified
	return options
}
