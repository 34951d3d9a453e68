package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/google/shlex"
)

// Errors about commands.
var (
	ErrNoCommand = errors.New("no command")
	ErrTooLong   = errors.New("took too long and was ended")
)

// commandLimit is how long a command may take.
const commandLimit = 10 * time.Second

// Command runs a program for each message, with the event and a newline on its
// standard input. No shell reads its line: quotes group words, and nothing else
// has a meaning.
type Command struct {
	words  []string
	limit  time.Duration
	output io.Writer
}

// NewCommand splits a line into words and finds its program. What the program
// prints goes to output.
func NewCommand(line string, output io.Writer) (*Command, error) {
	words, err := shlex.Split(line)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", line, err)
	}
	if len(words) == 0 {
		return nil, ErrNoCommand
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		return nil, fmt.Errorf("%s: %w", words[0], errors.Unwrap(err))
	}
	return &Command{words: words, limit: commandLimit, output: output}, nil
}

// Send runs the program and waits for its end. At the time limit it is killed,
// with the programs that it started.
func (c *Command) Send(ctx context.Context, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.words[0], c.words[1:]...)
	cmd.Stdin = bytes.NewReader(append(bytes.Clone(m.Event), '\n'))
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.WaitDelay = time.Second
	killGroup(cmd)
	err := cmd.Run()
	if ctx.Err() != nil {
		err = ErrTooLong
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.words[0], err)
	}
	return nil
}
