package main

import (
	"context"
	"crypto/x509"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/metrics"
	"wklog/cmd/internal/report"
	"wklog/cmd/internal/run"
	"wklog/cmd/internal/source"
	"wklog/patterns"
)

// mostRepeats of a handshake are no burden for a server.
const mostRepeats = 100

// checking is what is checked, as the flags name it.
type checking struct {
	config, compose string
	// found are settings that were found and not named.
	found           []*check.Settings
	service         string
	cert, key, ca   string
	addr            []string
	api, plain, ntp string
	timeout         time.Duration
	repeat          int
	warnDays        int
	proxies         check.Proxies
	kube            string
	logs            []string
	format          string
	failOn          string
	brief, verbose  bool
	interval        time.Duration
	metricsAddr     string
	revocation      bool
	crl             []string
	known           []patterns.Fact // by the flags and what they name
	addressless     bool            // was complained of
}

func (a *app) checkCommand() *cobra.Command {
	c := &checking{}
	command := &cobra.Command{
		Use: "check", Short: a.say.Say("help.check"), Long: a.say.Say("help.check.long"),
		Example: a.say.Say("help.check.examples"), Args: a.arguments(0, 0),
	}
	flags := command.Flags()
	flags.StringVar(&c.config, "config", "", a.say.Say("flag.check.config"))
	flags.StringVar(&c.compose, "compose", "", a.say.Say("flag.check.compose"))
	flags.StringVar(&c.service, "service", "", a.say.Say("flag.check.service"))
	flags.StringVar(&c.proxies.Nginx, "nginx", "", a.say.Say("flag.check.nginx"))
	flags.StringVar(&c.proxies.Caddy, "caddy", "", a.say.Say("flag.check.caddy"))
	flags.StringVar(&c.proxies.Traefik, "traefik", "", a.say.Say("flag.check.traefik"))
	flags.StringVar(&c.proxies.HAProxy, "haproxy", "", a.say.Say("flag.check.haproxy"))
	flags.StringVar(&c.kube, "kube", "", a.say.Say("flag.check.kube"))
	flags.StringVar(&c.cert, "cert", "", a.say.Say("flag.check.cert"))
	flags.StringVar(&c.key, "key", "", a.say.Say("flag.check.key"))
	flags.StringArrayVar(&c.addr, "addr", nil, a.say.Say("flag.check.addr"))
	flags.StringVar(&c.ca, "ca", "", a.say.Say("flag.check.ca"))
	flags.StringVar(&c.api, "api", "", a.say.Say("flag.check.api"))
	flags.StringVar(&c.plain, "ws", "", a.say.Say("flag.check.ws"))
	flags.StringVar(&c.ntp, "ntp", "", a.say.Say("flag.check.ntp"))
	flags.DurationVar(&c.timeout, "timeout", 5*time.Second, a.say.Say("flag.check.timeout"))
	flags.IntVar(&c.repeat, "repeat", 3, a.say.Say("flag.check.repeat"))
	flags.IntVar(&c.warnDays, "warn-days", 0, a.say.Say("flag.check.warn-days"))
	flags.StringArrayVar(&c.logs, "log", nil, a.say.Say("flag.check.log"))
	flags.StringVar(&c.format, "format", "table", a.say.Say("flag.check.format"))
	flags.BoolVar(&c.revocation, "revocation", false, a.say.Say("flag.check.revocation"))
	flags.StringArrayVar(&c.crl, "crl", nil, a.say.Say("flag.check.crl"))
	flags.BoolVar(&c.brief, "brief", false, a.say.Say("flag.check.brief"))
	flags.BoolVar(&c.verbose, "verbose", false, a.say.Say("flag.verbose"))
	flags.DurationVar(&c.interval, "interval", time.Minute, a.say.Say("flag.check.interval"))
	flags.StringVar(&c.metricsAddr, "metrics-addr", "", a.say.Say("flag.check.metrics-addr"))
	flags.StringVar(&c.failOn, "fail-on", "error", a.say.Say("flag.check.fail-on"))
	flags.SortFlags = false
	command.RunE = func(command *cobra.Command, _ []string) error {
		return a.check(command.Context(), c)
	}
	return command
}

