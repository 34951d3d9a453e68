package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wklog/cmd/internal/source"
	"wklog/patterns"
)

// analyzeFlags are the flags of analyze, as they stand on the command line.
type analyzeFlags struct {
	format, output     string
	since, until, zone string
	level, failOn      string
	patterns, causes   []string
	top, jobs          int
	follow, fromStart  bool
	interval           time.Duration
	state              string
	metricsAddr, onNew string
	webhook            string
	webhookFormat      string
}

// checkFollowing checks the flags of streams.
func (a *app) checkFollowing(f *analyzeFlags, args []string) error {
	if f.interval < beat/2 {
		return errors.New(a.say.Say("error.interval", f.interval))
	}
	if f.follow && slices.Contains(args, source.Stdin) {
		return errors.New(a.say.Say("error.follow"))
	}
	for name, given := range map[string]bool{"from-start": f.fromStart, "state": f.state != ""} {
		if given && !f.follow {
			return errors.New(a.say.Say("error.follow.only", name))
		}
	}
	stream := f.follow || len(args) == 0 || slices.Equal(args, []string{source.Stdin})
	for name, given := range map[string]bool{"metrics-addr": f.metricsAddr != "", "on-new": f.onNew != "", "webhook": f.webhook != ""} {
		if given && !stream {
			return errors.New(a.say.Say("error.stream.only", name))
		}
	}
	return nil
}

func (r *analysis) filter() (patterns.Filter, error) {
	say := r.app.say
	f := patterns.Filter{Patterns: r.flags.patterns, Causes: r.flags.causes}
	var err error
	if f.Since, err = moment(r.flags.since, r.zone); err != nil {
		return f, errors.New(say.Say("error.time", "--since", r.flags.since))
	}
	if f.Until, err = moment(r.flags.until, r.zone); err != nil {
		return f, errors.New(say.Say("error.time", "--until", r.flags.until))
	}
	levels := map[string]patterns.Severity{
		"": "", "debug": patterns.SeverityInfo, "info": patterns.SeverityInfo,
		"warn": patterns.SeverityWarning, "warning": patterns.SeverityWarning, "error": patterns.SeverityError,
	}
	severity, ok := levels[strings.ToLower(r.flags.level)]
	if !ok {
		return f, errors.New(say.Say("error.level", r.flags.level))
	}
	f.Severity = severity
	return f, nil
}

// knows checks that the patterns and causes asked for exist.
func (r *analysis) knows() error {
	for _, id := range r.flags.patterns {
		if r.catalogue.Pattern(strings.ToLower(id)) == nil {
			return errors.New(r.app.say.Say("error.pattern", id))
		}
	}
	for _, id := range r.flags.causes {
		if r.catalogue.Cause(strings.ToLower(id)) == nil {
			return errors.New(r.app.say.Say("error.cause", id))
		}
	}
	return nil
}

// moment reads a time: RFC 3339, a wall clock, a date, or a duration back from
// now. Empty is the zero time.
func moment(s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return time.Now().Add(-d.Abs()), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", s)
}
