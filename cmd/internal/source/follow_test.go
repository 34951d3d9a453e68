package source

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gopkg.in/natefinch/lumberjack.v2"
)

// The test binary is the writer and the follower of the tests as well.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv("FOLLOW_TEST_WRITER") != "":
		writeNumbered(os.Args[1:])
	case os.Getenv("FOLLOW_TEST_FOLLOWER") != "":
		followNumbered(os.Args[1:])
	default:
		// hpcloud/tail keeps one watcher for the life of the program.
		goleak.VerifyTestMain(m,
			goleak.IgnoreAnyFunction("github.com/hpcloud/tail/watch.(*InotifyTracker).run"),
			goleak.IgnoreAnyFunction("gopkg.in/fsnotify%2ev1.(*Watcher).readEvents"))
	}
}

// writeNumbered writes lines with running numbers as WuKongIM does, by
// lumberjack: from, to, and how many lines a file has.
func writeNumbered(args []string) {
	path := args[0]
	from, to, each := atoi(args[1]), atoi(args[2]), atoi(args[3])
	log := &lumberjack.Logger{Filename: path, MaxSize: 1 << 20}
	w := bufio.NewWriterSize(log, 4096)
	for n := from; n < to; n++ {
		if n > from && (n-from)%each == 0 {
			w.Flush()
			time.Sleep(2 * time.Millisecond) // lumberjack's names count milliseconds, equal ones are overwritten
			if err := log.Rotate(); err != nil {
				panic(err)
			}
		}
		fmt.Fprintf(w, "line %d of a log that is written as fast as the disk allows\n", n)
	}
	w.Flush()
	log.Close()
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func writer(t *testing.T, path string, from, to, each int) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], path, strconv.Itoa(from), strconv.Itoa(to), strconv.Itoa(each))
	c.Env = append(os.Environ(), "FOLLOW_TEST_WRITER=1")
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	return c
}

// lines puts pieces together to lines.
type lines struct {
	mutex sync.Mutex
	carry map[*Followed][]byte
	total map[*Followed]int64
	all   []string
	take  func(*Followed, string)
}

func (l *lines) deliver(p Piece) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.carry == nil {
		l.carry, l.total = map[*Followed][]byte{}, map[*Followed]int64{}
	}
	if p.Rotated && len(l.carry[p.Log]) > 0 {
		l.add(p.Log, string(l.carry[p.Log]))
		l.carry[p.Log] = nil
	}
	l.total[p.Log] += int64(len(p.Data))
	rest := append(l.carry[p.Log], p.Data...)
	for {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			break
		}
		l.add(p.Log, string(line))
		rest = after
	}
	l.carry[p.Log] = bytes.Clone(rest)
	p.Log.Settle(l.total[p.Log]-int64(len(rest)), -1)
	return nil
}

func (l *lines) add(log *Followed, line string) {
	if l.take != nil {
		l.take(log, line)
		return
	}
	l.all = append(l.all, line)
}

func (l *lines) read() []string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return append([]string{}, l.all...)
}

// nothing is what a reader knows that keeps nothing.
func nothing() any { return nil }

// following runs until stop is called, which waits for the end.
func following(t *testing.T, f *Follow, l *lines) (stop func() []Failure) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var failures []Failure
	ready := make(chan bool)
	var once sync.Once
	f.Deliver = l.deliver
	f.Report = func(failure Failure) { failures = append(failures, failure) }
	f.Tick = func() error {
		once.Do(func() { close(ready) })
		return f.SaveAll(nothing)
	}
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	<-ready
	return func() []Failure {
		cancel()
		require.NoError(t, <-done)
		require.NoError(t, f.SaveAll(nothing))
		return failures
	}
}