// check runs the checks, reads the logs, and sets the exit status.
func (a *app) check(ctx context.Context, c *checking) error {
	switch {
	case c.config+c.compose+c.cert+c.key+c.kube == "" && !c.proxies.Named() && len(c.addr) == 0:
		return messages.NewError("error.check.nothing")
	case c.failOn != "never" && c.failOn != "warning" && c.failOn != "error":
		return messages.NewError("error.fail-on", c.failOn)
	case c.format != "table" && c.format != "json" && c.format != "prometheus":
		return messages.NewError("error.check.format", c.format)
	case c.timeout <= 0:
		return messages.NewError("error.check.timeout", c.timeout)
	case c.repeat < 0 || c.repeat > mostRepeats:
		return messages.NewError("error.check.repeat", c.repeat, mostRepeats)
	case c.interval < leastInterval:
		return messages.NewError("error.check.interval", c.interval, leastInterval)
	}
	catalogue, err := a.catalogue()
	if err != nil {
		return err
	}
	if c.metricsAddr != "" {
		return a.probe(ctx, c, catalogue)
	}
	results, err := a.results(ctx, c)
	if err != nil {
		return err
	}
	list := report.NewChecklist(results, catalogue, a.say, time.Now().Truncate(time.Second), c.known...)
	if len(c.logs) > 0 {
		if err := a.readBeside(ctx, list, catalogue, c.logs, c.known); err != nil {
			return err
		}
	}
	list.Cut = ctx.Err() != nil
	switch {
	case a.status != 0:
	case list.Cut || check.Nothing(results):
		a.status = exitWrong
	case list.Has(check.Fail) && c.failOn != "never", list.Has(check.Warn) && c.failOn == "warning":
		a.status = exitReached
	}
	opts := a.options(3)
	opts.Verbose = c.verbose
	switch {
	case c.format == "prometheus":
		return metrics.WriteChecks(a.stdout, measured(list))
	case c.brief && c.format == "table":
		return list.WriteBrief(a.stdout, opts)
	}
	return list.Write(a.stdout, c.format, opts)
}

// readBeside reads the logs whose diagnosis the checks settle.
func (a *app) readBeside(ctx context.Context, list *report.Checklist, c *patterns.Catalogue, logs []string, known []patterns.Fact) error {
	analyzer, err := patterns.NewAnalyzer(c, patterns.Filter{})
	if err != nil {
		return err
	}
	analyzer.Conceal(holdsSecret)
	analyzer.Know(known...)
	core := run.NewCore(analyzer, c.ReadOptions(), nil)
	batch := run.Batch{Core: core, Args: logs, Stdin: source.NewStream(ctx, a.stdin), Jobs: runtime.GOMAXPROCS(0), Limit: source.DefaultLimit}
	failures := batch.Run(ctx)
	list.Report, _ = core.Document(run.Facts{Say: a.say, Generated: list.Generated, Version: version(), Checks: list}, failures)
	list.Report.AddChecks(list, c, a.say)
	for _, e := range list.Report.Errors {
		a.complainOf(e.Source, e.Message)
	}
	if worst(failures) {
		a.status = exitWrong
	}
	return nil
}

// results runs every group of checks of which something is known.
func (a *app) results(ctx context.Context, c *checking) ([]check.Result, error) {
	roots, err := a.roots(c.ca)
	if err != nil {
		return nil, err
	}
	revocation, err := c.revoked()
	if err != nil {
		return nil, err
	}
	servers, err := c.servers()
	if err != nil {
		return nil, messages.NewError("error.check.config", a.reasonOf(err))
	}
	cluster, servers, err := a.cluster(c, servers)
	if err != nil {
		return nil, err
	}
	addresses, err := a.addresses(c, servers)
	if err != nil {
		return nil, err
	}
	c.known = c.knownFrom(servers)
	for flag, address := range map[string]*string{"--api": &c.api, "--ws": &c.plain} {
		plain, err := check.PlainAddr(*address)
		if err != nil {
			return nil, messages.NewError("error.check.plain-addr", flag, withoutPassword(*address))
		}
		*address = plain
	}
	results := cluster.Results
	var leaf *x509.Certificate
	fragile := false
	for _, settings := range servers {
		fragile = fragile || settings.Fragile()
		files := check.Certificates{UID: -1, GID: -1}
		if settings.Named() {
			files = settings.Files()
		}
		if c.cert+c.key != "" {
			files.CertFile, files.KeyFile, files.Mounts = c.cert, c.key, nil
		}
		files.Revocation = revocation
		files.Roots, files.Now, files.WarnDays, files.Host = roots, time.Now(), c.warnDays, settings.Host()
		if len(addresses) > 0 && len(servers) == 1 {
			files.Host, _, _, _ = check.ParseAddr(addresses[0])
		}
		settings.Leaf, settings.Whole = files.Served()
		if leaf == nil || len(servers) == 1 {
			leaf = settings.Leaf
		}
		if settings.Named() || settings.Fragile() {
			results = append(results, check.On(settings.Target(), settings.Remedied(settings.Check(), roots))...)
		}
		if files.CertFile+files.KeyFile != "" {
			results = append(results, check.On(files.Target(), settings.Remedied(files.Check(), roots))...)
		}
		if c.cert+c.key != "" {
			break // they are the same for all
		}
	}
	before, err := a.beforeServers(c, cluster, servers, addresses, roots)
	if err != nil {
		return nil, err
	}
	results = append(results, before...)
	for _, address := range addresses {
		live := check.Live{
			Addr: address, API: c.api, Plain: c.plain, NTP: c.ntp, Timeout: c.timeout, Repeat: c.repeat, WarnDays: c.warnDays,
			Roots: roots, Fragile: fragile, File: leaf, Revocation: revocation,
		}
		results = append(results, check.On(live.Target(), live.Check(ctx))...)
	}
	return results, nil
}

