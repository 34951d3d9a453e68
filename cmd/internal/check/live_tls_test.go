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
	"net"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/mattn/go-shellwords"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/pkitest"
	"wklog/patterns"
)

const aDay = 24 * time.Hour

func TestCertificateFaultsAreToldApart(t *testing.T) {
	for _, c := range []struct {
		name           string
		break_         func(*testing.T, *site)
		id, cause, key string
	}{
		{"missing intermediate", func(_ *testing.T, s *site) { s.chain = nil }, "live-served", "chain-incomplete", "missing-at"},
		{"another name", func(_ *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) { c.DNSNames = []string{"chat.wangwei-corp.cn"} })
		}, "live-names", "hostname-mismatch", "other"},
		{"IP in the certificate only", func(_ *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(127, 0, 0, 1)} })
		}, "live-names", "hostname-mismatch", "other"},
		{"common name only", func(_ *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) { c.DNSNames = nil })
		}, "live-names", "hostname-mismatch", "none"},
		{"wildcard one level short", func(_ *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) { c.DNSNames = []string{"*.org", "*.cn"} })
		}, "live-names", "hostname-mismatch", "wildcard"},
		{"self-signed", func(t *testing.T, s *site) {
			s.leaf, s.chain = issue(selfMade(), nil, nil), nil
		}, "live-trust", "untrusted-ca", "self-signed"},
		{"private CA with its root", func(t *testing.T, s *site) {
			root := foreignRoot("Wangwei Private Root")
			s.leaf, s.chain = issue(root, nil, nil), []*pkitest.Authority{root}
		}, "live-trust", "untrusted-ca", "unknown"},
		{"private CA without its root", func(t *testing.T, s *site) {
			s.leaf, s.chain = issue(foreignRoot("Wangwei Private Root"), nil, func(c *x509.Certificate) {
				c.IssuingCertificateURL = nil
			}), nil
		}, "live-served", "chain-incomplete", "missing"},
		{"expired", func(_ *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-100*aDay), time.Now().Add(-10*aDay)
			})
		}, "live-dates", "cert-expired", "expired"},
		{"expired, under an intermediate that was renewed since", func(t *testing.T, s *site) {
			s.intermediate = issue(s.root, nil, func(c *x509.Certificate) {
				c.Subject, c.IsCA, c.KeyUsage = pkix.Name{CommonName: "Wangwei Renewed"}, true, x509.KeyUsageCertSign
				c.BasicConstraintsValid, c.NotBefore = true, time.Now().Add(-aDay)
			})
			s.chain = []*pkitest.Authority{s.intermediate}
			s.reissue(func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-100*aDay), time.Now().Add(-10*aDay)
			})
		}, "live-dates", "cert-expired", "expired"},
		{"expired intermediate", func(t *testing.T, s *site) {
			s.intermediate = issue(s.root, nil, func(c *x509.Certificate) {
				c.Subject, c.IsCA, c.KeyUsage = pkix.Name{CommonName: "Wangwei Old Intermediate"}, true, x509.KeyUsageCertSign
				c.BasicConstraintsValid = true
				c.NotBefore, c.NotAfter = time.Now().Add(-20*time.Hour), time.Now().Add(-time.Hour)
			})
			s.chain = []*pkitest.Authority{s.intermediate}
			s.reissue(func(*x509.Certificate) {})
		}, "live-dates", "cert-expired", "expired"},
		{"not yet valid", func(_ *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(2 * time.Hour) })
		}, "live-dates", "cert-not-yet-valid", "future"},
		{"revoked", func(_ *testing.T, s *site) {
			s.stapled(func(r *ocsp.Response) { r.Status, r.RevokedAt = ocsp.Revoked, time.Now().Add(-aDay) })
		}, "live-ocsp", "cert-revoked", "revoked"},
		{"for clients only", func(_ *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
		}, "live-trust", "cert-unsupported", "usage-extended"},
		{"RSA 1024", withKey(func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 1024) }), "live-trust", "cert-unsupported", "rsa"},
		{"P-521", withKey(func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P521(), rand.Reader) }), "live-trust", "cert-unsupported", "curve"},
		{"Ed25519", withKey(func() (crypto.Signer, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		}), "live-trust", "cert-unsupported", "curve"},
		{"SHA-1", func(_ *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })
		}, "live-trust", "cert-unsupported", "signature"},
		{"name constraints", func(t *testing.T, s *site) {
			s.intermediate = issue(s.root, nil, func(c *x509.Certificate) {
				c.Subject, c.IsCA, c.KeyUsage = pkix.Name{CommonName: "Wangwei Narrow"}, true, x509.KeyUsageCertSign
				c.BasicConstraintsValid = true
				c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"wangwei-corp.net"}
			})
			s.chain = []*pkitest.Authority{s.intermediate}
			s.reissue(func(*x509.Certificate) {})
		}, "live-trust", "untrusted-ca", "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			c.break_(t, s)
			requireOneFailure(t, s.check(), c.id, c.cause, c.key)
		})
	}
}

