package check

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// attempt is a handshake that was tried. Its certificate is not verified: the
// stages after it do that, so that each fault has its own line.
type attempt struct {
	offer offer
	conn  *tls.Conn // nil where err is not
	err   error
	asked bool  // the server wanted a client certificate
	got   int64 // bytes that the server sent
}

func (a *attempt) close() {
	if a.conn != nil {
		a.conn.NetConn().Close() // no farewell that could block
	}
}

// offer is what the ClientHello holds.
type offer struct {
	name     string // SNI, not sent where it is empty or an IP
	min, max uint16
	suites   []uint16 // nil for Go's choice
}

func (e *endpoint) shake(ctx context.Context, address string, o offer) *attempt {
	a := &attempt{offer: o}
	raw, err := e.dial(ctx, address)
	if err != nil {
		a.err = err
		return a
	}
	conn := tls.Client(raw, &tls.Config{
		ServerName:         o.name,
		InsecureSkipVerify: true,
		MinVersion:         o.min,
		MaxVersion:         o.max,
		CipherSuites:       o.suites,
		NextProtos:         []string{"http/1.1"}, // as browsers offer for wss
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			a.asked = true
			return &tls.Certificate{}, nil
		},
	})
	if a.err = conn.HandshakeContext(ctx); a.err != nil {
		raw.Close()
	} else {
		a.conn = conn
	}
	a.got = raw.received.Load()
	return a
}

// peer is what a completed handshake showed.
type peer struct {
	offer  offer // that brought it about
	staple []byte
	chain  *chain
}

func (e *endpoint) remember(a *attempt) {
	state := a.conn.ConnectionState()
	if e.peer != nil || len(state.PeerCertificates) == 0 {
		return
	}
	e.peer = &peer{
		offer:  a.offer,
		staple: state.OCSPResponse,
		chain:  newChain(state.PeerCertificates, e.Roots),
	}
}

func (e *endpoint) tls13(ctx context.Context) Result {
	if e.target == "" {
		return e.after("live-tcp")
	}
	a := e.shake(ctx, e.target, offer{e.host, tls.VersionTLS13, tls.VersionTLS13, nil})
	defer a.close()
	if a.err != nil {
		e.refused13 = told(a.err)
		r := e.refusal(ctx, a)
		if r.Key == sharedReason+"handshake-not-offered" {
			r.Status, r.Cause = Warn, ""
		}
		return r
	}
	e.remember(a)
	return agreed(a)
}

func (e *endpoint) tls12(ctx context.Context) Result {
	if e.target == "" {
		return e.after("live-tcp")
	}
	a := e.shake(ctx, e.target, offer{e.host, tls.VersionTLS12, tls.VersionTLS12, nil})
	defer a.close()
	if a.err != nil {
		works := e.peer != nil
		r := e.refusal12(ctx, a)
		if works {
			r.Status = Warn // for old clients only: those of today speak TLS 1.3
		}
		return r
	}
	e.remember(a)
	e.lacks13()
	return agreed(a)
}

// lacks13 is for a server that works with an older version: that it refused
// TLS 1.3, in whatever way, is then no failure.
func (e *endpoint) lacks13() {
	if r := e.result("live-tls13"); r.Status == Fail {
		r.Status, r.Cause, r.Key, r.Args = Warn, "", sharedReason+"handshake-not-offered", []any{e.refused13}
	}
}

func (e *endpoint) refusal12(ctx context.Context, a *attempt) Result {
	r := e.refusal(ctx, a)
	switch {
	case (r.Key == sharedReason+"handshake-not-offered" || r.Key == sharedReason+"handshake-closed") && e.peer == nil:
		old := e.shake(ctx, e.target, offer{e.host, tls.VersionTLS10, tls.VersionTLS11, everySuite()})
		defer old.close()
		if old.err == nil {
			e.lacks13()
			r = fail("protocol-version", "old", tls.VersionName(old.conn.ConnectionState().Version))
		}
	case r.Key == sharedReason+"handshake-cipher":
		weak := e.shake(ctx, e.target, offer{e.host, tls.VersionTLS12, tls.VersionTLS12, everySuite()})
		defer weak.close()
		if weak.err == nil {
			e.remember(weak)
			e.lacks13()
			r = fail("cipher-mismatch", "weak-cipher", tls.CipherSuiteName(weak.conn.ConnectionState().CipherSuite))
		}
	}
	return r
}

func everySuite() []uint16 {
	var ids []uint16
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		ids = append(ids, s.ID)
	}
	return ids
}

func agreed(a *attempt) Result {
	state := a.conn.ConnectionState()
	return pass(sharedReason+"handshake-agreed", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite))
}

