// Package program runs programs of this machine that only tell something: bounded in
// time and in what they print, without a shell, and with nothing to read from.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"wklog/cmd/internal/messages"
)

var (
	// ErrTooMuch says that a program printed more than was asked for.
	ErrTooMuch = messages.NewError("error.program.floods")
	// ErrTooLong says that a program did not end in its time.
	ErrTooLong = messages.NewError("error.program.slow")
)

const (
	// maxComplaint bounds what is kept of what a program says of its failure, in bytes.
	maxComplaint = 4 << 10
	// farewell is how long the pipes of a program that was ended are waited for: a
	// child of it may hold them.
	farewell = time.Second
)

// Failure is a program that ended with a complaint.
type Failure struct {
	Program string
	// Says is what it printed on standard error.
	Says string
	Err  error
}

// Error names the program, with its last line.
func (f *Failure) Error() string {
	says := strings.TrimSpace(f.Says)
	if says == "" {
		return fmt.Sprintf("%s: %v", f.Program, f.Err)
	}
	return fmt.Sprintf("%s: %s", f.Program, says[strings.LastIndexByte(says, '\n')+1:])
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Output gives what a program prints, at most so many bytes of it, and what it
// complained of though it succeeded. With an error it gives what came before.
func Output(ctx context.Context, most int64, name string, args ...string) (out []byte, complaint string, err error) {
	running, err := Start(ctx, most, name, args...)
	if err != nil {
		return nil, "", err
	}
	out, err = io.ReadAll(running)
	return out, running.complaint.String(), errors.Join(err, running.Close())
}

// Running is a program whose output is read while it runs.
type Running struct {
	name      string
	cmd       *exec.Cmd
	ctx       context.Context
	cancel    context.CancelFunc
	pipe      io.ReadCloser
	left      int64
	complaint *complaint
	wait      func() error
}

// Start runs a program. Its output ends with ErrTooMuch after so many bytes. Closing
// ends it.
func Start(ctx context.Context, most int64, name string, args ...string) (*Running, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=")
	cmd.WaitDelay = farewell
	KillGroup(cmd)
	r := &Running{name: name, cmd: cmd, ctx: ctx, cancel: cancel, left: most, complaint: &complaint{}}
	cmd.Stderr = r.complaint
	pipe, write, err := os.Pipe()
	if err != nil {
		cancel()
		return nil, err
	}
	cmd.Stdout = write
	err = cmd.Start()
	write.Close()
	if err != nil {
		pipe.Close()
		cancel()
		return nil, &Failure{Program: name, Err: messages.Bare(err)}
	}
	r.pipe, r.wait = pipe, sync.OnceValue(cmd.Wait)
	context.AfterFunc(ctx, func() {
		_ = r.wait() // which ends what the program started
		_ = pipe.SetReadDeadline(time.Now())
	})
	return r, nil
}

// Read gives what the program printed; its failure is the last error.
func (r *Running) Read(p []byte) (int, error) {
	if r.left < 0 {
		return 0, ErrTooMuch
	}
	n, err := r.pipe.Read(p[:min(int64(len(p)), r.left+1)])
	if r.left -= int64(n); r.left < 0 {
		return n - 1, ErrTooMuch
	}
	if err == nil {
		return n, nil
	}
	if failed := r.failure(r.wait()); failed != nil {
		return n, failed
	}
	return n, io.EOF
}

// failure puts the end of the program into words, nil for a good one.
func (r *Running) failure(err error) error {
	switch {
	case errors.Is(r.ctx.Err(), context.DeadlineExceeded):
		return &Failure{Program: r.name, Err: ErrTooLong}
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case err != nil:
		return &Failure{Program: r.name, Says: r.complaint.String(), Err: err}
	}
	return nil
}

// Close ends the program, and what it started.
func (r *Running) Close() error {
	r.cancel()
	_ = r.wait()
	return r.pipe.Close()
}

// complaint keeps the first bytes that are written.
type complaint struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (c *complaint) Write(p []byte) (int, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.text.Write(p[:min(len(p), max(0, maxComplaint-c.text.Len()))])
	return len(p), nil
}

func (c *complaint) String() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.text.String()
}
