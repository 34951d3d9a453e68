package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"io"
	stdlog "log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

var quiet = stdlog.New(io.Discard, "", 0)

// tested are the commands that have a test of their own, by words of theirs: they
// leave something behind, or read what another program says.
var tested = map[string]func(*testing.T, *world, string){
	"install -D -m 600 -t ./wukongimdata/certs": installs("wukongimdata/certs"),
	"install -D -m 600 -t /opt/wukongim/certs":  installs("opt/wukongim/certs"),
	"install -D -o 1000 -g 1000": func(t *testing.T, w *world, command string) {
		asRoot(t)
		dir := operator(t)
		w.does(t, dir, command)
		for _, name := range []string{"fullchain.pem", "privkey.pem"} {
			info := stat(t, dir, "wukongimdata/certs/"+name)
			assert.Equal(t, os.FileMode(0o400), info.Mode())
			owner := info.Sys().(*syscall.Stat_t)
			assert.Equal(t, []uint32{1000, 1000}, []uint32{owner.Uid, owner.Gid})
		}
	},
	"-m 400 -t /opt/wukongim/certs": func(t *testing.T, w *world, command string) {
		asRoot(t)
		w = w.with(t, "systemctl", `test "$*" = "show -p User --value wukongim" && echo daemon`)
		dir := operator(t)
		w.does(t, dir, command)
		info := stat(t, dir, "opt/wukongim/certs/privkey.pem")
		assert.Equal(t, os.FileMode(0o400), info.Mode())
		assert.Equal(t, uint32(1), info.Sys().(*syscall.Stat_t).Uid)
	},
	// Owner and mode of the files that are there stay: the server may be another
	// user.
	"cp -L /etc/letsencrypt": testCopy,
	"cp fullchain-new.pem":   copies("fullchain-new.pem", ""),
	"cp privkey-new.pem":     copies("privkey-new.pem", ""),
	"cp old/fullchain.pem":   copies("old/privkey.pem", "privkey.pem"),
	"cp private-ca.pem":      copies("private-ca.pem", ""),
	"rmdir": func(t *testing.T, w *world, command string) {
		dir := t.TempDir()
		write(t, dir, map[string]string{"certs/privkey.pem": "a key"})
		require.NoError(t, os.Mkdir(filepath.Join(dir, "certs/fullchain.pem"), 0o755))
		_, status := w.runIn(t, dir, command, "")
		assert.NotZero(t, status)
		assert.NoFileExists(t, filepath.Join(dir, "certs/fullchain.pem"))
		assert.Equal(t, "a key", content(t, dir, "certs/privkey.pem"))
	},
	"tar czf": func(t *testing.T, w *world, command string) {
		dir := t.TempDir()
		write(t, dir, map[string]string{"wukongimdata/data/x": "y"})
		w.does(t, dir, command)
		assert.Contains(t, w.does(t, dir, "tar tzf wukongimdata-backup.tar.gz"), "wukongimdata/data/x")
	},
	"renewal-hooks/deploy/wukongim.sh": testDeployHook,
	"renewal-hooks/deploy/nginx.sh": func(t *testing.T, w *world, command string) {
		w = w.with(t, "nginx", `echo "$@" >> calls`)
		dir := operator(t)
		write(t, dir, map[string]string{"etc/letsencrypt/renewal-hooks/deploy/README": ""})
		w.does(t, dir, command)
		w.does(t, dir, "/etc/letsencrypt/renewal-hooks/deploy/nginx.sh")
		assert.Equal(t, "-t\n-s reload\n", content(t, dir, "calls"))
	},
	"copy-certificate.sh":                              testPanelScript,
	"/dev/stdin /etc/haproxy/certs/im.example.com.pem": joins("etc/haproxy/certs/im.example.com.pem", 0),
	"/dev/stdin ./certs/im.example.com.pem":            joins("certs/im.example.com.pem", 99),
	"chmod 600 acme.json": func(t *testing.T, w *world, command string) {
		dir := t.TempDir()
		write(t, dir, map[string]string{"acme.json": "{}"})
		require.NoError(t, os.Chmod(filepath.Join(dir, "acme.json"), 0o644))
		w.does(t, dir, command)
		assert.Equal(t, os.FileMode(0o600), stat(t, dir, "acme.json").Mode())
	},
	"openssl x509 -in /etc/letsencrypt/live": func(t *testing.T, w *world, command string) {
		dir := t.TempDir()
		writeFiles(t, dir, "good")
		write(t, dir, map[string]string{"etc/letsencrypt/live/im.example.com/fullchain.pem": content(t, dir, "fullchain.pem")})
		assert.Contains(t, w.does(t, dir, command), "notAfter=")
	},
	"ls -lL /opt/wukongim/certs": func(t *testing.T, w *world, command string) {
		dir := t.TempDir()
		write(t, dir, map[string]string{"opt/wukongim/certs/fullchain.pem": "x", "opt/wukongim/certs/privkey.pem": "y"})
		assert.Regexp(t, `(?s)fullchain.pem.*privkey.pem`, w.does(t, dir, command))
	},
	"namei -lm /etc/": func(t *testing.T, w *world, command string) {
		dir, file := t.TempDir(), strings.TrimPrefix(strings.TrimSpace(command), "namei -lm ")
		write(t, dir, map[string]string{file: "a key"})
		assert.Regexp(t, `(?s)drwx.* etc\n.*-rw.* `+filepath.Base(file), w.does(t, dir, command))
	},
	"tls' /etc/caddy/Caddyfile":  finds("etc/caddy/Caddyfile", "im.example.com {\n  tls a.pem b.pem\n}\n", "im.example.com {"),
	"' /etc/haproxy/haproxy.cfg": finds("etc/haproxy/haproxy.cfg", "frontend x\n  bind :443 ssl crt /x.pem\n", "bind :443 ssl crt /x.pem"),
	"/etc/apache2/sites-enabled /etc/httpd": func(t *testing.T, w *world, command string) {
		dir := t.TempDir() // one of the folders is there, by the system
		write(t, dir, map[string]string{"etc/apache2/sites-enabled/im.conf": "ServerName im\nSSLCertificateFile /x.pem\n"})
		output, _ := w.runIn(t, dir, command, "")
		assert.Contains(t, output, "SSLCertificateFile /x.pem")
		assert.NotContains(t, output, "No such file")
	},
	"caddy validate": finds("etc/caddy/Caddyfile", "im.example.com {\n  reverse_proxy 127.0.0.1:5200\n}\n", "Valid configuration"),
	"haproxy -c": func(t *testing.T, w *world, command string) {
		dir := t.TempDir()
		write(t, dir, map[string]string{"etc/haproxy/haproxy.cfg": "defaults\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\nfrontend x\n  bind :8443\n"})
		w.does(t, dir, command)
		write(t, dir, map[string]string{"etc/haproxy/haproxy.cfg": "no such section\n"})
		_, status := w.runIn(t, dir, command, "")
		assert.NotZero(t, status)
	},
	"OFF_WSSADDR/' docker-compose.yml":      testComposeForms,
	`?wssAddr/#&/I" ./wukongimdata/wk.yaml`: testConfigurationForms,

	"pkcs12 -in im.example.com.pfx -nokeys": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		w.does(t, dir, command)
		assert.Equal(t, pems(t, dir, "fullchain.pem"), pems(t, dir, "fullchain-new.pem"))
	},
	"pkcs12 -in im.example.com.pfx -nocerts": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		w.does(t, dir, command)
		assert.Equal(t, pems(t, dir, "privkey.pem"), pems(t, dir, "privkey-new.pem"))
		assert.Equal(t, os.FileMode(0o600), stat(t, dir, "privkey-new.pem").Mode())
	},
	"x509 -inform DER -in im.example.com.cer": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		w.does(t, dir, command)
		assert.Equal(t, pems(t, dir, "cert.pem"), pems(t, dir, "fullchain-new.pem"))
	},
	"pkey -inform DER -in im.example.com.key": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		w.does(t, dir, command)
		assert.Equal(t, pems(t, dir, "privkey.pem"), pems(t, dir, "privkey-new.pem"))
	},
	"pkcs7 -inform DER -in im.example.com.p7b": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		w.does(t, dir, command)
		assert.Equal(t, pems(t, dir, "fullchain.pem"), pems(t, dir, "fullchain-new.pem"))
		// As text, for which the step leaves -inform DER out.
		w.does(t, dir, "openssl crl2pkcs7 -nocrl -certfile fullchain.pem -out im.example.com.p7b")
		w.does(t, dir, strings.Replace(command, "-inform DER ", "", 1))
		assert.Equal(t, pems(t, dir, "fullchain.pem"), pems(t, dir, "fullchain-new.pem"))
	},
	"openssl pkey -in encrypted.key": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		for _, kind := range []string{"", "-traditional "} {
			w.does(t, dir, "openssl pkey -in privkey.pem "+kind+"-aes256 -passout pass:secret -out encrypted.key")
			assert.NotEqual(t, "0\n", w.does(t, dir, "grep -c ENCRYPTED encrypted.key"))
			w.does(t, dir, command)
			assert.Equal(t, pems(t, dir, "privkey.pem"), pems(t, dir, "privkey-new.pem"))
			assert.Equal(t, os.FileMode(0o600), stat(t, dir, "privkey-new.pem").Mode())
		}
	},
	`BF//; s/\r$//`: func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		want := content(t, dir, "fullchain.pem")
		write(t, dir, map[string]string{"fullchain.pem": "\ufeff  " + strings.ReplaceAll(strings.TrimSuffix(want, "\n"), "\n", "\r\n\t") + "\r\n"})
		w.does(t, dir, command)
		assert.Equal(t, want, content(t, dir, "fullchain.pem"))
	},
	`BF//' fullchain.pem`: func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		want := content(t, dir, "fullchain.pem")
		write(t, dir, map[string]string{"fullchain.pem": "\ufeff" + want})
		for range 2 {
			w.does(t, dir, command)
			assert.Equal(t, want, content(t, dir, "fullchain.pem"))
		}
	},
	"printf '%b'": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		want := content(t, dir, "fullchain.pem")
		write(t, dir, map[string]string{"oneline.pem": strings.ReplaceAll(want, "\n", `\n`)})
		w.does(t, dir, command)
		assert.Equal(t, want, content(t, dir, "fullchain-new.pem"))
	},
	"iconv -f utf-16": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		want := content(t, dir, "fullchain.pem")
		var saved bytes.Buffer
		require.NoError(t, binary.Write(&saved, binary.LittleEndian, utf16.Encode([]rune("\ufeff"+want))))
		write(t, dir, map[string]string{"saved.pem": saved.String()})
		w.does(t, dir, command)
		assert.Equal(t, want, content(t, dir, "fullchain-new.pem"))
	},
	"awk 1 cert.pem": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		write(t, dir, map[string]string{"cert.pem": strings.TrimSuffix(content(t, dir, "cert.pem"), "\n")})
		w.does(t, dir, command)
		assert.Equal(t, content(t, dir, "fullchain.pem"), content(t, dir, "fullchain-new.pem"))
	},
	"/intermediate.der": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		before := pems(t, dir, "intermediate.pem")
		require.NoError(t, os.Remove(filepath.Join(dir, "intermediate.pem")))
		output, status := w.runIn(t, dir, command, w.servers["api"])
		require.Zero(t, status, output)
		assert.Equal(t, before, pems(t, dir, "intermediate.pem"))
		output, status = w.runIn(t, dir, command, w.servers["refused"])
		assert.NotZero(t, status)
		assert.Contains(t, output, "curl: (7)")
	},

	"-addext subjectAltName=DNS:im.example.com -out old-key.csr": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		require.NoError(t, os.Rename(filepath.Join(dir, "privkey.pem"), filepath.Join(dir, "old.key")))
		w.does(t, dir, command)
		requested(t, dir, "old-key.csr", "old.key", "im.example.com")
	},
	"-addext subjectAltName=DNS:im.example.com -out im.example.com.csr": func(t *testing.T, w *world, command string) {
		dir := t.TempDir()
		w.does(t, dir, command)
		requested(t, dir, "im.example.com.csr", "privkey-new.pem", "im.example.com")
		assert.Equal(t, os.FileMode(0o600), stat(t, dir, "privkey-new.pem").Mode())
	},
	// The three steps that make a private authority, in their order.
	"-out private-ca.pem":                        testPrivateAuthority,
	"-out im.csr":                                testPrivateAuthority,
	"-extfile /dev/stdin":                        testPrivateAuthority,
	"im.example.com 203.0.11":                    testMkcert,
	"-key-file privkey-new.pem im.example.com\n": testMkcert,
	"mkcert -install": func(t *testing.T, w *world, command string) {
		dir := t.TempDir()
		w.does(t, dir, command) // with TRUST_STORES it makes the authority only
		assert.Contains(t, content(t, dir, "mkcert/rootCA.pem"), "CERTIFICATE")
	},

	"--dry-run=client -o yaml | kubectl apply": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		made, applies := strings.CutSuffix(strings.TrimSpace(command), " | kubectl apply -f -") // kubernetes.io/docs/reference/kubectl/generated/kubectl_apply
		require.True(t, applies, command)
		whole := content(t, dir, "fullchain.pem") + content(t, dir, "privkey.pem")
		write(t, dir, map[string]string{"privkey-new.pem": content(t, dir, "privkey.pem")})
		if strings.Contains(made, "secret generic") {
			testSecret(t, w.does(t, dir, made), "", map[string]string{"im.example.com.pem": whole})
			return
		}
		testSecret(t, w.does(t, dir, made), "kubernetes.io/tls", pair(t, dir))
	},
	"--key=privkey.pem\n": func(t *testing.T, w *world, command string) {
		dir := exported(t, w)
		testSecret(t, w.does(t, dir, command+" --dry-run=client -o yaml"), "kubernetes.io/tls", pair(t, dir))
	},
	"base64 -d | head": func(t *testing.T, w *world, command string) {
		w = w.with(t, "kubectl", `cat secret.txt`)
		dir := exported(t, w)
		whole := content(t, dir, "fullchain.pem")
		write(t, dir, map[string]string{"secret.txt": base64.StdEncoding.EncodeToString([]byte(whole))})
		assert.Equal(t, "-----BEGIN CERTIFICATE-----\n", w.does(t, dir, command))
		write(t, dir, map[string]string{"secret.txt": base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(whole))))})
		assert.NotContains(t, w.does(t, dir, command), "BEGIN")
	},

	"logs wukongim 2>&1 | grep 'WebSocket Secure'": says("../../testdata/wukongim/servers/ok/stdout.log", "WebSocket Secure: wss://127.0.0.1:5210"),
	"grep -o 'tls.(.Conn)":                         says("../../testdata/wukongim/servers/wss-no-cert/stdout.log", "tls.(*Conn).readClientHello"),
	"logs --no-log-prefix wukongim > wukongim-crash.log": func(t *testing.T, w *world, command string) {
		w = w.with(t, "docker", "echo out; echo err >&2")
		dir := t.TempDir()
		w.does(t, dir, command)
		assert.Equal(t, "out\nerr\n", content(t, dir, "wukongim-crash.log"))
	},
	"config | grep -E 'WK_(WSS|EXTERNAL)'": func(t *testing.T, w *world, command string) {
		dir := t.TempDir()
		w = composing(t, w, dir, "services:\n  wukongim:\n    image: x\n    environment:\n      - \"WK_WSSADDR=wss://0.0.0.0:5210\"\n      - WK_EXTERNAL_IP=1.2.3.4\n      - WK_MODE=release\n")
		output := w.does(t, dir, command)
		assert.Contains(t, output, "WK_WSSADDR: wss://0.0.0.0:5210\n")
		assert.Contains(t, output, "WK_EXTERNAL_IP: 1.2.3.4\n")
		assert.NotContains(t, output, "WK_MODE")
	},
	"config | grep WK_WSSADDR": elsewhere, // testComposeForms
	"env wukongim | grep WK_WSSADDR": func(t *testing.T, w *world, command string) {
		w = w.with(t, "docker", `printf "PATH=/bin\nWK_WSSADDR='wss://0.0.0.0:5210'\n"`)
		assert.Equal(t, "WK_WSSADDR='wss://0.0.0.0:5210'\n", w.does(t, t.TempDir(), command))
	},
	"--entrypoint env wukongim | grep -i proxy": testProxyVariables,
	"exec wukongim env | grep -i proxy":         testProxyVariables,

	"ss -ltnp 'sport = :5210'": testListening,
	"ss -Hltn 'sport = :5210'": testListening,
	"ss -ltn |":                testListening,
	`sudo -u "$(systemctl show`: func(t *testing.T, w *world, command string) {
		asRoot(t)
		w = w.with(t, "systemctl", `test "$*" = "show -p User --value wukongim" && echo nobody`)
		dir, err := os.MkdirTemp("", "wklog")
		require.NoError(t, err)
		t.Cleanup(func() { os.RemoveAll(dir) })
		require.NoError(t, os.Chmod(dir, 0o755))
		write(t, dir, map[string]string{"opt/wukongim/certs/fullchain.pem": "-----BEGIN\n", "opt/wukongim/certs/privkey.pem": "-----BEGIN\n"})
		require.NoError(t, os.Chmod(filepath.Join(dir, "opt/wukongim/certs/fullchain.pem"), 0o644))
		output, status := w.runIn(t, dir, command, "")
		assert.NotZero(t, status)
		assert.Contains(t, output, "-----BEGIN")
		assert.Contains(t, output, "privkey.pem' for reading: Permission denied")
	},
	"setcap": func(t *testing.T, w *world, command string) {
		asRoot(t)
		dir := t.TempDir()
		write(t, dir, map[string]string{"wukongim": "a program"})
		command = strings.Replace(command, "/usr/local/bin", dir, 1)
		if output, status := w.runIn(t, dir, command, ""); status != 0 {
			t.Skip(output) // not in every container, and not on every file system
		}
		assert.Contains(t, w.does(t, dir, "getcap wukongim"), "cap_net_bind_service=ep")
	},
	"iptables -I DOCKER-USER": func(t *testing.T, w *world, command string) {
		rules := inNetwork(t, w, "iptables -N DOCKER-USER", command, "iptables -S DOCKER-USER")
		assert.Contains(t, rules, "--ctorigdstport 5210")
		assert.Contains(t, rules, "--hashlimit-above 1/sec")
	},
	"iptables -I INPUT": func(t *testing.T, w *world, command string) {
		rules := inNetwork(t, w, command, "iptables -S INPUT")
		assert.Contains(t, rules, "--dport 5210")
		assert.Contains(t, rules, "--hashlimit-above 1/sec")
	},
	"ethtool -S eth0": func(t *testing.T, w *world, command string) {
		assert.Contains(t, inNetwork(t, w, "ip link add eth0 type veth", command), "drop")
	},
	"ethtool -K eth0": func(t *testing.T, w *world, command string) {
		features := inNetwork(t, w, "ip link add eth0 type veth", command, "ethtool -k eth0")
		for _, feature := range []string{"tcp-segmentation-offload", "generic-segmentation-offload", "generic-receive-offload"} {
			assert.Contains(t, features, feature+": off")
		}
	},
	"tcp-syn|tcp-ack":     testCaptures,
	"tcp-rst|tcp-fin":     testCaptures,
	"tcp-push != 0":       testCaptures,
	"\nnginx -t\n":        testNginxReload,
	"\nnginx -s reload\n": testNginxReload,

	"certonly --standalone -d im.example.com\n":  testCertbot,
	"certonly --standalone --c":                  elsewhere, // testCertbot
	"certbot renew --cert-name im.example.com\n": testRenewal,
	"--force-renewal --new-key":                  elsewhere, // testRenewal
}

