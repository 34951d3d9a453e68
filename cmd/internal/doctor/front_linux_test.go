package doctor

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/check"
)

// runs makes a process of a user, with files of its own.
func (k made) runs(pid, parent, uid int, program, folder string, args ...string) {
	k.process(pid, program, folder, "0::/user.slice/session-1.scope", nil, args...)
	user := strings.Repeat("\t"+strconv.Itoa(uid), 4)
	k.write(strconv.Itoa(pid)+"/status", "PPid:\t"+strconv.Itoa(parent)+"\nUid:"+user+"\nGid:"+user+"\nGroups:\t\n")
}

func (k made) front(root string) *Look { return lookAt(k.t, &Front{processes{k.root}, root}) }

// leading are the places to which the proxies of a server lead, as their checks name them.
func leading(t *testing.T, s *Server) (targets []string) {
	t.Helper()
	settings, err := check.Process{Name: "wukongim", Environ: []string{"WK_EXTERNAL_WSSADDR=wss://im.example.com"}}.Load()
	require.NoError(t, err)
	proxies, err := s.Proxies(t.Context(), []*check.Settings{settings}, []string{"wss://im.example.com"})
	require.NoError(t, err)
	for _, p := range proxies {
		if p.Leads() {
			targets = append(targets, p.Target().String())
		}
	}
	return targets
}

const nginxSite = `server {
  listen 443 ssl;
  server_name im.example.com;
  ssl_certificate /etc/ssl/im.pem;
  ssl_certificate_key /etc/ssl/im.key;
  location / { proxy_pass http://127.0.0.1:5200; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }
}
`

func TestNginxPrintsWhatItReads(t *testing.T) {
	folder := standIn(t, "nginx")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "nginx"), []byte("# configuration file /www/server/nginx/conf/nginx.conf:\nhttp {\n"+nginxSite+"}\n"), 0o600))
	program := filepath.Join(os.Getenv("PATH"), "nginx")
	log := filepath.Join(t.TempDir(), "im.error.log")
	require.NoError(t, os.WriteFile(log, nil, 0o600))
	k := newKernel(t)
	k.runs(10, 1, os.Geteuid(), program, "/", "nginx: master process "+program+" -c /www/server/nginx/conf/nginx.conf -p --evil")
	k.link("10/fd/20", log)
	k.link("10/fd/21", strings.Replace(log, "error", "access", 1))
	k.runs(11, 10, 33, program, "/", "nginx: worker process")
	look := k.front("")
	require.Len(t, look.Servers, 1, "the worker is told with its master")
	s := look.Servers[0]
	assert.Equal(t, []Log{{Name: log, Path: log}}, s.Logs, "the log of requests holds no errors")
	assert.Equal(t, []string{"/www/server/nginx/conf/nginx.conf"}, leading(t, s))
	assert.Equal(t, []string{"nginx -c /www/server/nginx/conf/nginx.conf -T"}, asked(t, folder))
}

// A program that somebody calls nginx is not started by root.
func TestNginxOfAnotherUserIsNotStarted(t *testing.T) {
	folder := standIn(t, "nginx")
	conf := filepath.Join(t.TempDir(), "nginx.conf")
	require.NoError(t, os.WriteFile(conf, []byte("http {\n"+nginxSite+"}\n"), 0o600))
	program := filepath.Join(os.Getenv("PATH"), "nginx")
	k := newKernel(t)
	k.runs(10, 1, os.Geteuid()+4242, program, "/", "nginx: master process "+program+" -c "+conf)
	look := k.front("")
	require.Len(t, look.Servers, 1)
	assert.Equal(t, []string{conf}, leading(t, look.Servers[0]))
	assert.NoFileExists(t, filepath.Join(folder, "asked"))
}

func TestProxiesAreReadWhereTheirArgumentsSay(t *testing.T) {
	standIn(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Caddyfile":        "im.example.com {\n\treverse_proxy 127.0.0.1:5200\n}\n",
		"haproxy.cfg":      "frontend im\n  bind :443 ssl crt /etc/ssl/im.pem\n  default_backend ws\nbackend ws\n  server one 127.0.0.1:5200\n",
		"static.yml":       "providers:\n  file:\n    directory: " + dir + "/routes\n",
		"routes/im.yml":    "http:\n  routers:\n    im:\n      rule: Host(`im.example.com`)\n      service: im\n      tls: {}\n  services:\n    im:\n      loadBalancer:\n        servers:\n          - url: http://127.0.0.1:5200\n",
		"other.Caddyfile":  "shop.example.com {\n\treverse_proxy 127.0.0.1:3000\n}\n",
		"broken.Caddyfile": "im.example.com {\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for _, test := range []struct {
		program string
		args    []string
		want    []string
	}{
		{"/usr/bin/caddy", []string{"caddy", "run", "--environ", "--config", "Caddyfile"}, []string{dir + "/Caddyfile"}},
		{"/usr/bin/caddy", []string{"caddy", "run"}, []string{dir + "/Caddyfile"}},
		{"/usr/bin/caddy", []string{"caddy", "run", "--config=other.Caddyfile"}, nil},
		{"/usr/sbin/haproxy", []string{"haproxy", "-Ws", "-f", dir + "/haproxy.cfg", "-p", "/run/haproxy.pid"}, []string{dir + "/haproxy.cfg"}},
		{"/usr/local/bin/traefik", []string{"traefik", "--configFile=static.yml"}, []string{dir + "/routes"}},
		{"/usr/local/bin/traefik", []string{"traefik", "--providers.file.filename=routes/im.yml"}, []string{dir + "/routes/im.yml"}},
	} {
		k := newKernel(t)
		k.runs(10, 1, 998, test.program, dir, test.args...)
		look := k.front("")
		require.Len(t, look.Servers, 1, test.args)
		assert.Equal(t, test.want, leading(t, look.Servers[0]), test.args)
	}
	k := newKernel(t)
	k.runs(10, 1, 998, "/usr/bin/caddy", dir, "caddy", "run", "--config", "broken.Caddyfile")
	_, err := k.front("").Servers[0].Proxies(t.Context(), nil, nil)
	assert.ErrorContains(t, err, "broken.Caddyfile")
}

// Each panel has its sites in a folder of its own.
func TestSitesOfPanelsAreFound(t *testing.T) {
	standIn(t)
	for _, p := range panels {
		root := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(root, p.folder), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, p.folder, "im.conf"), []byte(nginxSite), 0o600))
		log := filepath.Join(root, strings.Replace(strings.Replace(p.logs, "*error", "im.error", 1), "*", "im", 1))
		require.NoError(t, os.MkdirAll(filepath.Dir(log), 0o755))
		require.NoError(t, os.WriteFile(log, nil, 0o600))
		look := newKernel(t).front(root)
		require.Len(t, look.Servers, 1, p.folder)
		s := look.Servers[0]
		assert.Equal(t, Exited, s.State, "no nginx runs")
		assert.Equal(t, []Log{{Name: log, Path: log}}, s.Logs)
		assert.Equal(t, []string{filepath.Join(root, p.folder)}, leading(t, s))
	}
}