// settles waits until the lines are as wanted.
func (l *lines) settles(t *testing.T, want ...string) {
	t.Helper()
	assert.Eventually(t, func() bool { return strings.Join(l.read(), "\n") == strings.Join(want, "\n") }, time.Minute, time.Millisecond)
	assert.Equal(t, want, l.read())
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// checkNumbers asserts that every number came once.
func checkNumbers(t *testing.T, all []string, count int) {
	t.Helper()
	seen := make([]int, count)
	for _, line := range all {
		n := atoi(strings.Fields(line)[1])
		seen[n]++
	}
	lost, doubled := 0, 0
	for n, times := range seen {
		if times == 0 {
			if lost == 0 {
				t.Logf("%d is the first that was lost", n)
			}
			lost++
		}
		if times > 1 {
			doubled++
		}
	}
	assert.Zero(t, lost, "lost")
	assert.Zero(t, doubled, "doubled")
}

// size is how many lines the heavy tests write over 50 rotations: a tenth of
// what FOLLOW_TEST_LINES asks for in the long run.
func size() int {
	if n := os.Getenv("FOLLOW_TEST_LINES"); n != "" {
		return atoi(n)
	}
	return 100_000
}

func TestNoLineIsLostOrDoubledOverRotations(t *testing.T) {
	for name, deaf := range map[string]bool{"events": false, "polling": true} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "info.log")
			var l lines
			stop := following(t, &Follow{Paths: []string{path}, deaf: deaf}, &l)
			require.NoError(t, writer(t, path, 0, size(), size()/51).Wait())
			stop()
			checkNumbers(t, l.all, size())
			pieces, err := filepath.Glob(filepath.Join(filepath.Dir(path), "info-*.log"))
			require.NoError(t, err)
			assert.GreaterOrEqual(t, len(pieces), 50)
		})
	}
}

func TestRestartGoesOnWithoutLossOrRepetition(t *testing.T) {
	dir := t.TempDir()
	path, state := filepath.Join(dir, "info.log"), filepath.Join(dir, "state.json")
	var l lines
	count := size()
	write(t, dir, "info.log", nil)
	var wait sync.WaitGroup
	for run := range 5 {
		s, err := OpenState(state)
		require.NoError(t, err)
		l.carry = nil
		stop := following(t, &Follow{Paths: []string{path}, FromStart: true, State: s}, &l)
		if run == 0 {
			w := writer(t, path, 0, count, count/51)
			wait.Go(func() { assert.NoError(t, w.Wait()) })
			assert.Eventually(t, func() bool { return len(l.read()) > count/10 }, time.Minute, time.Millisecond)
		}
		stop()
		s.Close()
	}
	wait.Wait()
	s, err := OpenState(state)
	require.NoError(t, err)
	l.carry = nil
	failures := following(t, &Follow{Paths: []string{path}, FromStart: true, State: s}, &l)()
	assert.Empty(t, failures)
	s.Close()
	checkNumbers(t, l.all, count)
}

// TestNamesThatAreNotUTF8AreRememberedToo: the state is JSON, which is UTF-8.
func TestNamesThatAreNotUTF8AreRememberedToo(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "inv\xff.log", []byte("one\n"))
	var l lines
	for range 2 {
		s, err := OpenState(filepath.Join(dir, "state.json"))
		require.NoError(t, err)
		assert.Empty(t, following(t, &Follow{Paths: []string{path}, FromStart: true, State: s}, &l)())
		s.Close()
	}
	assert.Equal(t, []string{"one"}, l.read())
}