// elsewhere is for a command that the test of another one runs as well.
func elsewhere(*testing.T, *world, string) {}

func TestCommandsWithTestsOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	w.acme = serveACME(t)
	commands := catalogueCommands(t)
	for words, test := range tested {
		for command := range commands {
			if isOf(command, words) {
				t.Run(strings.TrimSpace(words), func(t *testing.T) {
					t.Parallel()
					test(t, w, command)
				})
			}
		}
	}
}

// does runs a command that succeeds.
func (w *world) does(t *testing.T, dir, command string) string {
	t.Helper()
	output, status := w.runIn(t, dir, command, "")
	require.Zero(t, status, "%s\n%s", command, output)
	return output
}

// with is the same world with another program.
func (w *world) with(t *testing.T, name, script string) *world {
	t.Helper()
	other := *w
	other.bin = t.TempDir()
	other.program(t, name, script)
	return &other
}

func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may")
	}
}

func content(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return string(data)
}

func stat(t *testing.T, dir, name string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, name))
	require.NoError(t, err)
	return info
}

// pems are the blocks of a file.
func pems(t *testing.T, dir, name string) (blocks [][]byte) {
	t.Helper()
	for block, rest := pem.Decode([]byte(content(t, dir, name))); block != nil; block, rest = pem.Decode(rest) {
		blocks = append(blocks, block.Bytes)
	}
	require.NotEmpty(t, blocks, name)
	return blocks
}

