package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"wklog/cmd/internal/report"
	"wklog/cmd/internal/source"
	"wklog/parser"
	"wklog/patterns"
)

func (a *app) analyzeCommand() *cobra.Command {
	f := &analyzeFlags{}
	c := &cobra.Command{
		Use: "analyze PATH…", Short: a.say.Say("help.analyze"), Long: a.say.Say("help.analyze.long"),
		Example: a.say.Say("help.analyze.examples"),
	}
	flags := c.Flags()
	a.readingFlags(flags, f)
	flags.BoolVarP(&f.follow, "follow", "f", false, a.say.Say("flag.follow"))
	flags.BoolVar(&f.fromStart, "from-start", false, a.say.Say("flag.from-start"))
	flags.StringVar(&f.state, "state", "", a.say.Say("flag.state"))
	flags.DurationVar(&f.interval, "interval", 10*time.Second, a.say.Say("flag.interval"))
	flags.StringVar(&f.metricsAddr, "metrics-addr", "", a.say.Say("flag.metrics-addr"))
	flags.StringVar(&f.onNew, "on-new", "", a.say.Say("flag.on-new"))
	flags.StringVar(&f.webhook, "webhook", "", a.say.Say("flag.webhook"))
	flags.StringVar(&f.webhookFormat, "webhook-format", "json", a.say.Say("flag.webhook-format"))
	flags.SortFlags = false
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			args = []string{source.Stdin}
		}
		if err := a.checkFollowing(f, args); err != nil {
			return err
		}
		run, err := a.newAnalysis(f)
		if err != nil {
			return err
		}
		return run.over(c.Context(), args)
	}
	return c
}

// analysis is one run of analyze.
type analysis struct {
	app       *app
	flags     *analyzeFlags
	zone      *time.Location
	catalogue *patterns.Catalogue
	analyzer  *patterns.Analyzer
	prefilter *patterns.Prefilter
	out       io.Writer
	inputs    []report.Input
	sights    sights
	records   int64
	limit     source.Limit
	outErr    error
	open      openPanic

	// Of a report: what it is made with.
	baseline  *report.Document
	generated time.Time
	command   []string
	events    *report.EventsCSV
	cut       bool // the reading was ended before its end

	showing bool // a bar shows how far the reading is

	checks *report.Checklist // nil where none were made

	// redactor is nil where nothing is to be hidden.
	redactor *report.Redactor
	files    []string // arguments that name files

	// Of a stream: what is told while it comes.
	mutex    sync.Mutex
	live     *report.Live
	changed  bool      // there are events since the causes were ranked
	ranked   time.Time // when they were
	told     time.Time // when the counts were
	followed []*following
	saved    time.Time
	lead     *patterns.Diagnosis
	// listening gives the progress of streams by their names.
	listening map[string]func() *parser.Stats
	*telling
}

// newAnalysis checks the flags before anything is read.
func (a *app) newAnalysis(f *analyzeFlags) (*analysis, error) {
	if !slices.Contains(append(report.Forms(), "jsonl"), f.format) {
		return nil, errors.New(a.say.Say("error.format", f.format, strings.Join(append(report.Forms(), "jsonl"), ", ")))
	}
	if f.failOn != "never" && patterns.Severity(f.failOn).Rank() < 1 {
		return nil, errors.New(a.say.Say("error.fail-on", f.failOn))
	}
	r := &analysis{app: a, flags: f, zone: time.Local}
	if f.zone != "" {
		zone, err := time.LoadLocation(f.zone)
		if err != nil {
			return nil, errors.New(a.say.Say("error.tz", f.zone))
		}
		r.zone = zone
	}
	filter, err := r.filter()
	if err != nil {
		return nil, err
	}
	if r.catalogue, err = a.catalogue(); err != nil {
		return nil, err
	}
	if err := r.knows(); err != nil {
		return nil, err
	}
	if r.limit, err = limitOf(f.maxExpand); err != nil {
		return nil, errors.New(a.say.Say("error.max-expand", f.maxExpand))
	}
	if f.redact {
		r.redactor = report.NewRedactor()
	}
	r.prefilter = r.catalogue.Prefilter()
	r.analyzer, err = patterns.NewAnalyzer(r.catalogue, filter)
	return r, err
}

