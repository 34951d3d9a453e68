package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

// serveEngine answers as the API of an engine does, for containers of these images; logs
// answers their logs.
func serveEngine(t *testing.T, images []string, logs http.HandlerFunc) {
	t.Helper()
	dir, err := os.MkdirTemp("", "wd") // the path of a socket has to be short
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("unix", dir+"/s")
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		_, rest, _ := strings.Cut(r.URL.Path, "/containers/")
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
		case rest == "json":
			list := []map[string]any{}
			for i, image := range images {
				list = append(list, map[string]any{"Id": fmt.Sprint("c", i), "Image": image})
			}
			_ = json.NewEncoder(w).Encode(list)
		case strings.HasSuffix(rest, "/json"):
			var i int
			_, _ = fmt.Sscanf(rest, "c%d/json", &i)
			fmt.Fprintf(w, `{"Id":"c%d","Name":"/n%d","State":{"Running":true,"Status":"running","StartedAt":"2026-05-04T01:00:00Z"},"Config":{"Image":%q,"Tty":true},"HostConfig":{"LogConfig":{"Type":"local"}}}`, i, i, images[i])
		case strings.HasSuffix(rest, "/logs"):
			logs(w, r)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	t.Setenv("DOCKER_HOST", "unix://"+dir+"/s")
}

func look(t *testing.T) *Look {
	t.Helper()
	return Find(t.Context(), []Finder{&Docker{}}, func(*Look) {})[0]
}

func TestOtherImagesOfTheSameNameAreNoServers(t *testing.T) {
	serveEngine(t, []string{"wukongim/wukongim:v2", "registry.example.com/wukongim/monitor:1", "nginx", "mysql:8", "prom/prometheus"}, func(http.ResponseWriter, *http.Request) {})
	found := look(t)
	servers := slices.DeleteFunc(found.Servers, func(s *Server) bool { return s.Component != patterns.ComponentWuKongIM })
	require.Len(t, servers, 1)
	assert.Equal(t, "n0", servers[0].Name)
	assert.Empty(t, found.Unseen)
}

func TestLogThatBreaksOffIsAnErrorBehindWhatCame(t *testing.T) {
	serveEngine(t, []string{"wukongim"}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "2026-05-04T01:00:00Z first\n")
	})
	log, err := look(t).Servers[0].Logs[0].Open(t.Context(), time.Time{}, mostLines)
	require.NoError(t, err)
	defer log.Close()
	text, err := io.ReadAll(log)
	assert.Equal(t, "2026-05-04T01:00:00Z first\n", string(text))
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestLogThatTakesTooLongIsToldSo(t *testing.T) {
	serveEngine(t, []string{"wukongim"}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := look(t).Servers[0]
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	log, err := server.Logs[0].Open(ctx, time.Time{}, mostLines)
	if err == nil {
		_, err = io.Copy(io.Discard, log)
	}
	assert.Error(t, err)
	assert.False(t, AsIntended(err))
}

func TestLogWithoutAnEndEndsWithTheContext(t *testing.T) {
	serveEngine(t, []string{"wukongim"}, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, fmt.Sprint(mostLines), r.URL.Query().Get("tail"))
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("2026-05-04T01:00:00Z line\n", 1000)); err != nil {
				return
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	log, err := look(t).Servers[0].Logs[0].Open(ctx, time.Time{}, mostLines)
	require.NoError(t, err)
	defer log.Close()
	_, err = io.CopyN(io.Discard, log, 1<<20)
	require.NoError(t, err)
	cancel()
	_, err = io.Copy(io.Discard, log)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestEngineThatIsNamedAndNotThereIsToldAsUnseen(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nowhere/socket")
	found := look(t)
	require.Len(t, found.Unseen, 1)
	assert.Equal(t, "unix:///nowhere/socket", found.Unseen[0].What)
}

func TestPlacesOfEngines(t *testing.T) {
	dir := t.TempDir()
	context := func(name, host string) {
		folder := filepath.Join(dir, "contexts", "meta", fmt.Sprintf("%x", sum(name)))
		require.NoError(t, os.MkdirAll(folder, 0o755))
		require.NoError(t, os.WriteFile(folder+"/meta.json", []byte(`{"Name":"`+name+`","Endpoints":{"docker":{"Host":"`+host+`"}}}`), 0o644))
	}
	context("colima", "unix:///home/a/.colima/default/docker.sock")
	require.NoError(t, os.WriteFile(dir+"/config.json", []byte(`{"currentContext":"colima"}`), 0o644))
	first := func(environment map[string]string) string {
		environment["DOCKER_CONFIG"] = dir
		return enginePlaces(func(name string) string { return environment[name] })[0].host
	}
	assert.Equal(t, "unix:///home/a/.colima/default/docker.sock", first(map[string]string{}))
	assert.Equal(t, "tcp://10.0.0.1:2375", first(map[string]string{"DOCKER_HOST": "tcp://10.0.0.1:2375"}))
	home := t.TempDir()
	require.NoError(t, os.MkdirAll(home+"/.docker/run", 0o755))
	require.NoError(t, os.WriteFile(home+"/.docker/run/docker.sock", nil, 0o600))
	places := enginePlaces(func(name string) string { return map[string]string{"HOME": home}[name] })
	assert.Contains(t, places, enginePlace{host: "unix://" + home + "/.docker/run/docker.sock", apart: true}, "docker does not look there without a context")
	assert.Equal(t, "lost", first(map[string]string{"DOCKER_CONTEXT": "lost"}), "a context that is missing is told by its name")
}
