package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// TestSnippetsOfTheCatalogueAreAccepted gives every snippet of configuration to
// the program that it is for, at the place that its text names.
func TestSnippetsOfTheCatalogueAreAccepted(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, "good")
	write(t, dir, map[string]string{"root.pem": content(t, dir, "private-ca.pem")})
	list := readCommandList(t)
	seen := map[string]bool{}
	for _, step := range catalogueSteps(t) {
		if step.Config == "" {
			continue
		}
		t.Run(step.cause, func(t *testing.T) {
			for _, part := range parts(step.Config) {
				switch {
				case strings.Contains(part, "WK_WSSADDR: ") || strings.HasPrefix(part, "services:") || strings.HasPrefix(part, "networks:"):
					composeAccepts(t, part)
				case configured.MatchString(part):
					wukongimKnows(t, part)
				case strings.HasPrefix(part, "WK_"):
					assert.Contains(t, variables(), part[:strings.Index(part, "=")])
				case strings.HasPrefix(part, "- WK_WSSADDR"):
					listEntries(t, part)
				case strings.HasPrefix(part, "frontend"):
					accepted(t, dir, part, "haproxy", "-c", "-f")
				case strings.HasPrefix(part, "bind :443"):
					haproxyAccepts(t, dir, part)
				case strings.HasPrefix(part, "SSL"):
					apacheAccepts(t, dir, part)
				case strings.HasPrefix(part, "im.example.com {"):
					accepted(t, dir, part, "caddy", "validate", "--adapter", "caddyfile", "--config")
				case strings.HasPrefix(part, "<"):
					assert.NoError(t, xml.Unmarshal([]byte(part), &struct{}{}), part)
				case slices.ContainsFunc(list.Snippets, func(s missing) bool { return strings.Contains(part, s.Words) }):
				case directive.MatchString(part):
					nginxAccepts(t, dir, part, step)
				default:
					assert.Fail(t, "a snippet that no test knows", part)
				}
			}
			for _, s := range list.Snippets {
				seen[s.Words] = seen[s.Words] || strings.Contains(step.Config, s.Words)
			}
		})
	}
	for _, s := range list.Snippets {
		assert.True(t, seen[s.Words], "no snippet of the catalogue: %s", s.Words)
		assert.NotEmpty(t, s.Source, s.Words)
	}
}

var (
	title      = regexp.MustCompile(`^(\S+\.(ya?ml|toml)|Kubernetes)$`)
	configured = regexp.MustCompile(`^(wssConfig|wssAddr|external|addr|webhook):`)
	directive  = regexp.MustCompile(`^(listen|map|server|location|stream|(limit_conn|proxy|ssl)_\w+)\b`)
)

// parts are the snippet, and what stands in its comments in the form of another
// file.
func parts(config string) (list []string) {
	var plain, commented []string
	for _, line := range strings.Split(config, "\n") {
		if rest, ok := strings.CutPrefix(line, "# "); ok {
			commented = append(commented, rest)
		} else {
			plain = append(plain, line)
		}
	}
	for _, lines := range [][]string{plain, commented} {
		lines = slices.DeleteFunc(lines, title.MatchString)
		if part := strings.TrimSpace(strings.Join(lines, "\n")); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// composeAccepts wants a compose file, and settings that cannot crash a server.
func composeAccepts(t *testing.T, part string) {
	t.Helper()
	dir := t.TempDir()
	part = strings.Replace(part, "  wukongim:\n", "  wukongim:\n    image: wukongim/wukongim:v2\n", 1)
	if !strings.Contains(part, "services:") {
		part = "services:\n  wukongim:\n    image: x\n" + part
	}
	write(t, dir, map[string]string{"docker-compose.yml": part})
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "docker-compose.yml")}, cli.WithName("wukongim"))
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err, part)
	for name := range project.Services["wukongim"].Environment {
		assert.Contains(t, variables(), name)
	}
	certificateFirst(t, part, "WK_WSSCONFIG_CERTFILE", "WK_WSSCONFIG_KEYFILE", "WK_WSSADDR")
}

