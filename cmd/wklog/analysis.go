package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/cmd/internal/run"
	"wklog/cmd/internal/source"
	"wklog/patterns"
)

// analysis is one analysis of logs, as the flags ask for it.
type analysis struct {
	app       *app
	flags     *analyzeFlags
	zone      *time.Location
	catalogue *patterns.Catalogue
	analyzer  *patterns.Analyzer
	limit     source.Limit
	facts     run.Facts
	filter    patterns.Filter
	redactor  *report.Redactor // nil where nothing is to be hidden
}

// newAnalysis checks the flags before anything is read.
func (a *app) newAnalysis(f *analyzeFlags) (*analysis, error) {
	if !slices.Contains(report.Outputs(), f.format) {
		return nil, messages.NewError("error.format", f.format, report.Outputs())
	}
	if f.failOn != "never" && patterns.Severity(f.failOn).Rank() < 1 {
		return nil, messages.NewError("error.fail-on", f.failOn)
	}
	zone, err := zoneOf(f.zone)
	if err != nil {
		return nil, err
	}
	c, err := a.catalogue()
	if err != nil {
		return nil, err
	}
	filter, err := f.filter(c, zone)
	if err != nil {
		return nil, err
	}
	n := &analysis{app: a, flags: f, zone: zone, catalogue: c, filter: filter, facts: run.Facts{
		Say: a.say, Generated: time.Now().Truncate(time.Second), Version: version(),
	}}
	if n.limit, err = source.ParseLimit(f.maxExpand); err != nil {
		return nil, messages.NewError("error.max-expand", f.maxExpand)
	}
	if f.redact {
		n.redactor = report.NewRedactor()
	}
	if n.analyzer, err = patterns.NewAnalyzer(c, filter); err == nil {
		n.analyzer.ByNode, n.analyzer.Nameless = true, f.redact
		n.analyzer.Conceal(holdsSecret)
	}
	return n, err
}

// core leads the logs to sinks.
func (n *analysis) core(sinks report.Sinks) *run.Core {
	if n.redactor != nil {
		sinks = report.Sinks{n.redactor.Sink(sinks)}
	}
	options := n.catalogue.ReadOptions()
	options.Zone = n.zone
	return run.NewCore(n.analyzer, options, sinks)
}

// over reads the logs, of files or of a stream, and writes the report.
func (n *analysis) over(ctx context.Context, args []string) error {
	if slices.Contains(args, "") {
		return messages.NewError("error.path.empty")
	}
	if n.flags.check != "" {
		if err := n.settleBy(ctx, n.flags.check); err != nil {
			return err
		}
	}
	if n.analyzer.Node == nil {
		byFolder := source.NodesOf(args)
		n.analyzer.Node = func(log string) string {
			if slices.Contains(args, log) {
				return "" // files that are named one by one may be one server's
			}
			return byFolder(log)
		}
	}
	streams := n.flags.follow || slices.Equal(args, []string{source.Stdin})
	out, done, err := n.output(args, streams)
	if err != nil {
		return err
	}
	defer func() { _ = done(false) }()
	commit := func() error { return nil }
	if n.flags.follow && source.IsEngine(args[0]) {
		held := bufio.NewWriterSize(out, 8<<20) // what one page gives
		out, commit = held, held.Flush
	}
	var told *telling
	if streams {
		if told, err = n.tell(); err != nil {
			return err
		}
		defer told.close()
	}
	sinks, err := n.sinks(out, streams, told)
	if err != nil {
		return err
	}
	core := n.core(sinks)
	var failures []source.Failure
	switch {
	case n.flags.follow && source.IsEngine(args[0]):
		failures, err = n.poll(ctx, core, told, args, commit)
	case n.flags.follow:
		failures, err = n.follow(ctx, core, told, args)
	case streams:
		stream := &run.Stream{Batch: n.batch(ctx, core, args)}
		told.watch(core, stream.Far)
		failures = stream.Run(ctx)
		defer stream.Linger(ctx)
	default:
		failures, err = n.read(ctx, core, args, isTerminal(out))
		n.facts.Cut = ctx.Err() != nil
	}
	if err != nil {
		return err
	}
	n.explainFailures(ctx, failures)
	if err := errors.Join(n.finish(core, args, failures), commit()); err != nil {
		return err
	}
	return done(core.HasRead() || n.flags.output == "")
}

