//go:build unix

package main

import (
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
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
)

// TestFollowedEngineIsToldOnceOverKills while much comes. A kill between the writing of
// events and the saving of their place would tell those twice, which nothing can tell from
// a kill before the writing; so none is sent there.
func TestFollowedEngineIsToldOnceOverKills(t *testing.T) {
	s := startStore(t)
	dir := t.TempDir()
	out, state := filepath.Join(dir, "events"), filepath.Join(dir, "state")
	const failures, batch = 3000, 300
	from := time.Now()
	n := node{name: "wukongim-0"}
	for i := range failures {
		at := from.Add(time.Duration(i) * time.Millisecond)
		n.times = append(n.times, at.UnixNano())
		n.lines = append(n.lines, fmt.Sprintf("-------------------------->握手失败！--------------------------> tls: client offered only unsupported versions: [%d] handshakeStatusReadClientHello", i))
	}
	s.push(t, &n, 0, 1, "")
	s.settle(t)
	follow := func() *exec.Cmd {
		f, err := os.OpenFile(out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		require.NoError(t, err)
		defer f.Close()
		c := self(t, "wklog", "analyze", "-f", "--from-start", "--since", from.Add(-time.Second).Format(time.RFC3339), "--format", "jsonl", "--state", state, `vlogs://`+s.address+`/?query={namespace="im"}`)
		c.Stdout = f
		require.NoError(t, c.Start())
		return c
	}
	c := follow()
	for at := 1; at < failures; at += batch {
		s.push(t, &n, at, min(at+batch, failures), "")
	}
	told := func() (list []string) {
		data, _ := os.ReadFile(out)
		return offered.FindAllString(string(data), -1)
	}
	for before := 0; before < failures; {
		require.Eventually(t, func() bool { return len(told()) > before }, time.Minute, time.Millisecond)
		before = max(len(told()), before+failures/3)
		killBetweenSaves(t, c, state)
		c = follow()
	}
	require.Eventually(t, func() bool { return len(told()) >= failures }, time.Minute, 20*time.Millisecond)
	times := map[string]int{}
	for _, one := range told() {
		times[one]++
	}
	assert.Len(t, times, failures, "lost")
	assert.Len(t, told(), failures, "doubled")
}

// TestIncidentOfAFollowedEngineEnds when its servers go on without failures: that they do is
// in no line that is fetched.
func TestIncidentOfAFollowedEngineEnds(t *testing.T) {
	s := startStore(t)
	made := newMaker(t)
	from := time.Now().Add(-72 * time.Hour)
	n := made.node(0, 1000, from, 500*time.Millisecond, 0.2)
	n.add(made.node(0, 6000, time.Unix(0, n.times[len(n.times)-1]), 40*time.Second, 0))
	for at := 0; at < len(n.lines); at += 1000 {
		s.push(t, &n, at, min(at+1000, len(n.lines)), "")
	}
	s.settle(t)
	ends := make(chan string, 10)
	robot := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		ends <- string(body)
	}))
	defer robot.Close()
	c := self(t, "wklog", "analyze", "-f", "--from-start", "--since", "80h", "--format", "json", "--webhook", robot.URL, `vlogs://`+s.address+`/?query={namespace="im"}`)
	var out bytes.Buffer
	c.Stdout = &out
	require.NoError(t, c.Start())
	require.Eventually(t, func() bool {
		select {
		case told := <-ends:
			return strings.Contains(told, `"what":"end"`)
		default:
			return false
		}
	}, time.Minute, 20*time.Millisecond)
	require.NoError(t, c.Process.Signal(os.Interrupt))
	require.NoError(t, c.Wait())
	var doc report.Document
	require.NoError(t, json.Unmarshal(out.Bytes(), &doc))
	require.NotEmpty(t, doc.Incidents)
	assert.False(t, doc.Incidents[0].Ongoing)
	assert.WithinDuration(t, time.Unix(0, n.times[len(n.times)-1]), *doc.Summary.Last, time.Minute)
}

var offered = regexp.MustCompile(`"message":"[^"]*\[\d+\]`)

// killBetweenSaves kills a follower when no state stands beside its file to be put in its
// place: it is stopped to look.
func killBetweenSaves(t *testing.T, c *exec.Cmd, state string) {
	t.Helper()
	saved := func() bool {
		require.NoError(t, c.Process.Signal(syscall.SIGSTOP))
		var status syscall.WaitStatus
		_, err := syscall.Wait4(c.Process.Pid, &status, syscall.WUNTRACED, nil)
		require.NoError(t, err)
		require.True(t, status.Stopped())
		beside, err := filepath.Glob(state + ".*")
		require.NoError(t, err)
		if len(beside) == 0 || len(beside) == 1 && beside[0] == state+".lock" {
			return true
		}
		require.NoError(t, c.Process.Signal(syscall.SIGCONT))
		return false
	}
	require.Eventually(t, saved, time.Minute, time.Millisecond)
	require.NoError(t, c.Process.Kill())
	_ = c.Wait()
}
