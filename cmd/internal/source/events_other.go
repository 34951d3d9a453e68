//go:build !linux

package source

import "os"

// hasEvents tells whether the file's system reports every change; elsewhere than
// on Linux that is not known.
func hasEvents(*os.File) bool { return false }
