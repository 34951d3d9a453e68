package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNginxTakesTheConfigurations runs nginx -t on those of testdata/before, so that
// none is tried that nginx refuses, but for those that say so.
func TestNginxTakesTheConfigurations(t *testing.T) {
	binary, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not on PATH: apt-get install nginx-light")
	}
	files, err := filepath.Glob("testdata/before/*.txtar")
	require.NoError(t, err)
	tried := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		comment := string(txtar.Parse(data).Comment)
		if !strings.Contains(comment, "--nginx nginx.conf") || strings.Contains(comment, "openresty") {
			continue
		}
		dir, _, _ := unpack(t, file)
		out, err := nginxTest(t, binary, dir)
		assert.Equal(t, strings.Contains(comment, "nginx refuses"), err != nil, "%s: %s", file, out)
		tried++
	}
	require.Greater(t, tried, 40)
}

// nginxTest tests nginx.conf of a folder; one without an http block is included in
// one.
func nginxTest(t *testing.T, binary, dir string) (string, error) {
	t.Helper()
	main := filepath.Join(dir, "nginx.conf")
	text, err := os.ReadFile(main)
	require.NoError(t, err)
	if !strings.Contains(string(text), "events {") {
		main = filepath.Join(dir, "main.conf")
		require.NoError(t, os.WriteFile(main, []byte("events {}\nhttp { include nginx.conf; }\n"), 0o600))
		text = nil
	}
	// what Debian has as modules
	modules := ""
	if strings.Contains(string(text), "stream {") {
		if found, _ := filepath.Glob("/usr/lib/nginx/modules/ngx_stream_module.so"); len(found) > 0 {
			modules = "load_module " + found[0] + "; "
		}
	}
	out, err := exec.Command(binary, "-t", "-p", dir, "-c", main, "-e", filepath.Join(dir, "error.log"), "-g", modules+"pid "+dir+"/nginx.pid;").CombinedOutput()
	return string(out), err
}

// TestRepairsOfNginxRepair writes what a finding says into the configuration: nginx
// takes it, and the finding is gone.
func TestRepairsOfNginxRepair(t *testing.T) {
	binary, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not on PATH: apt-get install nginx-light")
	}
	for name, check := range map[string]string{
		"issue-214-to-the-wss-port": "proxy-upstream", "https-to-the-ws-port": "proxy-upstream", "http-version-1.0": "proxy-upgrade",
		"http-version-not-set": "proxy-upgrade", "headers-lost-in-the-location": "proxy-upgrade", "connection-emptied": "proxy-upgrade",
		"timeout-of-the-heartbeat": "proxy-timeout", "only-old-protocols": "proxy-protocols", "only-tls13": "proxy-protocols",
		"client-certificate-wanted": "proxy-client-certificate", "listen-without-ssl": "proxy-listen", "nothing-forwarded": "proxy-upstream",
		"name-of-another-server": "proxy-name", "variable-not-defined": "proxy-upgrade",
	} {
		dir, args, _ := unpack(t, "testdata/before/"+name+".txtar")
		found := find(t, checked(t, dir, args), check)
		require.NotEmpty(t, found.Fixes, name)
		main := filepath.Join(dir, "nginx.conf")
		text, err := os.ReadFile(main)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(main, []byte(repaired(t, string(text), found.Fixes[0].Snippet())), 0o600))
		out, err := nginxTest(t, binary, dir)
		require.NoError(t, err, "%s: %s", name, out)
		again := find(t, checked(t, dir, args), check)
		assert.Equal(t, Pass, again.Status, "%s: %s %v", name, again.Key, again.Args)
	}
}

// repaired puts a snippet in the place of what it is for: a block of the same head, or
// a directive of the same name; one that is new stands behind proxy_pass.
func repaired(t *testing.T, text, snippet string) string {
	t.Helper()
	head, _, block := strings.Cut(snippet, "{")
	if block {
		at := strings.Index(text, strings.TrimSpace(head)+" {")
		if at < 0 {
			at = strings.LastIndex(text, "}")
			return text[:at] + snippet + "\n" + text[at:]
		}
		depth := 0
		for i := at; i < len(text); i++ {
			switch text[i] {
			case '{':
				depth++
			case '}':
				if depth--; depth == 0 {
					return text[:at] + snippet + text[i+1:]
				}
			}
		}
	}
	name := strings.Fields(snippet)[0]
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), name+" ") {
			lines[i] = snippet
			return strings.Join(lines, "\n")
		}
	}
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "proxy_pass ") {
			lines[i] += "\n" + snippet
			return strings.Join(lines, "\n")
		}
	}
	t.Fatal("nowhere to put " + snippet)
	return ""
}
