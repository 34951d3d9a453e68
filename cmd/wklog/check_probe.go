package main

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/metrics"
	"wklog/cmd/internal/report"
	"wklog/cmd/internal/secrets"
	"wklog/patterns"
)

// leastInterval between two runs of the checks is no burden for a server.
const leastInterval = 5 * time.Second

// measured are the results of a run as Prometheus counts them.
func measured(list *report.Checklist) metrics.Checks {
	run := metrics.Checks{At: list.Generated}
	for _, line := range list.Checks {
		one := metrics.Check{
			Target: strings.ToValidUTF8(secrets.Hide(line.Target), "\ufffd"), ID: line.ID, Status: line.Status, Cause: line.Cause, Seconds: line.Seconds,
			Differ: line.ID == "live-certificates" && check.Differing(line.Key),
		}
		if end, ok := line.Values["not_after"].V.(time.Time); ok && strings.HasSuffix(line.ID, "-dates") {
			one.NotAfter = end
		}
		run.List = append(run.List, one)
	}
	return run
}

// probe repeats the checks until its end, serves the last ones to Prometheus, and writes
// what did not pass whenever that has changed.
func (a *app) probe(ctx context.Context, c *checking, catalogue *patterns.Catalogue) error {
	server, err := metrics.Listen(c.metricsAddr)
	if err != nil {
		return messages.NewError("error.metrics", c.metricsAddr, err)
	}
	var last atomic.Pointer[metrics.Checks]
	last.Store(&metrics.Checks{})
	server.Serve(metrics.NewCheckCollector(func() metrics.Checks { return *last.Load() }), func() error { return nil })
	defer func() {
		end, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = server.Close(end)
	}()
	if strings.HasSuffix(c.metricsAddr, ":0") { // the system chose the port
		a.complain(a.say.Say("metrics.address", server.Address()))
	}
	tick := time.NewTicker(c.interval)
	defer tick.Stop()
	for told := ""; ; {
		results, err := a.results(ctx, c)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil // what was cut off says nothing
		}
		list := report.NewChecklist(results, catalogue, a.say, time.Now())
		run := measured(list)
		last.Store(&run)
		var text strings.Builder
		if err := list.WriteBrief(&text, a.options(0)); err != nil {
			return err
		}
		if now := unchanging(list); now != told {
			told = now
			if _, err := a.stdout.Write([]byte(text.String())); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// unchanging is what tells two runs apart: the outcomes, without numbers that are others
// each time.
func unchanging(list *report.Checklist) string {
	var text strings.Builder
	for _, line := range list.Checks {
		text.WriteString(strings.Join([]string{line.Target, line.ID, line.Status, line.Key, line.Cause, "\n"}, " "))
	}
	return text.String()
}
