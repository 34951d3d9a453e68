package doctor

import (
	"context"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"wklog/cmd/internal/check"
)

// fronts adds the containers of programs that may stand in front, by their images: which
// of them lead to WuKongIM their configurations tell, as far as this machine has them.
func (e *engine) fronts(look *Look) {
	for i := range e.inspected {
		c := &e.inspected[i]
		image, _, _ := strings.Cut(path.Base(c.Config.Image), ":")
		at := slices.IndexFunc(fronts, func(f front) bool {
			return slices.ContainsFunc(f.names, func(name string) bool { return strings.Contains(image, name) })
		})
		if at >= 0 {
			look.Servers = append(look.Servers, e.front(c, fronts[at]))
		}
	}
}

func (e *engine) front(c *container.InspectResponse, kind front) *Server {
	name := nameOf(c)
	s := &Server{
		Name: name, Component: kind.component, FoundBy: "docker", By: "image", State: stateOf(c), Started: startOf(c), Restarts: c.RestartCount,
		ExitCode: c.State.ExitCode, PID: c.State.Pid, Container: c.ID, Zone: zoneOf(c), Reason: c.State.Error, Ports: map[string]string{},
	}
	s.Logs = []Log{{Name: name, Open: func(ctx context.Context, since time.Time) (io.ReadCloser, error) { return e.log(ctx, c, since) }}}
	s.Proxies = func(_ context.Context, servers []*check.Settings, clients []string) ([]*check.Proxy, error) {
		return e.raw.Proxies(name, servers, clients)
	}
	e.ports(c, s.Ports)
	return s
}
