package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

// TestFilesOfOthersAreNamed gives what is no input of a flag: it is said what it is,
// in both languages, and never that it is in order.
func TestFilesOfOthersAreNamed(t *testing.T) {
	for _, c := range []struct{ flag, name, text, key string }{
		{"config", "k8s.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "is-kube"},
		{"config", "values.yaml", "image: {repository: wukongim}\nreplicaCount: 1\nservice: {type: ClusterIP}\n", "helm-values"},
		{"config", "application.yaml", "spring:\n  datasource: {url: x}\n", "is-other"},
		{"config", "dynamic.yaml", "http:\n  routers: {a: {rule: x}}\n", "is-traefik"},
		{"config", "nginx.conf", "server {\n  listen 443 ssl;\n}\n", "is-nginx"},
		{"config", "Caddyfile", "im.example.com {\n\treverse_proxy 127.0.0.1:5200\n}\n", "is-caddy"},
		{"config", "haproxy.cfg", "frontend a\n  bind :443\n", "is-haproxy"},
		{"config", "other.env", "MYSQL_PASSWORD=x\n", "is-other"},
		{"config", "wk.yaml", "wssConfig:\n\tcertFile: a\n", "tabs"},
		{"config", "wk.yaml", "mode: release\nwssAddr：\"wss://0.0.0.0:5210\"\nexternal:\n  ip: a\n", "full-width"},
		{"config", "wk.yaml", "mode: \"release\n", "yaml"},
		{"compose", "k8s.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", "is-kube"},
		{"compose", "run.sh", "docker run -d\n", "form"},
		{"kube", "values.yaml", "image: {repository: wukongim}\nreplicaCount: 1\n", "helm-values"},
		{"kube", "templates.yaml", "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\n", "helm-template"},
		{"kube", "wk.yaml", "mode: release\n", "kube"},
		{"kube", "job.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {}\n", "kube-unfit"},
		{"nginx", "nginx.conf", "mode: release\n", "nginx"},
		{"nginx", "nginx.conf", "server { if () { return 500; } }\n", "nginx"},
		{"nginx", "nginx.conf", strings.Repeat("a {", 100), "nginx-deep"},
		{"caddy", "Caddyfile", "server {\n  listen 443;\n", "caddy"},
		{"traefik", "a.yml", "mode: release\n", "traefik"},
		{"haproxy", "haproxy.cfg", "server {\n}\n", "haproxy"},
	} {
		file := filepath.Join(t.TempDir(), c.name)
		require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
		err := loadAs(c.flag, file)
		require.Error(t, err, "%s %s", c.flag, c.name)
		for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
			say := sayIn(t, lang)
			want := say.Say("check.error." + c.key)
			require.NotContains(t, want, "check.error.")
			assert.Contains(t, Reason(err, say), want, "%s %s: %v", c.flag, c.name, err)
		}
	}
}

// loadAs names a file by a flag.
func loadAs(flag, file string) (err error) {
	switch flag {
	case "config":
		_, err = Configuration{Config: file}.Load()
	case "compose":
		_, err = Configuration{Compose: file}.Load()
	case "kube":
		_, err = Kube{Name: file}.Load()
	case "nginx":
		_, err = Proxies{Nginx: file}.Load(nil, nil)
	case "caddy":
		_, err = Proxies{Caddy: file}.Load(nil, nil)
	case "traefik":
		_, err = Proxies{Traefik: file}.Load(nil, nil)
	case "haproxy":
		_, err = Proxies{HAProxy: file}.Load(nil, nil)
	}
	return err
}

// TestNamesOfOtherSettingsAreNoMisspelling has every key that WuKongIM reads, and
// variables of others.
func TestNamesOfOtherSettingsAreNoMisspelling(t *testing.T) {
	for key := range strings.Lines(keys) {
		key = strings.TrimSpace(key)
		assert.True(t, isKey(strings.ToLower(key)), key)
		s := &Settings{values: map[string]setting{}}
		s.readEnviron([]string{"WK_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_")) + "=x"}, "")
		assert.Empty(t, s.misspelled(), key)
	}
	for _, name := range []string{"WK_TOKEN", "WK_CLUSTER_NODES", "WK_API_LISTEN_ADDR", "WK_IMAGE_TAG", "WK_KEY", "logger.format", "mysql.keyFile.x"} {
		assert.Empty(t, nearest(name), name)
	}
	for name, key := range map[string]string{
		"WK_WSS_ADDR": keyWSSAddr, "WK_WSSADR": keyWSSAddr, "WK_EXTERNAL_WSS_ADDR": keyExternalWSSAddr, "WK_WSSCONFIG_CERT": keyCertFile, "WK_WSS_CONFIG_KEYFILE": keyKeyFile,
		"WK_WSSCONFIG_CERFILE": keyCertFile, "wss_addr": keyWSSAddr, "wssConfig.privateKeyFile": keyKeyFile, "external.wssConfig.certFile": keyCertFile, "wssConfig.wssAddr": keyWSSAddr, "externalWssAddr": keyExternalWSSAddr,
	} {
		assert.Equal(t, key, nearest(name), name)
	}
}

// TestRepairOfNamesRepairs runs what a finding says to type.
func TestRepairOfNamesRepairs(t *testing.T) {
	for _, name := range []string{"misspelled-variables", "misspelled-keys", "env-file-misspelled"} {
		dir, args, _ := unpack(t, "testdata/before/"+name+".txtar")
		found := find(t, checked(t, dir, args), "config-keys")
		require.Equal(t, Fail, found.Status)
		command := found.Fixes[0].CommandLine()
		require.NotEmpty(t, command, name)
		out, err := exec.Command("sh", "-c", command).CombinedOutput()
		require.NoError(t, err, "%s: %s", command, out)
		assert.NotContains(t, strings.Join(outcome(checked(t, dir, args)), " "), "config-keys", name)
	}
}

// TestSecretThatKubectlMakesIsEncodedOnce runs the command of a finding.
func TestSecretThatKubectlMakesIsEncodedOnce(t *testing.T) {
	if out, err := exec.Command("kubectl", "version", "--client").CombinedOutput(); err != nil {
		t.Skipf("kubectl does not run: %s", out)
	}
	dir, args, _ := unpack(t, "testdata/before/issue-449-kube-secret-encoded-twice.txtar")
	found := find(t, checked(t, dir, args), "config-secret")
	for file, text := range map[string]string{"fullchain.pem": certificatesOf()[1], "privkey.pem": certificatesOf()[7]} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
	command := exec.Command("sh", "-c", found.Fixes[0].CommandLine())
	command.Dir = dir
	out, err := command.Output()
	require.NoError(t, err)
	made := filepath.Join(dir, "secret.yaml")
	require.NoError(t, os.WriteFile(made, out, 0o600))
	assert.Empty(t, outcome(checked(t, dir, []string{"--kube", "secret.yaml"})))
}
