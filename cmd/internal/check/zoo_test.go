package check

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"

	"wklog/cmd/internal/pkitest"
)

// Animal is an endpoint of the zoo with what is true of it.
type Animal struct {
	Name string
	// Cause is the one fault, empty where there is none.
	Cause string
	// Check names the check that has to warn, where the fault is none of all clients.
	Check string
	// Live is how to check it; Addr and the address that others have to take.
	Live    Live
	Address string
	// TLS says that the fault is one that a tool without WebSocket can see.
	TLS bool
	// NoUpgrade is for a server that has TLS and no WebSocket.
	NoUpgrade bool
	// Root is the certificate that its clients trust.
	Root *x509.Certificate
}

// zoo is what the endpoints share: one PKI, and a key of each kind.
type zoo struct {
	*site
	rsa, rsa1024, p384, p521, ed *pkitest.Authority // keys with a good certificate
	foreign                      *pkitest.Authority
	animals                      []Animal
	// each is called for every certificate too, where more servers than crypto/tls are
	// tried.
	each func(name, cause, check string, leaf *pkitest.Authority, staple []byte, chain ...*pkitest.Authority)
}

// variety is a way to serve a certificate.
type variety struct {
	name, host string
	min, max   uint16
}

var varieties = []variety{
	{"IPv4", "127.0.0.1", tls.VersionTLS12, tls.VersionTLS13},
	{"IPv6, TLS 1.3", "::1", tls.VersionTLS13, tls.VersionTLS13},
	{"TLS 1.2", "127.0.0.1", tls.VersionTLS12, tls.VersionTLS12},
}

// NewZoo makes at least 180 endpoints, which serve until the end of the test.
func NewZoo(t *testing.T) []Animal {
	z := &zoo{site: newSite(t)}
	if os.Getenv("ZOO") == "full" {
		z.each = func(name, cause, check string, leaf *pkitest.Authority, staple []byte, chain ...*pkitest.Authority) {
			z.byNginx(t, name, cause, check, leaf, staple, chain...)
			z.byOpenSSL(t, name, cause, check, leaf, staple, chain...)
		}
	}
	key := func(k crypto.Signer, err error) *pkitest.Authority {
		require.NoError(t, err)
		return issue(z.intermediate, k, nil)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	z.rsa1024 = key(small, err)
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	z.rsa = key(large, err)
	medium, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	z.p384 = key(medium, err)
	huge, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	z.p521 = key(huge, err)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	z.ed = key(edwards, err)
	z.foreign = pkitest.New(time.Now()).Intermediate
	z.certificates()
	z.protocols()
	z.upgrades()
	z.ports()
	z.several()
	return z.animals
}

// issued makes a leaf of the site's intermediate by a key of another.
func (z *zoo) issued(like *pkitest.Authority, edit func(*x509.Certificate)) *pkitest.Authority {
	return issue(z.intermediate, like.Key, edit)
}

// add puts an endpoint in, at addresses of the one name.
func (z *zoo) add(a Animal, port string, hosts ...string) {
	a.Live, a.Root = z.live, z.root.Certificate
	a.Live.Timeout = 2 * time.Second
	a.Live.Addr, a.Address = "wss://"+net.JoinHostPort(siteName, port), net.JoinHostPort(hosts[0], port)
	a.Live.resolver = serveDNS(z.t, map[string][]string{siteName + ".": hosts})
	z.animals = append(z.animals, a)
}

// serve lets a certificate be served in each way.
func (z *zoo) serve(name, cause, check string, leaf *pkitest.Authority, staple []byte, chain ...*pkitest.Authority) {
	for _, v := range varieties {
		config := &tls.Config{Certificates: []tls.Certificate{withChain(leaf, staple, chain...)}, MinVersion: v.min, MaxVersion: v.max}
		z.serveConfig(name+", "+v.name, cause, check, v.host, config, z.wss)
	}
	if z.each != nil {
		z.each(name, cause, check, leaf, staple, chain...)
	}
}

func (z *zoo) serveConfig(name, cause, check, host string, config *tls.Config, handler http.Handler) {
	host = reachable(host)
	address := serveOn(z.t, listen(z.t, net.JoinHostPort(host, "0")), config, handler)
	_, port, err := net.SplitHostPort(address)
	require.NoError(z.t, err)
	z.add(Animal{Name: name, Cause: cause, Check: check, TLS: true}, port, host)
}

func years(n int) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(n, 0, 0) }
}

func called(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = names }
}