// servers are those that were found, or those of what the flags name.
func (c *checking) servers() ([]*check.Settings, error) {
	if c.found != nil {
		return c.found, nil
	}
	return check.Configuration{Config: c.config, Compose: c.compose, Service: c.service, Environ: os.Environ()}.Load()
}

// revoked is how to learn of revocations.
func (c *checking) revoked() (check.Revocation, error) {
	r := check.Revocation{Ask: c.revocation}
	for _, file := range c.crl {
		data, err := os.ReadFile(file)
		if err != nil {
			return r, messages.InFile(file, err)
		}
		list, err := check.ParseRevocationList(data)
		if err != nil {
			return r, messages.NewError("error.check.crl", file, err)
		}
		r.Lists = append(r.Lists, list)
	}
	return r, nil
}

// withoutPassword is an address as it may be shown.
func withoutPassword(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Redacted()
	}
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return "…" + address[at:]
	}
	return address
}

// addresses are those to connect to: of the flag, of a file that it names, or those that
// the configuration gives to clients.
func (a *app) addresses(c *checking, servers []*check.Settings) (all []string, err error) {
	add := func(address string) error {
		address = check.Typed(address)
		if _, _, _, err := check.ParseAddr(address); err != nil {
			return mistyped(address)
		}
		if !slices.Contains(all, address) {
			all = append(all, address)
		}
		return nil
	}
	for _, address := range c.addr {
		list := []string{address}
		if file, ok := strings.CutPrefix(address, "@"); ok {
			if list, err = listed(file); err != nil {
				return nil, messages.InFile(file, err)
			}
		}
		if address == "config" {
			if err := a.addConfigured(c, servers, add); err != nil {
				return nil, err
			}
			continue
		}
		for _, one := range list {
			if err := add(one); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// addConfigured adds the addresses that the configuration gives to clients. One without,
// or with one that cannot be used, has a fault that the other checks tell of.
func (a *app) addConfigured(c *checking, servers []*check.Settings, add func(string) error) error {
	var wrong error = messages.NewError("error.check.no-addr")
	for _, settings := range servers {
		if given := settings.Addr(); given != "" {
			if wrong = add(given); wrong != nil {
				break
			}
		}
	}
	switch {
	case wrong == nil:
		return nil
	case !slices.ContainsFunc(servers, (*check.Settings).Named):
		return wrong
	case !c.addressless:
		a.complain(a.say.Error(wrong))
	}
	c.addressless, a.status = true, exitWrong
	return nil
}

// mistyped says what to type instead of an address, where that can be told.
func mistyped(address string) error {
	shown := withoutPassword(address)
	plain, isPlain := strings.CutPrefix(strings.ToLower(address), "ws://")
	switch {
	case isPlain && shown == address:
		return messages.NewError("error.check.addr-plain", shown, strings.TrimSuffix(plain, "/"))
	case !strings.ContainsAny(address, ":/@"):
		if _, _, _, err := check.ParseAddr("wss://" + address); err == nil {
			return messages.NewError("error.check.addr-port", shown, "wss://"+address+":5210", "wss://"+address)
		}
	}
	return messages.NewError("error.check.addr", shown)
}

// listed are the lines of a file, without empty ones and those that begin with #.
func listed(file string) (list []string, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list, nil
}

// roots are those of --ca, nil for the system's.
func (a *app) roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	roots, err := check.Roots(file)
	switch {
	case err != nil && check.Reason(err, a.say) != "":
		return nil, messages.NewError("error.check.config", file+": "+check.Reason(err, a.say))
	case err != nil:
		return nil, messages.InFile(file, err)
	case roots == nil:
		return nil, messages.NewError("error.check.ca", file)
	}
	return roots, nil
}

// reasonOf keeps the name of the file in an error and translates the reason.
func (a *app) reasonOf(err error) string {
	name, _, _ := strings.Cut(err.Error(), ": ")
	reason := check.Reason(err, a.say)
	if reason == "" {
		reason = a.say.Error(err)
	}
	if reason == err.Error() {
		return reason
	}
	return a.say.Say("error.in-file", name, reason)
}

// settleBy runs the checks of analyze --check: of a configuration, of a compose
// file, or those that were made elsewhere and written as JSON.
func (n *analysis) settleBy(ctx context.Context, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return messages.InFile(file, err)
	}
	list, err := report.ReadChecklist(data, n.app.say)
	if err != nil {
		c := &checking{config: file}
		if check.IsCompose(data) {
			c = &checking{compose: file}
		}
		results, err := n.app.results(ctx, c)
		if err != nil {
			return err
		}
		if n.redactor != nil {
			c.known = nil
		}
		list = report.NewChecklist(results, n.catalogue, n.app.say, n.facts.Generated, c.known...)
		n.analyzer.Know(c.known...)
	}
	n.facts.Checks = list
	n.analyzer.Settle(list.Proofs(time.Time{}))
	return nil
}
