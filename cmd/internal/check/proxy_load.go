package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wklog/cmd/internal/program"
)

// Proxies names the configurations of what stands before WuKongIM: files, folders,
// "-" for the standard input.
type Proxies struct {
	Nginx, Caddy, Traefik, HAProxy string
	// Compose is a file whose services may be proxies.
	Compose string
	Stdin   io.Reader
	// Program is nginx with its own flags, for Installed; empty for that of the path.
	Program []string
}

// Installed is what --nginx names to have nginx print the configuration of this
// machine.
const Installed = "-T"

// Load reads them; Servers are those that they lead to.
func (p Proxies) Load(servers []*Settings, clients []string) ([]*Proxy, error) {
	var all []*Proxy
	for _, one := range []struct {
		name string
		load func(string) (*Proxy, error)
	}{{p.Nginx, p.nginx}, {p.Caddy, p.caddy}, {p.Traefik, p.traefik}, {p.HAProxy, p.haproxy}} {
		if one.name == "" {
			continue
		}
		proxy, err := one.load(one.name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.name, err)
		}
		if one.name != Installed || p.Program == nil {
			proxy.file = one.name
		}
		proxy.command = p.Program
		if proxy.program != programNginx { // which knows its own folder
			proxy.resolve(filepath.Dir(one.name))
		}
		all = append(all, proxy)
	}
	if p.Compose != "" {
		found, err := proxiesOf(p.Compose, servers)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Compose, err)
		}
		all = append(all, found...)
	}
	for _, proxy := range all {
		proxy.Servers, proxy.Clients = servers, clients
	}
	return all, nil
}

// resolve makes relative paths count from a folder.
func (p *Proxy) resolve(folder string) {
	for _, s := range p.sites {
		s.certificates = slices.Clone(s.certificates)
		for i, own := range s.certificates {
			s.certificates[i] = pair{inFolder(own.cert, folder), inFolder(own.key, folder)}
		}
	}
}

// input reads a file, or the standard input.
func (p Proxies) input(name string) ([]byte, error) {
	if name != "-" {
		return readFile(name)
	}
	data, err := io.ReadAll(io.LimitReader(p.Stdin, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = ErrTooLarge
	}
	return data, err
}

// maxInput bounds what is read of a stream, in bytes: the objects of a cluster.
const maxInput = 64 << 20

// nginx reads a configuration from a file, a folder, what nginx -T printed, or nginx
// itself.
func (p Proxies) nginx(name string) (*Proxy, error) {
	switch {
	case name == Installed:
		return p.printed()
	case isDir(name):
		return nginxFolder(name)
	}
	data, err := p.input(name)
	if err != nil {
		return nil, err
	}
	if files, main := dumped(data); main != "" {
		return newNginx(main, files, false)
	}
	if name == "-" {
		return newNginx("nginx.conf", dumpedFiles{"nginx.conf": data}, false)
	}
	return newNginx(name, diskFiles{filepath.Dir(name)}, isPlace(name))
}

// printing bounds how long nginx may take to print its configuration: it looks up the names
// of what it forwards to.
const printing = 10 * time.Second

// printed is what nginx itself reads.
func (p Proxies) printed() (*Proxy, error) {
	ctx, cancel := context.WithTimeout(context.Background(), printing)
	defer cancel()
	words := append(slices.Clone(p.Program), "nginx")[:max(1, len(p.Program))]
	data, _, err := program.Output(ctx, maxInput, words[0], append(words[1:], "-T")...)
	if len(data) == 0 {
		return nil, errors.Join(errNginxRun, err)
	}
	files, main := dumped(data)
	return newNginx(main, files, true)
}

// isPlace tells that a file stands where nginx reads it.
func isPlace(name string) bool {
	return slices.ContainsFunc(nginxFolders, func(folder string) bool { return strings.HasPrefix(absolute(name), folder) })
}

// nginxFolder reads nginx.conf of a folder, or all of its files.
func nginxFolder(name string) (*Proxy, error) {
	if main := filepath.Join(name, "nginx.conf"); exists(main) {
		return newNginx(main, diskFiles{name}, isPlace(main))
	}
	pattern := filepath.Join(name, "*.conf")
	if found, err := filepath.Glob(pattern); err == nil && len(found) == 0 {
		pattern = filepath.Join(name, "*", "*.conf")
	}
	main := filepath.Join(name, "*.conf")
	files := madeFiles{diskFiles{name}, map[string][]byte{main: fmt.Appendf(nil, "include %q;\n", pattern)}}
	return newNginx(main, files, isPlace(main))
}

// madeFiles are those of this machine and some that were made.
type madeFiles struct {
	diskFiles
	made map[string][]byte
}

func (m madeFiles) read(path string) ([]byte, error) {
	if data, ok := m.made[path]; ok {
		return data, nil
	}
	return m.diskFiles.read(path)
}

func newNginx(main string, files nginxFiles, here bool) (*Proxy, error) {
	c, err := readNginx(main, files)
	if err != nil {
		return nil, err
	}
	p := &Proxy{program: programNginx, file: main, sites: c.sites, partial: !c.whole, here: here, unread: c.unread}
	if len(p.sites) == 0 && c.unread != nil {
		return nil, c.unread
	}
	return p, nil
}

// proxiesOf finds the services of a compose file that are proxies, and those whose
// labels tell Traefik of them.
func proxiesOf(file string, servers []*Settings) ([]*Proxy, error) {
	p, err := loadProject(file)
	if err != nil {
		return nil, err
	}
	all, _, err := p.containers("")
	if err != nil && !errors.Is(err, errNoService) {
		return nil, err
	}
	var proxies []*Proxy
	for _, c := range all {
		if slices.ContainsFunc(servers, func(s *Settings) bool { return s.container != nil && s.container.service == c.service }) {
			continue
		}
		proxy, err := c.proxy()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.service, err)
		}
		if proxy != nil {
			proxy.container, proxy.file = c, c.service
			proxies = append(proxies, proxy)
		}
	}
	if labelled := traefikLabels(all); labelled != nil {
		proxies = append(proxies, labelled)
	}
	return slices.DeleteFunc(proxies, func(p *Proxy) bool {
		p.Servers = servers
		return !p.Leads()
	}), nil
}

