package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/mattn/go-shellwords"

	"wklog/cmd/internal/program"
)

// Errors about commands. ErrShell is one with ; & | < or > outside of quotes,
// ErrQuotes one with a quote or bracket that is open.
var (
	ErrNoCommand = errors.New("no command")
	ErrShell     = errors.New("needs a shell")
	ErrQuotes    = errors.New("an open quote or bracket")
	ErrTooLong   = errors.New("took too long and was ended")
)

const (
	// commandTimeout is how long a command may take.
	commandTimeout = 10 * time.Second
	// maxOutput is how many bytes of what it prints are handed on: a disk may hold
	// where that goes.
	maxOutput = 64 << 10
)

// Command runs a program for each message, with the event and a newline on its
// standard input. No shell reads its line: quotes group words, nothing is replaced,
// and what only a shell could do is an error.
type Command struct {
	words   []string
	timeout time.Duration
	output  io.Writer
	// OnExcess is told how many bytes one run printed that were not handed on.
	OnExcess func(bytes int64)
}

// NewCommand splits a line into words and finds its program. What the program
// prints goes to output.
func NewCommand(line string, output io.Writer) (*Command, error) {
	parser := shellwords.NewParser()
	words, err := parser.Parse(line)
	switch {
	case err != nil:
		return nil, ErrQuotes
	case parser.Position >= 0: // where a shell would begin another command
		return nil, ErrShell
	case len(words) == 0:
		return nil, ErrNoCommand
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		return nil, fmt.Errorf("%s: %w", words[0], errors.Unwrap(err))
	}
	return &Command{words: words, timeout: commandTimeout, output: output}, nil
}

// Send runs the program and waits for its end. At the time limit it is killed,
// with the programs that it started.
func (c *Command) Send(ctx context.Context, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.words[0], c.words[1:]...)
	cmd.Stdin = bytes.NewReader(append(bytes.Clone(m.Event), '\n'))
	out := &bounded{w: c.output, left: maxOutput}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second
	program.KillGroup(cmd)
	err := cmd.Run()
	if out.excess > 0 && c.OnExcess != nil {
		c.OnExcess(out.excess)
	}
	if ctx.Err() != nil {
		err = ErrTooLong
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.words[0], err)
	}
	return nil
}

// bounded hands on so many bytes, and counts the rest.
type bounded struct {
	w            io.Writer
	left, excess int64
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(int64(len(p)), b.left)
	b.left -= n
	b.excess += int64(len(p)) - n
	if n > 0 {
		if _, err := b.w.Write(p[:n]); err != nil {
			return 0, err
		}
	}
	return len(p), nil // a program that is cut short would leave its work undone
}
