package doctor

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// processes are those of a kernel, whose files stand in a folder (proc(5)).
type processes struct{ root string }

// kernel is the one of this machine.
var kernel = processes{"/proc"}

// maxProc bounds what is read of one of its files, in bytes: environments and tables of
// sockets may be long.
const maxProc = 8 << 20

// list gives all of them that have a command line: the kernel's own have none.
func (k processes) list() ([]*process, error) {
	entries, err := os.ReadDir(k.root)
	if err != nil {
		return nil, err
	}
	var all []*process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		p := &process{pid: pid, dir: filepath.Join(k.root, entry.Name())}
		if p.args = p.glance("cmdline"); len(p.args) == 0 {
			continue
		}
		p.program, _ = os.Readlink(filepath.Join(p.dir, "exe"))
		p.program = strings.TrimSuffix(p.program, " (deleted)")
		all = append(all, p)
	}
	return all, nil
}

// words are the parts of a file that NULs end. A process that has ended has none.
func (p *process) words(name string) []string {
	data, err := p.read(name)
	if err != nil {
		return nil
	}
	return wordsIn(data)
}

func wordsIn(data []byte) []string {
	if len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
}

// glance are the words of a file of any process, of which nothing is remembered.
func (p *process) glance(name string) []string {
	data, _ := readSome(filepath.Join(p.dir, name), maxProc)
	return wordsIn(data)
}

func (p *process) read(name string) ([]byte, error) {
	data, err := readSome(filepath.Join(p.dir, name), maxProc)
	if err != nil {
		p.miss(name, err)
	}
	return data, err
}

// miss remembers what is closed to this user; what has ended is no fault.
func (p *process) miss(name string, err error) {
	if errors.Is(err, fs.ErrPermission) {
		p.closed = append(p.closed, filepath.Join(p.dir, name))
	}
}

// look reads all else that is known of a process.
func (p *process) look() {
	p.looked.Do(func() {
		p.status()
		p.stat()
		p.cgroup()
		p.environ = p.words("environ")
		p.folder = p.link("cwd")
		p.root = p.link("root")
		p.ownFiles = p.link("ns/mnt") != ownLink(p.dir, "ns/mnt")
		p.files()
	})
}

func (p *process) link(name string) string {
	to, err := os.Readlink(filepath.Join(p.dir, name))
	if err != nil {
		p.miss(name, err)
	}
	return to
}

// ownLink is that of this process.
func ownLink(dir, name string) string {
	to, _ := os.Readlink(filepath.Join(filepath.Dir(dir), "self", name))
	return to
}

// status tells who runs it: the effective user, as whom it opens files.
func (p *process) status() { p.asked.Do(p.readStatus) }

func (p *process) readStatus() {
	p.uid, p.gid = -1, -1
	data, _ := p.read("status")
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(line, ":")
		numbers := numbersIn(strings.Fields(value))
		switch {
		case name == "PPid" && len(numbers) == 1:
			p.parent = numbers[0]
		case name == "Uid" && len(numbers) == 4:
			p.uid = numbers[1]
		case name == "Gid" && len(numbers) == 4:
			p.gid = numbers[1]
		case name == "Groups":
			p.groups = numbers
		case name == "CapEff":
			p.unbound = readsAll(strings.TrimSpace(value))
		}
	}
}

// readsAll tells a set of capabilities with one that passes over the modes of files:
// CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH (capabilities(7)).
func readsAll(set string) bool {
	bits, err := strconv.ParseUint(set, 16, 64)
	return err == nil && bits&(1<<1|1<<2) != 0
}

// ticks are those of a second in which the kernel tells times, on all architectures
// (USER_HZ).
const ticks = 100

// stat tells when it began: the 22nd field, in ticks since the machine did.
func (p *process) stat() {
	data, _ := p.read("stat")
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	const start = 22 - 3
	if len(fields) <= start {
		return
	}
	after, err := strconv.ParseInt(fields[start], 10, 64)
	if booted := p.booted(); err == nil && !booted.IsZero() {
		p.started = booted.Add(time.Duration(after) * (time.Second / ticks))
	}
}

func (p *process) booted() time.Time {
	data, _ := readSome(filepath.Join(filepath.Dir(p.dir), "stat"), maxProc)
	for line := range strings.Lines(string(data)) {
		if seconds, ok := strings.CutPrefix(line, "btime "); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(seconds), 10, 64); err == nil {
				return time.Unix(n, 0)
			}
		}
	}
	return time.Time{}
}

var (
	containerID = regexp.MustCompile(`[0-9a-f]{64}`)
	userSlice   = regexp.MustCompile(`/user-(\d{1,10})\.slice/`)
)

// cgroup tells the unit that a process is of, or the container.
func (p *process) cgroup() {
	data, _ := p.read("cgroup")
	for line := range strings.Lines(string(data)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		_, path, _ := strings.Cut(rest, ":")
		if id := containerID.FindString(path); id != "" {
			p.container, p.podman = id, strings.Contains(path, "libpod-")
			if m := userSlice.FindStringSubmatch(path); m != nil && m[1] != "0" {
				p.owner = m[1]
			}
		}
		for name := range strings.SplitSeq(path, "/") {
			if unitName.MatchString(name) && !strings.HasPrefix(name, "user@") {
				p.unit = name
			}
			p.ofUser = p.ofUser || strings.HasPrefix(name, "user@")
		}
	}
	if p.container != "" {
		p.unit = "" // of the engine
	}
}

// files tell the ports on which it listens, and where its output goes.
func (p *process) files() {
	entries, err := os.ReadDir(filepath.Join(p.dir, "fd"))
	if err != nil {
		p.miss("fd", err)
		return
	}
	sockets := map[string]bool{}
	for _, entry := range entries {
		to, err := os.Readlink(filepath.Join(p.dir, "fd", entry.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		if inode, is := strings.CutPrefix(to, "socket:["); is {
			sockets[strings.TrimSuffix(inode, "]")] = true
		}
		if entry.Name() == "1" || entry.Name() == "2" {
			p.outputs = append(p.outputs, to)
		}
	}
	p.outputs = slices.Compact(p.outputs)
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		data, _ := p.read(table)
		p.listens = append(p.listens, listening(data, sockets)...)
	}
}

// listening gives the addresses of a table of sockets on which some of them listen
// (Linux Documentation/networking/proc_net_tcp.rst).
func listening(table []byte, sockets map[string]bool) (all []net.TCPAddr) {
	const listen = "0A"
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) < 10 || fields[3] != listen || !sockets[fields[9]] {
			continue
		}
		host, port, _ := strings.Cut(fields[1], ":")
		number, err := strconv.ParseUint(port, 16, 16)
		if ip := reversed(host); err == nil && ip != nil {
			all = append(all, net.TCPAddr{IP: ip, Port: int(number)})
		}
	}
	return all
}

// reversed reads an address whose words of 32 bits are in the order of the machine,
// which is that of Intel and ARM.
func reversed(text string) net.IP {
	ip, err := hex.DecodeString(text)
	if err != nil || len(ip) != net.IPv4len && len(ip) != net.IPv6len {
		return nil
	}
	for at := 0; at < len(ip); at += 4 {
		slices.Reverse(ip[at : at+4])
	}
	return ip
}

// home is the folder of its user.
func (p *process) home() string { return cmp.Or(p.variable("HOME"), homeOf(p.uid)) }
