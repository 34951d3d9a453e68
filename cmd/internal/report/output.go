package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Output is a file that appears whole or not at all: it is written beside its
// place and put there by Commit, so that an earlier one outlasts a failure, a
// full disk and Ctrl-C at the wrong moment. What is no regular file, a device or
// a pipe, is written as it comes.
type Output struct {
	file *os.File
	path string // where it is put, empty for what is written as it comes
	mode os.FileMode
}

// NewOutput begins a file.
func NewOutput(name string) (*Output, error) {
	path := name
	if real, err := filepath.EvalSymlinks(name); err == nil {
		path = real // the link stays
	}
	o := &Output{path: path}
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		return &Output{file: file}, err
	case err == nil:
		o.mode = info.Mode().Perm()
		place, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err // it is not to be written to
		}
		place.Close()
	}
	beside := fmt.Sprintf("%s.%d.new", path, os.Getpid())
	o.file, err = os.OpenFile(beside, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
	if errors.Is(err, fs.ErrPermission) && info != nil {
		o.file, err = os.CreateTemp("", filepath.Base(path)+".*") // the folder is not the user's
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Name is that of the file until it is put in its place.
func (o *Output) Name() string { return o.file.Name() }

// Write writes to the file that is to be.
func (o *Output) Write(data []byte) (int, error) { return o.file.Write(data) }

// Commit puts the file in its place once all of it is on the disk (rename(2),
// fsync(2)). Where the place is a mount of its own, as a file that is given to a
// container is, its content is replaced.
func (o *Output) Commit() error {
	if o.path == "" {
		return o.file.Close()
	}
	err := o.file.Sync()
	if err == nil {
		if o.mode != 0 {
			_ = o.file.Chmod(o.mode) // what the file before had
		}
		if err = os.Rename(o.file.Name(), o.path); err != nil {
			err = o.copy()
		}
	}
	if err != nil {
		o.Discard()
		return err
	}
	return o.file.Close()
}

// copy writes over the content of a place to which nothing can be renamed.
func (o *Output) copy() error {
	if _, err := o.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	place, err := os.OpenFile(o.path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(place, o.file)
	return errors.Join(err, place.Sync(), place.Close(), os.Remove(o.file.Name()))
}

// Discard leaves the place as it was. After Commit it does nothing.
func (o *Output) Discard() {
	if o.path != "" {
		o.file.Close()
		os.Remove(o.file.Name())
	}
}
