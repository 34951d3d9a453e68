package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/doctor"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/cmd/internal/run"
	"wklog/cmd/internal/source"
	"wklog/patterns"
)

// examining is what doctor looks at, and how, as the flags name it.
type examining struct {
	analyzeFlags
	offline, watch bool
	timeout        time.Duration
	ca             string
	warnDays       int
	from           time.Time
	finders        []doctor.Finder
	// between is how long --watch waits.
	between time.Duration
	// inOrder bytes of files are read oldest first, which takes a second or two: of more the
	// newest come first.
	inOrder int64
	told    bool // which places were looked at
}

func (a *app) doctorCommand() *cobra.Command {
	kube := &doctor.Kube{}
	d := &examining{finders: doctor.Finders(kube), between: 5 * time.Second, inOrder: 256 << 20}
	d.failOn = "error"
	command := &cobra.Command{
		Use: "doctor", Short: a.say.Say("help.doctor"), Long: a.say.Say("help.doctor.long"),
		Example: a.say.Say("help.doctor.examples"), Args: a.arguments(0, 0),
	}
	flags := command.Flags()
	flags.StringVar(&d.format, "format", "", a.say.Say("flag.doctor.format", strings.Join(report.ExaminationForms(), "|")))
	flags.StringVarP(&d.output, "output", "o", "", a.say.Say("flag.output"))
	flags.StringVar(&d.since, "since", "", a.say.Say("flag.doctor.since"))
	flags.DurationVar(&d.timeout, "timeout", 30*time.Second, a.say.Say("flag.doctor.timeout"))
	flags.StringVar(&kube.Context, "context", "", a.say.Say("flag.doctor.context"))
	flags.StringVar(&kube.Namespace, "namespace", "", a.say.Say("flag.doctor.namespace"))
	flags.BoolVar(&d.offline, "offline", false, a.say.Say("flag.doctor.offline"))
	flags.BoolVar(&d.watch, "watch", false, a.say.Say("flag.doctor.watch"))
	flags.BoolVar(&d.redact, "redact", false, a.say.Say("flag.redact"))
	flags.BoolVar(&d.verbose, "verbose", false, a.say.Say("flag.verbose"))
	flags.StringVar(&d.ca, "ca", "", a.say.Say("flag.check.ca"))
	flags.SortFlags = false
	command.RunE = func(command *cobra.Command, _ []string) error { return a.doctor(command.Context(), d) }
	return command
}

// doctor examines once, or again until nothing is at fault.
func (a *app) doctor(ctx context.Context, d *examining) (err error) {
	if d.format == "" {
		d.format = "table"
		if form, ok := report.FormOf(d.output); ok {
			d.format = form
		}
	}
	if !slices.Contains(report.ExaminationForms(), d.format) {
		return messages.NewError("error.format", d.format, report.ExaminationForms())
	}
	if d.timeout <= 0 {
		return messages.NewError("error.check.timeout", d.timeout)
	}
	if d.from, err = moment("--since", d.since, time.Local); err != nil {
		return err
	}
	for before := (*report.Examination)(nil); ; {
		e, err := a.examine(ctx, d)
		switch {
		case err != nil:
			return err
		case before != nil && e.Cut:
			return nil // what half a look has not seen is not mended
		}
		a.status = e.Status(exitReached, exitWrong)
		e.Since(before)
		if before == nil || len(e.News) > 0 {
			if err := a.writeExamination(d, e); err != nil {
				return err
			}
		}
		if !d.watch || e.Green() {
			return nil
		}
		if before == nil {
			fmt.Fprintln(a.stderr, a.say.Say("doctor.watching", d.between.Seconds()))
		}
		before = e
		select {
		case <-time.After(d.between):
		case <-ctx.Done():
			return nil
		}
	}
}

func (a *app) writeExamination(d *examining, e *report.Examination) error {
	opts := a.options(3)
	opts.Verbose = d.verbose
	n := &analysis{app: a, flags: &d.analyzeFlags}
	out, done, err := n.output(nil, false)
	if err != nil {
		return err
	}
	defer func() { _ = done(false) }()
	if err := e.Write(out, d.format, opts); err != nil {
		return err
	}
	return done(true)
}

