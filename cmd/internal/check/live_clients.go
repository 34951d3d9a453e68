package check

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v4"
)

// clientsYAML is what kinds of clients know, with the source of each row.
//
//go:embed clients.yaml
var clientsYAML []byte

// clientKind is a row of clients.yaml.
type clientKind struct {
	Name    string
	Old     bool
	Newest  string
	Suites  []string
	Curves  []string
	Keys    []string
	Lacks   []string
	Longest int
	Private *bool
	Packets int
	Source  string
}

type clientTable struct {
	Sets    map[string][]string
	Roots   map[string]string
	Clients []clientKind
}

var clientKinds = sync.OnceValue(func() clientTable {
	var table clientTable
	decoder := yaml.NewDecoder(bytes.NewReader(clientsYAML))
	decoder.KnownFields(true)
	if err := decoder.Decode(&table); err != nil {
		panic("clients.yaml: " + err.Error()) // a test reads it
	}
	return table
})

// clients tells which kinds cannot connect for what the endpoint offers, whatever else is
// wrong with it.
func (e *endpoint) clients(ctx context.Context) Result {
	if len(e.peers) == 0 {
		return e.after("live-tls13", "live-tls12")
	}
	table := clientKinds()
	offered := e.offers(ctx)
	var out []string
	status := Pass
	for _, kind := range table.Clients {
		missing := kind.missing(offered, table)
		if missing == "" {
			continue
		}
		out = append(out, fmt.Sprintf("%s (%s)", kind.Name, missing))
		if !kind.Old && missing != privateCA {
			status = Warn
		}
	}
	all := Number.of("kinds", len(table.Clients))
	if len(out) == 0 {
		return pass("all", all)
	}
	return Result{Status: status, Key: "some", Args: []Value{Text.of("clients", strings.Join(out, ", ")), Number.of("kinds_out", len(out)), all}}
}

// offering is what an endpoint has for its clients.
type offering struct {
	only13, only12 bool
	keys           []string
	roots          []string // of all ways to a root; empty where none is known
	private        bool     // no public authority
	days           int
	small          bool
	agreed         string // suite and curve of TLS 1.2 with a client of today
	// takes tells whether the endpoint takes an offer of TLS 1.2.
	takes func(suites []uint16, curves []tls.CurveID) bool
}

func (e *endpoint) offers(ctx context.Context) *offering {
	o := &offering{small: e.small}
	var met []meeting
	for _, p := range e.peers {
		met = append(met, p.met...)
		o.keys = append(o.keys, keyKind(p.chain.leaf()))
	}
	has := func(version uint16) bool {
		return slices.ContainsFunc(met, func(m meeting) bool { return m.version == version })
	}
	o.only13, o.only12 = !has(tls.VersionTLS12), !has(tls.VersionTLS13)
	if r := e.result("live-tls12"); r.Status == Pass {
		o.agreed = r.Args[1].String() + ", " + r.More[0].String()
	}
	leaf := e.leaf()
	o.days = int((leaf.NotAfter.Sub(leaf.NotBefore) + time.Second - 1) / (24 * time.Hour))
	o.roots, o.private = e.peers[0].chain.rootsOf(e.Now())
	// Suites and curves that every kind knows come first: where these do, no other
	// handshake is needed.
	var modest *bool
	try := func(suites []uint16, curves []tls.CurveID) bool {
		a := e.shake(ctx, offer{name: e.host, min: tls.VersionTLS12, max: tls.VersionTLS12, suites: suites, curves: curves})
		defer a.close()
		e.remember(a)
		return a.err == nil || ctx.Err() != nil
	}
	o.takes = func(suites []uint16, curves []tls.CurveID) bool {
		if modest == nil {
			works := try(suitesOf(clientKinds().Sets["aead128"]), []tls.CurveID{tls.CurveP256})
			modest = &works
		}
		return *modest || try(suites, curves)
	}
	return o
}

// privateCA stands between a private authority's certificate and clients to which nobody
// can give its root. Who uses one knows.
const privateCA = "CA"

// missing names what stands between a kind of client and an endpoint, empty for nothing.
func (k *clientKind) missing(o *offering, table clientTable) string {
	lacks := func(root string) bool { return slices.Contains(k.Lacks, table.Roots[root]) }
	switch {
	case o.only13 && k.Newest == "1.2":
		return "TLS 1.3"
	case k.Packets > 1 && o.small:
		return "X25519MLKEM768"
	case !slices.ContainsFunc(o.keys, func(kind string) bool { return slices.Contains(k.Keys, kind) }):
		return strings.Join(slices.Compact(slices.Sorted(slices.Values(o.keys))), ", ")
	case o.private && k.Private != nil && !*k.Private:
		return privateCA
	case len(o.roots) > 0 && !slices.ContainsFunc(o.roots, func(root string) bool { return !lacks(root) }):
		return table.Roots[o.roots[0]]
	case k.Longest > 0 && o.days > k.Longest:
		return fmt.Sprintf("> %d d", k.Longest)
	case !o.only13 && (o.only12 || k.Newest == "1.2") && !o.takes(k.offer(table)):
		return o.agreed
	}
	return ""
}

// offer is what the kind sends by TLS 1.2, as far as Go knows it.
func (k *clientKind) offer(table clientTable) (suites []uint16, curves []tls.CurveID) {
	for _, set := range k.Suites {
		suites = append(suites, suitesOf(table.Sets[set])...)
	}
	for _, name := range k.Curves {
		if id, known := curveIDs[name]; known {
			curves = append(curves, id)
		}
	}
	return suites, curves
}

var curveIDs = map[string]tls.CurveID{"X25519": tls.X25519, "P-256": tls.CurveP256, "P-384": tls.CurveP384, "P-521": tls.CurveP521}

func suitesOf(names []string) (ids []uint16) {
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if slices.Contains(names, s.Name) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// keyKind is that of the certificate's key: RSA, a curve, or Ed25519.
func keyKind(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return "RSA"
	case *ecdsa.PublicKey:
		return key.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return c.PublicKeyAlgorithm.String()
}

// rootsOf are the fingerprints of the roots to which the chain leads, and whether none of
// them is public. A chain that leads to none says nothing.
func (c *chain) rootsOf(at time.Time) (roots []string, private bool) {
	intermediates := x509.NewCertPool()
	for _, cert := range c.sent[1:] {
		intermediates.AddCert(cert)
	}
	opts := x509.VerifyOptions{Roots: c.roots, Intermediates: intermediates, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	chains, err := c.leaf().Verify(opts)
	if err != nil {
		return nil, false
	}
	for _, way := range chains {
		roots = append(roots, sha256Of(way[len(way)-1]))
	}
	opts.Roots = mozillaRoots()
	_, err = c.leaf().Verify(opts)
	return roots, err != nil
}
