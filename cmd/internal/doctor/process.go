package doctor

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"wklog/cmd/internal/check"
)

// process is a program that runs on this machine.
type process struct {
	pid, parent int
	dir         string // of its files in /proc
	program     string // whole path, empty where it is closed to this user
	args        []string
	// environ is nil where it is closed to this user.
	environ      []string
	folder, root string
	// ownFiles says that it may see other files than this machine does.
	ownFiles bool
	uid, gid int
	groups   []int
	// unbound says that it may read every file.
	unbound bool
	started time.Time
	// unit is that of systemd, of its user's where ofUser is set; container is an id.
	unit, container string
	ofUser          bool
	// podman says that the container is Podman's, owner whose number it is where it is not root's.
	podman  bool
	owner   string
	listens []net.TCPAddr
	outputs []string // where its output and its errors go
	closed  []string // files about it that are closed to this user

	// Two finders may look at it.
	looked, asked sync.Once
}

// unitName is that of a service; nothing else is handed to a program.
var unitName = regexp.MustCompile(`^[A-Za-z0-9:_][A-Za-z0-9:_.\\@-]*\.service$`)

// name is that of its program.
func (p *process) name() string {
	if p.program != "" {
		return filepath.Base(p.program)
	}
	return filepath.Base(p.args[0])
}

func (p *process) variable(name string) string {
	for _, v := range p.environ {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

var (
	serverName   = regexp.MustCompile(`(?i)^wukong[-_]?im(?:[-_.].*)?$`)
	serverConfig = regexp.MustCompile(`(?i)^(?:wk|wukongim)\.(?:ya?ml|toml|json)$`)
	// serverPorts are those that WuKongIM listens on when nothing is set.
	serverPorts = []int{5001, 5100, 5200, 5210, 5300, 11110}
)

// starters name programs that run others, and have their words.
var starters = []string{
	"wklog", "sudo", "su", "doas", "sh", "bash", "zsh", "dash", "ash", "fish", "docker", "podman", "nerdctl", "kubectl", "screen", "tmux", "strace", "gdb", "dlv", "timeout", "watch", "supervisord", "ssh",
}

// gaveAway says by what a process is WuKongIM, empty for one that is not.
func (p *process) gaveAway() string {
	switch named := filepath.Base(check.ConfigNamed(p.args)); {
	case slices.Contains(starters, p.name()):
		return ""
	case serverName.MatchString(p.name()):
		return "program"
	case serverConfig.MatchString(named):
		return "arguments"
	}
	return ""
}

// gaveAwayByPorts is for what look has read: its variables, and a port that WuKongIM has.
func (p *process) gaveAwayByPorts() bool {
	return slices.ContainsFunc(p.environ, func(v string) bool { return strings.HasPrefix(v, "WK_") }) &&
		slices.ContainsFunc(p.listens, func(a net.TCPAddr) bool { return slices.Contains(serverPorts, a.Port) })
}

// settings are those of the process.
func (p *process) settings(name string) (*check.Settings, error) {
	of := check.Process{
		Name: name, Folder: p.folder, Args: p.args, Environ: p.environ, UID: p.uid, GID: p.gid, Groups: p.groups, Contained: p.container != "",
	}
	if p.unbound {
		of.UID = 0
	}
	if p.ownFiles || p.root != "/" && p.root != "" || of.Contained {
		of.Root = filepath.Join(p.dir, "root")
		// Where not even its program is there its files are gone: one that is being ended.
		if _, err := os.Stat(filepath.Join(of.Root, p.program)); errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return of.Load()
}

func homeOf(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.HomeDir
	}
	return ""
}

// readSome reads at most so many bytes of a file.
func readSome(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most))
}
