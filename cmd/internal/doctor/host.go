package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/program"
	"wklog/patterns"
)

// Host finds servers that run on this machine itself: units of systemd, whether they run
// or not, and plain processes; with them those of containers whose engine says nothing.
type Host struct {
	processes processes // zero for this machine's
}

// Name is "host".
func (*Host) Name() string { return "host" }

// Find looks at the processes, and at the units that have none.
func (h *Host) Find(ctx context.Context, look *Look) {
	all := look.processes(h.processes)
	units := unitsOf(ctx, look)
	for _, p := range all {
		if ctx.Err() != nil {
			break
		}
		if p.pid == os.Getpid() {
			continue
		}
		if by := p.isServer(); by != "" {
			look.addProcess(ctx, p, by, units, all)
		}
	}
	for _, u := range units {
		if u.pid == 0 && u.isServer() {
			look.Servers = append(look.Servers, u.server(ctx, look))
		}
	}
}

// listed are the processes that two finders look at.
type listed struct {
	mutex sync.Mutex
	of    processes
	all   []*process
	err   error
}

// processes lists those that are named, this machine's where none are.
func (l *Look) processes(from processes) []*process {
	if from == (processes{}) {
		from = kernel
	}
	if l.listed == nil {
		l.listed = &listed{}
	}
	l.listed.mutex.Lock()
	defer l.listed.mutex.Unlock()
	if l.listed.of != from {
		l.listed.of = from
		l.listed.all, l.listed.err = from.list()
	}
	if l.listed.err != nil {
		l.Unseen = append(l.Unseen, Unseen{What: "/proc", Why: l.listed.err})
	}
	return l.listed.all
}

// isServer says by what a process is WuKongIM, and looks at it; empty for others.
func (p *process) isServer() string {
	by := p.gaveAway()
	if by == "" && p.environmentSpeaks() {
		p.look()
		if p.gaveAwayByPorts() {
			return "ports"
		}
		return ""
	}
	if by != "" {
		p.look()
	}
	return by
}

// environmentSpeaks is a glance: few processes have such variables.
func (p *process) environmentSpeaks() bool {
	return slices.ContainsFunc(p.glance("environ"), func(v string) bool { return strings.HasPrefix(v, "WK_") })
}

// within leaves a process its unit only where the unit is its own, or the journal has its
// output: what supervisord or a shell of cron starts is in a unit of theirs.
func (p *process) within(units []*unit) {
	isMain := func(u *unit) bool { return u.name == p.unit && u.pid == p.pid }
	isSocket := func(to string) bool { return strings.HasPrefix(to, "socket:") }
	if len(p.outputs) > 0 && !slices.ContainsFunc(p.outputs, isSocket) && !slices.ContainsFunc(units, isMain) {
		p.unit = ""
	}
}

// addProcess tells of a server that runs.
func (l *Look) addProcess(ctx context.Context, p *process, by string, units []*unit, all []*process) {
	p.within(units)
	s := &Server{
		Name: p.called(), Component: patterns.ComponentWuKongIM, FoundBy: "host", By: by, State: Running, Started: p.started, PID: p.pid, Container: p.container,
		Ports: p.ports(),
	}
	if p.unit != "" {
		s.Facts = append(s.Facts, fact(patterns.FactUnit, "unit", strings.TrimSuffix(p.unit, ".service"), "systemd"))
		s.Restart, s.Status = restart(p.unit, p.ofUser), status(p.unit, p.ofUser)
		for _, u := range units {
			if u.name == p.unit && !p.ofUser {
				s.Restarts = u.restarts
				s.State = stateOfRunning(u.restarts, p.started)
			}
		}
	}
	if p.container == "" {
		s.Facts = append(s.Facts, p.facts()...)
	}
	s.Settings = func(context.Context) (*check.Settings, error) { return p.settings(s.Name) }
	l.logsOf(ctx, s, p, all)
	l.closedOf(s, p)
	l.Servers = append(l.Servers, s)
}

// facts are the names of a process of this machine itself.
func (p *process) facts() (list []patterns.Fact) {
	from := "/proc/" + strconv.Itoa(p.pid)
	if config := check.ConfigNamed(p.args); config != "" {
		list = append(list, fact(patterns.FactPath, "config", inFolder(config, p.folder), from))
	}
	if p.program != "" {
		list = append(list, fact(patterns.FactPath, "program", p.program, from))
	}
	return list
}

// called is the unit, or the program with its number.
func (p *process) called() string {
	if p.unit != "" {
		return p.unit
	}
	return fmt.Sprintf("%s[%d]", p.name(), p.pid)
}

func fact(kind patterns.FactKind, name, value, from string) patterns.Fact {
	return patterns.Fact{Kind: kind, Name: name, Component: patterns.ComponentWuKongIM, Value: value, From: from}
}

func inFolder(name, folder string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(folder, name)
}

// ports are the addresses on which it listens, as this machine reaches them.
func (p *process) ports() map[string]string {
	if p.container != "" {
		return nil // which may have a network of its own
	}
	ports := map[string]string{}
	for _, at := range p.listens {
		host := at.IP.String()
		if at.IP.IsUnspecified() {
			host = "127.0.0.1"
		}
		port := strconv.Itoa(at.Port)
		ports[port] = net.JoinHostPort(host, port)
	}
	return ports
}

// closedOf tells what of a process is closed to this user, and what opens it.
func (l *Look) closedOf(s *Server, p *process) {
	if len(p.closed) == 0 {
		return
	}
	l.Unseen = append(l.Unseen, Unseen{
		What:    strings.Join(slices.Compact(slices.Sorted(slices.Values(p.closed))), ", "),
		Why:     messages.NewError("error.doctor.process-closed", s.Name),
		Command: asRoot(),
		Of:      s,
	})
}

