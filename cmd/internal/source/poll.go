package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/source/engine"
	"wklog/parser"
)

const (
	// lag is how far behind the present an engine is followed: what shippers send later is
	// not seen. Both engines' own tails lose entries where many come (of 60,000 Loki's
	// lost 52,100), and no query does.
	lag = 10 * time.Second
	// late is how far behind that an engine is asked once more, each time that the lag has
	// passed: of what comes later than the lag, what comes no later than both is seen.
	late = 2 * lag
	// pollEvery is how often an engine is asked.
	pollEvery = 2 * time.Second
	// wroteEvery is how often it is asked when its logs were written to.
	wroteEvery = 10 * time.Second
	// saveEvery is how often the place is kept where nothing comes.
	saveEvery = 30 * time.Second
)

// Poll follows engines.
type Poll struct {
	// Args are addresses.
	Args    []string
	Engines *Engines
	// FromStart reads what is there already, of the time that Engines names.
	FromStart bool
	// State of an earlier run, to go on from; nil for none.
	State *State
	// Deliver takes entries of one log as lines, whole ones.
	Deliver func(log string, lines []byte) error
	// Wrote takes when a log was written to, also of those without entries.
	Wrote func(log string, wrote *Wrote)
	// Done is called when all of a stretch of time was delivered: what waits for more is
	// taken as it is. Commit lets out what was found, just before the state says so.
	Done   func() error
	Commit func() error
	// Tick is called between the polls.
	Tick func() error
	// Report takes what cannot be read, and notes for the user.
	Report func(Failure)

	polled []*polled
	saved  time.Time
	fault  error // of what takes the entries
}

// polled is one engine with how far it was read.
type polled struct {
	reading *engine.Reading
	at      time.Time
	lines   *streams
	// written is up to where it is known when the logs were written to.
	written time.Time
	chosen  []engine.Stream
	// failed is why nothing is read behind the place, nil where something is.
	failed error
	// began is where the reading did: of what is before nobody knows whether it was told.
	began, again time.Time
	// told counts the entries that were, as far back as they may be read once more, and
	// now those that this reading gave.
	told, now map[entry]int
}

// entry is what makes an entry the same when it is read once more.
type entry struct {
	labels parser.Labels
	at     int64
	text   string
}

// span is what is read up to a moment.
func (e *polled) span(until time.Time) engine.Span {
	from := e.at
	if until.Sub(e.again) >= lag {
		e.again = until
		if from = e.at.Add(-late); from.Before(e.began) {
			from = e.began
		}
	}
	e.now = map[entry]int{}
	return engine.Span{From: from, Until: until}
}

// untold takes from a page what was told when it was read before: as many of equal entries
// as were.
func (e *polled) untold(page *engine.Page) {
	page.Entries = slices.DeleteFunc(page.Entries, func(k engine.Kept) bool {
		one := entry{*k.Labels, k.At, string(k.Text)}
		e.now[one]++
		if e.now[one] <= e.told[one] {
			return true
		}
		e.told[one]++
		return false
	})
	if page.Until.After(e.at) {
		e.at = page.Until
	}
	// Twice as far: what stands around a failure is before it.
	first := e.at.Add(-2 * late).UnixNano()
	old := func(one entry, _ int) bool { return one.at < first }
	maps.DeleteFunc(e.told, old)
	maps.DeleteFunc(e.now, old)
}

// savedEngine is how far an engine was read.
type savedEngine struct {
	Name     string    `json:"name"`
	Selector string    `json:"selector"`
	Until    time.Time `json:"until"`
}