// followNumbered is a follower that can be killed: state, log, and the file to
// which it appends the numbers that it read.
func followNumbered(args []string) {
	s, err := OpenState(args[0])
	if err != nil {
		panic(err)
	}
	out, err := os.OpenFile(args[2], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	if info, err := out.Stat(); err == nil && info.Size() > 0 {
		fmt.Fprintln(out, "start")
	}
	var l lines
	l.take = func(_ *Followed, line string) { fmt.Fprintln(out, line) }
	f := &Follow{Paths: []string{args[1]}, FromStart: true, State: s, Report: func(f Failure) { fmt.Fprintln(os.Stderr, f.Source, f.Err) }}
	f.Deliver = l.deliver
	f.Tick = func() error {
		err := f.SaveAll(nothing)
		if err == nil {
			fmt.Fprintln(out, "saved")
		}
		return err
	}
	if err := f.Run(context.Background()); err != nil {
		panic(err)
	}
}

func TestKilledFollowerLosesNothing(t *testing.T) {
	dir := t.TempDir()
	path, state, out := filepath.Join(dir, "info.log"), filepath.Join(dir, "state.json"), filepath.Join(dir, "numbers")
	count := size()
	write(t, dir, "info.log", nil)
	rng := rand.New(rand.NewPCG(5, 6))
	follower := func() *exec.Cmd {
		c := exec.Command(os.Args[0], state, path, out)
		c.Env = append(os.Environ(), "FOLLOW_TEST_FOLLOWER=1")
		c.Stderr = os.Stderr
		require.NoError(t, c.Start())
		return c
	}
	first := follower()
	require.Eventually(t, func() bool { return exists(state) }, time.Minute, time.Millisecond)
	w := writer(t, path, 0, count, count/51)
	require.NoError(t, first.Process.Signal(syscall.SIGKILL))
	_ = first.Wait()
	kills := 0
	last := []byte(fmt.Sprintf("line %d ", count-1))
	written := false
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		c := follower()
		time.Sleep(time.Duration(50+rng.IntN(400)) * time.Millisecond) // the moment is random on purpose
		require.NoError(t, c.Process.Signal(syscall.SIGKILL))
		_ = c.Wait()
		if kills++; kills == 3 {
			require.NoError(t, w.Wait())
			written = true
		}
		data, err := os.ReadFile(out)
		if written && kills > 8 && err == nil && bytes.Contains(data, last) {
			break
		}
	}
	require.True(t, written)
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	// What repeats was delivered by a process that was killed before it saved it.
	delivered, saved := make([]bool, count), make([]bool, count)
	repeated := 0
	var unsaved []int // of the running process
	for line := range strings.Lines(string(data)) {
		switch line {
		case "saved\n":
			for _, n := range unsaved {
				saved[n] = true
			}
			unsaved = nil
			continue
		case "start\n":
			unsaved = nil
			continue
		}
		n := atoi(strings.Fields(line)[1])
		require.False(t, saved[n], "line %d was saved, and came again", n)
		if delivered[n] {
			repeated++
		}
		delivered[n] = true
		unsaved = append(unsaved, n)
	}
	assert.NotContains(t, delivered, false, "lost")
	t.Logf("%d kills, %d of %d lines repeated", kills, repeated, count)
}

func TestRenameDeleteAndLateFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "server.log")
	var l lines
	stop := following(t, &Follow{Paths: []string{path}}, &l)
	appendTo(t, path, "it appears\n")
	l.settles(t, "it appears")
	require.NoError(t, os.Rename(path, path+".1"))
	appendTo(t, path+".1", "its writer does not know yet\n")
	l.settles(t, "it appears", "its writer does not know yet")
	appendTo(t, path, "a new file\n")
	l.settles(t, "it appears", "its writer does not know yet", "a new file")
	require.NoError(t, os.Remove(path))
	appendTo(t, path, "made again\n")
	l.settles(t, "it appears", "its writer does not know yet", "a new file", "made again")
	failures := stop()
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0].Err, ErrWaiting)
}

func TestGlobThatMatchesNothingYetIsAwaited(t *testing.T) {
	dir := t.TempDir()
	var l lines
	stop := following(t, &Follow{Paths: []string{filepath.Join(dir, "*", "*-json.log")}}, &l)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "id"), 0o755))
	appendTo(t, filepath.Join(dir, "id", "id-json.log"), "it appears\n")
	l.settles(t, "it appears")
	failures := stop()
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0].Err, ErrWaiting)
	assert.True(t, failures[0].Minor)
}

