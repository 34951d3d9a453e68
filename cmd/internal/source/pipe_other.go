//go:build !linux

package source

import "os"

// widen makes a pipe hold more where the system can.
func widen(*os.File) {}
