package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wklog/cmd/internal/source/engine"
	"wklog/parser"
)

// Engines say what is read of engines that keep logs.
type Engines struct {
	// Select chooses streams where an address does not, in the engine's own language.
	Select string
	// Since and Until bound what is read; without Since it is the last day.
	Since, Until time.Time
	// NodeLabel is the label that names a node, empty for the first that is known.
	NodeLabel string
	// Filter chooses entries. Nearby are literals of those that are evidence near them.
	Filter Filter
	Nearby []string
	// Sample is how many entries of each node and reason are read at most; nil for all.
	Sample *int64
	// Env gives the variables of the environment.
	Env func(string) string
}

// IsEngine tells an engine's address from the name of a file.
func IsEngine(arg string) bool { return engine.IsAddress(arg) }

// Filter chooses entries of an engine.
type Filter = engine.Filter

// Errors of EngineQuery.
var (
	ErrAddress = engine.ErrAddress
	ErrUnbound = engine.ErrUnbound
)

// EngineQuery is what is asked of an engine, vlogs or loki, for what a filter chooses.
func EngineQuery(name, selector string, f Filter) (string, error) {
	return engine.Query(name, selector, f)
}

// Asked is what was asked of an engine; it is whole when all of its logs are read.
type Asked struct {
	Engine string
	// Scanned is how many bytes the engine says it looked at, 0 where it does not.
	Scanned, Received, Requests int64
	// Matched are what was counted before a sample was read, by the log's name.
	Matched map[string][]Matched
}

// Matched is how many entries of a log have one reason, and how many of them were read. The
// reason is empty for those that say none.
type Matched struct {
	Log, Reason   string
	Entries, Read int64
}

// Sampled says that of what matches a part was read.
type Sampled struct {
	Most, Entries, Read int64
	// Groups are sorted, the most frequent first.
	Groups []Matched
}

func (s *Sampled) Error() string { return fmt.Sprintf("%d of %d entries were read", s.Read, s.Entries) }

// day is how much of an engine is read where nobody says it.
const day = 24 * time.Hour

// stacks are the words behind which a program prints its stack as it ends.
var stacks = []string{"panic: ", "fatal error: "}

// Errors about engines.
var (
	// ErrSelectors says that a selector chooses nothing.
	ErrSelectors = errors.New("no stream is chosen")
	// ErrOwnShipper says that all streams are those that WuKongIM's own shipper sends: of
	// its files, which hold no handshake (pkg/promtail, v2.0.6).
	ErrOwnShipper = errors.New("the streams hold no standard output")
	// ErrSeconds says that the times of entries are whole seconds: of equal entries of one
	// second an engine keeps one.
	ErrSeconds = errors.New("times are whole seconds")
)

// Unchosen is a selector that chooses nothing.
type Unchosen struct {
	Selector string
	// Exist are some that choose something.
	Exist []string
}

func (e *Unchosen) Error() string { return e.Selector + ": " + ErrSelectors.Error() }

func (e *Unchosen) Unwrap() error { return ErrSelectors }

// engine reads an engine as logs, one for each node, and one for each file of a server's
// own that a shipper tells apart.
func (w *walker) engine(arg string) {
	client, name, err := w.engines.client(arg)
	if err != nil {
		w.fail(name, err, false)
		return
	}
	span := w.engines.span(time.Now())
	chosen, err := chosenOf(w.ctx, client, span)
	if w.ctx.Err() != nil {
		return
	}
	if err != nil {
		w.fail(name, err, false)
		return
	}
	w.entries(client, span, chosen)
}

// client prepares to ask an engine; name is how it is called.
func (e *Engines) client(arg string) (client *engine.Client, name string, err error) {
	a, err := engine.ParseAddress(arg, e.Env)
	if err != nil {
		return nil, schemeOf(arg), err
	}
	if a.Selector == "" {
		a.Selector = e.Select
	}
	client, err = engine.NewClient(a, e.NodeLabel, e.Env)
	return client, a.Name(), err
}

func (e *Engines) reading(client *engine.Client) *engine.Reading {
	return &engine.Reading{Client: client, Filter: e.Filter, Nearby: e.Nearby, Stacks: stacks}
}

// schemeOf is as much of an address as can be shown: the rest may hold a password.
func schemeOf(arg string) string {
	scheme, _, _ := strings.Cut(arg, "://")
	return scheme + "://"
}

func (e *Engines) span(now time.Time) engine.Span {
	span := engine.Span{From: e.Since, Until: e.Until}
	if span.Until.IsZero() {
		span.Until = now
	}
	if span.From.IsZero() {
		span.From = span.Until.Add(-day)
	}
	return span
}

// chosenOf lists the streams that are read, as far as the engine lists them. That there
// is none is an error, with those that there are.
func chosenOf(ctx context.Context, client *engine.Client, span engine.Span) ([]engine.Stream, error) {
	chosen, whole, err := client.Streams(ctx, span)
	if err == nil && whole && len(chosen) == 0 {
		err = unchosen(ctx, client, span)
	}
	return chosen, err
}

func unchosen(ctx context.Context, client *engine.Client, span engine.Span) error {
	exist, err := client.Names(ctx, span)
	if err != nil {
		return err
	}
	return &Unchosen{client.Selector, exist}
}

