package source

import (
	"os"

	"golang.org/x/sys/unix"
)

// hasEvents tells whether the file's system reports every change by inotify. On
// those that are shared over a network or kept by a program, changes made
// elsewhere go unreported (inotify(7), limitations).
func hasEvents(file *os.File) bool {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &fs); err != nil {
		return false
	}
	switch uint32(fs.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC,
		unix.FUSE_SUPER_MAGIC, unix.V9FS_MAGIC, unix.AFS_SUPER_MAGIC, unix.CEPH_SUPER_MAGIC, unix.CODA_SUPER_MAGIC:
		return false
	}
	return true
}