// operator is a folder with certbot's files, which are links.
func operator(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, domain := range []string{"im.example.com", "www.example.com"} {
		live := filepath.Join(dir, "etc/letsencrypt/live", domain)
		archive := "etc/letsencrypt/archive/" + domain
		write(t, dir, map[string]string{archive + "/fullchain2.pem": "new certificate", archive + "/privkey2.pem": "new key"})
		if domain != "im.example.com" {
			write(t, dir, map[string]string{archive + "/fullchain2.pem": "of another domain", archive + "/privkey2.pem": "of another domain"})
		}
		require.NoError(t, os.MkdirAll(live, 0o755))
		for _, name := range []string{"fullchain", "privkey"} {
			require.NoError(t, os.Symlink("../../archive/"+domain+"/"+name+"2.pem", filepath.Join(live, name+".pem")))
		}
	}
	return dir
}

func copies(from, name string) func(*testing.T, *world, string) {
	return func(t *testing.T, w *world, command string) {
		dir, words := t.TempDir(), strings.Fields(command)
		to := filepath.Join(words[len(words)-1], name)
		write(t, dir, map[string]string{from: "new", to: "old", filepath.Dir(from) + "/fullchain.pem": "x"})
		w.does(t, dir, command)
		assert.Equal(t, "new", content(t, dir, to))
	}
}

