package doctor

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
)

// A kernel of a test's own: its processes are folders.
type made struct {
	t    *testing.T
	root string
}

func newKernel(t *testing.T) made {
	k := made{t, t.TempDir()}
	k.write("stat", "cpu 1 2 3\nbtime 1764300000\n")
	k.link("self/ns/mnt", "mnt:[1]")
	return k
}

func (k made) write(name, text string) {
	k.t.Helper()
	file := filepath.Join(k.root, name)
	require.NoError(k.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(k.t, os.WriteFile(file, []byte(text), 0o600))
}

func (k made) link(name, to string) {
	k.t.Helper()
	file := filepath.Join(k.root, name)
	require.NoError(k.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(k.t, os.Symlink(to, file))
}

// process makes one as the kernel shows it; tables of sockets hold 5200 for inode 77.
func (k made) process(pid int, program, folder, cgroup string, environ []string, args ...string) {
	dir := strconv.Itoa(pid) + "/"
	k.write(dir+"cmdline", strings.Join(args, "\x00")+"\x00")
	k.write(dir+"status", "Name:\tx\nPPid:\t1\nUid:\t999\t998\t999\t999\nGid:\t997\t997\t997\t997\nGroups:\t997 42 \nCapEff:\t0000000000000000\n")
	k.write(dir+"stat", strconv.Itoa(pid)+" (a) b (c) S 1 "+strings.Repeat("0 ", 17)+"12300 0\n")
	k.write(dir+"cgroup", cgroup+"\n")
	k.write(dir+"environ", strings.Join(environ, "\x00")+"\x00")
	k.write(dir+"net/tcp", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"+
		"   0: 0100007F:1450 00000000:0000 0A 00000000:00000000 00:00000000 00000000  999        0 77 1 0000 100 0 0 10 0\n"+
		"   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000    0        0 78 1 0000 100 0 0 10 0\n")
	k.write(dir+"net/tcp6", "  sl  local_address rem_address st\n   0: 00000000000000000000000000000000:145A 00000000000000000000000000000000:0000 0A 0:0 0:0 0  999 0 79 1\n")
	k.link(dir+"exe", program)
	k.link(dir+"cwd", folder)
	k.link(dir+"root", "/")
	k.link(dir+"ns/mnt", "mnt:[1]")
	k.link(dir+"fd/1", "socket:[5]")
	k.link(dir+"fd/2", "socket:[5]")
	k.link(dir+"fd/7", "socket:[77]")
	k.link(dir+"fd/8", "socket:[79]")
}

const ofUnit = "0::/system.slice/wukongim.service"

func (k made) look() *Look { return lookAt(k.t, &Host{processes{k.root}}) }

func TestUnitThatRunsIsFound(t *testing.T) {
	folder := standIn(t, "journalctl", "systemctl")
	show, err := os.ReadFile("testdata/systemctl-show.txt")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "systemctl"), show, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "journalctl"), []byte(`{"MESSAGE":"said"}`), 0o600))
	home := t.TempDir()
	require.NoError(t, os.MkdirAll(home+"/wukongim/logs", 0o755))
	require.NoError(t, os.WriteFile(home+"/wukongim/logs/info.log", []byte("x\n"), 0o600))
	require.NoError(t, os.WriteFile(home+"/wk.yaml", []byte("wssAddr: wss://0.0.0.0:5210\n"), 0o600))
	k := newKernel(t)
	k.process(4711, "/opt/im/wukongim-linux-amd64", home, ofUnit, []string{"HOME=" + home}, "./wukongim-linux-amd64", "--config", "wk.yaml")
	k.process(4712, "/usr/bin/vim.basic", home, ofUnit, nil, "vim", "wukongim.conf")
	k.process(4713, "/usr/bin/sudo", home, ofUnit, nil, "sudo", "wukongim", "--config=wk.yaml")
	k.process(4714, "/usr/sbin/nginx", "/", "0::/system.slice/nginx.service", nil, "nginx: master process")
	look := k.look()
	assert.Empty(t, look.Unseen)
	require.Len(t, look.Servers, 3, "one that runs, one that failed, one that is restarted")
	s := look.Servers[0]
	assert.Equal(t, "wukongim.service", s.Name)
	assert.Equal(t, []any{Running, 4711, 3, "program"}, []any{s.State, s.PID, s.Restarts, s.By})
	assert.Equal(t, time.Unix(1764300000+123, 0), s.Started)
	assert.Equal(t, map[string]string{"5200": "127.0.0.1:5200", "5210": "127.0.0.1:5210"}, s.Ports, "the port 22 is another's")
	assert.Equal(t, []string{"wukongim", home + "/wk.yaml"}, []string{s.Facts[0].Value, s.Facts[1].Value})
	require.Len(t, s.Logs, 2)
	assert.Equal(t, home+"/wukongim/logs", s.Logs[1].Path)
	stream, err := s.Logs[0].Open(t.Context(), time.Unix(1764300000, 0), mostLines)
	require.NoError(t, err)
	text, err := io.ReadAll(stream)
	require.NoError(t, err)
	assert.Equal(t, `{"MESSAGE":"said"}`, string(text))
	assert.Contains(t, strings.Join(asked(t, folder), "\n"), "journalctl --unit=wukongim.service --output=json --output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_COMM,_PID,_HOSTNAME --all --no-pager --lines=1000000 --since=@1764300000")
	settings, err := s.Settings(t.Context())
	require.NoError(t, err)
	files := settings.Files()
	assert.Equal(t, []int{998, 997, 997, 42}, append([]int{files.UID, files.GID}, files.Groups...), "the effective user opens files")

	failed, again := look.Servers[1], look.Servers[2]
	assert.Equal(t, []any{"im-two.service", Exited, 2}, []any{failed.Name, failed.State, failed.ExitCode})
	assert.Equal(t, []any{"im-three.service", Restarting, 211}, []any{again.Name, again.State, again.Restarts})
	assert.Equal(t, "systemctl status --no-pager im-two.service", failed.Status.CommandLine())
	settings, err = failed.Settings(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "/etc/im/two.pem", settings.Files().CertFile)
}