// refusal explains a handshake that failed.
func (e *endpoint) refusal(ctx context.Context, a *attempt) Result {
	var op *net.OpError
	var record tls.RecordHeaderError
	switch {
	case errors.As(a.err, &op) && op.Op == "remote error":
		return e.alerted(op.Err.Error(), a.asked)
	case errors.As(a.err, &record):
		if r, ok := notTLS(record); ok {
			return r
		}
	case isSilent(a.err) && a.got == 0:
		return fail("connection-interrupted", sharedReason+"handshake-silent", e.target, e.Timeout.String())
	case isSilent(a.err):
		return fail("connection-interrupted", sharedReason+"handshake-slow", e.target, a.got)
	case isRefused(a.err):
		return fail("connection-interrupted", portRefused, e.target)
	case errors.Is(a.err, io.EOF), errors.Is(a.err, io.ErrUnexpectedEOF), errors.Is(a.err, syscall.ECONNRESET):
		if e.upgradesPlain(ctx) {
			return fail("tls-on-plaintext-port", sharedReason+"handshake-plain-http", e.target)
		}
		if a.asked {
			return fail("client-certificate", sharedReason+"handshake-client-certificate", e.host)
		}
		return fail("connection-interrupted", sharedReason+"handshake-closed", e.target)
	}
	return misspoken(told(a.err))
}

// notTLS is for an answer that no TLS record begins with (RFC 8446 section 5.1:
// the types are 20 to 24).
func notTLS(err tls.RecordHeaderError) (Result, bool) {
	head := err.RecordHeader[:]
	if bytes.Equal(head, []byte("HTTP/")) {
		return fail("tls-on-plaintext-port", sharedReason+"handshake-plain-http", fromPeer(err.Conn.RemoteAddr().String())), true
	}
	if head[0] < 20 || head[0] > 24 {
		return fail("tls-on-plaintext-port", sharedReason+"handshake-not-tls", fromPeer(string(head))), true
	}
	return Result{}, false
}

// alerted explains the alert that a server refuses a ClientHello with
// (RFC 8446 section 6.2).
func (e *endpoint) alerted(text string, asked bool) Result {
	is := func(numbers ...tls.AlertError) bool {
		for _, n := range numbers {
			if n.Error() == text {
				return true
			}
		}
		return false
	}
	const (
		handshakeFailure, badCertificate, protocolVersion, insufficientSecurity = 40, 42, 70, 71
		unrecognizedName, certificateRequired, noApplicationProtocol            = 112, 116, 120
	)
	text = fromPeer(text)
	switch {
	case is(protocolVersion):
		return fail("protocol-version", sharedReason+"handshake-not-offered", text)
	case is(certificateRequired), asked && is(badCertificate, handshakeFailure):
		return fail("client-certificate", sharedReason+"handshake-client-certificate", e.host)
	case is(handshakeFailure, insufficientSecurity):
		return fail("cipher-mismatch", sharedReason+"handshake-cipher", text)
	case is(unrecognizedName):
		return fail("hostname-mismatch", sharedReason+"handshake-unrecognized", e.host)
	case is(noApplicationProtocol):
		return fail("alpn-mismatch", sharedReason+"handshake-alpn", text)
	}
	return fail("connection-interrupted", sharedReason+"handshake-alert", text)
}

// misspoken explains what this side refused. crypto/tls has no types for these
// errors, only texts (crypto/tls/handshake_client.go, Go 1.26).
func misspoken(text string) Result {
	for _, known := range []struct{ text, cause, key string }{
		{"unsupported protocol version", "protocol-version", "handshake-not-offered"},
		{"failed to parse certificate", "cert-malformed", "handshake-malformed"},
		{"-bit keys are insecure", "cert-unsupported", "handshake-unfit"},
		{"RSA key larger than", "cert-unsupported", "handshake-unfit"},
		{"unsupported type of public key", "cert-unsupported", "handshake-unfit"},
		{"unsupported certificate", "cert-unsupported", "handshake-unfit"},
		{"bad record MAC", "record-corrupted", "handshake-corrupted"},
	} {
		if strings.Contains(text, known.text) {
			return fail(known.cause, sharedReason+known.key, text)
		}
	}
	return fail("connection-interrupted", sharedReason+"handshake-failed", text)
}

// speaksTLS tells whether a port completes a handshake.
func (e *endpoint) speaksTLS(ctx context.Context, address string) bool {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	a := e.shake(ctx, address, offer{name, tls.VersionTLS12, tls.VersionTLS13, nil})
	a.close()
	return a.err == nil
}