// testDeployHook renews both certificates of a machine, as certbot tells its
// hooks: by RENEWED_LINEAGE.
func testDeployHook(t *testing.T, w *world, command string) {
	w = w.with(t, "docker", `echo "$@" >> calls`)
	w.program(t, "systemctl", `echo "$@" >> calls`)
	certs, restart := "opt/wukongim/wukongimdata/certs", "restart wukongim\n"
	if strings.Contains(command, "systemctl") {
		certs = "opt/wukongim/certs"
	}
	dir := operator(t)
	if strings.Contains(command, "compose") {
		restart = "compose -f " + dir + "/opt/wukongim/docker-compose.yml restart wukongim\n"
	}
	write(t, dir, map[string]string{
		certs + "/fullchain.pem": "old", certs + "/privkey.pem": "old",
		"etc/letsencrypt/renewal-hooks/deploy/README": "",
	})
	w.does(t, dir, command)
	const hook = "/etc/letsencrypt/renewal-hooks/deploy/wukongim.sh"
	w.does(t, dir, "RENEWED_LINEAGE=/etc/letsencrypt/live/www.example.com "+hook)
	assert.Equal(t, "old", content(t, dir, certs+"/fullchain.pem"), "the certificate of another domain was installed")
	assert.NoFileExists(t, filepath.Join(dir, "calls"), "a restart for another domain")
	w.does(t, dir, "RENEWED_LINEAGE=/etc/letsencrypt/live/im.example.com "+hook)
	assert.Equal(t, "new certificate", content(t, dir, certs+"/fullchain.pem"))
	assert.Equal(t, "new key", content(t, dir, certs+"/privkey.pem"))
	assert.Equal(t, restart, content(t, dir, "calls"))
	// Without the folder of the certificates nothing is restarted.
	require.NoError(t, os.RemoveAll(filepath.Join(dir, certs)))
	_, status := w.runIn(t, dir, "RENEWED_LINEAGE=/etc/letsencrypt/live/im.example.com "+hook, "")
	assert.NotZero(t, status)
	assert.Equal(t, 1, strings.Count(content(t, dir, "calls"), "restart"))
}

