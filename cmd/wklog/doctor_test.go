package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/doctor"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/pkitest"
	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// place is one where a test has put servers: each look takes the next of its states.
type place struct {
	name   string
	absent bool
	unseen []doctor.Unseen
	states [][]*doctor.Server
}

func (p *place) Name() string { return p.name }

func (p *place) Find(_ context.Context, look *doctor.Look) {
	look.Absent, look.Unseen = p.absent, p.unseen
	if len(p.states) > 0 {
		look.Servers = p.states[0]
		p.states = p.states[min(1, len(p.states)-1):]
	}
}

// atHome are the certificates and keys of the containers of a test.
func atHome(now time.Time) map[string]string {
	key, pki := pkitest.Key(), pkitest.New(now)
	issue := func(days int) string {
		leaf := pki.Intermediate.Issue(key, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = now.AddDate(0, 0, -60), now.AddDate(0, 0, days)
		})
		return pkitest.PEM(leaf, pki.Intermediate.Certificate)
	}
	return map[string]string{
		"/certs/fullchain.pem": issue(80), "/certs/expired.pem": issue(-3), "/certs/privkey.pem": pkitest.KeyPEM(key), "/certs/other.pem": pkitest.KeyPEM(pkitest.Key()),
	}
}

// container is one of WuKongIM, with its environment, what it printed, and its files.
func container(name string, files map[string]string, log string, environment ...string) *doctor.Server {
	environment = append([]string{"WK_WSSADDR=wss://0.0.0.0:5210", "WK_WSSCONFIG_CERTFILE=/certs/fullchain.pem", "WK_WSSCONFIG_KEYFILE=/certs/privkey.pem", "WK_EXTERNAL_WSSADDR=wss://im.wangwei-corp.cn:5210"}, environment...)
	inspected := pkitest.Must(json.Marshal([]any{map[string]any{
		"Name": "/" + name, "HostConfig": map[string]any{"PortBindings": map[string]any{"5210/tcp": []any{map[string]string{"HostPort": "5210"}}}},
		"Mounts": []any{map[string]string{"Type": "bind", "Source": "/srv/im/certs", "Destination": "/certs"}},
		"Config": map[string]any{"Image": "wukongim/wukongim:v2.2.5", "Env": environment},
	}}))
	return &doctor.Server{
		Name: name, Component: patterns.ComponentWuKongIM, FoundBy: "docker", By: "image", State: doctor.Running, Started: time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC),
		Zone:  time.UTC,
		Facts: []patterns.Fact{{Kind: patterns.FactContainer, Name: "container", Component: patterns.ComponentWuKongIM, Value: name, From: "docker inspect " + name}},
		Logs:  []doctor.Log{logOf(name, log)},
		Settings: func(context.Context) (*check.Settings, error) {
			return check.Containers(inspected).Load(name, func(file string) (check.File, error) {
				if text, ok := files[file]; ok {
					return check.File{Data: []byte(text), Mode: 0o644}, nil
				}
				return check.File{}, fs.ErrNotExist
			})
		},
		Restart: check.Step{Command: "docker restart " + name},
		Operate: func(command string) string { return command },
	}
}

// logOf is one that holds a text from the time on that its lines have.
func logOf(name, text string) doctor.Log {
	return doctor.Log{Name: name, Open: func(_ context.Context, since time.Time, _ int) (io.ReadCloser, error) {
		kept := ""
		for line := range strings.Lines(text) {
			at, _, _ := strings.Cut(line, " ")
			if t, err := time.Parse(time.RFC3339Nano, at); err != nil || !t.Before(since) {
				kept += line
			}
		}
		return io.NopCloser(strings.NewReader(kept)), nil
	}}
}

// printed is what a recorded start of WuKongIM printed, by its id.
func printed(t *testing.T, id string) string {
	t.Helper()
	for line := range bytes.Lines(read(t, "../../testdata/wukongim/startup.jsonl")) {
		var start struct{ ID, Stdout, Stderr string }
		require.NoError(t, json.Unmarshal(line, &start))
		if start.ID == id {
			return start.Stdout + start.Stderr
		}
	}
	t.Fatal(id + " was not recorded")
	return ""
}

// timed puts the times of docker logs before lines.
func timed(text string, at time.Time) (out string) {
	for line := range strings.Lines(text) {
		out += at.Format("2006-01-02T15:04:05.000000000Z ") + line
		at = at.Add(time.Millisecond)
	}
	return out
}

