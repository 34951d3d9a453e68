package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDoctorBesideMuch is run on demand: DOCTOR_LOG is how many bytes the log of a server
// has, DOCTOR_OTHERS how many other containers there are.
func TestDoctorBesideMuch(t *testing.T) {
	size, _ := strconv.ParseInt(os.Getenv("DOCTOR_LOG"), 10, 64)
	others, _ := strconv.Atoi(os.Getenv("DOCTOR_OTHERS"))
	if size+int64(others) == 0 {
		t.Skip("asks for DOCTOR_LOG or DOCTOR_OTHERS")
	}
	e := startEngine(t)
	certs := e.prepare(t)
	e.startAll(t, []situation{{name: "healthy"}}, certs, 6000)
	require.Eventually(t, func() bool { return strings.Contains(e.run(t, "docker logs healthy 2>&1"), "started successfully") }, time.Minute, 50*time.Millisecond)
	if size > 0 {
		e.lengthen(t, "healthy", size)
		for _, timeout := range []string{"3s", "30s"} {
			out, took := e.measured(t, certs, "--timeout "+timeout)
			found := examinationOf(t, out)
			assert.Equal(t, 20, found.Servers[0].Report.Summary.Events, "the newest are read first")
			t.Logf("--timeout %s: %v\n%d lines, %d failures, not seen: %v", timeout, took, found.Servers[0].Report.Summary.Lines, found.Servers[0].Report.Summary.Events, found.Unseen)
		}
		return
	}
	_, alone := e.measured(t, certs, "")
	var scripts []string
	for i := range others {
		scripts = append(scripts, fmt.Sprintf("docker run -d --name other-%d --network none server raw 0 1h", i))
	}
	e.runAll(t, scripts)
	_, beside := e.measured(t, certs, "")
	t.Logf("alone: %v; beside %d others: %v", alone, others, beside)
	assert.Less(t, beside.wall-alone.wall, time.Second)
}

// lengthen writes a log as the engine does: what healthy servers print, with failures among
// the newest lines.
func (e *engine) lengthen(t *testing.T, container string, size int64) {
	t.Helper()
	file, err := os.OpenFile(e.log(t, container), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer file.Close()
	at := time.Now().Add(-24 * time.Hour)
	line := func(text string) string {
		at = at.Add(time.Millisecond)
		return fmt.Sprintf(`{"log":%q,"stream":"stdout","time":%q}`+"\n", text+"\n", at.Format(time.RFC3339Nano))
	}
	var block bytes.Buffer
	for written := int64(0); written < size; written += int64(block.Len()) {
		block.Reset()
		for range 10_000 {
			block.WriteString(line("[GIN] 2026/05/04 - 01:00:00 | 200 |     1.283542ms |        10.0.0.7 | POST     \"/message/send\""))
		}
		_, err := file.Write(block.Bytes())
		require.NoError(t, err)
	}
	for range 20 {
		_, err := file.WriteString(line("-------------------------->握手失败！--------------------------> remote error: tls: unknown certificate authority handshakeStatus13ReadClientFinished"))
		require.NoError(t, err)
	}
}

// cost is what a program took: the least of some runs, and of all the most memory.
type cost struct {
	wall, processor time.Duration
	memory          int64 // in MiB
}

func (c cost) String() string {
	return fmt.Sprintf("%v, of the processor %v, %d MiB", c.wall.Round(time.Millisecond), c.processor.Round(time.Millisecond), c.memory)
}

// measured runs doctor three times.
func (e *engine) measured(t *testing.T, certs, flags string) (out string, least cost) {
	t.Helper()
	for i := range 3 {
		begin := time.Now()
		c := e.shell(fmt.Sprintf("exec nsenter -t %d -n env SSL_CERT_FILE=%s/root.pem SSL_CERT_DIR=/nowhere wklog doctor --format json %s", e.pid, certs, flags))
		data, _ := c.Output()
		wall := time.Since(begin)
		if i == 0 || wall < least.wall {
			least.wall, least.processor = wall, c.ProcessState.UserTime()+c.ProcessState.SystemTime()
		}
		least.memory = max(least.memory, c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss>>10)
		out = string(data)
	}
	return out, least
}
