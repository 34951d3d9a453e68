package check_test

import (
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/check"
)

// TestPathIsLookedUpAsTheContainerSeesIt: a file of the image, a folder, and a volume
// without the file, of which the machine shows nothing.
func TestPathIsLookedUpAsTheContainerSeesIt(t *testing.T) {
	const file = "/certs/fullchain.pem"
	for want, seen := range map[string]check.Files{
		"pass config-cert-path.any.path-inside":        func(string) (check.File, error) { return check.File{Data: []byte("x"), Mode: 0o644}, nil },
		"fail config-cert-path.any.path-is-folder":     func(string) (check.File, error) { return check.File{Mode: fs.ModeDir | 0o755}, nil },
		"fail config-cert-path.any.path-not-in-volume": func(string) (check.File, error) { return check.File{}, fs.ErrNotExist },
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
		settings, err := check.Containers(data).Load("wukongim", func(name string) (check.File, error) {
			if name != file {
				return check.File{}, fs.ErrNotExist
			}
			return seen(name)
		})
		require.NoError(t, err)
		assert.Contains(t, told(settings.Check()), want)
	}
}
