package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
)

// self runs this binary as one of the programs of TestMain.
func self(t testing.TB, program string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "WKLOG_TEST_PROGRAM="+program, "LANG=C", "TZ=UTC")
	c.Stderr = os.Stderr
	t.Cleanup(func() {
		if c.Process != nil && c.ProcessState == nil {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	})
	return c
}

// streamLines is how many lines the heavy tests write; the long run asks for a
// million.
func streamLines() int {
	if n := os.Getenv("FOLLOW_TEST_LINES"); n != "" {
		return atoi(n)
	}
	return 100_000
}

// follower runs wklog over a log and appends its events to a file.
func follower(t *testing.T, out string, args ...string) *exec.Cmd {
	t.Helper()
	f, err := os.OpenFile(out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	defer f.Close()
	c := self(t, "wklog", append([]string{"analyze", "-f", "--from-start", "--format", "jsonl"}, args...)...)
	c.Stdout = f
	require.NoError(t, c.Start())
	return c
}

// numbers reads the failures of the events in a file; a line that a kill cut is
// passed over.
func numbers(t *testing.T, out string) []int {
	t.Helper()
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	var all []int
	for line := range bytes.Lines(data) {
		var e report.Event
		if json.Unmarshal(line, &e) == nil {
			all = append(all, numberOf(e.Message+e.Remote))
		}
	}
	return all
}

func once(t *testing.T, all []int, count int) {
	t.Helper()
	seen := make([]int, count)
	for _, n := range all {
		seen[n]++
	}
	lost, doubled := 0, 0
	for _, times := range seen {
		if times == 0 {
			lost++
		}
		if times > 1 {
			doubled++
		}
	}
	assert.Zero(t, lost, "lost")
	assert.Zero(t, doubled, "doubled")
}

// TestEveryFailureOfARotatedLogIsOneEvent runs the program beside a real writer,
// with a restart in the middle.
func TestEveryFailureOfARotatedLogIsOneEvent(t *testing.T) {
	dir := t.TempDir()
	log, out, state := filepath.Join(dir, "info.log"), filepath.Join(dir, "events"), filepath.Join(dir, "state")
	require.NoError(t, os.WriteFile(log, nil, 0o644))
	first := follower(t, out, "--state", state, log)
	require.Eventually(t, func() bool { _, err := os.Stat(state); return err == nil }, time.Minute, time.Millisecond)
	writer := self(t, "writer", log, strconv.Itoa(streamLines()), "51", "0", "100", "dated", "lumberjack")
	require.NoError(t, writer.Start())
	require.Eventually(t, func() bool { return len(numbers(t, out)) > streamLines()/1000 }, time.Minute, time.Millisecond)
	require.NoError(t, first.Process.Signal(os.Interrupt))
	require.NoError(t, first.Wait())
	second := follower(t, out, "--state", state, log)
	require.NoError(t, writer.Wait())
	require.Eventually(t, func() bool { return len(numbers(t, out)) >= streamLines()/100 }, time.Minute, 10*time.Millisecond)
	require.Eventually(t, func() bool { _, err := os.Stat(state + ".lock"); return err == nil }, time.Minute, time.Millisecond, "it listens to signals by then")
	require.NoError(t, second.Process.Signal(syscall.SIGTERM))
	require.NoError(t, second.Wait())
	once(t, numbers(t, out), streamLines()/100)
}

// TestKilledProgramLosesNoEvent kills it at moments that nobody chose.
func TestKilledProgramLosesNoEvent(t *testing.T) {
	dir := t.TempDir()
	log, out, state := filepath.Join(dir, "info.log"), filepath.Join(dir, "events"), filepath.Join(dir, "state")
	require.NoError(t, os.WriteFile(log, nil, 0o644))
	c := follower(t, out, "--state", state, log)
	require.Eventually(t, func() bool { _, err := os.Stat(state); return err == nil }, time.Minute, time.Millisecond)
	writer := self(t, "writer", log, strconv.Itoa(streamLines()), "51", "0", "100", "dated", "lumberjack")
	require.NoError(t, writer.Start())
	for kill := range 4 {
		before := len(numbers(t, out))
		require.Eventually(t, func() bool { return len(numbers(t, out)) > before || kill > 0 }, time.Minute, time.Millisecond)
		require.NoError(t, c.Process.Kill())
		_ = c.Wait()
		c = follower(t, out, "--state", state, log)
	}
	require.NoError(t, writer.Wait())
	require.Eventually(t, func() bool { return slices.Contains(numbers(t, out), streamLines()/100-1) }, time.Minute, 10*time.Millisecond)
	require.NoError(t, c.Process.Signal(os.Interrupt))
	require.NoError(t, c.Wait())
	seen := map[int]bool{}
	for _, n := range numbers(t, out) {
		seen[n] = true
	}
	assert.Len(t, seen, streamLines()/100)
}

// TestStreamIsToldWhileItComes reads the program's output as a user would see
// it, and then ends it by Ctrl-C.
func TestStreamIsToldWhileItComes(t *testing.T) {
	c := self(t, "wklog", "--interval", "200ms")
	in, err := c.StdinPipe()
	require.NoError(t, err)
	var out shared
	c.Stdout = &out
	require.NoError(t, c.Start())
	shows := func(text string) {
		t.Helper()
		require.Eventually(t, func() bool { return strings.Contains(out.String(), text) }, time.Minute, time.Millisecond, text)
	}
	io.WriteString(in, failureLine(1))
	shows("Alert 46, certificate unknown: ")
	shows("Look first: ")
	shows("Incident 1 begins. These causes look alike to a log: ")
	shows("  Look first: wklog check ")
	io.WriteString(in, failureLine(2)+failureLine(3))
	shows("+2  Alert 46, ")
	io.WriteString(in, strings.Repeat(strings.ReplaceAll(failureLine(4), "unknown certificate", "expired certificate"), 5))
	shows("Incident 1. Most probable cause now: ")
	assert.NotContains(t, out.String(), "DIAGNOSIS")
	require.NoError(t, c.Process.Signal(os.Interrupt))
	shows("TLS failures: 8, logs: 1, lines: 8")
	require.NoError(t, c.Wait())
	assert.Equal(t, 1, strings.Count(out.String(), "Incident 1 begins."))
}

// idle is the memory, in bytes, of a stream that told of one failure and waits.
func idle(t *testing.T) float64 {
	c := self(t, "wklog", "--format", "jsonl")
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	_, err = io.WriteString(in, failureLine(1))
	require.NoError(t, err)
	require.True(t, bufio.NewScanner(out).Scan())
	memory := resident(t, c.Process.Pid)
	require.NoError(t, in.Close())
	_, _ = io.Copy(io.Discard, out)
	require.NoError(t, c.Wait())
	return memory
}

// TestSlowReaderLosesNothing leaves the program's output unread while the input
// comes as fast as it is taken.
func TestSlowReaderLosesNothing(t *testing.T) {
	const count = 50_000
	c := self(t, "wklog", "--format", "jsonl")
	c.Stdin = &failures{count: count}
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	time.Sleep(300 * time.Millisecond) // the pipe and the queues are full by then
	assert.Less(t, resident(t, c.Process.Pid)-idle(t), float64(24<<20))
	events := bufio.NewScanner(out)
	n := 0
	for ; events.Scan(); n++ {
		var e report.Event
		require.NoError(t, json.Unmarshal(events.Bytes(), &e))
		require.Equal(t, n, numberOf(e.Remote))
	}
	require.NoError(t, events.Err())
	require.NoError(t, c.Wait())
	assert.Equal(t, count, n)
}

// failures is a log of numbered failures.
type failures struct {
	n, count int
	rest     string
}

func (f *failures) Read(p []byte) (int, error) {
	if f.rest == "" {
		if f.n == f.count {
			return 0, io.EOF
		}
		f.rest = failureLine(f.n)
		f.n++
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// shared is a buffer that is read while it is written.
type shared struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.buffer.Write(p)
}

func (s *shared) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.buffer.String()
}

// TestOthersAreTold runs a command for each new kind of failure and a webhook for an
// incident, and asks for the metrics.
func TestOthersAreTold(t *testing.T) {
	var posts atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var news struct {
			Schema, What string
			Incident     report.Incident
		}
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&news))
		assert.Equal(t, report.NewsSchema, news.Schema)
		assert.Equal(t, string(report.Begins), news.What)
		assert.NotEmpty(t, news.Incident.Diagnosis)
		posts.Add(1)
	}))
	defer hook.Close()
	dir := t.TempDir()
	script, events := filepath.Join(dir, "tell.sh"), filepath.Join(dir, "events")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\ncat >> "+events+"\n"), 0o755))
	c := self(t, "wklog", "--metrics-addr", "127.0.0.1:0", "--on-new", script, "--webhook", hook.URL, "--format", "json")
	in, err := c.StdinPipe()
	require.NoError(t, err)
	var out, told shared
	c.Stdout, c.Stderr = &out, &told
	require.NoError(t, c.Start())
	var address []string
	require.Eventually(t, func() bool {
		address = regexp.MustCompile(`http://127\.0\.0\.1:\d+/metrics\n`).FindStringSubmatch(told.String())
		return address != nil
	}, time.Minute, time.Millisecond)
	io.WriteString(in, failureLine(1)+failureLine(2)+strings.ReplaceAll(failureLine(3), "unknown certificate", "expired certificate"))
	require.Eventually(t, func() bool { return posts.Load() == 1 }, time.Minute, time.Millisecond)
	require.Eventually(t, func() bool {
		res, err := http.Get(strings.TrimSpace(address[0]))
		if err != nil {
			return false
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return err == nil && strings.Contains(string(body), `pattern="alert-unknown-certificate",severity="error",source="-"} 2`) &&
			strings.Contains(string(body), `wklog_incident_active{cause="cert-expired"} 1`)
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, in.Close())
	require.NoError(t, c.Wait())
	data, err := os.ReadFile(events)
	require.NoError(t, err)
	assert.Equal(t, 2, bytes.Count(data, []byte("\n")))
	assert.EqualValues(t, 1, posts.Load())
	assert.Contains(t, out.String(), `"schema": "wklog.report/v1"`)
}

// BenchmarkLatency tells how long it takes from the write of a failure to its
// event: of raw lines alone and of one in a hundred dated ones, on a pipe, in a
// followed file, and in one that is copied and cut.
func BenchmarkLatency(b *testing.B) {
	for _, c := range []struct {
		name, way, kind, form string
		rate, every, files    int
	}{
		{"pipe/1", "pipe", "", "clock", 1, 1, 1},
		{"pipe/10", "pipe", "", "clock", 10, 1, 1},
		{"pipe/100", "pipe", "", "clock", 100, 1, 1},
		{"pipe/10000", "pipe", "", "clock", 10_000, 1, 1},
		{"file/1", "file", "numbers", "clock", 1, 1, 1},
		{"file/10", "file", "numbers", "clock", 10, 1, 1},
		{"file/100", "file", "numbers", "clock", 100, 1, 1},
		{"file/10000", "file", "numbers", "clock", 10_000, 1, 1},
		{"copytruncate/100", "file", "copytruncate", "clock", 100, 1, 5},
		{"copytruncate/10000", "file", "copytruncate", "clock", 10_000, 1, 5},
		{"rotated/10000, 1%", "file", "lumberjack", "clock", 10_000, 100, 5},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				lines := c.rate * 10
				took := latencies(b, c.way, strconv.Itoa(lines), strconv.Itoa(c.files), strconv.Itoa(c.rate), strconv.Itoa(c.every), c.form, c.kind)
				require.Len(b, took, lines/c.every)
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, "ms-median")
				b.ReportMetric(float64(took[(len(took)-1)*99/100].Microseconds())/1e3, "ms-p99")
				b.ReportMetric(float64(took[len(took)-1].Microseconds())/1e3, "ms-max")
			}
		})
	}
}

