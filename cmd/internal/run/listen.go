package run

import (
	"errors"
	"io"
	"sync"
	"time"

	"wklog/cmd/internal/source"
	"wklog/parser"
)

// listener reads a stream that may fall silent: then what waits for more is handed
// out.
type listener struct {
	mutex sync.Mutex
	feed  *parser.Feed
	fed   time.Time
}

// listen reads a live log to its end and notes how far it is; asking for that must
// not wait for the analysis.
func listen(l *source.Log, opts parser.Options, emit func(*parser.Record) error, far func(parser.Stats), passed func(parser.Traffic)) (parser.Stats, error) {
	s := &listener{feed: parser.NewFeed(opts, emit), fed: time.Now()}
	stop := every(Beat, func(now time.Time) { passed(s.flush(now)) })
	buf := make([]byte, 256<<10)
	var err error
	for err == nil {
		var n int
		asked := time.Now()
		n, err = l.Read(buf)
		far(s.write(buf[:n], asked))
	}
	stop()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	stats := s.feed.Stats()
	stats.Traffic = s.feed.Traffic()
	return stats, errors.Join(err, s.feed.End())
}

func (s *listener) write(data []byte, asked time.Time) parser.Stats {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.fed = time.Now()
	_ = s.feed.Write(data, parser.Arrival{At: s.fed, Waited: s.fed.Sub(asked) > pause}) // emit never fails
	return s.feed.Stats()
}

// flush also tells when the log was written to.
func (s *listener) flush(now time.Time) parser.Traffic {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.feed.Waiting() && now.Sub(s.fed) >= silence {
		_ = s.feed.Flush()
	}
	return s.feed.Traffic()
}

// every calls something at each interval until stop is called, which waits for
// the last call.
func every(interval time.Duration, do func(now time.Time)) (stop func()) {
	end, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		ticks := time.NewTicker(interval)
		defer ticks.Stop()
		for {
			select {
			case now := <-ticks.C:
				do(now)
			case <-end:
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}
