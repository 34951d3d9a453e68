//go:build unix

package source

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// identityOf gives the device and the inode of a file.
func identityOf(info fs.FileInfo) (device, inode uint64) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Dev), uint64(stat.Ino)
	}
	return 0, 0
}

// lockFile takes a lock that ends with the process (flock(2)). The file may have been
// taken away by the holder before between its opening and its locking: then another
// process may hold the one that has its name now.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil && !hasName(f, path) {
		err = unix.EWOULDBLOCK
	}
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrStateUsed
	}
	return nil, err
}

// unlockFile takes the file away while it is locked.
func unlockFile(f *os.File) {
	os.Remove(f.Name())
	f.Close()
}

func hasName(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(mine, named)
}