// latencies runs the program beside a writer until that ends.
func latencies(b *testing.B, way string, writing ...string) []time.Duration {
	log := filepath.Join(b.TempDir(), "stdout.log")
	require.NoError(b, os.WriteFile(log, nil, 0o644))
	args := []string{"--format", "jsonl"}
	if way == "file" {
		args = append(args, "-f", "--state", log+".state", log)
	} else {
		log = "-"
		args = append(args, "-")
	}
	c := self(b, "wklog", append([]string{"analyze"}, args...)...)
	writer := self(b, "writer", append([]string{log}, writing...)...)
	if way == "pipe" {
		r, w, err := os.Pipe()
		require.NoError(b, err)
		c.Stdin, writer.Stdout = r, w
		defer r.Close()
		defer w.Close()
	}
	out, err := c.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, c.Start())
	if way == "file" {
		require.Eventually(b, func() bool { _, err := os.Stat(log + ".state"); return err == nil }, time.Minute, time.Millisecond)
	}
	require.NoError(b, writer.Start())
	want := atoi(writing[0]) / atoi(writing[3])
	var took []time.Duration
	events := bufio.NewScanner(out)
	for len(took) < want && events.Scan() {
		now := time.Now()
		var e report.Event
		require.NoError(b, json.Unmarshal(events.Bytes(), &e))
		_, port, ok := strings.Cut(e.Message, "->10.0.0.1:")
		require.True(b, ok)
		at, err := strconv.ParseInt(strings.TrimSuffix(port, ": i/o timeout"), 10, 64)
		require.NoError(b, err)
		took = append(took, now.Sub(time.Unix(0, at)))
	}
	require.NoError(b, writer.Wait())
	require.NoError(b, c.Process.Kill())
	_ = c.Wait()
	return took
}

