package source

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheFolderOfALogNamesItsNode(t *testing.T) {
	const pod = "im_wukongim-0_0a1b2c3d-1111-2222-3333-444455556666"
	for _, c := range []struct {
		log  string
		args []string
		want string
	}{
		{"archive/n1/logs/info.log", []string{"archive"}, "n1"},
		{"archive/n1/logs/info.log", []string{"archive/"}, "n1"},
		{"archive/info.log", []string{"archive"}, ""},
		{"archive/n1/stdout.log", []string{"archive/n1", "archive/n2"}, "n1"},
		{"archive/n1/logs/info.log", []string{"archive/n1/", "archive/n2/"}, "n1"},
		{"wukongimdata/logs/info.log", []string{"wukongimdata", "out.log"}, ""},
		{"archive/n1.tar.gz!logs/info.log", []string{"archive"}, "n1"},
		{"/var/log/pods/" + pod + "/im-server/0.log", []string{"/var/log/pods"}, "im/wukongim-0"},
		{"/var/log/pods/" + pod + "/wukongim/0.log.20260101-120000.gz", []string{"/var/log/pods"}, "im/wukongim-0"},
		{"archive/n1.tar.gz!pods/" + pod + "/wukongim/0.log", []string{"archive"}, "im/wukongim-0"},
		{"/var/lib/docker/containers/" + strings.Repeat("0a", 32) + "/" + strings.Repeat("0a", 32) + "-json.log", []string{"/var/lib/docker"}, "0a0a0a0a0a0a"},
		{"/var/lib/containers/storage/overlay-containers/" + strings.Repeat("0b", 32) + "/userdata/ctr.log", []string{"/var/lib/containers"}, "0b0b0b0b0b0b"},
		{"tmp/compose.log", []string{"tmp/compose.log"}, ""},
		{"n1/compose.log", []string{"n1/compose.log", "n2/compose.log"}, "n1"},
		{"/var/log/containers/wukongim-0_im_wukongim-" + strings.Repeat("0a", 32) + ".log", []string{"/var/log/containers"}, "im/wukongim-0"},
	} {
		assert.Equal(t, c.want, NodesOf(c.args)(c.log), "%s of %v", c.log, c.args)
	}
}
