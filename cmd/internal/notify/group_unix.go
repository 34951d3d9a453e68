//go:build unix

package notify

import (
	"os/exec"
	"syscall"
)

// killGroup makes the end of a command's context end all processes of its group
// (kill(2)).
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
