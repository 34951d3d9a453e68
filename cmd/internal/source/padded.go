package source

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// padded is a compressed stream. Tapes, block devices and some copies fill up with
// zeros what they hold, and gzip passes over those: they are no damage.
type padded struct {
	// Reader is what the decoder reads from: gzip's is fast with this type only.
	*bufio.Reader
	stored *zerosCounted
}

func newPadded(r io.Reader) *padded {
	stored := &zerosCounted{Reader: r}
	return &padded{bufio.NewReaderSize(stored, headSize), stored}
}

// zerosCounted counts the zeros at the end of what was read.
type zerosCounted struct {
	io.Reader
	zeros int
}

func (z *zerosCounted) Read(b []byte) (int, error) {
	n, err := z.Reader.Read(b)
	last := len(bytes.TrimRight(b[:n], "\x00"))
	if last > 0 {
		z.zeros = 0
	}
	z.zeros += n - last
	return n, err
}

// isNoBeginning tells that behind the end of what was packed something stands that does
// not begin like it.
func isNoBeginning(err error) bool {
	var structure bzip2.StructuralError
	return errors.Is(err, gzip.ErrHeader) || errors.Is(err, zstd.ErrMagicMismatch) ||
		errors.As(err, &structure) && structure == "bad magic value in continuation file"
}

// endsInZeros tells whether the beginning that was looked for, and all the rest, is
// zeros.
func (p *padded) endsInZeros() bool {
	const shortestMagic = 2
	if p.stored.zeros-p.Buffered() < shortestMagic {
		return false
	}
	for {
		switch c, err := p.ReadByte(); {
		case err != nil:
			return true
		case c != 0:
			return false
		}
	}
}