func (r *analysis) over(ctx context.Context, args []string) error {
	r.files = append(append(slices.Clone(args), r.app.catalogs...), r.flags.output, r.flags.baseline, r.flags.nodeFrom, r.flags.check)
	if r.flags.check != "" {
		if err := r.settleBy(ctx, r.flags.check); err != nil {
			return err
		}
	}
	out, done, err := r.create()
	if err != nil {
		return err
	}
	r.out = out
	if r.analyzer.Node == nil {
		r.analyzer.Node = func(log string) string {
			if slices.Contains(args, log) {
				return "" // files that are named one by one may be one server's
			}
			return nodeByPath(filepath.ToSlash(log), args)
		}
	}
	if r.flags.follow || slices.Equal(args, []string{source.Stdin}) {
		r.startLive()
		if err := r.startTelling(); err != nil {
			return err
		}
		defer r.endTelling()
	}
	if r.flags.events {
		if r.events, err = report.WriteEventsCSV(out, r.catalogue, r.app.say); err != nil {
			return err
		}
	}
	if r.live != nil || r.flags.format == "jsonl" || r.events != nil || r.listens() {
		r.analyzer.OnEvent = r.event
	}
	if r.live != nil || r.flags.format == "jsonl" || r.flags.format == "csv" {
		r.analyzer.OnStop = r.stopped
	}
	if r.showing, err = r.showsProgress(); err != nil {
		return err
	}
	var failures []source.Failure
	if r.flags.follow {
		if failures, err = r.follow(ctx, args); err != nil {
			return err
		}
	} else {
		failures = r.readAll(ctx, args)
		r.cut = ctx.Err() != nil && !slices.Equal(args, []string{source.Stdin}) // a stream ends so
	}
	r.endLive()
	if err := r.finish(failures); err != nil {
		return err
	}
	return errors.Join(r.outErr, done())
}

// create gives the place where the report goes.
func (r *analysis) create() (io.Writer, func() error, error) {
	if r.flags.output == "" || r.flags.output == "-" {
		return r.app.stdout, func() error { return nil }, nil
	}
	f, err := os.Create(r.flags.output)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %s", r.flags.output, r.app.fileError(err))
	}
	return f, f.Close, nil
}

// event shows an event as soon as it is known: as a line of JSON, or on a
// stream as one line for each new kind of failure.
func (r *analysis) event(e *patterns.Event) {
	r.changed = true
	if r.redactor != nil {
		e = r.redactor.Event(e)
	}
	if r.listens() {
		r.tell(e)
	}
	switch {
	case r.outErr != nil:
	case r.flags.format == "jsonl":
		r.outErr = report.WriteEvent(r.out, r.catalogue, e)
	case r.events != nil:
		r.outErr = r.events.Event(e)
	case r.live != nil:
		r.outErr = r.live.Event(e)
	}
}

// stopped tells of an end of the server that is none of a TLS failure: on a stream
// at once, and on standard error where the output holds failures alone.
func (r *analysis) stopped(s *patterns.Stop) {
	if r.redactor != nil {
		s = r.redactor.Stop(s)
	}
	switch {
	case r.outErr != nil:
	case r.live != nil:
		r.outErr = r.live.Stop(s)
	default:
		r.app.complain(fmt.Sprintf("%s:%d: %s", s.Source, s.Line, r.app.say.Say("stopped", s.Reason)))
	}
}

// readAll reads the files, several at the same time, and analyses what they give
// in their order.
func (r *analysis) readAll(ctx context.Context, args []string) []source.Failure {
	if r.live == nil && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(150) // the heap is small: fewer collections cost little memory
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	progress := &source.Progress{}
	if r.showing {
		defer r.showProgress(progress)()
	}
	queues := make(chan *queue, max(r.flags.jobs, 1))
	failures := make(chan []source.Failure, 1)
	go func() {
		defer close(queues)
		failures <- source.Reading{
			Args: args, Stdin: r.app.stdin, Jobs: r.flags.jobs, Output: r.flags.output, Limit: r.limit, Progress: progress,
			Visit: func() source.Visitor {
				q := r.newQueue(ctx)
				queues <- q
				return q
			},
		}.Walk(ctx)
	}()
	defer r.beating()()
	for q := range queues {
		r.drain(q, cancel)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.open.settle(nil)
	return <-failures
}

// listen notes where to ask how far a stream was read.
func (r *analysis) listen(name string, stats func() *parser.Stats) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.listening = map[string]func() *parser.Stats{name: stats}
}