// BenchmarkStreamMemory tells the resident memory after one and after ten
// million streamed lines, of which every hundredth is a failure from another
// address.
func BenchmarkStreamMemory(b *testing.B) {
	for b.Loop() {
		c := self(b, "wklog", "--format", "json")
		in, err := c.StdinPipe()
		require.NoError(b, err)
		require.NoError(b, c.Start())
		w := bufio.NewWriterSize(in, 64<<10)
		for n := 1; n <= 30_000_000; n++ {
			if n%100 == 0 {
				fmt.Fprintf(w, "2026/05/04 01:30:00 http: TLS handshake error from 10.%d.%d.%d:4711: read tcp 10.0.0.2:5210->10.%d.%d.%d:4711: i/o timeout\n", n>>16&255, n>>8&255, n&255, n>>16&255, n>>8&255, n&255)
			} else {
				fmt.Fprintf(w, `{"level":"info","time":"2026-05-04T01:30:00+00:00","msg":"【Server】message","n":%d}`+"\n", n)
			}
			if n == 1_000_000 || n == 10_000_000 || n == 30_000_000 {
				w.Flush()
				b.ReportMetric(resident(b, c.Process.Pid)/(1<<20), fmt.Sprintf("MiB-after-%dM", n/1_000_000))
			}
		}
		require.NoError(b, in.Close())
		require.NoError(b, c.Wait())
	}
}