func TestPlainProcessWritesItsOutputToAFile(t *testing.T) {
	standIn(t)
	out := filepath.Join(t.TempDir(), "nohup.out")
	require.NoError(t, os.WriteFile(out, []byte("x"), 0o600))
	for _, test := range []struct{ to, log, unseen string }{
		{to: out, log: out},
		{to: "/dev/null", unseen: "error.doctor.output-lost/dev/null"},
		{to: "/dev/pts/3", unseen: "error.doctor.output-lost/dev/pts/3"},
		{to: "pipe:[9]", unseen: "error.doctor.output-pipedsupervisord[1]"},
	} {
		k := newKernel(t)
		k.process(1, "/usr/bin/supervisord", "/", "0::/system.slice/supervisor.service", nil, "supervisord")
		k.process(20, "/opt/app", "/opt", "0::/system.slice/supervisor.service", nil, "/opt/app", "--config=/opt/wk.yaml")
		for _, fd := range []string{"20/fd/1", "20/fd/2"} {
			require.NoError(t, os.Remove(filepath.Join(k.root, fd)))
			k.link(fd, test.to)
		}
		look := k.look()
		require.Len(t, look.Servers, 1, test.to)
		assert.Equal(t, "app[20]", look.Servers[0].Name, "the unit is supervisord's")
		var logs, unseen string
		for _, log := range look.Servers[0].Logs {
			logs += log.Path
		}
		for _, u := range look.Unseen {
			unseen += u.Why.Error()
		}
		assert.Equal(t, []string{test.log, test.unseen}, []string{logs, unseen})
	}
}

func TestProcessIsKnownByItsPortsAndVariables(t *testing.T) {
	standIn(t)
	k := newKernel(t)
	k.process(20, "/srv/app/main", "/srv", "0::/user.slice/user-0.slice/session-1.scope", []string{"WK_MODE=release"}, "./main")
	k.process(21, "/srv/app/shop", "/srv", "0::/user.slice/user-0.slice/session-1.scope", nil, "./shop")
	look := k.look()
	require.Len(t, look.Servers, 1)
	assert.Equal(t, []string{"main[20]", "ports"}, []string{look.Servers[0].Name, look.Servers[0].By})
}