// finish writes the report, complains of what could not be read, and sets the exit
// status.
func (n *analysis) finish(core *run.Core, args []string, failures []source.Failure) error {
	doc, result := core.Document(n.facts, failures)
	if found := len(doc.Incidents); n.flags.incident != 0 && !doc.Only(n.flags.incident) {
		return messages.NewError("error.incident", n.flags.incident, found)
	}
	n.setStatus(result, failures)
	for _, e := range doc.Errors {
		if !n.flags.follow { // it was told at once
			n.app.complainOf(e.Source, e.Message)
		}
	}
	if err := core.Err(); err != nil {
		return err
	}
	if n.flags.format == "table" && !core.HasRead() {
		return nil // for programs there is always a document
	}
	n.complete(doc, args)
	return core.End(doc)
}

// complete adds the checks to a document, and hides what is not to be shown.
func (n *analysis) complete(doc *report.Document, args []string) {
	checks := n.facts.Checks
	if n.redactor != nil {
		n.redactor.Document(doc, slices.Concat(args, n.app.catalogs, []string{n.flags.output, n.flags.baseline, n.flags.nodeFrom, n.flags.check}))
		if checks != nil {
			checks = n.redactor.Checklist(checks, n.app.say)
		}
	}
	if checks != nil {
		doc.AddChecks(checks, n.catalogue, n.app.say)
	}
}

func (n *analysis) setStatus(result *patterns.Analysis, failures []source.Failure) {
	if worst(failures) {
		n.app.status = exitWrong
		return
	}
	if n.flags.failOn == "never" {
		return
	}
	for _, f := range result.Findings {
		if f.Pattern.Severity.Rank() >= patterns.Severity(n.flags.failOn).Rank() {
			n.app.status = exitReached
		}
	}
}

// worst tells whether an input that should have been read could not be.
func worst(failures []source.Failure) bool {
	return slices.ContainsFunc(failures, func(f source.Failure) bool { return !f.Minor })
}

// sinks are those that the flags ask for.
func (n *analysis) sinks(out io.Writer, streams bool, told *telling) (report.Sinks, error) {
	opts := n.app.options(n.flags.top)
	opts.Verbose = n.flags.verbose
	var sinks report.Sinks
	if told != nil {
		sinks = told.sinks()
	}
	if n.flags.format == "jsonl" || n.flags.format == "csv" { // which hold failures alone
		sinks = append(sinks, complaining{n.app})
	}
	if n.flags.events {
		events, err := report.NewEventsCSV(out, n.catalogue, n.app.say)
		return append(sinks, events), err
	}
	if streams && n.flags.format == "table" && n.flags.output == "" {
		inPlace := isTerminal(n.app.stdout) && os.Getenv("TERM") != "dumb"
		sinks = append(sinks, report.NewLive(out, n.catalogue, opts, inPlace, n.flags.interval))
	}
	sink, err := report.NewSink(out, n.flags.format, n.catalogue, opts)
	return append(sinks, sink), err
}

// batch reads files or a stream.
func (n *analysis) batch(ctx context.Context, core *run.Core, args []string) run.Batch {
	return run.Batch{
		Core: core, Args: args, Stdin: source.NewStream(ctx, n.app.stdin), Jobs: min(n.flags.jobs, mostJobs), Outputs: n.outputs(), Limit: n.limit, Engines: n.engines(),
	}
}

// outputs are the files that are written, which are no inputs.
func (n *analysis) outputs() []string {
	outputs := []string{n.flags.output}
	if out := n.app.unfinished.Load(); out != nil {
		outputs = append(outputs, out.Name())
	}
	return outputs
}

