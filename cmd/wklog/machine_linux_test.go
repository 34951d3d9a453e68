package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// machine is one like this, with its programs, on which commands run as they stand in a
// report: with systemd as its first process and a network of its own. What they change is
// gone at its end, and can be told.
type machine struct {
	dir, root string
	pid       int
}

// begin is the first process of the machine until systemd takes its place. The folder of
// the machine is $0, the test's own program $1.
const begin = `set -e
mount -t tmpfs machine "$0"
mkdir "$0"/above "$0"/work "$0"/root
mount -t overlay -o lowerdir=/,upperdir="$0"/above,workdir="$0"/work machine "$0"/root
cd "$0"/root
mount --rbind /dev dev
mount -t proc proc proc
mount -t sysfs sysfs sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 cgroup sys/fs/cgroup
  for groups in /sys/fs/cgroup/*/; do
    mkdir ".$groups"
    case $groups in
    */systemd/) mount -t cgroup -o none,name=systemd cgroup ".$groups" ;;
    */unified/) mount -t cgroup2 cgroup ".$groups" ;;
    *) mount --bind "$groups" ".$groups" ;;
    esac
  done
fi
for folder in run tmp root; do mount -t tmpfs -o mode=755 $folder $folder; done
mount --bind "$0"/above mnt
mkdir -p var/lib/docker
mount -t tmpfs docker var/lib/docker
ip link set lo up
for address in $ADDRESSES; do ip address add $address/32 dev lo; done
: > usr/local/bin/wklog.test
mount --bind "$1" usr/local/bin/wklog.test
printf '#!/bin/sh\nWKLOG_TEST_PROGRAM=wklog exec /usr/local/bin/wklog.test "$@"\n' > usr/local/bin/wklog
chmod 755 usr/local/bin/wklog
rm -rf etc/systemd/system/*.wants etc/letsencrypt
printf '[Unit]\nDefaultDependencies=no\nRequires=systemd-journald.service\n' > etc/systemd/system/default.target
pivot_root . media # a chroot would do, but docker exec would leave it
umount -l /media
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --log-target=journal --show-status=no
`

// startMachine starts one that has the addresses. Without the programs or the rights that
// it takes, the test is skipped.
func startMachine(t *testing.T, addresses ...string) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a machine of its own is started as root")
	}
	for _, program := range []string{"unshare", "nsenter", "ip", "/lib/systemd/systemd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed (Debian's packages util-linux, iproute2, systemd)")
		}
	}
	m := &machine{dir: t.TempDir()}
	program, err := os.Executable()
	require.NoError(t, err)
	group := "wklog-test-" + fmt.Sprint(os.Getpid())
	c := exec.Command("sh", "-c", `for groups in /sys/fs/cgroup /sys/fs/cgroup/*/; do
  [ -e "$groups/cgroup.procs" ] && mkdir -p "$groups/$GROUP" && echo $$ > "$groups/$GROUP/cgroup.procs"
done 2>/dev/null
exec unshare --mount --net --pid --fork --kill-child --uts --ipc --cgroup sh -c "$BEGIN" "$0" "$1"`, m.dir, program)
	c.Env = append(os.Environ(), "BEGIN="+begin, "ADDRESSES="+strings.Join(addresses, " "), "GROUP="+group)
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true}
	runtime.LockOSThread() // whose end is the death of the parent
	defer runtime.UnlockOSThread()
	require.NoError(t, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-ended
		removeGroups(group)
	})
	require.Eventually(t, func() bool {
		select {
		case err := <-ended:
			ended <- err
			return true
		default:
			return m.first(c.Process.Pid)
		}
	}, time.Minute, 20*time.Millisecond)
	if m.pid == 0 {
		t.Skipf("no machine of its own here: %s", &output)
	}
	m.root = fmt.Sprintf("/proc/%d/root", m.pid)
	return m
}

