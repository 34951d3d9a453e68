package check

import (
	"context"
	"crypto/x509"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"
)

// mostCertificates of a chain are looked at; real ones have two to four, and
// each more lets a hostile server ask for more signatures to be verified.
const mostCertificates = 10

// chain is what a server sent. It is judged by the checks of certificate files,
// so that both say the same of the same certificates.
type chain struct {
	sent  []*x509.Certificate // the first is the leaf, whose key did the handshake
	all   []*x509.Certificate // before they were cut to mostCertificates
	roots *x509.CertPool
	// borrowed and warnDays are the endpoint's.
	borrowed bool
	warnDays int
	// completeness is judged once: two checks ask for it, and signatures are dear.
	completeness func() Result
}

func (e *endpoint) newChain(sent []*x509.Certificate) *chain {
	c := &chain{sent: sent[:min(len(sent), mostCertificates)], all: sent, roots: e.Roots, borrowed: e.borrowed, warnDays: e.WarnDays}
	c.completeness = sync.OnceValue(c.judgeCompleteness)
	return c
}

// leaf is the certificate that was met first.
func (e *endpoint) leaf() *x509.Certificate { return e.peers[0].chain.leaf() }

func (c *chain) leaf() *x509.Certificate { return c.sent[0] }

func (c *chain) files(host string) *certificateFiles {
	return &certificateFiles{Certificates: Certificates{Roots: c.roots, Host: host}, borrowed: c.borrowed, chain: c.sent}
}

// weakSignature is the failure of a signature that crypto/x509 refuses to verify
// at all, which makes the chain look cut off there.
func (c *chain) weakSignature() (Result, bool) {
	r := checkAlgorithm(c.files(""))
	return r, r.Key == "signature"
}

func (e *endpoint) served(context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	r := e.each(func(p *peer) Result { return p.chain.completeness() })
	switch {
	case r.Cause != "chain-incomplete" || r.Status != Fail || !e.leaf().Equal(e.File):
	case e.Whole:
		return e.readAgain(r)
	case e.Restart.Command != "":
		r.Fixes = nil // it is known to be the server's file, of which the checks of files tell
	}
	return r
}

// judgeCompleteness is that of the chain, and its order.
func (c *chain) judgeCompleteness() Result {
	if _, weak := c.weakSignature(); weak {
		return skipped("needs", Text.of("check", "live-trust"))
	}
	complete := ofEndpoint(checkChainComplete(c.files("")))
	if complete.Status == Fail {
		complete.Fixes = c.fetch(complete)
		return cleaned(complete)
	}
	if len(c.all) > len(c.sent) {
		return warn("", "long", Number.of("certificates", len(c.all)))
	}
	for i := 1; i < len(c.sent); i++ {
		if !signs(c.sent[i], c.sent[i-1]) {
			return cleaned(warn("chain-incomplete", "order", Number.of("position", i+1), Name.of("certificate", name(c.sent[i]))))
		}
	}
	if root := checkChainRoot(c.files("")); root.Status != Pass {
		return cleaned(root)
	}
	return cleaned(complete)
}

// file compares what is served with the file: a server reads it at its start
// only, so a renewed certificate needs a restart (WuKongIM v2.2.5
// internal/options/options.go:891).
func (e *endpoint) file(context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	if e.File == nil {
		return Result{Status: Skip, Key: "none"}
	}
	return e.each(func(p *peer) Result { return e.compareFile(p.chain.leaf()) })
}

func (e *endpoint) compareFile(served *x509.Certificate) Result {
	switch {
	case served.Equal(e.File):
		return pass("same")
	case served.NotBefore.Before(e.File.NotBefore):
		key := "older"
		if e.Component != "" {
			key = "older-front"
		}
		return e.readAgain(warn("", key, Time.of("served_not_after", served.NotAfter), Time.of("file_not_after", e.File.NotAfter)))
	}
	other := cleaned(warn("", "other", Name.of("served", name(served)), Name.of("file", name(e.File))))
	if e.Restart.Command != "" { // it is known to be the server's file
		return e.readAgain(other)
	}
	return other
}

