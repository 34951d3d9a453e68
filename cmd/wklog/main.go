// Command wklog reads logs of WuKongIM, recognises every TLS failure, tells the
// root cause with an honest confidence, and says what to do.
package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"wklog/cmd/internal/report"
)

// Exit statuses, as the contract gives them.
const (
	exitDone        = 0
	exitReached     = 1 // --fail-on was reached
	exitWrong       = 2 // wrong usage, or an input could not be read
	exitInterrupted = 130
)

func main() {
	os.Exit(execute())
}

// execute is main with an exit status, so that it can be a command in tests.
func execute() int {
	out := &unfinished{}
	ctx, stop := interruptible(out.discard)
	defer stop()
	app, err := newApp(os.Args[1:])
	if err != nil {
		os.Stderr.WriteString("wklog: " + err.Error() + "\n")
		return exitWrong
	}
	app.unfinished = out
	return app.execute(ctx)
}

// interruptible gives a context that the first Ctrl-C, SIGTERM or SIGHUP ends, so that
// the report of what was read is still written; the second one leaves at once, after
// it has discarded what is not finished. SIGHUP is no second one: a session that ends
// sends it twice, from the terminal and from the shell.
func interruptible(discard func()) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup(1)
		signal.Notify(signals, syscall.SIGHUP)
	}
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case s := <-signals:
				if n > 0 && s != syscall.SIGHUP {
					discard()
					os.Exit(exitInterrupted)
				}
				cancel()
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}

// unfinished is the output file that is being written.
type unfinished struct{ atomic.Pointer[report.Output] }

// discard takes it away, since it will not be finished.
func (u *unfinished) discard() {
	if out := u.Swap(nil); out != nil {
		out.Discard()
	}
}
