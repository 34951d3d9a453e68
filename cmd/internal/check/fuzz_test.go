package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// FuzzSettings checks that any file can be given as a configuration, in each of its
// forms: it is refused, or it can be checked.
func FuzzSettings(f *testing.F) {
	f.Add("wk.yaml", []byte("wssAddr: 'wss://0.0.0.0:5210'\nwssConfig: {certFile: ./a.pem, keyFile: ./a.key}\n"))
	f.Add("wukongim.toml", []byte("[wssConfig]\ncertFile = \"a.pem\"\n"))
	f.Add("docker-compose.yml", []byte("services:\n  wukongim:\n    image: registry/wukongim:v2\n    env_file: .env\n    environment: [WK_WSSADDR=wss://0.0.0.0:5210]\n    volumes: ['./w:/root/wukongim']\n"))
	f.Add("docker-compose.yml", []byte("include: [docker-compose.yml]\nservices: &a {x: *a}"))
	f.Add(".env", []byte("A=\"b\nexport C=$A"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		path := filepath.Join(dir, "docker-compose.yml")
		c := Configuration{Compose: path}
		switch filepath.Ext(name) {
		case ".yaml", ".toml":
			path = filepath.Join(dir, "wk"+filepath.Ext(name))
			c = Configuration{Config: path}
		case ".env":
			require.NoError(t, os.WriteFile(path, []byte("services: {wukongim: {image: wukongim, env_file: .env}}"), 0o644))
			path = filepath.Join(dir, ".env")
		}
		require.NoError(t, os.WriteFile(path, data, 0o644))
		defer os.Remove(path)
		servers, err := c.Load()
		if err != nil {
			return
		}
		for _, settings := range servers {
			for _, r := range settings.Check() {
				require.NotEmpty(t, r.ID)
			}
			_ = settings.Files()
		}
	})
}

// FuzzCertificates checks that any file can be given as a certificate and as a key.
func FuzzCertificates(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), []byte("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte("0\x82\x01\x00"), []byte("\xef\xbb\xbf-----BEGIN"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, cert, key []byte) {
		files := Certificates{CertFile: filepath.Join(dir, "a.pem"), KeyFile: filepath.Join(dir, "a.key"), UID: -1, GID: -1, Host: "im.example.com", Now: time.Unix(1_777_777_777, 0)}
		require.NoError(t, os.WriteFile(files.CertFile, cert, 0o600))
		require.NoError(t, os.WriteFile(files.KeyFile, key, 0o600))
		for _, r := range files.Check() {
			require.NotEmpty(t, r.ID)
		}
		_ = files.Leaf()
	})
}

// FuzzBefore checks that any file can be given as a configuration of a proxy, as a
// manifest, as a script and as what docker inspect prints: it is refused, or it can be
// checked.
func FuzzBefore(f *testing.F) {
	files, err := filepath.Glob("testdata/before/*.txtar")
	require.NoError(f, err)
	for i, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		for _, part := range txtar.Parse(data).Files {
			if i%4 == 0 && strings.ContainsAny(filepath.Base(part.Name), ".C") {
				f.Add(part.Data)
			}
		}
	}
	path := filepath.Join(f.TempDir(), "input.yml")
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NoError(t, os.WriteFile(path, data, 0o600))
		for _, p := range []Proxies{{Nginx: path}, {Caddy: path}, {Traefik: path}, {HAProxy: path}} {
			proxies, err := p.Load(nil, []string{"wss://im.example.com/ws"})
			if err == nil {
				checkAll(t, proxies)
			}
		}
		if found, err := (Kube{Name: path}).Load(); err == nil {
			checkAll(t, found.Proxies)
			for _, s := range found.Servers {
				require.NotEmpty(t, s.Check())
				_ = s.Files()
			}
		}
		for _, load := range []func([]byte) (*project, error){inspectedProject, func(data []byte) (*project, error) { return runProject(data, ".") }} {
			if p, err := load(data); err == nil {
				_, _, _ = p.containers("")
			}
		}
	})
}

func checkAll(t *testing.T, proxies []*Proxy) {
	for _, p := range proxies {
		for _, r := range p.Check() {
			require.NotEmpty(t, r.ID)
		}
		_ = p.Files()
	}
}
