package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
)

// recording is what a real server printed.
const recording = "../../testdata/wukongim/servers/expired/stdout.log"

// engine is a Docker engine of the test's own. It lives in namespaces of its own,
// so that it touches no network, and nothing that it started outlives it.
type engine struct {
	dir   string
	env   []string
	names atomic.Int64
	// pid is of the process whose network is that of the engine, dead is closed at its end.
	pid  int
	dead chan struct{}
}

// startEngine starts one, with the image "server" (testdata/server). Without the
// programs or the rights that it takes, the test is skipped.
func startEngine(t *testing.T) *engine {
	t.Helper()
	return startEngineBy(t, "docker.io", "dockerd", `--data-root "$0"/data --exec-root "$0"/exec `+
		`--pidfile "$0"/pid -H unix://"$0"/socket --storage-driver vfs --bridge none --iptables=false --ip6tables=false`)
}

// startPodman starts one that is Podman's: its clients are Docker's.
func startPodman(t *testing.T) *engine {
	t.Helper()
	if _, err := exec.LookPath("runc"); err != nil { // crun takes no hybrid control groups
		t.Skip("runc is not installed (Debian's package of this name)")
	}
	return startEngineBy(t, "podman", "podman", `--root "$0"/data --runroot "$0"/exec --storage-driver vfs --cgroup-manager cgroupfs `+
		`--runtime runc system service -t 0 unix://"$0"/socket`)
}

// startEngineBy starts an engine by its program, which is of a package of Debian.
func startEngineBy(t *testing.T, packaged, program, arguments string) *engine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("an engine runs as root")
	}
	for _, name := range []string{program, "docker", "unshare"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(name + " is not installed (Debian's packages " + packaged + ", docker.io)")
		}
	}
	dir, err := os.MkdirTemp("", "wd") // the path of a socket has to be short
	require.NoError(t, err)
	e := &engine{dir: dir, env: append(os.Environ(),
		"DOCKER_HOST=unix://"+dir+"/socket", "DOCKER_CONFIG="+dir+"/config", "DOCKER_CONTEXT=",
		"PATH="+dir+"/bin:"+os.Getenv("PATH"), "WKLOG_TEST_PROGRAM=wklog", "LANG=C", "TZ=UTC")}
	log, err := os.Create(dir + "/log")
	require.NoError(t, err)
	defer log.Close()
	isolated := []string{"--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"}
	daemon := exec.Command("unshare", append(isolated, "sh", "-c", "mount -t tmpfs run /run && exec "+program+" "+arguments, dir)...)
	daemon.Stdout, daemon.Stderr = log, log
	daemon.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, daemon.Start())
	e.pid = daemon.Process.Pid
	ended := make(chan error, 1)
	e.dead = make(chan struct{})
	go func() {
		ended <- daemon.Wait()
		close(e.dead)
	}()
	t.Cleanup(func() {
		// A few at once: Docker 20 can lock itself where it removes dozens. What is left ends
		// with the engine's namespace.
		_, _ = e.try(`docker ps -aq | timeout 60 xargs -r -n 8 docker rm -f`)
		_ = daemon.Process.Kill()
		<-ended
		// What was in the engine's namespace may write for a moment more.
		assert.Eventually(t, func() bool { return os.RemoveAll(dir) == nil }, time.Minute, 100*time.Millisecond)
	})
	require.Eventually(t, func() bool {
		select {
		case err := <-ended:
			ended <- err
			return true
		default:
			_, err := e.try(`docker version`)
			return err == nil
		}
	}, time.Minute, 20*time.Millisecond, program)
	e.provide(t)
	if out, err := e.try(`docker run --rm --network none server raw 1 0s`); err != nil {
		text, _ := os.ReadFile(log.Name())
		t.Skipf("%s runs no container here: %s\n%s", program, out, text[max(0, len(text)-2000):])
	}
	return e
}

// provide puts wklog into the path, and makes the image.
func (e *engine) provide(t *testing.T) {
	t.Helper()
	wklog, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(e.dir+"/bin", 0o755))
	require.NoError(t, os.Symlink(wklog, e.dir+"/bin/wklog"))
	build(t, e.dir+"/server", "./testdata/server")
	e.image("server", `ENTRYPOINT ["/server"]`, map[string]string{
		"server":        e.dir + "/server",
		"recording.log": recording,
	})
}