// composing writes a compose file and gives a world in which docker compose config
// prints what the library of docker compose makes of it.
func composing(t *testing.T, w *world, dir, compose string) *world {
	t.Helper()
	write(t, dir, map[string]string{"docker-compose.yml": compose})
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "docker-compose.yml")}, cli.WithName("wukongim"), cli.WithEnv([]string{"WK_WSSADDR=wss://0.0.0.0:5210"}))
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err, compose)
	text, err := project.MarshalYAML()
	require.NoError(t, err)
	write(t, dir, map[string]string{"config.yml": string(text)})
	return w.with(t, "docker", "cat config.yml")
}

// testComposeForms switches WK_WSSADDR off in all forms in which it may stand in a
// compose file, the first of them that of WuKongIM's own file, and looks for it.
func testComposeForms(t *testing.T, w *world, _ string) {
	edit := commandOf(t, "OFF_WSSADDR/' docker-compose.yml")
	look := commandOf(t, "config | grep WK_WSSADDR")
	list := func(entry string) string {
		return "services:\n  wukongim:\n    image: wukongim/wukongim:v2\n    environment:\n      - \"WK_MODE=release\" # debug, release\n" + entry + "\n      - WK_EXTERNAL_WSSADDR=wss://im.example.com:5210\n    ports:\n      - 5001:5001\n"
	}
	mapping := func(entry string) string {
		return "services:\n  wukongim:\n    image: wukongim/wukongim:v2\n    environment:\n      WK_MODE: release\n" + entry + "\n      WK_EXTERNAL_WSSADDR: \"wss://im.example.com:5210\"\n"
	}
	for _, compose := range []string{
		list(`      - "WK_WSSADDR=wss://0.0.0.0:5210" # wss`),
		list(`      - WK_WSSADDR=wss://0.0.0.0:5210`),
		list(`      - 'WK_WSSADDR=wss://0.0.0.0:5210'`),
		list(`      - WK_WSSADDR='wss://0.0.0.0:5210'`),
		list(`      -   "WK_WSSADDR=wss://0.0.0.0:5210"`),
		list(`      - WK_WSSADDR`),
		list(`      - WK_WSSADDR=${WK_WSSADDR}`),
		strings.ReplaceAll(list(`      - "WK_WSSADDR=wss://0.0.0.0:5210"`), "      - ", "    - "),
		strings.ReplaceAll(list(`      - "WK_WSSADDR=wss://0.0.0.0:5210"`), "\n", "\r\n"),
		mapping(`      WK_WSSADDR: wss://0.0.0.0:5210`),
		mapping(`      WK_WSSADDR: "wss://0.0.0.0:5210"`),
		mapping(`      WK_WSSADDR : 'wss://0.0.0.0:5210'`),
		mapping(`      "WK_WSSADDR": "wss://0.0.0.0:5210"`),
		mapping(`      'WK_WSSADDR': wss://0.0.0.0:5210`),
		"services:\n  wukongim:\n    image: x\n    environment:\n      WK_WSSADDR: wss://0.0.0.0:5210\n",
		"services:\n  wukongim:\n    image: x\n    environment: {WK_WSSADDR: 'wss://0.0.0.0:5210'}\n",
		"services:\n  wukongim:\n    image: x\n    environment: [\"WK_WSSADDR=wss://0.0.0.0:5210\"]\n",
	} {
		dir := t.TempDir()
		w := composing(t, w, dir, compose)
		assert.Contains(t, w.does(t, dir, look), " WK_WSSADDR: ", compose)
		before := content(t, dir, "config.yml")
		w.does(t, dir, edit)
		w = composing(t, w, dir, content(t, dir, "docker-compose.yml"))
		output, status := w.runIn(t, dir, look, "")
		assert.Equal(t, 1, status, compose)
		assert.Empty(t, output)
		after := content(t, dir, "config.yml")
		for line := range strings.Lines(before) {
			if !strings.Contains(line, "WK_WSSADDR") {
				assert.Contains(t, after, line, "something else has changed")
			}
		}
	}
	// What comes from another file is seen.
	dir := t.TempDir()
	write(t, dir, map[string]string{"wk.env": "WK_WSSADDR=wss://0.0.0.0:5210\n"})
	w = composing(t, w, dir, "services:\n  wukongim:\n    image: x\n    env_file: wk.env\n")
	w.does(t, dir, edit)
	assert.Contains(t, w.does(t, dir, look), "WK_WSSADDR: wss://0.0.0.0:5210")
}

