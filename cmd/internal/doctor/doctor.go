// Package doctor finds the servers of this machine, or of its cluster, and what stands
// in front of them: where their logs are, which settings their processes have, and the
// files as they see them. It only reads.
package doctor

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"wklog/cmd/internal/check"
	"wklog/patterns"
)

// State is whether a server runs.
type State string

// The states of a server: Restarting is one that ends again and again.
const (
	Running    State = "running"
	Restarting State = "restarting"
	Exited     State = "exited"
	// Created is one that was never started.
	Created State = "created"
)

// settled is how long a server runs that does not end at once: who starts one again waits
// longer and longer, Docker up to a minute.
const settled = 10 * time.Second

// stateOfRunning is that of a server that runs at this moment.
func stateOfRunning(restarts int, started time.Time) State {
	if restarts > 0 && time.Since(started) < settled {
		return Restarting
	}
	return Running
}

// Server is one that was found, WuKongIM or a program in front of it. What a finder
// cannot know stays zero.
type Server struct {
	// Name as its user calls it: the container's, the unit's, the pod's.
	Name      string
	Component patterns.ComponentID
	// FoundBy is the name of the finder, By what gave it away: texts are under
	// "doctor.by.".
	FoundBy, By string

	State    State
	Started  time.Time
	Restarts int
	ExitCode int
	// PID on this machine, 0 where it has none: what two finders found is told once.
	PID int
	// Container is the id of the one that it runs in, for the same: the process that
	// listens may be a child of the container's.
	Container string
	// Zone is the time zone in which it writes times without one, nil for this
	// machine's.
	Zone *time.Location

	// Facts are its names, for the commands.
	Facts []patterns.Fact
	// Restart makes it read its files again: the zero one is not known.
	Restart check.Step
	// Status shows whether it runs, the zero one is not known.
	Status check.Step
	// Start is what starts it where it does not run, empty where that is not known.
	Start string
	// Logs are in the order in which they were written.
	Logs []Log
	// Settings reads them as the process has them; nil where there are none. What they
	// name is read later, until the context ends.
	Settings func(context.Context) (*check.Settings, error)
	// Partial says that a part of them could not be read: what is not set is not known.
	Partial bool
	// Proxies reads the configuration of a program in front; nil for a server. Clients
	// are the addresses that clients are given.
	Proxies func(ctx context.Context, servers []*check.Settings, clients []string) ([]*check.Proxy, error)
	// Ports are host:port by which this machine reaches the ports that it listens on; of
	// an empty port the address by which all are reached.
	Ports map[string]string
	// Reason is why it does not run, as who runs it says; empty where that is not known.
	Reason string
	// Operate puts a command of the documentation into the form in which it works here:
	// with the compose file, or podman for docker; nil for none.
	Operate func(string) string
}

// Reach is host:port by which this machine reaches a port of the server, empty where it
// does not.
func (s *Server) Reach(port string) string {
	if at, ok := s.Ports[port]; ok || port == "" {
		return at
	}
	if host := s.Ports[""]; host != "" {
		return net.JoinHostPort(host, port)
	}
	return ""
}

// Log is one that can be read.
type Log struct {
	// Name is shown as the source of what is found in it.
	Name string
	// Path is a file or a folder of this machine, which is read as analyze reads it, with
	// what was rotated; Open is nil then.
	Path string
	// Open begins to read the newest lines, so many at most, from a time on, zero for all.
	// It ends with the context.
	Open func(ctx context.Context, since time.Time, newest int) (io.ReadCloser, error)
}

// Unseen is something that could not be looked at, and why.
type Unseen struct {
	What string
	// Why is an error whose text the messages know, or one of the system's.
	Why error
	// Command is what to type so that it can be, empty for nothing.
	Command string
	// Of is the server that it is of, nil for none: one that another finder tells better
	// lacks nothing.
	Of *Server
	// Names are those in What that nobody but the finder knows to be names.
	Names []string
}

// Look is what one finder did.
type Look struct {
	Finder  string
	Found   int
	Took    time.Duration
	Servers []*Server
	Unseen  []Unseen
	// Absent says that there is nothing of its kind here, as no Docker.
	Absent bool
	// Partly says that what is there was not looked at to its end.
	Partly bool

	listed *listed
}

// Finder looks in one place. It may return before the context ends with what it has.
type Finder interface {
	// Name is that of its text, under "doctor.finder.".
	Name() string
	Find(context.Context, *Look)
}

// Finders are all places, with the cluster that the user names, in the order in which what is found twice is kept.
func Finders(kube *Kube) []Finder {
	return []Finder{
		&Docker{},
		&Host{},
		kube,
		&Front{},
	}
}

// Find looks in all places at the same time. tell is called when one is done.
func Find(ctx context.Context, finders []Finder, tell func(*Look)) []*Look {
	looks, listed := make([]*Look, len(finders)), &listed{}
	var running sync.WaitGroup
	var telling sync.Mutex
	for i, f := range finders {
		looks[i] = &Look{Finder: f.Name(), listed: listed}
		running.Go(func() {
			begin := time.Now()
			f.Find(ctx, looks[i])
			looks[i].Took = time.Since(begin)
			telling.Lock()
			defer telling.Unlock()
			tell(looks[i])
		})
	}
	running.Wait()
	once(looks)
	return looks
}

// once keeps what was found twice where it was found first.
func once(looks []*Look) {
	pids, containers := map[int]bool{}, map[string]bool{}
	known := func(s *Server) bool { return s.PID != 0 && pids[s.PID] || s.Container != "" && containers[s.Container] }
	for _, look := range looks {
		look.Servers = slices.DeleteFunc(look.Servers, known)
		look.Unseen = slices.DeleteFunc(look.Unseen, func(u Unseen) bool { return u.Of != nil && known(u.Of) })
		for _, s := range look.Servers {
			pids[s.PID], containers[s.Container] = true, true
		}
		look.Found = len(look.Servers)
	}
}
