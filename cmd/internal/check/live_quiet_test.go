package check

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestQuietCheckOfAPublishedPort connects to where a container publishes its port, by the
// name that clients are given, and begins no handshake that the server would log.
func TestQuietCheckOfAPublishedPort(t *testing.T) {
	s := newSite(t)
	s.start()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.live.Addr, "wss://"))
	require.NoError(t, err)
	s.live.Addr = "wss://" + net.JoinHostPort(siteName, "443") // where nothing listens
	s.live.Via, s.live.Quiet, s.live.Repeat = net.JoinHostPort("127.0.0.1", port), true, 1
	keys := map[string]string{}
	for _, r := range s.check() {
		keys[r.ID] = string(r.Status) + " " + r.Key
	}
	assert.Equal(t, "pass via", keys["live-name"])
	assert.Equal(t, "skip "+sharedReason+"would-be-logged", keys["live-clients"])
	assert.Equal(t, "pass connected", keys["live-tcp"])
}