// drain analyses what one file gives. When the output is closed the rest is
// passed over.
func (r *analysis) drain(q *queue, cancel func()) {
	var log *source.Log
	var src *patterns.Source
	for items := q.take(nil); len(items) > 0; items = q.take(items) {
		r.mutex.Lock()
		for i, next := range items {
			switch {
			case next.log != nil:
				log = next.log
				r.open.settle(log)
				r.analyzer.Alone = log.Alone
				src = r.analyzer.Source(log.Name)
				src.Copy = log.Copy
			case next.end != nil:
				r.note(log, next.end)
				if r.open.source != src {
					src.End()
				}
			case r.outErr != nil:
				cancel()
			case next.record.Open:
				r.open = openPanic{source: src, record: next.record}
			default:
				src.Add(next.record)
			}
			items[i] = item{}
		}
		r.mutex.Unlock()
	}
}

// openPanic is a panic within whose trace a log ended.
type openPanic struct {
	source *patterns.Source
	record *parser.Record
}

// settle adds the panic, with the rest of its trace where the next log goes on.
func (o *openPanic) settle(next *source.Log) {
	if o.source == nil {
		return
	}
	if next != nil && next.Continues {
		o.record.Continue(next.Head)
	}
	o.source.Add(o.record)
	o.source.End()
	*o = openPanic{}
}

// note keeps what the report tells about a log. Damage in the middle of one is
// reported, with what came before it.
func (r *analysis) note(l *source.Log, end *ending) {
	stats := end.stats
	input := report.Input{
		Name: l.Name, Bytes: stats.Bytes, Lines: stats.Lines, Wrapper: string(stats.Wrapper),
		First: report.Moment(stats.First), Last: report.Moment(stats.Last),
	}
	switch {
	case end.err != nil:
		input.Error = r.failure(end.err)
	case stats.TooLong > 0:
		input.Error = r.app.say.Say("error.long", stats.TooLong, stats.FirstTooLong, report.Bytes(parser.MaxLine))
	case stats.Bytes == 0:
		input.Error = r.app.say.Say("error.empty")
	}
	r.inputs = append(r.inputs, input)
	r.sights.note(l.Name, &stats)
	r.records += stats.Records
}

// options say how a log is read.
func (r *analysis) options(l *source.Log) parser.Options {
	return parser.Options{
		Search: func(block []byte) parser.Finder { return r.prefilter.Search(block) },
		Nearby: r.prefilter.Nearby,
		Zone:   r.zone, Reference: l.Modified,
	}
}

// finish writes the report and sets the exit status.
func (r *analysis) finish(failures []source.Failure) error {
	doc := r.document(failures)
	if r.events != nil && r.outErr == nil {
		return r.events.Flush()
	}
	if r.flags.format == "jsonl" || r.outErr != nil || !r.readAny() {
		return nil
	}
	return report.Write(r.out, r.flags.format, doc, r.app.options(r.flags.top))
}

// document sums up, complains of what could not be read, and sets the exit
// status.
func (r *analysis) document(failures []source.Failure) *report.Document {
	result := r.analyzer.Result()
	if r.checks != nil {
		r.analyzer.Settle(r.checks.Proofs(result.Last))
		result = r.analyzer.Result()
	}
	doc := report.New(&result, r.app.say, r.now())
	r.describe(doc, failures)
	if r.baseline != nil {
		doc.Compare(r.baseline)
	}
	if r.checks != nil {
		doc.AddChecks(r.checks, r.catalogue, r.app.say)
	}
	r.setStatus(&result, failures)
	for _, e := range doc.Errors {
		if !r.flags.follow { // it was told at once
			r.app.complain(e.Source + ": " + e.Message)
		}
	}
	if r.redactor != nil {
		r.redactor.Document(doc, r.files)
	}
	return doc
}

func (r *analysis) setStatus(result *patterns.Analysis, failures []source.Failure) {
	if slices.ContainsFunc(failures, func(f source.Failure) bool { return !f.Minor }) {
		r.app.status = exitWrong
		return
	}
	if r.flags.failOn == "never" {
		return
	}
	for _, f := range result.Findings {
		if f.Pattern.Severity.Rank() >= patterns.Severity(r.flags.failOn).Rank() {
			r.app.status = exitReached
		}
	}
}
