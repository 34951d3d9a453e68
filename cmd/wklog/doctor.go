package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

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
}

func (a *app) doctorCommand() *cobra.Command {
	kube := &doctor.Kube{}
	d := &examining{finders: doctor.Finders(kube)}
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

// betweenLooks is how long --watch waits.
const betweenLooks = 5 * time.Second

// doctor examines once, or again until nothing is at fault.
func (a *app) doctor(ctx context.Context, d *examining) (err error) {
	if d.format == "" {
		d.format = report.ExaminationFormOf(d.output)
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
		if err != nil {
			return err
		}
		a.status = e.Status(exitReached, exitWrong)
		if before == nil || !e.Same(before) {
			e.Since(before, a.say)
			if err := a.writeExamination(d, e); err != nil {
				return err
			}
		}
		if before = e; !d.watch || e.Green() {
			return nil
		}
		select {
		case <-time.After(betweenLooks):
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
		if isTerminal(a.stderr) && !l.Absent {
			fmt.Fprintln(a.stderr, a.say.Say("doctor.looked", a.say.Say("doctor.finder."+l.Finder), l.Found, l.Took.Seconds()))
		}
	})
	e := report.NewExamination(a.say, time.Now().Truncate(time.Second), looks)
	var servers []*doctor.Server
	for _, look := range looks {
		servers = append(servers, look.Servers...)
	}
	patients := make([]*patient, len(servers))
	for i, s := range servers {
		patients[i] = &patient{app: a, examining: d, catalogue: catalogue, Server: s}
		patients[i].load(ctx)
	}
	lookAt(patients, func(p *patient) bool { return p.Proxies == nil }, func(p *patient) { p.look(ctx, patients) })
	lookAt(patients, func(p *patient) bool { return p.Proxies != nil }, func(p *patient) { p.look(ctx, patients) })
	for _, p := range patients {
		if p.err != nil {
			return nil, p.err
		}
		if p.aside {
			continue
		}
		e.Add(p.Server, p.list, p.doc, p.unseen)
		e.Unread = e.Unread || p.unread
	}
	e.Finish(ctx.Err() != nil)
	return e, nil
}

// mostPatients are looked at at the same time: most of it is waiting for answers.
const mostPatients = 8

// lookAt looks at some of the patients at the same time.
func lookAt(patients []*patient, which func(*patient) bool, look func(*patient)) {
	var running sync.WaitGroup
	free := make(chan struct{}, mostPatients)
	for _, p := range patients {
		if !which(p) {
			continue
		}
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			look(p)
		})
	}
	running.Wait()
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
	list     *report.Checklist
	doc      *report.Document
	unseen   []doctor.Unseen
	unread   bool // something of it, though it is there
	err      error
}