// first finds the first process of the machine, and tells whether it is systemd, which
// answers.
func (m *machine) first(unshare int) bool {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", unshare, unshare))
	pid := 0
	if _, scan := fmt.Sscan(string(children), &pid); err != nil || scan != nil {
		return false
	}
	if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err != nil || string(name) != "systemd\n" {
		return false
	}
	if err := exec.Command("nsenter", entering(pid, "systemctl", "is-active", "systemd-journald")...).Run(); err != nil {
		return false
	}
	m.pid = pid
	return true
}

func entering(pid int, command ...string) []string {
	return append([]string{"-t", fmt.Sprint(pid), "-m", "-n", "-p", "-u", "-i", "-C", "-r", "-w"}, command...)
}

// removeGroups takes away the control groups, which are empty now, the inner ones first.
func removeGroups(name string) {
	roots, _ := filepath.Glob("/sys/fs/cgroup/*/" + name)
	for _, root := range append(roots, "/sys/fs/cgroup/"+name) {
		var folders []string
		_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				folders = append(folders, path)
			}
			return nil
		})
		for _, folder := range slices.Backward(folders) {
			_ = os.Remove(folder)
		}
	}
}

// try runs a script in a folder of the machine, and gives what it says and its status.
func (m *machine) try(t *testing.T, folder, script string) (output string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "nsenter", entering(m.pid, "env", "-i", "HOME=/root", "USER=root", "NO_COLOR=1", "LC_ALL=C.UTF-8", "TZ=UTC",
		"PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
		"script", "-qefc", "cd "+folder+"\n"+script, "/dev/null")...) // as at a terminal
	c.WaitDelay = time.Second
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	require.NoError(t, ctx.Err(), "%s does not end: %s", script, &out)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		require.NoError(t, err, script)
	}
	return strings.ReplaceAll(out.String(), "\r\n", "\n"), c.ProcessState.ExitCode()
}

// does runs a script that succeeds.
func (m *machine) does(t *testing.T, folder, script string) string {
	t.Helper()
	output, status := m.try(t, folder, script)
	require.Zero(t, status, "%s\n%s", script, output)
	return output
}

// put writes a file of the machine.
func (m *machine) put(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(m.root+path), 0o755))
	require.NoError(t, os.WriteFile(m.root+path, []byte(text), 0o600))
}

// listen listens in the network of the machine.
func (m *machine) listen(t *testing.T, address string, serve func(net.Listener)) {
	t.Helper()
	runtime.LockOSThread()
	own, err := os.Open("/proc/thread-self/ns/net")
	require.NoError(t, err)
	defer own.Close()
	its, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", m.pid))
	require.NoError(t, err)
	defer its.Close()
	require.NoError(t, unix.Setns(int(its.Fd()), unix.CLONE_NEWNET))
	l, failed := net.Listen("tcp", address)
	// A thread that stays there is not given back.
	if unix.Setns(int(own.Fd()), unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
	require.NoError(t, failed)
	t.Cleanup(func() { l.Close() })
	go serve(l)
}

// state are the files that are not this machine's any more, with what tells that they were
// written since. What programs write of themselves is left out.
func (m *machine) state(t *testing.T) map[string]string {
	t.Helper()
	above := m.root + "/mnt"
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(above, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile
		}
		name := strings.TrimPrefix(path, above)
		if slices.Contains([]string{"/var/log", "/var/lib/systemd", "/var/tmp", "/var/lib/docker"}, name) {
			return filepath.SkipDir
		}
		if info, err := entry.Info(); err == nil && info.Mode()&fs.ModeCharDevice != 0 {
			found[name] = "taken away"
		} else if err == nil && !entry.IsDir() {
			status := info.Sys().(*syscall.Stat_t)
			found[name] = fmt.Sprint(info.Mode(), info.Size(), status.Uid, status.Mtim, status.Ctim)
		}
		return nil
	}))
	return found
}
