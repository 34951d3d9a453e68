package source

import (
	"bufio"
	"compress/bzip2"
	"errors"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// padded is a compressed stream. Tapes, block devices and some copies fill up with
// zeros what they hold, and gzip passes over those: they are no damage.
type padded struct {
	*bufio.Reader
	zeros int // that were read last, one after the other
}

// Read counts what a decoder takes, and not what waits for it.
func (p *padded) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	for i := n; ; i-- {
		switch {
		case i == 0:
			p.zeros += n
			return n, err
		case b[i-1] != 0:
			p.zeros = n - i
			return n, err
		}
	}
}

// ReadByte is what the decoders use that take no more than they need.
func (p *padded) ReadByte() (byte, error) {
	c, err := p.Reader.ReadByte()
	switch {
	case err != nil:
	case c == 0:
		p.zeros++
	default:
		p.zeros = 0
	}
	return c, err
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
	if p.zeros < shortestMagic {
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