func (p *patient) miss(what string, why error) {
	p.unseen = append(p.unseen, doctor.Unseen{What: p.app.say.Say("doctor.part", p.Name, what), Why: why})
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

// look reads its logs, makes its checks, and lets these settle what those point to.
func (p *patient) look(ctx context.Context, all []*patient) {
	if p.Proxies != nil && !p.leads(ctx, all) {
		return
	}
	analyzer, err := patterns.NewAnalyzer(p.catalogue, patterns.Filter{Since: p.from})
	if err != nil {
		p.err = err
		return
	}
	analyzer.Nameless = p.redact
	analyzer.Conceal(holdsSecret)
	known := p.known()
	if !p.redact {
		analyzer.Know(known...)
	}
	options := p.catalogue.ReadOptions()
	if options.Zone = time.Local; p.Zone != nil {
		options.Zone = p.Zone
	}
	core := run.NewCore(analyzer, options, nil)
	failures := p.read(ctx, core) // before the checks, which leave lines of their own
	p.unread = p.unread || slices.ContainsFunc(failures, func(f source.Failure) bool { return !f.Minor && !doctor.AsIntended(f.Err) })
	results, err := p.results(ctx)
	if p.err = err; err != nil {
		return
	}
	if p.redact {
		known = nil
	}
	now := time.Now().Truncate(time.Second)
	p.list = report.NewChecklist(results, p.catalogue, p.app.say, now, known...)
	p.doc, _ = core.Document(run.Facts{Say: p.app.say, Generated: now, Version: version(), Checks: p.list}, failures)
	if p.redact {
		r := report.NewRedactor()
		r.Document(p.doc, nil)
		p.list = r.Checklist(p.list, p.app.say)
	}
	p.doc.AddChecks(p.list, p.catalogue, p.app.say)
	for _, failure := range p.doc.Errors {
		p.miss(p.app.say.Say("doctor.log"), messages.NewError("doctor.said", failure.Message))
	}
}

// read reads the logs, for as long as may be.
func (p *patient) read(ctx context.Context, core *run.Core) []source.Failure {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	batch := run.Batch{Core: core, Jobs: 1, Limit: source.DefaultLimit, Stdin: source.NewStream(ctx, p.app.stdin)}
	for _, log := range p.Logs {
		if log.Path != "" {
			batch.Args = append(batch.Args, log.Path)
			continue
		}
		batch.Given = append(batch.Given, source.Given{Name: log.Name, Open: log.From(p.from)})
	}
	return batch.Run(ctx)
}

// known are the names that were found.
func (p *patient) known() []patterns.Fact {
	list := slices.Clone(p.Facts)
	if p.settings == nil {
		return list
	}
	c := &checking{}
	return append(list, c.knownFrom([]*check.Settings{p.settings})...)
}

// results are those of the settings, of the files that they name, and of the endpoint.
func (p *patient) results(ctx context.Context) ([]check.Result, error) {
	if p.Proxies != nil {
		return p.before(), nil
	}
	if p.settings == nil {
		return nil, nil
	}
	c := &checking{found: []*check.Settings{p.settings}, ca: p.ca, warnDays: p.warnDays}
	results, err := p.app.results(ctx, c)
	if err != nil || p.offline || p.State != doctor.Running {
		return results, err
	}
	roots, err := p.app.roots(p.ca)
	if err != nil {
		return nil, err
	}
	for _, live := range p.endpoints() {
		live.Roots, live.Timeout, live.Repeat, live.WarnDays = roots, min(p.timeout, 5*time.Second), 1, p.warnDays
		live.Fragile, live.File, live.Restart, live.Quiet = p.settings.Fragile(), p.settings.Leaf, p.Restart, true
		found := check.On(live.Target(), live.Check(ctx))
		if live.Via == "" && p.unreached(found) {
			continue
		}
		results = append(results, found...)
	}
	return results, nil
}

// endpoints are where clients connect to: the published port, by the name that they are
// given, and the address that they are given, where it leads elsewhere.
func (p *patient) endpoints() (list []check.Live) {
	s := p.settings
	given := check.Typed(s.Addr())
	if _, _, _, err := check.ParseAddr(given); err != nil {
		given = ""
	}
	port := s.ListenPort()
	if via := p.Reach(port); via != "" {
		addr := given
		if addr == "" {
			addr = "wss://" + net.JoinHostPort(s.NameOfCertificate(), port)
		}
		list = append(list, check.Live{Addr: addr, Via: via, API: p.Reach(s.APIPort()), Plain: p.Reach(s.PlainPort())})
	} else if port != "" {
		p.miss(p.app.say.Say("doctor.endpoint"), messages.NewError("doctor.not-published", port))
	}
	if given != "" {
		list = append(list, check.Live{Addr: given})
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

// leads reads the configuration of a program in front, and tells whether anything of it
// leads to a server: all else of it is none of doctor's business.
func (p *patient) leads(ctx context.Context, all []*patient) bool {
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
		return true
	}
	p.proxies = slices.DeleteFunc(proxies, func(one *check.Proxy) bool { return !one.Leads() })
	p.aside = len(p.proxies) == 0
	return !p.aside
}

// before are the results of a program in front of the servers.
func (p *patient) before() []check.Result {
	roots, err := p.app.roots(p.ca)
	if err != nil {
		p.err = err
		return nil
	}
	return resultsOf(p.proxies, p.warnDays, roots)
}
