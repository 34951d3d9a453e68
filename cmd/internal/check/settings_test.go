package check

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestConfigurationsOfTheField walks the folders of testdata/config. Each holds
// a compose file or a configuration, and in expected.txt what does not pass.
func TestConfigurationsOfTheField(t *testing.T) {
	t.Setenv("WK_EXTERNAL_WSSADDR", "wss://of.this.machine:1") // must not count
	t.Setenv("DOMAIN", "of.this.machine")
	expected, err := filepath.Glob(filepath.Join(owned(t), "*", "expected.txt"))
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
			s, err := first(c)
			require.NoError(t, err)
			results := s.Check()
			requireTexts(t, results)
			assert.Len(t, results, len(configurationChecks))
			assert.Equal(t, strings.TrimSpace(string(want)), strings.Join(outcome(results), "\n"))
			if strings.HasPrefix(filepath.Base(dir), "good-") {
				assert.Equal(t, siteName, s.Host())
				assert.Equal(t, strings.Contains(dir, "-proxy") || strings.Contains(dir, "-v3"), skips(results), "checks are skipped")
			}
		})
	}
}

// owned copies the folders of testdata/config, with a service and a domain that are
// somebody's own in place of those that every example has.
func owned(t *testing.T) string {
	t.Helper()
	from, to := filepath.Join("testdata", "config"), t.TempDir()
	names := strings.NewReplacer("im.example.com", siteName, "example.com", "wangwei-corp.cn", "  wukongim:\n", "  wangwei-im:\n", "service: wukongim", "service: wangwei-im", "certs", "wangwei-certs", "- data:", "- wangwei-data:", "  data:", "  wangwei-data:")
	require.NoError(t, filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, names.Replace(strings.TrimPrefix(path, from)))
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, 0o755)
		case entry.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(names.Replace(link), target)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, []byte(names.Replace(string(data))), 0o644)
	}))
	return to
}

func skips(results []Result) bool {
	return slices.ContainsFunc(results, func(r Result) bool { return r.Status == Skip })
}

// TestFilesWithoutPEM is WuKongIM #449, where the checks of the certificates take
// over.
func TestFilesWithoutPEM(t *testing.T) {
	s, err := first(Configuration{Compose: "testdata/config/issue-449-no-pem/docker-compose.yml"})
	require.NoError(t, err)
	results := s.Files().Check()
	requireTexts(t, results)
	assert.Subset(t, outcome(results), []string{"fail cert-format.form-empty cert-not-pem", "fail key-format.form-empty cert-not-pem"})
}

// TestLinksOfTheHost has paths that are not known beforehand.
func TestLinksOfTheHost(t *testing.T) {
	settings := func(name, cert, volume string) []Result {
		c := write(t, map[string]string{"archive/a.pem": "", "archive/b.pem": "", "docker-compose.yml": composed("", "ports: ['5210:5210']\n    volumes: ['"+volume+"']\n    environment: "+
			"{WK_WSSADDR: 'wss://0.0.0.0:5210', WK_WSSCONFIG_CERTFILE: '"+cert+"/a.pem', WK_WSSCONFIG_KEYFILE: '"+cert+"/b.pem', WK_EXTERNAL_WSSADDR: 'wss://im.wangwei-corp.cn:5210'}")})
		dir := filepath.Dir(c.Compose)
		require.NoError(t, os.Mkdir(filepath.Join(dir, "live"), 0o755))
		require.NoError(t, os.Symlink(filepath.Join(dir, "archive", "a.pem"), filepath.Join(dir, "live", "a.pem")))
		require.NoError(t, os.Symlink("../folder/b.pem", filepath.Join(dir, "live", "b.pem")))
		require.NoError(t, os.Symlink("archive", filepath.Join(dir, "folder")))
		s, err := first(c)
		require.NoError(t, err, name)
		results := s.Check()
		requireTexts(t, results)
		return results
	}
	assert.Equal(t, []string{"fail config-cert-path.path-link-absolute cert-file-missing"}, outcome(settings("absolute", "/data/live", ".:/data")))
	assert.Empty(t, outcome(settings("absolute, mounted at its own path", "${PWD}/live", ".:${PWD}")))
	assert.Equal(t, []string{"fail config-cert-path.path-link cert-file-missing", "fail config-key-path.path-link cert-file-missing"}, outcome(settings("the links alone", "/data", "./live:/data")))
}

