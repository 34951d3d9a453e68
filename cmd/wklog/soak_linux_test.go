package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
)

var soak = flag.Duration("soak", 0, "how long TestSoak follows a log")

const (
	soakRate     = 5000 // lines a second
	soakEvery    = 10   // lines for a failure
	soakRotates  = 15 * time.Second
	soakRestarts = 5
)

// TestSoak follows a log that is written and rotated for so long as -soak says, with a
// slow reader, scrapes of the metrics, and restarts: every failure is told once, and
// memory, descriptors and goroutines do not grow. An hour of it:
//
//	go test ./cmd/wklog -run TestSoak -soak 1h -timeout 0 -v
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("takes as long as -soak says")
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "server.log")
	require.NoError(t, os.WriteFile(log, nil, 0o644))
	lines := int(soak.Seconds()) * soakRate
	files := max(2, int(*soak/soakRotates))
	s := &soaking{log: log, state: filepath.Join(dir, "state.json"), address: freeAddress(t), told: make([]uint8, lines/soakEvery+1)}
	s.start(t)
	require.Eventually(t, func() bool { _, err := os.Stat(s.state); return err == nil }, time.Minute, time.Millisecond)
	writer := self(t, "writer", log, strconv.Itoa(lines), strconv.Itoa(files), strconv.Itoa(soakRate), strconv.Itoa(soakEvery), "dated", "numbers")
	require.NoError(t, writer.Start())
	written := make(chan error, 1)
	go func() { written <- writer.Wait() }()
	second, restart := time.NewTicker(time.Second), time.NewTicker(*soak/(soakRestarts+1))
	defer second.Stop()
	defer restart.Stop()
	for running := true; running; {
		select {
		case <-second.C:
			s.scrape(t)
		case <-restart.C:
			s.stop(t)
			s.start(t)
		case err := <-written:
			require.NoError(t, err)
			running = false
		}
	}
	s.scrape(t)
	s.stop(t)
	s.judge(t, lines)
}

// soaking is what is seen of a follower and those that come after it.
type soaking struct {
	log, state, address string
	process             *exec.Cmd
	read                chan error
	told                []uint8
	scrapes             []usage
}

// usage is what a process has.
type usage struct{ memory, descriptors, goroutines float64 }

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func (s *soaking) start(t *testing.T) {
	s.process = self(t, "wklog", "analyze", "-f", "--from-start", "--format", "jsonl", "--state", s.state, "--metrics-addr", s.address, s.log)
	out, err := s.process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.process.Start())
	s.read = make(chan error, 1)
	go func() { s.read <- s.take(out) }()
	before := len(s.scrapes)
	require.Eventually(t, func() bool { s.scrape(t); return len(s.scrapes) > before }, time.Minute, 10*time.Millisecond, "it listens, to signals too")
}

// take reads events as a slow reader does: a little, and then nothing for a moment.
func (s *soaking) take(out io.Reader) error {
	var rest []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := out.Read(buf)
		rest = append(rest, buf[:n]...)
		for {
			line, after, ok := bytes.Cut(rest, []byte("\n"))
			if !ok {
				break
			}
			var e report.Event
			if err := json.Unmarshal(line, &e); err != nil {
				return err
			}
			s.told[numberOf(e.Remote)]++
			rest = after
		}
		rest = bytes.Clone(rest)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *soaking) stop(t *testing.T) {
	require.NoError(t, s.process.Process.Signal(os.Interrupt))
	require.NoError(t, <-s.read)
	require.NoError(t, s.process.Wait())
}

var soakMetrics = regexp.MustCompile(`(?m)^(process_resident_memory_bytes|process_open_fds|go_goroutines) (\S+)$`)

func (s *soaking) scrape(t *testing.T) {
	res, err := http.Get("http://" + s.address + "/metrics")
	if err != nil {
		return // it has not begun to listen
	}
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	values := map[string]float64{}
	for _, m := range soakMetrics.FindAllStringSubmatch(string(body), -1) {
		values[m[1]], err = strconv.ParseFloat(m[2], 64)
		require.NoError(t, err)
	}
	s.scrapes = append(s.scrapes, usage{values["process_resident_memory_bytes"], values["process_open_fds"], values["go_goroutines"]})
}

// judge compares the last tenth of the time with the first half.
func (s *soaking) judge(t *testing.T, lines int) {
	lost, doubled := 0, 0
	for _, times := range s.told[:(lines+soakEvery-1)/soakEvery] {
		switch {
		case times == 0:
			lost++
		case times > 1:
			doubled++
		}
	}
	assert.Zero(t, lost, "lost")
	assert.Zero(t, doubled, "doubled")
	require.Greater(t, len(s.scrapes), 20)
	most := func(list []usage) (m usage) {
		for _, u := range list {
			m = usage{max(m.memory, u.memory), max(m.descriptors, u.descriptors), max(m.goroutines, u.goroutines)}
		}
		return m
	}
	early, late := most(s.scrapes[:len(s.scrapes)/2]), most(s.scrapes[len(s.scrapes)*9/10:])
	const room = 1.2
	assert.LessOrEqual(t, late.memory, room*early.memory)
	assert.LessOrEqual(t, late.descriptors, early.descriptors+2)
	assert.LessOrEqual(t, late.goroutines, early.goroutines+2)
	show := func(u usage) string {
		return fmt.Sprintf("%.0f MiB, %.0f descriptors, %.0f goroutines", u.memory/(1<<20), u.descriptors, u.goroutines)
	}
	t.Log(strings.Join([]string{
		fmt.Sprintf("%d lines, %d failures: lost %d, doubled %d; %d scrapes, %d restarts", lines, lines/soakEvery, lost, doubled, len(s.scrapes), soakRestarts),
		"first half at most: " + show(early), "last tenth at most: " + show(late),
	}, "\n"))
}
