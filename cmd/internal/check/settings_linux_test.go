package check

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asNobody runs a function with a user who owns nothing. The user is that of the
// thread alone, which ends with the goroutine since it stays locked.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can read files as another user")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
		do()
	}()
	<-done
}

// TestClosedFoldersAreNoFaults is for users who check without being root: the
// folders of Let's Encrypt are closed to them, and nothing is known of the files.
func TestClosedFoldersAreNoFaults(t *testing.T) {
	environment := "environment: {WK_WSSADDR: 'wss://0.0.0.0:5210', WK_WSSCONFIG_CERTFILE: /certs/live/a.pem, WK_WSSCONFIG_KEYFILE: /key.pem, WK_EXTERNAL_WSSADDR: 'wss://im.wangwei-corp.cn:5210'}"
	c := write(t, map[string]string{
		"letsencrypt/live/a.pem": "", "letsencrypt/live/key.pem": "",
		"docker-compose.yml": composed("", "ports: ['5210:5210']\n    volumes: ['./letsencrypt:/certs', './letsencrypt/live/key.pem:/key.pem']\n    "+environment),
	})
	dir := filepath.Dir(c.Compose)
	for _, open := range []string{filepath.Dir(dir), dir, filepath.Join(dir, "letsencrypt")} {
		require.NoError(t, os.Chmod(open, 0o755))
	}
	require.NoError(t, os.Chmod(c.Compose, 0o644))
	require.NoError(t, os.Chmod(filepath.Join(dir, "letsencrypt", "live"), 0o700))
	var s *Settings
	var err error
	var results []Result
	asNobody(t, func() {
		if s, err = first(c); err == nil {
			results = s.Check()
		}
	})
	require.NoError(t, err)
	requireTexts(t, results)
	assert.Empty(t, outcome(results))
	closed := 0
	for _, r := range results {
		if r.Key == sharedReason+"file-closed" {
			closed++
		}
	}
	assert.Equal(t, 2, closed)
}

// TestClosedConfigurationIsTold is for a mounted wk.yaml that cannot be read:
// what it sets would be found missing.
func TestClosedConfigurationIsTold(t *testing.T) {
	c := write(t, map[string]string{"docker-compose.yml": composed("", "volumes: ['./wukongimdata:/root/wukongim']"), "wukongimdata/wk.yaml": "wssAddr: wss://0.0.0.0:5210\n"})
	dir := filepath.Dir(c.Compose)
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.Chmod(c.Compose, 0o644))
	require.NoError(t, os.Chmod(filepath.Join(dir, "wukongimdata"), 0o700))
	var err error
	asNobody(t, func() { _, err = first(c) })
	require.ErrorIs(t, err, os.ErrPermission)
	require.ErrorContains(t, err, "wk.yaml")
}