// read reads files, with a bar while it takes long. quiet says that something else
// is written to the terminal meanwhile.
func (n *analysis) read(ctx context.Context, core *run.Core, args []string, quiet bool) ([]source.Failure, error) {
	b := n.batch(ctx, core, args)
	shows, err := n.showsProgress(quiet)
	if err != nil {
		return nil, err
	}
	if shows {
		b.Progress = &source.Progress{}
		defer n.showProgress(b.Progress)()
	}
	return b.Run(ctx), nil
}

// follow analyses what is appended to logs, until the context ends.
func (n *analysis) follow(ctx context.Context, core *run.Core, told *telling, paths []string) ([]source.Failure, error) {
	state, err := openState(n.flags.state)
	if err != nil {
		return nil, err
	}
	defer state.Close()
	f := &run.Follow{
		Core: core, Paths: paths, FromStart: n.flags.fromStart, State: state,
		Report: n.complainOf(),
	}
	told.watch(core, f.Far)
	failures, err := f.Run(ctx)
	if errors.Is(err, source.ErrState) {
		err = messages.NewError("error.state", n.flags.state)
	}
	return failures, err
}

// complainOf complains of the first inputs at once; the report tells how many more there
// are.
func (n *analysis) complainOf() func(source.Failure) {
	told := 0
	return func(failure source.Failure) {
		if told++; told <= run.MaxComplaints {
			n.app.complainOf(failure.Source, run.Reason(failure.Err, n.app.say))
		}
	}
}

func openState(path string) (*source.State, error) {
	if path == "" {
		return nil, nil
	}
	state, err := source.OpenState(path)
	switch {
	case errors.Is(err, source.ErrState):
		return nil, messages.NewError("error.state", path)
	case errors.Is(err, source.ErrStateUsed):
		return nil, messages.NewError("error.state.used", path)
	case err != nil:
		return nil, messages.InFile(path, err)
	}
	return state, nil
}

// output is the place where the report goes; done puts it there, or leaves what
// was there before. Events of a stream are appended to what an earlier run told.
func (n *analysis) output(args []string, streams bool) (w io.Writer, done func(whole bool) error, err error) {
	name := n.flags.output
	if name == "" || name == "-" {
		return n.app.stdout, func(bool) error { return nil }, nil
	}
	if err := n.isInput(name, args); err != nil {
		return nil, nil, err
	}
	if streams && n.flags.format == "jsonl" {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
		if err != nil {
			return nil, nil, messages.InFile(name, err)
		}
		return file, func(bool) error { return file.Close() }, nil
	}
	out, err := report.NewOutput(name)
	if err != nil {
		return nil, nil, messages.InFile(name, err)
	}
	n.app.unfinished.Store(out)
	return out, func(whole bool) error {
		switch {
		case n.app.unfinished.Swap(nil) == nil:
			return nil
		case !whole:
			out.Discard()
			return nil
		}
		if err := out.Commit(); err != nil {
			return messages.InFile(name, err)
		}
		return nil
	}, nil
}

// isInput refuses an output that would take the place of what is read.
func (n *analysis) isInput(output string, args []string) error {
	info, err := os.Stat(output)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	for _, input := range slices.Concat(args, n.app.catalogs, []string{n.flags.check, n.flags.baseline, n.flags.state}) {
		if other, err := os.Stat(input); err == nil && os.SameFile(info, other) {
			return messages.NewError("error.output.input", output)
		}
	}
	if source.Holds(args, info) && !report.IsReport(output) {
		return messages.NewError("error.output.input", output)
	}
	return nil
}

// complaining tells on standard error that the server ended, and not of a TLS
// failure.
type complaining struct{ app *app }

// Listen tells that it takes no events.
func (complaining) Listen() bool { return false }

func (complaining) Event(*patterns.Event) error { return nil }

func (complaining) End(*report.Document) error { return nil }

func (c complaining) Stop(s *patterns.Stop) error {
	c.app.complain(fmt.Sprintf("%s:%d: %s", s.Source, s.Line, c.app.say.Say("stopped", s.Reason)))
	return nil
}
