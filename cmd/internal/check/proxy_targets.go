package check

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

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

// isCalled tells whether other containers reach it by a name.
func (c *container) isCalled(name string) bool {
	return strings.EqualFold(name, c.service) || c.running != "" && strings.EqualFold(name, c.running) || slices.Contains(c.aliases, name)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}
