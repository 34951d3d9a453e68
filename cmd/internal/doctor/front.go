package doctor

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// Front finds the programs of this machine that may stand between clients and WuKongIM:
// nginx (that of the panels too), Caddy, Traefik and HAProxy. Those in containers are
// found with their engine's.
type Front struct {
	processes processes // zero for this machine's
	// root is the folder in which panels are looked for, empty for that of this machine.
	root string
}

// Name is "front".
func (*Front) Name() string { return "front" }

// front is a program that ends TLS or passes it on.
type front struct {
	names     []string
	component patterns.ComponentID
	// proxies are what may be its configuration, by its process: the first that can be read
	// is it.
	proxies func(*process) []check.Proxies
}

var fronts = []front{
	{[]string{"nginx", "openresty", "tengine"}, "nginx", nginxOf},
	{[]string{"caddy"}, "caddy", func(p *process) []check.Proxies {
		return []check.Proxies{{Caddy: inFolder(cmp.Or(p.flag("--config", "-config", "-c"), "Caddyfile"), p.folder)}}
	}},
	{[]string{"traefik"}, "traefik", func(p *process) []check.Proxies { return []check.Proxies{{Traefik: traefikOf(p)}} }},
	{[]string{"haproxy"}, "haproxy", func(p *process) []check.Proxies {
		return []check.Proxies{{HAProxy: inFolder(cmp.Or(p.flag("-f"), "/etc/haproxy/haproxy.cfg"), p.folder)}}
	}},
}

// Find looks at the processes, and for the folders of panels whose nginx does not run.
func (f *Front) Find(ctx context.Context, look *Look) {
	all := look.processes(f.processes)
	running := false
	for _, p := range all {
		if ctx.Err() != nil {
			return
		}
		if kind := kindOf(p); kind != nil && !isWorker(p, all) {
			p.look()
			look.addFront(ctx, p, kind)
			running = running || kind.component == "nginx"
		}
	}
	f.panels(look, running)
}

func kindOf(p *process) *front {
	for i := range fronts {
		if slices.Contains(fronts[i].names, nameOfFront(p)) {
			return &fronts[i]
		}
	}
	return nil
}

// nameOfFront is that of the program; nginx writes its own words over its arguments.
func nameOfFront(p *process) string {
	if p.program == "" && strings.HasPrefix(p.args[0], "nginx: master process ") {
		return "nginx"
	}
	return p.name()
}

// isWorker tells a process whose parent is the same program: the parent has the
// configuration.
func isWorker(p *process, all []*process) bool {
	if strings.HasPrefix(p.args[0], "nginx: worker") || strings.HasPrefix(p.args[0], "nginx: cache") {
		return true
	}
	p.status()
	return slices.ContainsFunc(all, func(other *process) bool { return other.pid == p.parent && nameOfFront(other) == nameOfFront(p) })
}

// arguments are the words of a process; behind "nginx: master process" the program's own stand in one.
func (p *process) arguments() []string {
	if rest, ok := strings.CutPrefix(strings.Join(p.args, " "), "nginx: master process "); ok {
		return strings.Fields(rest)
	}
	return p.args
}

// flag is the value of the first of some flags that is there.
func (p *process) flag(names ...string) string {
	words := p.arguments()
	for i, word := range words {
		for _, name := range names {
			if value, ok := strings.CutPrefix(word, name+"="); ok {
				return value
			}
			if word == name && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
				return words[i+1]
			}
		}
	}
	return ""
}

// nginxOf has nginx print its configuration, with the flags that it runs with. The program
// of another user is not started, since doctor may do what that user may not: the file is
// read then, as where nginx may not read its keys.
func nginxOf(p *process) (all []check.Proxies) {
	command := []string{cmp.Or(p.program, "nginx")}
	if usual, err := exec.LookPath("nginx"); err == nil && usual == p.program {
		command[0] = "nginx"
	}
	for _, name := range []string{"-c", "-p"} {
		if value := p.flag(name); value != "" {
			command = append(command, name, value)
		}
	}
	if p.uid == 0 || p.uid == os.Geteuid() {
		all = append(all, check.Proxies{Nginx: check.Installed, Program: command})
	}
	for _, file := range []string{p.flag("-c"), filepath.Join(filepath.Dir(p.program), "../conf/nginx.conf"), "/etc/nginx/nginx.conf"} {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return append(all, check.Proxies{Nginx: file})
		}
	}
	return all
}