func withKey(generate func() (crypto.Signer, error)) func(*testing.T, *site) {
	return func(t *testing.T, s *site) {
		key, err := generate()
		require.NoError(t, err)
		s.leaf = issue(s.intermediate, key, nil)
	}
}

func TestMissingIntermediateIsNamedWithItsAddress(t *testing.T) {
	s := newSite(t)
	s.chain = nil
	results := s.check()
	r := find(t, results, "live-served")
	assert.Equal(t, []Value{Name.of("issuer", "Wangwei Intermediate"), Address.of("published_at", "http://ca.wangwei-corp.net/intermediate.crt")}, r.Args)
	require.Len(t, r.Fixes, 1)
	assert.Contains(t, r.Fixes[0].CommandLine(), "http://ca.wangwei-corp.net/intermediate.crt")
	assert.Equal(t, "live-served", find(t, results, "live-trust").Args[0].V)
	assert.Equal(t, Pass, find(t, results, "live-dates").Status)
}

func TestExpiredAndUntrustedAreTwoFaults(t *testing.T) {
	s := newSite(t)
	s.leaf, s.chain = issue(selfMade(), nil, func(c *x509.Certificate) {
		c.NotAfter = time.Now().Add(-time.Hour)
	}), nil
	assert.Equal(t, []string{"live-trust", "live-dates"}, byStatus(s.check(), Fail))
}

// TestExpiredCrossCertificateBesideATrustedRoot: as with Let's Encrypt in 2021,
// what is sent ends at an expired certificate, and clients take the other way.
func TestExpiredCrossCertificateBesideATrustedRoot(t *testing.T) {
	s := newSite(t)
	old := foreignRoot("Wangwei Old Root")
	cross := issue(old, s.root.Key, func(c *x509.Certificate) {
		c.Subject, c.IsCA, c.KeyUsage = s.root.Certificate.Subject, true, x509.KeyUsageCertSign
		c.BasicConstraintsValid = true
		c.SubjectKeyId = s.root.Certificate.SubjectKeyId
		c.NotBefore, c.NotAfter = time.Now().Add(-20*time.Hour), time.Now().Add(-time.Hour)
	})
	cross.Key = s.root.Key
	s.chain = append(s.chain, cross)
	results := s.check()
	assert.Empty(t, byStatus(results, Fail), "%+v", results)
	assert.Equal(t, Pass, find(t, results, "live-dates").Status)
}

func TestOddChainsAreWarnings(t *testing.T) {
	for key, edit := range map[string]func(*testing.T, *site){
		"superfluous": func(_ *testing.T, s *site) { s.chain = append(s.chain, s.root) },
		"order": func(t *testing.T, s *site) {
			second := s.intermediate.CA("Wangwei Second Intermediate")
			s.leaf = issue(second, nil, nil)
			s.chain = []*pkitest.Authority{s.intermediate, second}
		},
		"long": func(t *testing.T, s *site) {
			for i := range 60 {
				s.chain = append(s.chain, s.root.CA(fmt.Sprint("Wangwei CA ", i)))
			}
		},
	} {
		t.Run(key, func(t *testing.T) {
			s := newSite(t)
			edit(t, s)
			results := s.check()
			assert.Empty(t, byStatus(results, Fail))
			r := find(t, results, "live-served")
			assert.Equal(t, Warn, r.Status)
			assert.Equal(t, key, r.Key)
			assert.Empty(t, r.RulesOut)
		})
	}
}