func TestContainerOfAnEngineThatSaysNothingIsNamedWithItsNumber(t *testing.T) {
	standIn(t)
	id := strings.Repeat("0123456789abcdef", 4)
	for _, cgroup := range []string{"0::/system.slice/docker-" + id + ".scope", "12:pids:/docker/" + id, "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope", "0::/machine.slice/libpod-" + id + ".scope/container"} {
		k := newKernel(t)
		k.process(20, "/home/app", "/", cgroup, []string{"WK_WSSADDR=wss://0.0.0.0:5210"}, "/home/app", "--config=/root/wukongim/wk.yaml")
		look := k.look()
		require.Len(t, look.Servers, 1, cgroup)
		s := look.Servers[0]
		assert.Equal(t, []any{id, 20, "app[20]"}, []any{s.Container, s.PID, s.Name}, cgroup)
		assert.Empty(t, s.Ports)
		require.NotEmpty(t, look.Unseen)
		assert.ErrorContains(t, look.Unseen[0].Why, "error.doctor.container-closed0123456789ab20", cgroup)
		docker := &Look{Servers: []*Server{{Name: "wukongim", Container: id, PID: 19}}}
		both := []*Look{docker, look}
		once(both)
		assert.Empty(t, look.Servers, "Docker told it: the process is a child of the container's first")
	}
}

// TestEngineOfPodmanIsOpenedByItsSocket: there is none before somebody asks for it.
func TestEngineOfPodmanIsOpenedByItsSocket(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	users := "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope/container"
	for _, c := range []struct {
		cgroup, want string
		uid          int
	}{
		{users, "systemctl --user start podman.socket", 1000},
		{users, "sudo -u '#1000' XDG_RUNTIME_DIR=/run/user/1000 systemctl --user start podman.socket", 0},
		{users, asRoot(), 1001},
		{"0::/machine.slice/libpod-" + id + ".scope/container", "systemctl start podman.socket", 0},
		{"0::/machine.slice/libpod-" + id + ".scope/container", asRoot(), 1000},
		{"0::/system.slice/docker-" + id + ".scope", asRoot(), 0},
	} {
		k := newKernel(t)
		k.process(20, "/home/app", "/", c.cgroup, nil, "/home/app", "--config=/root/wukongim/wk.yaml")
		all, err := processes{k.root}.list()
		require.NoError(t, err)
		require.Len(t, all, 1)
		all[0].look()
		assert.Equal(t, c.want, all[0].opensEngine(c.uid), c.cgroup)
	}
}

// What is closed to the user is named, and everything else is told.
func TestHalfOfProcIsClosed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("another user is taken on by root")
	}
	k := newKernel(t)
	k.process(20, "/opt/wukongim", "/opt", "0::/user.slice/session-1.scope", []string{"WK_WSSADDR=wss://0.0.0.0:5210"}, "/opt/wukongim")
	k.process(30, "/opt/other", "/opt", "0::/user.slice/session-1.scope", nil, "/opt/other", "--config", "wukongim.toml")
	require.NoError(t, os.RemoveAll(filepath.Join(k.root, "30/status")), "it ends while it is read")
	require.NoError(t, os.RemoveAll(filepath.Join(k.root, "30/fd")))
	for _, closed := range []string{"20/environ", "20/fd"} {
		require.NoError(t, os.Chmod(filepath.Join(k.root, closed), 0))
	}
	var look *Look
	asNobody(t, k.root, func() { look = &Look{}; (&Host{processes{k.root}}).Find(t.Context(), look) })
	require.Len(t, look.Servers, 2)
	assert.Equal(t, []string{"wukongim[20]", "other[30]"}, []string{look.Servers[0].Name, look.Servers[1].Name})
	i := slices.IndexFunc(look.Unseen, func(u Unseen) bool { return strings.HasSuffix(u.What, "20/environ, "+k.root+"/20/fd") })
	require.GreaterOrEqual(t, i, 0, look.Unseen)
	assert.Equal(t, "sudo wklog doctor", look.Unseen[i].Command)
}

// asNobody runs something as a user to whom files of root are closed: threads of Linux
// have users of their own.
func asNobody(t *testing.T, root string, do func()) {
	t.Helper()
	for dir := root; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type()&os.ModeSymlink == 0 {
			if info, err := entry.Info(); err == nil && info.Mode().Perm() != 0 {
				return os.Chmod(path, 0o755)
			}
		}
		return err
	}))
	const nobody = 65534
	require.NoError(t, syscall.Setreuid(-1, nobody))
	defer func() { require.NoError(t, syscall.Setreuid(-1, 0)) }()
	do()
}

