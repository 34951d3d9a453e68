package check

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Revocation is how to learn whether a certificate was revoked. Nothing is asked and no
// list is looked at in its zero value.
type Revocation struct {
	// Ask says that what the certificate names may be connected to: its OCSP responder
	// (RFC 6960), and its list (RFC 5280 section 4.2.1.13) where that gives no answer.
	Ask bool
	// Lists are those that were given as files.
	Lists []*x509.RevocationList
}

// Bounds of what is read: an answer has one to four kilobytes; lists of large authorities
// have some megabytes.
const (
	mostAnswer = 64 << 10
	mostList   = 32 << 20
)

func (r *Revocation) wanted() bool { return r.Ask || len(r.Lists) > 0 }

// of tells whether a certificate was revoked. The lists at hand are looked at first.
func (r *Revocation) of(ctx context.Context, leaf, issuer *x509.Certificate, now time.Time) Result {
	if issuer == nil {
		return skipped("revocation-no-issuer")
	}
	for _, list := range r.Lists {
		if bytes.Equal(list.RawIssuer, leaf.RawIssuer) {
			return listed(list, leaf, issuer, now)
		}
	}
	if !r.Ask {
		return skipped("revocation-other-list", Name.of("issuer", fromPeer(leaf.Issuer.String())))
	}
	asked, failure := "", error(nil)
	for _, server := range leaf.OCSPServer {
		response, err := askOCSP(ctx, server, leaf, issuer)
		if err == nil {
			result := stapled(response, now)
			result.Key = sharedReason + "revocation-" + result.Key
			return result
		}
		asked, failure = server, err
	}
	for _, point := range leaf.CRLDistributionPoints {
		list, err := fetchList(ctx, point)
		if err == nil {
			return listed(list, leaf, issuer, now)
		}
		asked, failure = point, err
	}
	if failure == nil {
		return pass(sharedReason + "revocation-nowhere").rulesOut("cert-revoked")
	}
	return warn("", sharedReason+"revocation-unanswered", Address.of("asked", fromPeer(asked)), Text.of("error", told(failure)))
}

// listed looks a certificate up in a list of its issuer.
func listed(list *x509.RevocationList, leaf, issuer *x509.Certificate, now time.Time) Result {
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return warn("", sharedReason+"revocation-forged", Text.of("error", err.Error()))
	}
	for _, entry := range list.RevokedCertificateEntries {
		const removed = 8 // removeFromCRL (RFC 5280 section 5.3.1)
		if entry.SerialNumber.Cmp(leaf.SerialNumber) == 0 && entry.ReasonCode != removed {
			return fail("cert-revoked", sharedReason+"revocation-revoked", Time.of("revoked", entry.RevocationTime))
		}
	}
	if !list.NextUpdate.IsZero() && now.After(list.NextUpdate) {
		return warn("", sharedReason+"revocation-stale", Time.of("next_update", list.NextUpdate))
	}
	return pass(sharedReason+"revocation-good", Time.of("this_update", list.ThisUpdate)).rulesOut("cert-revoked")
}

func askOCSP(ctx context.Context, server string, leaf, issuer *x509.Certificate) (*ocsp.Response, error) {
	question, err := ocsp.CreateRequest(leaf, issuer, nil)
	if err != nil {
		return nil, err
	}
	answer, err := loadFrom(ctx, http.MethodPost, server, question, mostAnswer)
	if err != nil {
		return nil, err
	}
	return parseStaple(answer, leaf, issuer)
}

func fetchList(ctx context.Context, point string) (*x509.RevocationList, error) {
	data, err := loadFrom(ctx, http.MethodGet, point, nil, mostList)
	if err != nil {
		return nil, err
	}
	return ParseRevocationList(data)
}

// ParseRevocationList reads a list in DER or PEM.
func ParseRevocationList(data []byte) (*x509.RevocationList, error) {
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	return x509.ParseRevocationList(data)
}

var (
	errNotHTTP  = errors.New("its scheme is not http")
	errTooLong  = errors.New("the answer is too long")
	errNoAnswer = errors.New("it answers with status")
)

// loadFrom asks an address that a certificate names, once: without redirects, which could
// lead anywhere.
func loadFrom(ctx context.Context, method, address string, body []byte, most int64) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, errNotHTTP
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/ocsp-request")
	}
	asking := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: mostHeader, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := asking.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w %d", errNoAnswer, response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if err == nil && int64(len(data)) > most {
		err = errTooLong
	}
	return data, err
}

// checkRevocation tells whether anybody could learn that the certificate was revoked (RFC
// 5280 sections 4.2.1.13 and 4.2.2.1), and asks where that is wanted: otherwise the checks
// connect to nothing that was not named.
func checkRevocation(f *certificateFiles) Result {
	leaf := f.chain[0]
	if f.Revocation.wanted() {
		ctx, cancel := context.WithTimeout(context.Background(), defaultTimeout)
		defer cancel()
		c := &chain{sent: f.chain, all: f.chain, roots: f.Roots}
		return cleaned(f.Revocation.of(ctx, leaf, c.issuer(f.Now), f.Now))
	}
	for _, addresses := range [][]string{leaf.CRLDistributionPoints, leaf.OCSPServer} {
		for _, address := range addresses {
			return Result{Status: Skip, Key: "not-asked", Args: []Value{Address.of("address", address)}}
		}
	}
	return pass(sharedReason + "revocation-nowhere").rulesOut("cert-revoked")
}

// revocation of what the endpoint serves.
func (e *endpoint) revocation(ctx context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	if !e.Revocation.wanted() {
		return Result{Status: Skip, Key: "not-wanted"}
	}
	return e.each(func(p *peer) Result {
		return cleaned(e.Revocation.of(ctx, p.chain.leaf(), p.chain.issuer(e.Now()), e.Now()))
	})
}
