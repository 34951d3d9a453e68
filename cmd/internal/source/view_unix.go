//go:build unix

package source

import (
	"os"

	"golang.org/x/sys/unix"
)

// View maps a part of the file into memory (mmap, POSIX.1-2017); the offset is a
// multiple of the page size. The bytes stay valid until release; those after
// the file's end fault.
func (f storedFile) View(offset, size int64) (data []byte, release func(), err error) {
	data, err = unix.Mmap(int(f.Fd()), offset, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, &os.PathError{Op: "mmap", Path: f.Name(), Err: err}
	}
	f.count(len(data))
	return data, func() { _ = unix.Munmap(data) }, nil
}
