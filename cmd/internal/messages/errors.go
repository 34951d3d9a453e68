package messages

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os/exec"
)

// Error is an error for people: it is said in their language where it is shown.
type Error struct {
	// Key is that of its text, Args are put in; an error among them is said in the
	// same language.
	Key  string
	Args []any
	// Err is what caused it, nil for nothing.
	Err error
}

// NewError makes an error with a text.
func NewError(key string, args ...any) *Error {
	e := &Error{Key: key, Args: args}
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			e.Err = err
		}
	}
	return e
}

// Error is for developers; people read what [Printer.Error] says.
func (e *Error) Error() string { return fmt.Sprint(append([]any{e.Key}, e.Args...)...) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// InFile is an error about a file.
func InFile(name string, err error) error { return NewError("error.in-file", name, err) }

// Error says an error: one of this package by its text, what the operating system
// says of files in the words of the messages, anything else as it is.
func (p *Printer) Error(err error) string {
	var known *Error
	switch {
	case errors.As(err, &known):
		args := make([]any, len(known.Args))
		for i, arg := range known.Args {
			args[i] = arg
			switch known := arg.(type) {
			case error:
				args[i] = p.Error(known)
			case []string:
				args[i] = p.List(known)
			}
		}
		return p.Say(known.Key, args...)
	case errors.Is(err, fs.ErrNotExist):
		return p.Say("error.missing")
	case errors.Is(err, fs.ErrPermission):
		return p.Say("error.permission")
	}
	if text := innermost(err); p.System(text) != text {
		return p.System(text)
	}
	return err.Error()
}

// System says what the operating system or a library says, in the user's language;
// what is no text under "system." of the messages stays as it is.
func (p *Printer) System(text string) string {
	if key, ok := p.system()[text]; ok {
		return p.texts[key]
	}
	return text
}

// Bare is an error of the operating system without the operation and the name that it was
// for: who tells of it names these.
func Bare(err error) error {
	var file *fs.PathError
	var program *exec.Error
	switch {
	case errors.As(err, &file):
		return file.Err
	case errors.As(err, &program):
		return program.Err
	}
	return err
}

// innermost is the text of what began a chain of errors.
func innermost(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	switch known := err.(type) {
	case *net.DNSError:
		return known.Err
	case *net.AddrError:
		return known.Err
	}
	return err.Error()
}
