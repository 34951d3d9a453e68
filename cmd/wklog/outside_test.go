package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkOutsideProgram tells how much longer a program that calls the library
// takes than the command, over the same 60 MB of a healthy server's log with some
// failures, in turns: of the wall clock and of the processors.
func BenchmarkOutsideProgram(b *testing.B) {
	dir := b.TempDir()
	for program, from := range map[string]string{"outside": "./testdata/outside", "wklog": "."} {
		out, err := exec.Command("go", "build", "-o", filepath.Join(dir, program), from).CombinedOutput()
		require.NoError(b, err, "%s", out)
	}
	healthy, err := os.ReadFile("../../testdata/wukongim/servers/healthy/stdout-debug.log")
	require.NoError(b, err)
	const size = 60 << 20
	log := bytes.Repeat(append(healthy, strings.Repeat(handshakeLine, 5)...), size/len(healthy))
	name := filepath.Join(dir, "server.log")
	require.NoError(b, os.WriteFile(name, log, 0o644))
	var wall, cpu [2]time.Duration
	for b.Loop() {
		for i, args := range [][]string{{"outside"}, {"wklog", "analyze", name}} {
			c := exec.Command(filepath.Join(dir, args[0]), args[1:]...)
			if c.Stdin, err = os.Open(name); err != nil {
				b.Fatal(err)
			}
			start := time.Now()
			require.NoError(b, c.Run())
			wall[i] += time.Since(start)
			cpu[i] += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
			c.Stdin.(*os.File).Close()
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(wall[0])/float64(wall[1]), "wall/command")
	b.ReportMetric(float64(cpu[0])/float64(cpu[1]), "cpu/command")
	b.ReportMetric(cpu[0].Seconds()/float64(b.N), "cpu-s/op")
}