// proxy reads the configuration that a container mounts, nil where it is no proxy.
func (c *container) proxy() (*Proxy, error) {
	image, _, _ := strings.Cut(path.Base(c.image), ":")
	is := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(image, name) })
	}
	switch {
	case is("nginx", "openresty", "tengine") || c.mountsIn("/etc/nginx") || c.mountsIn("/usr/local/openresty/nginx/conf"):
		return c.nginx()
	case is("caddy") || c.mountsIn("/etc/caddy"):
		return c.read("/etc/caddy/Caddyfile", readCaddy)
	case is("traefik"):
		return c.traefik()
	case is("haproxy") || c.mountsIn("/usr/local/etc/haproxy"):
		return c.read("/usr/local/etc/haproxy/haproxy.cfg", readHAProxy)
	}
	return nil, nil
}

// traefik reads the files of the file provider that a container mounts.
func (c *container) traefik() (*Proxy, error) {
	whole := traefikTree{}
	for _, m := range c.mounts {
		if !m.bind || !exists(m.source) {
			continue
		}
		for _, file := range traefikFiles(m.source) {
			data, err := readFile(file)
			if err != nil {
				continue // a socket, a folder of certificates
			}
			if read, err := traefikFile(file, data); err == nil {
				whole.add(read)
			}
		}
	}
	p, err := whole.proxy("")
	if errors.Is(err, errTraefik) {
		return nil, nil
	}
	return p, err
}

func (c *container) mountsIn(folder string) bool {
	return slices.ContainsFunc(c.mounts, func(m mount) bool { return within(path.Clean(m.target), folder) })
}

// read gives what a reader makes of a file of the container, nil where it has none.
func (c *container) read(inside string, read func([]byte) (*Proxy, error)) (*Proxy, error) {
	for i, word := range c.command {
		if word == "-f" || word == "--config" {
			inside = append(c.command, "")[i+1]
		}
	}
	at := c.follow(inside)
	if at.kind != placeBind || !exists(at.path) || isDir(at.path) {
		return nil, nil
	}
	data, err := readFile(at.path)
	if err != nil {
		return nil, err
	}
	return read(data)
}

// Where the images have their configuration: nginx's, OpenResty's and Tengine's.
var nginxMains = []string{"/etc/nginx/nginx.conf", "/usr/local/openresty/nginx/conf/nginx.conf", "/usr/local/nginx/conf/nginx.conf"}

// ownMain is the part of the image's own nginx.conf that matters.
const ownMain = "http { include /etc/nginx/conf.d/*.conf; }\n"

func (c *container) nginx() (*Proxy, error) {
	files := containerFiles{c, map[string][]byte{}}
	main := nginxMains[0]
	for _, name := range nginxMains {
		if at := c.follow(name); at.kind == placeBind && exists(at.path) && !isDir(at.path) {
			main = name
		}
	}
	if _, err := files.read(main); err != nil {
		files.made[main] = []byte(ownMain)
	}
	c.templates(files)
	return newNginx(main, files, false)
}

// templates are what the image of nginx makes of /etc/nginx/templates at its start:
// variables of the environment filled in.
func (c *container) templates(files containerFiles) {
	names, err := files.list("/etc/nginx/templates/*.template")
	if err != nil {
		return
	}
	for _, name := range names {
		data, err := files.read(name)
		if err != nil {
			continue
		}
		for _, variable := range c.environ {
			key, value, _ := strings.Cut(variable, "=")
			data = bytes.ReplaceAll(data, []byte("${"+key+"}"), []byte(value))
		}
		files.made["/etc/nginx/conf.d/"+strings.TrimSuffix(path.Base(name), ".template")] = data
	}
}

// caddy reads a Caddyfile, or Caddy's JSON.
func (p Proxies) caddy(name string) (*Proxy, error) {
	if isDir(name) {
		name = filepath.Join(name, "Caddyfile")
	}
	data, err := p.input(name)
	if err != nil {
		return nil, err
	}
	return readCaddy(data)
}

func (p Proxies) haproxy(name string) (*Proxy, error) {
	data, err := p.input(name)
	if err != nil {
		return nil, err
	}
	return readHAProxy(data)
}

// Named tells whether any configuration is named but by a compose file.
func (p Proxies) Named() bool { return p.Nginx+p.Caddy+p.Traefik+p.HAProxy != "" }

// Proxies reads what one of the containers serves: its configuration, as far as this
// machine shows it, and for Traefik the labels of all.
func (c Containers) Proxies(name string, servers []*Settings, clients []string) ([]*Proxy, error) {
	_, all, err := c.load()
	if err != nil {
		return nil, err
	}
	var proxies []*Proxy
	for _, one := range all {
		if one.service != name {
			continue
		}
		one.of(c, name)
		proxy, err := one.proxy()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if proxy != nil {
			proxy.container, proxy.file = one, name
			proxies = append(proxies, proxy)
		}
		if strings.Contains(path.Base(one.image), programTraefik) {
			if labelled := traefikLabels(all); labelled != nil {
				proxies = append(proxies, labelled)
			}
		}
	}
	for _, proxy := range proxies {
		proxy.Servers, proxy.Clients = servers, clients
	}
	return proxies, nil
}
