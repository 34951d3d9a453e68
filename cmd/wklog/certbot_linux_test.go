package main

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
)

// serveACME runs Pebble and gives its directory.
func serveACME(t *testing.T) string {
	t.Helper()
	return "https://" + listen(t, acmeServer(t)) + wfe.DirectoryPath
}

// acmeServer is Pebble, Let's Encrypt's own test server. Its certificates are due for
// renewal at once. It reads the environment.
func acmeServer(t *testing.T) (serve func(net.Listener)) {
	t.Helper()
	for name, value := range map[string]string{"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_VA_ALWAYS_VALID": "1", "PEBBLE_WFE_NONCEREJECT": "0"} {
		t.Setenv(name, value)
	}
	store := db.NewMemoryStore()
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "a day", ValidityPeriod: uint64(aDay.Seconds())}})
	server := wfe.New(quiet, store, va.New(quiet, 80, 443, false, "", store), issuer, []string{"example.com"}, false, false, 1, 1)
	config := &tls.Config{Certificates: []tls.Certificate{with(issued(authorities().Intermediate, pkitest.Key(), func(c *x509.Certificate) {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}), authorities().Intermediate)}}
	return func(l net.Listener) {
		_ = (&http.Server{Handler: server.Handler(), ErrorLog: quiet, TLSNextProto: http1}).Serve(tls.NewListener(l, config))
	}
}

// certbotMachine is a folder in which certbot's commands find an authority, and
// keep their files.
func certbotMachine(t *testing.T, w *world) string {
	t.Helper()
	dir := t.TempDir()
	_, port, err := net.SplitHostPort(unusedAddress(t))
	require.NoError(t, err)
	write(t, dir, map[string]string{"config/letsencrypt/cli.ini": strings.Join([]string{
		"server = " + w.acme, "config-dir = " + dir + "/etc/letsencrypt", "work-dir = " + dir + "/work", "logs-dir = " + dir + "/logs",
		"http-01-port = " + port, "agree-tos = true", "register-unsafely-without-email = true", "non-interactive = true",
		"no-random-sleep-on-renew = true", "",
	}, "\n")})
	return dir
}

func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

const live = "etc/letsencrypt/live/im.example.com/"

// testCertbot lets certbot fetch certificates by all commands of the catalogue at
// the same time: each waits for most of it.
func testCertbot(t *testing.T, w *world, _ string) {
	if _, err := exec.LookPath("certbot"); err != nil {
		t.Skip("certbot is not installed")
	}
	var running sync.WaitGroup
	type run struct {
		dir, command, output string
		status               int
	}
	var runs []*run
	for command := range catalogueCommands(t) {
		if !strings.HasPrefix(command, "certbot certonly") {
			continue
		}
		r := &run{dir: certbotMachine(t, w), command: command}
		runs = append(runs, r)
		writeFiles(t, r.dir, "good")
		write(t, r.dir, map[string]string{"old.key": content(t, r.dir, "privkey.pem")})
		if strings.Contains(command, "--csr") {
			w.does(t, r.dir, commandOf(t, "-out old-key.csr"))
		}
		running.Go(func() { r.output, r.status = w.runIn(t, r.dir, command, "") })
	}
	running.Wait()
	for _, r := range runs {
		require.Zero(t, r.status, "%s\n%s", r.command, r.output)
		if strings.Contains(r.command, "--csr") {
			chain := certificates(t, r.dir, "fullchain-new.pem")
			assert.Len(t, chain, 2)
			assert.Equal(t, pkitest.Must(x509.ParsePKCS8PrivateKey(pems(t, r.dir, "old.key")[0])).(*ecdsa.PrivateKey).Public(), chain[0].PublicKey)
			continue
		}
		leaf := certificates(t, r.dir, live+"fullchain.pem")[0]
		assert.Contains(t, leaf.DNSNames, "im.example.com")
		assert.Equal(t, strings.Contains(r.command, "ws.example.com"), len(leaf.DNSNames) == 2)
		if strings.Contains(r.command, "--key-type rsa") {
			assert.Equal(t, 2048, leaf.PublicKey.(*rsa.PublicKey).N.BitLen())
		} else {
			assert.Equal(t, "P-256", leaf.PublicKey.(*ecdsa.PublicKey).Params().Name)
		}
		assert.Equal(t, strings.Contains(r.command, "--reuse-key"), strings.Contains(content(t, r.dir, "etc/letsencrypt/renewal/im.example.com.conf"), "reuse_key = True"))
	}
}

// testRenewal renews a certificate of two with the deploy hook of the catalogue in
// place, the same with a new key, and then both.
func testRenewal(t *testing.T, w *world, renew string) {
	dir := certbotMachine(t, w)
	w = w.with(t, "docker", `echo "$@" >> `+filepath.Join(dir, "calls"))
	for _, domain := range []string{"im.example.com", "www.example.com"} {
		w.does(t, dir, "certbot certonly --standalone --reuse-key -d "+domain)
	}
	write(t, dir, map[string]string{"opt/wukongim/wukongimdata/certs/fullchain.pem": "old", "opt/wukongim/wukongimdata/certs/privkey.pem": "old"})
	w.does(t, dir, commandOf(t, "\"$RENEWED_LINEAGE/privkey.pem\" /opt/wukongim/wukongimdata/certs/\ndocker compose"))
	first := certificates(t, dir, live+"fullchain.pem")[0]
	w.does(t, dir, renew)
	second := certificates(t, dir, live+"fullchain.pem")[0]
	assert.NotEqual(t, first.SerialNumber, second.SerialNumber)
	assert.Equal(t, first.PublicKey, second.PublicKey)
	w.does(t, dir, commandOf(t, "--force-renewal --new-key"))
	assert.NotEqual(t, first.PublicKey, certificates(t, dir, live+"fullchain.pem")[0].PublicKey)
	w.does(t, dir, "certbot renew --force-renewal")
	installed := certificates(t, dir, "opt/wukongim/wukongimdata/certs/fullchain.pem")[0]
	assert.Equal(t, []string{"im.example.com"}, installed.DNSNames, "another domain's certificate was installed")
	assert.Equal(t, content(t, dir, live+"privkey.pem"), content(t, dir, "opt/wukongim/wukongimdata/certs/privkey.pem"))
	assert.Equal(t, 3, strings.Count(content(t, dir, "calls"), "restart wukongim"), "once for each renewal of im.example.com")
}

// certificates are those of a file.
func certificates(t *testing.T, dir, name string) (chain []*x509.Certificate) {
	t.Helper()
	for _, der := range pems(t, dir, name) {
		c, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		chain = append(chain, c)
	}
	return chain
}