// testConfigurationForms comments wssAddr out in wk.yaml and leaves that of
// external alone.
func testConfigurationForms(t *testing.T, w *world, command string) {
	for _, line := range []string{
		`wssAddr: "wss://0.0.0.0:5210"`, `wssAddr: wss://0.0.0.0:5210 # wss`, `wssAddr : 'wss://0.0.0.0:5210'`,
		`"wssAddr": "wss://0.0.0.0:5210"`, `'wssAddr': "wss://0.0.0.0:5210"`, `wssaddr: "wss://0.0.0.0:5210"`,
	} {
		for _, indent := range []string{" ", "  ", "    "} {
			dir := t.TempDir()
			write(t, dir, map[string]string{"wukongimdata/wk.yaml": "mode: release\n" + line + "\nexternal:\n" + indent + "wssAddr: \"wss://im.example.com:5210\"\n"})
			w.does(t, dir, command)
			var settings map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(content(t, dir, "wukongimdata/wk.yaml")), &settings), line)
			assert.Equal(t, map[string]any{"mode": "release", "external": map[string]any{"wssAddr": "wss://im.example.com:5210"}}, settings, line)
		}
	}
}

// exported is a folder with a certificate in every form, of a password that is
// secret.
func exported(t *testing.T, w *world) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, "good")
	for _, command := range []string{
		"openssl pkcs12 -export -in fullchain.pem -inkey privkey.pem -passout pass:secret -out im.example.com.pfx",
		"openssl x509 -in cert.pem -outform DER -out im.example.com.cer",
		"openssl pkey -in privkey.pem -outform DER -out im.example.com.key",
		"openssl crl2pkcs7 -nocrl -certfile fullchain.pem -outform DER -out im.example.com.p7b",
	} {
		w.does(t, dir, command)
	}
	return dir
}

// requested wants a request of a key and a name.
func requested(t *testing.T, dir, request, key, name string) {
	t.Helper()
	csr, err := x509.ParseCertificateRequest(pems(t, dir, request)[0])
	require.NoError(t, err)
	require.NoError(t, csr.CheckSignature())
	assert.Equal(t, []string{name}, csr.DNSNames)
	private, err := x509.ParsePKCS8PrivateKey(pems(t, dir, key)[0])
	require.NoError(t, err)
	assert.Equal(t, private.(crypto.Signer).Public(), csr.PublicKey)
}

// commandOf is the command of the catalogue with the words.
func commandOf(t *testing.T, words string) string {
	t.Helper()
	for command := range catalogueCommands(t) {
		if isOf(command, words) {
			return command
		}
	}
	t.Fatalf("no command with %s", words)
	return ""
}

func testPrivateAuthority(t *testing.T, w *world, _ string) {
	dir := t.TempDir()
	for _, words := range []string{"-out private-ca.pem", "-out im.csr", "-extfile /dev/stdin"} {
		w.does(t, dir, commandOf(t, words))
	}
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM([]byte(content(t, dir, "private-ca.pem"))))
	leaf, err := x509.ParseCertificate(pems(t, dir, "fullchain-new.pem")[0])
	require.NoError(t, err)
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "im.example.com"})
	require.NoError(t, err)
	assert.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, leaf.ExtKeyUsage)
	assert.LessOrEqual(t, leaf.NotAfter.Sub(leaf.NotBefore), 398*aDay)
	assert.Contains(t, w.does(t, dir, "wklog check --cert fullchain-new.pem --key privkey-new.pem --ca private-ca.pem"), "Checks: 0 failed")
	assert.Equal(t, os.FileMode(0o600), stat(t, dir, "ca.key").Mode())
}

