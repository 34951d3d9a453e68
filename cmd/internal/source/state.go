package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"unicode/utf8"

	"wklog/cmd/internal/messages"
)

// StateSchema names the form of a state file.
const StateSchema = "wklog.state/v1"

// Errors about state files.
var (
	ErrState     = errors.New("is not a state file of wklog")
	ErrStateUsed = errors.New("is in use by another process")
)

// State remembers in a file how far logs were read.
type State struct {
	path string
	lock *os.File
	doc  stateDocument
	last []byte // what was written last
	// writing gives the error of what is being written, nil where nothing is.
	writing chan error
	next    []byte
}

// savedFile is where one log stood.
type savedFile struct {
	Name   string `json:"name"` // absolute
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"`
	// Lines are those before Offset, negative where they were not counted.
	Lines int64 `json:"lines"`
	// Head are the first bytes of the file, at most as many as were read, and
	// Tail those before Offset: the file is known again up to there.
	Head print `json:"head"`
	Tail print `json:"tail"`
	// Read are the pieces of the log that need not be read.
	Read []identity `json:"read"`
}

// print tells the same bytes again.
type print struct {
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func printOf(data []byte) print {
	sum := sha256.Sum256(data)
	return print{Bytes: len(data), SHA256: hex.EncodeToString(sum[:])}
}

// matches tells whether a file that begins with data is the one.
func (p print) matches(data []byte) bool {
	return p.Bytes == 0 || p.Bytes > 0 && len(data) >= p.Bytes && printOf(data[:p.Bytes]) == p
}

type stateDocument struct {
	Schema string      `json:"schema"`
	Files  []savedFile `json:"files"`
	// Engines are how far engines were read.
	Engines []savedEngine `json:"engines,omitempty"`
	// Memory is what the reader of the logs has to know of them.
	Memory json.RawMessage `json:"memory,omitempty"`
}

// OpenState reads a state file, which need not exist yet, and keeps other
// processes from it until Close.
func OpenState(path string) (*State, error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	s := &State{path: path, lock: lock}
	var data []byte
	file, err := openRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	switch {
	case errors.Is(err, ErrNoFile):
		err = ErrState
	case err == nil:
		data, err = io.ReadAll(file)
		file.Close()
	}
	if err == nil {
		if jsonErr := json.Unmarshal(data, &s.doc); jsonErr != nil || s.doc.Schema != StateSchema ||
			slices.ContainsFunc(s.doc.Files, func(f savedFile) bool { return f.Offset < 0 }) {
			err = ErrState
		}
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Memory fills in what was saved beside the places in the logs, if anything was.
func (s *State) Memory(into any) error {
	if s == nil || len(s.doc.Memory) == 0 {
		return nil
	}
	if err := json.Unmarshal(s.doc.Memory, into); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}

// Close lets other processes use the state.
func (s *State) Close() {
	if s != nil {
		unlockFile(s.lock)
	}
}

func (s *State) of(name string) *savedFile {
	if s == nil {
		return nil
	}
	name = storedName(name)
	at := slices.IndexFunc(s.doc.Files, func(f savedFile) bool { return f.Name == name })
	if at < 0 {
		return nil
	}
	return &s.doc.Files[at]
}

// storedName is the absolute path as JSON can hold it, which is UTF-8.
func storedName(name string) string {
	name = absolute(name)
	if !utf8.ValidString(name) {
		name = strconv.QuoteToASCII(name)
	}
	return name
}

func absolute(name string) string {
	if full, err := filepath.Abs(name); err == nil {
		return full
	}
	return name
}

// Save writes how far the logs are settled, and what their reader has to know of
// them, unless nothing changed since. The file is replaced as a whole. A disk may
// take its time, so it is written beside the reading. That it could not be written
// is reported once, and tried again.
func (f *Follow) Save(memory func() any) error {
	s := f.State
	if s == nil || !f.written() {
		return nil
	}
	data, err := f.places(memory)
	if err != nil || bytes.Equal(data, s.last) {
		return err
	}
	s.next, s.writing = data, make(chan error, 1)
	go func() { s.writing <- replaceFile(s.path, append(data, '\n')) }()
	return nil
}

// SaveAll is Save at the end: the file has reached the disk when it returns.
func (f *Follow) SaveAll(memory func() any) error {
	if f.State == nil {
		return nil
	}
	for range 2 { // what was being written, and what came since
		if err := f.Save(memory); err != nil {
			return err
		}
		if w := f.State.writing; w != nil {
			w <- <-w
			f.written()
		}
	}
	return nil
}

// written takes the result of the writing before; false while it is not done.
func (f *Follow) written() bool {
	s := f.State
	if s.writing == nil {
		return true
	}
	select {
	case err := <-s.writing:
		s.writing = nil
		if err != nil {
			f.tell(s.path, messages.Bare(err))
			return true
		}
		s.last = s.next
		return true
	default:
		return false
	}
}

// places is the content of the state file.
func (f *Follow) places(memory func() any) ([]byte, error) {
	known, err := json.Marshal(memory())
	if err != nil {
		return nil, err
	}
	doc := stateDocument{Schema: StateSchema, Files: []savedFile{}, Engines: f.State.doc.Engines, Memory: known}
	for _, saved := range f.State.doc.Files { // of logs that are not there now
		if !slices.ContainsFunc(f.logs, func(l *Followed) bool { return storedName(l.Name) == saved.Name }) {
			doc.Files = append(doc.Files, saved)
		}
	}
	for _, l := range f.logs {
		if len(l.segments) > 0 {
			doc.Files = append(doc.Files, l.saved())
		} else if saved := f.State.of(l.Name); saved != nil {
			doc.Files = append(doc.Files, *saved)
		}
	}
	return json.MarshalIndent(doc, "", " ")
}

func (l *Followed) saved() savedFile {
	s := l.segments[0]
	saved := savedFile{Name: storedName(l.Name), Offset: s.offset + max(l.settled-s.start, 0), Lines: l.lines, Read: l.settledPieces()}
	saved.Device, saved.Inode = identityOf(s.info)
	saved.Head = printOf(s.head[:min(int64(len(s.head)), saved.Offset)])
	if unsettled := l.offset - saved.Offset; len(l.segments) == 1 && unsettled <= int64(len(l.tail)) {
		tail := l.tail[:int64(len(l.tail))-unsettled]
		saved.Tail = printOf(tail[max(0, len(tail)-tailBytes/4):])
	}
	return saved
}

// replaceFile writes a file so that either the old or the new content is there
// after a crash (rename(2), fsync(2)).
func replaceFile(path string, data []byte) error {
	ready, err := writeBeside(path, data)
	if err != nil {
		return err
	}
	if err := os.Rename(ready, path); err != nil {
		os.Remove(ready)
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// writeBeside writes what is to take the place of a file to the disk, and gives its name.
func writeBeside(path string, data []byte) (ready string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// resume goes on where an earlier run stood: in the same file, by whatever name
// it goes now, compressed or not, and through what was rotated since.
func (f *Follow) resume(l *Followed, saved *savedFile) error {
	for _, id := range saved.Read {
		l.done = append(l.done, donePiece{identity: id})
	}
	pieces := slices.DeleteFunc(l.rotatedPieces(), l.wasRead)
	present := l.present()
	at := slices.IndexFunc(pieces, func(p *rotatedPiece) bool { return saved.is(p.info) && saved.wasIn(p) })
	if at < 0 && saved.is(l.info) && saved.wasIn(present) {
		at = slices.IndexFunc(pieces, func(p *rotatedPiece) bool { return saved.wasIn(p) && isCut(present, p) })
		if at < 0 {
			return f.begin(l, saved.Offset, saved.Lines)
		}
	}
	if at < 0 && saved.Head.Bytes > 0 {
		at = slices.IndexFunc(pieces, saved.wasIn) // by its content alone
	}
	if at < 0 {
		known := saved.Read != nil // a version before did not save what it had read
		read := func(id identity) bool { return uint32(id.Size) == uint32(saved.Offset) && id.Head == saved.Head }
		if !slices.ContainsFunc(saved.Read, read) && (saved.Offset > 0 || !known && !saved.is(l.info)) {
			f.tell(l.Name, fmt.Errorf("%w: %s", ErrLost, saved.Name))
			f.nameUnopened(l)
		}
		if !known {
			return f.begin(l, 0, 0)
		}
		return f.wholeAll(l, pieces)
	}
	if err := f.whole(l, pieces[at], saved.Offset, saved.Lines); err != nil {
		return err
	}
	return f.wholeAll(l, l.rotatedBetween(pieces[at], l.file))
}

// isCut tells whether a file was cut after it had been copied (logrotate's
// copytruncate), though it is as long again as it was: it does not begin with all
// of the copy, or only since all of its lines are the same.
func isCut(file, copied *rotatedPiece) bool {
	if os.SameFile(file.info, copied.info) {
		return false
	}
	a, err := file.open(0)
	if err != nil {
		return false
	}
	defer a.Close()
	b, err := copied.open(0)
	if err != nil {
		return false
	}
	defer b.Close()
	return !beginsWith(a, b) || copied.repeatsItself()
}

// is tells whether a file has the saved identity, which the system may have
// given to another one since.
func (s *savedFile) is(info fs.FileInfo) bool {
	device, inode := identityOf(info)
	return device == s.Device && inode == s.Inode
}

// wasIn tells whether a file holds what was read of the saved one, as the file
// itself does and its copy, compressed or not.
func (s *savedFile) wasIn(p *rotatedPiece) bool {
	if p.size < s.Offset || !s.Head.matches(p.head) || s.Offset < int64(s.Tail.Bytes) {
		return false
	}
	r, err := p.open(s.Offset - int64(s.Tail.Bytes))
	if err != nil {
		return false
	}
	defer r.Close()
	tail := make([]byte, s.Tail.Bytes)
	_, err = io.ReadFull(r, tail)
	return err == nil && s.Tail.matches(tail)
}

// present is the present file of a log, for a comparison with its pieces.
func (l *Followed) present() *rotatedPiece {
	p := openedPiece(l.file)
	if p == nil {
		p = &rotatedPiece{opened: l.file}
	}
	p.info = l.info
	return p
}

// openedPiece describes an open file as a piece, nil where it cannot be looked at.
func openedPiece(file *os.File) *rotatedPiece {
	info, err := file.Stat()
	if err != nil {
		return nil
	}
	head := make([]byte, headBytes)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		n = 0
	}
	return &rotatedPiece{info: info, head: head[:n], size: info.Size(), opened: file}
}