// consult runs doctor on what a test has put together.
func consult(t *testing.T, lang string, finders []doctor.Finder, change func(*examining)) (out, errs string, status int) {
	t.Helper()
	a, err := newApp([]string{"--lang", lang})
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	a.stdout, a.stderr = &stdout, &stderr
	d := &examining{finders: finders, timeout: 10 * time.Second, between: time.Millisecond, offline: true}
	d.format = "table"
	if change != nil {
		change(d)
	}
	require.NoError(t, a.doctor(t.Context(), d))
	return stdout.String(), stderr.String(), a.status
}

var seconds = regexp.MustCompile(`\d+\.\d (s|秒)`)

// screens are what a user may meet at three in the morning.
func screens(t *testing.T) map[string][]doctor.Finder {
	now := time.Now()
	files, start := atHome(now), time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC)
	well := func() string { return timed(printed(t, "st-ok-release"), start) }
	absent := func(names ...string) (list []doctor.Finder) {
		for _, name := range names {
			list = append(list, &place{name: name, absent: true})
		}
		return list
	}
	alone := func(name string, s ...*doctor.Server) []doctor.Finder {
		return append([]doctor.Finder{&place{name: name, states: [][]*doctor.Server{s}}, &place{name: "host"}, &place{name: "front"}}, absent("kubernetes")...)
	}
	wrongPath := container("wukongim", files, timed(printed(t, "st-missing_key-release"), start), "WK_WSSCONFIG_KEYFILE=/srv/im/certs/privkey.pem")
	wrongPath.State, wrongPath.ExitCode = doctor.Exited, 2
	panics := strings.ReplaceAll(printed(t, "st-missing_key-release"), "/root/wukongim/certs/st/nope.key", "/certs/missing.pem")
	loop := container("wukongim", files, timed(strings.Repeat(panics, 12), start), "WK_WSSCONFIG_KEYFILE=/certs/missing.pem")
	loop.State, loop.ExitCode, loop.Restarts = doctor.Restarting, 2, 12
	closed := &doctor.Server{
		Name: "wukongim[4711]", Component: patterns.ComponentWuKongIM, FoundBy: "host", By: "program", State: doctor.Running,
		Settings: func(context.Context) (*check.Settings, error) { return nil, fs.ErrPermission },
	}
	return map[string][]doctor.Finder{
		"nothing":    append([]doctor.Finder{&place{name: "host"}, &place{name: "front"}}, absent("docker", "kubernetes")...),
		"healthy":    alone("docker", container("wukongim", files, well())),
		"wrong-path": alone("docker", wrongPath),
		"crash-loop": alone("docker", loop),
		"two-nodes":  alone("docker", container("wukongim-node1", files, well()), container("wukongim-node2", files, well(), "WK_WSSCONFIG_KEYFILE=/certs/other.pem")),
		"blind": append([]doctor.Finder{
			&place{name: "docker", unseen: []doctor.Unseen{{What: "unix:///var/run/docker.sock", Why: messages.NewError("doctor.closed"), Command: "sudo wklog doctor"}}},
			&place{name: "host", states: [][]*doctor.Server{{closed}}, unseen: []doctor.Unseen{{
				What: "/proc/4711/environ, /proc/4711/fd", Why: messages.NewError("error.doctor.process-closed", closed.Name), Command: "sudo wklog doctor", Of: closed,
			}}}, &place{name: "front"},
		}, absent("kubernetes")...),
	}
}

// TestScreensOfDoctorInBothLanguages compares them with those in testdata/golden, and one
// server with one fault fits two screens of a terminal.
func TestScreensOfDoctorInBothLanguages(t *testing.T) {
	zone := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = zone })
	for _, lang := range []string{"en", "zh"} {
		for name, finders := range screens(t) {
			out, _, status := consult(t, lang, finders, func(d *examining) { d.offline = name != "nothing" && name != "blind" })
			out = seconds.ReplaceAllString(out, "0.1 $1")
			assert.Equal(t, map[string]int{"nothing": exitWrong, "blind": exitWrong, "healthy": exitDone}[name], status&^exitReached, name)
			assert.LessOrEqual(t, strings.Count(out, "\n"), 40, "%s\n%s", name, out)
			golden := filepath.Join("testdata/golden", "doctor-"+name+"."+lang+".txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(out), 0o644))
				continue
			}
			assert.Equal(t, string(read(t, golden)), out, golden)
		}
	}
}

// examining writes JSON.
func inJSON(d *examining) { d.format = "json" }

