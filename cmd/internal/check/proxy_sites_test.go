package check

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestSitesAreChosenAsNginxDoes has the order of server_name and of location (nginx
// documentation, server_names and ngx_http_core_module).
func TestSitesAreChosenAsNginxDoes(t *testing.T) {
	site := func(names ...string) *virtualHost {
		return &virtualHost{names: names, listens: []listenPort{{port: "443"}}}
	}
	sites := []*virtualHost{site("~^im"), site("im.*"), site("*.example.com"), site("*.chat.example.com"), site("im.example.com"), site(".bare.example.org")}
	for host, want := range map[string]int{
		"im.example.com": 4, "a.example.com": 2, "a.chat.example.com": 3, "im.example.net": 1, "imx.example.net": 0, "bare.example.org": 5, "a.bare.example.org": 5,
	} {
		assert.Same(t, sites[want], named(sites, host), host)
	}
	assert.Nil(t, named(sites, "www.example.net"))
	assert.Same(t, sites[0], defaultOf(sites, "443"), "the first")
	sites[3].listens[0].first = true
	assert.Same(t, sites[3], defaultOf(sites, "443"), "the one that says so")

	s := &virtualHost{routes: []*route{
		{path: "/"}, {path: "/ws"}, {path: "/ws/firm", kind: pathFirm}, {path: `\.js$`, kind: pathPattern}, {path: "/ws/exact", kind: pathExact}, {path: "@named", kind: pathNamed},
	}}
	for path, want := range map[string]int{"/": 0, "/w": 0, "/ws": 1, "/wss": 1, "/a.js": 3, "/ws/a.js": 3, "/ws/firm/a.js": 2, "/ws/exact": 4, "/ws/exact/": 1} {
		assert.Same(t, s.routes[want], s.routeOf(path), path)
	}
}
