package check

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"
)

// proxy is nginx before a ws server, as WuKongIM's documentation recommends.
type proxy struct {
	listen, tls, location, more string
}

func behind(backend string) proxy {
	return proxy{
		listen: "ssl",
		more:   "ssl_protocols TLSv1.2 TLSv1.3;", // before 1.23.4 the default leaves TLS 1.3 out
		location: "proxy_pass http://" + backend + `;
proxy_http_version 1.1;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection "upgrade";
proxy_set_header Host $host;`,
	}
}

// start runs nginx with the site's certificate and returns its address.
func (p proxy) start(t *testing.T, s *site) string {
	binary, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not on PATH: apt-get install nginx-light")
	}
	dir, address := t.TempDir(), closedPort(t)
	p.writeFiles(t, s, dir)
	config := fmt.Sprintf(`daemon off;
master_process off;
pid nginx.pid;
events {}
http {
access_log off;
client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
ssl_certificate %[1]s/chain.pem;
ssl_certificate_key %[1]s/key.pem;
%[6]s
server {
listen %[2]s %[3]s;
server_name %[7]s;
%[4]s
location / {
%[5]s
}
}
}
`, dir, address, p.listen, p.tls, p.location, p.more, siteName)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(strings.ReplaceAll(config, "DIR", dir)), 0o600))
	var output bytes.Buffer
	command := exec.Command(binary, "-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf"))
	command.Stderr = &output
	require.NoError(t, command.Start())
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		command.Process.Kill()
		<-ended
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, time.Minute, 10*time.Millisecond, "nginx does not listen")
	return address
}

func (p proxy) writeFiles(t *testing.T, s *site, dir string) {
	var chain bytes.Buffer
	for _, der := range s.certificate().Certificate {
		require.NoError(t, pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	key, err := x509.MarshalPKCS8PrivateKey(s.leaf.Key)
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"chain.pem":  chain.Bytes(),
		"key.pem":    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"staple.der": s.staple,
		"root.pem":   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.root.Certificate.Raw}),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
}

func TestNginxBeforeAWebSocketServer(t *testing.T) {
	const stapling = "ssl_stapling on; ssl_stapling_file DIR/staple.der;"
	for _, c := range []struct {
		name           string
		edit           func(*site, *proxy)
		id, cause, key string // of the one failure, if any
	}{
		{name: "in order", edit: func(*site, *proxy) {}},
		{name: "TLS 1.2 only", edit: func(_ *site, p *proxy) { p.more = "ssl_protocols TLSv1.2;" }},
		{name: "TLS 1.3 only", edit: func(_ *site, p *proxy) { p.more = "ssl_protocols TLSv1.3;" }},
		{"expired", func(s *site, _ *proxy) {
			s.reissue(func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-100*aDay), time.Now().Add(-aDay)
			})
		}, "live-dates", "cert-expired", "expired"},
		{"missing intermediate", func(s *site, _ *proxy) { s.chain = nil }, "live-served", "chain-incomplete", "missing-at"},
		{"revoked", func(s *site, _ *proxy) {
			s.stapled(func(r *ocsp.Response) { r.Status, r.RevokedAt = ocsp.Revoked, time.Now().Add(-aDay) })
		}, "live-ocsp", "cert-revoked", "revoked"},
		{"no upgrade headers", func(_ *site, p *proxy) {
			p.location = strings.ReplaceAll(p.location, "proxy_set_header Upgrade $http_upgrade;", "")
		}, "live-wss", "connection-interrupted", "status"},
		{"backend down", func(_ *site, p *proxy) { p.location = "proxy_pass http://127.0.0.1:1;" }, "live-wss", "connection-interrupted", "status-gateway"},
		{"client certificate", func(_ *site, p *proxy) {
			p.tls += "ssl_verify_client on; ssl_client_certificate DIR/root.pem;"
		}, "live-wss", "client-certificate", sharedReason + "handshake-client-certificate"},
		{"unknown name", func(_ *site, p *proxy) { p.tls = "ssl_reject_handshake on;" }, "live-tls13", "hostname-mismatch", sharedReason + "handshake-unrecognized"},
		{"no ssl on the listener", func(_ *site, p *proxy) { p.listen, p.tls = "", "" }, "live-tls13", "tls-on-plaintext-port", sharedReason + "handshake-plain-http"},
		{"ciphers of its own", func(_ *site, p *proxy) {
			p.more = "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-CAMELLIA128-SHA256:ECDHE-ECDSA-AES128-CCM;"
		}, "live-tls12", "cipher-mismatch", sharedReason + "handshake-cipher"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			p := behind(serveHTTP(t, nil, http.HandlerFunc(acceptWebSocket)))
			p.tls = stapling
			c.edit(s, &p)
			if s.staple == nil {
				s.stapled(func(*ocsp.Response) {})
			}
			s.live.Addr = at(t, p.start(t, s))
			s.live.Revocation.Lists = []*x509.RevocationList{listOf(s.intermediate, time.Now())}
			results := s.check()
			if c.id != "" {
				requireOneFailure(t, results, c.id, c.cause, c.key)
				return
			}
			warnings := 1
			switch c.name {
			case "in order":
				warnings = 0
			case "TLS 1.3 only":
				warnings = 2 // and which clients that shuts out
			}
			assert.Empty(t, byStatus(results, Fail), "%+v", results)
			assert.Empty(t, byStatus(results, Skip), "%+v", results)
			assert.Len(t, byStatus(results, Warn), warnings, "%+v", results)
		})
	}
}

func TestPlainPortThatNginxHoldsWithTLS(t *testing.T) {
	s := newSite(t)
	s.live.Plain = behind(serveHTTP(t, nil, http.HandlerFunc(acceptWebSocket))).start(t, s)
	requireOneFailure(t, s.check(), "live-ws", "plaintext-on-tls-port", portTLS)
}
