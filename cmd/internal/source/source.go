// Package source turns what a user names (files, directories, globs, archives,
// standard input) into streams of uncompressed log bytes.
package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/source/engine"
	"wklog/parser"
)

// Stdin is the name by which a user means standard input.
const Stdin = "-"

// Log is one stream of log bytes.
type Log struct {
	// Name as the user knows it: the path, with the member's name after an
	// archive's path and a "!", as far as possible in UTF-8.
	Name string
	// Size in bytes as stored, -1 when it is not known.
	Size int64
	// Modified is when the log was last written to; zero when it is not known.
	Modified time.Time
	io.Reader
	// File is set where the log is a whole file as it is stored, of Size bytes.
	File io.ReaderAt
	// Alone says that no other log is read beside it.
	Alone bool
	// Live says that it is read while it is written: a pipe, and no file.
	Live bool
	// Continues says that the log goes on where the one before it ended: both
	// are pieces of one log that was rotated. Head are its first bytes.
	Continues bool
	Head      []byte
	// More says that it is the next part of a log of the same name, which was read before.
	More bool
	// Copy says that the log is another's content in compressed form, and that
	// the other is read as well.
	Copy bool
	// Asked is set where an engine keeps the log.
	Asked *Asked
	// From is the offset at which it begins in the file that it is a part of.
	From int64
	// Begins is set by who has read it to its end: when its first entry is of, zero where
	// none has a time. Nil for nobody who asks.
	Begins *time.Time
	// Wrote tells when it was written to, which is more than what is read of it; nil where
	// that is all that is known.
	Wrote *Wrote
	// Workers is how many may work on it at the same time.
	Workers int
}

// Wrote is when a log was written to, first, last, and in between.
type Wrote struct {
	First, Last time.Time
	Traffic     parser.Traffic
}

func (w *Wrote) add(more *engine.Wrote) {
	if w.First.IsZero() {
		w.First = more.From
	}
	w.Last = more.Until
	w.Traffic.Wrote(more.From, more.Until, more.Amount)
}

// Visitor takes the logs of one file: first each of them, then the end.
type Visitor interface {
	// Read reads one log; its error is reported as a failure of the log.
	Read(*Log) error
	End()
}

// Failure is an input that could not be read, in whole or in part.
type Failure struct {
	Source string
	Err    error
	// Minor failures do not change the exit status: something that is no log
	// was met on the way through a directory.
	Minor bool
}

// Errors about inputs that cannot be read as logs.
var (
	ErrBinary = errors.New("not a text log: it holds binary data")
	// ErrLooksBinary is of a log that was read though it does not look like one.
	ErrLooksBinary = errors.New("it was read as text, and looks like binary data")
	ErrNone        = errors.New("no file matches")
	ErrDamaged     = errors.New("damaged compressed data")
	ErrBomb        = errors.New("expands to more than the limit")
	ErrMembers     = errors.New("an archive holds more files than are read")
	ErrEncrypted   = errors.New("files of a zip archive are encrypted")
	ErrLargeZip    = errors.New("a zip archive on a stream or in another archive is too large to be kept in memory")
)

// Given is a log that is no file: Open begins to read it, or gives nil where there is no
// more of it.
type Given struct {
	Name string
	// More says that it is another part of the log before it, whose name it has.
	More bool
	Open func(context.Context) (io.ReadCloser, error)
}

// Reading says what is read and how.
type Reading struct {
	// Args are files, directories, globs, and Stdin.
	Args  []string
	Stdin *Stream
	// Given are logs that somebody else opens, read after those of Args.
	Given []Given
	// Jobs is how many files are read at the same time.
	Jobs int
	// Outputs are files that are no inputs, though a directory may hold them.
	Outputs []string
	// IsReport tells by its first bytes that a file in a directory is a report of an
	// earlier run; nil for none.
	IsReport func(head []byte) bool
	Limit    Limit
	// Newest says that of files with more than so many bytes the newest are read first, one
	// after the other, and that it is told what the time was too short for; 0 for neither.
	Newest int64
	// Progress is told how far the reading is; nil for nobody.
	Progress *Progress
	// Engines say what is read where an argument is an engine's address.
	Engines *Engines
	// Visit is called for each file in a fixed order.
	Visit func() Visitor
}

