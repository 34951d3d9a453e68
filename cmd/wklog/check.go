package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/report"
)

// checking is what is checked, as the flags name it.
type checking struct {
	config, compose string
	service         string
	cert, key, ca   string
	addr            string
	api, plain, ntp string
	timeout         time.Duration
	logs            []string
	format          string
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
	flags.StringVar(&c.cert, "cert", "", a.say.Say("flag.check.cert"))
	flags.StringVar(&c.key, "key", "", a.say.Say("flag.check.key"))
	flags.StringVar(&c.addr, "addr", "", a.say.Say("flag.check.addr"))
	flags.StringVar(&c.ca, "ca", "", a.say.Say("flag.check.ca"))
	flags.StringVar(&c.api, "api", "", a.say.Say("flag.check.api"))
	flags.StringVar(&c.plain, "ws", "", a.say.Say("flag.check.ws"))
	flags.StringVar(&c.ntp, "ntp", "", a.say.Say("flag.check.ntp"))
	flags.DurationVar(&c.timeout, "timeout", 5*time.Second, a.say.Say("flag.check.timeout"))
	flags.StringArrayVar(&c.logs, "log", nil, a.say.Say("flag.check.log"))
	flags.StringVar(&c.format, "format", "table", a.say.Say("flag.check.format"))
	flags.SortFlags = false
	command.RunE = func(command *cobra.Command, _ []string) error {
		return a.check(command.Context(), c)
	}
	return command
}

// check runs the checks, reads the logs, and sets the exit status.
func (a *app) check(ctx context.Context, c *checking) error {
	switch {
	case c.config+c.compose+c.cert+c.key+c.addr == "":
		return errors.New(a.say.Say("error.check.nothing"))
	case (c.cert == "") != (c.key == ""):
		return errors.New(a.say.Say("error.check.pair"))
	case c.format != "table" && c.format != "json":
		return errors.New(a.say.Say("error.check.format", c.format))
	case c.timeout <= 0:
		return errors.New(a.say.Say("error.check.timeout", c.timeout))
	}
	run, err := a.newAnalysis(&analyzeFlags{format: c.format, failOn: "never", jobs: 2, top: 3, progress: "auto"})
	if err != nil {
		return err
	}
	results, err := a.results(ctx, c)
	if err != nil {
		return err
	}
	list := report.NewChecklist(results, run.catalogue, a.say, run.now())
	run.settle(list)
	if len(c.logs) > 0 {
		failures := run.readAll(ctx, c.logs)
		list.Report = run.document(failures)
	}
	if a.status == 0 && list.Failed() {
		a.status = exitReached
	}
	return list.Write(a.stdout, c.format, a.options(run.flags.top))
}

// results runs every group of checks of which something is known.
func (a *app) results(ctx context.Context, c *checking) ([]check.Result, error) {
	roots, err := a.roots(c.ca)
	if err != nil {
		return nil, err
	}
	files := check.Certificates{UID: -1, GID: -1}
	settings, err := check.Configuration{Config: c.config, Compose: c.compose, Service: c.service, Environ: os.Environ()}.Load()
	switch {
	case err != nil:
		return nil, errors.New(a.say.Say("error.check.config", a.fileErrorOf(err)))
	case c.config+c.compose != "":
		files = settings.Files()
	case !settings.Fragile():
		settings = nil // nothing was named
	}
	if c.cert != "" {
		files.CertFile, files.KeyFile, files.Mounts = c.cert, c.key, nil
	}
	files.Roots, files.Now = roots, time.Now()
	live, err := a.endpoint(c, settings)
	if err != nil {
		return nil, err
	}
	live.Roots, live.Fragile = roots, settings != nil && settings.Fragile()
	if live.Addr != "" {
		files.Host, _, _, err = check.ParseAddr(live.Addr)
		if err != nil {
			return nil, errors.New(a.say.Say("error.check.addr", withoutPassword(live.Addr)))
		}
	}
	live.File = files.Leaf()
	var results []check.Result
	if settings != nil {
		settings.Leaf = live.File
		results = append(results, settings.Check()...)
		if files.Host == "" {
			files.Host = settings.Host()
		}
	}
	if files.CertFile+files.KeyFile != "" {
		results = append(results, files.Check()...)
	}
	if live.Addr != "" {
		results = append(results, live.Check(ctx)...)
	}
	return results, nil
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

// endpoint is what to connect to; without an address it is nothing.
func (a *app) endpoint(c *checking, settings *check.Settings) (check.Live, error) {
	live := check.Live{Addr: c.addr, API: c.api, Plain: c.plain, NTP: c.ntp, Timeout: c.timeout}
	if c.addr == "config" {
		live.Addr = ""
		if settings != nil {
			live.Addr = settings.Addr()
		}
		if live.Addr == "" {
			return live, errors.New(a.say.Say("error.check.no-addr"))
		}
	}
	return live, nil
}

// roots are those of --ca, nil for the system's.
func (a *app) roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", file, a.fileError(err))
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, errors.New(a.say.Say("error.check.ca", file))
	}
	return roots, nil
}

// fileErrorOf keeps the name of the file in an error and translates the reason.
func (a *app) fileErrorOf(err error) string {
	name, _, _ := strings.Cut(err.Error(), ": ")
	if reason := check.Reason(err, a.say); reason != "" {
		return name + ": " + reason
	}
	if reason := a.fileError(err); reason != err.Error() {
		return name + ": " + reason
	}
	return err.Error()
}

// settle lets a checklist settle the diagnosis.
func (r *analysis) settle(list *report.Checklist) {
	r.checks = list
	r.analyzer.Settle(list.Proofs(time.Time{}))
}

// services stand in a compose file, and in no configuration.
var services = regexp.MustCompile(`(?m)^["']?(?:services|include)["']?\s*:`)

// settleBy runs the checks of analyze --check: of a configuration, of a compose
// file, or those that were made elsewhere and written as JSON.
func (r *analysis) settleBy(ctx context.Context, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%s: %s", file, r.app.fileError(err))
	}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		if list, err := report.ReadChecklist(data, r.app.say); err == nil {
			r.settle(list)
			return nil
		}
	}
	c := &checking{config: file}
	if services.Match(data) {
		c = &checking{compose: file}
	}
	results, err := r.app.results(ctx, c)
	if err != nil {
		return err
	}
	r.settle(report.NewChecklist(results, r.catalogue, r.app.say, r.now()))
	return nil
}
