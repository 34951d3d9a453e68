package run

import (
	"context"
	"time"

	"wklog/cmd/internal/source"
)

// farewell is how long the writer of a stream may take to end after Ctrl-C, once
// the report is out.
const farewell = 3 * time.Second

// Stream reads standard input as it comes.
type Stream struct{ Batch }

// Run reads to the end, or until the context ends.
func (s *Stream) Run(ctx context.Context) []source.Failure {
	defer every(Beat, func(now time.Time) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		if p := s.passed.Load(); p != nil {
			s.analyzer.Traffic(p.name, p.traffic)
		}
		s.tick(now)
	})()
	return s.run(ctx)
}

// Linger waits for the writer of a stream whose reading was ended.
func (s *Stream) Linger(ctx context.Context) {
	if ctx.Err() != nil && s.Err() == nil {
		s.Stdin.Linger(farewell)
	}
}

// Far is how far the stream was read.
func (s *Stream) Far() []Progress {
	if f := s.far.Load(); f != nil {
		return []Progress{{Name: f.name, Lines: f.stats.Lines, Bytes: f.stats.Bytes}}
	}
	return nil
}