func examinationOf(t *testing.T, out string) *report.Examination {
	t.Helper()
	e := &report.Examination{}
	require.NoError(t, json.Unmarshal([]byte(out), e), out)
	return e
}

// sick has a key that is not there, well has none of the faults.
func sick(t *testing.T, name string) *doctor.Server {
	s := container(name, atHome(time.Now()), printed(t, "st-ok-release"), "WK_WSSCONFIG_KEYFILE=/certs/missing.pem")
	s.State = doctor.Restarting
	return s
}

func well(t *testing.T, name string) *doctor.Server {
	return container(name, atHome(time.Now()), printed(t, "st-ok-release"))
}

func TestWatchEndsWhenNothingIsAtFaultAndSaysWhatChanged(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"Fixed: wukongim: Certificate or key file not found\n", "Now: wukongim: running\n", "Nothing that was looked at is at fault."},
		"zh": {"已修复：wukongim：找不到证书或私钥文件\n", "现在：wukongim：运行中\n", "检查过的内容没有发现故障。"},
	} {
		looked := &place{name: "docker", states: [][]*doctor.Server{{sick(t, "wukongim")}, {sick(t, "wukongim")}, {well(t, "wukongim")}}}
		out, errs, status := consult(t, lang, []doctor.Finder{looked}, func(d *examining) { d.watch = true })
		assert.Equal(t, exitDone, status)
		assert.Equal(t, 2, strings.Count(out, "  wukongim  "), "a look that finds the same says nothing:\n%s", out)
		for _, text := range want {
			assert.Contains(t, out, text)
		}
		assert.Equal(t, 1, strings.Count(errs, "Ctrl-C"))
	}
}

func TestWatchCallsNothingMendedThatItCannotSee(t *testing.T) {
	closed := sick(t, "wukongim")
	closed.Settings = func(context.Context) (*check.Settings, error) { return nil, fs.ErrPermission }
	looked := &place{name: "docker", states: [][]*doctor.Server{{sick(t, "wukongim")}, {closed}, {}, {well(t, "im")}}}
	out, _, _ := consult(t, "en", []doctor.Finder{looked}, func(d *examining) { d.watch = true })
	assert.NotContains(t, out, "Fixed")
	for _, text := range []string{"not known to be fixed: wukongim: Certificate or key file not found", "No longer found: wukongim", "Found now: im"} {
		assert.Contains(t, strings.Join(strings.Fields(out), " "), text)
	}
}

func TestWhatTheLogsShowNoMoreIsNoFault(t *testing.T) {
	start := time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC)
	failures := ""
	for i := range 30 {
		at := start.Add(time.Duration(i) * time.Minute)
		failures += timed(at.Format("2006/01/02 15:04:05")+" http: TLS handshake error from 203.0.113.7:51514: remote error: tls: unknown certificate authority\n", at)
	}
	for started, status := range map[time.Time]int{start.Add(time.Hour): exitDone, start.Add(-time.Minute): exitReached} {
		s := container("wukongim", atHome(time.Now()), failures)
		s.Started = started
		out, _, found := consult(t, "en", []doctor.Finder{&place{name: "docker", states: [][]*doctor.Server{{s}}}}, nil)
		assert.Equal(t, status, found, out)
		assert.Equal(t, status == exitDone, strings.Contains(out, "until 2026-05-04") && !strings.Contains(out, "FIRST"), out)
	}
}

// ending is a place that ends the look, as Ctrl-C does, after some.
type ending struct {
	place
	after int
	end   context.CancelFunc
}

func (e *ending) Find(ctx context.Context, look *doctor.Look) {
	if e.after--; e.after < 0 {
		e.end()
		return
	}
	e.place.Find(ctx, look)
}

func TestCtrlCInTheMiddleOfALookMendsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, err := newApp([]string{"--lang", "en"})
	require.NoError(t, err)
	var out, errs bytes.Buffer
	a.stdout, a.stderr = &out, &errs
	looked := &ending{place: place{name: "docker", states: [][]*doctor.Server{{sick(t, "wukongim")}}}, after: 1, end: cancel}
	d := &examining{finders: []doctor.Finder{looked}, timeout: time.Minute, between: time.Millisecond, offline: true, watch: true}
	require.NoError(t, a.doctor(ctx, d))
	assert.Equal(t, exitReached, a.status, "that of the last whole look")
	assert.Equal(t, 1, strings.Count(out.String(), "  wukongim  "))
	assert.NotContains(t, out.String(), "No longer found")
}

