package source

import (
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
)

// StateSchema names the form of a state file.
const StateSchema = "wklog.state/v1"

// Errors about state files.
var (
	ErrState     = errors.New("is no state file of wklog")
	ErrStateUsed = errors.New("is in use by another process")
)

// State remembers in a file how far logs were read.
type State struct {
	path  string
	lock  *os.File
	files []savedFile
	last  []byte
}

// savedFile is where one log stood.
type savedFile struct {
	Name   string `json:"name"` // absolute
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"`
	// Head are the first bytes of the file, at most as many as were read.
	Head print `json:"head"`
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
	return len(data) >= p.Bytes && printOf(data[:p.Bytes]) == p
}

type stateDocument struct {
	Schema string      `json:"schema"`
	Files  []savedFile `json:"files"`
}

// OpenState reads a state file, which need not exist yet, and keeps other
// processes from it until Close.
func OpenState(path string) (*State, error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	s := &State{path: path, lock: lock}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	var doc stateDocument
	if err == nil {
		if jsonErr := json.Unmarshal(data, &doc); jsonErr != nil || doc.Schema != StateSchema {
			err = ErrState
		}
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.files = doc.Files
	return s, nil
}

// Close lets other processes use the state.
func (s *State) Close() {
	if s != nil {
		s.lock.Close()
		os.Remove(s.path + ".lock")
	}
}

func (s *State) of(name string) *savedFile {
	if s == nil {
		return nil
	}
	name = absolute(name)
	at := slices.IndexFunc(s.files, func(f savedFile) bool { return f.Name == name })
	if at < 0 {
		return nil
	}
	return &s.files[at]
}

func absolute(name string) string {
	if full, err := filepath.Abs(name); err == nil {
		return full
	}
	return name
}

// Save writes how far the logs are settled, unless nothing changed since. The
// file is replaced as a whole and has reached the disk when Save returns.
func (f *Follow) Save() error {
	if f.State == nil {
		return nil
	}
	doc := stateDocument{Schema: StateSchema, Files: []savedFile{}}
	for _, saved := range f.State.files { // of logs that are not there now
		if !slices.ContainsFunc(f.logs, func(l *Followed) bool { return absolute(l.Name) == saved.Name }) {
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
	data, err := json.MarshalIndent(doc, "", " ")
	if err != nil || string(data) == string(f.State.last) {
		return err
	}
	if err := replaceFile(f.State.path, append(data, '\n')); err != nil {
		return err
	}
	f.State.last = data
	return nil
}

func (l *Followed) saved() savedFile {
	s := l.segments[0]
	saved := savedFile{Name: absolute(l.Name), Offset: s.offset + max(l.settled-s.start, 0)}
	saved.Device, saved.Inode = identityOf(s.info)
	saved.Head = printOf(s.head[:min(int64(len(s.head)), saved.Offset)])
	return saved
}

// replaceFile writes a file so that either the old or the new content is there
// after a crash (rename(2), fsync(2)).
func replaceFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		os.Remove(f.Name())
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// resume goes on where an earlier run stood: in the same file, by whatever name
// it goes now, compressed or not, and through what was rotated since.
func (f *Follow) resume(l *Followed, saved *savedFile) error {
	if saved.is(l.info) && saved.Head.matches(l.headOfFile()) && l.info.Size() >= saved.Offset {
		return f.begin(l, saved.Offset)
	}
	pieces := l.rotatedPieces()
	at := slices.IndexFunc(pieces, saved.wasRenamedTo)
	if at < 0 {
		at = slices.IndexFunc(pieces, saved.wasCopiedTo)
	}
	if at < 0 {
		if !saved.is(l.info) || saved.Offset > 0 {
			f.tell(l.Name, fmt.Errorf("%w: %s", ErrLost, saved.Name))
		}
		return f.begin(l, 0)
	}
	if err := f.whole(l, pieces[at], saved.Offset); err != nil {
		return err
	}
	for _, p := range l.rotatedBetween(pieces[at], l.file) {
		if err := f.whole(l, p, 0); err != nil {
			return err
		}
	}
	return f.begin(l, 0)
}

// is tells whether a file has the saved identity, which the system may have
// given to another one since.
func (s *savedFile) is(info fs.FileInfo) bool {
	device, inode := identityOf(info)
	return device == s.Device && inode == s.Inode
}

func (s *savedFile) wasRenamedTo(p *rotatedPiece) bool {
	return s.is(p.info) && p.size >= s.Offset && s.Head.matches(p.head)
}

// wasCopiedTo finds the saved file by its content alone, compressed or not.
func (s *savedFile) wasCopiedTo(p *rotatedPiece) bool {
	return s.Head.Bytes > 0 && p.size >= s.Offset && s.Head.matches(p.head)
}

func (l *Followed) headOfFile() []byte {
	head := make([]byte, headBytes)
	n, err := l.file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return head[:n]
}