// Run polls until the context ends or what takes the entries fails. It fails where the
// first answer of an engine does.
func (p *Poll) Run(ctx context.Context, memory func() any) error {
	defer p.unread()
	for _, arg := range p.Args {
		e, name, err := p.begin(ctx, arg)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			p.Report(Failure{Source: name, Err: err})
			continue
		}
		p.polled = append(p.polled, e)
	}
	if len(p.polled) == 0 {
		return nil
	}
	turns := time.NewTicker(pollEvery)
	defer turns.Stop()
	for {
		for _, e := range p.polled {
			if err := p.poll(ctx, e, time.Now(), memory); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
		}
		if err := p.Tick(); err != nil {
			return err
		}
		select {
		case <-turns.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// begin finds where the reading of an engine goes on.
func (p *Poll) begin(ctx context.Context, arg string) (*polled, string, error) {
	client, name, err := p.Engines.client(arg)
	if err != nil {
		return nil, name, err
	}
	now := time.Now()
	chosen, err := chosenOf(ctx, client, p.Engines.span(now))
	if err != nil {
		return nil, name, err
	}
	if len(chosen) > 0 && ofOwnShipper(chosen) {
		p.Report(Failure{Source: name, Err: ErrOwnShipper, Minor: true})
	}
	e := &polled{reading: p.Engines.reading(client), at: now.Add(-lag)}
	e.reading.Whole = true
	if p.FromStart {
		e.at = p.Engines.span(now).From
	}
	if saved := p.State.engine(name, client.Selector); saved != nil {
		e.at = saved.Until
	}
	e.began, e.again, e.told, e.written, e.chosen = e.at, e.at, map[entry]int{}, e.at, chosen
	w := &walker{ctx: ctx, visitor: linesTo{p}}
	e.lines = newStreams(w, &Log{Name: client.Engine, Size: -1})
	e.lines.logName = nameOfNode
	return e, name, nil
}

// poll reads what came, up to the lag. Of what cannot be read nothing that stands behind
// it is told, so that it is asked for once more.
func (p *Poll) poll(ctx context.Context, e *polled, now time.Time, memory func() any) error {
	until := now.Add(-lag)
	if !until.After(e.at) {
		return nil
	}
	name := e.reading.Name()
	gaps, err := e.reading.Run(ctx, e.span(until), func(page *engine.Page) error {
		p.fault = p.take(e, page, memory)
		return p.fault
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if took := p.fault; took != nil {
		return took
	}
	for _, gap := range gaps {
		if gap.Crowd > 0 {
			p.Report(Failure{Source: name, Err: gap})
		}
	}
	if err != nil && (e.failed == nil || e.failed.Error() != err.Error()) {
		p.Report(Failure{Source: name, Err: &Later{err}, Minor: true})
	}
	e.failed = err
	p.wrote(ctx, e)
	if time.Since(p.saved) < saveEvery {
		return nil
	}
	return p.save(memory)
}

// wrote hands on when the logs were written to since it was asked last.
func (p *Poll) wrote(ctx context.Context, e *polled) {
	if e.at.Sub(e.written) < wroteEvery {
		return
	}
	span := engine.Span{From: e.written, Until: e.at}
	if e.reading.Traffic(ctx, span, e.chosen, e.lines.wrote) != nil {
		return // not now, or never: without it a silence says less
	}
	e.written = e.at
	for _, of := range e.lines.list {
		if of.wrote != nil {
			p.Wrote(of.name, of.wrote)
		}
	}
}

// Later is why an engine was not read now: it is asked again.
type Later struct{ Err error }

func (e *Later) Error() string { return e.Err.Error() }
func (e *Later) Unwrap() error { return e.Err }

// unread tells at the end what could not be read until then.
func (p *Poll) unread() {
	for _, e := range p.polled {
		if e.failed != nil {
			p.Report(Failure{Source: e.reading.Name(), Err: &engine.Gap{Span: engine.Span{From: e.at, Until: time.Now()}, Err: e.failed}})
		}
	}
}

func (p *Poll) take(e *polled, page *engine.Page, memory func() any) error {
	e.untold(page)
	if err := cmp.Or(addPage(e.lines, page, nil), e.lines.flush(true), p.Done()); err != nil {
		return err
	}
	if len(page.Entries) == 0 {
		return nil
	}
	return p.save(memory)
}

// save puts the places beside the state's, then lets out what was found, and then puts them
// in the state's place: a kill in between tells hardly anything twice, and loses nothing.
func (p *Poll) save(memory func() any) error {
	p.saved = time.Now()
	if p.State == nil {
		return p.Commit()
	}
	known, err := json.Marshal(memory())
	if err != nil {
		return err
	}
	doc := stateDocument{Schema: StateSchema, Files: p.State.doc.Files, Memory: known}
	if doc.Files == nil {
		doc.Files = []savedFile{}
	}
	for _, saved := range p.State.doc.Engines {
		if !slices.ContainsFunc(p.polled, func(e *polled) bool { return saved.is(e.reading.Name(), e.reading.Client.Selector) }) {
			doc.Engines = append(doc.Engines, saved)
		}
	}
	for _, e := range p.polled {
		doc.Engines = append(doc.Engines, savedEngine{e.reading.Name(), e.reading.Client.Selector, e.at})
	}
	data, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		return err
	}
	ready, err := writeBeside(p.State.path, append(data, '\n'))
	if err != nil {
		return errors.Join(messages.Bare(err), p.Commit())
	}
	if err := p.Commit(); err != nil {
		os.Remove(ready)
		return err
	}
	return os.Rename(ready, p.State.path)
}

func (s *savedEngine) is(name, selector string) bool { return s.Name == name && s.Selector == selector }

// engine is how far an engine was read, nil where it was not.
func (s *State) engine(name, selector string) *savedEngine {
	if s == nil {
		return nil
	}
	for i := range s.doc.Engines {
		if s.doc.Engines[i].is(name, selector) {
			return &s.doc.Engines[i]
		}
	}
	return nil
}

// linesTo hands logs on as lines.
type linesTo struct{ *Poll }

func (l linesTo) Read(log *Log) error {
	var b bytes.Buffer
	if _, err := b.ReadFrom(log); err != nil {
		return err
	}
	return l.Deliver(parser.Readable(log.Name), b.Bytes())
}

func (linesTo) End() {}
