package check

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// mostAddresses of one name are tried, mostReceived bytes are taken from a
	// connection: a handshake is at most some 300 KiB, an answer far less.
	mostAddresses = 16
	mostReceived  = 1 << 20
)

func (e *endpoint) name(ctx context.Context) Result {
	if e.Addr == "" {
		return skipped("no-address")
	}
	if e.invalid != nil {
		return fail("connection-interrupted", "invalid", Text.of("error", fromPeer(e.invalid.Error())))
	}
	if via, err := netip.ParseAddrPort(e.Via); err == nil {
		e.addresses = []netip.Addr{via.Addr()}
		return pass("via", Host.of("host", e.host), Address.of("address", e.Via))
	}
	if ip, err := netip.ParseAddr(e.host); err == nil {
		e.addresses = []netip.Addr{ip}
		return pass("literal", Host.of("host", e.host))
	}
	found, err := e.resolverFor(ctx).LookupNetIP(ctx, "ip", e.host)
	if err != nil {
		return e.unresolved(err)
	}
	seen := []string{}
	for _, ip := range found[:min(len(found), mostAddresses)] {
		e.addresses = append(e.addresses, ip.Unmap())
		seen = append(seen, ip.Unmap().String())
	}
	return pass("found", Host.of("host", e.host), Host.of("addresses", seen))
}

// resolverFor returns a resolver that stops with ctx. The standard one returns
// then, but goes on asking in the background.
func (e *endpoint) resolverFor(ctx context.Context) *net.Resolver {
	dial, r := (&net.Dialer{}).DialContext, &net.Resolver{}
	if e.resolver != nil {
		dial, r.PreferGo = e.resolver.Dial, e.resolver.PreferGo
	}
	r.Dial = func(lookup context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(lookup, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { conn.Close() })
		}
		return conn, err
	}
	return r
}

func (e *endpoint) unresolved(err error) Result {
	host, todo := Host.of("host", e.host), "fix-resolver"
	r := fail("connection-interrupted", "no-answer", host, Text.of("error", told(err)))
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		r, todo = fail("connection-interrupted", "not-found", host), "fix"
	}
	r.Fixes = []Step{step(todo, "dig +short %[1]s A AAAA", "", host)}
	return r
}

// tcp connects to every address of the name: a dead one makes some clients wait
// although others come through.
func (e *endpoint) tcp(ctx context.Context) Result {
	if len(e.addresses) == 0 {
		return e.after("live-name")
	}
	errs := make([]error, len(e.addresses))
	var dials sync.WaitGroup
	for i := range e.addresses {
		dials.Go(func() {
			conn, err := e.dial(ctx, e.at(i))
			if errs[i] = err; err == nil {
				conn.Close()
			}
		})
	}
	dials.Wait()
	var dead []string
	for i, err := range errs {
		switch {
		case err == nil:
			e.accepting = append(e.accepting, e.at(i))
		case err != nil && !hasNoWay(err):
			dead = append(dead, e.at(i))
		}
	}
	if len(e.accepting) > 0 {
		e.target = e.accepting[0]
	}
	if e.target == "" {
		return e.notConnected(errs)
	}
	if len(dead) > 0 {
		return warn("", "some", Address.of("address", e.target), Address.of("dead", dead))
	}
	return pass("connected", Address.of("address", e.target))
}

func (e *endpoint) at(i int) string {
	if e.Via != "" {
		return e.Via
	}
	return net.JoinHostPort(e.addresses[i].String(), e.port)
}

// notConnected tells a service that is down from a firewall: the most telling
// error of all addresses decides.
func (e *endpoint) notConnected(errs []error) Result {
	at := 0
	if i := slices.IndexFunc(errs, isSilent); i >= 0 {
		at = i
	}
	if i := slices.IndexFunc(errs, isRefused); i >= 0 {
		at = i
	}
	r := e.unreachable(errs[at], e.at(at))
	r.Status, r.Cause = Fail, "connection-interrupted"
	switch r.Key {
	case portRefused:
		look := step("fix-refused", "", "") // at the program in front
		if e.Component == "" {
			look = e.whetherItRuns("fix-refused")
		}
		r.Fixes = []Step{look, step("fix-listening", "ss -ltn | grep ':%[1]s '", "", portValue("port", e.port))}
	case portSilent:
		r.Fixes = []Step{step("fix-silent", "ufw status verbose", ""), step("fix-firewalld", "firewall-cmd --list-ports", "")}
	}
	return r
}

// whetherItRuns shows whether WuKongIM does.
func (e *endpoint) whetherItRuns(key string) Step {
	status := e.Status
	if status.Command == "" {
		status = step("", "docker compose ps wukongim", "")
	}
	status.Key = key
	return status
}

// Keys of what a port does instead of answering, or instead of plain text.
const (
	portRefused = sharedReason + "port-refused"
	portSilent  = sharedReason + "port-silent"
	portFailed  = sharedReason + "port-failed"
	portClosed  = sharedReason + "port-closed"
	portTLS     = sharedReason + "port-tls"
)

// unreachable says why an address gave no answer, as a warning.
func (e *endpoint) unreachable(err error, address string) Result {
	address = fromPeer(address)
	switch {
	case isRefused(err):
		return warn("", portRefused, Address.of("address", address))
	case isSilent(err):
		return warn("", portSilent, Address.of("address", address), Text.of("timeout", e.Timeout.String()))
	}
	return warn("", portFailed, Address.of("address", address), Text.of("error", told(err)))
}

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

func isSilent(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// hasNoWay tells that this machine cannot reach an address at all, as most
// machines cannot reach IPv6; that says nothing of the endpoint.
func hasNoWay(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

// told is an error without what repeats the address, the request, or the name that
// was looked up.
func told(err error) string {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return fromPeer(dns.Err)
	}
	return fromPeer(err.Error())
}

// pause is kept between the end of a connection and the next one: in the moment of
// a close WuKongIM up to v2.2.5 may take a new connection for the old one, and
// leaves it without an answer (pkg/wknet/conn.go: both have the same descriptor).
const pause = 20 * time.Millisecond

// dial connects to host:port; every read and write ends with ctx.
func (e *endpoint) dial(ctx context.Context, address string) (*bounded, error) {
	if last := e.closed.Load(); last != nil {
		select {
		case <-time.After(e.pause - time.Since(*last)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	conn, err := (&net.Dialer{Resolver: e.resolverFor(ctx)}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return &bounded{Conn: conn, closed: &e.closed}, nil
}

// bounded takes no more than mostReceived bytes from its peer.
type bounded struct {
	net.Conn
	received atomic.Int64
	closed   *atomic.Pointer[time.Time] // when the last connection was
}

func (b *bounded) Close() error {
	defer func() {
		now := time.Now()
		b.closed.Store(&now)
	}()
	return b.Conn.Close()
}

var errTooMuch = errors.New("the other side sent more than 1 MiB")

func (b *bounded) Read(p []byte) (int, error) {
	left := mostReceived - b.received.Load()
	if left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(int64(len(p)), left)])
	b.received.Add(int64(n))
	return n, err
}
