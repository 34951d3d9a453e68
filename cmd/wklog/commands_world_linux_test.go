package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
)

// authorities of the whole test: those of the servers and of the files.
var authorities = sync.OnceValue(func() *pkitest.PKI {
	root := pkitest.NewRoot("Example Root", time.Now())
	return &pkitest.PKI{Root: root, Intermediate: root.CA("Example Intermediate"), Other: pkitest.NewRoot("Other Root", time.Now())}
})

const aDay = 24 * time.Hour

// named gives a certificate the names of the servers, and the addresses of its
// authority.
func named(c *x509.Certificate) {
	c.Subject.CommonName, c.DNSNames = "im.example.com", []string{"im.example.com", "hook.example.com"}
	c.IssuingCertificateURL = []string{"http://ca.example.com/intermediate.der"}
	c.CRLDistributionPoints = []string{"http://ca.example.com/ca.crl"}
}

func issued(a *pkitest.Authority, key crypto.Signer, changes ...func(*x509.Certificate)) tls.Certificate {
	leaf := a.Issue(key, func(c *x509.Certificate) {
		named(c)
		for _, change := range changes {
			change(c)
		}
	})
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

func with(c tls.Certificate, chain ...*pkitest.Authority) tls.Certificate {
	for _, a := range chain {
		c.Certificate = append(c.Certificate, a.Certificate.Raw)
	}
	return c
}

// serveStates starts a server in each state and gives their addresses.
func serveStates(t *testing.T, dir string) map[string]string {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "root.pem"), []byte(pkitest.PEM(authorities().Root.Certificate)), 0o600))
	inter, other := authorities().Intermediate, authorities().Other
	otherInter := other.CA("Other Intermediate")
	good := with(issued(inter, pkitest.Key()), inter)
	rsaKey := func(bits int) crypto.Signer { return pkitest.Must(rsa.GenerateKey(rand.Reader, bits)) }
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	clients := x509.NewCertPool()
	clients.AddCert(authorities().Root.Certificate)
	configs := map[string]*tls.Config{
		"good": {},
		"wrong-name": {Certificates: []tls.Certificate{with(issued(inter, pkitest.Key(), func(c *x509.Certificate) {
			c.DNSNames = []string{"www.example.org"}
		}), inter)}},
		"no-intermediate": {Certificates: []tls.Certificate{issued(inter, pkitest.Key())}},
		"self-signed":     {Certificates: []tls.Certificate{issued(&pkitest.Authority{Now: authorities().Root.Now}, pkitest.Key())}},
		"private-root":    {Certificates: []tls.Certificate{with(issued(other, pkitest.Key()), other)}},
		"unknown-issuer":  {Certificates: []tls.Certificate{issued(other, pkitest.Key())}},
		"unknown-root":    {Certificates: []tls.Certificate{with(issued(otherInter, pkitest.Key()), otherInter)}},
		"expired": {Certificates: []tls.Certificate{with(issued(inter, pkitest.Key(), func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-100*aDay), time.Now().Add(-aDay)
		}), inter)}},
		"not-yet-valid": {Certificates: []tls.Certificate{with(issued(inter, pkitest.Key(), func(c *x509.Certificate) {
			c.NotBefore = time.Now().Add(aDay)
		}), inter)}},
		"rsa":     {Certificates: []tls.Certificate{with(issued(inter, rsaKey(2048)), inter)}},
		"weak":    {Certificates: []tls.Certificate{with(issued(inter, rsaKey(1024)), inter)}},
		"p-384":   {Certificates: []tls.Certificate{with(issued(inter, pkitest.Must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))), inter)}},
		"edwards": {Certificates: []tls.Certificate{with(issued(inter, edKey), inter)}},
		"client-usage": {Certificates: []tls.Certificate{with(issued(inter, pkitest.Key(), func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), inter)}},
		"old-versions":       {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"tls-1.2":            {MaxVersion: tls.VersionTLS12},
		"tls-1.3":            {MinVersion: tls.VersionTLS13},
		"no-resumption":      {SessionTicketsDisabled: true},
		"client-certificate": {ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients},
		"old-ciphers":        {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}},
		"http-1.1":           {NextProtos: []string{"http/1.1"}},
		"h2":                 {NextProtos: []string{"h2"}},
		"grpc":               {NextProtos: []string{"grpc-exp"}},
	}
	servers := map[string]string{"plain-http": listen(t, plain)}
	for state, config := range configs {
		if config.Certificates == nil {
			config.Certificates = []tls.Certificate{good}
		}
		servers[state] = listen(t, func(l net.Listener) { encrypted(tls.NewListener(l, config)) })
	}
	servers["api"] = servers["plain-http"]
	servers["web"] = listen(t, func(l net.Listener) { plain(tls.NewListener(l, configs["good"])) })
	servers["client-certificate-web"] = listen(t, func(l net.Listener) { plain(tls.NewListener(l, configs["client-certificate"])) })
	foreign := configs["client-certificate"].Clone()
	foreign.ClientCAs = x509.NewCertPool() // the client has a certificate of somebody else
	servers["client-certificate-other"] = listen(t, func(l net.Listener) { plain(tls.NewListener(l, foreign)) })
	// WuKongIM's ports 5100 and 5200 end the connection at what they cannot read.
	servers["closing"] = listen(t, each(func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) }))
	servers["reset"] = listen(t, each(func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1))
		_ = conn.(*net.TCPConn).SetLinger(0)
	}))
	for _, state := range []string{"good-file", "file-revoked"} {
		servers[state] = servers["api"]
	}
	servers["silent"] = listen(t, each(func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }))
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	servers["refused"] = closed.Addr().String()
	require.NoError(t, closed.Close())
	return servers
}

