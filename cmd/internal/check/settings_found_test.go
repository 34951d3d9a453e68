package check

import (
	"context"
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPathIsLookedUpAsTheContainerSeesIt: a file of the image, a folder, and a volume
// without the file, of which the machine shows nothing.
func TestPathIsLookedUpAsTheContainerSeesIt(t *testing.T) {
	const file = "/certs/fullchain.pem"
	for want, seen := range map[string]Files{
		"pass config-cert-path.any.path-inside":        func(string) (File, error) { return File{Data: []byte("x"), Mode: 0o644}, nil },
		"fail config-cert-path.any.path-is-folder":     func(string) (File, error) { return File{Mode: fs.ModeDir | 0o755}, nil },
		"skip config-cert-path.any.path-unanswered":    func(string) (File, error) { return File{}, context.DeadlineExceeded },
		"fail config-cert-path.any.path-not-in-volume": func(string) (File, error) { return File{}, fs.ErrNotExist },
	} {
		mounts := []any{}
		if want == "fail config-cert-path.any.path-not-in-volume" {
			mounts = append(mounts, map[string]string{"Type": "volume", "Name": "certificates", "Destination": "/certs"})
		}
		data, err := json.Marshal([]any{map[string]any{
			"Name": "/wukongim", "HostConfig": map[string]any{}, "Mounts": mounts,
			"Config": map[string]any{"Image": "wukongim/wukongim:v2.2.5", "Env": []string{"WK_WSSADDR=wss://0.0.0.0:5210", "WK_WSSCONFIG_CERTFILE=" + file, "WK_WSSCONFIG_KEYFILE=" + file}},
		}})
		require.NoError(t, err)
		settings, err := Containers(data).Load("wukongim", func(name string) (File, error) {
			if name != file {
				return File{}, fs.ErrNotExist
			}
			return seen(name)
		})
		require.NoError(t, err)
		results := settings.Check()
		requireTexts(t, results)
		keys := []string{}
		for _, r := range results {
			keys = append(keys, string(r.Status)+" "+r.ID+"."+r.Key)
		}
		assert.Contains(t, keys, want)
	}
}
