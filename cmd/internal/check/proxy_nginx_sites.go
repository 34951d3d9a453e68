package check

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// nginxScope is what a block inherits.
type nginxScope struct {
	certificates, keys []string
	protocols          []string
	client             string
	headers            map[string]string
	version            string
	read               string
	fresh              bool
	tls                bool // "ssl on"
	rejects            bool
	set                map[string]string
}

// with is the scope of a block with these directives. Headers are inherited where a
// block has none of its own, and lists of files likewise.
func (s nginxScope) with(list crossplane.Directives) nginxScope {
	own := nginxScope{headers: map[string]string{}, set: map[string]string{}}
	for name, value := range s.set {
		own.set[name] = value
	}
	for _, d := range list {
		if len(d.Args) == 0 {
			continue
		}
		value := d.Args[0]
		switch d.Directive {
		case "ssl_certificate":
			own.certificates = append(own.certificates, value)
		case "ssl_certificate_key":
			own.keys = append(own.keys, value)
		case "ssl_protocols":
			own.protocols = d.Args
		case "ssl_verify_client":
			own.client = value
		case "proxy_http_version":
			own.version = value
		case "proxy_read_timeout", "proxy_timeout":
			own.read = value
		case "proxy_ssl_session_reuse":
			own.fresh = value == "off"
		case "ssl":
			own.tls = value == "on"
		case "ssl_reject_handshake":
			own.rejects = value == "on"
		case "proxy_set_header":
			if len(d.Args) == 2 {
				own.headers[strings.ToLower(value)] = d.Args[1]
			}
		case "set":
			if len(d.Args) == 2 {
				own.set[strings.TrimPrefix(value, "$")] = d.Args[1]
			}
		}
	}
	if own.certificates == nil {
		own.certificates = s.certificates
	}
	if own.keys == nil {
		own.keys = s.keys
	}
	if own.protocols == nil {
		own.protocols = s.protocols
	}
	if len(own.headers) == 0 {
		own.headers = s.headers
	}
	own.client, own.version, own.read = cmp.Or(own.client, s.client), cmp.Or(own.version, s.version), cmp.Or(own.read, s.read)
	own.fresh, own.tls, own.rejects = own.fresh || s.fresh, own.tls || s.tls, own.rejects || s.rejects
	return own
}

func (c *nginxConfig) server(d *crossplane.Directive, scope nginxScope) error {
	all, err := c.expand(d.Block, 0)
	if err != nil {
		return err
	}
	scope = scope.with(all)
	s := c.newSite(d, all, scope)
	if s.listens == nil {
		s.listens = []listenPort{{port: "80"}} // as nginx does for root
	}
	for _, l := range all {
		if l.Directive == "location" {
			if err := c.location(s, l, scope); err != nil {
				return err
			}
		}
	}
	return nil
}

// newSite takes what a server block says by itself.
func (c *nginxConfig) newSite(d *crossplane.Directive, all crossplane.Directives, scope nginxScope) *virtualHost {
	s := &virtualHost{protocols: scope.protocols, client: scope.client, rejects: scope.rejects, place: c.placeOf(d)}
	for _, l := range all {
		switch {
		case l.Directive == "server_name":
			s.names = append(s.names, l.Args...)
		case l.Directive == "listen" && len(l.Args) > 0:
			_, port := splitPort(l.Args[0], "80")
			s.listens = append(s.listens, listenPort{
				port: port, tls: slices.Contains(l.Args[1:], "ssl") || scope.tls,
				first: slices.Contains(l.Args[1:], "default_server") || slices.Contains(l.Args[1:], "default"),
			})
		}
	}
	for i, cert := range scope.certificates {
		own := pair{cert: c.path(cert)}
		if i < len(scope.keys) {
			own.key = c.path(scope.keys[i])
		}
		s.certificates = append(s.certificates, own)
	}
	if len(scope.certificates) == 0 && len(scope.keys) > 0 {
		s.certificates = []pair{{key: c.path(scope.keys[0])}}
	}
	c.sites = append(c.sites, s)
	return s
}

// path of a file counts from the folder of the main file.
func (c *nginxConfig) path(file string) string {
	if filepath.IsAbs(file) || strings.HasPrefix(file, "data:") || strings.HasPrefix(file, "$") || strings.HasPrefix(file, "engine:") {
		return file
	}
	return filepath.Join(filepath.Dir(c.payload.Config[0].File), file)
}

// location adds its route, and those of the locations within it.
func (c *nginxConfig) location(s *virtualHost, d *crossplane.Directive, scope nginxScope) error {
	all, err := c.expand(d.Block, 0)
	if err != nil || len(d.Args) == 0 {
		return err
	}
	scope = scope.with(all)
	r := &route{path: d.Args[len(d.Args)-1], place: c.placeOf(d)}
	switch {
	case d.Args[0] == "=":
		r.kind = pathExact
	case d.Args[0] == "^~":
		r.kind = pathFirm
	case d.Args[0] == "~":
		r.kind = pathPattern
	case d.Args[0] == "~*":
		r.kind, r.path = pathPattern, "(?i)"+r.path
	case strings.HasPrefix(r.path, "@"):
		r.kind = pathNamed
	}
	if r.to, err = c.forwarded(s, all, scope); err != nil {
		return err
	}
	s.routes = append(s.routes, r)
	for _, within := range all {
		if within.Directive == "location" {
			if err := c.location(s, within, scope); err != nil {
				return err
			}
		}
	}
	return nil
}

// streamed reads a server of a stream block. One that chooses by the name of the
// handshake is a site for each.
func (c *nginxConfig) streamed(d *crossplane.Directive, scope nginxScope) error {
	all, err := c.expand(d.Block, 0)
	if err != nil {
		return err
	}
	scope = scope.with(all)
	pass, announced := "", false
	for _, l := range all {
		if l.Directive == "proxy_pass" && len(l.Args) == 1 {
			pass = l.Args[0]
		}
		if l.Directive == "proxy_protocol" && len(l.Args) == 1 {
			announced = l.Args[0] == "on"
		}
	}
	to := map[string]string{"": pass}
	if values, ok := c.maps[strings.TrimPrefix(pass, "$")]; ok && strings.HasPrefix(pass, "$") {
		to = values
	}
	for _, name := range slices.Sorted(maps.Keys(to)) {
		address := to[name]
		if address == "" {
			continue
		}
		s := c.newSite(d, all, scope)
		s.transport = true
		if name != "" && name != "default" {
			s.names = []string{name}
		}
		f := &forward{announced: announced, setting: "proxy_timeout", timeout: 10 * time.Minute} // ngx_stream_proxy_module
		if t, ok := nginxTime(scope.read); ok {
			f.timeout = t
		}
		if f.targets = c.upstreams[address]; f.targets == nil {
			f.targets = []target{targetOf(address, "")}
		}
		s.routes = []*route{{to: f, place: s.place}}
	}
	return nil
}