// Walk opens every log that the arguments name. Visitors are called from
// goroutines of their own. A log that cannot be opened or read is reported in
// the result, in the order of the files, and the walk goes on; only the context
// ends it.
func (r Reading) Walk(ctx context.Context) []Failure {
	l := &list{ctx: ctx}
	for _, output := range r.Outputs {
		if info, err := os.Stat(output); err == nil {
			l.isKnown(info)
		}
	}
	files := l.expand(r.Args)
	for i := range r.Given {
		files = append(files, found{path: r.Given[i].Name, named: true, given: &r.Given[i]})
	}
	r.Progress.expect(files)
	jobs, alone := max(r.Jobs, 1), len(files) == 1
	if r.Newest > 0 {
		parts, closed := newestFirst(files, r.Newest)
		defer closed()
		files, jobs = parts, 1
	}
	var walkers []*walker
	var running sync.WaitGroup
	free := make(chan struct{}, jobs)
	for _, f := range files {
		free <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		w := &walker{
			ctx: ctx, stdin: r.Stdin, visitor: r.Visit(), alone: alone, limit: r.Limit,
			workers: max(1, jobs/len(files)), progress: r.Progress, isReport: r.isReport, engines: r.Engines,
		}
		walkers = append(walkers, w)
		running.Go(func() {
			w.open(f)
			w.visitor.End()
			<-free
		})
	}
	running.Wait()
	failures := l.failures
	for _, w := range walkers {
		failures = append(failures, w.failures...)
	}
	return unread(ctx, files, failures)
}

func (r *Reading) isReport(head []byte) bool { return r.IsReport != nil && r.IsReport(head) }

// failures collects what could not be read.
type failures []Failure

func (f *failures) fail(source string, err error, minor bool) {
	*f = append(*f, Failure{Source: parser.Readable(source), Err: messages.Bare(err), Minor: minor})
}

// list finds the files behind the arguments.
type list struct {
	ctx context.Context
	failures
	// known are the files that were met, by what identityOf gives: one by one they
	// would take long to compare where there are many.
	known map[[2]uint64][]fs.FileInfo
}

// walker reads what is in one file.
type walker struct {
	ctx       context.Context
	stdin     *Stream
	visitor   Visitor
	alone     bool
	named     bool // the user named the file, not a directory that holds it
	continues bool
	copied    bool
	workers   int
	limit     Limit
	progress  *Progress
	isReport  func(head []byte) bool
	engines   *Engines
	members   int // that archives in the file hold
	// stored and expanded are how many bytes the file has, as far as is known,
	// and how many came out of its compression.
	stored, expanded int64
	failures
}

// found is a path with how it was found.
type found struct {
	path string
	// named says that the user named it, not a directory that holds it.
	named bool
	// continues says that it is the next piece of the log before it.
	continues bool
	// copied says that it is another's compressed form.
	copied bool
	// given is set where it is no file.
	given *Given
	// of is the log that it is of where the newest parts are read first; part is set for a
	// part of a file, and more for those that follow the first.
	of   *far
	part *part
	more bool
	// begins is where it is noted when its first entry is of, nil for nowhere.
	begins *time.Time
}

// expand lists the files behind the arguments: captures of a server's output
// first, its own log files after them, since those repeat a part of the output.
func (l *list) expand(args []string) []found {
	var files []found
	for _, arg := range args {
		files = append(files, l.files(arg)...)
	}
	files = slices.DeleteFunc(files, l.isRepeated)
	slices.SortStableFunc(files, func(a, b found) int { return order(a.path) - order(b.path) })
	return rotatedInOrder(files)
}

// rotatedInOrder puts the pieces of each rotated log together, oldest first.
func rotatedInOrder(files []found) []found {
	type log struct{ folder, name string }
	pieces := map[log][]found{}
	of := func(f found) log {
		name, _ := rotationOf(filepath.Base(f.path))
		return log{filepath.Dir(f.path), name}
	}
	for _, f := range files {
		pieces[of(f)] = append(pieces[of(f)], f)
	}
	var sorted []found
	for _, f := range files {
		group, copies := withoutCopies(pieces[of(f)])
		delete(pieces, of(f))
		slices.SortStableFunc(group, found.compare)
		for i := range group {
			group[i].continues = i > 0
		}
		sorted = append(append(sorted, group...), copies...)
	}
	return sorted
}

