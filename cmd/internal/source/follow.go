package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/parser"
)

const (
	// checkEvery is how long a change may go unnoticed when no event tells of
	// it: new files, files on systems without events, events that were dropped.
	checkEvery = 200 * time.Millisecond
	// lookEvery is how often directories and globs are listed for new files.
	lookEvery = time.Second
	// endOfLine is how long a line that is half written at the end may take.
	endOfLine = 2 * time.Second
	// coarse is how far the times of files may lag behind the clock: file
	// systems take the time of the last timer tick.
	coarse = 20 * time.Millisecond
	// turn is how many bytes of one log are read before the others get theirs.
	turn = 4 << 20
)

// Piece is what was appended to a followed log.
type Piece struct {
	Log *Followed
	// Rotated says that Data begins another file, which is read from Offset:
	// 0 unless an earlier run read a part of it.
	Rotated bool
	Offset  int64
	// Lines are those before Offset, negative where they were not counted.
	Lines int64
	// Data may end within a line, and is valid until the call returns.
	Data []byte
	// Behind is how many bytes of the file are not read yet.
	Behind int64
	// Arrived is when the file was written to last. Waited says that the log had
	// been read to its end before.
	Arrived time.Time
	Waited  bool
}

// Follow says what is followed and how.
type Follow struct {
	// Paths are files, which need not exist yet, directories and globs.
	Paths []string
	// FromStart reads what is in the files already; otherwise only what comes.
	FromStart bool
	// IsReport tells by its first bytes that a file in a directory is a report of an
	// earlier run; nil for none.
	IsReport func(head []byte) bool
	// State of an earlier run, to go on from; nil for none.
	State *State
	// Deliver takes a piece; nothing more is read until it returns.
	Deliver func(Piece) error
	// Tick is called at least every fifth of a second between the pieces.
	Tick func() error
	// Report takes what cannot be read, and notes for the user.
	Report func(Failure)

	ctx     context.Context
	logs    []*Followed
	missing []string
	watched chan *Followed
	told    map[string]bool
	binary  map[string]bool // files that are no logs
	buf     []byte
	started time.Time // after the first look, zero before
	ticked  time.Time
	// deaf makes files look as if their system had no events, for tests.
	deaf bool
	// fault gives the error with which a reading fails, for tests; nil for none.
	fault func(name string, offset int64) error
}

// Notes about following.
var (
	ErrWaiting = errors.New("does not exist yet")
	ErrPolled  = errors.New("is on a file system without change events and is looked at five times a second")
	ErrLost    = errors.New("was rotated away since the last run, and its rest is not to be found")
)

// Run follows until the context ends or Deliver fails. Then it reads what is
// there, waits a moment for the end of a half-written line, and returns.
func (f *Follow) Run(ctx context.Context) error {
	f.ctx, f.watched, f.told, f.binary, f.buf = ctx, make(chan *Followed, 64), map[string]bool{}, map[string]bool{}, make([]byte, pieceSize)
	defer f.close()
	if err := f.look(f.Paths); err != nil {
		return err
	}
	f.started = time.Now().Add(-coarse)
	if err := f.tick(); err != nil {
		return err
	}
	check, look := time.NewTicker(checkEvery), time.NewTicker(lookEvery)
	defer check.Stop()
	defer look.Stop()
	for {
		var err error
		select {
		case l := <-f.watched:
			err = f.advanceInOrder(l)
		case <-check.C:
			err = errors.Join(f.advanceAll(), f.look(f.missing), f.tick())
		case <-look.C:
			err = f.look(f.Paths)
		case <-ctx.Done():
			return f.finish()
		}
		if err != nil {
			return err
		}
	}
}

func (f *Follow) close() {
	for _, l := range f.logs {
		l.close()
	}
}

// advanceInOrder reads a log, and before one that repeats a part of the server's
// output the others: the output carries more.
func (f *Follow) advanceInOrder(l *Followed) error {
	if order(l.Name) > 0 {
		for _, other := range f.logs {
			if order(other.Name) == 0 {
				if err := f.advance(other); err != nil {
					return err
				}
			}
		}
	}
	return f.advance(l)
}

