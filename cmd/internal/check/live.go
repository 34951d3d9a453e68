package check

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/text/width"
)

// Live is an endpoint to connect to. Nothing but what it names is connected to.
type Live struct {
	// Addr is where clients open their wss connection, wss://host:port[/path]
	// or host:port.
	Addr string
	// Via is ip:port to connect to in place of what the name in Addr leads to, empty
	// for that.
	Via string
	// Quiet says that no handshake is begun that a server in order would write into its log
	// as a failure.
	Quiet bool
	// Restart makes the server read its certificate again; the zero one is that of the
	// documentation.
	Restart Step
	// Status shows whether the server runs; the zero one is that of the documentation.
	Status Step
	// Component is the program that ends TLS in front of WuKongIM, empty where WuKongIM does.
	Component string
	// API and Plain are host:port of WuKongIM's HTTP API (5001) and of its
	// plain ws port (5200); the stages of an empty one are skipped.
	API, Plain string
	// NTP is the host of a time server; none is asked where it is empty.
	NTP string
	// Roots are what clients trust, nil for the system's.
	Roots *x509.CertPool
	// Timeout is the most that one stage may take; 0 stands for 5 s.
	Timeout time.Duration
	// File is the certificate that the server should serve, nil where it is not
	// known. Whole says that its file has all that it needs beside it.
	File  *x509.Certificate
	Whole bool
	// Fragile says that a handshake would crash the server, as its configuration
	// shows (Settings.Fragile). Nothing of TLS is sent to it.
	Fragile bool
	// Repeat is how often the handshake is made again, to meet the servers that may
	// stand behind one address.
	Repeat int
	// WarnDays is how many days before its end a certificate is to be renewed, 0 as for
	// files.
	WarnDays int
	// Revocation is zero where nobody is to be asked.
	Revocation Revocation
	// Now tells the time by which validity is judged; nil stands for time.Now.
	Now func() time.Time

	// resolver is nil for the system's.
	resolver *net.Resolver
	// pause between connections; 0 stands for the constant.
	pause time.Duration
}

const defaultTimeout = 5 * time.Second

// stage is one step of the way to the endpoint.
type stage struct {
	id     string
	breaks Breaks
	run    func(*endpoint, context.Context) Result
	// shakes says that the stage begins handshakes.
	shakes bool
	// fails says that it begins handshakes that a server in order may refuse.
	fails bool
	// repeats says that the stage may meet the fault of an earlier one again,
	// which is then told once.
	repeats bool
}

func stages() []stage {
	return []stage{
		{id: "live-name", breaks: AllClients, run: (*endpoint).name},
		{id: "live-tcp", breaks: AllClients, run: (*endpoint).tcp},
		{id: "live-health", breaks: SomeClients, run: (*endpoint).health},
		{id: "live-ws", breaks: SomeClients, run: (*endpoint).plainUpgrade},
		{id: "live-tls13", breaks: AllClients, run: (*endpoint).tls13, shakes: true},
		{id: "live-tls12", breaks: AllClients, run: (*endpoint).tls12, shakes: true, repeats: true},
		{id: "live-certificates", breaks: SomeClients, run: (*endpoint).certificates, shakes: true},
		{id: "live-served", breaks: SomeClients, run: (*endpoint).served},
		{id: "live-file", run: (*endpoint).file},
		{id: "live-names", breaks: AllClients, run: (*endpoint).names},
		{id: "live-trust", breaks: AllClients, run: (*endpoint).trust},
		{id: "live-dates", breaks: AllClients, run: (*endpoint).dates},
		{id: "live-lifetime", run: (*endpoint).lifetime},
		{id: "live-ocsp", breaks: SomeClients, run: (*endpoint).staple},
		{id: "live-revocation", breaks: SomeClients, run: (*endpoint).revocation},
		{id: "live-clients", breaks: SomeClients, run: (*endpoint).clients, shakes: true, fails: true},
		{id: "live-sni", run: (*endpoint).sni, shakes: true},
		{id: "live-wss", breaks: AllClients, run: (*endpoint).upgrade, shakes: true, repeats: true},
		{id: "live-route", breaks: AllClients, run: (*endpoint).route, repeats: true},
		{id: "live-clock", breaks: SomeClients, run: (*endpoint).clock},
	}
}

