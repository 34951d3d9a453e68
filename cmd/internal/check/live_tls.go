package check

import (
	"bytes"
	"context"
	"crypto/fips140"
	"crypto/tls"
	"errors"
	"net"
	"strings"
)

// attempt is a handshake that was tried. Its certificate is not verified: the
// stages after it do that, so that each fault has its own line.
type attempt struct {
	offer   offer
	address string    // ip:port
	conn    *tls.Conn // nil where err is not
	err     error
	asked   bool  // the server wanted a client certificate
	got     int64 // bytes that the server sent
}

func (a *attempt) close() {
	if a.conn != nil {
		a.conn.NetConn().Close() // no farewell that could block
	}
}

func (a *attempt) speaks13() bool {
	return a.err == nil && a.conn.ConnectionState().Version == tls.VersionTLS13
}

// alert is the server's, empty where it sent none.
func (a *attempt) alert() string {
	var op *net.OpError
	if errors.As(a.err, &op) && op.Op == "remote error" {
		return op.Err.Error()
	}
	return ""
}

// offer is what the ClientHello holds.
type offer struct {
	name     string // SNI, not sent where it is empty or an IP
	min, max uint16
	suites   []uint16      // nil for Go's choice
	classic  bool          // no post-quantum key share
	curves   []tls.CurveID // nil for those of classic or not
}

// ordinary is what clients of today offer.
func (e *endpoint) ordinary() offer {
	return offer{name: e.host, min: tls.VersionTLS12, max: tls.VersionTLS13, classic: e.small}
}

// errWithheld is for a handshake that is not tried, for the server's sake.
var errWithheld = errors.New("the handshake would crash the server")

// shake tries a handshake with the endpoint, as clients do. It never resumes a
// session, which hangs WuKongIM up to v2.2.5, as a HelloRetryRequest does.
func (e *endpoint) shake(ctx context.Context, o offer) *attempt {
	a := e.shakeAt(ctx, e.target, o)
	e.answers = e.answers || a.err == nil || a.alert() != ""
	return a
}

func (e *endpoint) shakeAt(ctx context.Context, address string, o offer) *attempt {
	a := &attempt{offer: o, address: address}
	if e.Fragile {
		a.err = errWithheld
		return a
	}
	raw, err := e.dial(ctx, address)
	if err != nil {
		a.err = err
		return a
	}
	conn := tls.Client(raw, e.config(o, a))
	if a.err = conn.HandshakeContext(ctx); a.err != nil {
		raw.Close()
	} else {
		a.conn = conn
	}
	a.got = raw.received.Load()
	return a
}

func (e *endpoint) config(o offer, a *attempt) *tls.Config {
	return &tls.Config{
		ServerName:         o.name,
		InsecureSkipVerify: true,
		MinVersion:         o.min,
		MaxVersion:         o.max,
		CipherSuites:       o.suites,
		CurvePreferences:   o.groups(),
		NextProtos:         []string{"http/1.1"}, // as browsers offer for wss
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			a.asked = true
			return &tls.Certificate{}, nil
		},
	}
}

// groups are those for which a ClientHello has a key share that every server
// knows: X25519, or P-256 where FIPS 140-3 mode forbids that one and would leave
// the post-quantum one alone. WuKongIM fails where it has to ask for another by
// a HelloRetryRequest.
func (o offer) groups() []tls.CurveID {
	switch {
	case o.curves != nil:
		return o.curves
	case fips140.Enabled():
		return []tls.CurveID{tls.CurveP256, tls.CurveP384, tls.CurveP521}
	case o.classic:
		return []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
	}
	return nil // as Go and browsers offer
}

