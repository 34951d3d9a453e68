package parser

import (
	"bytes"
	"slices"
	"time"
)

// Traffic is when a log was written to: the times at equally many bytes. It tells whether
// a server went on while it had no failures.
type Traffic struct {
	// Step is how many bytes are from one time to the next.
	Step  int64
	Times []time.Time

	due int64 // bytes until the next time
}

// Wrote notes that something was written evenly from one time to another, which is later
// than what was noted before. Amounts may be of anything: they are only compared.
func (t *Traffic) Wrote(from, to time.Time, amount int64) {
	const points = 16 // of the first amount
	s := sampler{Traffic: *t}
	if s.Step == 0 {
		s.Step = max(amount/points, 1)
	}
	for s.due < amount {
		s.Times = append(s.Times, from.Add(time.Duration(float64(to.Sub(from))*float64(s.due)/float64(amount))))
		s.due += s.Step
		if len(s.Times) >= maxTimes {
			s.halve()
		}
	}
	s.due -= amount
	*t = s.Traffic
}

// Add takes when another part of the log was written to. Of two parts with different steps
// the larger step counts, and every second time of the other as often as it is smaller.
func (t *Traffic) Add(more Traffic) {
	a, b := sampler{Traffic: *t}, sampler{Traffic: Traffic{Step: more.Step, Times: slices.Clone(more.Times)}}
	for a.Step < b.Step && len(a.Times) > 0 {
		a.halve()
	}
	for b.Step < a.Step && len(b.Times) > 0 {
		b.halve()
	}
	a.Step, a.Times = max(a.Step, b.Step), append(a.Times, b.Times...)
	slices.SortFunc(a.Times, time.Time.Compare)
	for len(a.Times) >= maxTimes {
		a.halve()
	}
	*t = a.Traffic
}

const (
	// firstStep is the step of a short log: a longer one has larger steps.
	firstStep = 2 << 10
	// maxTimes is how many times are kept of a long one, and firstTimes while the step is
	// the first. With twice the step they are twice as many: a log of a few megabytes, as
	// they are rotated, would cost as much to date as to search otherwise.
	maxTimes   = 256
	firstTimes = 32
	// maxUndatedLines is how many lines without a time are passed over.
	maxUndatedLines = 8
)

// sampler looks up the times of a log.
type sampler struct {
	Traffic
	next    int64 // offset at or behind which the next line is looked at
	undated int   // lines that were passed over since
}

// sample looks up the time of a line in each step of a block of whole lines, which begins
// at base.
func (s *sampler) sample(block []byte, base int64, d *dates) {
	s.Step = max(s.Step, firstStep)
	for pos := 0; ; {
		if ahead := int(s.next - base); ahead > pos {
			if ahead > len(block) {
				return
			}
			newline := bytes.IndexByte(block[ahead-1:], '\n')
			if newline < 0 {
				return
			}
			pos = ahead + newline
		}
		if pos >= len(block) {
			return
		}
		end := lineEnd(block, pos)
		s.look(d.timeOf(block[pos:end]), base+int64(pos))
		pos = end
	}
}

// look takes the time of the line at an offset, zero for none.
func (s *sampler) look(t time.Time, offset int64) {
	if t.IsZero() {
		if s.undated++; s.undated < maxUndatedLines {
			return
		}
	} else {
		s.Times = append(s.Times, t)
	}
	if int64(len(s.Times)) >= min(maxTimes, firstTimes*s.Step/firstStep) {
		s.halve()
	}
	s.undated, s.next = 0, (offset/s.Step+1)*s.Step
}

// halve keeps every second time.
func (s *sampler) halve() {
	for i := range len(s.Times) / 2 {
		s.Times[i] = s.Times[2*i]
	}
	s.Times, s.Step = s.Times[:len(s.Times)/2], 2*s.Step
}
