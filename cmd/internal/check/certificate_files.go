package check

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wklog/cmd/internal/messages"
)

// maxFile bounds what is read of a file, in bytes: a chain has a few kilobytes.
const maxFile = 1 << 20

// ErrTooLarge says that a file is no certificate for its size alone.
var ErrTooLarge = errors.New("larger than 1 MiB")

func checkCertFile(f *certificateFiles) (r Result) {
	f.cert, r = f.file(f.CertFile)
	return r
}

func checkKeyFile(f *certificateFiles) (r Result) {
	f.key, r = f.file(f.KeyFile)
	if f.passed("cert-file") {
		r = r.rulesOut("cert-file-missing", "cert-file-unreadable")
	}
	return r
}

// file reads a file, and says whether the server can.
func (f *certificateFiles) file(path string) ([]byte, Result) {
	if path == "" {
		return nil, skipped("not-given")
	}
	if closed := f.Closed[path]; closed != "" {
		return f.Contents[path], fail("cert-file-unreadable", sharedReason+"file-unreadable", Path.of("path", closed), Number.of("user", f.UID))
	}
	if data, ok := f.Contents[path]; ok {
		return data, pass(sharedReason+"file-found", Path.of("file", path))
	}
	data, err := readFile(path)
	switch {
	case errors.Is(err, errIsFolder):
		return nil, fail("cert-file-missing", sharedReason+"file-folder", Path.of("file", path))
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errIsNoFolder):
		return nil, fail("cert-file-missing", sharedReason+"file-missing", Path.of("file", path))
	case errors.Is(err, fs.ErrPermission):
		return nil, fileClosed(path)
	case errors.Is(err, ErrTooLarge):
		return nil, fail("cert-not-pem", sharedReason+"file-large", Path.of("file", path))
	case errors.Is(err, errIsNoFile):
		return nil, fail("cert-file-missing", sharedReason+"file-special", Path.of("file", path))
	case err != nil:
		return nil, fail("cert-file-unreadable", sharedReason+"file-error", Path.of("file", path), Text.of("error", messages.Bare(err).Error()))
	}
	if closed := f.closedTo(path); closed != "" {
		return data, fail("cert-file-unreadable", sharedReason+"file-unreadable", Path.of("path", closed), Number.of("user", f.UID))
	}
	return data, pass(sharedReason+"file-found", Path.of("file", path))
}

// fileClosed is for a file that this user may not look at.
func fileClosed(path string) Result { return skipped("file-closed", Path.of("file", path)) }

var (
	errIsFolder   = errors.New("a folder")
	errIsNoFolder = errors.New("a file stands where a folder should")
	errIsNoFile   = errors.New("not a regular file")
)

// readFile reads a regular file of at most maxFile bytes; pipes and devices are
// not opened.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil && strings.Contains(err.Error(), "not a directory"):
		return nil, errIsNoFolder
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errIsFolder
	case !info.Mode().IsRegular():
		return nil, errIsNoFile
	case info.Size() > maxFile:
		return nil, ErrTooLarge
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = ErrTooLarge
	}
	return data, err
}

// closedTo gives the file, or the folder on the way to it, that the server may not
// read, by mode bits and owner; empty where it may, or where its user is not
// known. Links are followed: the folders on both ways count.
func (f *certificateFiles) closedTo(path string) string {
	if f.UID <= 0 {
		return "" // root may read everything
	}
	real, err := filepath.EvalSymlinks(path)
	if slices.ContainsFunc(f.Mounts, isRootOfProcess) {
		real, err = path, nil // its links were followed in it: the root itself is none that is
	}
	if err != nil {
		return ""
	}
	for _, way := range []string{path, real} {
		for _, dir := range foldersBelow(filepath.FromSlash(absolute(way)), f.Mounts) {
			if info, err := os.Stat(dir); err == nil && !f.may(info, 0o1) {
				return dir
			}
		}
	}
	if info, err := os.Stat(real); err == nil && !f.may(info, 0o4) {
		return path
	}
	return ""
}

// foldersBelow lists the folders above a path, the outermost first, up to the
// mount that holds it.
func foldersBelow(path string, mounts []string) []string {
	var dirs []string
	if slices.Contains(mounts, path) {
		return nil
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if slices.Contains(mounts, dir) {
			return append([]string{dir}, dirs...)
		}
		dirs = append([]string{dir}, dirs...)
		if dir == filepath.Dir(dir) {
			return dirs
		}
	}
}

// isRootOfProcess tells the folder through which a process sees its files: a link that
// the kernel alone can follow (proc(5)).
func isRootOfProcess(folder string) bool {
	found, _ := filepath.Match("/proc/*/root", folder)
	return found
}

// may tells whether the server's user has a permission bit (4 read, 1 search).
// Access control lists are not looked at.
func (f *certificateFiles) may(info fs.FileInfo, bit fs.FileMode) bool {
	uid, gid, known := ownerOf(info)
	return !known || f.allows(info.Mode(), uid, gid, bit)
}

// allows tells whether a mode does.
func (f *certificateFiles) allows(mode fs.FileMode, uid, gid int, bit fs.FileMode) bool {
	switch mode = mode.Perm(); {
	case uid == f.UID:
		return mode>>6&bit != 0
	case f.isOf(gid):
		return mode>>3&bit != 0
	default:
		return mode&bit != 0
	}
}

// checkKeyMode warns of a key that every user of the machine can read.
func checkKeyMode(f *certificateFiles) Result {
	info, err := os.Stat(f.KeyFile)
	if err != nil {
		return skipped("needs", Text.of("check", "key-file"))
	}
	mode := fmt.Sprintf("%04o", info.Mode().Perm())
	if info.Mode().Perm()&0o007 != 0 {
		return warn("", "open", Path.of("file", f.KeyFile), Text.of("mode", mode))
	}
	return pass("closed", Text.of("mode", mode))
}
