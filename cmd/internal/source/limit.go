package source

import (
	"errors"
	"io"
	"strconv"
	"strings"
)

// Limit bounds what a compressed file may become, against files that were made
// to fill a machine. Zero values are no limit.
type Limit struct {
	// Times is how many times its stored size a file may have.
	Times int64
	// Bytes that may come out of one file.
	Bytes int64
}

// DefaultLimit is far above what real logs need.
var DefaultLimit = Limit{Times: 200, Bytes: 20 << 30}

// ErrLimit says that a text is no limit.
var ErrLimit = errors.New("not a number of times, a size or 0")

// ParseLimit reads a number of times, a size such as 50GiB, or 0 for no limit;
// empty is the default.
func ParseLimit(s string) (Limit, error) {
	limit := DefaultLimit
	if s == "" {
		return limit, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		if n == 0 {
			return Limit{}, nil
		}
		limit.Times = n
		return limit, nil
	}
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if n, err := strconv.ParseInt(strings.TrimSuffix(s, unit), 10, 32); strings.HasSuffix(s, unit) && err == nil && n > 0 {
			limit.Bytes = n << (10 * (i + 1))
			return limit, nil
		}
	}
	return limit, ErrLimit
}

// harmless is how many bytes may come out of any file: short logs of equal lines
// shrink very well.
const harmless = 64 << 20

// allows tells whether so much may have come out of a file.
func (l Limit) allows(stored, expanded int64) bool {
	return expanded <= harmless ||
		(l.Times == 0 || expanded <= l.Times*stored) && (l.Bytes == 0 || expanded <= l.Bytes)
}

// counted counts the stored bytes of a stream while they are read.
func (w *walker) counted(r io.Reader) io.Reader { return &countedReader{r, w} }

type countedReader struct {
	io.Reader
	walker *walker
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.walker.stored += int64(n)
	return n, err
}

// limited ends a decompression that gives too much.
func (w *walker) limited(r io.Reader) io.Reader { return &limitedReader{r, w} }

type limitedReader struct {
	io.Reader
	walker *walker
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	w := l.walker
	if w.expanded += int64(n); !w.limit.allows(w.stored, w.expanded) {
		return n, ErrBomb
	}
	return n, err
}