// listEntries wants the entries with a tick to give the address, and that with a
// cross to give something else.
func listEntries(t *testing.T, part string) {
	t.Helper()
	for line := range strings.Lines(part) {
		entry, good := strings.CutSuffix(strings.TrimRight(line, "\n"), "✓")
		dir := t.TempDir()
		write(t, dir, map[string]string{"docker-compose.yml": "services:\n  wukongim:\n    image: x\n    environment:\n      " + strings.TrimSpace(strings.TrimSuffix(entry, "✗")) + "\n"})
		options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "docker-compose.yml")}, cli.WithName("wukongim"))
		require.NoError(t, err)
		project, err := options.LoadProject(t.Context())
		require.NoError(t, err)
		assert.Equal(t, good, *project.Services["wukongim"].Environment["WK_WSSADDR"] == "wss://0.0.0.0:5210", line)
	}
}

// settings of WuKongIM v2.2.5 (internal/options/options.go) that the snippets
// name.
var settings = []string{
	"addr", "wsAddr", "wssAddr", "httpAddr", "wssConfig.certFile", "wssConfig.keyFile",
	"external.tcpAddr", "external.wsAddr", "external.wssAddr", "webhook.httpAddr",
}

func variables() (names []string) {
	for _, key := range settings {
		names = append(names, "WK_"+strings.ToUpper(strings.ReplaceAll(key, ".", "_")))
	}
	return names
}

// wukongimKnows wants a wk.yaml of settings that exist, each with its own variable
// beside it if any.
func wukongimKnows(t *testing.T, part string) {
	t.Helper()
	var tree map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(part), &tree), part)
	for key, value := range tree {
		keys := []string{key}
		if nested, ok := value.(map[string]any); ok {
			keys = nil
			for inner := range nested {
				keys = append(keys, key+"."+inner)
			}
		}
		for _, key := range keys {
			assert.Contains(t, settings, key)
			last := key[strings.LastIndex(key, ".")+1:]
			variable := "WK_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
			for _, m := range regexp.MustCompile(`(?m)^ *`+last+`: .*# (WK_\w+)$`).FindAllStringSubmatch(part, -1) {
				assert.Contains(t, variables(), m[1])
				assert.True(t, strings.HasSuffix(m[1], strings.ToUpper(last)) || m[1] == variable, "%s beside %s", m[1], key)
			}
		}
	}
	certificateFirst(t, part, "certFile:", "keyFile:", "\nwssAddr:")
}

// certificateFirst wants certificate and key before the address to listen on:
// with the address alone the first client crashes the server.
func certificateFirst(t *testing.T, part, certificate, key, address string) {
	t.Helper()
	part = "\n" + part
	if at := strings.Index(part, address); at >= 0 && !strings.Contains(part, "127.0.0.1:5001:5001") {
		before := part[:at]
		assert.Contains(t, before, certificate, part)
		assert.Contains(t, before, key, part)
	}
}

// accepted gives the name of a file to a program that checks it.
func accepted(t *testing.T, dir, part, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed", program)
	}
	write(t, dir, map[string]string{program + ".conf": part + "\n"})
	c := exec.Command(path, append(args, filepath.Join(dir, program+".conf"))...)
	c.Dir, c.Env = dir, append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	out, err := c.CombinedOutput()
	assert.NoError(t, err, "%s\n%s", part, out)
}

// places of a snippet in nginx' configuration, with how a text names them.
var places = []struct{ en, zh, before, after string }{
	{"top level of nginx.conf", "最外层", "", ""},
	{"in the http block", "http 块", "http {\nHTTP\n", "}\n"},
	{"into the http block", "http 块", "http {\nHTTP\n", "}\n"},
	{"to the http block", "http 块", "http {\nHTTP\n", "}\n"},
	{"in the server block", "server 块", "http {\nHTTP\nserver {\nlisten 443 ssl;\nCERTIFICATE\n", "}\n}\n"},
	{"in its server block", "server 块", "http {\nHTTP\nserver {\nlisten 443 ssl;\nCERTIFICATE\n", "}\n}\n"},
	{"in the location", "location", "http {\nHTTP\nserver {\nlisten 443 ssl;\nCERTIFICATE\nlocation / {\n", "}\n}\n}\n"},
}