// image makes an image from nothing but the files, which are there by the paths
// that they get. An engine that runs no containers fails later.
func (e *engine) image(name, change string, files map[string]string) {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for path, from := range files {
		data, err := os.ReadFile(from)
		if err == nil {
			err = w.WriteHeader(&tar.Header{Name: path, Mode: 0o755, Size: int64(len(data))})
		}
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			panic(err)
		}
	}
	w.Close()
	c := e.shell(`docker import --change "$CHANGE" - ` + name)
	c.Env = append(c.Env, "CHANGE="+change)
	c.Stdin = &layer
	_ = c.Run()
}

// build builds a program that runs in an image without any library.
func build(t *testing.T, to, from string) {
	t.Helper()
	c := exec.Command("go", "build", "-o", to, from)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func (e *engine) shell(script string) *exec.Cmd {
	c := exec.Command("sh", "-c", script)
	c.Env = slices.Clone(e.env)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return c
}

func (e *engine) try(script string) (string, error) {
	out, err := e.shell(script).CombinedOutput()
	return string(out), err
}

// run runs a script, and returns what it says.
func (e *engine) run(t *testing.T, script string) string {
	t.Helper()
	out, err := e.try(script)
	require.NoError(t, err, "%s\n%s", script, out)
	return out
}

// start runs a script beside the test. Its end is awaited by the returned
// function.
func (e *engine) start(t *testing.T, script string) (c *exec.Cmd, wait func()) {
	t.Helper()
	c = e.shell(script)
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) })
	return c, func() {
		t.Helper()
		select {
		case err := <-ended:
			assert.NoError(t, err, script)
		case <-time.After(time.Minute):
			assert.Fail(t, "does not end", script)
		}
	}
}

// fresh gives a name for a container, and a file that wklog may write.
func (e *engine) fresh() (container, out string) {
	container = fmt.Sprintf("c%d", e.names.Add(1))
	return container, filepath.Join(e.dir, container)
}

var (
	rawNumber   = regexp.MustCompile(`unsupported versions: \[([0-9a-f]+) ([0-9a-f]+)\]`)
	debugNumber = regexp.MustCompile(`revoked certificate","id":([0-9]+)`)
)

// failuresIn gives the numbers of the failures in lines of a log.
func failuresIn(text string) []int {
	all := []int{}
	for line := range strings.Lines(text) {
		if m := rawNumber.FindStringSubmatch(line); m != nil {
			high, _ := strconv.ParseUint(m[1], 16, 16)
			low, _ := strconv.ParseUint(m[2], 16, 16)
			all = append(all, int(high<<16|low))
		}
		if m := debugNumber.FindStringSubmatch(line); m != nil {
			all = append(all, atoi(m[1]))
		}
	}
	return all
}

// told gives the numbers of the failures that wklog told as lines of JSON. The
// last line may be half written.
func told(t *testing.T, file string) []int {
	t.Helper()
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	var texts strings.Builder
	for line := range bytes.Lines(data) {
		var e report.Event
		if json.Unmarshal(line, &e) == nil {
			texts.WriteString(strings.ReplaceAll(e.Text, "\n", " ") + "\n")
		}
	}
	return failuresIn(texts.String())
}

// sameFailures compares numbers, which may be many.
func sameFailures(t *testing.T, want, got []int, what string) {
	t.Helper()
	times := map[int]int{}
	for _, n := range got {
		times[n]++
	}
	for _, n := range want {
		times[n]--
	}
	wrong := map[int]int{}
	for n, more := range times {
		if more != 0 && len(wrong) < 10 {
			wrong[n] = more
		}
	}
	assert.Empty(t, wrong, "%s: how much more often than in the log, of %d", what, len(want))
}

// upTo gives count numbers of each of the runs of a container.
func upTo(count, runs int) []int {
	var all []int
	for run := range runs {
		for n := range count {
			all = append(all, run*1_000_000+n)
		}
	}
	return all
}

// dockerLogs are the forms in which a container's output is kept, as arguments of
// docker run.
var dockerLogs = map[string]string{
	"json-file":               "--log-driver json-file",
	"json-file of a terminal": "--log-driver json-file -t",
	"local":                   "--log-driver local",
	"local of a terminal":     "--log-driver local -t",
}