// examine finds, reads, checks, and puts together what is to be said.
func (a *app) examine(ctx context.Context, d *examining) (*report.Examination, error) {
	catalogue, err := a.catalogue()
	if err != nil {
		return nil, err
	}
	finding, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	looks := doctor.Find(finding, d.finders, func(l *doctor.Look) {
		if isTerminal(a.stderr) && !l.Absent && !d.told {
			fmt.Fprintln(a.stderr, a.say.Say("doctor.looked", a.say.Say("doctor.finder."+l.Finder), l.Found, l.Took.Seconds()))
		}
	})
	d.told = true
	var redactor *report.Redactor
	if d.redact {
		redactor = report.NewRedactor()
	}
	e := report.NewExamination(a.say, time.Now().Truncate(time.Second), looks, redactor)
	var patients []*patient
	for _, look := range looks {
		for _, s := range look.Servers {
			patients = append(patients, &patient{app: a, examining: d, catalogue: catalogue, Server: s})
		}
	}
	for _, p := range patients {
		p.load(ctx)
	}
	lookAt(patients, func(p *patient) { p.lead(ctx, patients) })
	for _, p := range patients {
		if p.settings != nil && endsAt(p.settings.Addr(), patients) {
			p.settings.StandBehind()
		}
	}
	lookAt(patients, func(p *patient) { p.look(ctx, patients) })
	for _, p := range patients {
		if p.err != nil {
			return nil, p.err
		}
		if p.aside {
			continue
		}
		list, doc := p.tell(redactor)
		e.Add(p.Server, list, doc, p.unseen)
		e.Unread = e.Unread || p.unread
	}
	if d.offline && len(e.Servers) > 0 {
		e.Miss(a.say.Say("doctor.endpoint"), messages.NewError("doctor.offline"))
	}
	e.Finish(ctx.Err() != nil)
	return e, nil
}

// mostPatients are looked at at the same time: most of it is waiting for answers.
const mostPatients = 8

// lookAt looks at the patients, some at the same time.
func lookAt(patients []*patient, look func(*patient)) {
	var looking errgroup.Group
	looking.SetLimit(mostPatients)
	for _, p := range patients {
		looking.Go(func() error { look(p); return nil }) // each keeps its own error
	}
	_ = looking.Wait()
}

// patient is a server that is examined.
type patient struct {
	*doctor.Server
	*examining
	app       *app
	catalogue *patterns.Catalogue

	settings *check.Settings
	proxies  []*check.Proxy
	aside    bool // it leads to no server
	core     *run.Core
	failures []source.Failure
	found    []check.Result
	unseen   []doctor.Unseen
	unread   bool // something of it, though it is there
	err      error
}

func (p *patient) miss(what string, why error) {
	p.unseen = append(p.unseen, doctor.Unseen{What: what, Why: why})
}

// load reads the settings that its process has.
func (p *patient) load(ctx context.Context) {
	if p.Settings == nil {
		return
	}
	var err error
	if p.settings, err = p.Settings(ctx); err != nil {
		p.miss(p.app.say.Say("doctor.settings"), err)
		p.settings, p.unread = nil, true
	}
}

// look reads its logs and makes its checks.
func (p *patient) look(ctx context.Context, all []*patient) {
	if p.aside {
		return
	}
	analyzer, err := patterns.NewAnalyzer(p.catalogue, patterns.Filter{Since: p.from})
	if err != nil {
		p.err = err
		return
	}
	analyzer.Nameless = p.redact
	analyzer.Conceal(holdsSecret)
	analyzer.Know(p.known()...)
	analyzer.DeployedAs(report.DeploymentOf(p.Facts))
	options := p.catalogue.ReadOptions()
	if options.Zone = time.Local; p.Zone != nil {
		options.Zone = p.Zone
	}
	p.core = run.NewCore(analyzer, options, nil)
	p.failures = p.read(ctx) // before the checks, which leave lines of their own
	p.unread = p.unread || slices.ContainsFunc(p.failures, func(f source.Failure) bool { return !f.Minor && !doctor.AsIntended(f.Err) })
	if p.found, p.err = p.results(ctx, all); p.err == nil {
		p.found = namesAreOpen(p.found)
	}
}

