package check

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// blackHole is a port whose queue of connections is full, so that the kernel
// drops further ones in silence, as a firewall does.
func blackHole(t *testing.T) string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	bound, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	address := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: bound.(*syscall.SockaddrInet4).Port}).String()
	for range 10 {
		conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Skip("this kernel accepts connections beyond the backlog")
	return ""
}

func TestPortThatDropsPackets(t *testing.T) {
	s := newSite(t)
	s.live.Addr, s.live.API = at(t, blackHole(t)), blackHole(t)
	results := s.check()
	requireOneFailure(t, results, "live-tcp", "connection-interrupted", portSilent)
	assert.Equal(t, portSilent, find(t, results, "live-health").Key)
}
