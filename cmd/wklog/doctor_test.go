package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
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
	key := pkitest.Key()
	root := pkitest.NewRoot("root", now)
	issue := func(days int) string {
		return pkitest.PEM(root.Issue(key, func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, 0, days) }))
	}
	return map[string]string{
		"/certs/fullchain.pem": issue(80), "/certs/expired.pem": issue(-3), "/certs/privkey.pem": pkitest.KeyPEM(key), "/certs/other.pem": pkitest.KeyPEM(pkitest.Key()),
	}
}

// container is one of WuKongIM, with its environment, what it printed, and its files.
func container(name string, files map[string]string, log string, environment ...string) *doctor.Server {
	environment = append([]string{"WK_WSSADDR=wss://0.0.0.0:5210", "WK_WSSCONFIG_CERTFILE=/certs/fullchain.pem", "WK_WSSCONFIG_KEYFILE=/certs/privkey.pem"}, environment...)
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
	return doctor.Log{Name: name, Open: func(_ context.Context, since time.Time) (io.ReadCloser, error) {
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
	loop := container("wukongim", files, timed(strings.Repeat(printed(t, "st-perm_key-release"), 12), start), "WK_WSSCONFIG_KEYFILE=/certs/missing.pem")
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
			out, _, status := consult(t, lang, finders, nil)
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

var _ = fmt.Sprint
var _ = report.IsReport
