package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
)

// fault is what happens to what the engine says of a container.
type fault struct {
	name string
	// part ends the path of the request that it happens to.
	part string
	// answer replaces the answer, nil for none; read is what a reader of it meets.
	answer func(w http.ResponseWriter, r *http.Request)
	read   func(e *engine, body io.ReadCloser) io.ReadCloser
	// what is named as unseen, why with what reason; whole says that all of it was read.
	what, why string
	whole     bool
	timeout   string
}

var faults = []fault{
	{name: "no permission for half of it", part: "/victim/logs", what: "victim: log", why: "denied by the plugin",
		answer: func(w http.ResponseWriter, _ *http.Request) { refuse(w) }},
	{name: "no permission to look at one", part: "/victim/json", what: "victim", why: "denied by the plugin",
		answer: func(w http.ResponseWriter, _ *http.Request) { refuse(w) }},
	{name: "a log that hangs", part: "/victim/logs", what: "victim: log", why: "time", timeout: "5s",
		answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	{name: "a container that is removed while it is read", part: "/victim/logs", whole: true,
		read: func(e *engine, body io.ReadCloser) io.ReadCloser {
			return &meeting{body, func() { _, _ = e.try("docker rm -f victim") }}
		}},
	{name: "an engine that is killed while it is read", part: "/again/logs", what: "again: log", why: "EOF",
		read: func(e *engine, body io.ReadCloser) io.ReadCloser {
			return &meeting{body, func() { _ = syscall.Kill(e.pid, syscall.SIGKILL); <-e.dead }}
		}},
}

func refuse(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprint(w, `{"message":"denied by the plugin"}`)
}

// meeting does something once the first bytes were read.
type meeting struct {
	io.ReadCloser
	does func()
}

func (m *meeting) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	if m.does != nil && n > 0 {
		m.does()
		m.does = nil
	}
	return n, err
}

// TestDoctorOutlastsFaultsOfTheEngine: what else there is is told, and what could not be
// read is named, in the exit status too.
func TestDoctorOutlastsFaultsOfTheEngine(t *testing.T) {
	e := startEngine(t)
	e.image("wukongim/wukongim:v2", `ENTRYPOINT ["/server"]`, map[string]string{"server": e.dir + "/server"})
	const lines = 8_000 // more than a socket holds
	for _, run := range []string{"steady wukongim/wukongim:v2 raw 7 1ms", "again wukongim/wukongim:v2 raw 8000 0s", "victim wukongim/wukongim:v2 raw 0 20us"} {
		e.run(t, "docker run -d --network none --name "+run)
	}
	e.run(t, "docker wait steady again")
	require.Eventually(t, func() bool {
		info, err := os.Stat(e.log(t, "victim"))
		return err == nil && info.Size() > lines*200
	}, time.Minute, 50*time.Millisecond)
	_, _ = e.try("docker pause victim")
	printed := len(failuresIn(e.run(t, "docker logs victim 2>&1")))
	ids := e.run(t, "docker inspect -f '{{.Name}} {{.Id}}' steady again victim")
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			found, status := e.behind(t, f, ids)
			by := map[string]*report.Examined{}
			for _, x := range found.Servers {
				by[x.Name] = x
			}
			unseen := fmt.Sprint(found.Unseen)
			if f.what != "" {
				assert.Contains(t, unseen, "{"+f.what+" ")
				assert.Contains(t, unseen, f.why)
			}
			assert.Equal(t, map[bool]int{true: exitReached, false: exitWrong}[f.whole], status, unseen)
			if x := by["steady"]; assert.NotNil(t, x) {
				assert.Equal(t, 7, x.Report.Summary.Events)
			}
			if f.whole {
				assert.Greater(t, by["victim"].Report.Summary.Events, printed-1)
			}
		})
	}
}

// behind examines what the engine tells with a fault, which stands between.
func (e *engine) behind(t *testing.T, f fault, ids string) (found report.Examination, status int) {
	t.Helper()
	socket := fmt.Sprintf("%s/behind%d", e.dir, e.names.Add(1))
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "engine"})
	proxy.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", e.dir+"/socket")
	}}
	proxy.FlushInterval = -1
	isIt := func(r *http.Request) bool {
		path := r.URL.Path
		for line := range strings.Lines(ids) {
			name, id, _ := strings.Cut(strings.TrimSpace(line), " ")
			path = strings.ReplaceAll(path, "/"+id, name)
		}
		return strings.HasSuffix(path, f.part)
	}
	proxy.ModifyResponse = func(r *http.Response) error {
		if f.read != nil && isIt(r.Request) {
			r.Body = f.read(e, r.Body)
		}
		return nil
	}
	proxy.ErrorLog = stdlog.New(io.Discard, "", 0)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.answer != nil && isIt(r) {
			f.answer(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	c := e.shell("exec wklog doctor --offline --format json --timeout " + cmp.Or(f.timeout, "1m"))
	c.Env = append(c.Env, "DOCKER_HOST=unix://"+socket)
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	}
	require.NoError(t, json.Unmarshal(out, &found), "%s", out)
	return found, status
}
