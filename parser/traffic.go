package parser

import (
	"bytes"
	"time"
)

// Traffic is when a log was written to: the times at equally many bytes. It tells whether
// a server went on while it had no failures.
type Traffic struct {
	// Step is how many bytes are from one time to the next.
	Step  int64
	Times []time.Time
}

const (
	// firstStep is the step of a short log, and maxTimes how many times are kept: a
	// longer one has larger steps.
	firstStep = 2 << 10
	maxTimes  = 256
	// maxUndatedLines is how many lines without a time are passed over.
	maxUndatedLines = 8
)

// sampler looks up the times of a log.
type sampler struct {
	Traffic
	next int64 // offset
}

// sample looks up the time of a line in each step of a block, which begins at base.
func (s *sampler) sample(block []byte, base int64, d *dates) {
	for s.Step = max(s.Step, firstStep); s.next < base+int64(len(block)); s.next += s.Step {
		if t := firstTime(block[max(s.next-base, 0):], d); !t.IsZero() {
			s.Times = append(s.Times, t)
		}
		if len(s.Times) >= maxTimes {
			s.halve()
		}
	}
}

// halve keeps every second time.
func (s *sampler) halve() {
	for i := range len(s.Times) / 2 {
		s.Times[i] = s.Times[2*i]
	}
	s.Times, s.Step = s.Times[:len(s.Times)/2], 2*s.Step
}

// firstTime is that of the first dated line behind the one that a block begins within.
func firstTime(block []byte, d *dates) time.Time {
	for range maxUndatedLines {
		at := bytes.IndexByte(block, '\n')
		if at < 0 || at == len(block)-1 {
			break
		}
		block = block[at+1:]
		if t := d.timeOf(block[:lineEnd(block, 0)]); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