// resident is the memory of a process in bytes.
func resident(b testing.TB, pid int) float64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	return highWater(b, data)
}

// highWater reads the most memory that a process had from its status (proc(5)).
func highWater(t testing.TB, status []byte) float64 {
	t.Helper()
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	require.True(t, ok)
	return float64(atoi(strings.Fields(rest)[0])) * 1024
}

// TestFailureOfAStreamHappensNow: the server was started three hours ago, and
// nothing that has a time was written since.
func TestFailureOfAStreamHappensNow(t *testing.T) {
	c := self(t, "wklog", "--format", "jsonl", "--since", "10m")
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	started := time.Now()
	events := bufio.NewScanner(out)
	failure := func() (e report.Event) {
		_, err = io.WriteString(in, rawFailure(1))
		require.NoError(t, err)
		require.True(t, events.Scan(), "it was stopped before it told a failure")
		require.NoError(t, json.Unmarshal(events.Bytes(), &e))
		return e
	}
	timer := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() }) // what is not told is no reason to wait for ever
	defer timer.Stop()
	failure() // it reads by now
	fmt.Fprintf(in, `{"level":"info","time":"%s","msg":"【Server】started"}`+"\n", started.Add(-3*time.Hour).Format(time.RFC3339Nano))
	time.Sleep(time.Second) // the pause is what tells the lines apart
	e := failure()
	assert.True(t, e.TimeInferred)
	assert.WithinRange(t, *e.Time, started, time.Now())
	assert.EqualValues(t, 3, e.Line)
	require.NoError(t, in.Close())
	require.NoError(t, c.Wait())
}

// TestLineCountsFromTheStartOfTheFile follows a log from its end, and goes on after
// a restart.
func TestLineCountsFromTheStartOfTheFile(t *testing.T) {
	dir := t.TempDir()
	log, out, state := filepath.Join(dir, "stdout.log"), filepath.Join(dir, "events"), filepath.Join(dir, "state")
	require.NoError(t, os.WriteFile(log, []byte(strings.Repeat("a line\n", 41)), 0o644))
	for run := range 2 {
		f, err := os.OpenFile(out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		require.NoError(t, err)
		c := self(t, "wklog", "analyze", "-f", "--format", "jsonl", "--state", state, log)
		c.Stdout = f
		require.NoError(t, c.Start())
		f.Close()
		require.Eventually(t, func() bool { _, err := os.Stat(state); return err == nil }, time.Minute, time.Millisecond)
		w, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = w.WriteString(rawFailure(run))
		require.NoError(t, err)
		w.Close()
		require.Eventually(t, func() bool { return len(numbers(t, out)) == run+1 }, time.Minute, time.Millisecond)
		require.NoError(t, c.Process.Signal(os.Interrupt))
		require.NoError(t, c.Wait())
	}
	for i, e := range toldEvents(t, out) {
		assert.EqualValues(t, 42+i, e.Line)
		assert.EqualValues(t, 7*41+i*len(rawFailure(0)), e.Offset)
	}
}
