package check

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Programs that stand before WuKongIM.
const (
	programNginx   = "nginx"
	programCaddy   = "caddy"
	programTraefik = "traefik"
	programHAProxy = "haproxy"
	programIngress = "ingress"
)

// Proxy is the configuration of a program between the clients and WuKongIM, as far
// as TLS and WebSocket need it, in one form for all programs.
type Proxy struct {
	// Servers are the settings of those that it may lead to, where they are known.
	Servers []*Settings
	// Clients are the addresses that clients are given, where they are known.
	Clients []string

	program   string
	file      string     // as it is shown
	container *container // the service of a compose file that runs it
	sites     []*virtualHost
	// unread is where a file that is included could not be understood, nil for nowhere.
	unread *placed
	// partial says that it was read without what stands around it, as a file of
	// conf.d: what is not set here may be set there.
	partial bool
	// here says that it is the configuration of this machine.
	here bool
	// contents are certificates and keys that are no files, as those of a Secret.
	contents map[string][]byte
}

// virtualHost is what is served under some names on some ports: a server block of nginx.
type virtualHost struct {
	names        []string
	listens      []listenPort
	certificates []pair
	// automatic says that the program gets the certificate by itself.
	automatic bool
	protocols []string // nil for the program's own
	// client is whether clients are asked for a certificate: on, optional or empty.
	client string
	routes []*route
	// transport says that it forwards bytes, not requests.
	transport bool
	// rejects says that it ends every handshake (ssl_reject_handshake).
	rejects bool
	// uncovered says that no entry of an Ingress's tls has its name; issued are the
	// names of the certificate that cert-manager gets for it.
	uncovered bool
	issued    []string
	// secret is what the checks of its Secret say, zero without one.
	secret Result
	place  string // file and line
}

// listenPort is a port that a site is reached on.
type listenPort struct {
	port       string
	tls, first bool // first is the default server of its port
}

// pair names the files of a certificate and its key.
type pair struct{ cert, key string }

// route is what becomes of the requests for a path.
type route struct {
	kind  pathKind
	path  string
	to    *forward // nil where the program answers by itself
	place string
}

type pathKind int

const (
	pathPrefix pathKind = iota
	pathExact
	pathFirm // a prefix that counts before patterns
	pathPattern
	pathNamed // reached from other routes alone
)

// forward is where requests are sent to, and how.
type forward struct {
	tls     bool
	targets []target
	// headers says what the program does about the upgrade, nil where it passes it
	// on by itself.
	headers *headers
	// timeout is after how long without a byte the connection is cut, 0 for never;
	// setting is the name of what says so.
	timeout time.Duration
	setting string
	// announced says that the PROXY protocol is spoken.
	announced bool
	// fresh says that no TLS session is resumed.
	fresh bool
	// absent says that the Service of the target has no such port.
	absent bool
}

// target is a host and a port.
type target struct{ host, port string }

func (t target) String() string { return net.JoinHostPort(t.host, t.port) }

// headers are what nginx sends of an upgrade.
type headers struct {
	version, upgrade, connection string
	// unknown is a variable that is defined nowhere.
	unknown string
}

// front is a site of a proxy through which clients reach WuKongIM.
type front struct {
	*Proxy
	*virtualHost
	route *route
	// host and path are those of the clients' address, empty where it is not known.
	host, path, port string
	// fallen says that no name of the port fits the host.
	fallen bool
}