// tls13 offers an older version too at first, as clients of today do: what a server
// does not survive it meets once, and by no rarer ClientHello.
func (e *endpoint) tls13(ctx context.Context) Result {
	if e.target == "" {
		return e.after("live-tcp")
	}
	a, others := e.shakeFirst(ctx)
	defer a.close()
	e.answers = a.err == nil || a.alert() != ""
	if others != nil {
		defer others.close()
		e.refused13 = told(a.err)
		return e.silent(others)
	}
	if e.answers && !a.speaks13() {
		e.remember(a)
		only := e.ordinary()
		only.min = tls.VersionTLS13
		a = e.shake(ctx, only)
		defer a.close()
	}
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
	only := e.ordinary()
	only.max = tls.VersionTLS12
	a := e.shake(ctx, only)
	defer a.close()
	if a.err != nil {
		works := len(e.peers) > 0
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
// TLS 1.3, in whatever way, is then no failure. That it refuses what is large is one.
func (e *endpoint) lacks13() {
	if r := e.result("live-tls13"); r.Status == Fail && !e.small {
		r.Status, r.Cause, r.Key, r.Args = Warn, "", sharedReason+"handshake-not-offered", []Value{Text.of("error", e.refused13)}
	}
}

// refusal12 explains why clients of today are refused. Only a server that said so
// by an alert is asked whether it would take an older version or weaker suites, as
// clients of the past offered: WuKongIM sends no alerts.
func (e *endpoint) refusal12(ctx context.Context, a *attempt) Result {
	r := e.refusal(ctx, a)
	switch {
	case r.Key == sharedReason+"handshake-not-offered" && len(e.peers) == 0:
		old := e.shake(ctx, offer{name: e.host, min: tls.VersionTLS10, max: tls.VersionTLS11, suites: everySuite()})
		defer old.close()
		if old.err == nil {
			e.lacks13()
			r = fail("protocol-version", "old", Text.of("version", tls.VersionName(old.conn.ConnectionState().Version)))
		}
	case r.Key == sharedReason+"handshake-cipher":
		weak := e.shake(ctx, offer{name: e.host, min: tls.VersionTLS12, max: tls.VersionTLS12, suites: everySuite()})
		defer weak.close()
		if weak.err == nil {
			e.remember(weak)
			e.lacks13()
			r = fail("cipher-mismatch", "weak-cipher", Text.of("suite", tls.CipherSuiteName(weak.conn.ConnectionState().CipherSuite)))
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
	r := pass(sharedReason+"handshake-agreed", Text.of("version", tls.VersionName(state.Version)), Text.of("suite", tls.CipherSuiteName(state.CipherSuite)))
	r.More = []Value{Text.of("curve", state.CurveID), Text.of("protocol", state.NegotiatedProtocol)}
	return r
}

// refusal explains a handshake that failed.
func (e *endpoint) refusal(ctx context.Context, a *attempt) Result {
	var record tls.RecordHeaderError
	switch {
	case a.alert() != "":
		return e.alerted(a.alert(), a.asked)
	case errors.As(a.err, &record):
		if r, ok := notTLS(record); ok {
			return r
		}
	case isSilent(a.err) && a.got == 0:
		return e.silent(nil)
	case isSilent(a.err):
		return fail("connection-interrupted", sharedReason+"handshake-slow", Address.of("address", e.target), Number.of("bytes", int(a.got)))
	case isRefused(a.err):
		return fail("connection-interrupted", portRefused, Address.of("address", e.target))
	case isHangUp(a.err):
		if a.asked {
			return fail("client-certificate", sharedReason+"handshake-client-certificate", Host.of("host", e.host))
		}
		return e.hungUp(ctx)
	}
	return misspoken(told(a.err))
}

// hungUp explains a connection that was closed instead of an answer. Where the
// server never answered a handshake none is tried again: it may have crashed of it.
func (e *endpoint) hungUp(ctx context.Context) Result {
	closed := fail("connection-interrupted", sharedReason+"handshake-closed", Address.of("address", e.target))
	if e.answers {
		return closed
	}
	e.deaf = true
	answers := false
	if conn, err := e.dial(ctx, e.target); err == nil {
		var plain bool
		if plain, answers = answersPlain(ctx, conn, "ws://"+e.authority()+e.path); plain {
			return fail("tls-on-plaintext-port", sharedReason+"handshake-plain-http", Address.of("address", e.target))
		}
	}
	conn, err := e.dial(ctx, e.target)
	if err != nil {
		return fail("server-crash", sharedReason+"handshake-died", Address.of("address", e.target)).breaking(TheServer)
	}
	conn.Close()
	if answers { // so the server lives, and something before it hung up
		if small := e.shake(ctx, e.classic()); small.err == nil {
			defer small.close()
			e.deaf = false
			return e.large(small)
		}
	}
	if e.proxied(ctx) {
		return fail("connection-interrupted", sharedReason+"handshake-proxy", Address.of("address", e.target)).
			instead(step(sharedReason+"fix-proxy", "", "server {\n    listen 443 ssl;   # without proxy_protocol\n}"), step(sharedReason+"fix-proxy-balancer", "", ""))
	}
	return closed
}

// notTLS is for an answer that no TLS record begins with (RFC 8446 section 5.1:
// the types are 20 to 24).
func notTLS(err tls.RecordHeaderError) (Result, bool) {
	head := err.RecordHeader[:]
	if bytes.Equal(head, []byte("HTTP/")) {
		return fail("tls-on-plaintext-port", sharedReason+"handshake-plain-http", Address.of("address", fromPeer(err.Conn.RemoteAddr().String()))), true
	}
	if head[0] < 20 || head[0] > 24 {
		return fail("tls-on-plaintext-port", sharedReason+"handshake-not-tls", Text.of("beginning", fromPeer(string(head)))), true
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
		return fail("protocol-version", sharedReason+"handshake-not-offered", Text.of("error", text))
	case is(certificateRequired), asked && is(badCertificate, handshakeFailure):
		return fail("client-certificate", sharedReason+"handshake-client-certificate", Host.of("host", e.host))
	case is(handshakeFailure, insufficientSecurity):
		return fail("cipher-mismatch", sharedReason+"handshake-cipher", Text.of("error", text))
	case is(unrecognizedName):
		return fail("hostname-mismatch", sharedReason+"handshake-unrecognized", Host.of("host", e.host))
	case is(noApplicationProtocol):
		return fail("alpn-mismatch", sharedReason+"handshake-alpn", Text.of("error", text))
	}
	return fail("connection-interrupted", sharedReason+"handshake-alert", Text.of("error", text))
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
			return fail(known.cause, sharedReason+known.key, Text.of("error", text))
		}
	}
	return fail("connection-interrupted", sharedReason+"handshake-failed", Text.of("error", text))
}
