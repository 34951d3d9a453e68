package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"wklog/parser"
)

const (
	// holdBytes and holdEntries are how much of a span is held at once.
	holdBytes   = 2 << 20
	holdEntries = 10_000
	// narrowest is the span of which no part is asked for where the engine cuts its
	// answers, and instant that of one moment.
	narrowest = time.Second
	instant   = time.Nanosecond
	// inVain is how many requests may fail one after the other until a span is given up,
	// and lost how many spans until the engine is.
	inVain = 16
	lost   = 3
)

// Kept is an entry that is held.
type Kept struct {
	Labels *parser.Labels
	At     int64 // nanoseconds since 1970
	// Text is that of the Entry.
	Text   []byte
	Stream string
}

// Page is all that was asked for within a span, in the order of time.
type Page struct {
	Span
	Entries []Kept
}

// Gap is a span that was not read, or not in whole.
type Gap struct {
	Span
	Err error
	// Crowd is how many entries of one moment were read, of more.
	Crowd int
}

func (g *Gap) Error() string {
	return fmt.Sprintf("%s to %s: %v", g.From.Format(time.RFC3339Nano), g.Until.Format(time.RFC3339Nano), g.Err)
}

func (g *Gap) Unwrap() error { return g.Err }

// Reading reads the entries of streams that hold one of the literals.
type Reading struct {
	*Client
	// Filter chooses entries. Nearby are the literals of those that are evidence near them,
	// Stacks those behind which a stack stands.
	Filter
	Nearby, Stacks []string
	// Whole ends the reading at the first span that cannot be read, so that it can go on
	// there.
	Whole bool
	// Sample reads a part of what there is; nil for all.
	Sample *Sample
	// Far is told up to which time was read; nil for nobody.
	Far func(time.Time)

	pace  pace
	limit limit

	mutex  sync.Mutex
	given  map[parser.Labels]*parser.Labels
	around surroundings
}

// Run reads a span and hands its pages to deliver in the order of time. What could not be
// read is told as gaps; the error is that of deliver, of the context, or one that ends all.
func (r *Reading) Run(ctx context.Context, span Span, deliver func(*Page) error) ([]*Gap, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.pace.begin(r.first(), span.width())
	r.limit.begin(int(r.cap.Load()))
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	slices, free := make(chan *slice), make(chan bool, parallel)
	running.Go(func() {
		defer close(slices)
		for at := span.From; at.Before(span.Until); {
			select {
			case free <- true:
			case <-ctx.Done():
				return
			}
			until := at.Add(r.pace.widest())
			if r.Sample != nil {
				until = r.Sample.begins(at).Until
			}
			if until.After(span.Until) {
				until = span.Until
			}
			s := &slice{Reading: r, ctx: ctx, Span: Span{at, until}, pages: make(chan *Page)}
			running.Go(func() {
				defer func() { <-free }()
				defer close(s.pages)
				s.err = s.run()
			})
			select {
			case slices <- s:
			case <-ctx.Done():
				return
			}
			at = until
		}
	})
	var gaps []*Gap
	for s := range slices {
		for p := range s.pages {
			if err := deliver(p); err != nil {
				return gaps, err
			}
			if r.Far != nil {
				r.Far(p.Until)
			}
		}
		gaps = append(gaps, s.gaps...)
		if s.err != nil && ctx.Err() == nil {
			return joined(append(gaps, &Gap{Span: Span{s.at, span.Until}, Err: s.err})), s.err
		}
	}
	return joined(gaps), ctx.Err()
}

// joined makes one of gaps that follow each other for one reason.
func joined(gaps []*Gap) []*Gap {
	var list []*Gap
	for _, g := range gaps {
		if n := len(list); n > 0 && list[n-1].Crowd == 0 && g.Crowd == 0 && list[n-1].Until.Equal(g.From) && list[n-1].Err.Error() == g.Err.Error() {
			list[n-1].Until = g.Until
			continue
		}
		list = append(list, g)
	}
	return list
}