// certificates has the faults of certificates and chains, and those that have none.
func (z *zoo) certificates() {
	from := func(begin, end time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(begin), time.Now().Add(end) }
	}
	usage := func(list ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = list }
	}
	ca := func(issuer *pkitest.Authority, name string, edit func(*x509.Certificate)) *pkitest.Authority {
		made := &pkitest.Authority{Now: issuer.Now, Key: pkitest.Key()}
		made.Certificate = issuer.Issue(made.Key, func(c *x509.Certificate) {
			c.Subject, c.DNSNames, c.ExtKeyUsage, c.IssuingCertificateURL = pkix.Name{CommonName: name}, nil, nil, nil
			c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
			c.NotBefore, c.NotAfter = issuer.Now.AddDate(-1, 0, 0), issuer.Now.AddDate(5, 0, 0)
			edit(c)
		})
		return made
	}
	none := func(*x509.Certificate) {}
	ended := ca(z.root, "Wangwei Ended CA", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-aDay) })
	limited := ca(z.root, "Wangwei Limited CA", func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"other.wangwei-corp.cn"}, true
	})
	short := ca(z.root, "Wangwei Short CA", func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
	deep := ca(short, "Wangwei Deep CA", none)
	selfSigned := issue(selfMade(), nil, func(c *x509.Certificate) { c.IssuingCertificateURL = nil })
	otherRoot := foreignRoot("Wangwei Private Root")
	ec := func(edit func(*x509.Certificate)) *pkitest.Authority { return issue(z.intermediate, z.leaf.Key, edit) }
	revoked := pkitest.Must(ocsp.CreateResponse(z.intermediate.Certificate, z.intermediate.Certificate, ocsp.Response{
		Status: ocsp.Revoked, SerialNumber: z.leaf.Certificate.SerialNumber, ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(aDay), RevokedAt: time.Now().Add(-aDay),
	}, z.intermediate.Key))
	for _, c := range []struct {
		name, cause, check string
		leaf               *pkitest.Authority
		staple             []byte
		chain              []*pkitest.Authority
	}{
		{"expired", "cert-expired", "", ec(from(-90*aDay, -2*aDay)), nil, z.chain},
		{"expired 90 minutes ago", "cert-expired", "", ec(from(-90*aDay, -90*time.Minute)), nil, z.chain},
		{"RSA, expired", "cert-expired", "", z.issued(z.rsa, from(-90*aDay, -2*aDay)), nil, z.chain},
		{"intermediate expired", "cert-expired", "", issue(ended, nil, nil), nil, []*pkitest.Authority{ended}},
		{"begins in ten minutes", "cert-not-yet-valid", "", ec(from(10*time.Minute, 90*aDay)), nil, z.chain},
		{"begins in a year", "cert-not-yet-valid", "", z.issued(z.rsa, from(365*aDay, 400*aDay)), nil, z.chain},
		{"other name", "hostname-mismatch", "", ec(called("www.wangwei-corp.cn")), nil, z.chain},
		{"common name alone", "hostname-mismatch", "", ec(called()), nil, z.chain},
		{"wildcard below", "hostname-mismatch", "", ec(called("*.im.wangwei-corp.cn")), nil, z.chain},
		{"wildcard of another", "hostname-mismatch", "", z.issued(z.rsa, called("*.wangwei-corp.com")), nil, z.chain},
		{"part of a label", "hostname-mismatch", "", ec(called("i*.wangwei-corp.cn")), nil, z.chain},
		{"name with a port", "hostname-mismatch", "", ec(called("im.wangwei-corp.cn:5210")), nil, z.chain},
		{"self-signed", "untrusted-ca", "", selfSigned, nil, nil},
		{"private root", "untrusted-ca", "", issue(otherRoot, nil, nil), nil, []*pkitest.Authority{otherRoot}},
		{"name constraints", "untrusted-ca", "", issue(limited, nil, nil), nil, []*pkitest.Authority{limited}},
		{"path too long", "untrusted-ca", "", issue(deep, nil, nil), nil, []*pkitest.Authority{deep, short}},
		{"no intermediate", "chain-incomplete", "", z.leaf, nil, nil},
		{"RSA, no intermediate", "chain-incomplete", "", z.rsa, nil, nil},
		{"wrong intermediate", "chain-incomplete", "", z.leaf, nil, []*pkitest.Authority{z.foreign}},
		{"root in place of the intermediate", "chain-incomplete", "", z.leaf, nil, []*pkitest.Authority{z.root}},
		{"RSA 1024", "cert-unsupported", "", z.rsa1024, nil, z.chain},
		{"P-521", "cert-unsupported", "", z.p521, nil, z.chain},
		{"Ed25519", "cert-unsupported", "", z.ed, nil, z.chain},
		{"for clients", "cert-unsupported", "", ec(usage(x509.ExtKeyUsageClientAuth)), nil, z.chain},
		{"for code", "cert-unsupported", "", z.issued(z.rsa, usage(x509.ExtKeyUsageCodeSigning)), nil, z.chain},
		{"revoked", "cert-revoked", "", z.leaf, revoked, z.chain},

		{"ends in five hours", "", "live-dates", ec(from(-89*aDay, 5*time.Hour)), nil, z.chain},
		{"ten years", "", "live-lifetime", ec(years(10)), nil, z.chain},
		{"root sent", "", "live-served", z.leaf, nil, []*pkitest.Authority{z.intermediate, z.root}},
		{"out of order", "", "live-served", z.leaf, nil, []*pkitest.Authority{z.root, z.intermediate}},

		{"ECDSA", "", "", z.leaf, nil, z.chain},
		{"RSA 2048", "", "", z.rsa, nil, z.chain},
		{"P-384", "", "", z.p384, nil, z.chain},
		{"capital letters", "", "", ec(called("IM.WANGWEI-CORP.CN")), nil, z.chain},
		{"wildcard", "", "", ec(called("*.wangwei-corp.cn")), nil, z.chain},
		{"many names", "", "", ec(called(append(strings.Fields(strings.Repeat("a.wangwei-corp.cn ", 300)), siteName)...)), nil, z.chain},
		{"no subject", "", "", ec(func(c *x509.Certificate) { c.Subject = pkix.Name{} }), nil, z.chain},
		{"no extended usage", "", "", ec(usage()), nil, z.chain},
		{"for servers and clients", "", "", z.issued(z.rsa, usage(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)), nil, z.chain},
		{"of the root", "", "", issue(z.root, nil, nil), nil, nil},
		{"six days", "", "", ec(from(-aDay, 5*aDay)), nil, z.chain},
	} {
		z.serve(c.name, c.cause, c.check, c.leaf, c.staple, c.chain...)
	}
}