func testMkcert(t *testing.T, w *world, command string) {
	dir := t.TempDir()
	command = strings.Replace(command, "203.0.113.10", "192.0.2.10", 1)
	w.does(t, dir, command)
	output := w.does(t, dir, `openssl verify -CAfile "$(mkcert -CAROOT)/rootCA.pem" -verify_hostname im.example.com fullchain-new.pem`)
	assert.Contains(t, output, "fullchain-new.pem: OK")
	if strings.Contains(command, "192.0.2.10") {
		output = w.does(t, dir, `openssl verify -CAfile "$(mkcert -CAROOT)/rootCA.pem" -verify_ip 192.0.2.10 fullchain-new.pem`)
		assert.Contains(t, output, "fullchain-new.pem: OK")
	}
}

// pair is what a Secret of a certificate and its key holds.
func pair(t *testing.T, dir string) map[string]string {
	t.Helper()
	return map[string]string{"tls.crt": content(t, dir, "fullchain.pem"), "tls.key": content(t, dir, "privkey.pem")}
}

func testSecret(t *testing.T, manifest, kind string, want map[string]string) {
	t.Helper()
	var secret struct {
		Kind, Type string
		Metadata   struct{ Name string }
		Data       map[string]string
	}
	require.NoError(t, yaml.Unmarshal([]byte(manifest), &secret))
	assert.Equal(t, []string{"Secret", kind, "wukongim-tls"}, []string{secret.Kind, secret.Type, secret.Metadata.Name})
	for key, text := range want {
		data, err := base64.StdEncoding.DecodeString(secret.Data[key])
		require.NoError(t, err)
		assert.Equal(t, text, string(data))
	}
}

// says gives a recording for what docker prints, and a part of what is left of it.
func says(recording, want string) func(*testing.T, *world, string) {
	return func(t *testing.T, w *world, command string) {
		path, err := filepath.Abs(recording)
		require.NoError(t, err)
		w = w.with(t, "docker", "cat "+path)
		output := w.does(t, t.TempDir(), command)
		assert.Contains(t, output, want)
		assert.Equal(t, 1, strings.Count(output, "\n"))
		w = w.with(t, "docker", "echo 'no such service' >&2; exit 1")
		output, _ = w.runIn(t, t.TempDir(), command, "")
		assert.NotContains(t, output, want)
	}
}

func testProxyVariables(t *testing.T, w *world, command string) {
	w = w.with(t, "docker", `printf "PATH=/bin\nHTTPS_PROXY=http://proxy:3128\nno_proxy=x\n"`)
	assert.Equal(t, "HTTPS_PROXY=http://proxy:3128\nno_proxy=x\n", w.does(t, t.TempDir(), command))
}

func testListening(t *testing.T, w *world, command string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	command = strings.ReplaceAll(command, "5210", port)
	assert.Contains(t, w.does(t, t.TempDir(), command), "127.0.0.1:"+port)
	require.NoError(t, l.Close())
	empty := strings.Contains(command, "-Hltn")
	require.Eventually(t, func() bool { // a program that is just being started has it for a moment
		output, _ := w.runIn(t, t.TempDir(), command, "")
		return !strings.Contains(output, ":"+port) && (output == "" || !empty)
	}, time.Minute, 10*time.Millisecond)
}

// inNetwork runs commands in a network of their own, and gives what the last
// prints.
func inNetwork(t *testing.T, w *world, commands ...string) string {
	t.Helper()
	asRoot(t)
	dir := t.TempDir()
	if output, status := w.runIn(t, dir, "unshare -n true", ""); status != 0 {
		t.Skip(output)
	}
	for _, command := range commands {
		for _, program := range programs(t, command) {
			if _, err := exec.LookPath(program); err != nil {
				t.Skipf("%s is not installed", program)
			}
		}
	}
	write(t, dir, map[string]string{"do.sh": "set -e\n" + strings.Join(commands[:len(commands)-1], " >&2\n") + " >&2\n" + commands[len(commands)-1] + "\n"})
	return w.does(t, dir, "unshare -n sh do.sh")
}

// testCaptures puts packets in place of the network's.
func testCaptures(t *testing.T, w *world, command string) {
	const fin, syn, rst, push, ack = 1, 2, 4, 8, 16
	v4, v6 := []byte{198, 51, 100, 7}, net.ParseIP("2001:db8::7")
	packets := [][]byte{
		packet(v4, 5210, syn, ""), packet(v4, 5210, syn, ""), packet(v6, 5210, syn, ""), packet(v4, 443, syn, ""),
		packet(v4, 5210, ack, ""), packet(v4, 5210, syn|ack, ""), packet(v6, 5210, ack, ""),
		packet(v4, 5210, push|ack, "GET / HTTP/1.1"), packet(v4, 5210, rst, ""), packet(v4, 5210, fin|ack, ""),
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{"x.pcap": capture(packets)})
	command = strings.NewReplacer("-nni eth0", "-nnr x.pcap", "-nni any", "-nnr x.pcap").Replace(command)
	output := w.does(t, dir, command)
	switch {
	case strings.Contains(command, "tcp-syn"):
		counts := slices.DeleteFunc(strings.Split(output, "\n"), func(line string) bool { return strings.Contains(line, "reading from file") || line == "" })
		require.Len(t, counts, 2, output)
		assert.Equal(t, []string{"2", "198.51.100.7"}, strings.Fields(counts[0]))
		assert.Equal(t, []string{"1", "2001:db8::7"}, strings.Fields(counts[1]))
	case strings.Contains(command, "tcp-rst"):
		assert.Contains(t, output, "Flags [R]")
		assert.Contains(t, output, "Flags [F.]")
		assert.Equal(t, 2, strings.Count(output, "Flags ["))
	default:
		assert.Contains(t, output, "GET / HTTP/1.1")
		assert.Equal(t, 1, strings.Count(output, "Flags ["))
	}
}

