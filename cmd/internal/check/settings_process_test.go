//go:build unix

package check_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/check"
)

func TestSettingsOfAProcessAreAsItSeesThem(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/wk.yaml", []byte("wssAddr: wss://0.0.0.0:443\nlogger:\n  dir: there\nwssConfig:\n  certFile: certs/a.pem\n  keyFile: certs/a.key\n"), 0o600))
	p := check.Process{Name: "wukongim.service", Folder: dir, Args: []string{"wukongim", "--config=wk.yaml"}, Environ: []string{"WK_WSSCONFIG_KEYFILE=/srv/b.key"}, UID: 999, GID: 998, Groups: []int{997}}
	s, err := p.Load()
	require.NoError(t, err)
	files := s.Files()
	assert.Equal(t, filepath.Join(dir, "certs/a.pem"), files.CertFile, "a relative path is of its folder")
	assert.Equal(t, "/srv/b.key", files.KeyFile, "the environment counts before the file")
	assert.Equal(t, []int{999, 998, 997}, append([]int{files.UID, files.GID}, files.Groups...))
	assert.Equal(t, "/home/im/wukongim/there", s.LogFolder("/home/im"))
	assert.Equal(t, "wukongim.service", s.Target().String())
	assert.Contains(t, told(s.Check()), "warn config-listen.privileged")
	p.UID = 0
	s, err = p.Load()
	require.NoError(t, err)
	assert.NotContains(t, told(s.Check()), "warn config-listen.privileged", "root may listen on every port")
}

func told(results []check.Result) (list []string) {
	for _, r := range results {
		list = append(list, string(r.Status)+" "+r.ID+"."+r.Key)
	}
	return list
}

func TestFileThatAGroupOfTheServerMayReadIsReadable(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("files of others are made by root")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o640))
	require.NoError(t, os.Chown(file, 0, 4242))
	for dir := dir; dir != os.TempDir(); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	status := func(groups []int) check.Status {
		return check.Certificates{KeyFile: file, UID: 999, GID: 999, Groups: groups}.Check()[1].Status
	}
	assert.Equal(t, check.Fail, status(nil))
	assert.Equal(t, check.Pass, status([]int{4242}))
}

// A root of its own: an absolute link leads to a file of it, and not of this machine.
func TestProcessThatSeesFilesOfItsOwn(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"etc/wk.yaml": "wssAddr: wss://0.0.0.0:5210\nwssConfig:\n  certFile: ../certs/live.pem\n", "archive/1.pem": "one"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	require.NoError(t, os.MkdirAll(root+"/certs", 0o755))
	require.NoError(t, os.Symlink("/archive/1.pem", root+"/certs/live.pem"))
	p := check.Process{Name: "app", Root: root, Contained: true, Folder: "/etc", Args: []string{"/home/app", "--config", "wk.yaml"}}
	s, err := p.Load()
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(root, "archive/1.pem"), s.Files().CertFile)
	assert.Contains(t, told(s.Check()), "skip config-published.no-compose", "nothing is known of its ports")

	p.Name, p.Environ, p.Args = "app[7]", []string{"WK_EXTERNAL_WSSADDR=wss://im.wangwei-corp.cn:5210"}, nil
	s, err = p.Load()
	require.NoError(t, err)
	for _, r := range s.Check() {
		for _, step := range r.Fixes {
			assert.NotContains(t, step.CommandLine()+step.Snippet(), "app[7]", "which is no service of compose")
		}
	}

	hidden := filepath.Join(t.TempDir(), "here.pem")
	require.NoError(t, os.WriteFile(hidden, []byte("here"), 0o644))
	p = check.Process{Name: "unit", Root: root, Environ: []string{"WK_WSSCONFIG_CERTFILE=" + hidden}}
	s, err = p.Load()
	require.NoError(t, err)
	assert.Contains(t, told(s.Check()), "fail config-cert-path.any.path-missing", "as under ProtectHome")
}
