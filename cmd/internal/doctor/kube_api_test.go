package doctor

import (
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/kubetest"
)

// The questions and their templates are such as kubectl takes, and its answers are those
// of the stand-in.
func TestKubectlItselfAnswers(t *testing.T) {
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("kubectl is not installed (Debian's package kubernetes-client)")
	}
	path := os.Getenv("PATH")
	folder, _ := cluster(t)
	t.Setenv("PATH", path)
	api, err := kubetest.Load(folder)
	require.NoError(t, err)
	server := httptest.NewServer(api)
	defer server.Close()
	config := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(config, kubetest.Config(server.URL), 0o600))
	t.Setenv("KUBECONFIG", config)
	t.Setenv("HOME", t.TempDir())

	look := lookAt(t, &Kube{})
	assert.Empty(t, look.Unseen)
	require.Len(t, look.Servers, 3)
	settings, err := look.Servers[0].Settings(t.Context())
	require.NoError(t, err)
	results := resultsOf(settings)
	assert.Equal(t, []string{"pass object", "pass object"}, []string{results["config-cert-path"], results["config-key-path"]})
	assert.NotNil(t, settings.Files().Leaf())
	logs := look.Servers[1].Logs
	events, err := logs[len(logs)-1].Open(t.Context(), look.Servers[1].Started, mostLines)
	require.NoError(t, err)
	text, err := io.ReadAll(events)
	require.NoError(t, err)
	assert.Contains(t, string(text), " Warning BackOff Back-off restarting")
	require.NoError(t, events.Close())
}