// readAgain says how the files are read again, which mend what is served.
func (e *endpoint) readAgain(r Result) Result {
	again := e.Restart
	switch {
	case again.Command == "" && e.Component != "":
		return r // what its cause says of the program
	case again.Command == "":
		again = step("", "docker compose restart wukongim", "")
	}
	again.Key = sharedReason + "fix-read-again"
	if e.Component != "" {
		again.Key = sharedReason + "fix-read-again-front"
	}
	return r.instead(again)
}

// renewed tells of a certificate that is out of date while the file has one that is not:
// the server has not read it yet.
func (e *endpoint) renewed(r Result) Result {
	if r.Status != Fail || e.File == nil || len(e.peers) == 0 {
		return r
	}
	if file := dates([]*x509.Certificate{e.File}, e.Now(), e.WarnDays); file.Status == Fail || e.leaf().Equal(e.File) {
		return r
	}
	return e.readAgain(r)
}

// fetch tells how to get the certificate that is missing. Its address is the
// peer's, so it is quoted for the shell, and left out where it is no plain one.
func (c *chain) fetch(missing Result) []Step {
	if missing.Key != "missing-at" {
		return nil
	}
	from, ok := download(publishedAt(topOf(c.sent)))
	if !ok {
		return nil
	}
	return []Step{step("fix", "curl -sS --fail %[1]s | openssl x509 -inform DER | awk 1 cert.pem - > fullchain-new.pem", "", from)}
}

// download is the address of a certificate, if it is a plain one.
func download(published string) (Value, bool) {
	u, err := url.Parse(published)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || len(published) > mostShown {
		return Value{}, false
	}
	return Address.of("download", u.String()), true
}

func (e *endpoint) names(context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	return e.each(func(p *peer) Result { return cleaned(checkNames(p.chain.files(withoutZone(e.host)))) })
}

func withoutZone(host string) string {
	address, _, _ := strings.Cut(host, "%")
	return address
}

// trust looks at all that makes clients refuse a complete chain, but for names
// and dates.
func (e *endpoint) trust(context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	return e.each(func(p *peer) Result { return e.trusted(p.chain) })
}

func (e *endpoint) trusted(c *chain) Result {
	if r, weak := c.weakSignature(); weak {
		return cleaned(r)
	}
	if r := c.completeness(); r.Status == Fail || r.Status == Skip {
		return e.after("live-served")
	}
	r := ofEndpoint(checkTrust(c.files("")))
	if r.Status == Fail && r.Key == "invalid" && c.dates(e.Now()).Status == Fail {
		// There is no time when all of it was valid, as after a CA's renewal
		// under the same key: whether it is trusted cannot be told.
		return skipped("needs", Text.of("check", "live-dates"))
	}
	if r.Status != Pass {
		return cleaned(r)
	}
	if usage := checkUsage(c.files("")); usage.Status != Pass {
		usage.Key = map[string]string{"extended": "usage-extended", "signature": "usage-signature"}[usage.Key]
		return cleaned(usage)
	}
	if algorithm := checkAlgorithm(c.files("")); algorithm.Status != Pass {
		return cleaned(algorithm)
	}
	return r.rulesOut(append(r.RulesOut, "cert-unsupported")...)
}

func (e *endpoint) dates(context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	return e.renewed(e.datesAt(e.Now()))
}

func (e *endpoint) lifetime(context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	return e.each(func(p *peer) Result { return ofEndpoint(lifetime(p.chain.sent)) })
}

// ofEndpoint names the check of the dates by the title that it has for an endpoint.
func ofEndpoint(r Result) Result {
	if r.Key == needs {
		return skipped("needs", Text.of("check", "live-dates"))
	}
	return r
}

