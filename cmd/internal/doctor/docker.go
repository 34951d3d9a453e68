package doctor

import "context"

// Docker finds containers of Docker, and of Podman, which speaks the same.
type Docker struct{}

// Name is "docker".
func (*Docker) Name() string { return "docker" }

// Find asks the engine for its containers.
func (d *Docker) Find(context.Context, *Look) {}
