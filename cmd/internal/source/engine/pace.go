package engine

import (
	"sync"
	"time"
)

// pace is how wide the spans are that are asked for. An engine cuts the answer to a query
// that takes too long: then narrower ones are asked for. It must not be asked for the same
// again and again, which burns its processors and gives nothing; and one cut, of a proxy or
// a restart, says little.
type pace struct {
	mutex       sync.Mutex
	width, most time.Duration
	inRow       int // cuts since an answer
	missed      int // cuts of full width since an answer of full width
	full        int // answers of full width in a row
	trust       int // answers of full width until a wider span is tried
	lost        int // spans that were given up since an answer
	// shortest is how long an engine is left alone that cut one answer.
	shortest time.Duration
}

func (p *pace) begin(first, whole time.Duration) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.shortest == 0 {
		p.shortest = 50 * time.Millisecond
	}
	if p.width == 0 {
		p.most, p.trust = first, 4
		p.width = min(first, max(whole, instant))
	}
}

func (p *pace) widest() time.Duration {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.width
}

func (p *pace) vain() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.inRow
}

// good notes an answer.
func (p *pace) good(width time.Duration) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.inRow, p.lost = 0, 0
	if width < p.width {
		return
	}
	p.missed = 0
	if p.full++; p.full >= p.trust {
		p.width, p.full = min(2*p.width, p.most), 0
	}
}

// cut notes an answer that was cut, and tells how long the engine is left alone, and what
// is asked for then: a half, and less where halves are cut as well, so that an engine that
// gives next to nothing is known for it soon.
func (p *pace) cut(width time.Duration) (wait, narrower time.Duration) {
	const longest, patient, halves = 20, 256, 8
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.inRow++
	p.full = 0
	if width >= p.width {
		p.missed++
	}
	narrower = width / 2
	if p.inRow > halves {
		narrower = width / 8
	}
	narrower = max(narrower, min(narrowest, width))
	if p.inRow > 1 || p.missed > 1 {
		p.width, p.missed, p.trust = max(min(p.width, narrower), instant), 0, min(4*p.trust, patient)
	}
	return p.shortest * time.Duration(min(1<<min(p.inRow-1, 10), longest)), narrower
}

// dense notes that a span held more than is held at once.
func (p *pace) dense(width time.Duration) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.width, p.full = max(min(p.width, width), instant), 0
}

// giveUp notes a span that is not read, and tells how many there were without an answer.
func (p *pace) giveUp() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.lost++
	return p.lost
}

// limit is how many entries a page has, so that it is not too large to be held.
type limit struct {
	mutex      sync.Mutex
	size, high int
}

func (l *limit) begin(most int) {
	const first = 1000
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.high == 0 {
		l.high, l.size = most, min(first, most)
	}
}

func (l *limit) now() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.size
}

func (l *limit) most(n int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.high, l.size = n, min(l.size, n)
}

// full notes how many bytes a full page had.
func (l *limit) full(bytes int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	switch {
	case bytes > holdBytes:
		l.size = max(l.size/2, min(100, l.high))
	case bytes < holdBytes/4:
		l.size = min(2*l.size, l.high)
	}
}
