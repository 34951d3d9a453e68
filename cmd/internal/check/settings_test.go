package check

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestConfigurationsOfTheField walks the folders of testdata/config. Each holds
// a compose file or a configuration, and in expected.txt what does not pass.
func TestConfigurationsOfTheField(t *testing.T) {
	t.Setenv("WK_EXTERNAL_WSSADDR", "wss://of.this.machine:1") // must not count
	t.Setenv("DOMAIN", "of.this.machine")
	expected, err := filepath.Glob("testdata/config/*/expected.txt")
	require.NoError(t, err)
	require.Greater(t, len(expected), 40)
	for _, file := range expected {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			c := Configuration{}
			for name, to := range map[string]*string{"docker-compose.yml": &c.Compose, "wukongim.toml": &c.Config} {
				if path := filepath.Join(dir, name); exists(path) {
					*to = path
				}
			}
			s, err := c.Load()
			require.NoError(t, err)
			results := s.Check()
			requireTexts(t, results)
			assert.Len(t, results, len(configurationChecks))
			assert.Equal(t, strings.TrimSpace(string(want)), strings.Join(outcome(results), "\n"))
			if strings.HasPrefix(filepath.Base(dir), "good-") {
				assert.Equal(t, "im.example.com", s.Host())
			}
		})
	}
}

func TestFilesOfAContainerAreFoundOnTheHost(t *testing.T) {
	s, err := Configuration{Compose: "testdata/config/good-own-config/docker-compose.yml"}.Load()
	require.NoError(t, err)
	here := "testdata/config/good-own-config"
	files := s.Files()
	assert.Equal(t, filepath.Join(here, "certs/fullchain.pem"), files.CertFile)
	assert.Equal(t, filepath.Join(here, "certs/privkey.pem"), files.KeyFile)
	assert.Equal(t, 0, files.UID)
}

// load writes a configuration and loads it as the server of this machine would.
func load(t *testing.T, name, text string, environ ...string) (*Settings, error) {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return Configuration{Config: path, Environ: environ}.Load()
}

func TestServerWithoutContainer(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"c.pem", "k.pem"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	base := "wssConfig: {certFile: " + dir + "/c.pem, keyFile: " + dir + "/k.pem}\nexternal: {wssAddr: 'wss://im.example.com:5210'}\n"
	for _, c := range []struct {
		name, addr string
		environ    []string
		want       []string
	}{
		{"everywhere", "wss://0.0.0.0:5210", nil, nil},
		{"IPv6", "wss://[::]:5210", nil, nil},
		{"no address", "wss://:5210", nil, nil},
		{"own address", "wss://10.1.2.3:5210", nil, nil},
		{"address of another", "wss://10.1.2.4:5210", nil, []string{"fail config-listen.foreign listen-address-invalid"}},
		{"port of no number", "wss://0.0.0.0:wss", nil, []string{"fail config-listen.port listen-address-invalid"}},
		{"port too large", "wss://0.0.0.0:65536", nil, []string{"fail config-listen.port listen-address-invalid"}},
		{"environment wins", "wss://10.1.2.4:5210", []string{"WK_WSSADDR=wss://0.0.0.0:5210", "WK_WSADDR="}, nil},
		{"port of the API moved", "wss://0.0.0.0:5001", []string{"WK_HTTPADDR=0.0.0.0:8080"}, nil},
	} {
		s, err := load(t, "wk.yaml", "wssAddr: \""+c.addr+"\"\n"+base, c.environ...)
		require.NoError(t, err, c.name)
		s.Addresses = []net.IP{net.ParseIP("10.1.2.3")}
		results := s.Check()
		requireTexts(t, results)
		assert.Equal(t, c.want, outcome(results), c.name)
	}
}

func TestAddressThatTheCertificateCoversIsNoFault(t *testing.T) {
	s, err := load(t, "wk.yaml", "wssAddr: wss://0.0.0.0:5210\nexternal:\n  wssAddr: wss://203.0.113.7:5210\n")
	require.NoError(t, err)
	assert.Equal(t, "ip", checkExternal(s).Key)
	leaf := *pki().leaf
	leaf.IPAddresses = []net.IP{net.ParseIP("203.0.113.7").To4()}
	s.Leaf = &leaf
	assert.Equal(t, Pass, checkExternal(s).Status)
}

