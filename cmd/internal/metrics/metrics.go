// Package metrics serves what a running wklog has seen to Prometheus.
package metrics

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Snapshot is what was seen so far.
type Snapshot struct {
	Events []Events
	Logs   []Log
	// Leading is the id of the most probable cause, empty for none, with its
	// Confidence from 0 to 1.
	Leading    string
	Confidence float64
	// Open are the beginnings of the incidents that go on, by their leading causes.
	Open map[string]time.Time
	// Last is the time of the newest event, zero for none.
	Last time.Time
	// Dropped are the notifications that were not delivered.
	Dropped int64
}

// Events counts the failures of one pattern in one log.
type Events struct {
	Pattern, Category, Severity, Source string
	Count                               int
}

// Log is how far one log was read. Behind is in bytes.
type Log struct {
	Source               string
	Lines, Bytes, Behind int64
}

// maxSources is how many logs have a label of their own: a series costs memory
// in Prometheus forever. The others are counted together.
const (
	maxSources = 100
	otherLogs  = "other"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("wklog_"+name, help, labels, nil)
}

// Collector gives a snapshot to Prometheus when it asks.
type Collector struct {
	snapshot func() Snapshot
	version  string

	events, lines, bytes, lag, leading, active, begin, last, dropped, build *prometheus.Desc
}

// NewCollector serves what snapshot returns; it is called from other goroutines.
func NewCollector(version string, snapshot func() Snapshot) *Collector {
	return &Collector{
		snapshot: snapshot, version: version,
		events:  desc("events_total", "TLS failures that were recognised.", "pattern", "category", "severity", "source"),
		lines:   desc("lines_total", "Lines that were read.", "source"),
		bytes:   desc("bytes_total", "Bytes that were read.", "source"),
		lag:     desc("lag_bytes", "Bytes of the followed file that are not read yet.", "source"),
		leading: desc("leading_cause_confidence", "Confidence of the most probable root cause, from 0 to 1.", "cause"),
		active:  desc("incident_active", "1 for each leading cause of an incident that goes on.", "cause"),
		begin:   desc("incident_begin_timestamp_seconds", "When the first incident of a cause that goes on began.", "cause"),
		last:    desc("last_event_timestamp_seconds", "Time of the newest failure in the log."),
		dropped: desc("notifications_dropped_total", "Notifications that were not delivered."),
		build:   desc("build_info", "Version of wklog.", "version"),
	}
}

// Describe lists the metrics.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.events, c.lines, c.bytes, c.lag, c.leading, c.active, c.begin, c.last, c.dropped, c.build} {
		to <- d
	}
}

// Collect gives their values.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	s := c.snapshot()
	labelOf := labelled(s.Logs)
	counts := map[Events]int{}
	for _, e := range s.Events {
		n := e.Count
		e.Source, e.Count = labelOf(e.Source), 0
		counts[e] += n
	}
	for e, n := range counts {
		to <- prometheus.MustNewConstMetric(c.events, prometheus.CounterValue, float64(n), e.Pattern, e.Category, e.Severity, e.Source)
	}
	logs := map[string]Log{}
	for _, l := range s.Logs {
		sum := logs[labelOf(l.Source)]
		sum.Lines, sum.Bytes, sum.Behind = sum.Lines+l.Lines, sum.Bytes+l.Bytes, sum.Behind+l.Behind
		logs[labelOf(l.Source)] = sum
	}
	for source, l := range logs {
		to <- prometheus.MustNewConstMetric(c.lines, prometheus.CounterValue, float64(l.Lines), source)
		to <- prometheus.MustNewConstMetric(c.bytes, prometheus.CounterValue, float64(l.Bytes), source)
		to <- prometheus.MustNewConstMetric(c.lag, prometheus.GaugeValue, float64(l.Behind), source)
	}
	if s.Leading != "" {
		to <- prometheus.MustNewConstMetric(c.leading, prometheus.GaugeValue, s.Confidence, s.Leading)
	}
	for cause, begin := range s.Open {
		to <- prometheus.MustNewConstMetric(c.active, prometheus.GaugeValue, 1, cause)
		if !begin.IsZero() {
			to <- prometheus.MustNewConstMetric(c.begin, prometheus.GaugeValue, float64(begin.UnixMilli())/1e3, cause)
		}
	}
	if !s.Last.IsZero() {
		to <- prometheus.MustNewConstMetric(c.last, prometheus.GaugeValue, float64(s.Last.UnixMilli())/1e3)
	}
	to <- prometheus.MustNewConstMetric(c.dropped, prometheus.CounterValue, float64(s.Dropped))
	to <- prometheus.MustNewConstMetric(c.build, prometheus.GaugeValue, 1, c.version)
}

// labelled gives the label of each log: its name for the first ones, and one for
// all the others. A label has to be UTF-8, and the names of files need not be.
func labelled(logs []Log) func(source string) string {
	known := map[string]bool{}
	for _, l := range logs {
		if len(known) < maxSources {
			known[l.Source] = true
		}
	}
	return func(source string) string {
		if known[source] {
			return strings.ToValidUTF8(source, "\ufffd")
		}
		return otherLogs
	}
}

// Server serves /metrics and /healthz.
type Server struct {
	listener net.Listener
	server   *http.Server
	serving  bool
	done     chan bool
}

// Listen takes an address; without a host it is that of this machine alone
// (127.0.0.1).
func Listen(address string) (*Server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	const limit = 10 * time.Second
	return &Server{listener: l, done: make(chan bool), server: &http.Server{
		ReadTimeout: limit, WriteTimeout: limit, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}}, nil
}

// Serve answers until Close. /healthz answers 200 while healthy returns nil, else
// 503.
func (s *Server) Serve(c prometheus.Collector, healthy func() error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(c, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if err := healthy(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	s.server.Handler = mux
	s.serving = true
	go func() {
		defer close(s.done)
		_ = s.server.Serve(s.listener) // it ends by Close only
	}()
}

// Address is where the server listens.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Close ends the server, at the latest with the context.
func (s *Server) Close(ctx context.Context) error {
	if !s.serving {
		return s.listener.Close()
	}
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	<-s.done
	return err
}
