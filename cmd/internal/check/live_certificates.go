package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"sync"
	"time"
)

// meeting is a handshake that showed a certificate.
type meeting struct {
	address string // ip:port
	version uint16
}

// peer is a certificate, with its chain, that the endpoint serves. Clients may get
// different ones: each address of a name, each server behind a balancer has a file of
// its own, and one server may have a certificate for each version or kind of key.
type peer struct {
	offer  offer // with which it was met first
	staple []byte
	chain  *chain
	met    []meeting
}

// mostPeers are kept; more would be another certificate for every connection.
const mostPeers = 32

// remember keeps the certificate of a handshake.
func (e *endpoint) remember(a *attempt) {
	if a.err != nil {
		return
	}
	state := a.conn.ConnectionState()
	if len(state.PeerCertificates) == 0 {
		return
	}
	met := meeting{a.address, state.Version}
	same := func(p *peer) bool {
		return slices.EqualFunc(p.chain.all, state.PeerCertificates, (*x509.Certificate).Equal)
	}
	if i := slices.IndexFunc(e.peers, same); i >= 0 {
		known := e.peers[i]
		known.met = append(known.met, met)
		if known.staple == nil {
			known.staple = state.OCSPResponse
		}
		return
	}
	if len(e.peers) < mostPeers {
		e.peers = append(e.peers, &peer{a.offer, state.OCSPResponse, e.newChain(state.PeerCertificates), []meeting{met}})
	}
}

// each judges every certificate that was met. The worst decides, and a cause is
// ruled out where all agree.
func (e *endpoint) each(judge func(*peer) Result) Result {
	var results []Result
	worst := 0
	for i, p := range e.peers {
		results = append(results, judge(p))
		if rank(results[i].Status) > rank(results[worst].Status) {
			worst = i
		}
	}
	r := results[worst]
	var at []meeting
	for i, other := range results {
		r.RulesOut = slices.DeleteFunc(slices.Clone(r.RulesOut), func(cause string) bool { return !slices.Contains(other.RulesOut, cause) })
		if other.Since.After(r.Since) {
			r.Since = other.Since
		}
		if other.Status == r.Status && other.Cause == r.Cause {
			at = append(at, e.peers[i].met...)
		}
	}
	if r.Status != Pass {
		r.Met = e.onlyAt(at)
	}
	return r
}

// rank orders outcomes, the worst last.
func rank(s Status) int { return slices.Index([]Status{Pass, Skip, Warn, Fail}, s) }

// onlyAt tells where something was met, empty where it was met everywhere.
func (e *endpoint) onlyAt(met []meeting) []Value {
	var all []meeting
	for _, p := range e.peers {
		all = append(all, p.met...)
	}
	if len(met) == len(all) {
		return nil
	}
	addresses, versions := waysOf(met)
	where := []Value{Address.of("met_at", addresses), Text.of("met_with", versions)}
	if allAddresses, allVersions := waysOf(all); len(addresses) == len(allAddresses) && len(versions) == len(allVersions) {
		where = append(where, Number.of("met_times", len(met)), Number.of("met_of", len(all)))
	}
	return where
}

// waysOf are the addresses and the versions of some handshakes, each once.
func waysOf(met []meeting) (addresses, versions []string) {
	for _, m := range met {
		addresses, versions = append(addresses, m.address), append(versions, tls.VersionName(m.version))
	}
	distinct := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return distinct(addresses), distinct(versions)
}

// certificates looks for others than the one that was met first: at every address,
// for the other kind of key, and on the same way again.
func (e *endpoint) certificates(ctx context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	e.askOtherKind(ctx)
	failed := e.askOtherAddresses(ctx)
	again, broken := e.askAgain(ctx)
	switch {
	case len(failed) > 0:
		a := failed[0]
		cause := "connection-interrupted"
		if text := a.alert(); text != "" {
			cause = e.alerted(text, a.asked).Cause
		}
		return fail(cause, "refused", Address.of("address", a.address), Text.of("error", told(a.err)))
	case broken != nil:
		return warn("", "sometimes", Number.of("handshakes", again), Text.of("error", told(broken.err)))
	}
	r := cleaned(e.difference())
	if r.Status != Pass {
		r.Fixes = []Step{step("fix", "openssl s_client -connect %[1]s -servername %[2]s </dev/null 2>/dev/null | openssl x509 -noout -subject -dates -fingerprint -sha256", "",
			Address.of("connect", e.target), Host.of("server_name", withoutZone(e.host)))}
	}
	return r
}

