package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/metrics"
	"wklog/cmd/internal/notify"
	"wklog/cmd/internal/report"
	"wklog/cmd/internal/run"
	"wklog/cmd/internal/secrets"
)

// secretVariable is the environment variable with the secret of a chat robot: on
// the command line everybody on the machine could read it.
const secretVariable = "WKLOG_WEBHOOK_SECRET"

// patience is how long the end of the program waits for what is being sent.
const patience = 10 * time.Second

// telling is who else is told of a stream: commands, webhooks, Prometheus. Each is
// nil where nobody asked for it.
type telling struct {
	app    *app
	notify *notify.Sink
	counts *metrics.Sink
	server *metrics.Server
	listen string
}

// tell starts what the flags ask for.
func (n *analysis) tell() (*telling, error) {
	t := &telling{app: n.app, listen: n.flags.metricsAddr}
	senders, err := n.senders()
	if err != nil {
		return nil, err
	}
	if len(senders) > 0 {
		t.notify = notify.NewSink(n.catalogue, n.app.say, n.host(), senders, func(err error) {
			n.app.complain(n.app.say.Say("error.notify", n.app.say.Error(err)))
		})
	}
	if t.listen != "" {
		t.counts = metrics.NewSink()
		if t.server, err = metrics.Listen(t.listen); err != nil {
			return nil, messages.NewError("error.metrics", t.listen, err)
		}
	}
	return t, nil
}

// host is the name of this machine, as it may be told.
func (n *analysis) host() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	if n.redactor != nil {
		return n.redactor.Named("node", name)
	}
	return name
}

func (n *analysis) senders() ([]notify.Sender, error) {
	var all []notify.Sender
	if line := n.flags.onNew; line != "" {
		c, err := notify.NewCommand(line, n.app.stderr)
		switch {
		case errors.Is(err, notify.ErrShell):
			return nil, messages.NewError("error.on-new.shell")
		case errors.Is(err, notify.ErrQuotes):
			return nil, messages.NewError("error.on-new.quotes")
		case err != nil:
			return nil, messages.NewError("error.on-new", withProgram(err))
		}
		c.OnExcess = func(bytes int64) {
			n.app.complain(n.app.say.Say("error.on-new.output", report.Bytes(bytes)))
		}
		all = append(all, c)
	}
	if n.flags.webhook != "" {
		w, err := notify.NewWebhook(n.flags.webhook, n.flags.webhookFormat, os.Getenv(secretVariable))
		switch {
		case errors.Is(err, notify.ErrForm):
			return nil, messages.NewError("error.webhook-format", n.flags.webhookFormat, notify.Robots())
		case err != nil:
			return nil, messages.NewError("error.webhook")
		}
		all = append(all, w)
	}
	return all, nil
}

// withProgram keeps the name of a program that cannot be run.
func withProgram(err error) error {
	var program *exec.Error
	if errors.As(err, &program) {
		return messages.InFile(program.Name, program.Err)
	}
	return err
}

func (t *telling) sinks() (sinks report.Sinks) {
	if t.notify != nil {
		sinks = append(sinks, t.notify)
	}
	if t.counts != nil {
		sinks = append(sinks, t.counts)
	}
	return sinks
}

// watch serves the metrics of a run; far is how far its logs were read.
func (t *telling) watch(core *run.Core, far func() []run.Progress) {
	if t.server == nil {
		return
	}
	t.server.Serve(metrics.NewCollector(version(), func() metrics.Snapshot {
		var s metrics.Snapshot
		t.counts.Fill(&s)
		for _, l := range far() {
			s.Logs = append(s.Logs, metrics.Log{Source: secrets.Hide(l.Name), Lines: l.Lines, Bytes: l.Bytes, Behind: l.Behind})
		}
		if lead := core.Lead(); lead != nil {
			s.Leading, s.Confidence = lead.Cause.ID, lead.Confidence
		}
		s.Open = core.Open()
		if t.notify != nil {
			s.Dropped = t.notify.Undelivered()
		}
		return s
	}), core.Err)
	if strings.HasSuffix(t.listen, ":0") { // the system chose the port
		t.app.complain(t.app.say.Say("metrics.address", t.server.Address()))
	}
}

// close waits a little for what is being sent.
func (t *telling) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if t.notify != nil {
		if dropped := t.notify.Close(ctx); dropped > 0 {
			t.app.complain(t.app.say.Say("error.dropped", dropped))
		}
	}
	if t.server != nil {
		_ = t.server.Close(ctx)
	}
}