func TestCertificateThatEndsSoonIsAWarning(t *testing.T) {
	s := newSite(t)
	s.reissue(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(-61*aDay), time.Now().Add(29*aDay) })
	results := s.check()
	assert.Empty(t, byStatus(results, Fail))
	assert.Equal(t, Warn, find(t, results, "live-dates").Status)
}

func TestStaples(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*testing.T, *site)
		want Status
		key  string
	}{
		{"none", func(*testing.T, *site) {}, Skip, "none"},
		{"stale", func(_ *testing.T, s *site) {
			s.stapled(func(r *ocsp.Response) { r.NextUpdate = time.Now().Add(-time.Minute) })
		}, Warn, "stale"},
		{"unknown", func(_ *testing.T, s *site) {
			s.stapled(func(r *ocsp.Response) { r.Status = ocsp.Unknown })
		}, Warn, "unknown"},
		{"garbage", func(_ *testing.T, s *site) { s.staple = []byte("\x30\x03 no staple") }, Warn, "unusable"},
		{"revoked, by somebody else", func(t *testing.T, s *site) {
			s.intermediate = s.root.CA("Wangwei Intermediate")
			s.stapled(func(r *ocsp.Response) { r.Status = ocsp.Revoked })
		}, Warn, "unusable"},
		{"must-staple without one", func(_ *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) {
				c.ExtraExtensions = []pkix.Extension{{Id: tlsFeature, Value: []byte{0x30, 3, 2, 1, 5}}}
			})
		}, Warn, "must"},
		{"issuer unknown", func(_ *testing.T, s *site) {
			s.stapled(func(r *ocsp.Response) { r.Status = ocsp.Revoked })
			s.chain = nil
		}, Skip, "no-issuer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			c.edit(t, s)
			r := find(t, s.check(), "live-ocsp")
			assert.Equal(t, c.want, r.Status)
			assert.Equal(t, c.key, r.Key)
		})
	}
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		name     string
		min, max uint16
		warns    []string
		key      string
	}{
		{"TLS 1.2 only", tls.VersionTLS12, tls.VersionTLS12, []string{"live-tls13"}, sharedReason + "handshake-not-offered"},
		{"TLS 1.3 only", tls.VersionTLS13, tls.VersionTLS13, []string{"live-tls12", "live-clients"}, sharedReason + "handshake-not-offered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.config.MinVersion, s.config.MaxVersion = c.min, c.max
			results := s.check()
			assert.Empty(t, byStatus(results, Fail))
			assert.Equal(t, c.warns, byStatus(results, Warn))
			assert.Equal(t, c.key, find(t, results, c.warns[0]).Key)
			assert.Equal(t, Pass, find(t, results, "live-wss").Status)
		})
	}
	t.Run("TLS 1.1 only", func(t *testing.T) {
		s := newSite(t)
		s.config.MinVersion, s.config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		requireOneFailure(t, s.check(), "live-tls12", "protocol-version", "old")
	})
	t.Run("TLS 1.3 only, others cut", func(t *testing.T) {
		s := newSite(t)
		s.config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if hello.SupportedVersions[0] != tls.VersionTLS13 {
				hello.Conn.Close()
			}
			return nil, nil
		}
		results := s.check()
		assert.Empty(t, byStatus(results, Fail))
		assert.Equal(t, []string{"live-tls12", "live-clients"}, byStatus(results, Warn))
	})
	t.Run("TLS 1.2 only, others cut", func(t *testing.T) {
		s := newSite(t)
		s.config.MaxVersion = tls.VersionTLS12
		s.config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if hello.SupportedVersions[0] == tls.VersionTLS13 && len(hello.SupportedVersions) == 1 {
				hello.Conn.Close()
			}
			return nil, nil
		}
		results := s.check()
		assert.Empty(t, byStatus(results, Fail))
		assert.Equal(t, sharedReason+"handshake-not-offered", find(t, results, "live-tls13").Key)
	})
	t.Run("weak ciphers only", func(t *testing.T) {
		s := newSite(t)
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		require.NoError(t, err)
		s.leaf = issue(s.intermediate, key, nil)
		s.config.MaxVersion = tls.VersionTLS12
		s.config.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		requireOneFailure(t, s.check(), "live-tls12", "cipher-mismatch", "weak-cipher")
	})
}