// namesAreOpen takes back that no client has another name than the certificate: here it is
// known only which one the server gives to them, and an app may have its own.
func namesAreOpen(results []check.Result) []check.Result {
	for i, r := range results {
		results[i].RulesOut = slices.DeleteFunc(slices.Clone(r.RulesOut), func(cause string) bool { return cause == "hostname-mismatch" })
	}
	return results
}

// tell puts into words what was read and found: the checks settle what the logs point to.
// A redactor hides the names, in all servers alike.
func (p *patient) tell(redactor *report.Redactor) (*report.Checklist, *report.Document) {
	if redactor != nil {
		for i, r := range p.found {
			p.found[i] = r.Map(redactor.Value)
		}
	}
	now := time.Now().Truncate(time.Second)
	list := report.NewChecklist(p.found, p.catalogue, p.app.say, now, p.known()...)
	doc, _ := p.core.Document(run.Facts{Say: p.app.say, Generated: now, Version: version(), Checks: list}, p.failures)
	if redactor != nil {
		redactor.Document(doc, nil)
	}
	doc.AddChecks(list, p.catalogue, p.app.say)
	for _, failure := range doc.Errors {
		if failure.Empty && len(doc.Inputs) > 1 && doc.Summary.Lines > 0 {
			continue // another log of it is not: there were no events
		}
		p.miss(p.app.say.Say("doctor.log"), messages.NewError("doctor.said", failure.Message))
	}
	return list, doc
}

// farewell is how much longer than a log the reading of all may take: the log's own end says
// what of it was not read.
const farewell = 2 * time.Second

// read reads the logs, for as long as may be.
func (p *patient) read(ctx context.Context) []source.Failure {
	reading, cancel := context.WithTimeout(ctx, p.timeout+farewell)
	defer cancel()
	ctx, cancel = context.WithTimeout(reading, p.timeout)
	defer cancel()
	batch := run.Batch{Core: p.core, Jobs: 1, Limit: source.DefaultLimit, Newest: p.inOrder, Stdin: source.NewStream(reading, p.app.stdin)}
	tails := map[string]*doctor.Tail{}
	for _, log := range p.Logs {
		if log.Path != "" {
			batch.Args = append(batch.Args, log.Path)
			continue
		}
		tails[log.Name] = log.Tail(p.from)
		for i, open := range tails[log.Name].Pieces() {
			batch.Given = append(batch.Given, source.Given{
				Name: log.Name, More: i > 0, Open: func(context.Context) (io.ReadCloser, error) { return open(ctx) },
			})
		}
	}
	failures := batch.Run(reading)
	for name, tail := range tails {
		told := slices.ContainsFunc(failures, func(f source.Failure) bool { return f.Source == name })
		if err := tail.Unread(); err != nil && ctx.Err() != nil && !told {
			failures = append(failures, source.Failure{Source: name, Err: err})
		}
	}
	return failures
}

// known are the names that were found, for the commands; none where they are hidden.
func (p *patient) known() []patterns.Fact {
	if p.redact {
		return nil
	}
	list := slices.Clone(p.Facts)
	if p.settings == nil {
		return list
	}
	c := &checking{}
	return append(list, c.knownFrom([]*check.Settings{p.settings})...)
}

// results are those of the settings or the configuration, of the files that they name, and
// of the endpoint.
func (p *patient) results(ctx context.Context, all []*patient) (results []check.Result, err error) {
	roots, err := p.app.roots(p.ca)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Proxies != nil:
		results = resultsOf(p.proxies, p.warnDays, roots)
	case p.settings == nil:
		return nil, nil
	default:
		results, err = p.app.results(ctx, &checking{found: []*check.Settings{p.settings}, ca: p.ca, warnDays: p.warnDays})
	}
	if p.Partial {
		results = slices.DeleteFunc(results, speaksOfSettings)
	}
	if err != nil || p.offline || p.State != doctor.Running {
		return results, err
	}
	for _, live := range append(p.endpoints(all), p.ways(roots)...) {
		live.Roots, live.Timeout, live.Repeat, live.WarnDays = roots, min(p.timeout, 5*time.Second), 1, p.warnDays
		live.Quiet = true
		if p.redact { // it names the container
			live.Restart, live.Status = check.Step{}, check.Step{}
		}
		found := check.On(live.Target(), live.Check(ctx))
		if live.Via == "" && p.unreached(found) {
			continue
		}
		results = append(results, found...)
	}
	return results, nil
}