// protocols has versions, suites, names and client certificates.
func (z *zoo) protocols() {
	pair := []tls.Certificate{withChain(z.leaf, nil, z.chain...)}
	rsaPair := []tls.Certificate{withChain(z.rsa, nil, z.chain...)}
	for _, host := range []string{"127.0.0.1", "::1"} {
		for name, c := range map[string]struct {
			cause, check string
			config       *tls.Config
		}{
			"TLS 1.1":             {"protocol-version", "", &tls.Config{Certificates: pair, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}},
			"TLS 1.0":             {"protocol-version", "", &tls.Config{Certificates: rsaPair, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}},
			"3DES":                {"cipher-mismatch", "", &tls.Config{Certificates: rsaPair, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}}},
			"RC4":                 {"cipher-mismatch", "", &tls.Config{Certificates: rsaPair, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}}},
			"client certificate":  {"client-certificate", "", &tls.Config{Certificates: pair, ClientAuth: tls.RequireAnyClientCert}},
			"the same by TLS 1.2": {"client-certificate", "", &tls.Config{Certificates: pair, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}},
			"mqtt alone": {"alpn-mismatch", "", &tls.Config{Certificates: pair, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
				return &tls.Config{Certificates: pair, NextProtos: []string{"mqtt"}}, nil
			}}},
			"by its name only": {"", "live-sni", &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				if hello.ServerName == "" {
					return nil, fmt.Errorf("no name")
				}
				return &pair[0], nil
			}}},
			"certificates wished for": {"", "", &tls.Config{Certificates: pair, ClientAuth: tls.RequestClientCert}},
		} {
			z.serveConfig(name+", "+host, c.cause, c.check, host, c.config, z.wss)
		}
	}
}

// upgrades has what proxies answer.
func (z *zoo) upgrades() {
	hijacked := func(answer string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				io.WriteString(conn, answer)
				conn.Close()
			}
		})
	}
	handlers := map[string]http.Handler{
		"wrong key":   hijacked("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n"),
		"closed":      hijacked(""),
		"no HTTP":     hijacked("hello\r\n\r\n"),
		"redirection": answering(301, "", "Location", "https://www.wangwei-corp.cn/ws"),
	}
	for _, status := range []int{200, 400, 401, 403, 404, 426, 429, 500, 502, 503, 504, 521, 525} {
		handlers[fmt.Sprint("status ", status)] = answering(status, "<title>refused</title>")
	}
	for name, handler := range handlers {
		pair := withChain(z.leaf, nil, z.chain...)
		z.serveConfig(name, "connection-interrupted", "", "127.0.0.1", &tls.Config{Certificates: []tls.Certificate{pair}}, handler)
		z.animals[len(z.animals)-1].TLS = false
	}
}