// difference tells whether the certificates are those of one deployment: one, or one
// for each kind of key.
func (e *endpoint) difference() Result {
	for i, p := range e.peers {
		for _, other := range e.peers[:i] {
			switch {
			case p.chain.leaf().Equal(other.chain.leaf()):
				return warn("", "chains", e.where(p)...)
			case p.chain.leaf().PublicKeyAlgorithm == other.chain.leaf().PublicKeyAlgorithm:
				return warn("", apart(p, other), e.where(p)...)
			}
		}
	}
	r := pass("one", Number.of("handshakes", len(e.peers[0].met)))
	if len(e.peers) > 1 {
		r = pass("kinds", Number.of("certificates", len(e.peers)))
	}
	r.More = []Value{Address.of("addresses", e.accepting)}
	return r
}

// Differing tells whether the key of live-certificates says that a target serves
// different certificates, other than one for each kind of key.
func Differing(key string) bool {
	return slices.Contains([]string{"chains", "addresses", "versions", "turn"}, key)
}

// apart names by what two certificates are told apart: the address, the version, or
// nothing but the turn.
func apart(p, other *peer) string {
	key := "addresses"
	for _, m := range p.met {
		for _, o := range other.met {
			switch {
			case m == o:
				return "turn"
			case m.address == o.address:
				key = "versions"
			}
		}
	}
	return key
}

// where a certificate was met, and until when it is valid.
func (e *endpoint) where(p *peer) []Value {
	addresses, versions := waysOf(p.met)
	return []Value{
		Number.of("certificates", len(e.peers)), Address.of("addresses", addresses), Text.of("versions", versions),
		Name.of("certificate", name(p.chain.leaf())), Time.of("not_after", p.chain.leaf().NotAfter),
	}
}

// askOtherKind asks a server that has an RSA certificate for an ECDSA one, and the
// other way round. TLS 1.2 tells the kind by the cipher suite (RFC 5246 section
// 7.4.2). A server with one certificate refuses, and logs that.
func (e *endpoint) askOtherKind(ctx context.Context) {
	i := slices.IndexFunc(e.peers, func(p *peer) bool {
		return slices.ContainsFunc(p.met, func(m meeting) bool { return m.version == tls.VersionTLS12 })
	})
	if i < 0 || e.Quiet {
		return
	}
	kind, other := "_ECDSA_", "_RSA_"
	if e.peers[i].chain.leaf().PublicKeyAlgorithm == x509.RSA {
		kind, other = other, kind
	}
	o := e.ordinary()
	o.max = tls.VersionTLS12
	for _, s := range tls.CipherSuites() {
		if strings.Contains(s.Name, other) && !strings.Contains(s.Name, kind) {
			o.suites = append(o.suites, s.ID)
		}
	}
	a := e.shake(ctx, o)
	defer a.close()
	e.remember(a)
}

// askOtherAddresses shakes hands with each address that accepts connections, and
// returns those that refuse.
func (e *endpoint) askOtherAddresses(ctx context.Context) (failed []*attempt) {
	attempts := make([]*attempt, len(e.accepting))
	var shakes sync.WaitGroup
	for i, address := range e.accepting {
		if address != e.target {
			shakes.Go(func() { attempts[i] = e.shakeAt(ctx, address, e.ordinary()) })
		}
	}
	shakes.Wait()
	for _, a := range attempts {
		if a == nil {
			continue
		}
		if e.remember(a); a.err != nil {
			failed = append(failed, a)
		}
		a.close()
	}
	return failed
}

// askAgain repeats the ordinary handshake, as several servers may stand behind one
// address; broken is one that failed.
func (e *endpoint) askAgain(ctx context.Context) (made int, broken *attempt) {
	for range e.Repeat {
		a := e.shake(ctx, e.ordinary())
		if ctx.Err() != nil {
			break // time is up, and says nothing of the endpoint
		}
		made++
		if e.remember(a); a.err != nil {
			broken = a
		}
		a.close()
	}
	return made, broken
}

// datesAt judges the dates of every certificate at a time.
func (e *endpoint) datesAt(at time.Time) Result {
	return e.each(func(p *peer) Result { return p.chain.dates(at) })
}