// speaksOfSettings tells a result that finds fault with settings: of those of which a part
// could not be read it is not known what is not set.
func speaksOfSettings(r check.Result) bool {
	return strings.HasPrefix(r.ID, "config-") && (r.Status == check.Fail || r.Status == check.Warn)
}

// endpoints are where clients connect to: the published port, by the name that they are
// given, and the address that they are given, where it leads elsewhere.
func (p *patient) endpoints(all []*patient) (list []check.Live) {
	s := p.settings
	if s == nil {
		return nil
	}
	given := check.Typed(s.Addr())
	if _, _, _, err := check.ParseAddr(given); err != nil {
		given = ""
	}
	port := s.ListenPort()
	if via := p.Reach(port); port != "" && via != "" {
		addr := given
		if addr == "" {
			addr = "wss://" + net.JoinHostPort(s.NameOfCertificate(), port)
		}
		list = append(list, check.Live{Addr: addr, Via: via, API: p.Reach(s.APIPort()), Plain: p.Reach(s.PlainPort())})
	} else if port != "" {
		p.miss(p.app.say.Say("doctor.endpoint"), messages.NewError("doctor.not-published", port))
	}
	if given != "" && !endsAt(given, all) {
		list = append(list, check.Live{Addr: given})
	}
	for i := range list {
		list[i].Fragile, list[i].File, list[i].Whole, list[i].Restart = s.Fragile(), s.Leaf, s.Whole, p.Restart
		list[i].Status = p.Status
		if port == "" { // something else ends TLS there
			list[i].Component, list[i].File, list[i].Restart = string(patterns.ComponentOther), nil, check.Step{}
		}
	}
	return list
}

// endsAt tells that one of the programs in front ends TLS at an address of clients.
func endsAt(address string, all []*patient) bool {
	for _, p := range all {
		for _, proxy := range p.proxies {
			if slices.ContainsFunc(proxy.Ways(), func(way check.Way) bool { return way.Given && way.Addr == address }) {
				return true
			}
		}
	}
	return false
}

// ways are those of clients through a program in front: by the port that this machine
// reaches, and by the address that clients are given.
func (p *patient) ways(roots *x509.CertPool) (list []check.Live) {
	for _, proxy := range p.proxies {
		for _, way := range proxy.Ways() {
			live := check.Live{Addr: way.Addr, Component: proxy.Component(), Restart: proxy.Loading(), Status: p.Status}
			if len(way.Files) == 1 {
				files := way.Files[0]
				files.Roots = roots
				live.File, live.Whole = files.Served()
			}
			if way.Given {
				list = append(list, live)
			}
			if live.Via = p.Reach(way.Port); live.Via != "" {
				list = append(list, live)
			}
		}
	}
	return list
}

// unreached tells that this machine does not get to the address of the clients, which may
// well reach it: a router seldom leads back to where a connection came from.
func (p *patient) unreached(results []check.Result) bool {
	for _, r := range results {
		if (r.ID == "live-name" || r.ID == "live-tcp") && r.Status == check.Fail {
			p.miss(r.Target.String(), messages.NewError("doctor.said", r.Detail(p.app.say)))
			return true
		}
	}
	return false
}

// lead reads the configuration of a program in front, and leaves aside what leads to no
// server: that is none of doctor's business.
func (p *patient) lead(ctx context.Context, all []*patient) {
	if p.Proxies == nil {
		return
	}
	var servers []*check.Settings
	var clients []string
	for _, other := range all {
		if other.settings != nil {
			servers = append(servers, other.settings)
			if given := other.settings.Addr(); given != "" {
				clients = append(clients, given)
			}
		}
	}
	proxies, err := p.Proxies(ctx, servers, clients)
	if err != nil {
		p.miss(p.app.say.Say("doctor.settings"), err)
		return
	}
	p.proxies = slices.DeleteFunc(proxies, func(one *check.Proxy) bool { return !one.Leads() })
	p.aside = len(p.proxies) == 0
}