// Check goes through the stages in their order and returns a result for each.
// Where ctx ends, the rest is skipped.
func (l Live) Check(ctx context.Context) []Result {
	e := newEndpoint(l)
	for _, s := range stages() {
		e.results = append(e.results, e.check(ctx, s).of(s.id, ""))
	}
	e.settle()
	for i, s := range stages() {
		e.results[i] = e.results[i].of(s.id, s.breaks)
		e.results[i].Component = l.Component
	}
	return e.results
}

// Target is the address.
func (l Live) Target() Value {
	host, port, path, err := ParseAddr(l.Addr)
	if err != nil {
		return Address.of("target", "")
	}
	return Address.of("target", "wss://"+net.JoinHostPort(host, port)+strings.TrimSuffix(path, "/"))
}

// endpoint is what the stages have found so far.
type endpoint struct {
	Live
	host, port, path string
	invalid          error // why Addr is no address

	addresses []netip.Addr // that host leads to
	target    string       // ip:port of the first that accepts
	accepting []string     // ip:port of all that do
	borrowed  bool         // Roots are Mozilla's: the machine has none
	peers     []*peer      // the certificates that handshakes showed
	refused13 string       // why TLS 1.3 was refused
	answers   bool         // a handshake was done, or refused by an alert
	closed    atomic.Pointer[time.Time]
	deaf      bool     // the first one was answered by the end of the connection, or not at all
	small     bool     // no ClientHello of two packets is answered
	reached   bool     // the API answers HTTP
	date      *reading // the endpoint's clock
	skew      skew

	results []Result
}

func newEndpoint(l Live) *endpoint {
	if l.Timeout <= 0 {
		l.Timeout = defaultTimeout
	}
	if l.pause == 0 {
		l.pause = pause
	}
	if l.Now == nil {
		l.Now = time.Now
	}
	e := &endpoint{Live: l}
	if e.Roots == nil && hasNoRoots() {
		e.Roots, e.borrowed = mozillaRoots(), true
	}
	e.host, e.port, e.path, e.invalid = ParseAddr(l.Addr)
	return e
}

func (e *endpoint) check(ctx context.Context, s stage) Result {
	switch {
	case ctx.Err() != nil:
		return skipped("interrupted")
	case s.shakes && e.Fragile:
		return skipped("handshake-withheld")
	case s.fails && e.Quiet:
		return skipped("would-be-logged")
	case s.shakes && e.deaf:
		return e.after("live-tls13")
	}
	within, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	begin := time.Now()
	r := s.run(e, within)
	if r.Status == Skip {
		return r
	}
	r.Took = time.Since(begin)
	if ctx.Err() != nil {
		return skipped("interrupted")
	}
	if s.repeats && r.Status == Fail {
		for _, before := range e.results {
			if before.Status == Fail && before.Cause == r.Cause {
				return skipped("same", Text.of("check", before.ID))
			}
		}
	}
	return r
}

// settle mends results in the light of later ones.
func (e *endpoint) settle() {
	e.settleDates()
	if route := e.result("live-route"); route.Status == Fail && route.Cause == "hostname-mismatch" {
		e.result("live-names").RulesOut = nil
	}
}

func (e *endpoint) result(id string) *Result {
	for i := range e.results {
		if e.results[i].ID == id {
			return &e.results[i]
		}
	}
	return &Result{}
}

// needs is the key of a stage that waits for another, with that one's id.
const needs = sharedReason + "needs"

// after skips a stage that makes no sense after the failure of one of those
// named; the first fault is blamed, and no follower.
func (e *endpoint) after(ids ...string) Result {
	blamed := ids[0]
	for _, id := range ids {
		r := e.result(id)
		if r.Status == Fail {
			blamed = id
			break
		}
		if r.Status == Skip && r.Key == needs {
			return skipped("needs", r.Args...)
		}
	}
	return skipped("needs", Text.of("check", blamed))
}

