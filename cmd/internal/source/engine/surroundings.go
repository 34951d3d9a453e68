package engine

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// near is how far from a failure that what is evidence beside it may stand.
	near = 2 * time.Second
	// looks is how often the surroundings of a stream's failures are looked at in vain:
	// that healthy connections end near failures has to be seen once. looksAtOnce is for
	// how many failures of a page.
	looks, looksAtOnce = 10, 8
	// mostNear is how many entries of a look are wanted, mostStack how many lines of a
	// stack, and longestStack how long a program takes to print it.
	mostNear, mostStack, longestStack = 500, 200, 10 * time.Second
)

// surroundings is what is known of the streams' failures.
type surroundings struct {
	mutex  sync.Mutex
	known  map[string]bool // streams whose surroundings were seen
	tried  map[string]int
	traced map[string]int64 // up to where the stack of a stream was read
}

// surround adds to a page what weighs beside its failures: the ends of connections near
// them, and the stacks behind the last words of a program. What cannot be had is left out:
// no failure is lost for it.
func (r *Reading) surround(ctx context.Context, p *Page) error {
	more := r.stacks(ctx, p)
	if len(r.Nearby) > 0 {
		for _, w := range r.windows(p) {
			more = append(more, r.look(ctx, w)...)
		}
	}
	if len(more) > 0 {
		p.Entries = append(p.Entries, more...)
		slices.SortStableFunc(p.Entries, func(a, b Kept) int { return compareTimes(a.At, b.At) })
	}
	return ctx.Err()
}

func compareTimes(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// window is a stretch of time around failures of streams.
type window struct {
	from, until int64
	streams     map[string]bool
}

// windows are those around the first failures of each stream of which nothing is known.
func (r *Reading) windows(p *Page) []window {
	s := &r.around
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.known == nil {
		s.known, s.tried, s.traced = map[string]bool{}, map[string]int{}, map[string]int64{}
	}
	var list []window
	for _, k := range p.Entries {
		if s.known[k.Stream] || s.tried[k.Stream] >= looks {
			continue
		}
		last := len(list) - 1
		if last >= 0 && k.At <= list[last].until {
			if !list[last].streams[k.Stream] {
				s.tried[k.Stream]++
			}
			list[last].streams[k.Stream] = true
			list[last].until = max(list[last].until, min(k.At+int64(near), list[last].from+int64(4*near)))
			continue
		}
		if len(list) == looksAtOnce {
			break
		}
		s.tried[k.Stream]++
		list = append(list, window{k.At - int64(near), k.At + int64(near), map[string]bool{k.Stream: true}})
	}
	return list
}

// look asks for what stands in a window, in the streams whose failures it is around.
func (r *Reading) look(ctx context.Context, w window) []Kept {
	var found []Kept
	span := Span{time.Unix(0, w.from), time.Unix(0, w.until)}
	_ = r.Client.backend.read(ctx, r.besides(r.Client.Selector, r.Nearby, r.Filter), span, r.few(mostNear), func(e *Entry) error {
		if !w.streams[e.Stream] {
			return nil
		}
		found = append(found, Kept{r.share(e.Labels), e.Time.UnixNano(), slices.Clone(e.Text), e.Stream})
		if len(found) >= mostNear {
			return errTooMuch
		}
		return nil
	})
	r.around.mutex.Lock()
	defer r.around.mutex.Unlock()
	for _, k := range found {
		r.around.known[k.Stream] = true
	}
	return found
}

// few is a number of entries that the engine hands out.
func (r *Reading) few(n int) int {
	if most := int(r.cap.Load()); most > 0 {
		return min(n, most)
	}
	return n
}

// stacks asks for the lines behind the last words of programs.
func (r *Reading) stacks(ctx context.Context, p *Page) []Kept {
	var found []Kept
	for _, k := range p.Entries {
		if !slices.ContainsFunc(r.Stacks, func(words string) bool { return bytes.Contains(k.Text, []byte(words)) }) {
			continue
		}
		from, until := r.untraced(k)
		if from >= until {
			continue
		}
		lines := 0
		span := Span{time.Unix(0, from), time.Unix(0, until)}
		query := r.besides(r.within(r.Client.Selector, k.Stream), nil, r.Filter)
		_ = r.Client.backend.read(ctx, query, span, r.few(mostStack), func(e *Entry) error {
			found = append(found, Kept{r.share(e.Labels), e.Time.UnixNano(), slices.Clone(e.Text), e.Stream})
			if lines++; lines >= 10*mostStack {
				return errTooMuch
			}
			return nil
		})
	}
	return found
}

// untraced is the time behind the last words of a program that was not asked for yet.
func (r *Reading) untraced(k Kept) (from, until int64) {
	s := &r.around
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.traced == nil {
		s.traced = map[string]int64{}
	}
	from, until = max(k.At, s.traced[k.Stream]), k.At+int64(longestStack)
	s.traced[k.Stream] = max(s.traced[k.Stream], until)
	return from, until
}