// traefikOf is the file, or the folder, of its routers.
func traefikOf(p *process) string {
	for _, flag := range []string{"--providers.file.filename", "--providers.file.directory"} {
		if value := cmp.Or(p.flag(flag), p.flag(strings.ToLower(flag))); value != "" {
			return inFolder(value, p.folder)
		}
	}
	static := p.flag("--configFile", "--configfile", "-configFile")
	for _, usual := range []string{"/etc/traefik/traefik.yml", "/etc/traefik/traefik.yaml", "/etc/traefik/traefik.toml"} {
		if _, err := os.Stat(usual); err == nil {
			static = cmp.Or(static, usual)
		}
	}
	static = inFolder(static, p.folder)
	return inFolder(cmp.Or(check.TraefikFiles(static), static), p.folder)
}

// addFront tells of one that runs.
func (l *Look) addFront(ctx context.Context, p *process, kind *front) {
	s := &Server{
		Name: nameOfFront(p), Component: kind.component, FoundBy: "front", By: "program", State: Running, Started: p.started, PID: p.pid, Container: p.container,
		Ports: p.ports(),
	}
	if p.unit != "" {
		s.Name = p.unit
		s.Facts = append(s.Facts, patterns.Fact{Kind: patterns.FactUnit, Name: "unit", Component: kind.component, Value: strings.TrimSuffix(p.unit, ".service"), From: "systemd"})
	}
	if p.container != "" {
		l.Unseen = append(l.Unseen, Unseen{What: s.Name, Why: messages.NewError("error.doctor.container-closed", p.container[:12], p.pid), Command: p.opensEngine(os.Geteuid()), Of: s})
		return
	}
	s.Proxies = loading(kind.proxies(p)...)
	for _, file := range p.writes() {
		if tellsErrors(file, kind.component) {
			s.Logs = append(s.Logs, Log{Name: file, Path: file})
		}
	}
	if p.unit != "" && kind.component != "nginx" {
		l.journal(ctx, s, p.unit, p.ofUser)
	}
	l.closedOf(s, p)
	l.Servers = append(l.Servers, s)
}

func loading(all ...check.Proxies) func(context.Context, []*check.Settings, []string) ([]*check.Proxy, error) {
	return func(_ context.Context, servers []*check.Settings, clients []string) (found []*check.Proxy, err error) {
		for _, named := range all {
			if found, err = named.Load(servers, clients); err == nil {
				break
			}
		}
		return found, err
	}
}

// writes are the files that a process has open and that end as logs do.
func (p *process) writes() (files []string) {
	entries, err := os.ReadDir(filepath.Join(p.dir, "fd"))
	if err != nil {
		return nil // which look has told
	}
	for _, entry := range entries {
		to, err := os.Readlink(filepath.Join(p.dir, "fd", entry.Name()))
		if err == nil && path.Ext(to) == ".log" && isFile(to) && !slices.Contains(files, to) {
			files = append(files, to)
		}
	}
	return files
}

// tellsErrors tells a log of errors from one of requests.
func tellsErrors(file string, of patterns.ComponentID) bool {
	return of != "nginx" || strings.Contains(path.Base(file), "error")
}

// panel is where a panel keeps the sites of its nginx, and their error logs.
type panel struct{ name, folder, logs string }

// panels are BT panel's and 1Panel's (their installation scripts).
var panels = []panel{
	{"BT panel", "/www/server/panel/vhost/nginx", "/www/wwwlogs/*error.log"},
	{"1Panel", "/opt/1panel/apps/openresty/openresty/conf", "/opt/1panel/apps/openresty/openresty/log/*error.log"},
	{"1Panel", "/opt/1panel/www/conf.d", "/opt/1panel/www/sites/*/log/error.log"},
}

// panels adds the sites of panels whose nginx was not seen: it does not run, or runs in a
// container.
func (f *Front) panels(look *Look, running bool) {
	if slices.ContainsFunc(look.Servers, func(s *Server) bool { return s.Component == "nginx" }) {
		return
	}
	for _, p := range panels {
		folder := filepath.Join(f.root, p.folder)
		if !isFolder(folder) {
			continue
		}
		s := &Server{Name: p.name, Component: "nginx", FoundBy: "front", By: "panel", State: Exited, Proxies: loading(check.Proxies{Nginx: folder})}
		logs, _ := filepath.Glob(filepath.Join(f.root, p.logs))
		for _, log := range logs {
			s.Logs = append(s.Logs, Log{Name: log, Path: log})
		}
		if running { // in a container
			s.State = Running
		}
		look.Servers = append(look.Servers, s)
	}
}
