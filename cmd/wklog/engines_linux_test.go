package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
)

// BenchmarkCluster reads 20 nodes of 52 MiB from VictoriaLogs, from files, and all of it
// from VictoriaLogs through a pipe: the reports have to be the same. CLUSTER_DATA names a
// folder that keeps the logs, CLUSTER_LINES how many a node has.
func BenchmarkCluster(b *testing.B) {
	const nodes, most = 20, 64 << 20
	lines := atoi(cmp.Or(os.Getenv("CLUSTER_LINES"), "164000"))
	dir := cmp.Or(os.Getenv("CLUSTER_DATA"), b.TempDir())
	_, err := os.Stat(filepath.Join(dir, "files"))
	s := startStore(b, "-storageDataPath="+filepath.Join(dir, "store"))
	if err != nil {
		made := newMaker(b)
		for n := range nodes {
			one := made.node(n, lines, began, 400*time.Millisecond, 0.0007)
			one.write(b, filepath.Join(dir, "files"))
			for at := 0; at < len(one.lines); at += 5000 {
				s.push(b, &one, at, min(at+5000, len(one.lines)), "?disable_message_parsing=1")
			}
		}
		s.settle(b)
	}
	program := filepath.Join(b.TempDir(), "wklog")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(b, err, "%s", out)
	address := `vlogs://` + s.address + `/?query={namespace="im"}`
	everything := fmt.Sprintf(`curl -sS http://%s/select/logsql/query -d 'query={namespace="im"}' -d start=%s -d end=2026-05-05T23:00:00Z | exec %s report - --format json`, s.address, ofMay, program)
	for b.Loop() {
		files := costs(b, s, "files", dir, program, "report", filepath.Join(dir, "files"), "--format", "json")
		engine := costs(b, s, "engine", dir, program, "report", address, "--since", ofMay, "--until", "2026-05-06", "--format", "json")
		costs(b, s, "pipe", dir, "sh", "-c", everything)
		require.Equal(b, essence(files), essence(engine))
		b.ReportMetric(float64(engine.Inputs[0].ReceivedBytes), "engine-bytes")
		b.ReportMetric(float64(engine.Inputs[0].Requests), "engine-requests")
		b.ReportMetric(float64(files.Summary.Events), "events")
	}
}

// costs runs a command that prints a report, and tells what it cost.
func costs(b *testing.B, s *store, name, dir string, command ...string) *report.Document {
	b.Helper()
	c := exec.Command(command[0], command[1:]...)
	var out bytes.Buffer
	c.Stdout, c.Stderr, c.Dir, c.Env = &out, os.Stderr, dir, append(os.Environ(), "TZ=UTC")
	served, start := spent(b, s.process.Process.Pid), time.Now()
	require.NoError(b, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	peak := 0.0
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-tick.C:
			if data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid)); err == nil && strings.Contains(string(data), "VmHWM:") {
				peak = max(peak, resident(b, c.Process.Pid))
			}
			continue
		case err := <-ended:
			require.NoError(b, err)
		}
		tick.Stop()
		break
	}
	b.ReportMetric(time.Since(start).Seconds(), name+"-s")
	b.ReportMetric((c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(), name+"-cpu-s")
	b.ReportMetric(spent(b, s.process.Process.Pid)-served, name+"-store-cpu-s")
	b.ReportMetric(peak/(1<<20), name+"-MiB")
	var doc report.Document
	require.NoError(b, json.Unmarshal(out.Bytes(), &doc))
	return &doc
}

// spent is how many seconds of a processor a process has used (proc(5), stat).
func spent(b *testing.B, pid int) float64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(b, err)
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	const perSecond = 100
	return float64(atoi(fields[11])+atoi(fields[12])) / perSecond
}
