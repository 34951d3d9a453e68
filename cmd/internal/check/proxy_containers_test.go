package check_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/check"
)

// running are containers as docker inspect prints them: WuKongIM, nginx with a site of
// this machine, Traefik, which reads labels.
func running(t *testing.T) check.Containers {
	t.Helper()
	site := filepath.Join(t.TempDir(), "im.conf")
	require.NoError(t, os.WriteFile(site, []byte("server { listen 443 ssl; server_name im.example.com; location / { proxy_pass http://wukongim:5200; } }\n"), 0o600))
	data, err := json.Marshal([]any{
		map[string]any{"Name": "/wukongim", "HostConfig": map[string]any{}, "Config": map[string]any{"Image": "wukongim/wukongim:v2.2.5", "Env": []string{"WK_EXTERNAL_WSSADDR=wss://im.example.com"},
			"Labels": map[string]string{"traefik.enable": "true", "traefik.http.routers.im.rule": "Host(`im.example.com`)", "traefik.http.routers.im.tls": "true", "traefik.http.services.im.loadbalancer.server.port": "5200"}}},
		map[string]any{"Name": "/web", "HostConfig": map[string]any{}, "Config": map[string]any{"Image": "nginx:1.27"},
			"Mounts": []any{map[string]string{"Type": "bind", "Source": site, "Destination": "/etc/nginx/conf.d/im.conf"}}},
		map[string]any{"Name": "/edge", "HostConfig": map[string]any{}, "Config": map[string]any{"Image": "traefik:v3.1", "Cmd": []string{"--providers.docker=true"}}},
		map[string]any{"Name": "/shop", "HostConfig": map[string]any{}, "Config": map[string]any{"Image": "caddy:2"}},
	})
	require.NoError(t, err)
	return data
}

func TestProxiesInContainersLeadToServers(t *testing.T) {
	all := running(t)
	server, err := all.Load("wukongim", func(string) (check.File, error) { return check.File{}, os.ErrNotExist })
	require.NoError(t, err)
	for name, leads := range map[string]bool{"web": true, "edge": true, "shop": false} {
		proxies, err := all.Proxies(name, []*check.Settings{server}, []string{server.Addr()})
		require.NoError(t, err)
		led := false
		for _, p := range proxies {
			led = led || p.Leads()
		}
		assert.Equal(t, leads, led, name)
	}
}
