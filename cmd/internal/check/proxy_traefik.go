package check

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// errTraefik says that a file is no configuration of Traefik.
var errTraefik = errors.New("is no configuration of Traefik: it has no routers and no services")

// traefikTree is a configuration of Traefik, its keys in lower case: Traefik takes
// files, labels and flags in the same form (Traefik v3 documentation, reference).
type traefikTree map[string]any

// traefik reads a file of the file provider, or a folder of them, with the static
// configuration where it is beside them.
func (p Proxies) traefik(name string) (*Proxy, error) {
	files := []string{name}
	if isDir(name) {
		files = traefikFiles(name)
	}
	whole := traefikTree{}
	for _, file := range files {
		data, err := p.input(file)
		if err != nil {
			return nil, err
		}
		read, err := traefikFile(file, data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		whole.add(read)
	}
	return whole.proxy("")
}

// traefikFiles are those of a folder, or the file itself.
func traefikFiles(name string) (files []string) {
	endings := []string{".yml", ".yaml", ".toml"}
	if !isDir(name) && slices.Contains(endings, filepath.Ext(name)) {
		return []string{name}
	}
	for _, ending := range endings {
		if found, err := filepath.Glob(filepath.Join(name, "*"+ending)); err == nil {
			files = append(files, found...)
		}
	}
	return files
}

// TraefikFiles is the file or folder from which Traefik's static configuration takes its
// routers, empty where it names none.
func TraefikFiles(static string) string {
	data, err := readFile(static)
	if err != nil {
		return ""
	}
	whole, err := traefikFile(static, data)
	if err != nil {
		return ""
	}
	provider := whole.in("providers", "file")
	return cmp.Or(provider.text("filename"), provider.text("directory"))
}

func traefikFile(name string, data []byte) (traefikTree, error) {
	whole := traefikTree{}
	if strings.EqualFold(filepath.Ext(name), ".toml") {
		var keys map[string]any
		if err := toml.Unmarshal(data, &keys); err != nil {
			return nil, errTraefik
		}
		whole.add(keys)
		return whole, nil
	}
	documents, err := readYAML(data)
	if err != nil {
		return nil, err
	}
	for _, document := range documents {
		whole.add(document)
	}
	return whole, nil
}

// add merges keys, in lower case.
func (t traefikTree) add(keys map[string]any) {
	for name, value := range keys {
		name = strings.ToLower(name)
		within, ok := value.(map[string]any)
		if !ok {
			t[name] = value
			continue
		}
		have, ok := t[name].(map[string]any)
		if !ok {
			have = map[string]any{}
			t[name] = have
		}
		traefikTree(have).add(within)
	}
}

// put sets a key that is written with dots, as in a label.
func (t traefikTree) put(key, value string) {
	names := strings.Split(strings.ToLower(key), ".")
	at := map[string]any(t)
	for _, name := range names[:len(names)-1] {
		next, ok := at[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[name] = next
		}
		at = next
	}
	if _, ok := at[names[len(names)-1]].(map[string]any); !ok {
		at[names[len(names)-1]] = value
	}
}

// in finds what stands under some keys.
func (t traefikTree) in(names ...string) traefikTree {
	at := map[string]any(t)
	for _, name := range names {
		at, _ = at[name].(map[string]any)
	}
	return at
}

func (t traefikTree) text(name string) string {
	if value, ok := t[name]; ok && value != nil {
		return fmt.Sprint(value)
	}
	return ""
}

func (t traefikTree) list(name string) []string {
	var all []string
	for _, item := range stringsOf(t[name]) {
		all = append(all, strings.FieldsFunc(item, func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return all
}

// usualEntryPoints are the names that the documentation uses.
var usualEntryPoints = map[string]string{"web": "80", "http": "80", "websecure": "443", "https": "443"}

// entryPoint gives the port of an entry point, and whether it has TLS by itself.
func (t traefikTree) entryPoint(name string) (port string, tls bool) {
	own := t.in("entrypoints", strings.ToLower(name))
	_, port = splitPort(strings.TrimSuffix(own.text("address"), "/tcp"), "")
	_, tls = own.in("http")["tls"]
	return cmp.Or(port, usualEntryPoints[strings.ToLower(name)]), tls
}

// proxy makes sites of the routers. A router of a label leads to the container that
// has it, host, where its service names none.
func (t traefikTree) proxy(host string) (*Proxy, error) {
	p := &Proxy{program: programTraefik}
	certificates := t.in("tls").pairs()
	for _, kind := range []string{"http", "tcp"} {
		routers := t.in(kind, "routers")
		for _, name := range slices.Sorted(maps.Keys(routers)) {
			router := routers.in(name)
			s := t.site(kind, name, router)
			s.certificates, s.automatic = certificates, router.in("tls").text("certresolver") != "" || len(certificates) == 0
			s.routes = []*route{{path: pathOfRule(router.text("rule")), to: t.forward(kind, router, host), place: "routers." + name}}
			p.sites = append(p.sites, s)
		}
	}
	if len(p.sites) == 0 {
		return nil, errTraefik
	}
	p.sites = merge(p.sites)
	return p, nil
}

// pairs are the certificates of a tls section.
func (t traefikTree) pairs() (all []pair) {
	list, _ := t["certificates"].([]any)
	for _, entry := range list {
		fields, _ := entry.(map[string]any)
		own := traefikTree{}
		own.add(fields)
		all = append(all, pair{own.text("certfile"), own.text("keyfile")})
	}
	return all
}

// site is what a router listens for.
func (t traefikTree) site(kind, name string, router traefikTree) *virtualHost {
	s := &virtualHost{names: hostsOfRule(router.text("rule")), transport: kind == "tcp", place: "routers." + name}
	_, tls := router["tls"]
	tls = tls && router.text("tls") != "false"
	passes := router.in("tls").text("passthrough") == "true"
	points := router.list("entrypoints")
	if len(points) == 0 {
		points = []string{map[bool]string{true: "websecure", false: "web"}[tls]}
	}
	for _, point := range points {
		port, own := t.entryPoint(point)
		s.listens = append(s.listens, listenPort{port: port, tls: (tls || own) && !passes})
	}
	options := t.in("tls", "options", cmp.Or(strings.ToLower(router.in("tls").text("options")), "default"))
	if strings.HasPrefix(strings.ToLower(options.in("clientauth").text("clientauthtype")), "require") {
		s.client = "on"
	}
	if lowest := options.text("minversion"); strings.EqualFold(lowest, "VersionTLS13") {
		s.protocols = []string{"TLSv1.3"}
	}
	if highest := options.text("maxversion"); strings.EqualFold(highest, "VersionTLS11") || strings.EqualFold(highest, "VersionTLS10") {
		s.protocols = []string{"TLSv1.1"}
	}
	return s
}

// forward is where the service of a router leads to. Traefik passes an upgrade on by
// itself and cuts nothing that is idle after it.
func (t traefikTree) forward(kind string, router traefikTree, host string) *forward {
	services := t.in(kind, "services")
	name := strings.ToLower(router.text("service"))
	name, _, _ = strings.Cut(name, "@")
	if name == "" && len(services) == 1 {
		name = slices.Sorted(maps.Keys(services))[0]
	}
	balancer := services.in(name, "loadbalancer")
	f := &forward{}
	for _, entry := range append(anyList(balancer["servers"]), balancer["server"]) {
		fields, _ := entry.(map[string]any)
		own := traefikTree{}
		own.add(fields)
		address := cmp.Or(own.text("url"), own.text("address"))
		scheme, rest, ok := strings.Cut(address, "://")
		if !ok {
			scheme, rest = own.text("scheme"), address
		}
		f.tls = f.tls || scheme == "https"
		rest, _, _ = strings.Cut(rest, "/")
		switch {
		case rest != "":
			f.targets = append(f.targets, targetOf(rest, map[bool]string{true: "443", false: "80"}[f.tls]))
		case own.text("port") != "" && host != "":
			f.targets = append(f.targets, target{host, own.text("port")})
		}
	}
	_, f.announced = balancer["proxyprotocol"]
	if len(f.targets) == 0 {
		return nil
	}
	return f
}

func anyList(value any) []any {
	list, _ := value.([]any)
	return list
}

var (
	hostsInRule = lazily("(?i)\\bHost(?:SNI)?\\(([^)]*)\\)")
	pathInRule  = lazily("(?i)\\bPath(?:Prefix)?\\(\\s*[`\"']([^`\"']*)")
	quotedInOne = lazily("[`\"']([^`\"']+)[`\"']")
)

func hostsOfRule(rule string) (all []string) {
	for _, hosts := range hostsInRule().FindAllStringSubmatch(rule, -1) {
		for _, one := range quotedInOne().FindAllStringSubmatch(hosts[1], -1) {
			if one[1] != "*" {
				all = append(all, one[1])
			}
		}
	}
	return all
}

func pathOfRule(rule string) string {
	if m := pathInRule().FindStringSubmatch(rule); m != nil {
		return m[1]
	}
	return "/"
}

// traefikLabels are those of the services of a compose file, with the flags of the
// one that runs Traefik; nil where there are none.
func traefikLabels(all []*container) *Proxy {
	static, runs := traefikTree{}, (*container)(nil)
	for _, c := range all {
		if strings.Contains(c.image, "traefik") {
			runs = c
			for _, word := range c.command {
				if key, value, ok := strings.Cut(strings.TrimLeft(word, "-"), "="); ok {
					static.put(key, value)
				} else if strings.HasPrefix(word, "--") {
					static.put(key, "true")
				}
			}
		}
	}
	whole := &Proxy{program: programTraefik, container: runs}
	for _, c := range all {
		tree := traefikTree{}
		tree.add(static)
		for key, value := range c.labels {
			if rest, ok := strings.CutPrefix(strings.ToLower(key), "traefik."); ok {
				tree.put(rest, value)
			}
		}
		if p, err := tree.proxy(c.service); err == nil && c != runs {
			for _, s := range p.sites {
				for _, r := range s.routes {
					if r.to == nil {
						r.to = onlyPort(c)
					}
				}
			}
			whole.sites = append(whole.sites, p.sites...)
		}
	}
	if len(whole.sites) == 0 {
		return nil
	}
	if runs == nil {
		whole.container = &container{service: programTraefik, hostNetwork: true} // of another project
	}
	return whole
}

// onlyPort is where a router without a service leads to: the container's port where
// it has one.
func onlyPort(c *container) *forward {
	if len(c.ports) != 1 {
		return nil
	}
	return &forward{targets: []target{{c.service, c.ports[0].container}}}
}
