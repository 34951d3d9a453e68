package check

import (
	"crypto/x509"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
)

// TestWhatStandsBefore reads the configurations of testdata/before, each an archive
// with the command, its files and in expected.txt what does not pass.
func TestWhatStandsBefore(t *testing.T) {
	files, err := filepath.Glob("testdata/before/*.txtar")
	require.NoError(t, err)
	require.Greater(t, len(files), 80)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			dir, args, want := unpack(t, file)
			results := checked(t, dir, args)
			requireTexts(t, results)
			assert.Equal(t, want, outcome(results))
			if strings.HasPrefix(name, "good-") {
				assert.False(t, Nothing(results), "nothing was checked")
			}
		})
	}
}

// unpack writes the files of an archive, with names that are somebody's own and with
// certificates of them.
func unpack(t *testing.T, file string) (dir string, args, want []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	archive := txtar.Parse(data)
	dir = t.TempDir()
	names := strings.NewReplacer(append(certificatesOf(), "{{dir}}", dir, "im.example.com", siteName, "example.com", "wangwei-corp.cn")...)
	for _, f := range archive.Files {
		text := names.Replace(string(f.Data))
		if f.Name == "expected.txt" {
			if text = strings.TrimSpace(text); text != "" {
				want = strings.Split(text, "\n")
			}
			continue
		}
		path := filepath.Join(dir, names.Replace(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	command, _, _ := strings.Cut(names.Replace(string(archive.Comment)), "\n")
	rest, ok := strings.CutPrefix(command, "wklog check ")
	require.True(t, ok, "the first line is the command")
	return dir, strings.Fields(rest), want
}

// certificatesOf are what stands in archives for certificates and keys.
func certificatesOf() []string {
	p := pki()
	key, chain := pkitest.KeyPEM(p.key), pkitest.PEM(p.leaf, p.intermediate.Certificate)
	www := pkitest.PEM(p.intermediate.Issue(p.key, func(c *x509.Certificate) { c.DNSNames = []string{"www.wangwei-corp.cn"} }), p.intermediate.Certificate)
	once := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return []string{
		"{{fullchain}}", chain, "{{leaf}}", pkitest.PEM(p.leaf), "{{www}}", www, "{{key}}", key, "{{both}}", chain + key,
		"{{fullchain64}}", once(chain), "{{key64}}", once(key), "{{fullchain6464}}", once(once(chain)), "{{www64}}", once(www),
	}
}

// checked runs the checks that a command would, without the live ones.
func checked(t *testing.T, dir string, args []string) (results []Result) {
	t.Helper()
	var c Configuration
	var p Proxies
	var kube, addr string
	flags := pflag.NewFlagSet("check", pflag.ContinueOnError)
	for name, to := range map[string]*string{"config": &c.Config, "compose": &c.Compose, "nginx": &p.Nginx, "caddy": &p.Caddy, "traefik": &p.Traefik, "haproxy": &p.HAProxy, "kube": &kube} {
		flags.StringVar(to, name, "", "")
		defer func() { _ = to }()
	}
	flags.StringVar(&addr, "addr", "", "")
	require.NoError(t, flags.Parse(args))
	for _, to := range []*string{&c.Config, &c.Compose, &p.Nginx, &p.Caddy, &p.Traefik, &p.HAProxy, &kube} {
		if *to != "" {
			*to = filepath.Join(dir, *to)
		}
	}
	servers, err := c.Load()
	require.NoError(t, err)
	found := &KubeFindings{}
	if kube != "" {
		found, err = Kube{Name: kube}.Load()
		require.NoError(t, err)
		servers = append(servers[:0], found.Servers...)
	}
	var clients []string
	for _, s := range servers {
		if s.Addr() != "" {
			clients = append(clients, s.Addr())
		}
	}
	if addr != "" {
		clients = []string{addr}
	}
	p.Compose = c.Compose
	proxies, err := p.Load(servers, clients)
	require.NoError(t, err)
	results = found.Results
	for _, s := range servers {
		files := s.Files()
		files.Host = s.Host()
		s.Leaf = files.Leaf()
		if s.Named() {
			results = append(results, On(s.Target(), s.Check())...)
			results = append(results, checkedFiles(files)...)
		}
	}
	for _, proxy := range append(found.Proxies, proxies...) {
		results = append(results, On(proxy.Target(), proxy.Check())...)
		for _, files := range proxy.Files() {
			results = append(results, checkedFiles(files)...)
		}
	}
	for _, files := range found.Secrets {
		results = append(results, checkedFiles(files)...)
	}
	return results
}

func checkedFiles(files Certificates) []Result {
	files.Roots, files.Now = x509.NewCertPool(), now
	files.Roots.AddCert(pki().root.Certificate)
	if files.CertFile+files.KeyFile == "" {
		return nil
	}
	return On(files.Target(), files.Check())
}