func TestSinceLeavesOutWhatIsOlder(t *testing.T) {
	log := timed(printed(t, "st-missing_key-release"), time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC))
	for since, events := range map[string]int{"": 1, "2026-05-04 00:59:00": 1, "2026-05-04 01:01:00": 0} {
		s := container("wukongim", atHome(time.Now()), log)
		out, _, _ := consult(t, "en", []doctor.Finder{&place{name: "docker", states: [][]*doctor.Server{{s}}}}, func(d *examining) {
			inJSON(d)
			d.since = since
			if since != "" {
				d.since = strings.Replace(since, " ", "T", 1) + "Z"
			}
		})
		assert.Equal(t, events, examinationOf(t, out).Servers[0].Report.Summary.Events, since)
	}
}

func TestTimeoutBoundsALogThatDoesNotEnd(t *testing.T) {
	s := well(t, "wukongim")
	s.Logs = append(s.Logs, doctor.Log{Name: "endless", Open: func(ctx context.Context, _ time.Time, _ int) (io.ReadCloser, error) {
		r, w := io.Pipe()
		context.AfterFunc(ctx, func() { w.CloseWithError(ctx.Err()) })
		return r, nil
	}})
	out, _, status := consult(t, "en", []doctor.Finder{&place{name: "docker", states: [][]*doctor.Server{{s}}}}, func(d *examining) {
		inJSON(d)
		d.timeout = time.Second
	})
	e := examinationOf(t, out)
	assert.Equal(t, exitWrong, status, "a log was not read to its end")
	assert.NotEmpty(t, e.Servers[0].Checks)
	require.NotEmpty(t, e.Unseen)
	assert.Equal(t, "wukongim: log", e.Unseen[0].What)
}

// TestNewestLinesCountWhereTheTimeIsUp: what is older hangs, and is told with its time.
// Where nothing hangs each failure is counted once, in whatever piece of the log it is.
func TestNewestLinesCountWhereTheTimeIsUp(t *testing.T) {
	if testing.Short() {
		t.Skip("has to read many lines before the time is up")
	}
	begin := time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC)
	var lines []string
	for i := range 70_000 {
		at := begin.Add(time.Duration(i) * time.Second)
		text := at.Format("[GIN] 2006/01/02 - 15:04:05 | 200 | 1.2ms | 10.0.0.7 | POST \"/message/send\"")
		if i%1000 == 0 {
			text = fmt.Sprintf("%s http: TLS handshake error from 203.0.113.7:%d: remote error: tls: unknown certificate authority", at.Format("2006/01/02 15:04:05"), 20_000+i/1000)
		}
		lines = append(lines, at.Format("2006-01-02T15:04:05.000000000Z ")+text+"\n")
	}
	for hangs, events := range map[bool]int{false: 70, true: 20} {
		s := well(t, "wukongim")
		s.Logs = []doctor.Log{{Name: "wukongim", Open: func(ctx context.Context, _ time.Time, newest int) (io.ReadCloser, error) {
			if newest > 20_000 && hangs {
				r, w := io.Pipe()
				context.AfterFunc(ctx, func() { w.CloseWithError(ctx.Err()) })
				return r, nil
			}
			return io.NopCloser(strings.NewReader(strings.Join(lines[max(0, len(lines)-newest):], ""))), nil
		}}}
		out, _, status := consult(t, "en", []doctor.Finder{&place{name: "docker", states: [][]*doctor.Server{{s}}}}, func(d *examining) {
			inJSON(d)
			if hangs {
				d.timeout = 5 * time.Second
			}
		})
		e := examinationOf(t, out)
		report := e.Servers[0].Report
		assert.Equal(t, events, report.Summary.Events)
		assert.Len(t, report.Inputs, 1, "its pieces are one log")
		assert.Equal(t, map[bool]int{true: exitWrong, false: exitReached}[hangs], status)
		if hangs {
			assert.Contains(t, e.Unseen[0].Why, "from "+begin.Add(50_000*time.Second).Local().Format(time.DateTime))
		}
	}
}