func TestClientCertificateIsDemanded(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := newSite(t)
		s.config.ClientAuth, s.config.MinVersion, s.config.MaxVersion = tls.RequireAnyClientCert, version, version
		results := s.check()
		require.Len(t, byStatus(results, Fail), 1, "%+v", results)
		failure := find(t, results, byStatus(results, Fail)[0])
		assert.Equal(t, "client-certificate", failure.Cause)
	}
	t.Run("both versions", func(t *testing.T) {
		s := newSite(t)
		s.config.ClientAuth = tls.RequireAnyClientCert
		results := s.check()
		requireOneFailure(t, results, "live-wss", "client-certificate", sharedReason+"handshake-client-certificate")
		assert.Equal(t, []string{"live-tls12", "live-clients"}, byStatus(results, Warn))
	})
	t.Run("wanted and not needed", func(t *testing.T) {
		s := newSite(t)
		s.config.ClientAuth = tls.RequestClientCert
		assert.Empty(t, byStatus(s.check(), Fail))
	})
}

func TestServerNames(t *testing.T) {
	t.Run("another certificate without SNI", func(t *testing.T) {
		s := newSite(t)
		other := issue(s.intermediate, nil, func(c *x509.Certificate) { c.DNSNames = []string{"default.wangwei-corp.cn"} })
		s.config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			c := s.certificate()
			if hello.ServerName == "" {
				c = withChain(other, nil, s.chain...)
			}
			return &c, nil
		}
		results := s.check()
		assert.Equal(t, []string{"live-sni"}, byStatus(results, Warn))
		assert.Equal(t, []Value{Host.of("names", []string{"default.wangwei-corp.cn"}), Host.of("with_name", []string{siteName, "*.chat.wangwei-corp.cn"})}, find(t, results, "live-sni").Args)
		assert.Empty(t, byStatus(results, Fail))
	})
	only := func(s *site, name string) {
		s.config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			c := s.certificate()
			if hello.ServerName != name {
				return nil, nil
			}
			return &c, nil
		}
	}
	t.Run("refused without SNI", func(t *testing.T) {
		s := newSite(t)
		only(s, siteName)
		results := s.check()
		assert.Equal(t, "refused", find(t, results, "live-sni").Key)
		assert.Empty(t, byStatus(results, Fail))
	})
	t.Run("name unknown", func(t *testing.T) {
		s := newSite(t)
		only(s, "chat.wangwei-corp.cn")
		requireOneFailure(t, s.check(), "live-tls13", "hostname-mismatch", sharedReason+"handshake-unrecognized")
	})
	t.Run("IP address", func(t *testing.T) {
		s := newSite(t)
		s.reissue(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} })
		s.start()
		s.live.Addr = strings.Replace(s.live.Addr, siteName, "127.0.0.1", 1)
		results := runLive(t, s.live)
		assert.Empty(t, byStatus(results, Fail))
		assert.Equal(t, Pass, find(t, results, "live-names").Status)
		assert.Equal(t, "address", find(t, results, "live-sni").Key)
	})
}

func TestApplicationProtocolIsRefused(t *testing.T) {
	s := newSite(t)
	s.start()
	config := &tls.Config{Certificates: []tls.Certificate{s.certificate()}, NextProtos: []string{"grpc-exp"}}
	s.live.Addr = at(t, serveRaw(t, func(ctx context.Context, conn net.Conn) { tls.Server(conn, config).HandshakeContext(ctx) }))
	s.live.API = ""
	requireOneFailure(t, runLive(t, s.live), "live-tls13", "alpn-mismatch", sharedReason+"handshake-alpn")
}