// ports has those that speak no TLS, or nothing.
func (z *zoo) ports() {
	saying := func(words string) func(context.Context, net.Conn) {
		return func(ctx context.Context, conn net.Conn) {
			io.WriteString(conn, words)
			conn.Read(make([]byte, 4096))
		}
	}
	pair := withChain(z.leaf, nil, z.chain...)
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	port := func(name, cause, address string) {
		host, number, err := net.SplitHostPort(address)
		require.NoError(z.t, err)
		z.add(Animal{Name: name, Cause: cause, TLS: true}, number, host)
	}
	port("closed", "connection-interrupted", closedPort(z.t))
	port("plain ws", "tls-on-plaintext-port", serveHTTP(z.t, nil, z.wss))
	port("plain ws that hangs up", "tls-on-plaintext-port", serveRaw(z.t, func(ctx context.Context, conn net.Conn) {
		first := make([]byte, 4096)
		n, err := conn.Read(first)
		if err == nil && first[0] != 0x16 && n > 0 {
			io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
		}
	}))
	port("SSH", "tls-on-plaintext-port", serveRaw(z.t, saying("SSH-2.0-OpenSSH_9.2\r\n")))
	port("MySQL", "tls-on-plaintext-port", serveRaw(z.t, saying("J\x00\x00\x00\x0a8.0.36\x00")))
	port("Redis", "tls-on-plaintext-port", serveRaw(z.t, saying("-ERR unknown command\r\n")))
	port("hangs up", "connection-interrupted", serveRaw(z.t, hangUp))
	port("large ClientHello", "connection-interrupted", middlebox(z.t, serveHTTP(z.t, config, z.wss), func(context.Context, net.Conn) {}))
}

// several has the four ways to serve two certificates of which one is at fault, and each
// of the ways with two good ones.
func (z *zoo) several() {
	for _, fault := range []struct {
		name, cause string
		edit        func(*x509.Certificate)
	}{
		{"expired", "cert-expired", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-aDay) }},
		{"other name", "hostname-mismatch", called("www.wangwei-corp.cn")},
		{"not begun", "cert-not-yet-valid", func(c *x509.Certificate) { c.NotBefore = time.Now().Add(aDay) }},
		{"in order", "", nil},
	} {
		good, bad := withChain(z.leaf, nil, z.chain...), withChain(z.issued(z.rsa, fault.edit), nil, z.chain...)
		same := withChain(issue(z.intermediate, z.p384.Key, fault.edit), nil, z.chain...)
		warn := map[bool]string{true: "live-certificates"}[fault.cause == ""]
		one := func(c *tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{*c}} }
		for _, second := range []string{"127.0.0.2", reachable("::1")} {
			port := freeAt(z.t, "127.0.0.1", second)
			serveOn(z.t, listen(z.t, net.JoinHostPort("127.0.0.1", port)), one(&good), z.wss)
			serveOn(z.t, listen(z.t, net.JoinHostPort(second, port)), one(&same), z.wss)
			z.add(Animal{Name: "second address, " + second + ", " + fault.name, Cause: fault.cause, Check: warn, TLS: true}, port, "127.0.0.1", second)
		}
		var turn atomic.Int64
		z.serveConfig("every second handshake, "+fault.name, fault.cause, warn, "127.0.0.1", &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if turn.Add(1)%2 == 0 {
				return &same, nil
			}
			return &good, nil
		}}, z.wss)
		z.animals[len(z.animals)-1].Live.Repeat = 3
		z.serveConfig("TLS 1.2, "+fault.name, fault.cause, warn, "127.0.0.1", &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.SupportedVersions[0] != tls.VersionTLS13 {
				return &same, nil
			}
			return &good, nil
		}}, z.wss)
		z.serveConfig("RSA beside ECDSA, "+fault.name, fault.cause, "", "127.0.0.1", &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if slices.ContainsFunc(hello.CipherSuites, func(id uint16) bool { return strings.Contains(tls.CipherSuiteName(id), "_ECDSA_") }) {
				return &good, nil
			}
			return &bad, nil
		}}, z.wss)
	}
}

// reachable is an address of this machine; one without IPv6 has another of IPv4.
func reachable(host string) string {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "127.0.0.6"
	}
	l.Close()
	return host
}

// freeAt is a port that is free at each of some addresses.
func freeAt(t testing.TB, hosts ...string) string {
	for range 100 {
		_, port, err := net.SplitHostPort(closedPort(t))
		require.NoError(t, err)
		taken := false
		for _, host := range hosts {
			l, err := net.Listen("tcp", net.JoinHostPort(host, port))
			if taken = taken || err != nil; err == nil {
				l.Close()
			}
		}
		if !taken {
			return port
		}
	}
	require.Fail(t, "no port is free", "%v", hosts)
	return ""
}
