package check

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

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
