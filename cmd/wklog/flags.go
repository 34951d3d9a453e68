package main

import (
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/cmd/internal/run"
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
	maxExpand          string
	redact             bool
	incident           int
	verbose            bool
	progress           string
	check              string
	engineFlags
	reportFlags
}

// readingFlags are those of every command that reads logs.
func (a *app) readingFlags(flags *pflag.FlagSet, f *analyzeFlags) {
	flags.StringVar(&f.format, "format", "table", a.say.Say("flag.format", strings.Join(report.Outputs(), "|")))
	flags.StringVarP(&f.output, "output", "o", "", a.say.Say("flag.output"))
	flags.StringVar(&f.since, "since", "", a.say.Say("flag.since"))
	flags.StringVar(&f.until, "until", "", a.say.Say("flag.until"))
	flags.StringVar(&f.zone, "tz", "", a.say.Say("flag.tz"))
	flags.StringVar(&f.level, "level", "", a.say.Say("flag.level"))
	flags.StringSliceVar(&f.patterns, "pattern", nil, a.say.Say("flag.pattern"))
	flags.StringSliceVar(&f.causes, "cause", nil, a.say.Say("flag.cause"))
	flags.StringVar(&f.check, "check", "", a.say.Say("flag.check"))
	flags.IntVar(&f.incident, "incident", 0, a.say.Say("flag.incident"))
	flags.BoolVar(&f.verbose, "verbose", false, a.say.Say("flag.verbose"))
	flags.IntVar(&f.top, "top", 5, a.say.Say("flag.top"))
	flags.StringVar(&f.failOn, "fail-on", "never", a.say.Say("flag.fail-on"))
	flags.IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), a.say.Say("flag.jobs"))
	flags.StringVar(&f.progress, "progress", "auto", a.say.Say("flag.progress"))
	flags.BoolVar(&f.redact, "redact", false, a.say.Say("flag.redact"))
	a.engineFlags(flags, f)
	flags.StringVar(&f.maxExpand, "max-expand", "", a.say.Say("flag.max-expand"))
}

// mostJobs bounds --jobs: each takes memory, and more than there are cores bring nothing.
const mostJobs = 1024

// zoneOf is the time zone of --tz.
func zoneOf(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, messages.NewError("error.tz", name)
	}
	return zone, nil
}

// checkStream checks the flags of streams.
func (f *analyzeFlags) checkStream(args []string) error {
	if f.interval < run.Beat/2 {
		return messages.NewError("error.interval", f.interval)
	}
	if f.follow && slices.Contains(args, source.Stdin) {
		return messages.NewError("error.follow")
	}
	for name, given := range map[string]bool{"from-start": f.fromStart, "state": f.state != ""} {
		if given && !f.follow {
			return messages.NewError("error.follow.only", name)
		}
	}
	stream := f.follow || slices.Equal(args, []string{source.Stdin})
	for name, given := range map[string]bool{"metrics-addr": f.metricsAddr != "", "on-new": f.onNew != "", "webhook": f.webhook != ""} {
		if given && !stream {
			return messages.NewError("error.stream.only", name)
		}
	}
	if f.webhook == "" && f.webhookFormat != "json" {
		return messages.NewError("error.webhook-format.alone")
	}
	return nil
}

// filter keeps the events that the flags ask for.
func (f *analyzeFlags) filter(c *patterns.Catalogue, zone *time.Location) (patterns.Filter, error) {
	filter := patterns.Filter{Patterns: f.patterns, Causes: f.causes}
	var err error
	if filter.Since, err = moment("--since", f.since, zone); err != nil {
		return filter, err
	}
	if filter.Until, err = moment("--until", f.until, zone); err != nil {
		return filter, err
	}
	levels := map[string]patterns.Severity{
		"": "", "debug": patterns.SeverityInfo, "info": patterns.SeverityInfo,
		"warn": patterns.SeverityWarning, "warning": patterns.SeverityWarning, "error": patterns.SeverityError,
	}
	severity, ok := levels[strings.ToLower(f.level)]
	if !ok {
		return filter, messages.NewError("error.level", f.level)
	}
	filter.Severity = severity
	for _, id := range f.patterns {
		if c.Pattern(strings.ToLower(id)) == nil {
			return filter, messages.NewError("error.pattern", id)
		}
	}
	for _, id := range f.causes {
		if c.Cause(strings.ToLower(id)) == nil {
			return filter, messages.NewError("error.cause", id)
		}
	}
	return filter, nil
}

// moment reads a flag's time: RFC 3339, a wall clock, a date, or a duration back
// from now. Empty is the zero time.
func moment(flag, s string, zone *time.Location) (time.Time, error) {
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
	return time.Time{}, messages.NewError("error.time", flag, s)
}
