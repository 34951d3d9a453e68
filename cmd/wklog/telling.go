package main

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"wklog/cmd/internal/metrics"
	"wklog/cmd/internal/notify"
	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// secretVariable is the environment variable with the secret of a chat robot: on
// the command line everybody on the machine could read it.
const secretVariable = "WKLOG_WEBHOOK_SECRET"

// patience is how long the end of the program waits for what is being sent.
const patience = 10 * time.Second

// telling is who else is told of a stream: commands, webhooks, Prometheus.
type telling struct {
	queues []*notify.Queue
	server *metrics.Server

	met    map[*patterns.Pattern]bool
	counts map[metrics.Events]int
	last   time.Time
}

// startTelling starts what the flags ask for.
func (r *analysis) startTelling() error {
	r.telling = &telling{met: map[*patterns.Pattern]bool{}, counts: map[metrics.Events]int{}}
	senders, err := r.senders()
	if err != nil {
		return err
	}
	if r.flags.metricsAddr != "" {
		c := metrics.NewCollector(version(), r.snapshot)
		if r.server, err = metrics.Serve(r.flags.metricsAddr, c, r.health); err != nil {
			return errors.New(r.app.say.Say("error.metrics", r.flags.metricsAddr, err))
		}
		if strings.HasSuffix(r.flags.metricsAddr, ":0") { // the system chose the port
			r.app.complain(r.app.say.Say("metrics.address", r.server.Address()))
		}
	}
	for _, s := range senders {
		r.queues = append(r.queues, notify.NewQueue(s, func(err error) {
			r.app.complain(r.app.say.Say("error.notify", err))
		}))
	}
	return nil
}

func (r *analysis) senders() ([]notify.Sender, error) {
	say := r.app.say
	var all []notify.Sender
	if line := r.flags.onNew; line != "" {
		c, err := notify.NewCommand(line, r.app.stderr)
		switch {
		case errors.Is(err, notify.ErrShell):
			return nil, errors.New(say.Say("error.on-new.shell"))
		case errors.Is(err, notify.ErrQuotes):
			return nil, errors.New(say.Say("error.on-new.quotes"))
		case err != nil:
			return nil, errors.New(say.Say("error.on-new", err))
		}
		all = append(all, c)
	}
	if r.flags.webhook != "" {
		w, err := notify.NewWebhook(r.flags.webhook, r.flags.webhookFormat, os.Getenv(secretVariable))
		switch {
		case errors.Is(err, notify.ErrForm):
			return nil, errors.New(say.Say("error.webhook-format", r.flags.webhookFormat, strings.Join(notify.Robots(), ", ")))
		case err != nil:
			return nil, errors.New(say.Say("error.webhook"))
		}
		all = append(all, w)
	}
	return all, nil
}

// listens tells whether events are counted or sent on.
func (t *telling) listens() bool { return t != nil && (len(t.queues) > 0 || t.server != nil) }

// tell counts an event, and sends on the first of its kind.
func (r *analysis) tell(e *patterns.Event) {
	t := r.telling
	p := e.Pattern
	t.counts[metrics.Events{Pattern: p.ID, Category: p.Category, Severity: string(p.Severity), Source: e.Source}]++
	if at := e.Time(); at.After(t.last) {
		t.last = at
	}
	if t.met[p] || len(t.queues) == 0 {
		return
	}
	t.met[p] = true
	var event bytes.Buffer
	if err := report.WriteEvent(&event, r.catalogue, e); err != nil {
		return // a buffer takes everything
	}
	title, text := report.Notice(r.catalogue, e, r.app.say)
	for _, q := range t.queues {
		q.Send(notify.Message{Event: bytes.TrimSpace(event.Bytes()), Title: title, Text: text})
	}
}

// snapshot is what Prometheus is told.
func (r *analysis) snapshot() metrics.Snapshot {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	s := metrics.Snapshot{Last: r.telling.last, Logs: r.progress()}
	for e, n := range r.telling.counts {
		e.Count = n
		s.Events = append(s.Events, e)
	}
	if r.changed {
		r.changed, r.ranked, r.lead = false, time.Now(), r.leading()
	}
	if r.lead != nil {
		s.Leading, s.Confidence = r.lead.Cause.ID, r.lead.Confidence
	}
	for _, q := range r.queues {
		s.Dropped += q.Dropped() + q.Failed()
	}
	return s
}

// progress is how far the logs were read.
func (r *analysis) progress() []metrics.Log {
	var logs []metrics.Log
	for _, l := range r.followed {
		stats := l.feed.Stats()
		logs = append(logs, metrics.Log{Source: l.log.Name, Lines: stats.Lines, Bytes: stats.Bytes, Behind: l.behind})
	}
	for _, name := range slices.Sorted(maps.Keys(r.listening)) {
		stats := r.listening[name]()
		logs = append(logs, metrics.Log{Source: name, Lines: stats.Lines, Bytes: stats.Bytes})
	}
	return logs
}

// health is an error when the stream is not read any more.
func (r *analysis) health() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.outErr
}

// endTelling waits a little for what is being sent.
func (r *analysis) endTelling() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, q := range r.queues {
		q.Close(ctx)
		if q.Dropped() > 0 {
			r.app.complain(r.app.say.Say("error.dropped", q.Dropped()))
		}
	}
	if r.server != nil {
		_ = r.server.Close(ctx)
	}
}