// A name is shown, and never read by a program.
func TestHostileNamesOfUnitsAndProgramsAreNotHandedOn(t *testing.T) {
	folder := standIn(t, "journalctl", "systemctl")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "systemctl"), []byte("Id=--root=/tmp/x.service\nExecStart={ path=/opt/wukongim ; argv[]=/opt/wukongim }\nMainPID=0\n\nId=a*.service\nExecStart={ path=/opt/wukongim ; argv[]=/opt/wukongim }\nMainPID=0\n"), 0o600))
	k := newKernel(t)
	k.process(20, "/opt/wukongim", "/opt", "0::/system.slice/--vacuum-size=1.service", nil, "/opt/wukongim")
	look := k.look()
	require.Len(t, look.Servers, 1)
	assert.Equal(t, "wukongim[20]", look.Servers[0].Name)
	for _, question := range asked(t, folder) {
		assert.NotContains(t, question, "journalctl")
	}
}

// TestVariablesOfAUnitMayStandInSeveralFiles: a pattern names them, as a name does one.
func TestVariablesOfAUnitMayStandInSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.env": "WK_MODE=debug\r\n", "b.env": "# none\nWK_WSSADDR=\"wss://0.0.0.0:5210\"\n", "c.conf": "WK_LOST=1\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	u := &unit{environ: []string{"WK_ADDR=tcp://0.0.0.0:5100"}}
	u.set("EnvironmentFiles", dir+"/*.env (ignore_errors=yes)")
	u.set("EnvironmentFiles", dir+"/absent.env (ignore_errors=yes)")
	assert.Equal(t, []string{"WK_ADDR=tcp://0.0.0.0:5100", "WK_MODE=debug", "WK_WSSADDR=wss://0.0.0.0:5210"}, u.process().Environ)
}

func TestJournalThatIsClosedIsNamed(t *testing.T) {
	for _, test := range []struct {
		says  string
		fails bool
	}{
		{says: "Hint: You are currently not seeing messages from other users and the system.\n"},
		{says: "No journal files were opened due to insufficient permissions.\n", fails: true},
	} {
		folder := standIn(t, "journalctl")
		require.NoError(t, os.WriteFile(filepath.Join(folder, "journalctl.errors"), []byte(test.says), 0o600))
		if test.fails {
			require.NoError(t, os.WriteFile(filepath.Join(folder, "journalctl.fails"), nil, 0o600))
		}
		k := newKernel(t)
		k.process(20, "/opt/wukongim", "/opt", ofUnit, nil, "/opt/wukongim")
		look := k.look()
		require.Len(t, look.Unseen, 1)
		assert.Equal(t, "journalctl --unit=wukongim.service", look.Unseen[0].What)
		require.EqualError(t, look.Unseen[0].Why, "error.doctor.journal-closed")
		assert.Equal(t, test.fails, len(look.Servers[0].Logs) == 0)
	}
}

// TestUnitsOfARealSystemd reads what systemd 252 told of a server that runs, of one that it
// starts again and again, and of one that failed, and the journal of that.
func TestUnitsOfARealSystemd(t *testing.T) {
	folder := standIn(t, "systemctl", "journalctl")
	for from, to := range map[string]string{"systemctl-show.txt": "systemctl", "journal-failed.json": "journalctl--unit=im-failed.service"} {
		data, err := os.ReadFile(filepath.Join("testdata/systemd", from))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, to), bytes.ReplaceAll(data, []byte("/opt/im/wk.yaml"), []byte(folder+"/wk.yaml")), 0o600))
	}
	require.NoError(t, os.WriteFile(folder+"/wk.yaml", []byte("wssAddr: wss://0.0.0.0:5210\n"), 0o600))
	look := newKernel(t).look()
	require.Len(t, look.Servers, 2, "of the one that runs its process tells")
	loop, failed := look.Servers[0], look.Servers[1]
	assert.Equal(t, []any{"im-loop.service", Restarting, 28, 2}, []any{loop.Name, loop.State, loop.Restarts, loop.ExitCode})
	assert.Equal(t, []any{"im-failed.service", Exited, 0, 2}, []any{failed.Name, failed.State, failed.Restarts, failed.ExitCode})
	settings, err := failed.Settings(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "/opt/im/certs/none.pem", settings.Files().CertFile, "the variable of the unit wins")
	stream, err := failed.Logs[0].Open(t.Context(), time.Time{}, mostLines)
	require.NoError(t, err)
	defer stream.Close()
	var texts []string
	_, err = parser.Read(t.Context(), stream, parser.Options{}, func(r *parser.Record) error {
		texts = append(texts, r.Message)
		return nil
	})
	require.NoError(t, err)
	require.Len(t, texts, 1, "a panic with its trace is one record: %q", texts)
	assert.Contains(t, texts[0], "open /opt/im/certs/none.pem: no such file or directory")
}