// slice is a part of the span that one request after the other reads.
type slice struct {
	*Reading
	Span
	ctx   context.Context
	pages chan *Page
	at    time.Time
	gaps  []*Gap
	err   error
	// only chooses entries by their reason, nil for all; take is handed the pages in place
	// of the channel.
	only *only
	take func(*Page)
}

func (s *slice) run() error {
	if s.Sample != nil {
		return s.sample(s.Sample.begins(s.From))
	}
	return s.read(s.Span)
}

// asks is the query for what is read of the streams that a selector chooses.
func (s *slice) asks(selector string) string {
	query := s.query(selector, s.Filter)
	if s.only != nil {
		query = s.ofReasons(query, s.only.is, s.only.reasons)
	}
	return query
}

// read asks for one page after the other. What is too wide for the engine, or of which
// more would come than is held, is asked for in two halves, and never once more as it was.
func (s *slice) read(span Span) error {
	s.at = span.From
	width := span.width()
	for s.at.Before(span.Until) {
		width = min(width, max(s.pace.widest(), instant))
		want := Span{s.at, s.at.Add(width)}
		if want.Until.After(span.Until) {
			want.Until = span.Until
		}
		page, err := s.page(want)
		switch {
		case err == nil:
			s.pace.good(want.width())
			width *= 2
			if err := s.hand(page); err != nil {
				return err
			}
			s.at = page.Until
		case errors.Is(err, errSmaller):
		case errors.Is(err, errTooMuch):
			width = want.width() / 2
			s.pace.dense(width)
		case isTooOld(err) && !s.Whole:
			s.gaps = append(s.gaps, &Gap{Span: want, Err: err})
			s.at = want.Until
		case isTooWide(err):
			if wait, narrower := s.pace.cut(want.width()); s.pace.vain() < inVain && want.width() > narrowest {
				width = narrower
				if err := pause(s.ctx, wait); err != nil {
					return err
				}
				continue
			}
			if s.pace.giveUp() >= lost || s.Whole {
				return err
			}
			s.gaps = append(s.gaps, &Gap{Span: want, Err: err})
			s.at = want.Until
		default:
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slice) hand(p *Page) error {
	if s.take != nil {
		s.take(p)
		return nil
	}
	if err := s.surround(s.ctx, p); err != nil {
		return err
	}
	select {
	case s.pages <- p:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// page asks for the entries of a span. Of a page that is full the entries of its last
// moment are left to the next, which begins there: so none is lost and none told twice.
func (s *slice) page(span Span) (*Page, error) {
	n := s.limit.now()
	c, err := s.collect(s.asks(s.Client.Selector), span, n)
	if err != nil {
		return nil, s.smaller(err, n)
	}
	if n == 0 || len(c.entries) < n {
		return c.page(span), nil
	}
	s.limit.full(c.bytes)
	last := c.entries[len(c.entries)-1].At
	if c.entries[0].At < last {
		end := time.Unix(0, last)
		c.entries = slices.DeleteFunc(c.entries, func(k Kept) bool { return k.At == last })
		return c.page(Span{span.From, end}), nil
	}
	return s.moment(Span{time.Unix(0, last), time.Unix(0, last).Add(instant)}, span.From, n)
}

// moment reads the entries of one moment, of which there are more than a page has: by a
// page as large as the engine gives, then stream by stream.
func (s *slice) moment(at Span, from time.Time, n int) (*Page, error) {
	query, most := s.asks(s.Client.Selector), int(s.cap.Load())
	if n < most {
		c, err := s.collect(query, at, most)
		if err != nil {
			return nil, s.smaller(err, most)
		}
		if len(c.entries) < most {
			return c.page(Span{from, at.Until}), nil
		}
	}
	list, err := s.streams(s.ctx, s.Client.Selector, at)
	if err != nil {
		return nil, err
	}
	all, full := &collected{}, false
	asked := map[string]bool{}
	for _, stream := range list {
		if asked[stream.Selector] {
			continue // a shard of it
		}
		asked[stream.Selector] = true
		c, err := s.collect(s.asks(s.within(s.Client.Selector, stream.Selector)), at, most)
		if err != nil {
			return nil, err
		}
		full = full || len(c.entries) >= most
		all.entries = append(all.entries, c.entries...)
	}
	if full {
		s.gaps = append(s.gaps, &Gap{Span: at, Err: ErrCrowd, Crowd: len(all.entries)})
	}
	return all.page(Span{from, at.Until}), nil
}

// ErrCrowd says that more entries are of one moment than the engine hands out.
var ErrCrowd = errors.New("more entries of one moment than the engine hands out")

// smaller takes the size of a page from what the engine says of it: then that is asked.
func (s *slice) smaller(err error, asked int) error {
	var status *StatusError
	if !errors.As(err, &status) {
		return err
	}
	if m := capped.FindStringSubmatch(status.Text); m != nil {
		if n, wrong := strconv.Atoi(m[1]); wrong == nil && n > 0 && n < asked {
			s.cap.Store(int64(n))
			s.limit.most(n)
			return errSmaller
		}
	}
	return err
}

// errSmaller says that the page was larger than the engine hands out.
var errSmaller = errors.New("smaller pages")

// collected are entries as they come.
type collected struct {
	entries  []Kept
	bytes    int
	replicas bool
}

// collect asks for the entries of a query. Where the engine hands out no pages, more than
// is held ends the answer, unless they are all of one moment.
func (s *slice) collect(query string, span Span, limit int) (*collected, error) {
	c := &collected{}
	err := s.Client.backend.read(s.ctx, query, span, limit, func(e *Entry) error {
		c.entries = append(c.entries, Kept{s.share(e.Labels), e.Time.UnixNano(), slices.Clone(e.Text), e.Stream})
		c.bytes += len(e.Text)
		c.replicas = c.replicas || strings.Contains(e.Stream, "replica")
		if limit > 0 || span.width() <= instant || c.bytes < holdBytes && len(c.entries) < holdEntries {
			return nil
		}
		return errTooMuch
	})
	slices.SortStableFunc(c.entries, func(a, b Kept) int { return cmp.Compare(a.At, b.At) })
	return c, err
}

// share keeps one of equal labels: most entries are of few streams.
func (r *Reading) share(l *parser.Labels) *parser.Labels {
	const most = 10_000
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if known, ok := r.given[*l]; ok {
		return known
	}
	if r.given == nil || len(r.given) >= most {
		r.given = map[parser.Labels]*parser.Labels{}
	}
	kept := *l
	r.given[*l] = &kept
	return &kept
}

func (c *collected) page(span Span) *Page {
	p := &Page{Span: span, Entries: c.entries}
	if c.replicas {
		p.Entries = withoutReplicas(p.Entries)
	}
	return p
}

// replica is a label by which two shippers of one log tell themselves apart.
var replica = regexp.MustCompile(`(?:^|[{,\s])(?:__replica__|[a-z_]*replica)="((?:[^"\\]|\\.)*)"`)

// withoutReplicas keeps one of the entries that two shippers sent of one line: they are of
// one writer, time and text, and of streams whose label replica differs. As many are kept
// as the one has that sent most.
func withoutReplicas(entries []Kept) []Kept {
	type line struct {
		labels *parser.Labels
		at     int64
		text   string
	}
	sent, kept := map[line]map[string]int{}, map[line]int{}
	return slices.DeleteFunc(entries, func(k Kept) bool {
		l := line{k.Labels, k.At, string(k.Text)}
		if sent[l] == nil {
			sent[l] = map[string]int{}
		}
		by := ""
		if m := replica.FindStringSubmatch(k.Stream); m != nil {
			by = m[1]
		}
		if sent[l][by]++; sent[l][by] > kept[l] {
			kept[l]++
			return false
		}
		return true
	})
}