// TestNoPasswordIsShown puts secrets where they do not belong.
func TestNoPasswordIsShown(t *testing.T) {
	for _, config := range []string{
		"wssAddr: wss://me:hunter2@0.0.0.0:5210\n",
		"wssAddr: https://me:hunter2@0.0.0.0:5210\n",
		"external: {wssAddr: 'wss://me:hunter2@im.wangwei-corp.cn:5210'}\n",
		"external: {wssAddr: 'ws://me:hunter2@im.wangwei-corp.cn:5210'}\n",
		"wssConfig: {certFile: '-----BEGIN PRIVATE KEY----- hunter2', keyFile: '" + strings.Repeat("hunter2", 100) + "'}\n",
		"wssConfig:\n  keyFile: |\n    MIIEvg\n    hunter2\n",
	} {
		s, err := load(t, "wk.yaml", config)
		require.NoError(t, err)
		results := s.Check()
		requireTexts(t, results)
		for _, r := range results {
			assert.NotContains(t, fmt.Sprint(r.Values()), "hunter2", "%s: %s", config, r.ID)
		}
	}
	assert.Equal(t, "wss://…@im.wangwei-corp.cn:5210", setting{value: "wss://me:hunter2@im.wangwei-corp.cn:5210"}.shown())
	assert.Equal(t, "wss://0.0.0.0:5210", setting{value: "wss://0.0.0.0:5210"}.shown())
}

func TestFilesOfAContainerAreFoundOnTheHost(t *testing.T) {
	s, err := first(Configuration{Compose: "testdata/config/good-own-config/docker-compose.yml"})
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
	return first(Configuration{Config: path, Environ: environ})
}

func TestServerWithoutContainer(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"c.pem", "k.pem"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	base := "wssConfig: {certFile: " + dir + "/c.pem, keyFile: " + dir + "/k.pem}\nexternal: {wssAddr: 'wss://im.wangwei-corp.cn:5210'}\n"
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
	covered := checkExternal(s)
	assert.Equal(t, Pass, covered.Status)
	requireTexts(t, []Result{covered.of("config-external", AllClients)})
}

func TestPortThatAProxyPublishes(t *testing.T) {
	c := write(t, map[string]string{"docker-compose.yml": composed("", "environment: {WK_WSSADDR: 'wss://0.0.0.0:5210', WK_WSSCONFIG_CERTFILE: /c.pem, WK_WSSCONFIG_KEYFILE: /k.pem, WK_EXTERNAL_WSSADDR: 'wss://im.wangwei-corp.cn'}\n"+
		"    volumes: ['./c.pem:/c.pem', './k.pem:/k.pem']\n  nginx: {image: nginx, ports: ['443:443']}"), "c.pem": "", "k.pem": ""})
	s, err := first(c)
	require.NoError(t, err)
	results := s.Check()
	requireTexts(t, results)
	assert.Empty(t, outcome(results))
	assert.Equal(t, "proxy", find(t, results, "config-published").Key)
}

func TestSettingsWithoutWSS(t *testing.T) {
	s, err := load(t, "wk.yaml", "mode: release\n")
	require.NoError(t, err)
	results := s.Check()
	requireTexts(t, results)
	assert.Empty(t, outcome(results))
}

func TestPathOfAContainerWithoutItsComposeFile(t *testing.T) {
	s, err := load(t, "wk.yaml", "wssAddr: wss://0.0.0.0:5210\nwssConfig:\n  certFile: /root/wukongim/wangwei/none.pem\n  keyFile: wangwei.pem\nexternal: {wssAddr: 'wss://im.wangwei-corp.cn:5210'}\n")
	require.NoError(t, err)
	results := s.Check()
	requireTexts(t, results)
	assert.Equal(t, []string{"warn config-key-path.path-from-folder cert-file-missing"}, outcome(results))
	assert.Empty(t, s.Files().CertFile)
}

// first gives the settings of the first server.
func first(c Configuration) (*Settings, error) {
	all, err := c.Load()
	if len(all) == 0 {
		return nil, err
	}
	return all[0], err
}

// TestServiceOfWhichLittleTellsIsAWarning has neither the image nor the variables.
func TestServiceOfWhichLittleTellsIsAWarning(t *testing.T) {
	s, err := first(write(t, map[string]string{"docker-compose.yml": "services:\n  wukongim-gateway:\n    image: acme/im\n    ports: ['5210:5210']\n"}))
	require.NoError(t, err)
	results := s.Check()
	requireTexts(t, results)
	r := find(t, results, "config-service")
	assert.Equal(t, Warn, r.Status)
	assert.Equal(t, "unlike", r.Key)
	assert.True(t, Nothing(results[:1]), "that a service was found says nothing of TLS")
}