// TestServerStandsIn is the server of the test below: it listens until it is ended.
func TestServerStandsIn(t *testing.T) {
	if os.Getenv("STAND_IN_LISTENS") == "" {
		t.Skip("it is no test of its own")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	fmt.Println("listening", l.Addr().(*net.TCPAddr).Port)
	_, _ = l.Accept()
}

// The kernel of this machine, and a program of the name.
func TestProcessOfThisMachineIsFound(t *testing.T) {
	standIn(t)
	dir := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	program := filepath.Join(dir, "wukongim")
	if err := os.Link(self, program); err != nil {
		data, err := os.ReadFile(self)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(program, data, 0o755))
	}
	require.NoError(t, os.WriteFile(dir+"/wk.yaml", []byte("rootDir: data\n"), 0o600))
	require.NoError(t, os.MkdirAll(dir+"/data/logs", 0o755))
	require.NoError(t, os.WriteFile(dir+"/data/logs/info.log", nil, 0o600))
	out, err := os.Create(dir + "/out.log")
	require.NoError(t, err)
	defer out.Close()
	server := exec.Command(program, "-test.run=^TestServerStandsIn$", "--", "--config", "wk.yaml")
	server.Dir, server.Stdout, server.Stderr = dir, out, out
	server.Env = append(os.Environ(), "STAND_IN_LISTENS=1", "WK_WSSCONFIG_CERTFILE=here.pem")
	begun := time.Now()
	require.NoError(t, server.Start())
	defer func() { _ = server.Process.Kill(); _ = server.Wait() }()
	port := ""
	require.Eventually(t, func() bool {
		text, _ := os.ReadFile(out.Name())
		_, port, _ = strings.Cut(strings.TrimSpace(string(text)), "listening ")
		return port != ""
	}, time.Minute, 10*time.Millisecond)

	look := lookAt(t, &Host{})
	i := slices.IndexFunc(look.Servers, func(s *Server) bool { return s.PID == server.Process.Pid })
	require.GreaterOrEqual(t, i, 0)
	s := look.Servers[i]
	assert.Equal(t, fmt.Sprintf("wukongim[%d]", server.Process.Pid), s.Name)
	assert.WithinDuration(t, begun, s.Started, 2*time.Second)
	assert.Equal(t, map[string]string{port: "127.0.0.1:" + port}, s.Ports)
	assert.Equal(t, []string{out.Name(), dir + "/data/logs"}, []string{s.Logs[0].Path, s.Logs[1].Path})
	assert.Contains(t, s.Facts, patterns.Fact{Kind: patterns.FactPath, Name: "config", Component: "wukongim", Value: dir + "/wk.yaml", From: "/proc/" + strconv.Itoa(s.PID)})
	settings, err := s.Settings(t.Context())
	require.NoError(t, err)
	assert.Equal(t, dir+"/here.pem", settings.Files().CertFile)
	assert.Equal(t, os.Geteuid(), settings.Files().UID)
}

func TestTwoFindersReadTheProcessesOnce(t *testing.T) {
	k := newKernel(t)
	k.process(20, "/opt/wukongim", "/opt", ofUnit, nil, "/opt/wukongim")
	shared := &listed{}
	first, second := &Look{listed: shared}, &Look{listed: shared}
	all := first.processes(processes{k.root})
	require.Len(t, all, 1)
	require.NoError(t, os.RemoveAll(filepath.Join(k.root, "20")), "it has ended meanwhile")
	assert.Same(t, all[0], second.processes(processes{k.root})[0])
}