// fronts are the ways of clients to WuKongIM.
func (p *Proxy) fronts() []*front {
	var all []*front
	for _, address := range p.Clients {
		if f := p.byAddress(address); f != nil && !slices.ContainsFunc(all, func(o *front) bool { return o.virtualHost == f.virtualHost && o.route == f.route && o.host == f.host }) {
			all = append(all, f)
		}
	}
	if len(all) > 0 {
		return all
	}
	for _, wantsTLS := range []bool{true, false} {
		for _, s := range p.sites {
			if r := p.likeliest(s); r != nil && s.hasTLS() == wantsTLS {
				all = append(all, &front{Proxy: p, virtualHost: s, route: r, path: cmp.Or(r.path, "/"), host: s.firstName(), port: s.port()})
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

// byAddress finds what answers at the clients' address, nil where this proxy does
// not listen on its port.
func (p *Proxy) byAddress(address string) *front {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	f := &front{Proxy: p, host: strings.ToLower(u.Hostname()), path: cmp.Or(u.Path, "/"), port: cmp.Or(u.Port(), "443")}
	port := p.inside(f.port)
	on := slices.DeleteFunc(slices.Clone(p.sites), func(s *virtualHost) bool { return !s.on(port) })
	if port == "" || len(on) == 0 {
		return nil
	}
	if f.virtualHost = named(on, f.host); f.virtualHost == nil {
		f.virtualHost, f.fallen = defaultOf(on, port), true
	}
	f.route = f.virtualHost.routeOf(f.path)
	if f.fallen && p.likeliest(f.virtualHost) == nil && !slices.ContainsFunc(on, func(s *virtualHost) bool { return p.likeliest(s) != nil }) {
		return nil // nothing on this port has to do with WuKongIM
	}
	return f
}

// inside is the port of the proxy's own that a port of the host leads to, empty for
// none.
func (p *Proxy) inside(port string) string {
	if p.container == nil || p.container.hostNetwork || p.container.joined {
		return port
	}
	for _, published := range p.container.ports {
		if published.host == port && published.protocol != "udp" {
			return published.container
		}
	}
	return ""
}

func (s *virtualHost) on(port string) bool {
	return slices.ContainsFunc(s.listens, func(l listenPort) bool { return l.port == port })
}

func (s *virtualHost) hasTLS() bool {
	return slices.ContainsFunc(s.listens, func(l listenPort) bool { return l.tls })
}

// port is the first with TLS, or the first at all.
func (s *virtualHost) port() string {
	for _, l := range s.listens {
		if l.tls {
			return l.port
		}
	}
	if len(s.listens) > 0 {
		return s.listens[0].port
	}
	return ""
}

// firstName is the first name that is one host's, empty for none.
func (s *virtualHost) firstName() string {
	for _, name := range s.names {
		if name != "" && name != "_" && !strings.ContainsAny(name, "*~$^{ ") && !strings.HasPrefix(name, ".") {
			return name
		}
	}
	return ""
}

// named finds the site that a name belongs to, as nginx does: the name itself, then
// the longest with a wildcard, then the first pattern.
func named(sites []*virtualHost, host string) *virtualHost {
	var best *virtualHost
	rank := 0
	for _, s := range sites {
		for _, name := range s.names {
			if r := nameRank(strings.ToLower(name), host); r > rank {
				best, rank = s, r
			}
		}
	}
	return best
}

// Ranks of the ways in which a name fits; wildcards add their length.
const (
	rankPattern  = 1
	rankTrailing = 1_000
	rankLeading  = 10_000
	rankExact    = 100_000
)

func nameRank(name, host string) int {
	switch {
	case name == host:
		return rankExact
	case strings.HasPrefix(name, "*."), strings.HasPrefix(name, "."):
		if suffix := strings.TrimPrefix(name, "*"); strings.HasSuffix(host, suffix) || name == "."+host {
			return rankLeading + len(name)
		}
	case strings.HasSuffix(name, ".*"):
		if strings.HasPrefix(host, strings.TrimSuffix(name, "*")) {
			return rankTrailing + len(name)
		}
	case strings.HasPrefix(name, "~"):
		if matches(strings.TrimPrefix(name, "~"), host) {
			return rankPattern
		}
	}
	return 0
}

// matches is for patterns that may be of another language: those fit nothing.
func matches(pattern, text string) bool {
	compiled, err := regexp.Compile(pattern)
	return err == nil && compiled.MatchString(text)
}

// defaultOf is the default site of a port.
func defaultOf(sites []*virtualHost, port string) *virtualHost {
	for _, s := range sites {
		if slices.ContainsFunc(s.listens, func(l listenPort) bool { return l.port == port && l.first }) {
			return s
		}
	}
	return sites[0]
}

// routeOf finds what becomes of a path, as nginx does.
func (s *virtualHost) routeOf(path string) *route {
	var best *route
	for _, r := range s.routes {
		switch {
		case r.kind == pathExact && r.path == path:
			return r
		case (r.kind == pathPrefix || r.kind == pathFirm) && strings.HasPrefix(path, r.path) && (best == nil || len(r.path) > len(best.path)):
			best = r
		}
	}
	if best == nil || best.kind != pathFirm {
		for _, r := range s.routes {
			if r.kind == pathPattern && matches(r.path, path) {
				return r
			}
		}
	}
	return best
}

// likeliest is the route of a site that leads to WuKongIM, nil where none does.
func (p *Proxy) likeliest(s *virtualHost) *route {
	var best *route
	most := 0
	for _, r := range s.routes {
		if n := p.likeness(r); n > most {
			best, most = r, n
		}
	}
	return best
}

// likeness is how much speaks for a route's leading to the clients' port of
// WuKongIM.
func (p *Proxy) likeness(r *route) (n int) {
	if r.to == nil {
		return 0
	}
	for _, t := range r.to.targets {
		of := 0
		switch kind, _ := p.kindOf(t); {
		case r.to.absent && slices.ContainsFunc(p.Servers, func(s *Settings) bool { return s.container != nil && s.container.isCalled(t.host) }):
			of = 3
		case kind == portWS || kind == portWSS:
			of = 3
		case kind == portTCP:
			of = 1
		case kind == portNone, kind == portOther && looksLikeWuKongIM(t.host):
			of = 2
		}
		n = max(n, of)
	}
	return n
}

func looksLikeWuKongIM(name string) bool { return strings.Contains(strings.ToLower(name), "wukong") }

// portKind is what a port of WuKongIM speaks.
type portKind string

const (
	portOther portKind = ""
	portWS    portKind = "ws"
	portWSS   portKind = "wss"
	portTCP   portKind = "tcp"
	portHTTP  portKind = "http"
	// portNone is one of WuKongIM's host on which nothing listens.
	portNone portKind = "none"
)

// usualWSS is the port of wss in all of WuKongIM's documentation. Examples of
// clusters on one machine use it for ws as well, beside others (WuKongIM v2.2.5
// docker/gateway/nginx.conf:48-53).
const usualWSS = "5210"

// kindOf says what a target is, and whether the settings of the server say so.
func (p *Proxy) kindOf(t target) (kind portKind, sure bool) {
	if t.port == "" {
		return portOther, false
	}
	for _, s := range p.Servers {
		if port, its := s.reached(t, p.container); port != "" {
			kind, known := s.portKind(port)
			if known || its {
				return kind, true
			}
		}
	}
	if p.isOther(t.host) {
		return portOther, false
	}
	for key, kind := range kindOfKey {
		if _, port, err := splitAddress(defaults[key]); err == nil && port == t.port {
			return kind, false
		}
	}
	if t.port == usualWSS {
		return portWSS, false
	}
	return portOther, false
}

// isOther tells that a host is a service of the compose file which is not WuKongIM.
func (p *Proxy) isOther(host string) bool {
	return p.container != nil && slices.Contains(p.container.peers, host)
}

// isStranger tells that a container cannot resolve a name: no service has it.
func (p *Proxy) isStranger(host string) bool {
	c := p.container
	return c != nil && len(c.peers) > 0 && !c.hostNetwork && !c.foreign && !strings.ContainsAny(host, ".:$") && host != "" && !strings.EqualFold(host, "localhost") &&
		!slices.Contains(c.peers, host) && !slices.Contains(c.hosts, host)
}

var kindOfKey = map[string]portKind{
	keyWSAddr: portWS, keyWSSAddr: portWSS, keyAddr: portTCP, keyHTTPAddr: portHTTP, keyManagerAddr: portHTTP, keyDemoAddr: portHTTP, keyClusterAddr: portTCP,
}

// reached is the port of the server's own that a target leads to, empty for none;
// its says that the target can be no other than this server.
func (s *Settings) reached(t target, from *container) (port string, its bool) {
	switch {
	case s.container == nil && s.partial:
		return "", false
	case s.container == nil:
		return t.port, false
	case from != nil && s.container.isCalled(t.host):
		return t.port, true
	case s.container.hostNetwork:
		return t.port, false
	}
	for _, p := range s.container.ports {
		if p.host == t.port && p.host != "" {
			return p.container, false
		}
	}
	return "", false
}

// portKind is what listens on a port; known where something does.
func (s *Settings) portKind(port string) (kind portKind, known bool) {
	for key, kind := range kindOfKey {
		if _, own, err := splitAddress(cmp.Or(s.value(key), defaults[key])); err == nil && own == port {
			return kind, true
		}
	}
	return portNone, false
}

// Target is what is shown of it.
func (p *Proxy) Target() Value {
	if p.container != nil {
		return Name.of("target", p.container.service)
	}
	return Path.of("target", p.file)
}

// Leads tells whether anything of it leads to WuKongIM.
func (p *Proxy) Leads() bool { return len(p.fronts()) > 0 }

// Files are the certificates of the ways to WuKongIM, for the checks of files.
func (p *Proxy) Files() (all []Certificates) {
	for _, f := range p.fronts() {
		for _, c := range f.files() {
			if !slices.ContainsFunc(all, func(o Certificates) bool {
				return o.CertFile == c.CertFile && o.KeyFile == c.KeyFile && o.Host == c.Host
			}) {
				all = append(all, c)
			}
		}
	}
	return all
}

func (f *front) files() (all []Certificates) {
	if !f.hasTLS() {
		return nil
	}
	for _, own := range f.certificates {
		if c := f.found(own); c.CertFile != "" {
			all = append(all, c)
		}
	}
	return all
}

// found is a certificate as it lies on this machine, empty where it is not.
func (f *front) found(own pair) Certificates {
	c := Certificates{UID: -1, GID: -1, Host: f.host, Contents: f.contents}
	if own.cert == "" || strings.Contains(own.cert, "$") {
		return c
	}
	c.CertFile, c.KeyFile = own.cert, own.key
	switch {
	case f.contents != nil && f.contents[own.cert] == nil:
		c.CertFile, c.KeyFile = "", "" // a Secret that was not read
	case f.contents != nil:
	case f.container != nil:
		cert, key := f.container.follow(own.cert), f.container.follow(own.key)
		c.CertFile, c.KeyFile = "", ""
		if cert.kind == placeBind {
			c.CertFile = cert.path
			c.Mounts = append(c.Mounts, absolute(cert.mount))
		}
		if key.kind == placeBind {
			c.KeyFile = key.path
		}
	case !f.here && f.isElsewhere(own.cert):
		c.CertFile, c.KeyFile = "", ""
	}
	return c
}

// isElsewhere tells that a path is of another machine, from which the configuration
// was copied: not even its folder is here.
func (p *Proxy) isElsewhere(file string) bool {
	return filepath.IsAbs(file) && !exists(filepath.Dir(file)) && !within(absolute(file), absolute(filepath.Dir(p.file)))
}

// isCalled tells whether other containers reach it by a name.
func (c *container) isCalled(name string) bool {
	return strings.EqualFold(name, c.service) || slices.Contains(c.aliases, name)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}