// dates judges what clients need. A chain that is in date another way round an
// expired cross-certificate is in order.
func (c *chain) dates(at time.Time) Result {
	needed := c.sent
	if verified := c.verified(at); verified != nil {
		needed = verified[:max(1, len(verified)-1)]
	}
	r := cleaned(dates(needed, at, c.warnDays))
	r.Since, r.More = c.leaf().NotBefore, identity(c.leaf(), r)
	return r
}

// verified is the way to a root at a time, nil where there is none.
func (c *chain) verified(at time.Time) []*x509.Certificate {
	intermediates := x509.NewCertPool()
	for _, cert := range c.sent[1:] {
		intermediates.AddCert(cert)
	}
	chains, err := c.leaf().Verify(x509.VerifyOptions{
		Roots: c.roots, Intermediates: intermediates, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return nil
	}
	return chains[0]
}

func (e *endpoint) staple(context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	return e.each(e.stapledFor)
}

func (e *endpoint) stapledFor(p *peer) Result {
	c := p.chain
	if len(p.staple) == 0 {
		if r := checkStaple(c.files("")); r.Status != Pass {
			return r
		}
		return Result{Status: Skip, Key: "none"}
	}
	issuer := c.issuer(e.Now())
	if issuer == nil {
		return Result{Status: Skip, Key: "no-issuer"}
	}
	response, err := parseStaple(p.staple, c.leaf(), issuer)
	if err != nil {
		return warn("", "unusable", Text.of("error", fromPeer(err.Error())))
	}
	return stapled(response, e.Now())
}

// parseStaple reads a stapled answer and verifies it. An answer that holds the issuer's
// own certificate, as OpenSSL's responder makes it, is refused by the library, which
// takes what it holds for that of a delegated responder (RFC 6960 section 4.2.2.2).
func parseStaple(staple []byte, leaf, issuer *x509.Certificate) (*ocsp.Response, error) {
	response, err := ocsp.ParseResponseForCert(staple, leaf, issuer)
	if err == nil {
		return response, nil
	}
	if own, ownErr := ocsp.ParseResponseForCert(staple, leaf, nil); ownErr == nil && own.Certificate != nil && own.Certificate.Equal(issuer) {
		return own, nil // which was verified by the certificate in it
	}
	return nil, err
}

// issuer of the leaf, against whose key a staple is verified.
func (c *chain) issuer(now time.Time) *x509.Certificate {
	if i := slices.IndexFunc(c.sent, func(issuer *x509.Certificate) bool { return signs(issuer, c.leaf()) }); i >= 0 {
		return c.sent[i]
	}
	if verified := c.verified(now); len(verified) > 1 {
		return verified[1]
	}
	return nil
}

func stapled(response *ocsp.Response, now time.Time) Result {
	switch {
	case response.Status == ocsp.Revoked:
		return fail("cert-revoked", "revoked", Time.of("revoked", response.RevokedAt))
	case response.Status != ocsp.Good:
		return warn("", "unknown")
	case !response.NextUpdate.IsZero() && now.After(response.NextUpdate):
		return warn("", "stale", Time.of("next_update", response.NextUpdate))
	}
	return pass("good", Time.of("this_update", response.ThisUpdate)).rulesOut("cert-revoked")
}

// sni compares the certificate with the one for clients that send no name.
func (e *endpoint) sni(ctx context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	if _, err := netip.ParseAddr(e.host); err == nil {
		return Result{Status: Skip, Key: "address", Args: []Value{Host.of("host", e.host)}}
	}
	nameless := e.peers[0].offer
	nameless.name = ""
	a := e.shake(ctx, nameless)
	defer a.close()
	if a.err != nil {
		return warn("", "refused", Text.of("error", told(a.err)))
	}
	other := a.conn.ConnectionState().PeerCertificates
	if len(other) > 0 && !slices.ContainsFunc(e.peers, func(p *peer) bool { return p.chain.leaf().Equal(other[0]) }) {
		return cleaned(warn("", "other", Host.of("names", namesOf(other[0])), Host.of("with_name", namesOf(e.leaf()))))
	}
	return pass("equal")
}