func listen(t *testing.T, serve func(net.Listener)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go serve(l)
	return l.Addr().String()
}

// each answers each connection and closes it.
func each(answer func(net.Conn)) func(net.Listener) {
	return func(l net.Listener) {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				answer(conn)
			}()
		}
	}
}

// http1 is no HTTP/2.
var http1 = map[string]func(*http.Server, *tls.Conn, http.Handler){}

// encrypted serves the WebSocket as WuKongIM does: another request gets no
// answer.
func encrypted(l net.Listener) {
	server := &http.Server{
		TLSNextProto: http1, ErrorLog: quiet,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") == "" {
				panic(http.ErrAbortHandler)
			}
			if conn, err := websocket.Accept(w, r, nil); err == nil {
				_ = conn.CloseNow()
			}
		}),
	}
	_ = server.Serve(l)
}

// plain serves what is asked for without TLS: WuKongIM's API, and the files of
// an authority.
func plain(l net.Listener) {
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"status":"ok"}`) })
	mux.HandleFunc("/route", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"tcp_addr":"im.example.com:5100","ws_addr":"ws://im.example.com:5200","wss_addr":"wss://im.example.com:5210"}`)
	})
	mux.HandleFunc("/intermediate.der", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(authorities().Intermediate.Certificate.Raw)
	})
	mux.HandleFunc("/ca.crl", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(pkitest.Must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(aDay),
			RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: revokedSerial, RevocationTime: time.Now()}},
		}, &x509.Certificate{
			Subject: authorities().Intermediate.Certificate.Subject, SubjectKeyId: authorities().Intermediate.Certificate.SubjectKeyId, KeyUsage: x509.KeyUsageCRLSign,
		}, authorities().Intermediate.Key)))
	})
	mux.HandleFunc("/{$}", func(http.ResponseWriter, *http.Request) {})
	_ = (&http.Server{Handler: mux, ErrorLog: quiet, TLSNextProto: http1}).Serve(l)
}

var revokedSerial = big.NewInt(0xabcdef0123)

// writeFiles makes the folder of a state: that of an operator whose files are in
// order, or not.
func writeFiles(t *testing.T, dir, state string) {
	t.Helper()
	inter := authorities().Intermediate
	signer, key := inter, pkitest.Key()
	var change func(*x509.Certificate)
	switch state {
	case "file-expired":
		change = func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-100*aDay), time.Now().Add(-aDay)
		}
	case "file-of-another-name":
		change = func(c *x509.Certificate) { c.DNSNames = []string{"www.example.org"} }
	case "file-revoked":
		change = func(c *x509.Certificate) { c.SerialNumber = revokedSerial }
	case "file-weak":
		key = pkitest.Must(rsa.GenerateKey(rand.Reader, 1024))
	case "file-client-usage":
		change = func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }
	case "file-of-unknown-root":
		signer = authorities().Other
	case "file-self-signed":
		signer = &pkitest.Authority{Now: inter.Now}
	case "file-rsa":
		key = pkitest.Must(rsa.GenerateKey(rand.Reader, 2048))
	}
	leaf := issued(signer, key, func(c *x509.Certificate) {
		if change != nil {
			change(c)
		}
	}).Leaf.Raw
	if state == "file-damaged" {
		leaf = append([]byte{}, leaf...)
		leaf[len(leaf)-1] ^= 1
	}
	cert, intermediate := pkitest.Block("CERTIFICATE", leaf), pkitest.PEM(inter.Certificate)
	fullchain, private := cert+intermediate, pkitest.KeyPEM(key)
	switch state {
	case "file-without-intermediate":
		fullchain = cert
	case "file-in-wrong-order":
		fullchain = intermediate + cert
	case "file-of-another-key":
		private = pkitest.KeyPEM(pkitest.Key())
	case "files-swapped":
		fullchain, private = private, fullchain
	case "file-joined":
		fullchain = strings.TrimSuffix(cert, "\n") + intermediate
	case "file-cut":
		fullchain = fullchain[:100]
	}
	client := pkitest.Key()
	write(t, dir, map[string]string{
		"fullchain.pem": fullchain, "privkey.pem": private, "cert.pem": cert, "intermediate.pem": intermediate,
		"private-ca.pem":                              pkitest.PEM(authorities().Other.Certificate),
		"wukongimdata/certs/fullchain.pem":            fullchain,
		"wukongimdata/certs/privkey.pem":              private,
		"opt/wukongim/certs/fullchain.pem":            fullchain,
		"opt/wukongim/certs/privkey.pem":              private,
		"opt/wukongim/wukongimdata/certs/privkey.pem": private,
		"client.pem": pkitest.PEM(issued(authorities().Root, client, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}).Leaf),
		"client.key":           pkitest.KeyPEM(client),
		"wukongimdata/wk.yaml": "mode: release\nwssConfig:\n  certFile: /root/wukongim/certs/fullchain.pem\nwssAddr: \"wss://0.0.0.0:5210\"\nexternal:\n  wssAddr: \"wss://im.example.com:5210\"\n",
	})
	if state == "key-encrypted" {
		write(t, dir, map[string]string{"privkey.pem": encryptedKey})
	}
}

// encryptedKey begins as OpenSSL writes it; no test decrypts it.
const encryptedKey = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n"

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
}
