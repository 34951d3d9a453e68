package check

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// forwarded is where the requests of a location go: one for the upgrade goes before
// that of all others.
func (c *nginxConfig) forwarded(s *virtualHost, all crossplane.Directives, scope nginxScope) (*forward, error) {
	var to *forward
	for _, d := range all {
		switch {
		case d.Directive == "proxy_pass" && len(d.Args) == 1:
			to = c.forward(d.Args[0], scope)
		case d.Directive == "if" && strings.Contains(strings.Join(d.Args, " "), "$http_upgrade"):
			within, err := c.expand(d.Block, 1)
			if err != nil {
				return nil, err
			}
			if to, err = c.forwarded(s, within, scope.with(within)); to != nil || err != nil {
				return to, err
			}
		case d.Directive == "try_files" && len(d.Args) > 1 && strings.HasPrefix(d.Args[len(d.Args)-1], "@") && to == nil:
			for _, r := range s.routes {
				if r.path == d.Args[len(d.Args)-1] {
					to = r.to
				}
			}
		}
	}
	return to, nil
}

// timeoutOfNginx is the default of proxy_read_timeout (ngx_http_proxy_module).
const timeoutOfNginx = 60 * time.Second

func (c *nginxConfig) forward(address string, scope nginxScope) *forward {
	address = scope.filled(address)
	to := &forward{timeout: timeoutOfNginx, setting: "proxy_read_timeout", fresh: scope.fresh}
	if t, ok := nginxTime(scope.read); ok {
		to.timeout = t
	}
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return nil
	}
	to.tls = scheme == "https"
	host := rest
	if at := strings.IndexAny(rest, "/$"); at > 0 {
		host = rest[:at] // without the path, which may begin with a variable
	}
	if to.targets = c.upstreams[host]; to.targets == nil {
		to.targets = []target{targetOf(host, map[bool]string{true: "443", false: "80"}[to.tls])}
	}
	to.headers = &headers{version: scope.version, upgrade: scope.headers["upgrade"], connection: scope.headers["connection"]}
	if name, ok := strings.CutPrefix(to.headers.connection, "$"); ok {
		switch values, known := c.maps[name]; {
		case known:
			to.headers.connection = upgraded(values)
		case scope.set[name] != "":
			to.headers.connection = scope.set[name]
		case !c.builtIn(name):
			to.headers.unknown = name
		}
	}
	return to
}

// builtIn are the variables that may be defined elsewhere or are nginx's own.
func (c *nginxConfig) builtIn(name string) bool {
	return !c.whole || c.missing || strings.HasPrefix(name, "http_") || strings.HasPrefix(name, "connection") && name != "connection_upgrade"
}

// upgraded is what a map makes of a request with the upgrade: any value that says so.
func upgraded(values map[string]string) string {
	for _, value := range values {
		if strings.EqualFold(value, "upgrade") || strings.HasPrefix(value, "$") {
			return "upgrade"
		}
	}
	return values["default"]
}

// filled puts the variables of a scope into an address.
func (s nginxScope) filled(address string) string {
	for name, value := range s.set {
		address = strings.NewReplacer("${"+name+"}", value, "$"+name, value).Replace(address)
	}
	return address
}

// splitPort takes an address of a listen or a server apart; a bare number is a port.
func splitPort(address, usual string) (host, port string) {
	if address != "" && strings.Trim(address, "0123456789") == "" {
		return "", address
	}
	if u, err := url.Parse("//" + address); err == nil && !strings.HasPrefix(address, "unix:") {
		return u.Hostname(), cmp.Or(u.Port(), usual)
	}
	return address, ""
}

func targetOf(address, usual string) target {
	host, port := splitPort(address, usual)
	return target{host, port}
}

// nginxTime reads a time as nginx writes it: 60, 60s, 5m, 1h, 1h30m, 500ms.
func nginxTime(text string) (time.Duration, bool) {
	if text == "" {
		return 0, false
	}
	if strings.Trim(text, "0123456789") == "" {
		text += "s"
	}
	text = strings.NewReplacer("d", "*24h", " ", "").Replace(text)
	if days, ok := strings.CutSuffix(text, "*24h"); ok {
		d, err := time.ParseDuration(days + "h")
		return 24 * d, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}