// TestDocker reads the output of containers of a real engine.
func TestDocker(t *testing.T) {
	e := startEngine(t)
	alone := func(name string, test func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
	// each runs a test for each of the forms, with a name for its container and a
	// file that wklog may write.
	each := func(name string, test func(t *testing.T, container, kept, out string)) {
		for form, kept := range dockerLogs {
			alone(name+"/"+form, func(t *testing.T) {
				container, out := e.fresh()
				test(t, container, kept+" --network none --name "+container, out)
			})
		}
	}
	each("burning", e.tellsAtOnce)
	each("restarted", e.tellsOverRestarts)
	each("rotated", e.tellsOverRotation)
	each("recording", e.findsWhatTheRecordingHolds)
	each("ends at the certificate", e.tellsEachEnd)
	for _, files := range []string{"1", "3", "3 --log-opt compress=true"} {
		alone("followed/max-file "+files, func(t *testing.T) { e.followsDockersFiles(t, files) })
	}
	alone("compose", e.readsCompose)
	alone("commands that we give", e.runsOurCommands)
	alone("example", e.runsTheExample)
}

// tellsAtOnce follows a container that goes on failing, without any time and
// without any silence, until it is killed.
func (e *engine) tellsAtOnce(t *testing.T, container, kept, out string) {
	e.run(t, "docker run -d "+kept+" server raw 0 20ms")
	require.Eventually(t, func() bool { return len(failuresIn(e.run(t, "docker logs "+container+" 2>&1"))) > 110 }, time.Minute, 100*time.Millisecond)
	commands := []string{"docker logs -f", "docker logs -t -f", "docker logs --tail 100 -f"}
	var ends []func()
	follows := strings.Contains(kept, "json-file")
	end := func() {}
	if follows {
		end = e.follow(t, out, e.log(t, container))
		require.Eventually(t, func() bool { return len(told(t, out)) > 10 }, time.Minute, 10*time.Millisecond, "followed: told while it runs")
	}
	for n, logs := range commands {
		_, wait := e.start(t, fmt.Sprintf("%s %s 2>&1 | tee %[3]s.%[4]d.given | wklog --format jsonl > %[3]s.%[4]d", logs, container, out, n))
		ends = append(ends, wait)
	}
	for n, logs := range commands {
		require.Eventually(t, func() bool { return len(told(t, fmt.Sprintf("%s.%d", out, n))) > 110 }, time.Minute, 10*time.Millisecond, "%s: told while it runs", logs)
	}
	e.run(t, "docker kill "+container)
	all := failuresIn(e.run(t, "docker logs "+container+" 2>&1"))
	for n, logs := range commands {
		ends[n]()
		given := failuresIn(string(read(t, fmt.Sprintf("%s.%d.given", out, n)))) // the driver local may lose the last line of a killed container
		sameFailures(t, given, told(t, fmt.Sprintf("%s.%d", out, n)), logs)
	}
	if follows {
		require.Eventually(t, func() bool { return slices.Contains(told(t, out), all[len(all)-1]) }, time.Minute, 10*time.Millisecond)
		end()
		got := told(t, out)
		sameFailures(t, all[max(0, len(all)-len(got)):], got, "analyze -f")
	}
}

// tellsOverRestarts reads a container that ended three times, and follows Docker's
// own file from before the first start to after the last end.
func (e *engine) tellsOverRestarts(t *testing.T, container, kept, out string) {
	e.run(t, "docker create "+kept+" server debug 40 1ms")
	follows := strings.Contains(kept, "json-file")
	end := func() {}
	if follows {
		end = e.follow(t, out, e.log(t, container))
	}
	for run := range 3 {
		e.run(t, "docker start -a "+container)
		if follows {
			require.Eventually(t, func() bool { return len(told(t, out)) == 40*(run+1) }, time.Minute, 10*time.Millisecond)
		}
	}
	end()
	if follows {
		sameFailures(t, upTo(40, 3), told(t, out), "analyze -f")
	}
	for _, logs := range []string{"docker logs", "docker logs -t", "docker logs -f", "docker logs --details"} {
		e.run(t, logs+" "+container+" 2>&1 | wklog --format jsonl > "+out+".logs")
		sameFailures(t, upTo(40, 3), told(t, out+".logs"), logs)
	}
}

// log is Docker's own file of a container.
func (e *engine) log(t *testing.T, container string) string {
	t.Helper()
	id := strings.TrimSpace(e.run(t, "docker inspect -f '{{.Id}}' "+container))
	return fmt.Sprintf("%s/data/containers/%s/%s-json.log", e.dir, id, id)
}

// follow follows logs until the returned function is called.
func (e *engine) follow(t *testing.T, out, path string) (end func()) {
	t.Helper()
	c, wait := e.start(t, fmt.Sprintf("exec wklog analyze -f --format jsonl --state %s.state '%s' > %s", out, path, out))
	require.Eventually(t, func() bool { _, err := os.Stat(out + ".state"); return err == nil }, time.Minute, time.Millisecond)
	return func() {
		t.Helper()
		require.NoError(t, c.Process.Signal(os.Interrupt))
		wait()
	}
}

// tellsOverRotation follows a container whose log Docker rotates. There Docker
// gives some lines twice, and of the driver local sometimes not all (20.10).
func (e *engine) tellsOverRotation(t *testing.T, container, kept, out string) {
	e.run(t, "docker run -d "+kept+" --log-opt max-size=50k --log-opt max-file=3 server debug 1000 1ms")
	e.run(t, "docker logs -f -t "+container+" 2>&1 | tee "+out+".given | wklog --format jsonl > "+out)
	given, err := os.ReadFile(out + ".given")
	require.NoError(t, err)
	var distinct []string
	seen := map[string]bool{}
	for line := range strings.Lines(string(given)) {
		if !seen[line] {
			seen[line] = true
			distinct = append(distinct, line)
		}
	}
	sameFailures(t, failuresIn(strings.Join(distinct, "")), told(t, out), "docker logs -f -t")
}

// followsDockersFiles follows what Docker writes for a container, over the
// rotations that max-size asks for and a restart. The first run fits into the two
// files that Docker keeps at least, until the followers have found them.
func (e *engine) followsDockersFiles(t *testing.T, files string) {
	container, out := e.fresh()
	e.run(t, "docker create --name "+container+" --network none --log-opt max-size=150k --log-opt max-file="+files+" server debug 1000 1ms")
	log := e.log(t, container)
	paths := []string{log, filepath.Dir(log), filepath.Dir(log) + "*/*-json.log"}
	var ends []func()
	for n, path := range paths {
		ends = append(ends, e.follow(t, fmt.Sprintf("%s.%d", out, n), path))
	}
	for run := range 2 {
		e.run(t, "docker start -a "+container)
		for n, path := range paths {
			require.Eventually(t, func() bool { return len(told(t, fmt.Sprintf("%s.%d", out, n))) >= 1000*(run+1) }, time.Minute, 10*time.Millisecond, path)
		}
	}
	for n, path := range paths {
		ends[n]()
		sameFailures(t, upTo(1000, 2), told(t, fmt.Sprintf("%s.%d", out, n)), path)
	}
}

// findsWhatTheRecordingHolds has a container print what a real server printed:
// what was put around its lines changes nothing of what is found.
func (e *engine) findsWhatTheRecordingHolds(t *testing.T, container, kept, out string) {
	want := e.found(t, "wklog analyze --format json "+recording, out)
	require.NotEmpty(t, want.Findings)
	e.run(t, "docker run "+kept+" server show /recording.log")
	commands := []string{"docker logs " + container + " 2>&1 | wklog --format json", "docker logs -t " + container + " 2>&1 | wklog --format json"}
	if strings.Contains(kept, "json-file") {
		commands = append(commands, "wklog analyze --format json "+e.log(t, container))
	}
	for _, command := range commands {
		got := e.found(t, command, out)
		assert.Equal(t, counts(want), counts(got), command)
		assert.Equal(t, want.Diagnosis[0].Cause, got.Diagnosis[0].Cause, command)
		assert.Equal(t, want.Summary.Duplicates, got.Summary.Duplicates, command)
	}
}

// found runs a command that reports in JSON.
func (e *engine) found(t *testing.T, command, out string) (doc report.Document) {
	t.Helper()
	e.run(t, command+" > "+out+".json")
	data, err := os.ReadFile(out + ".json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &doc))
	return doc
}

func counts(doc report.Document) map[string]int {
	counts := map[string]int{}
	for _, f := range doc.Findings {
		counts[f.Pattern] = f.Count
	}
	return counts
}

// tellsEachEnd has a container that Docker starts again each time it ends for the
// certificate.
func (e *engine) tellsEachEnd(t *testing.T, container, kept, out string) {
	e.run(t, "docker run -d --restart on-failure:2 "+kept+" server start /root/wukongim/certs/fullchain.pem")
	require.Eventually(t, func() bool {
		return e.run(t, "docker inspect -f '{{.RestartCount}} {{.State.Status}}' "+container) == "2 exited\n"
	}, time.Minute, 20*time.Millisecond)
	for _, logs := range []string{"docker logs", "docker logs -t", "docker logs -f"} {
		doc := e.found(t, logs+" "+container+" 2>&1 | wklog --format json", out)
		assert.Equal(t, map[string]int{"cert-file-not-found": 3}, counts(doc), logs)
	}
}

// project starts the services of a compose file, and gives docker-compose for it.
func (e *engine) project(t *testing.T, name, services string) (compose string) {
	t.Helper()
	if _, err := exec.LookPath("docker-compose"); err != nil {
		t.Skip("docker-compose is not installed (Debian's package docker-compose)")
	}
	dir := filepath.Join(e.dir, name)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(dir+"/docker-compose.yml", []byte(services), 0o644))
	return "docker-compose --project-directory " + dir + " -f " + dir + "/docker-compose.yml"
}

// readsCompose reads what docker-compose puts names and bars before.
func (e *engine) readsCompose(t *testing.T) {
	_, out := e.fresh()
	compose := e.project(t, "compose", `
services:
  wukongim:
    {image: server, command: [debug, "60", 1ms], network_mode: none}
  by-another-name:
    {image: server, command: [show, /recording.log], network_mode: none}
  burning:
    {image: server, command: [raw, "0", 20ms], network_mode: none}
`)
	for _, command := range []string{"up wukongim by-another-name", "logs wukongim by-another-name", "logs -t wukongim", "logs --no-color -f wukongim"} {
		e.run(t, compose+" "+command+" 2>&1 | wklog --format jsonl > "+out)
		sameFailures(t, upTo(60, 1), told(t, out), command)
	}
	e.run(t, compose+" up -d burning")
	_, wait := e.start(t, compose+" logs -f burning 2>&1 | wklog --format jsonl > "+out)
	require.Eventually(t, func() bool { return len(told(t, out)) > 100 }, time.Minute, 10*time.Millisecond, "told while it runs")
	e.run(t, compose+" kill burning")
	wait()
	sameFailures(t, failuresIn(e.run(t, compose+" logs burning")), told(t, out), "logs -f")
}

var ourCommand = regexp.MustCompile("docker (?:compose )?logs [^`\n]*\\| wklog[^`\n]*|wklog analyze \"\\$\\(docker inspect[^`\n]*")

// runsOurCommands runs what the documents and help say for Docker, word for word.
func (e *engine) runsOurCommands(t *testing.T) {
	commands := map[string]bool{}
	for _, file := range []string{"../../README.md", "../../docs/README.zh-CN.md", "../../docs/operating.md", "../internal/messages/en.yaml", "../internal/messages/zh.yaml"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, command := range ourCommand.FindAllString(strings.ReplaceAll(string(text), `\|`, "|"), -1) {
			commands[command] = true
		}
	}
	require.GreaterOrEqual(t, len(commands), 6)
	compose := e.project(t, "commands", `
services:
  wukongim:
    {image: server, command: [show, /recording.log], network_mode: none, container_name: wukongim}
`)
	e.run(t, compose+" up wukongim")
	// Debian has the program docker-compose, and not the command docker compose.
	require.NoError(t, os.MkdirAll(e.dir+"/config/cli-plugins", 0o755))
	writeProgram(t, e.dir+"/config/cli-plugins/docker-compose", `[ "$1" = docker-cli-plugin-metadata ] && exec echo '{"SchemaVersion": "0.1.0", "Vendor": "Debian", "Version": "1"}'
shift
exec `+compose+` "$@"`)
	for command := range commands {
		assert.Regexp(t, "(?m)^(TLS failures: 14,|共 14 次 TLS 失败)", e.run(t, command), command)
	}
}

// runsTheExample starts the example's services, with this program, a server of
// ours in the place of WuKongIM, and a shell: without a configuration file, and
// with volumes that are new.
func (e *engine) runsTheExample(t *testing.T) {
	busybox, err := exec.LookPath("busybox")
	if err != nil || !isStatic(t, busybox) {
		t.Skip("no busybox that needs no libraries (Debian's package busybox-static)")
	}
	services, err := os.ReadFile("examples/docker-compose.yml")
	require.NoError(t, err)
	compose := e.project(t, "example", string(services))
	build(t, e.dir+"/example/wklog", ".")
	e.image("wukongim/wukongim:v2", "ENV PATH=/usr/local/bin:/bin", map[string]string{"home/app": e.dir + "/server", "bin/sh": busybox, "bin/chown": busybox})
	title, _, _ := strings.Cut(e.run(t, "wklog explain --lang zh unsupported-versions"), "\n")
	e.run(t, compose+" up -d")
	require.Eventually(t, func() bool {
		out, err := e.try("docker logs example_wklog_1 2>&1")
		return err == nil && strings.Contains(out, title)
	}, time.Minute, 100*time.Millisecond)
	state := e.dir + "/data/volumes/example_state/_data/state.json"
	require.Eventually(t, func() bool { _, err := os.Stat(state); return err == nil }, time.Minute, 10*time.Millisecond)
	info, err := os.Stat(state)
	require.NoError(t, err)
	assert.EqualValues(t, 65534, info.Sys().(*syscall.Stat_t).Uid)
	e.run(t, compose+" restart wklog")
	assert.Equal(t, "running 0\n", e.run(t, "docker inspect -f '{{.State.Status}} {{.RestartCount}}' example_wklog_1"))
}