func TestSwitchedSymbolicLinkIsFollowed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "..1/app.log", []byte("old\n"))
	write(t, dir, "..2/app.log", []byte("new\n"))
	require.NoError(t, os.Symlink("..1", filepath.Join(dir, "..data")))
	require.NoError(t, os.Symlink(filepath.Join("..data", "app.log"), filepath.Join(dir, "app.log")))
	var l lines
	stop := following(t, &Follow{Paths: []string{filepath.Join(dir, "app.log")}, FromStart: true}, &l)
	l.settles(t, "old")
	require.NoError(t, os.Symlink("..2", filepath.Join(dir, "..data_tmp")))
	require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	l.settles(t, "old", "new")
	assert.Empty(t, stop())
}

func TestDirectoriesAreFollowedWithoutTheirRotatedPieces(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "info.log", []byte("before\n"))
	write(t, dir, "info-2026-05-04T01-30-00.000.log", []byte("long ago\n"))
	write(t, dir, "info.log.2.gz", gzipped(t, "longer ago\n"))
	write(t, dir, "db/000001.sst", []byte{0, 1, 2})
	write(t, dir, "old.txt", []byte("OURS"))
	var l lines
	stop := following(t, &Follow{Paths: []string{dir}, IsReport: func(head []byte) bool { return string(head) == "OURS" }}, &l)
	appendTo(t, filepath.Join(dir, "old.txt"), "ours again\n")
	appendTo(t, filepath.Join(dir, "info.log"), "one\n")
	l.settles(t, "one")
	assert.Empty(t, stop())
}

func TestNamedFileIsFollowedThoughItHoldsZeroBytes(t *testing.T) {
	path := write(t, t.TempDir(), "wk", []byte{0, 1, 2, '\n'})
	var l lines
	stop := following(t, &Follow{Paths: []string{path}}, &l)
	appendTo(t, path, "one\n")
	l.settles(t, "one")
	assert.Empty(t, stop())
}

func TestNewFilesOfADirectoryAreReadFromTheirStart(t *testing.T) {
	dir := t.TempDir()
	var l lines
	stop := following(t, &Follow{Paths: []string{dir}}, &l)
	write(t, dir, "node2/warn.log", []byte("from\nthe start\n"))
	l.settles(t, "from", "the start")
	assert.Empty(t, stop())
}

func TestHalfWrittenLineWaitsForItsEnd(t *testing.T) {
	path := write(t, t.TempDir(), "info.log", nil)
	var l lines
	stop := following(t, &Follow{Paths: []string{path}}, &l)
	appendTo(t, path, "the beginning ")
	stopped := make(chan bool)
	go func() { stop(); close(stopped) }()
	time.Sleep(3 * checkEvery / 2) // the stop comes first, the line's end after it
	appendTo(t, path, "and the end\n")
	<-stopped
	assert.Equal(t, []string{"the beginning and the end"}, l.read())
}

func TestDescriptorsStayTheSameOverRotations(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "info.log", nil)
	var l lines
	stop := following(t, &Follow{Paths: []string{path}}, &l)
	appendTo(t, path, "0\n")
	l.settles(t, "0")
	before := descriptors(t)
	for n := 1; n <= 100; n++ {
		require.NoError(t, os.Rename(path, fmt.Sprintf("%s/info-2026-05-04T01-30-%02d.%03d.log", dir, n/60, n)))
		appendTo(t, path, fmt.Sprintln(n))
	}
	assert.Eventually(t, func() bool { return len(l.read()) == 101 }, time.Minute, time.Millisecond)
	assert.Equal(t, before, descriptors(t))
	stop()
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

func TestStateFilesAreChecked(t *testing.T) {
	dir := t.TempDir()
	_, err := OpenState(write(t, dir, "foreign.json", []byte(`{"a":1}`)))
	assert.ErrorIs(t, err, ErrState)
	_, err = OpenState(write(t, dir, "cut.json", []byte(`{"schema":"wklog.st`)))
	assert.ErrorIs(t, err, ErrState)
	first, err := OpenState(filepath.Join(dir, "new.json"))
	require.NoError(t, err)
	_, err = OpenState(filepath.Join(dir, "new.json"))
	assert.ErrorIs(t, err, ErrStateUsed)
	first.Close()
}
