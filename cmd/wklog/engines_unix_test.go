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

// almostLag is how long ago what is pushed was written: a follower stays ten seconds behind,
// for which a test need not wait.
const almostLag = 8 * time.Second

// followedFailures are how many failures come to an engine that is followed.
func followedFailures() int {
	if n := os.Getenv("FOLLOW_TEST_LINES"); n != "" {
		return atoi(n)
	}
	return 3000
}

// TestFollowedEngineIsToldOnceOverKills while much comes. A kill between the writing of
// events and the saving of their place would tell those twice, which nothing can tell from
// a kill before the writing; so none is sent there.
func TestFollowedEngineIsToldOnceOverKills(t *testing.T) {
	s := startStore(t)
	dir := t.TempDir()
	out, state := filepath.Join(dir, "events"), filepath.Join(dir, "state")
	failures := followedFailures()
	batch := failures / 10
	from := time.Now().Add(-almostLag)
	n := node{name: "wukongim-0"}
	for i := range failures {
		at := from.Add(3 * time.Second * time.Duration(i) / time.Duration(failures))
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

// TestEngineThatIsKilledWithinAnAnswerIsReadWhenItIsBack, whole: what it gave before does not
// count twice.
func TestEngineThatIsKilledWithinAnAnswerIsReadWhenItIsBack(t *testing.T) {
	s := startStore(t)
	nodes := nodesOf(t, 2, 5000, began, 400*time.Millisecond, 0.01)
	dir := t.TempDir()
	for i := range nodes {
		nodes[i].write(t, dir)
		s.push(t, &nodes[i], 0, len(nodes[i].lines), "")
	}
	want, _, _ := reportOf(t, dir)
	s.end(os.Interrupt) // so that all of it is on the disk
	s.start(t)
	kills, refused := 0, 0
	between := httptest.NewServer(inTurn(func(w http.ResponseWriter, r *http.Request) {
		if refused == 2 {
			s.start(t)
			refused++
		}
		answer, err := http.Post("http://"+s.address+r.URL.Path, r.Header.Get("Content-Type"), r.Body)
		if err != nil {
			refused++
			panic(http.ErrAbortHandler)
		}
		defer answer.Body.Close()
		if strings.HasSuffix(r.URL.Path, "/query") && kills == 0 {
			kills++
			_, _ = io.CopyN(w, answer.Body, 1000)
			s.end(os.Kill)
			panic(http.ErrAbortHandler)
		}
		if _, err := io.Copy(w, answer.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
	}))
	defer between.Close()
	t.Setenv("VLOGS_CLIENT_MIN_BACKOFF", "0")
	got, complaints, status := reportOf(t, strings.Replace(between.URL, "http", "vlogs", 1)+`/?query={namespace="im"}`, "--since", ofMay, "--until", "2026-05-05")
	assert.Equal(t, 3, refused, "it was asked while it was away")
	assert.Zero(t, status, complaints)
	assert.Equal(t, essence(&want), essence(&got))
}

// TestFollowerOutlivesItsEngine: one that is killed and comes back is followed on, nothing is
// told twice, and the end of the run tells of nothing that is missing.
func TestFollowerOutlivesItsEngine(t *testing.T) {
	s := startStore(t)
	n := node{name: "wukongim-0"}
	for i := range 200 {
		n.times = append(n.times, time.Now().Add(-time.Minute).UnixNano()+int64(i))
		n.lines = append(n.lines, fmt.Sprintf("-------------------------->握手失败！--------------------------> tls: client offered only unsupported versions: [%d] handshakeStatusReadClientHello", i))
	}
	s.push(t, &n, 0, 100, "")
	s.end(os.Interrupt)
	s.start(t)
	out, complaints := filepath.Join(t.TempDir(), "events"), filepath.Join(t.TempDir(), "complaints")
	f, err := os.Create(out)
	require.NoError(t, err)
	defer f.Close()
	e, err := os.Create(complaints)
	require.NoError(t, err)
	defer e.Close()
	c := self(t, "wklog", "analyze", "-f", "--from-start", "--since", "10m", "--format", "jsonl", `vlogs://`+s.address+`/?query={namespace="im"}`)
	c.Stdout, c.Stderr = f, e
	c.Env = append(c.Env, "VLOGS_CLIENT_RETRIES=0") // it is not waited for
	require.NoError(t, c.Start())
	told := func() []string { return offered.FindAllString(string(read(t, out)), -1) }
	require.Eventually(t, func() bool { return len(told()) == 100 }, time.Minute, 10*time.Millisecond)
	s.end(os.Kill)
	require.Eventually(t, func() bool { return strings.Contains(string(read(t, complaints)), "asked again") }, time.Minute, 10*time.Millisecond)
	s.start(t)
	for i := range n.times[100:] {
		n.times[100+i] = time.Now().Add(-almostLag).UnixNano() + int64(i)
	}
	s.push(t, &n, 100, 200, "")
	s.settle(t)
	require.Eventually(t, func() bool { return len(told()) >= 200 }, time.Minute, 20*time.Millisecond)
	require.NoError(t, c.Process.Signal(os.Interrupt))
	assert.NoError(t, c.Wait(), "nothing is missing")
	times := map[string]int{}
	for _, one := range told() {
		times[one]++
	}
	assert.Len(t, times, 200, "lost")
	assert.Len(t, told(), 200, "doubled")
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
