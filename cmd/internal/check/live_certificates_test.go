package check

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
)

func ended(c *x509.Certificate) { c.NotAfter = time.Now().Add(-48 * time.Hour) }

// twoAddresses gives the site a second address, which serves another certificate.
func (s *site) twoAddresses(other *pkitest.Authority) {
	first := listen(s.t, "127.0.0.1:0")
	_, port, err := net.SplitHostPort(first.Addr().String())
	require.NoError(s.t, err)
	s.live.Addr = "wss://" + net.JoinHostPort(siteName, port)
	serveOn(s.t, first, &tls.Config{Certificates: []tls.Certificate{s.certificate()}}, s.wss)
	second := &tls.Config{Certificates: []tls.Certificate{withChain(other, nil, s.intermediate)}}
	serveOn(s.t, listen(s.t, net.JoinHostPort("127.0.0.2", port)), second, s.wss)
	s.live.resolver = serveDNS(s.t, map[string][]string{siteName + ".": {"127.0.0.1", "127.0.0.2"}})
}

// inTurn serves the certificates one after the other, as servers behind a balancer
// that have not all been renewed.
func (s *site) inTurn(others ...*pkitest.Authority) {
	all := []tls.Certificate{s.certificate()}
	for _, other := range others {
		all = append(all, withChain(other, nil, s.intermediate))
	}
	var turn atomic.Int64
	s.config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		n := int(turn.Add(1)-1) % len(all)
		return &tls.Config{Certificates: all[n : n+1], NextProtos: []string{"http/1.1"}}, nil
	}
	s.config.Certificates = all[:1]
}

// forVersion12 serves another certificate to clients of TLS 1.2.
func (s *site) forVersion12(other *pkitest.Authority) {
	new, old := s.certificate(), withChain(other, nil, s.intermediate)
	s.config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.SupportedVersions[0] != tls.VersionTLS13 {
			return &old, nil
		}
		return &new, nil
	}
}

// ofRSA issues a certificate for an RSA key.
func (s *site) ofRSA(edit func(*x509.Certificate)) *pkitest.Authority {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(s.t, err)
	return issue(s.intermediate, key, edit)
}

func (s *site) ofECDSA(edit func(*x509.Certificate)) *pkitest.Authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(s.t, err)
	return issue(s.intermediate, key, edit)
}

// TestWorstOfSeveralCertificatesDecides: a site that serves one good certificate and
// one that ended. What one of them is in order in is not ruled out.
func TestWorstOfSeveralCertificatesDecides(t *testing.T) {
	for name, c := range map[string]struct {
		set func(*site)
		key string
	}{
		"second address": {func(s *site) { s.twoAddresses(issue(s.intermediate, nil, ended)) }, "addresses"},
		"in turn": {func(s *site) {
			s.inTurn(issue(s.intermediate, nil, ended))
			s.live.Repeat = 3
		}, "turn"},
		"one in four": {func(s *site) {
			s.inTurn(s.leaf, s.leaf, issue(s.intermediate, nil, ended))
			s.live.Repeat = 3
		}, "turn"},
		"two in three, of both versions": {func(s *site) {
			s.inTurn(issue(s.intermediate, nil, ended), issue(s.intermediate, nil, ended))
			s.live.Repeat = 9
		}, "turn"},
		"TLS 1.2": {func(s *site) { s.forVersion12(issue(s.intermediate, nil, ended)) }, "versions"},
		"RSA": {func(s *site) {
			s.leaf = s.ofECDSA(nil)
			s.config.Certificates = []tls.Certificate{s.certificate(), withChain(s.ofRSA(ended), nil, s.intermediate)}
		}, "kinds"},
		"ECDSA": {func(s *site) {
			s.leaf = s.ofRSA(nil)
			s.config.Certificates = []tls.Certificate{s.certificate(), withChain(s.ofECDSA(ended), nil, s.intermediate)}
		}, "kinds"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			c.set(s)
			results := s.check()
			requireOneFailure(t, results, "live-dates", "cert-expired", "expired")
			assert.Equal(t, c.key, find(t, results, "live-certificates").Key)
			dates := find(t, results, "live-dates")
			assert.Empty(t, dates.RulesOut)
			assert.NotEmpty(t, dates.Met, "where")
			assert.Equal(t, []string{"hostname-mismatch"}, find(t, results, "live-names").RulesOut)
		})
	}
}

func TestCertificateForEachKindOfKeyIsInOrder(t *testing.T) {
	s := newSite(t)
	s.leaf = s.ofECDSA(nil)
	s.config.Certificates = []tls.Certificate{s.certificate(), withChain(s.ofRSA(nil), nil, s.intermediate)}
	s.live.Repeat = 3
	results := s.check()
	assert.Empty(t, byStatus(results, Fail), "%+v", results)
	r := find(t, results, "live-certificates")
	assert.Equal(t, Pass, r.Status, "%+v", r)
	assert.Equal(t, 2, r.Args[0].V)
	assert.Equal(t, []string{"cert-expired", "cert-not-yet-valid"}, find(t, results, "live-dates").RulesOut)
}

func TestMissingIntermediateOnOneOfTwoServers(t *testing.T) {
	s := newSite(t)
	bare := withChain(s.leaf, nil)
	whole := s.certificate()
	var turn atomic.Int64
	s.config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if turn.Add(1)%2 == 0 {
			return &bare, nil
		}
		return &whole, nil
	}
	results := s.check()
	requireOneFailure(t, results, "live-served", "chain-incomplete", "missing-at")
	assert.Equal(t, "chains", find(t, results, "live-certificates").Key)
	assert.Empty(t, find(t, results, "live-served").RulesOut)
}

func TestAddressThatRefusesWhatAnotherAccepts(t *testing.T) {
	s := newSite(t)
	s.twoAddresses(s.leaf)
	_, port, err := net.SplitHostPort(s.live.Addr[len("wss://"):])
	require.NoError(t, err)
	serveOn(t, listen(t, net.JoinHostPort("127.0.0.3", port)), &tls.Config{Certificates: []tls.Certificate{s.certificate()}, MaxVersion: tls.VersionTLS11}, s.wss)
	s.live.resolver = serveDNS(t, map[string][]string{siteName + ".": {"127.0.0.1", "127.0.0.2", "127.0.0.3"}})
	results := s.check()
	requireOneFailure(t, results, "live-certificates", "protocol-version", "refused")
	assert.Equal(t, "127.0.0.3:"+port, find(t, results, "live-certificates").Args[0].V)
	assert.Equal(t, SomeClients, find(t, results, "live-certificates").Breaks)
}

// TestOneOfManyServersThatHangsUp is a warning: a handshake may be cut by anything.
func TestOneOfManyServersThatHangsUp(t *testing.T) {
	s := newSite(t)
	var turn atomic.Int64
	s.config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if turn.Add(1) == 6 {
			return &tls.Config{MaxVersion: tls.VersionTLS11}, nil
		}
		return nil, nil
	}
	s.live.Repeat = 3
	results := s.check()
	assert.Empty(t, byStatus(results, Fail), "%+v", results)
	assert.Equal(t, "sometimes", find(t, results, "live-certificates").Key)
}