// nginxConfig puts a snippet where its text says, on a machine where everything
// lies in a folder.
func nginxConfig(t *testing.T, dir, part string, step advised, address, backend string) string {
	t.Helper()
	at := slices.IndexFunc(places, func(place struct{ en, zh, before, after string }) bool {
		return strings.Contains(step.Text.En, place.en)
	})
	require.GreaterOrEqual(t, at, 0, "%s: the text does not say where in nginx' configuration this goes: %s", step.cause, part)
	assert.Contains(t, step.Text.Zh, places[at].zh)
	if strings.HasPrefix(part, "listen ") {
		places := slices.Clone(places)
		places[at].before = strings.Replace(places[at].before, "listen 443 ssl;\n", "", 1)
		return placed(t, dir, part, places[at].before, places[at].after, address, backend)
	}
	return placed(t, dir, part, places[at].before, places[at].after, address, backend)
}

// placed is a configuration with a snippet between what stands around it.
func placed(t *testing.T, dir, part, before, after, address, backend string) string {
	t.Helper()
	certificate := "ssl_certificate " + dir + "/fullchain.pem;\nssl_certificate_key " + dir + "/privkey.pem;"
	if strings.Contains(part, "ssl_certificate ") {
		certificate = ""
	}
	for _, name := range []string{"ecdsa-fullchain.pem", "ecdsa-privkey.pem", "rsa-fullchain.pem", "rsa-privkey.pem", "fullchain.pem", "privkey.pem", "client.pem", "client.key", "private-ca.pem"} {
		part = strings.ReplaceAll(part, "/etc/nginx/certs/"+name, dir+"/"+strings.TrimPrefix(strings.TrimPrefix(name, "ecdsa-"), "rsa-"))
	}
	config := modules() + "daemon off;\nmaster_process on;\npid nginx.pid;\nevents {}\n" + before + part + "\n" + after
	if os.Getuid() == 0 {
		config = "user root;\n" + config
	}
	return strings.NewReplacer(
		"HTTP\n", "access_log off;\nclient_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n",
		"CERTIFICATE\n", certificate+"\n",
		"listen 443 ", "listen "+address+" ", "listen 443;", "listen "+address+";", "listen 5210", "listen "+address, "listen 127.0.0.1:8443", "listen "+address,
		"127.0.0.1:5200", backend, "https://hook.example.com", "https://127.0.0.1:1",
		"/etc/ssl/certs/ca-certificates.crt", dir+"/root.pem",
	).Replace(config)
}

// modules loads nginx' stream module where it is one.
func modules() string {
	for _, path := range []string{"/usr/lib/nginx/modules/ngx_stream_module.so", "/usr/lib64/nginx/modules/ngx_stream_module.so"} {
		if _, err := os.Stat(path); err == nil {
			return "load_module " + path + ";\n"
		}
	}
	return ""
}

func nginxAccepts(t *testing.T, dir, part string, step advised) {
	t.Helper()
	if strings.HasPrefix(part, "stream") && modules() == "" {
		t.Skip("nginx' stream module is not installed")
	}
	address := unusedAddress(t)
	backend := listen(t, func(l net.Listener) { _ = (&http.Server{Handler: http.HandlerFunc(echo), ErrorLog: quiet}).Serve(l) })
	config := nginxConfig(t, dir, part, step, address, backend)
	accepted(t, dir, config, "nginx", "-p", dir, "-e", "stderr", "-t", "-c")
	if !strings.Contains(part, "listen 443 ssl;") || !strings.Contains(part, "ssl_certificate ") || !strings.Contains(part, "location") {
		return
	}
	// It also serves the WebSocket.
	startNginx(t, dir, config, address)
	conn := dialWSS(t, dir, address)
	defer conn.CloseNow()
	echoes(t, conn)
}

func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for {
		kind, data, err := conn.Read(r.Context())
		if err != nil || conn.Write(r.Context(), kind, data) != nil {
			return
		}
	}
}

func echoes(t *testing.T, conn *websocket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, conn.Write(ctx, websocket.MessageText, []byte("hello")))
	_, data, err := conn.Read(ctx)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(data))
}

// dialWSS connects to im.example.com at an address.
func dialWSS(t *testing.T, dir, address string) *websocket.Conn {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(authorities().Root.Certificate)
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
	conn, _, err := websocket.Dial(t.Context(), "wss://im.example.com/", &websocket.DialOptions{HTTPClient: client})
	require.NoError(t, err)
	return conn
}

