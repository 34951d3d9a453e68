//go:build unix

package program

import (
	"os/exec"
	"syscall"
)

// KillGroup makes the end of a command's context end all processes of its group
// (kill(2)).
func KillGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
