package check

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// unlike are ways to meet an endpoint that does not answer what clients of today send.
type unlike struct {
	small *attempt // without a post-quantum key share
	old   *attempt // TLS 1.2 alone
	plain bool     // HTTP was answered
}

func (u *unlike) close() {
	for _, a := range []*attempt{u.small, u.old} {
		if a != nil {
			a.close()
		}
	}
}

// shakeFirst tries the ordinary handshake. Where nothing comes back in half of the time
// the other ways are tried beside it, so that silence costs no more time than one stage
// has.
func (e *endpoint) shakeFirst(ctx context.Context) (*attempt, *unlike) {
	done := make(chan *attempt, 1)
	go func() { done <- e.shakeAt(ctx, e.target, e.ordinary()) }()
	patience := time.NewTimer(e.Timeout / 2)
	defer patience.Stop()
	select {
	case a := <-done:
		return a, nil
	case <-patience.C:
	}
	others := e.tryOthers(ctx)
	a := <-done
	if !isSilent(a.err) || a.got > 0 {
		others.close()
		return a, nil
	}
	return a, others
}

func (e *endpoint) tryOthers(ctx context.Context) *unlike {
	u := &unlike{}
	var tries sync.WaitGroup
	tries.Go(func() { u.small = e.shakeAt(ctx, e.target, e.classic()) })
	tries.Go(func() {
		only := e.ordinary()
		only.max = tls.VersionTLS12
		u.old = e.shakeAt(ctx, e.target, only)
	})
	tries.Go(func() {
		if conn, err := e.dial(ctx, e.target); err == nil {
			u.plain, _ = answersPlain(ctx, conn, "ws://"+e.authority()+e.path)
		}
	})
	tries.Wait()
	return u
}

// classic is what clients offered before they sent a post-quantum key share (X25519Kyber768
// since Chrome 124 and Go 1.23, X25519MLKEM768 since Chrome 131 and Go 1.24): with it a
// ClientHello takes two packets, over which some firewalls fall (https://tldr.fail).
func (e *endpoint) classic() offer {
	o := e.ordinary()
	o.classic = true
	return o
}

// silent explains an endpoint that accepted the connection and sent nothing.
func (e *endpoint) silent(u *unlike) Result {
	if u != nil {
		switch {
		case u.plain:
			e.deaf = true
			return fail("tls-on-plaintext-port", sharedReason+"handshake-plain-http", Address.of("address", e.target))
		case u.small.err == nil:
			return e.large(u.small)
		case u.old.err == nil:
			e.answers = true
			return fail("connection-interrupted", sharedReason+"handshake-silent", Address.of("address", e.target), Text.of("timeout", e.Timeout.String()))
		}
		e.deaf = true
	}
	return fail("connection-interrupted", sharedReason+"handshake-silent", Address.of("address", e.target), Text.of("timeout", e.Timeout.String()))
}

// large is for an endpoint that answers no ClientHello of two packets.
func (e *endpoint) large(small *attempt) Result {
	e.small, e.answers = true, true
	e.remember(small)
	return fail("connection-interrupted", sharedReason+"handshake-large", Address.of("address", e.target)).breaking(SomeClients).
		instead(step(sharedReason+"fix-large", "tcpdump -ni any -c 20 %[1]s", "", Text.of("filter", "tcp port "+e.port)), step(sharedReason+"fix-large-path", "", ""))
}

// answersPlain tells whether a port takes an HTTP request for an upgrade, and whether it
// answers at all: a TLS server does so with status 400 or an alert.
func answersPlain(ctx context.Context, conn net.Conn, url string) (upgrades, answers bool) {
	response, err := openWebSocket(ctx, conn, url, nil)
	if response != nil {
		return response.StatusCode != 400, true
	}
	return false, err != nil && strings.Contains(err.Error(), inAlert)
}

// proxied tells whether the port waits for the PROXY protocol (HAProxy,
// doc/proxy-protocol.txt, version 1), which balancers speak before TLS. Its line is sent
// first; only a port that does not hang up on it gets a ClientHello.
func (e *endpoint) proxied(ctx context.Context) bool {
	conn, err := e.dial(ctx, e.target)
	if err != nil {
		return false
	}
	defer conn.Close()
	family := "TCP4"
	if at, err := netip.ParseAddrPort(e.target); err == nil && at.Addr().Is6() {
		family = "TCP6"
	}
	local, remote := conn.LocalAddr().(*net.TCPAddr), conn.RemoteAddr().(*net.TCPAddr)
	line := strings.Join([]string{"PROXY", family, withoutZone(local.IP.String()), withoutZone(remote.IP.String()), portText(local), portText(remote)}, " ")
	if _, err := conn.Write([]byte(line + "\r\n")); err != nil {
		return false
	}
	conn.SetReadDeadline(time.Now().Add(min(e.Timeout/4, 250*time.Millisecond)))
	if _, err := conn.Read(make([]byte, 1)); !isSilent(err) {
		return false // it answered, or hung up
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	return tls.Client(conn, e.config(e.ordinary(), &attempt{})).HandshakeContext(ctx) == nil
}

func portText(a *net.TCPAddr) string { return strconv.Itoa(a.Port) }
