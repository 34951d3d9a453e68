package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// reasonLabel is how queries name the reason of an entry.
const reasonLabel = "wklog_reason"

// reasonWords are what an entry says behind tls: or x509:, without numbers and names, as a
// regular expression of RE2. A word in which both cases stand is none: behind the reason a
// line has the state of the handshake, which its twin in JSON has not, and twins have one
// reason.
const (
	reasonWord  = `(?:[a-z]+|[A-Z]+)\b`
	reasonPart  = `(?:tls|x509): ` + reasonWord + `(?: ` + reasonWord + `)*`
	reasonWords = `(?P<` + reasonLabel + `>` + reasonPart + `(?:: ` + reasonPart + `)?)`
)

// Group are the entries of one stream that have one reason, empty for those that say none.
type Group struct{ Stream, Reason string }

// Counts are how many entries there are of each group.
type Counts struct {
	Total map[Group]int64
	parts []counted
}

// counted is a part of the span with its counts, and with those of the parts before it.
type counted struct {
	Span
	entries, before map[Group]int64
}

// countParts are in how many parts a span is counted: a sample is spread over them.
const countParts = 24

// cutPause is how long an engine is left alone that cut a count.
const cutPause = 100 * time.Millisecond

// Count asks how many entries the filter chooses. The engine looks at as much as for
// reading them and hands out next to nothing.
func (r *Reading) Count(ctx context.Context, span Span) (*Counts, error) {
	c := &Counts{Total: map[Group]int64{}}
	streams, err := r.streams(ctx, r.Client.Selector, span)
	if err != nil {
		return nil, err
	}
	width := max(min(r.first(), span.width()/countParts+1), narrowest)
	for at := span.From; at.Before(span.Until); {
		part := counted{Span{at, at.Add(width)}, map[Group]int64{}, maps.Clone(c.Total)}
		if part.Until.After(span.Until) {
			part.Until = span.Until
		}
		err := r.count(ctx, r.query(r.Client.Selector, r.Filter), part.Span, streams, func(g Group, n int64) { part.entries[g] += n })
		if err != nil && isTooWide(err) && part.width() > narrowest {
			width = part.width() / 2
			if err := pause(ctx, cutPause); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		for g, n := range part.entries {
			c.Total[g] += n
		}
		c.parts = append(c.parts, part)
		at = part.Until
	}
	return c, nil
}

// All is how many entries there are.
func (c *Counts) All() (n int64) {
	for _, of := range c.Total {
		n += of
	}
	return n
}

// Until is how many there are before a time, of the parts that are over then.
func (c *Counts) Until(at time.Time) (n int64) {
	for _, part := range c.parts {
		if part.Until.After(at) {
			break
		}
		for _, of := range part.entries {
			n += of
		}
	}
	return n
}

// part is the one that begins at a time.
func (c *Counts) part(at time.Time) *counted {
	i, _ := slices.BinarySearchFunc(c.parts, at, func(p counted, at time.Time) int { return p.From.Compare(at) })
	return &c.parts[i]
}

// Sample reads at most so many entries of each group, spread over the time as all are.
type Sample struct {
	*Counts
	Most int64
	// Read are those of the groups of which not all were read.
	Read map[Group]int64
}

// IsPart tells whether not all is read of any group.
func (s *Sample) IsPart() bool {
	for _, n := range s.Total {
		if n > s.Most {
			return true
		}
	}
	return false
}

// quota is how many of a group's entries in a part are read.
func (s *Sample) quota(p *counted, g Group) int64 {
	n, before := p.entries[g], p.before[g]
	if s.Total[g] <= s.Most {
		return n
	}
	share := func(n int64) int64 { return int64(float64(n) / float64(s.Total[g]) * float64(s.Most)) }
	return share(before+n) - share(before)
}

// reasons are those of which not all is read in a part.
func (s *Sample) reasons(p *counted) (list []string) {
	for g := range p.entries {
		if s.Total[g] > s.Most && !slices.Contains(list, g.Reason) {
			list = append(list, g.Reason)
		}
	}
	slices.Sort(list)
	return list
}

// only chooses entries by their reason.
type only struct {
	is      bool
	reasons []string
}

// sample reads a part: all that has another reason, and of each stream so many entries of
// those reasons as it is due.
func (s *slice) sample(p *counted) error {
	s.at = p.From
	reasons := s.Sample.reasons(p)
	all := &Page{Span: p.Span}
	rest := &slice{Reading: s.Reading, ctx: s.ctx, only: &only{false, reasons}, take: func(page *Page) { all.Entries = append(all.Entries, page.Entries...) }}
	if len(reasons) == 0 {
		rest.only = nil
	}
	err := rest.read(p.Span)
	s.gaps = append(s.gaps, rest.gaps...)
	if err != nil {
		s.at = rest.at
		return err
	}
	for g := range p.entries {
		due := s.Sample.quota(p, g)
		if due == 0 || !slices.Contains(reasons, g.Reason) {
			continue
		}
		entries, err := s.some(g, p.Span, int(due))
		switch {
		case err != nil && isTooWide(err):
			s.gaps = append(s.gaps, &Gap{Span: p.Span, Err: err})
		case err != nil:
			return err
		}
		all.Entries = append(all.Entries, entries...)
	}
	slices.SortStableFunc(all.Entries, func(a, b Kept) int { return cmp.Compare(a.At, b.At) })
	return s.hand(all)
}

// some reads the first entries of a group in a span.
func (s *slice) some(g Group, span Span, due int) ([]Kept, error) {
	query := s.ofReasons(s.query(s.within(s.Client.Selector, g.Stream), s.Filter), true, []string{g.Reason})
	c, err := s.collect(query, span, s.few(due))
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.Sample.Read[g] += int64(len(c.entries))
	return c.entries, err
}
