package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/parser"
)

// far is how far one log was read, with what was rotated of it.
type far struct {
	name string // of its newest file
	left int    // parts that were not read to their end
	// backwards says that the newest parts are read first, begun that one was read; from is
	// when the oldest entry is of that was read with all that are newer, zero where that is
	// not known.
	backwards, begun bool
	from             time.Time
}

// part is a piece of a large file.
type part struct {
	file       *os.File
	from, size int64
}

// newestFirst divides the files into parts of so many bytes at most and puts the newest of
// each log first: what the time is too short for is the oldest then. Files that have not so
// many bytes together stay as they are, for what is divided may be an entry.
func newestFirst(files []found, most int64) (parts []found, closed func()) {
	open := []*os.File{}
	closed = func() {
		for _, file := range open {
			file.Close()
		}
	}
	sizes := int64(0)
	for i := range files {
		if info, err := os.Stat(files[i].path); err == nil && info.Mode().IsRegular() && files[i].given == nil {
			sizes += info.Size()
		}
	}
	var ranks []int
	for begin := 0; begin < len(files); {
		end := begin + 1
		for end < len(files) && (files[end].continues || files[end].isMoreOf(files[begin])) {
			end++
		}
		group := files[begin:end]
		if begin = end; group[0].given == nil {
			group = together(group)
			if sizes > most {
				group = inParts(group, most, &open)
			}
		}
		for rank, f := range group {
			parts, ranks = append(parts, f), append(ranks, rank)
		}
	}
	if sizes > most {
		parts = byRank(parts, ranks)
	}
	return parts, closed
}

func (f found) isMoreOf(first found) bool {
	return f.given != nil && f.given.More && first.given != nil && f.path == first.path
}

// together are the pieces of one log.
func together(group []found) []found {
	group = slices.Clone(group)
	of := &far{name: group[len(group)-1].path, left: len(group)}
	for i := range group {
		group[i].of = of
	}
	return group
}

// inParts divides the pieces of one log, which are given oldest first.
func inParts(group []found, most int64, open *[]*os.File) (parts []found) {
	for _, f := range slices.Backward(group) {
		f.continues = false
		cuts, file := cutsOf(f.path, most)
		if file != nil {
			*open = append(*open, file)
		}
		if len(cuts) < 3 {
			parts = append(parts, f)
			continue
		}
		for i := len(cuts) - 2; i >= 0; i-- {
			one := f
			one.part = &part{file: file, from: cuts[i], size: cuts[i+1] - cuts[i]}
			one.more = i < len(cuts)-2
			parts = append(parts, one)
		}
	}
	group[0].of.left, group[0].of.backwards = len(parts), true
	return parts
}

func byRank(parts []found, ranks []int) []found {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ranks[a], ranks[b]) })
	sorted := make([]found, len(parts))
	for i, at := range order {
		sorted[i] = parts[at]
	}
	return sorted
}

// cutsOf are the offsets at which a file is divided, its ends among them; none of a file that
// is not text as it is stored.
func cutsOf(path string, most int64) (cuts []int64, file *os.File) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() <= most {
		return nil, nil
	}
	if file, err = os.Open(path); err != nil {
		return nil, nil // which is told when it is to be read
	}
	if info, err = file.Stat(); err != nil || !isPlain(file) {
		return nil, file
	}
	cuts = []int64{info.Size()}
	for at := info.Size() - most; at > 0; at -= most {
		if cut := lineFrom(file, at, cuts[0]); cut < cuts[0] {
			cuts = slices.Insert(cuts, 0, cut)
		}
	}
	return slices.Insert(cuts, 0, 0), file
}

// isPlain tells that a file holds lines of text, which may be divided.
func isPlain(file *os.File) bool {
	head := make([]byte, headSize)
	n, _ := file.ReadAt(head, 0)
	head = head[:n]
	return !isPacked(head) && utf16(head) == nil && !documents.Match(head) && !spread.Match(head) && !isBinary(head, file.Name())
}

// mostToLine bytes are looked at for a line that a log may be divided at.
const mostToLine = 256 << 10

// lineFrom is where the first line begins behind an offset that has a time of its own, since
// such a line begins an entry; the end where none does before it, and where that is far the
// first line.
func lineFrom(file io.ReaderAt, offset, end int64) int64 {
	window := make([]byte, min(mostToLine, end-offset))
	n, _ := file.ReadAt(window, offset)
	window = window[:n]
	first := bytes.IndexByte(window, '\n') + 1
	if first == 0 {
		return end
	}
	for at := first; at < len(window); {
		length := bytes.IndexByte(window[at:], '\n') + 1
		if length == 0 {
			break
		}
		if _, dated := parser.Stamps(parser.Unwrap(window[at : at+length]).Text); dated {
			return offset + int64(at)
		}
		at += length
	}
	if len(window) < mostToLine {
		return end
	}
	return offset + int64(first)
}

// readTo notes that a part was read to its end, and from when it was.
func (l *far) readTo(from time.Time) {
	l.left--
	l.begun = l.backwards
	if !from.IsZero() {
		l.from = from
	}
}

// unread tells once of each log what was not read of it when the time was up.
func unread(ctx context.Context, files []found, failures []Failure) []Failure {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return failures
	}
	failures = slices.DeleteFunc(failures, func(f Failure) bool { return errors.Is(f.Err, context.DeadlineExceeded) })
	told := map[*far]bool{nil: true}
	for _, f := range files {
		if !told[f.of] && f.of.left > 0 {
			failures = append(failures, Failure{Source: parser.Readable(f.of.name), Err: OnlyFrom(f.of.begun, f.of.from)})
		}
		told[f.of] = true
	}
	return failures
}

// OnlyFrom says of a log that the time was too short for what is older than so, of which it is
// zero where it is not known; or for its newest lines, where these were not begun with.
func OnlyFrom(begun bool, at time.Time) error {
	switch {
	case !begun:
		return messages.NewError("doctor.log-late")
	case at.IsZero():
		return messages.NewError("doctor.log-part")
	}
	return messages.NewError("doctor.log-older", at.Local().Format(time.DateTime))
}
