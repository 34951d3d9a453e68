//go:build !unix

package source

import (
	"io"
	"os"
)

func readerAt(f *os.File) io.ReaderAt { return f }
