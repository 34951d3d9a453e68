//go:build !unix

package check

import "testing"

func pipe(t *testing.T, _ string) { t.Skip("no named pipes on this system") }
