//go:build !unix

package source

import (
	"io/fs"
	"os"
)

// identityOf gives nothing where files have no inodes: their content decides.
func identityOf(fs.FileInfo) (device, inode uint64) { return 0, 0 }

func lockFile(path string) (*os.File, error) { return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644) }

func unlockFile(f *os.File) {
	f.Close() // what is open cannot be removed
	os.Remove(f.Name())
}
