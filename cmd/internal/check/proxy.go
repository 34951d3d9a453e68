package check

import (
	"cmp"
	"net"
	"path/filepath"
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
	// command is the program with its own flags, empty for that of the path.
	command []string
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

// Target is what is shown of it.
func (p *Proxy) Target() Value {
	if p.container != nil {
		return Name.of("target", p.container.service)
	}
	return Path.of("target", p.file)
}

// Leads tells whether anything of it leads to WuKongIM.
func (p *Proxy) Leads() bool { return len(p.fronts()) > 0 }

// Way is one on which clients reach WuKongIM with TLS that ends here.
type Way struct {
	// Addr is what clients open, Port that on which the program itself listens, empty where
	// it is not known.
	Addr, Port string
	Files      []Certificates
	// Given says that clients are given the address.
	Given bool
}

// Ways are those of clients.
func (p *Proxy) Ways() (all []Way) {
	for _, f := range p.fronts() {
		if !f.hasTLS() || f.host == "" || f.transport && f.passesThrough() {
			continue
		}
		way := Way{Addr: "wss://" + net.JoinHostPort(f.host, f.port) + f.path, Port: f.port, Files: f.files()}
		for _, given := range p.Clients {
			if host, port, err := splitAddress(given); err == nil && strings.EqualFold(host, f.host) && cmp.Or(port, "443") == f.port {
				way.Given, way.Addr, way.Port = true, given, p.inside(f.port)
			}
		}
		all = append(all, way)
	}
	return all
}

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
			c.CertFile, c.Linked = cert.path, cert.link != ""
			c.Mounts = append(c.Mounts, absolute(cert.mount))
		}
		if key.kind == placeBind {
			c.KeyFile, c.Linked = key.path, c.Linked || key.link != ""
		}
	case !f.here && f.isElsewhere(own.cert):
		c.CertFile, c.KeyFile = "", ""
	default:
		c.Linked = isLink(c.CertFile) || isLink(c.KeyFile)
	}
	return c
}

// isElsewhere tells that a path is of another machine, from which the configuration
// was copied: not even its folder is here.
func (p *Proxy) isElsewhere(file string) bool {
	return filepath.IsAbs(file) && !exists(filepath.Dir(file)) && !within(absolute(file), absolute(filepath.Dir(p.file)))
}
