package parser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRequestsInAccessLogsHaveNoSubject(t *testing.T) {
	for _, line := range []string{
		`203.0.113.9 - - [22/Apr/2026:10:11:12 +0800] "GET /net::ERR_CERT_DATE_INVALID HTTP/1.1" 404 153 "-" "curl/8.5.0"`,
		`2001:db8::9 - alice [22/Apr/2026:10:11:12 +0800] "GET / HTTP/1.1" 200 1 "-" "---------->x----------> remote error: tls: bad certificate handshakeStatus13ReadClientFinished"`,
		`im.example.com:443 203.0.113.9 - - [22/Apr/2026:10:11:12 +0800] "GET / HTTP/1.1" 200 1 "-" "http: TLS handshake error from 192.0.2.1:5: EOF"`,
		`203.0.113.9 - - [22/Apr/2026:10:11:12 +0800] "GET / HTTP/1.1" 200 1 "-" "SSL_accept: error:0A000418:SSL routines::tlsv1 alert unknown ca"`,
		`[GIN] 2026/04/22 - 10:11:12 | 404 |   1.2ms | 203.0.113.9 | GET      "/net::ERR_CERT_DATE_INVALID"`,
		`{"time":"2026-04-22T10:11:12+08:00","request":"GET / HTTP/1.1","status":"200","http_user_agent":"certificate has expired"}`,
	} {
		r := Parse(Unwrap([]byte(line)))
		assert.Equal(t, KindAccess, r.Kind, line)
		assert.Empty(t, r.Subject(), line)
		assert.Equal(t, line, r.Text)
	}
	for line, kind := range map[string]Kind{
		`{"level":"error","msg":"x509: certificate has expired or is not yet valid","request":"GET / HTTP/1.1"}`:                        KindZap,
		`[2026-04-22T10:11:12.123Z] "GET / HTTP/1.1" 503 UF upstream_reset_before_response_started{TLS_error:|268435581:SSL_routines:}`: KindText,
		`203.0.113.9:51514 [22/Apr/2026:10:11:12.123] https-in/1: SSL handshake failure`:                                                KindText,
	} {
		assert.Equal(t, kind, Parse(Unwrap([]byte(line))).Kind, line)
	}
}