// TestFileThatIsReadInPartsIsOneLog: each failure is counted once, the newest first or not, and
// no line is given a number that it has not.
func TestFileThatIsReadInPartsIsOneLog(t *testing.T) {
	text := ""
	for i := range 70 {
		at := time.Date(2026, 5, 4, 1, 0, i, 0, time.UTC)
		text += at.Format("[GIN] 2006/01/02 - 15:04:05 | 200 | 1.2ms | 10.0.0.7 | POST \"/message/send\"\n") +
			fmt.Sprintf("%s http: TLS handshake error from 203.0.113.7:%d: remote error: tls: unknown certificate authority\n", at.Format("2006/01/02 15:04:05"), 20_000+i)
	}
	file := filepath.Join(t.TempDir(), "server.log")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	for inOrder, numbered := range map[int64]bool{1 << 20: true, 1000: false} {
		s := well(t, "wukongim")
		s.Logs = []doctor.Log{{Name: file, Path: file}}
		out, _, _ := consult(t, "en", []doctor.Finder{&place{name: "docker", states: [][]*doctor.Server{{s}}}}, func(d *examining) {
			inJSON(d)
			d.inOrder = inOrder
		})
		report := examinationOf(t, out).Servers[0].Report
		assert.Equal(t, 70, report.Summary.Events)
		require.Len(t, report.Inputs, 1)
		assert.Equal(t, int64(140), report.Inputs[0].Lines)
		assert.Equal(t, int64(len(text)), report.Inputs[0].Bytes)
		assert.Equal(t, numbered, report.Findings[0].Samples[0].Line > 0, "%v", report.Findings[0].Samples)
	}
}

func TestOfflineConnectsToNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	accepted := make(chan struct{}, 100)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			c.Close()
			accepted <- struct{}{}
		}
	}()
	for _, offline := range []bool{true, false} {
		s := well(t, "wukongim")
		s.Ports = map[string]string{"5210": listener.Addr().String()}
		s.Settings = container("wukongim", atHome(time.Now()), "", "WK_EXTERNAL_WSSADDR=").Settings
		out, _, _ := consult(t, "en", []doctor.Finder{&place{name: "docker", states: [][]*doctor.Server{{s}}}}, func(d *examining) { d.offline = offline })
		assert.Equal(t, offline, len(accepted) == 0)
		assert.Equal(t, offline, strings.Contains(out, "not connected to, as --offline asks"), out)
	}
}

func TestFormOfAnExaminationFollowsTheEndingOfItsFile(t *testing.T) {
	for name, begins := range map[string]string{
		"a.html": "<!DOCTYPE html>", "a.md": "# wklog doctor", "a.json": "{\n  \"schema\": \"wklog.doctor/v1\"", "a.txt": "ok    wukongim  container", "a": "ok    wukongim  container",
	} {
		file := filepath.Join(t.TempDir(), name)
		out, _, status := consult(t, "en", []doctor.Finder{&place{name: "docker", states: [][]*doctor.Server{{well(t, "wukongim")}}}}, func(d *examining) { d.format, d.output = "", file })
		assert.Equal(t, exitDone, status)
		assert.Empty(t, out)
		text := string(read(t, file))
		assert.Equal(t, begins, text[:min(len(begins), len(text))], name)
		assert.True(t, !strings.HasSuffix(name, ".md") && !strings.HasSuffix(name, ".html") || report.IsReport(file), "it is not read as a log later")
	}
}

// TestRedactedExaminationNamesNobody: not the container, its file of compose, the domain,
// a client, or what kubectl was asked for.
func TestRedactedExaminationNamesNobody(t *testing.T) {
	planted := []string{"wangwei", "203.0.113.77", "/srv/im", "orders-cert", "payments", "fullchain-of-wang"}
	for _, form := range report.ExaminationForms() {
		log := timed("2026/05/04 01:00:00 http: TLS handshake error from 203.0.113.77:51514: remote error: tls: unknown certificate\n", time.Now().Add(-time.Minute))
		s := container("wangwei-im", atHome(time.Now()), log, "WK_WSSCONFIG_CERTFILE=/home/wangwei/fullchain-of-wang.pem")
		s.Started, s.Reason = time.Now().Add(-time.Hour), "open /home/wangwei/im.sock: permission denied"
		compose := "/home/wangwei/im/docker-compose.yml"
		s.Facts = append(s.Facts, patterns.Fact{Kind: patterns.FactFile, Name: "compose", Component: patterns.ComponentWuKongIM, Value: compose, From: "docker inspect wangwei-im"})
		s.Operate = func(command string) string {
			return strings.ReplaceAll(command, "docker compose", "docker compose -f "+compose)
		}
		looked := &place{name: "docker", states: [][]*doctor.Server{{s}}, unseen: []doctor.Unseen{
			{What: "kubectl get --namespace=payments secrets orders-cert", Why: errors.New("payments/orders-cert is closed to wangwei-im"), Names: []string{"payments", "orders-cert"}},
		}}
		out, _, status := consult(t, "en", []doctor.Finder{looked}, func(d *examining) { d.format, d.redact, d.verbose = form, true, true })
		assert.Equal(t, exitReached, status)
		for _, name := range planted {
			assert.NotContains(t, out, name, form)
		}
		assert.Contains(t, out, "cert-file-missing", "what is wrong stays")
	}
}

