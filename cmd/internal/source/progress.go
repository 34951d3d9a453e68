package source

import (
	"os"
	"sync/atomic"
	"time"

	"wklog/cmd/internal/source/engine"
)

// Progress tells how far a reading is. Its methods may be called at any time.
type Progress struct {
	total, read atomic.Int64
	current     atomic.Pointer[string]
	ofTime      atomic.Bool
}

// Total is how many bytes the files have as they are stored; 0 until they are
// listed.
func (p *Progress) Total() int64 { return p.total.Load() }

// Read is how many of them were read.
func (p *Progress) Read() int64 { return p.read.Load() }

// Current is the path of the file that was begun last.
func (p *Progress) Current() string {
	if name := p.current.Load(); name != nil {
		return *name
	}
	return ""
}

// OfTime tells that seconds of logs are counted, or entries, and no bytes.
func (p *Progress) OfTime() bool { return p.ofTime.Load() }

// through counts the seconds of an engine's logs that were read, or the entries where it is
// known how many there are.
func (p *Progress) through(name string, span engine.Span, r *engine.Reading) (end func()) {
	if p == nil {
		return func() {}
	}
	p.current.Store(&name)
	p.ofTime.Store(true)
	whole := int64(span.Until.Sub(span.From).Seconds())
	far := func(at time.Time) int64 { return int64(at.Sub(span.From).Seconds()) }
	if r.Sample != nil {
		whole, far = r.Sample.All(), r.Sample.Until
	}
	p.total.Add(whole)
	done := int64(0)
	count := func(to int64) { p.read.Add(to - done); done = to }
	r.Far = func(at time.Time) { count(far(at)) }
	return func() { count(whole) }
}

func (p *Progress) expect(files []found) {
	if p == nil {
		return
	}
	for _, f := range files {
		if info, err := os.Stat(f.path); err == nil && info.Mode().IsRegular() {
			p.total.Add(info.Size())
		}
	}
}

// begin counts what is read of a regular file. An archive's directory is read
// twice, and what no reader wants not at all: at the end the file counts with
// its size.
func (p *Progress) begin(file *os.File, size int64) (counted storedFile, end func()) {
	if p == nil {
		return storedFile{File: file}, func() {}
	}
	name := file.Name()
	p.current.Store(&name)
	counted = storedFile{File: file, progress: p, read: new(atomic.Int64), size: size}
	return counted, func() { p.read.Add(size - min(counted.read.Load(), size)) }
}

// storedFile is a regular file that shows its bytes where they lie, or gives
// them as they are read, and counts both.
type storedFile struct {
	*os.File
	progress *Progress
	read     *atomic.Int64
	size     int64
}

func (f storedFile) count(n int) {
	if f.progress == nil {
		return
	}
	before := f.read.Add(int64(n)) - int64(n)
	f.progress.read.Add(max(0, min(int64(n), f.size-before)))
}

// Read is that of the file.
func (f storedFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.count(n)
	return n, err
}

// ReadAt is that of the file.
func (f storedFile) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.File.ReadAt(p, offset)
	f.count(n)
	return n, err
}