// TestHostileCertificates holds what a peer may put into names against what
// reaches a terminal.
func TestHostileCertificates(t *testing.T) {
	for name, edit := range map[string]func(*testing.T, *site){
		"control characters": func(t *testing.T, s *site) {
			root := foreignRoot("Wangwei Evil \x1b]0;pwned\x07\n\u202eRoot")
			s.leaf = issue(root, nil, func(c *x509.Certificate) {
				c.Subject.CommonName = "\x1b[2J\r\nwangwei"
				c.DNSNames = []string{"a\x1b[31m.wangwei-corp.cn"}
				c.IssuingCertificateURL = []string{"http://x/'; rm -rf ~; \x1b[2J'"}
			})
			s.chain = nil
		},
		"quote in the address of the issuer": func(t *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://x/$(touch /tmp/x)'`id`"} })
			s.chain = nil
		},
		"endless address of the issuer": func(t *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) {
				c.IssuingCertificateURL = []string{"http://x/" + strings.Repeat("a", 10000)}
			})
			s.chain = nil
		},
		"thousands of names": func(t *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) {
				c.DNSNames = nil
				for i := range 3000 {
					c.DNSNames = append(c.DNSNames, fmt.Sprintf("%d.wangwei-corp.org", i))
				}
			})
		},
		"one endless name": func(t *testing.T, s *site) {
			s.reissue(func(c *x509.Certificate) {
				c.Subject.CommonName = strings.Repeat("名", 20000)
				c.DNSNames = []string{strings.Repeat("a.", 20000) + "com"}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			edit(t, s)
			results := s.check()
			require.NotEmpty(t, byStatus(results, Fail))
			requireVisible(t, results)
		})
	}
}

func requireVisible(t *testing.T, results []Result) {
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		say, err := messages.In(lang)
		require.NoError(t, err)
		for _, r := range results {
			detail := r.Detail(say)
			assert.Less(t, len(detail), 2000, r.ID)
			assert.False(t, strings.ContainsFunc(detail, func(c rune) bool {
				return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == unicode.ReplacementChar
			}), "%s: %q", r.ID, detail)
			for _, fix := range r.Fixes {
				assert.NotContains(t, fix.CommandLine(), "\x1b")
				assert.Less(t, len(fix.CommandLine()), 1000)
				download, _, _ := strings.Cut(fix.CommandLine(), " | ")
				words, err := shellwords.Parse(download)
				require.NoError(t, err)
				assert.Len(t, words, 4, "curl -sS --fail, and an address that is one word: %q", words)
				assert.NotContains(t, download, "$(")
			}
		}
	}
}

func TestServedCertificateIsComparedWithTheFile(t *testing.T) {
	for name, c := range map[string]struct {
		file   func(*site) *x509.Certificate
		status Status
		key    string
	}{
		"same": {func(s *site) *x509.Certificate { return s.leaf.Certificate }, Pass, "same"},
		"renewed, not restarted": {func(s *site) *x509.Certificate {
			return issue(s.intermediate, nil, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(-time.Hour) }).Certificate
		}, Warn, "older"},
		"renewed, not loaded": {func(s *site) *x509.Certificate {
			return issue(s.intermediate, nil, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(-time.Hour) }).Certificate
		}, Warn, "older-front"},
		"of a proxy": {func(s *site) *x509.Certificate {
			return issue(s.intermediate, nil, func(c *x509.Certificate) { c.NotBefore = c.NotBefore.AddDate(-1, 0, 0) }).Certificate
		}, Warn, "other"},
	} {
		s := newSite(t)
		s.live.File = c.file(s)
		if c.key == "older-front" {
			s.live.Component = "nginx"
		}
		r := find(t, s.check(), "live-file")
		assert.Equal(t, c.status, r.Status, name)
		assert.Equal(t, c.key, r.Key, name)
	}
}

// TestFileThatWasMendedIsReadAgain: what the server still has in memory is mended by that
// alone, of the program in front by its own command.
func TestFileThatWasMendedIsReadAgain(t *testing.T) {
	load := Step{Command: "docker exec edge nginx -s reload"}
	for name, fault := range map[string]struct {
		serve func(s *site)
		check string
	}{
		"expired": {func(s *site) {
			s.reissue(func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().AddDate(0, -2, 0), time.Now().AddDate(0, 0, -3)
			})
		}, "live-dates"},
		"without intermediates": {func(s *site) { s.chain, s.live.Whole = nil, true }, "live-served"},
	} {
		for component, command := range map[string]string{"": "docker compose restart wukongim", "nginx": load.Command} {
			s := newSite(t)
			s.live.File = s.leaf.Certificate
			fault.serve(s)
			if s.live.Component = component; component != "" {
				s.live.Restart = load
			}
			results := s.check()
			requireTexts(t, results)
			r := find(t, results, fault.check)
			assert.Equal(t, Fail, r.Status, name)
			assert.Equal(t, component, r.Component)
			require.Len(t, r.Fixes, 1)
			assert.Equal(t, command, r.Fixes[0].CommandLine(), "%s %s", name, component)
			assert.True(t, r.Instead)
		}
	}
}
