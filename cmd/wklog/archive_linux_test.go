package main

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkArchive measures reports over an archive of 512 MiB and one of four times that:
// the most memory each takes, their ratio, and the time against one worker's.
func BenchmarkArchive(b *testing.B) {
	small, _ := archive(b, "10", "30", "512")
	large, _ := archive(b, "10", "30", "2048")
	report := func(folder string, args ...string) (seconds, mebibytes float64) {
		c := self(b, "wklog", append([]string{"report", folder, "-o", filepath.Join(b.TempDir(), "report.html")}, args...)...)
		start := time.Now()
		require.NoError(b, c.Run())
		usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
		require.True(b, ok)
		return time.Since(start).Seconds(), float64(usage.Maxrss) / 1024
	}
	for b.Loop() {
		_, before := report(small)
		both, after := report(large)
		one, _ := report(large, "--jobs", "1")
		b.ReportMetric(before, "MiB-for-512")
		b.ReportMetric(after, "MiB-for-2048")
		b.ReportMetric(after/before, "memory-ratio")
		b.ReportMetric(both/one, "time-to-one-job")
	}
}
