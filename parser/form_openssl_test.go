package parser

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestOpenSSLErrorsOfOtherServers(t *testing.T) {
	at := time.Date(2026, 11, 23, 16, 20, 22, 0, time.UTC)
	for line, want := range map[string]Record{
		"[Mon Nov 23 16:20:22.455712 2026] [ssl:info] [pid 8:tid 9] SSL Library Error: error:0A000418:SSL routines::tlsv1 alert unknown ca (SSL alert number 48)": {
			Level: "info", Error: "error:0A000418:SSL routines::tlsv1 alert unknown ca (SSL alert number 48)", Stamp: Stamp{Time: at.Add(455712 * time.Microsecond), Fraction: 6},
		},
		"2026.11.23 16:20:22 LOG3[0]: SSL_accept: ../ssl/record/rec_layer_s3.c:1601: error:0A000418:SSL routines::tlsv1 alert unknown ca": {
			Error: "error:0A000418:SSL routines::tlsv1 alert unknown ca", Stamp: Stamp{Time: at},
		},
		"2026-11-23 16:20:22: (mod_openssl.c.3275) SSL: 1 error:0A000418:SSL routines::tlsv1 alert unknown ca (127.0.0.1)": {
			Error: "error:0A000418:SSL routines::tlsv1 alert unknown ca", Remote: "127.0.0.1", Stamp: Stamp{Time: at},
		},
		"20261123T162022.689854 [23960] 127.0.0.1:60772 :0 7:8 Handshake failure: error:0A000418:SSL routines::tlsv1 alert unknown ca": {
			Error: "error:0A000418:SSL routines::tlsv1 alert unknown ca", Remote: "127.0.0.1:60772", Stamp: Stamp{Time: at.Add(689854 * time.Microsecond), Fraction: 6},
		},
	} {
		got := Parse(Unwrap([]byte(line)))
		assert.Equal(t, KindOpenSSL, got.Kind, line)
		assert.Equal(t, want.Error, got.Error, line)
		assert.Equal(t, want.Remote, got.Remote, line)
		assert.Equal(t, want.Level, got.Level, line)
		assert.Equal(t, want.Stamp, got.Stamp, line)
		assert.Equal(t, "SSL_do_handshake() failed (SSL: "+want.Error+") while SSL handshaking", got.Subject(), line)
	}
	for _, line := range []string{
		"SSL_connect: error:0A000418:SSL routines::tlsv1 alert unknown ca", // as a client
		"SSL_accept: Peer suddenly disconnected",
		"[Mon Nov 23 16:20:22.455712 2026] [ssl:info] AH01964: Connection to child 0 established",
		"[Mon Nov 23 16:20:22",
		"20261123T16",
	} {
		assert.Equal(t, KindText, Parse(Unwrap([]byte(line))).Kind, line)
	}
	s, ok := Stamps([]byte("[Mon Nov 23 16:20:22.455712 2026] [core:notice] x"))
	assert.True(t, ok)
	assert.Equal(t, at.Add(455712*time.Microsecond), s.Time)
}