// packet is an Ethernet frame with a TCP segment from an address to a port here.
func packet(from net.IP, port uint16, flags byte, data string) []byte {
	tcp := make([]byte, 20)
	binary.BigEndian.PutUint16(tcp, 40000)
	binary.BigEndian.PutUint16(tcp[2:], port)
	tcp[12], tcp[13] = 5<<4, flags
	tcp = append(tcp, data...)
	if len(from) == net.IPv4len {
		ip := make([]byte, 20)
		ip[0], ip[8], ip[9] = 0x45, 64, 6
		binary.BigEndian.PutUint16(ip[2:], uint16(20+len(tcp)))
		copy(ip[12:], from)
		copy(ip[16:], []byte{203, 0, 113, 10})
		return slices.Concat(make([]byte, 12), []byte{0x08, 0x00}, ip, tcp)
	}
	ip := make([]byte, 40)
	ip[0], ip[6], ip[7] = 0x60, 6, 64
	binary.BigEndian.PutUint16(ip[4:], uint16(len(tcp)))
	copy(ip[8:], from)
	copy(ip[24:], net.ParseIP("2001:db8::10"))
	return slices.Concat(make([]byte, 12), []byte{0x86, 0xdd}, ip, tcp)
}

// capture is a file of packets (pcap, version 2.4).
func capture(packets [][]byte) string {
	var file bytes.Buffer
	for _, word := range []uint32{0xa1b2c3d4, 2 | 4<<16, 0, 0, 65535, 1} {
		_ = binary.Write(&file, binary.LittleEndian, word)
	}
	for _, p := range packets {
		for _, word := range []uint32{uint32(time.Now().Unix()), 0, uint32(len(p)), uint32(len(p))} {
			_ = binary.Write(&file, binary.LittleEndian, word)
		}
		file.Write(p)
	}
	return file.String()
}

// testCopy copies certificate and key over files that are there: their owner and mode
// stay, for the server may be another user.
func testCopy(t *testing.T, w *world, command string) {
	dir := operator(t)
	to := strings.Trim(strings.TrimPrefix(command[strings.LastIndexByte(command, ' ')+1:], "."), "/")
	output, status := w.runIn(t, dir, command, "")
	assert.NotZero(t, status, output)
	write(t, dir, map[string]string{to + "/fullchain.pem": "old", to + "/privkey.pem": "old"})
	require.NoError(t, os.Chmod(filepath.Join(dir, to, "privkey.pem"), 0o640))
	w.does(t, dir, command)
	assert.Equal(t, "new certificate", content(t, dir, to+"/fullchain.pem"))
	assert.Equal(t, "new key", content(t, dir, to+"/privkey.pem"))
	assert.Equal(t, os.FileMode(0o640), stat(t, dir, to+"/privkey.pem").Mode())
}

// joins wants certificate and key in one file.
func joins(name string, user uint32) func(*testing.T, *world, string) {
	return func(t *testing.T, w *world, command string) {
		asRoot(t)
		dir := operator(t)
		write(t, dir, map[string]string{name: "old"})
		w.does(t, dir, command)
		assert.Equal(t, "new certificatenew key", content(t, dir, name))
		info := stat(t, dir, name)
		assert.Equal(t, os.FileMode(0o600), info.Mode(), "a key is in it")
		assert.Equal(t, user, info.Sys().(*syscall.Stat_t).Uid)
	}
}

// finds wants a part of what a command prints of a file.
func finds(name, text, part string) func(*testing.T, *world, string) {
	return func(t *testing.T, w *world, command string) {
		dir := t.TempDir()
		write(t, dir, map[string]string{name: text})
		assert.Contains(t, w.does(t, dir, command), part)
	}
}

// testPanelScript copies and restarts where the panel has another certificate than the
// server, and does nothing where it has the same.
func testPanelScript(t *testing.T, w *world, command string) {
	w = w.with(t, "docker", `echo "$@" >> calls`)
	w.program(t, "systemctl", `echo "$@" >> calls`)
	dir := t.TempDir()
	const panel = "www/server/panel/vhost/cert/im.example.com/"
	copied := "opt/wukongim/wukongimdata/certs/"
	if strings.Contains(command, "systemctl") {
		copied = "opt/wukongim/certs/"
	}
	write(t, dir, map[string]string{panel + "fullchain.pem": "new", panel + "privkey.pem": "new key", copied + "fullchain.pem": "old", copied + "privkey.pem": "old key"})
	w.does(t, dir, command)
	for range 2 {
		w.does(t, dir, "/opt/wukongim/copy-certificate.sh")
	}
	assert.Equal(t, "new", content(t, dir, copied+"fullchain.pem"))
	assert.Equal(t, "new key", content(t, dir, copied+"privkey.pem"))
	assert.Equal(t, 1, strings.Count(content(t, dir, "calls"), "restart"), "once, for the second run finds the same")
}

// installs wants both files in a folder that need not be there, the key for its owner
// alone.
func installs(folder string) func(*testing.T, *world, string) {
	return func(t *testing.T, w *world, command string) {
		dir := operator(t)
		w.does(t, dir, command)
		assert.Equal(t, "new certificate", content(t, dir, folder+"/fullchain.pem"))
		assert.Equal(t, "new key", content(t, dir, folder+"/privkey.pem"))
		assert.Equal(t, os.FileMode(0o600), stat(t, dir, folder+"/privkey.pem").Mode())
	}
}