// withoutCopies takes out the files that stand beside their compressed form.
func withoutCopies(group []found) (kept, copies []found) {
	plain := map[string]bool{}
	for _, f := range group {
		plain[f.path] = packedSuffix(f.path) == ""
	}
	for _, f := range group {
		suffix := packedSuffix(f.path)
		if other := strings.TrimSuffix(f.path, suffix); suffix != "" && plain[other] && isCopy(f.path, other) {
			f.copied = true
			copies = append(copies, f)
			continue
		}
		kept = append(kept, f)
	}
	return kept, copies
}

// compare puts the older of two pieces of one log first; the one that was not
// rotated is the newest.
func (f found) compare(other found) int {
	_, rotated := rotationOf(strings.TrimSuffix(f.path, packedSuffix(f.path)))
	_, otherRotated := rotationOf(strings.TrimSuffix(other.path, packedSuffix(other.path)))
	if rotated != otherRotated {
		return cmp.Compare(truth(otherRotated), truth(rotated))
	}
	return f.piece().compare(other.piece())
}

func (f found) piece() *rotatedPiece {
	p := &rotatedPiece{path: f.path}
	if info, err := os.Stat(f.path); err == nil {
		p.modified = info.ModTime()
	}
	return p
}

func truth(is bool) int {
	if is {
		return 1
	}
	return 0
}

// order is 1 for the log files that WuKongIM itself writes, 0 for everything
// else.
func order(name string) int {
	if parser.IsOwnLog(filepath.ToSlash(name)) {
		return 1
	}
	return 0
}

// Holds tells whether a file is among those that the arguments name or hold.
func Holds(args []string, file fs.FileInfo) bool {
	l := &list{ctx: context.Background()}
	for _, arg := range args {
		for _, f := range l.files(arg) {
			if info, err := os.Stat(f.path); err == nil && os.SameFile(info, file) {
				return true
			}
		}
	}
	return false
}

func (l *list) files(arg string) []found {
	if arg == Stdin || engine.IsAddress(arg) {
		return []found{{path: arg, named: true}}
	}
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		return l.directory(arg)
	case err == nil:
		return []found{{path: arg, named: true}}
	case errors.Is(err, fs.ErrNotExist) && isGlob(arg):
		return l.glob(arg)
	}
	l.fail(arg, err, false)
	return nil
}

func isGlob(arg string) bool { return strings.ContainsAny(arg, "*?[") }

func (l *list) glob(pattern string) []found {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		l.fail(pattern, err, false)
		return nil
	}
	if len(paths) == 0 {
		l.fail(pattern, ErrNone, false)
	}
	var files []found
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			files = append(files, l.directory(path)...)
			continue
		}
		files = append(files, found{path: path, named: true})
	}
	return files
}

func (l *list) directory(root string) []found {
	var files []found
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if l.ctx.Err() != nil {
			return l.ctx.Err()
		}
		if err != nil {
			l.fail(path, err, false)
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if isDocument(path) {
			return nil
		}
		if d.Type().IsRegular() || d.Type()&fs.ModeSymlink != 0 && isFile(path) {
			files = append(files, found{path: path})
		}
		return nil
	})
	if err != nil && l.ctx.Err() == nil {
		l.fail(root, err, false)
	}
	return files
}