// TestSettingsOfWhichAPartCouldNotBeReadAreNotBlamed: some stand in a ConfigMap that may not
// be seen, and what seems not to be set may be set there.
func TestSettingsOfWhichAPartCouldNotBeReadAreNotBlamed(t *testing.T) {
	for _, partial := range []bool{true, false} {
		s := container("im/wukongim-0", atHome(time.Now()), printed(t, "st-ok-release"), "WK_WSSADDR=0.0.0.0")
		s.Partial = partial
		out, _, status := consult(t, "en", []doctor.Finder{&place{name: "kubernetes", states: [][]*doctor.Server{{s}}}}, nil)
		assert.Equal(t, partial, status == exitDone, out)
		assert.Equal(t, partial, !strings.Contains(out, "FAIL"), out)
	}
}

// TestStepsAreThoseForTheWayInWhichTheServerIsRun: kubectl's lines look as Docker's.
func TestStepsAreThoseForTheWayInWhichTheServerIsRun(t *testing.T) {
	s := container("im/wukongim-0", nil, timed(printed(t, "st-missing_key-release"), time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC)))
	s.FoundBy, s.State, s.Settings, s.Operate = "kubernetes", doctor.Restarting, nil, nil
	s.Facts = []patterns.Fact{
		{Kind: patterns.FactNamespace, Name: "namespace", Component: patterns.ComponentWuKongIM, Value: "im", From: "kubectl"},
		{Kind: patterns.FactPod, Name: "pod", Component: patterns.ComponentWuKongIM, Value: "wukongim-0", From: "kubectl"},
	}
	out, _, _ := consult(t, "en", []doctor.Finder{&place{name: "kubernetes", states: [][]*doctor.Server{{s}}}}, nil)
	assert.Contains(t, out, "cert-file-missing")
	assert.NotContains(t, out, "docker")
	assert.Contains(t, out, "kubectl -n im ")
}

// TestStepsForAPlainProcessSpeakOfNoContainer: it has no unit, and is none the less of this
// machine.
func TestStepsForAPlainProcessSpeakOfNoContainer(t *testing.T) {
	s := container("wukongim[4711]", nil, timed(printed(t, "st-missing_key-release"), time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC)))
	s.FoundBy, s.State, s.Settings, s.Operate = "host", doctor.Exited, nil, nil
	s.Facts = []patterns.Fact{{Kind: patterns.FactPath, Name: "program", Component: patterns.ComponentWuKongIM, Value: "/opt/im/wukongim", From: "/proc/4711"}}
	for _, lang := range []string{"en", "zh"} {
		out, _, _ := consult(t, lang, []doctor.Finder{&place{name: "host", states: [][]*doctor.Server{{s}}}}, nil)
		assert.Contains(t, out, "cert-file-missing")
		assert.NotContains(t, out, "docker")
		assert.Contains(t, out, "systemctl")
	}
}

// TestServerThatWasStoppedIsToldHowToStart: where nothing else is known of it, and its name is
// nobody's secret.
func TestServerThatWasStoppedIsToldHowToStart(t *testing.T) {
	for _, redact := range []bool{false, true} {
		s := well(t, "wangwei-im")
		s.State, s.Start = doctor.Exited, "docker start wangwei-im"
		for _, lang := range []string{"en", "zh"} {
			out, _, status := consult(t, lang, []doctor.Finder{&place{name: "docker", states: [][]*doctor.Server{{s}}}}, func(d *examining) { d.redact = redact })
			assert.Equal(t, exitReached, status)
			assert.Equal(t, !redact, strings.Contains(out, "docker start wangwei-im"), out)
		}
	}
	sick := sick(t, "wukongim")
	sick.Start = "docker start wukongim"
	out, _, _ := consult(t, "en", []doctor.Finder{&place{name: "docker", states: [][]*doctor.Server{{sick}}}}, nil)
	assert.NotContains(t, out, "docker start", "what is known to be at fault comes first")
}
