package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// errHAProxy says that a file is no configuration of HAProxy.
var errHAProxy = errors.New("is no configuration of HAProxy")

// haproxySection is a frontend, a backend or both (listen).
type haproxySection struct {
	kind, name, mode string
	binds            [][]string
	servers          [][]string
	uses             []haproxyUse
	tests            map[string]haproxyTest // acl
	timeouts         map[string]time.Duration
	line             int
}

// haproxyUse sends what fits a condition to a backend; the last has none.
type haproxyUse struct {
	backend    string
	conditions []string
	line       int
}

// haproxyTest is an acl by host or path.
type haproxyTest struct {
	hosts []string
	path  string
}

// readHAProxy reads the sections that matter (HAProxy 3.0 configuration manual). The
// parsers of HAProxy's makers are written for changing whole configurations.
func readHAProxy(data []byte) (*Proxy, error) {
	sections, err := haproxySections(string(data))
	if err != nil {
		return nil, err
	}
	backends := map[string]*haproxySection{}
	for _, s := range sections {
		if s.kind == "backend" || s.kind == "listen" {
			backends[s.name] = s
		}
	}
	p := &Proxy{program: programHAProxy}
	for _, s := range sections {
		if s.kind == "frontend" || s.kind == "listen" {
			p.sites = append(p.sites, s.sites(backends)...)
		}
	}
	if len(p.sites) == 0 {
		return nil, errHAProxy
	}
	p.sites = merge(p.sites)
	return p, nil
}

var haproxyKinds = []string{"global", "defaults", "frontend", "backend", "listen", "userlist", "peers", "resolvers", "cache", "program", "ring", "mailers", "http-errors", "crt-store", "log-profile"}

func haproxySections(text string) (sections []*haproxySection, err error) {
	defaults := &haproxySection{mode: "tcp", timeouts: map[string]time.Duration{}}
	var at *haproxySection
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if slices.Contains(haproxyKinds, words[0]) && (line[0] != ' ' && line[0] != '\t' || at == nil) {
			at = &haproxySection{kind: words[0], name: strings.Join(words[1:min(2, len(words))], ""), mode: defaults.mode, tests: map[string]haproxyTest{}, timeouts: map[string]time.Duration{}, line: number}
			for name, value := range defaults.timeouts {
				at.timeouts[name] = value
			}
			if words[0] == "defaults" {
				defaults = at
			}
			sections = append(sections, at)
			continue
		}
		if at == nil {
			return nil, &placed{line: number, err: errHAProxy}
		}
		at.add(words, number)
	}
	return sections, nil
}

func (s *haproxySection) add(words []string, number int) {
	if len(words) < 2 {
		return
	}
	switch words[0] {
	case "mode":
		s.mode = words[1]
	case "bind":
		s.binds = append(s.binds, words[1:])
	case "server":
		s.servers = append(s.servers, words[1:])
	case "default_backend":
		s.uses = append(s.uses, haproxyUse{backend: words[1], line: number})
	case "use_backend":
		use := haproxyUse{backend: words[1], line: number}
		if len(words) > 3 {
			use.conditions = words[3:]
		}
		s.uses = append(s.uses, use)
	case "timeout":
		if len(words) > 2 {
			if d, ok := haproxyTime(words[2]); ok {
				s.timeouts[words[1]] = d
			}
		}
	case "acl":
		if len(words) > 3 {
			s.tests[words[1]] = haproxyTestOf(words[2:])
		}
	}
}

// haproxyTestOf reads hosts and paths; other tests fit everything.
func haproxyTestOf(words []string) (t haproxyTest) {
	values := slices.DeleteFunc(slices.Clone(words[1:]), func(w string) bool { return strings.HasPrefix(w, "-") })
	switch fetch := words[0]; {
	case strings.HasPrefix(fetch, "hdr(host)"), strings.HasPrefix(fetch, "req.hdr(host)"), strings.HasPrefix(fetch, "hdr_dom(host)"), strings.HasPrefix(fetch, "req_ssl_sni"), strings.HasPrefix(fetch, "req.ssl_sni"), strings.HasPrefix(fetch, "ssl_fc_sni"):
		t.hosts = values
	case strings.HasPrefix(fetch, "path"):
		if len(values) > 0 {
			t.path = values[0]
		}
	}
	return t
}

// haproxyTime has milliseconds where there is no unit.
func haproxyTime(text string) (time.Duration, bool) {
	if strings.Trim(text, "0123456789") == "" {
		text += "ms"
	}
	return nginxTime(text)
}

// sites of a frontend: one for each backend that it uses.
func (s *haproxySection) sites(backends map[string]*haproxySection) (all []*virtualHost) {
	base := virtualHost{transport: s.mode == "tcp", place: fmt.Sprintf("haproxy.cfg:%d", s.line)}
	for _, bind := range s.binds {
		_, port := splitPort(strings.TrimPrefix(bind[0], "*"), "")
		l := listenPort{port: port, tls: slices.Contains(bind, "ssl")}
		for i, word := range bind {
			switch next := append(bind, "")[i+1]; {
			case word == "crt" && !isDir(next):
				base.certificates = append(base.certificates, pair{next, next})
			case word == "crt":
				base.automatic = true // a folder with one for each name
			case word == "verify" && next != "none":
				base.client = map[bool]string{true: "on", false: "optional"}[next == "required"]
			}
		}
		base.listens = append(base.listens, l)
	}
	uses := s.uses
	if s.kind == "listen" && len(s.servers) > 0 {
		uses = append(uses, haproxyUse{backend: s.name, line: s.line})
	}
	for _, use := range uses {
		own, r := base, &route{path: "/", place: fmt.Sprintf("haproxy.cfg:%d", use.line)}
		for i, name := range use.conditions {
			test := s.tests[name]
			if end := slices.Index(use.conditions[i:], "}"); name == "{" && end > 1 { // written in place
				test = haproxyTestOf(use.conditions[i+1 : i+end])
			}
			own.names = append(own.names, test.hosts...)
			if test.path != "" {
				r.path = test.path
			}
		}
		if backend := backends[use.backend]; backend != nil {
			r.to = backend.forward(s)
		}
		own.routes = []*route{r}
		all = append(all, &own)
	}
	return all
}

// forward is to the servers of a backend. Once upgraded, "timeout tunnel" counts, and
// without it the shorter of the others.
func (s *haproxySection) forward(from *haproxySection) *forward {
	f := &forward{setting: "timeout tunnel", timeout: s.timeouts["tunnel"]}
	if f.timeout == 0 {
		f.timeout = s.timeouts["server"]
		if client := from.timeouts["client"]; client > 0 && (f.timeout == 0 || client < f.timeout) {
			f.timeout = client
		}
	}
	for _, server := range s.servers {
		if len(server) < 2 {
			continue
		}
		f.targets = append(f.targets, targetOf(server[1], "80"))
		f.tls = f.tls || slices.Contains(server, "ssl")
		f.announced = f.announced || slices.Contains(server, "send-proxy") || slices.Contains(server, "send-proxy-v2")
	}
	if len(f.targets) == 0 {
		return nil
	}
	return f
}