// isDocument tells by the ending that a file in a directory is no log: reports
// of earlier runs quote the failures that they count.
func isDocument(path string) bool {
	return slices.Contains([]string{".html", ".htm", ".md", ".markdown", ".csv", ".sarif"}, strings.ToLower(filepath.Ext(path)))
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// open reads one file, or what is in it.
func (w *walker) open(f found) {
	if f.path == Stdin {
		w.deliver(&Log{Name: Stdin, Size: -1, Live: w.stdin.Live(), Reader: w.counted(w.stdin)}, f)
		return
	}
	if f.given != nil {
		w.openGiven(f)
		return
	}
	if engine.IsAddress(f.path) {
		w.engine(f.path)
		return
	}
	if f.of != nil {
		f.begins = new(time.Time)
		defer func() {
			if w.ctx.Err() == nil {
				f.of.readTo(*f.begins)
			}
		}()
	}
	if f.part != nil {
		w.openPart(f)
		return
	}
	file, err := w.openFile(f.path)
	if err != nil {
		w.fail(f.path, err, false)
		return
	}
	if file == nil {
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		w.fail(f.path, err, false)
		return
	}
	if f.named && info.Mode().IsRegular() && info.Size() == 0 && holdsSomething(file) {
		w.deliver(&Log{Name: f.path, Size: -1, Reader: w.counted(NewStream(w.ctx, file))}, f)
		return
	}
	if !info.Mode().IsRegular() {
		w.deliver(&Log{Name: f.path, Size: -1, Live: true, Reader: w.counted(NewStream(w.ctx, file))}, f)
		return
	}
	w.stored = info.Size()
	stored, end := w.progress.begin(file, info.Size())
	defer end()
	w.deliver(&Log{Name: f.path, Size: info.Size(), Modified: info.ModTime(), Reader: stored, File: stored, Begins: f.begins}, f)
}

// openPart reads a part of a large file.
func (w *walker) openPart(f found) {
	section := io.NewSectionReader(f.part.file, f.part.from, f.part.size)
	w.stored = f.part.size
	log := &Log{Name: f.path, Size: f.part.size, Reader: section, File: section, From: f.part.from, More: f.more, Begins: f.begins}
	if info, err := f.part.file.Stat(); err == nil {
		log.Modified = info.ModTime()
	}
	w.deliver(log, f)
}

// openGiven reads a log that is no file.
func (w *walker) openGiven(f found) {
	log, err := f.given.Open(w.ctx)
	if err != nil {
		w.fail(f.path, err, false)
		return
	}
	if log == nil {
		return
	}
	defer log.Close()
	w.deliver(&Log{Name: f.path, Size: -1, Reader: w.counted(log), More: f.given.More}, f)
}

// holdsSomething tells of a file whose size is told as 0 whether it has any: those of
// /proc and of some file systems in user space tell none (proc(5)).
func holdsSomething(file *os.File) bool {
	n, _ := file.ReadAt(make([]byte, 1), 0)
	return n > 0
}

// ErrShrunk says that a file ended before the size that it had.
var ErrShrunk = errors.New("became shorter while it was read")

// openFile opens a file; nil for a pipe to which nobody wrote until the end of the
// context: that it is opened has to be waited for (fifo(7)), and cannot be ended.
func (w *walker) openFile(path string) (*os.File, error) {
	if info, err := os.Stat(path); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return os.Open(path)
	}
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened)
	go func() {
		file, err := os.Open(path)
		select {
		case done <- opened{file, err}:
		case <-w.ctx.Done():
			_ = file.Close() // nil where it could not be opened
		}
	}()
	select {
	case o := <-done:
		return o.file, o.err
	case <-w.ctx.Done():
		return nil, nil
	}
}

// mayHoldLogs tells by its name that a file in a directory was meant as a log or
// as an archive of logs, though it cannot be read as one.
func mayHoldLogs(path string) bool {
	name := strings.ToLower(filepath.Base(path))
	return strings.Contains(name, ".log") || slices.Contains([]string{
		".gz", ".tgz", ".zst", ".bz2", ".tbz2", ".xz", ".txz", ".lzma", ".lz", ".lz4", ".lzo", ".br", ".z", ".tar", ".zip", ".7z", ".rar", ".export",
	}, filepath.Ext(name))
}

// isRepeated tells whether the same regular file was named before, under this
// name or another.
func (l *list) isRepeated(f found) bool {
	info, err := os.Stat(f.path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	return l.isKnown(info)
}

// isKnown tells whether a file was met before, and remembers it.
func (l *list) isKnown(info fs.FileInfo) bool {
	device, inode := identityOf(info)
	same := [2]uint64{device, inode}
	for _, other := range l.known[same] {
		if os.SameFile(info, other) {
			return true
		}
	}
	if l.known == nil {
		l.known = map[[2]uint64][]fs.FileInfo{}
	}
	l.known[same] = append(l.known[same], info)
	return false
}

// deliver undoes compression and archives and hands out the text within.
func (w *walker) deliver(log *Log, f found) {
	log.Alone = w.alone
	w.named, w.continues, w.copied = f.named, f.continues, f.copied
	err := w.unpack(log, 0)
	if w.members > MaxMembers {
		w.fail(log.Name, ErrMembers, false)
	}
	if err == nil || errors.Is(err, errOwnReport) {
		return
	}
	if errors.Is(err, ErrBinary) {
		if mayHoldLogs(f.path) {
			w.fail(log.Name, ErrBinary, true)
		}
		return
	}
	w.fail(log.Name, err, false)
}
