package source

import (
	"os"

	"golang.org/x/sys/unix"
)

// widen makes a pipe hold as much as is read at once instead of 64 KiB, so that
// its writer and wklog take turns less often (fcntl(2), F_SETPIPE_SZ). What is
// no pipe, or may not grow, stays as it is.
func widen(f *os.File) {
	_, _ = unix.FcntlInt(f.Fd(), unix.F_SETPIPE_SZ, pieceSize)
}