// entries reads what is chosen into logs.
func (w *walker) entries(client *engine.Client, span engine.Span, chosen []engine.Stream) {
	name := client.Name()
	asked := &Asked{Engine: client.Engine}
	s := newStreams(w, &Log{Name: client.Engine, Size: -1, Asked: asked})
	s.logName = nameOfNode
	for _, stream := range chosen {
		s.of(&stream.Labels)
	}
	if len(chosen) > 0 && ofOwnShipper(chosen) {
		w.fail(name, ErrOwnShipper, true)
	}
	r := w.engines.reading(client)
	err := w.count(r, span)
	var gaps []*engine.Gap
	whole := &wholeSeconds{}
	if err == nil && (r.Sample == nil || r.Sample.Most > 0) {
		end := w.progress.through(name, span, r)
		gaps, err = r.Run(w.ctx, span, func(p *engine.Page) error {
			return addPage(s, p, whole)
		})
		end()
	}
	if told := w.sampled(r, s, chosen); told != nil {
		asked.Matched = map[string][]Matched{}
		for _, m := range told.Groups {
			asked.Matched[m.Log] = append(asked.Matched[m.Log], m)
		}
		if r.Sample.IsPart() {
			w.fail(name, told, true)
		}
	}
	failed := s.flush(true)
	if s.touched() {
		_ = client.Traffic(w.ctx, span, chosen, s.wrote) // what is not known of it is left out
	}
	failed = cmp.Or(failed, s.ends())
	if failed != nil && w.ctx.Err() == nil {
		w.fail(name, failed, false)
	}
	for _, gap := range gaps {
		w.fail(name, gap, false)
	}
	if err != nil && len(gaps) == 0 && w.ctx.Err() == nil {
		w.fail(name, err, false)
	}
	if len(chosen) == 0 && len(s.list) == 0 && len(gaps) == 0 && err == nil { // neither listed nor read
		w.fail(name, &engine.Gap{Span: span, Err: engine.ErrBroken}, false)
	}
	if whole.all() {
		w.fail(name, ErrSeconds, true)
	}
	asked.Scanned, asked.Received, asked.Requests = client.Scanned.Load(), client.Received.Load(), client.Requests.Load()
}

// count counts what a sample is to be read of.
func (w *walker) count(r *engine.Reading, span engine.Span) error {
	if w.engines.Sample == nil {
		return nil
	}
	counts, err := r.Count(w.ctx, span)
	if err != nil {
		return err
	}
	r.Sample = &engine.Sample{Counts: counts, Most: *w.engines.Sample, Read: map[engine.Group]int64{}}
	return nil
}

// sampled sums up what was counted and read, by the logs; nil where nothing was counted.
func (w *walker) sampled(r *engine.Reading, s *streams, chosen []engine.Stream) *Sampled {
	if r.Sample == nil {
		return nil
	}
	logs := map[string]string{}
	for i := range chosen {
		logs[chosen[i].Selector] = s.of(&chosen[i].Labels).name
	}
	of := map[Matched]*Matched{}
	all := &Sampled{Most: r.Sample.Most}
	for g, n := range r.Sample.Total {
		read := n
		if n > r.Sample.Most {
			read = r.Sample.Read[g]
		}
		key := Matched{Log: logs[g.Stream], Reason: g.Reason}
		if of[key] == nil {
			of[key] = &Matched{Log: key.Log, Reason: key.Reason}
		}
		of[key].Entries, of[key].Read = of[key].Entries+n, of[key].Read+read
		all.Entries, all.Read = all.Entries+n, all.Read+read
	}
	for _, m := range of {
		all.Groups = append(all.Groups, *m)
	}
	slices.SortFunc(all.Groups, func(a, b Matched) int {
		return cmp.Or(cmp.Compare(b.Entries, a.Entries), cmp.Compare(a.Log, b.Log), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}

// addPage holds the entries of a page.
func addPage(s *streams, p *engine.Page, whole *wholeSeconds) error {
	for i := range p.Entries {
		k := &p.Entries[i]
		whole.note(k)
		if err := s.add(&engine.Entry{Labels: k.Labels, Time: time.Unix(0, k.At), Text: k.Text}); err != nil {
			return err
		}
	}
	return nil
}

// ofOwnShipper tells whether all streams are those that WuKongIM ships itself.
func ofOwnShipper(chosen []engine.Stream) bool {
	return !slices.ContainsFunc(chosen, func(s engine.Stream) bool { return s.Job != "wk" })
}

// nameOfNode names the log of a stream by its node: pod/wukongim-0.
func nameOfNode(log string, l *parser.Labels) string {
	name := log + ":" + l.NodeName()
	if file := l.File(); file != "" {
		name += "/" + strings.TrimPrefix(file, "/")
	}
	return name
}

// wholeSeconds are the entries whose times are, and the others.
type wholeSeconds struct{ yes, no int }

func (w *wholeSeconds) note(k *engine.Kept) {
	switch {
	case w == nil:
	case k.At%int64(time.Second) == 0:
		w.yes++
	default:
		w.no++
	}
}

// all tells it of so many that it is no chance.
func (w *wholeSeconds) all() bool { return w.yes >= 3 && w.no == 0 }