// Typed is an address as people type it: with the blanks, quotes and full-width signs
// around it that an editor or an input method leaves, or as that of the web page, which
// is behind the same TLS.
func Typed(s string) string {
	s = width.Fold.String(s)
	s = strings.Trim(strings.ReplaceAll(s, "。", "."), " \t\r\n\"'“”‘’`<>")
	if rest, ok := strings.CutPrefix(s, "https://"); ok {
		return "wss://" + rest
	}
	return s
}

// PlainAddr is host:port of an address without TLS as people type it: from the browser too,
// with http:// or ws:// before it and a path behind.
func PlainAddr(s string) (string, error) {
	typed := Typed(s)
	if !strings.Contains(typed, "://") {
		return typed, nil
	}
	u, err := url.Parse(typed)
	if err != nil || u.Scheme != "http" && u.Scheme != "ws" || u.User != nil || u.Host == "" {
		return "", errors.New("want host:port, http://host:port or ws://host:port")
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80")), nil
}

// ParseAddr takes an address apart: wss://host:port[/path], where the port is
// 443 by default (RFC 6455 section 3), or host:port. A name outside ASCII comes
// back as its A-label; path begins with / and holds the query too. Errors never
// repeat a password that stands in the address.
func ParseAddr(s string) (host, port, path string, err error) {
	path = "/"
	if strings.Contains(s, "://") {
		host, port, path, err = parseURL(s)
	} else if host, port, err = net.SplitHostPort(s); err != nil {
		err = fmt.Errorf("address %q: want wss://host:port or host:port: %w", s, err)
	}
	if err != nil {
		return "", "", "", err
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", "", fmt.Errorf("address of host %q: the port %q is not a number from 1 to 65535", host, port)
	}
	if host, err = parseHost(host); err != nil {
		return "", "", "", err
	}
	return host, port, path, nil
}

func parseURL(s string) (host, port, path string, err error) {
	u, err := url.Parse(s)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err // the outer one repeats the address
		}
		return "", "", "", fmt.Errorf("address is no URL: %w", err)
	}
	switch {
	case u.Scheme != "wss":
		return "", "", "", fmt.Errorf("address of host %q: the scheme is %q, want wss", u.Host, u.Scheme)
	case u.User != nil:
		return "", "", "", fmt.Errorf("address of host %q: a user or password has no place in it", u.Host)
	case u.Fragment != "":
		return "", "", "", fmt.Errorf("address of host %q: a wss address has no fragment (RFC 6455 section 3)", u.Host)
	}
	if port = u.Port(); port == "" {
		port = "443"
	}
	return u.Hostname(), port, u.RequestURI(), nil
}

func parseHost(host string) (string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return host, nil
	}
	name, err := host, error(nil)
	if strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		if name, err = idna.Lookup.ToASCII(host); err != nil {
			return "", fmt.Errorf("host %q: %w", host, err)
		}
	}
	// An underscore is no letter of host names, and yet compose services have it.
	foreign := strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_.")
	if name == "" || len(name) > 254 || foreign != "" || strings.Trim(name, ".") == "" {
		return "", fmt.Errorf("host %q is neither a name nor an IP address", host)
	}
	return name, nil
}

// cleaned makes the texts in a result fit for a report, where they come from the
// peer.
func cleaned(r Result) Result {
	for i, arg := range r.Args {
		r.Args[i] = arg.Map(fromPeer)
		if list, ok := r.Args[i].V.([]string); ok {
			r.Args[i].V = shortened(list)
		}
	}
	return r
}

// mostShown bytes of a text from the peer go into a report.
const mostShown = 200

// shortened is a list as far as it fits.
func shortened(list []string) []string {
	length := 0
	for i, item := range list {
		if length += len(item); length > mostShown {
			return append(list[:i:i], "…")
		}
	}
	return list
}

// fromPeer makes what the network sent fit for one line of a report: short, and
// without characters that a terminal would act on.
func fromPeer(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > mostShown {
		s = s[:mostShown] + "…"
	}
	quoted := strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