func (f *Follow) advanceAll() error {
	for _, l := range f.logs {
		if err := f.advance(l); err != nil {
			return err
		}
	}
	return nil
}

// finish reads to the ends, and a little longer where a line is half written.
func (f *Follow) finish() error {
	until := time.NewTimer(endOfLine)
	defer until.Stop()
	again := time.NewTicker(checkEvery / 10)
	defer again.Stop()
	if err := f.look(f.Paths); err != nil {
		return err
	}
	for {
		if err := f.advanceAll(); err != nil {
			return err
		}
		if !slices.ContainsFunc(f.logs, (*Followed).halfWritten) {
			return nil
		}
		select {
		case <-until.C:
			return nil
		case <-again.C:
		}
	}
}

// look finds the files behind the paths that are not followed yet.
func (f *Follow) look(paths []string) error {
	f.missing = nil
	for _, path := range paths {
		names := f.behind(path)
		slices.SortStableFunc(names, func(a, b string) int { return order(a) - order(b) })
		for _, name := range names {
			if f.binary[name] || f.follows(name) {
				continue
			}
			l, err := f.start(name)
			if errors.Is(err, fs.ErrNotExist) && !f.names(name) {
				continue // it has gone since its folder was listed
			}
			if err != nil {
				f.tell(name, err)
				continue
			}
			if l == nil {
				continue
			}
			f.logs = append(f.logs, l)
			if err := f.place(l); err != nil {
				return err
			}
			f.watch(l)
			if err := f.advance(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// behind lists what a path names. Rotated pieces are not logs of their own.
func (f *Follow) behind(path string) []string {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.IsDir():
		return []string{path}
	case errors.Is(err, fs.ErrNotExist) && !isGlob(path):
		f.missing = append(f.missing, path)
		f.tell(path, ErrWaiting)
		return nil
	case err != nil && !isGlob(path):
		f.tell(path, err)
		return nil
	}
	l := &list{ctx: f.ctx}
	var names []string
	for _, found := range l.files(path) {
		if !isRotated(found.path) {
			names = append(names, found.path)
		}
	}
	for _, failure := range l.failures {
		if errors.Is(failure.Err, ErrNone) { // a glob, like a file, may come later
			f.missing = append(f.missing, path)
			failure.Err = ErrWaiting
		}
		f.tell(failure.Source, failure.Err)
	}
	return names
}

func (f *Follow) follows(name string) bool {
	return slices.ContainsFunc(f.logs, func(l *Followed) bool { return l.Name == name })
}

// tell reports something once.
func (f *Follow) tell(source string, err error) {
	key := source + "\x00" + err.Error()
	if !f.told[key] {
		f.told[key] = true
		minor := errors.Is(err, ErrWaiting) || errors.Is(err, ErrPolled)
		f.Report(Failure{Source: parser.Readable(source), Err: messages.Bare(err), Minor: minor})
	}
}

// start begins to follow a file, nil if it is no log.
func (f *Follow) start(name string) (*Followed, error) {
	file, err := openRegular(name)
	if errors.Is(err, ErrNoFile) {
		return nil, f.isNone(name, err)
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	head := make([]byte, headSize)
	n, _ := file.ReadAt(head, 0)
	switch {
	case isPacked(head[:n]):
		file.Close()
		return nil, f.isNone(name, ErrBinary)
	case !f.names(name) && (isBinary(head[:n], name) || f.IsReport != nil && f.IsReport(head[:n])):
		file.Close()
		return nil, f.isNone(name, nil)
	}
	return &Followed{Name: name, folder: folderOf(name), file: file, info: info}, nil
}

// names tells whether the user has named a file itself.
func (f *Follow) names(name string) bool { return slices.Contains(f.Paths, name) }

// isNone notes that a file is no log. Why is told of one that the user has named.
func (f *Follow) isNone(name string, why error) error {
	f.binary[name] = true
	if f.names(name) {
		return why
	}
	return nil
}

// place finds where the reading of a new log begins.
func (f *Follow) place(l *Followed) error {
	if saved := f.State.of(l.Name); saved != nil {
		return f.resume(l, saved)
	}
	if !f.started.IsZero() {
		return f.beginNew(l)
	}
	for _, p := range l.rotatedPieces() {
		l.remember(p)
	}
	if f.FromStart {
		return f.begin(l, 0, 0)
	}
	offset := lastLineStart(l.file, l.info.Size())
	return f.begin(l, offset, l.linesBefore(offset))
}

// beginNew reads a log that came after the first look, with what was rotated
// away until it was found.
func (f *Follow) beginNew(l *Followed) error {
	for _, p := range l.rotatedPieces() {
		if !p.modified.Before(f.started) && !os.SameFile(p.info, l.info) {
			if err := f.whole(l, p, 0, 0); err != nil {
				return err
			}
			continue
		}
		l.remember(p)
	}
	return f.begin(l, 0, 0)
}

// begin says that the present file of a log is read from an offset, with so many
// lines before it.
func (f *Follow) begin(l *Followed, offset, lines int64) error {
	if err := l.open(offset); err != nil {
		return err
	}
	return f.Deliver(Piece{Log: l, Rotated: true, Offset: offset, Lines: lines})
}

// lastLineStart is where the last, perhaps half-written line of a file starts.
func lastLineStart(r io.ReaderAt, size int64) int64 {
	tail := make([]byte, min(size, 64<<10))
	n, _ := r.ReadAt(tail, size-int64(len(tail)))
	if at := bytes.LastIndexByte(tail[:n], '\n'); at >= 0 {
		return size - int64(len(tail)) + int64(at) + 1
	}
	return size
}

// advance reads what a log has, and goes on to its next file when it was
// rotated.
func (f *Follow) advance(l *Followed) error {
	l.awake.Store(false)
	for read := 0; read < turn; {
		n, err := f.read(l)
		if err != nil {
			return err
		}
		read += n
		if n == 0 {
			again, err := f.rotated(l)
			if err != nil || !again {
				return err
			}
		}
	}
	l.wake(f.watched)
	return nil
}

// read delivers the next bytes of a log's present file.
func (f *Follow) read(l *Followed) (int, error) {
	n, err := f.readAt(l, f.buf, l.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		f.tell(l.Name, err)
		return 0, nil
	}
	info, intact, err := f.intact(l, int64(n))
	if err != nil { // what cannot be read has not changed for that
		f.tell(l.Name, err)
		return 0, nil
	}
	if !intact {
		return 0, f.truncated(l)
	}
	if n == 0 {
		l.waited = true
		return 0, nil
	}
	if l.offset == 0 { // it may have been written, copied and cut since it was empty
		if pieces := l.unread(); len(pieces) > 0 {
			return 0, f.wholeAll(l, pieces)
		}
	}
	return n, f.deliver(l, f.buf[:n], info.ModTime(), info.Size()-l.offset-int64(n))
}

// readAt reads from the present file of a log.
func (f *Follow) readAt(l *Followed, p []byte, offset int64) (int, error) {
	if f.fault != nil {
		if err := f.fault(l.Name, offset); err != nil {
			return 0, err
		}
	}
	return l.file.ReadAt(p, offset)
}

func (f *Follow) deliver(l *Followed, data []byte, arrived time.Time, behind int64) error {
	offset := l.offset
	l.passed(data)
	err := f.Deliver(Piece{Log: l, Offset: offset, Data: data, Behind: max(behind, 0), Arrived: arrived, Waited: l.waited})
	l.waited = false
	if err == nil && time.Since(f.ticked) > checkEvery {
		err = f.tick()
	}
	return err
}

// tick gives the regular turn, in the midst of long reading too.
func (f *Follow) tick() error {
	f.ticked = time.Now()
	return f.Tick()
}
