package check

import (
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
)

// nginxBefore is a container of nginx whose certificate is a leaf alone, with other files
// beside it; links are of them.
func nginxBefore(t *testing.T, state map[string]any, labels map[string]string, files, links map[string]string) (fixes []string) {
	t.Helper()
	pki, key := pkitest.New(time.Now()), pkitest.Key()
	leaf := pki.Intermediate.Issue(key, nil)
	texts := map[string]string{"LEAF": pkitest.PEM(leaf), "FULL": pkitest.PEM(leaf, pki.Intermediate.Certificate), "KEY": pkitest.KeyPEM(key), "OTHER": pkitest.KeyPEM(pkitest.Key())}
	texts["EXPIRED"] = pkitest.PEM(pki.Intermediate.Issue(key, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = c.NotBefore.AddDate(0, -2, 0), time.Now().Add(-time.Hour)
	}), pki.Intermediate.Certificate)
	dir := t.TempDir()
	site := "server { listen 443 ssl; server_name im.wangwei-corp.cn; ssl_certificate /etc/nginx/im.pem; ssl_certificate_key /etc/nginx/im.key; location / { proxy_pass http://wukongim:5200; } }\n"
	require.NoError(t, os.WriteFile(dir+"/nginx.conf", []byte("http {\n"+site+"}\n"), 0o600))
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(texts[text]), 0o600))
	}
	for name, to := range links {
		require.NoError(t, os.Symlink(to, filepath.Join(dir, name)))
	}
	data, err := json.Marshal([]any{
		map[string]any{"Name": "/wukongim", "HostConfig": map[string]any{}, "Config": map[string]any{"Image": "wukongim/wukongim:v2.2.5"}},
		map[string]any{"Name": "/edge", "State": state, "HostConfig": map[string]any{"PortBindings": map[string]any{"443/tcp": []any{map[string]string{"HostPort": "443"}}}},
			"Config": map[string]any{"Image": "nginx:1.27", "Labels": labels}, "Mounts": []any{map[string]string{"Type": "bind", "Source": dir, "Destination": "/etc/nginx"}}},
	})
	require.NoError(t, err)
	proxies, err := Containers(data).Proxies("edge", nil, []string{"wss://im.wangwei-corp.cn"})
	require.NoError(t, err)
	require.Len(t, proxies, 1)
	require.Len(t, proxies[0].Ways(), 1)
	assert.Equal(t, "443", proxies[0].Ways()[0].Port)
	roots := x509.NewCertPool()
	roots.AddCert(pki.Root.Certificate)
	c := proxies[0].Ways()[0].Files[0]
	c.Roots, c.Now = roots, time.Now()
	results := proxies[0].Remedied(c, On(c.Target(), c.Check()), roots)
	requireTexts(t, results)
	for _, r := range results {
		assert.Equal(t, "nginx", r.Component)
		for _, fix := range r.Fixes {
			if r.Status == Fail {
				fixes = append(fixes, strings.ReplaceAll(fix.CommandLine(), dir, "DIR"))
			}
		}
	}
	return fixes
}

// TestNginxIsMendedByWhatLiesBeside: a pair that fits is written over what is in use, and
// nginx loads it; nothing is written through a link, and nothing that does not fit.
func TestNginxIsMendedByWhatLiesBeside(t *testing.T) {
	running, composed := map[string]any{"Running": true}, map[string]string{"com.docker.compose.service": "gateway", "com.docker.compose.project.working_dir": "/srv/im"}
	over := "cp -p DIR/im.pem DIR/im.pem.old && cat DIR/bundle.pem > DIR/im.pem"
	load := []string{"docker exec edge nginx -t", "docker exec edge nginx -s reload"}
	fetch := []string{
		"curl -sS --fail http://ca.wangwei-corp.net/intermediate.crt | openssl x509 -inform DER | awk 1 DIR/im.pem - > DIR/im-new.pem", "cat DIR/im-new.pem > DIR/im.pem",
	}
	for name, test := range map[string]struct {
		state        map[string]any
		labels       map[string]string
		files, links map[string]string
		want         []string
	}{
		"a whole chain":  {state: running, files: map[string]string{"im.pem": "LEAF", "im.key": "KEY", "bundle.pem": "FULL"}, want: append([]string{over}, load...)},
		"a valid one":    {state: running, files: map[string]string{"im.pem": "EXPIRED", "im.key": "KEY", "bundle.pem": "FULL"}, want: append([]string{over}, load...)},
		"its key":        {state: map[string]any{}, files: map[string]string{"im.pem": "FULL", "im.key": "OTHER", "right.key": "KEY"}, want: []string{"cp -p DIR/im.key DIR/im.key.old && cat DIR/right.key > DIR/im.key", "docker restart edge"}},
		"of compose":     {state: running, labels: composed, files: map[string]string{"im.pem": "LEAF", "im.key": "KEY", "bundle.pem": "FULL"}, want: []string{over, "docker compose exec gateway nginx -t", "docker compose exec gateway nginx -s reload"}},
		"nothing beside": {state: running, files: map[string]string{"im.pem": "LEAF", "im.key": "KEY"}, want: append(fetch, load...)},
		"another's":      {state: running, files: map[string]string{"im.pem": "EXPIRED", "im.key": "KEY", "bundle.key": "OTHER"}},
		"a link":         {state: running, files: map[string]string{"real.pem": "EXPIRED", "im.key": "KEY", "bundle.pem": "FULL"}, links: map[string]string{"im.pem": "real.pem"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, nginxBefore(t, test.state, test.labels, test.files, test.links))
		})
	}
}