func TestPathOfAContainerWithoutItsComposeFile(t *testing.T) {
	s, err := load(t, "wk.yaml", "wssAddr: wss://0.0.0.0:5210\nwssConfig:\n  certFile: /root/wukongim/certs/none.pem\n  keyFile: k.pem\nexternal: {wssAddr: 'wss://im.example.com:5210'}\n")
	require.NoError(t, err)
	results := s.Check()
	requireTexts(t, results)
	assert.Equal(t, []string{"warn config-key-path.path-from-folder cert-file-missing"}, outcome(results))
	assert.Empty(t, s.Files().CertFile)
}

// TestHostileConfigurationsEndSoon gives files that were made to hang, to fill
// the memory, or to fetch something.
func TestHostileConfigurationsEndSoon(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 8) + "*" + string(c-1) + "]\n"
	}
	dir := t.TempDir()
	fifo, large := filepath.Join(dir, "pipe.yml"), filepath.Join(dir, "large.yml")
	pipe(t, fifo)
	require.NoError(t, os.WriteFile(large, nil, 0o600))
	require.NoError(t, os.Truncate(large, 1<<30))
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for name, c := range map[string]Configuration{
		"pipe":             {Config: fifo},
		"compose pipe":     {Compose: fifo},
		"large":            {Config: large},
		"compose large":    {Compose: large},
		"missing":          {Config: filepath.Join(dir, "none.yaml")},
		"compose missing":  {Compose: filepath.Join(dir, "none.yml")},
		"no YAML":          {Config: write("a.yaml", "wssAddr: [\n")},
		"no mapping":       {Config: write("b.yaml", "- a\n")},
		"no TOML":          {Config: write("c.toml", "api = [\n")},
		"no compose":       {Compose: write("d.yml", "a: b\n")},
		"no service of it": {Compose: write("e.yml", "services:\n  web:\n    image: nginx\n")},
		"remote include":   {Compose: write("f.yml", "include:\n  - https://203.0.113.1/compose.yml\nservices:\n  wukongim:\n    image: wukongim\n")},
		"includes itself":  {Compose: write("g.yml", "include:\n  - g.yml\nservices:\n  wukongim:\n    image: wukongim\n")},
		"extends itself":   {Compose: write("j.yml", "services:\n  wukongim:\n    image: wukongim\n    extends: wukongim\n")},
		"extends nothing":  {Compose: write("k.yml", "services:\n  wukongim:\n    image: wukongim\n    extends: {file: none.yml, service: im}\n")},
		"env_file missing": {Compose: write("l.yml", "services:\n  wukongim:\n    image: wukongim\n    env_file: none.env\n")},
		"remote extends":   {Compose: write("m.yml", "services:\n  wukongim:\n    image: wukongim\n    extends: {file: 'https://203.0.113.1/x.yml', service: im}\n")},
		"compose bomb":     {Compose: write("h.yml", bomb+"services:\n  wukongim:\n    image: wukongim\n    environment: *z\n")},
		"variable missing": {Compose: write("i.yml", "services:\n  wukongim:\n    image: wukongim\n    environment:\n      WK_WSSADDR: ${NONE:?is needed}\n")},
	} {
		start := time.Now()
		_, err := c.Load()
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), filepath.Base(c.Config+c.Compose), name)
		assert.Less(t, time.Since(start), 5*time.Second, name)
	}
	start := time.Now()
	s, err := Configuration{Config: write("bomb.yaml", bomb+"wssAddr: wss://0.0.0.0:5210\nloop: &loop {a: *loop}\n")}.Load()
	require.NoError(t, err)
	assert.Equal(t, "wss://0.0.0.0:5210", s.value(keyWSSAddr))
	assert.Less(t, time.Since(start), 5*time.Second)
}