// logsOf are what it wrote: its output, as far as something keeps it, and its folder.
func (l *Look) logsOf(ctx context.Context, s *Server, p *process, all []*process) {
	switch {
	case p.container != "":
		l.keptByEngine(s, p)
	case p.unit != "" && !slices.ContainsFunc(p.outputs, isFile):
		l.journal(ctx, s, p.unit, p.ofUser)
	default:
		l.outputOf(s, p, all)
	}
	if s.Settings == nil {
		return
	}
	settings, err := s.Settings(ctx)
	if err != nil {
		return // which the checks tell
	}
	folder := settings.LogFolder(p.home())
	if p.container != "" || p.ownFiles {
		folder = filepath.Join(p.dir, "root", folder)
	}
	l.folderOf(s, folder)
}

// folderOf adds a folder of logs, where there is one.
func (l *Look) folderOf(s *Server, folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.Unseen = append(l.Unseen, Unseen{What: folder, Why: messages.Bare(err), Command: asRoot()})
		}
		return
	}
	if len(entries) > 0 {
		s.Logs = append(s.Logs, Log{Name: folder, Path: folder})
	}
}

// isFile tells that an output goes to a file, which devices, pipes and sockets are not.
func isFile(to string) bool {
	info, err := os.Stat(to)
	return path.IsAbs(to) && err == nil && info.Mode().IsRegular()
}

// outputOf adds the file in which a plain process has its output. What goes nowhere is
// named: the lines of failed handshakes stand nowhere else.
func (l *Look) outputOf(s *Server, p *process, all []*process) {
	for _, to := range p.outputs {
		if isFile(to) {
			s.Logs = append(s.Logs, Log{Name: to, Path: to})
		}
	}
	if len(s.Logs) > 0 || len(p.outputs) == 0 {
		return
	}
	parent := strconv.Itoa(p.parent)
	for _, other := range all {
		if other.pid == p.parent {
			parent = fmt.Sprintf("%s[%d]", other.name(), other.pid)
		}
	}
	why := messages.NewError("error.doctor.output-piped", parent)
	if strings.HasPrefix(p.outputs[0], "/dev/") {
		why = messages.NewError("error.doctor.output-lost", p.outputs[0])
	}
	l.Unseen = append(l.Unseen, Unseen{What: s.Name, Why: why, Of: s})
}

// keptByEngine are the files in which engines and kubelet keep the output of a container.
func (l *Look) keptByEngine(s *Server, p *process) {
	for _, pattern := range []string{
		"/var/log/containers/*-" + p.container + ".log",
		"/var/lib/docker/containers/" + p.container + "/" + p.container + "-json.log",
		"/var/lib/containers/storage/overlay-containers/" + p.container + "/userdata/ctr.log",
	} {
		found, err := filepath.Glob(pattern)
		if err == nil && len(found) > 0 {
			s.Logs = append(s.Logs, Log{Name: found[0], Path: found[0]})
			return
		}
	}
	l.Unseen = append(l.Unseen, Unseen{
		What: s.Name, Why: messages.NewError("error.doctor.container-closed", p.container[:12], p.pid), Command: p.opensEngine(os.Geteuid()), Of: s,
	})
}

// maxJournal bounds what is asked of the journal at once, in bytes.
const maxJournal = 1 << 20

// journal adds what systemd keeps of a unit, and tells where not all of it is shown.
func (l *Look) journal(ctx context.Context, s *Server, name string, ofUser bool) {
	which := "--unit=" + name
	if ofUser {
		which = "--user-unit=" + name
	}
	args := []string{which, "--output=json", "--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_COMM,_PID,_HOSTNAME", "--all", "--no-pager"}
	_, hint, err := program.Output(ctx, maxJournal, "journalctl", which, "--lines=1", "--output=cat", "--no-pager")
	isClosed := strings.Contains(hint, "not seeing messages") || err != nil && strings.Contains(err.Error(), "insufficient permissions")
	switch {
	case isClosed:
		l.Unseen = append(l.Unseen, Unseen{What: "journalctl " + which, Why: messages.NewError("error.doctor.journal-closed"), Command: asRoot()})
	case err != nil:
		l.Unseen = append(l.Unseen, Unseen{What: "journalctl " + which, Why: err})
	}
	if err != nil {
		return
	}
	s.Logs = append(s.Logs, Log{Name: "journalctl " + which, Open: func(ctx context.Context, since time.Time, newest int) (io.ReadCloser, error) {
		asked := append(slices.Clone(args), "--lines="+strconv.Itoa(newest))
		if !since.IsZero() {
			asked = append(asked, "--since=@"+strconv.FormatInt(since.Unix(), 10))
		}
		return program.Start(ctx, math.MaxInt64-1, "journalctl", asked...)
	}})
}

// opensEngine is what makes the engine of a process' container tell of it: Podman's listens
// where it is asked to (podman-system-service(1)).
func (p *process) opensEngine(uid int) string {
	switch {
	case p.podman && p.owner == "" && uid == 0:
		return "systemctl start podman.socket"
	case p.podman && p.owner == strconv.Itoa(uid):
		return "systemctl --user start podman.socket"
	case p.podman && uid == 0:
		return "sudo -u '#" + p.owner + "' XDG_RUNTIME_DIR=/run/user/" + p.owner + " systemctl --user start podman.socket"
	}
	return asRoot()
}

// asRoot is what shows more, empty for who sees everything.
func asRoot() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return "sudo wklog doctor"
}
