package doctor

import (
	"context"
	"path"
	"slices"
	"strings"

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
	s := e.container(c, kind.component, "image")
	s.Proxies = func(_ context.Context, servers []*check.Settings, clients []string) ([]*check.Proxy, error) {
		return e.raw.Proxies(s.Name, servers, clients)
	}
	return s
}