func startNginx(t *testing.T, dir, config, address string) {
	t.Helper()
	write(t, dir, map[string]string{"run.conf": config})
	c := exec.Command("nginx", "-p", dir, "-e", "stderr", "-c", "run.conf")
	var output bytes.Buffer
	c.Stderr = &output
	require.NoError(t, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		<-ended
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, time.Minute, 10*time.Millisecond, "nginx does not listen: %s", &output)
}

// testNginxReload checks a configuration and reloads it below an open connection.
func testNginxReload(t *testing.T, w *world, command string) {
	dir := t.TempDir()
	writeFiles(t, dir, "good")
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Skip("nginx is not installed")
	}
	address := unusedAddress(t)
	backend := listen(t, func(l net.Listener) { _ = (&http.Server{Handler: http.HandlerFunc(echo), ErrorLog: quiet}).Serve(l) })
	var step advised
	for _, s := range catalogueSteps(t) {
		if strings.HasPrefix(s.Config, "map $http_upgrade") {
			step = s
		}
	}
	startNginx(t, dir, nginxConfig(t, dir, step.Config, step, address, backend), address)
	conn := dialWSS(t, dir, address)
	defer conn.CloseNow()
	echoes(t, conn)
	command = strings.Replace(command, "nginx ", "nginx -p "+dir+" -e stderr -c run.conf ", 1)
	output := w.does(t, dir, command)
	echoes(t, conn)
	if strings.Contains(command, "-s reload") {
		before := workers(t, dir)
		require.Eventually(t, func() bool { return !slices.Equal(before, workers(t, dir)) || len(before) > 1 }, time.Minute, 10*time.Millisecond)
		echoes(t, conn)
		return
	}
	assert.Contains(t, output, "test is successful")
	write(t, dir, map[string]string{"run.conf": "events {}\nhttp { no_such_directive on; }\n"})
	output, status := w.runIn(t, dir, command, "")
	assert.NotZero(t, status)
	assert.Contains(t, output, "no_such_directive")
	echoes(t, conn)
}

// workers are the processes below nginx' first.
func workers(t *testing.T, dir string) []string {
	t.Helper()
	pid := strings.TrimSpace(content(t, dir, "nginx.pid"))
	children, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the kernel does not list a process' children")
	}
	require.NoError(t, err)
	return strings.Fields(string(children))
}

// haproxyAccepts puts a bind line into a frontend.
func haproxyAccepts(t *testing.T, dir, part string) {
	t.Helper()
	write(t, dir, map[string]string{"joined.pem": content(t, dir, "fullchain.pem") + content(t, dir, "privkey.pem")})
	part = strings.ReplaceAll(part, "/etc/haproxy/certs/im.example.com.pem", dir+"/joined.pem")
	accepted(t, dir, "defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\nfrontend wss\n  "+part+"\n  default_backend im\nbackend im\n  server im 127.0.0.1:5200\n", "haproxy", "-c", "-f")
}

// apacheAccepts puts directives into a VirtualHost of a server with nothing but TLS.
func apacheAccepts(t *testing.T, dir, part string) {
	t.Helper()
	const folder = "/usr/lib/apache2/modules/"
	if _, err := os.Stat(folder + "mod_ssl.so"); err != nil {
		t.Skip("Apache's mod_ssl is not installed")
	}
	certificate := "SSLEngine on\nSSLCertificateFile " + dir + "/fullchain.pem\nSSLCertificateKeyFile " + dir + "/privkey.pem\n"
	if strings.Contains(part, "SSLCertificateFile") {
		certificate = "SSLEngine on\n"
	}
	part = strings.ReplaceAll(part, "/etc/letsencrypt/live/im.example.com", dir)
	modules := ""
	for _, name := range []string{"mpm_event", "ssl", "authz_core"} {
		modules += "LoadModule " + name + "_module " + folder + "mod_" + name + ".so\n"
	}
	accepted(t, dir, "ServerRoot "+dir+"\nErrorLog "+dir+"/error.log\nServerName im.example.com\n"+modules+"<VirtualHost *:443>\n"+certificate+part+"\n</VirtualHost>\n", "apache2", "-t", "-f")
}
