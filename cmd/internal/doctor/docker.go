package doctor

import (
	"archive/tar"
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// Docker finds containers of Docker, and of Podman, which speaks the same.
type Docker struct{}

// Name is "docker".
func (*Docker) Name() string { return "docker" }

// Find asks every engine of this user for its containers.
func (d *Docker) Find(ctx context.Context, look *Look) {
	look.Absent = true
	for _, place := range enginePlaces(os.Getenv) {
		e, err := place.connect()
		if err == nil {
			err = e.find(ctx, look)
		}
		switch {
		case err == nil:
			look.Absent = false
		case errors.Is(err, fs.ErrPermission):
			look.Absent = false
			look.Unseen = append(look.Unseen, Unseen{What: place.host, Why: messages.NewError("doctor.closed"), Command: "sudo wklog doctor"})
		case ctx.Err() != nil:
			look.Absent, look.Partly = false, true
			look.Unseen = append(look.Unseen, Unseen{What: place.host, Why: ctx.Err()})
		case errors.Is(err, context.DeadlineExceeded): // the engine's own, within the time that there is
			look.Absent = false
			look.Unseen = append(look.Unseen, Unseen{What: place.host, Why: messages.NewError("doctor.no-answer")})
		default: // it was named, or its socket is there
			look.Absent = false
			look.Unseen = append(look.Unseen, Unseen{What: place.host, Why: err})
		}
	}
}

// engine is one that answers, with what it has told.
type engine struct {
	*client.Client
	place enginePlace
	// raw are the containers as it tells of them, inspected are the same.
	raw       check.Containers
	inspected []container.InspectResponse
}

// mostAsked containers are asked at the same time.
const mostAsked = 8

// find lists the containers, those that ended too, and adds the servers.
func (e *engine) find(ctx context.Context, look *Look) error {
	listing, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list, err := e.ContainerList(listing, client.ContainerListOptions{All: true})
	if err != nil {
		return err
	}
	raws := make([]json.RawMessage, len(list.Items))
	all, failures := make([]container.InspectResponse, len(list.Items)), make([]error, len(list.Items))
	var asking errgroup.Group
	asking.SetLimit(mostAsked)
	for i := range list.Items {
		asking.Go(func() error {
			r, err := e.ContainerInspect(ctx, list.Items[i].ID, client.ContainerInspectOptions{})
			if err == nil {
				raws[i], all[i] = r.Raw, r.Container
			} else if !cerrdefs.IsNotFound(err) { // one that is removed meanwhile is none any more
				failures[i] = err
			}
			return nil
		})
	}
	_ = asking.Wait()
	look.failed(list.Items, failures)
	raws = slices.DeleteFunc(raws, func(raw json.RawMessage) bool { return raw == nil })
	e.inspected = slices.DeleteFunc(all, func(c container.InspectResponse) bool { return c.Config == nil || c.State == nil })
	if e.raw, err = json.Marshal(raws); err != nil {
		return err
	}
	e.fronts(look)
	likely, perhaps := e.raw.Likely()
	for i := range e.inspected {
		c := &e.inspected[i]
		name := nameOf(c)
		by := ""
		switch {
		case slices.Contains(likely, name):
			by = "image"
		case (slices.Contains(perhaps, name) || startsIt(c)) && e.hasBanner(ctx, c):
			by = "banner"
		}
		if now := e.replaced(c); by != "" && now != "" {
			look.Unseen = append(look.Unseen, Unseen{What: name, Why: messages.NewError("doctor.aside", now), Command: e.place.client() + " rm " + name})
		} else if by != "" {
			look.Servers = append(look.Servers, e.server(c, by))
		}
	}
	return ctx.Err()
}

// mostNamed containers are named of those of which the engine tells nothing.
const mostNamed = 5

// failed tells of which containers the engine would not say what they are, and why.
func (l *Look) failed(list []container.Summary, failures []error) {
	var names []string
	var why error
	for i, err := range failures {
		if err == nil {
			continue
		}
		why = cmp.Or(why, err)
		if len(names) == mostNamed {
			names = append(names, "…")
			break
		}
		names = append(names, strings.TrimPrefix(strings.Join(list[i].Names, " "), "/"))
	}
	if why != nil {
		l.Partly = true
		l.Unseen = append(l.Unseen, Unseen{What: strings.Join(names, ", "), Why: why})
	}
}

// setAside ends the name of a container that was kept when another took its place.
const setAside = "-old"

// replaced names the container that runs in the place of one that was set aside, empty for
// none.
func (e *engine) replaced(c *container.InspectResponse) string {
	by, kept := strings.CutSuffix(nameOf(c), setAside)
	inPlace := func(other container.InspectResponse) bool { return nameOf(&other) == by && other.State.Running }
	if !kept || c.State.Running || c.State.Restarting || !slices.ContainsFunc(e.inspected, inPlace) {
		return ""
	}
	return by
}

func nameOf(c *container.InspectResponse) string { return strings.TrimPrefix(c.Name, "/") }

// startsIt tells that a command names the program, or the file of its settings.
func startsIt(c *container.InspectResponse) bool {
	words := strings.ToLower(c.Path + " " + strings.Join(c.Args, " "))
	return strings.Contains(words, "wukongim") || strings.Contains(words, "wk.yaml")
}

// banner is what every version prints when it starts (WuKongIM v2.2.5
// internal/server/server.go).
var banner = []string{"Starting WuKongIM", "WuKongIM is ready", "WuKongIM server"}

const (
	// bannerWithin is how long after its start a server has printed it, and mostBanner
	// how many bytes of that are looked at.
	bannerWithin = 10 * time.Second
	mostBanner   = 256 << 10
)

// hasBanner looks for it in what a container printed after its start.
func (e *engine) hasBanner(ctx context.Context, c *container.InspectResponse) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	started := startOf(c)
	log, err := e.open(ctx, c, client.ContainerLogsOptions{
		Since: started.Format(time.RFC3339Nano), Until: started.Add(bannerWithin).Format(time.RFC3339Nano),
	})
	if err != nil {
		return false
	}
	defer log.Close()
	text, _ := io.ReadAll(io.LimitReader(log, mostBanner))
	return slices.ContainsFunc(banner, func(words string) bool { return strings.Contains(string(text), words) })
}

func startOf(c *container.InspectResponse) time.Time {
	t, err := time.Parse(time.RFC3339Nano, c.State.StartedAt)
	if err != nil || t.Year() < 2 { // it was never started
		return time.Time{}
	}
	return t
}

// container is what is known of any.
func (e *engine) container(c *container.InspectResponse, component patterns.ComponentID, by string) *Server {
	name := nameOf(c)
	s := &Server{
		Name: name, Component: component, FoundBy: "docker", By: by, State: stateOf(c),
		Started: startOf(c), Restarts: c.RestartCount, ExitCode: c.State.ExitCode, PID: c.State.Pid, Container: c.ID,
		Zone: zoneOf(c), Reason: c.State.Error, Ports: map[string]string{},
	}
	s.Logs = []Log{{Name: name, Open: func(ctx context.Context, since time.Time, newest int) (io.ReadCloser, error) {
		return e.log(ctx, c, since, newest)
	}}}
	e.ports(c, s.Ports)
	compose := check.ComposeFile(c.Config.Labels)
	tell := func(kind patterns.FactKind, what, value string) {
		if value != "" {
			s.Facts = append(s.Facts, patterns.Fact{Kind: kind, Name: what, Component: component, Value: value, From: "docker inspect " + name})
		}
	}
	tell(patterns.FactContainer, "container", name)
	tell(patterns.FactService, "compose", check.ComposeService(c.Config.Labels))
	tell(patterns.FactFile, "compose", compose)
	s.Operate = e.operate(c, compose)
	if patterns.FactContainer.Fits(name) {
		s.Start = s.Operate("docker start " + name)
	}
	return s
}

// server is one of WuKongIM.
func (e *engine) server(c *container.InspectResponse, by string) *Server {
	s := e.container(c, patterns.ComponentWuKongIM, by)
	name := s.Name
	s.Settings = func(ctx context.Context) (*check.Settings, error) {
		return e.raw.Load(name, func(file string) (check.File, error) { return e.file(ctx, c.ID, file) })
	}
	s.Restart = check.Step{Command: s.Operate("docker restart %[1]s"), Values: []check.Value{{Name: "container", Type: check.Name, V: name}}}
	s.Status = check.Step{Command: s.Operate("docker ps -a --filter name=%[1]s"), Values: s.Restart.Values}
	service := check.ComposeService(c.Config.Labels)
	if isByName := s.Operate("docker compose restart "+service) == s.Operate("docker restart "+name); service != "" && !isByName {
		s.Restart = check.Step{Command: s.Operate("docker compose restart %[1]s"), Values: []check.Value{{Name: "service", Type: check.Name, V: service}}}
		s.Status = check.Step{Command: s.Operate("docker compose ps -a %[1]s"), Values: s.Restart.Values}
	}
	return s
}

func stateOf(c *container.InspectResponse) State {
	switch {
	case c.State.Restarting:
		return Restarting
	case c.State.Running:
		return stateOfRunning(c.RestartCount, startOf(c))
	case c.State.StartedAt == "" || startOf(c).IsZero():
		return Created
	}
	return Exited
}

// zoneOf is the time zone of a container: that of TZ, else of /etc/localtime where it is
// mounted, else the one of its image, which is UTC.
func zoneOf(c *container.InspectResponse) *time.Location {
	for _, v := range c.Config.Env {
		if name, ok := strings.CutPrefix(v, "TZ="); ok && name != "" {
			if zone, err := time.LoadLocation(strings.TrimPrefix(name, ":")); err == nil {
				return zone
			}
		}
	}
	for _, m := range c.Mounts {
		if m.Destination == "/etc/localtime" {
			return time.Local
		}
	}
	return time.UTC
}

// ports are those of a container that this machine reaches: the published ones, and those
// of its own address.
func (e *engine) ports(c *container.InspectResponse, to map[string]string) {
	if !e.place.local() || !c.State.Running {
		return
	}
	if c.HostConfig != nil && c.HostConfig.NetworkMode.IsHost() {
		to[""] = "127.0.0.1"
		return
	}
	if c.NetworkSettings == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.NetworkSettings.Networks)) {
		if n := c.NetworkSettings.Networks[name]; n != nil && n.IPAddress.IsValid() {
			to[""] = n.IPAddress.String()
			break
		}
	}
	for port, bindings := range c.NetworkSettings.Ports {
		for _, b := range bindings {
			ip := b.HostIP
			switch {
			case !ip.IsValid() || ip == netip.IPv4Unspecified():
				ip = netip.MustParseAddr("127.0.0.1")
			case ip.IsUnspecified():
				ip = netip.IPv6Loopback()
			}
			if inside := strconv.Itoa(int(port.Num())); b.HostPort != "" && (to[inside] == "" || ip.Is4()) {
				to[inside] = netip.AddrPortFrom(ip, portOf(b.HostPort)).String()
			}
		}
	}
}

func portOf(text string) uint16 {
	n, _ := strconv.ParseUint(text, 10, 16)
	return uint16(n)
}

// log reads the newest of what a container has printed since it was made, over its restarts.
func (e *engine) log(ctx context.Context, c *container.InspectResponse, since time.Time, newest int) (io.ReadCloser, error) {
	if c.HostConfig != nil && c.HostConfig.LogConfig.Type == "none" {
		return nil, messages.NewError("doctor.no-log")
	}
	options := client.ContainerLogsOptions{Timestamps: true, Tail: strconv.Itoa(newest)}
	if !since.IsZero() {
		options.Since = since.Format(time.RFC3339Nano)
	}
	log, err := e.open(ctx, c, options)
	if err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "does not support reading") {
		return nil, messages.NewError("doctor.log-driver", c.HostConfig.LogConfig.Type)
	}
	if err != nil {
		return nil, err
	}
	return &until{ctx, log}, nil
}

// AsIntended tells of an error of a log that its owner, or the bound, will have it so.
func AsIntended(err error) bool {
	var known *messages.Error
	return errors.As(err, &known) && slices.Contains([]string{"doctor.no-log", "doctor.log-driver", "doctor.newest"}, known.Key)
}

// until says of a log that was closed with its context that it was: the connection has
// errors of its own for that, or seems to be at its end.
type until struct {
	ctx context.Context
	io.ReadCloser
}

func (u *until) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err != nil && u.ctx.Err() != nil {
		err = u.ctx.Err()
	}
	return n, err
}

// open reads both outputs of a container as one text.
func (e *engine) open(ctx context.Context, c *container.InspectResponse, options client.ContainerLogsOptions) (io.ReadCloser, error) {
	options.ShowStdout, options.ShowStderr = true, true
	log, err := e.ContainerLogs(ctx, c.ID, options)
	if err != nil || c.Config.Tty {
		return log, err
	}
	r, w := io.Pipe()
	go func() {
		several := bufio.NewWriterSize(w, 64<<10) // each line comes by itself
		_, err := stdcopy.StdCopy(several, several, log)
		_ = several.Flush() // of a pipe that nobody reads any more
		w.CloseWithError(err)
	}()
	return &joined{r, log}, nil
}

// joined closes both ends.
type joined struct {
	*io.PipeReader
	log io.Closer
}

func (j *joined) Close() error {
	_ = j.PipeReader.Close()
	return j.log.Close()
}

const (
	// mostFile bytes of a file are read, within fileWithin, and mostLinks links are followed
	// (path_resolution(7)).
	mostFile   = 1 << 20
	fileWithin = 5 * time.Second
	mostLinks  = 40
)

// file reads one as the container sees it, by the archive that the engine makes of it: the
// first entry is the file, or the folder.
func (e *engine) file(ctx context.Context, id, name string) (check.File, error) {
	ctx, cancel := context.WithTimeout(ctx, fileWithin)
	defer cancel()
	for range mostLinks {
		header, data, err := e.entry(ctx, id, name)
		if err != nil {
			return check.File{}, err
		}
		if header.Typeflag != tar.TypeSymlink {
			return check.File{Data: data, Mode: header.FileInfo().Mode(), UID: header.Uid, GID: header.Gid}, nil
		}
		to := header.Linkname
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(name), to)
		}
		name = to
	}
	return check.File{}, fs.ErrNotExist // in a circle
}

func (e *engine) entry(ctx context.Context, id, name string) (*tar.Header, []byte, error) {
	archive, err := e.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: name})
	switch {
	case err != nil && cerrdefs.IsNotFound(err):
		return nil, nil, fs.ErrNotExist
	case err != nil:
		return nil, nil, err
	}
	defer archive.Content.Close()
	r := tar.NewReader(archive.Content)
	header, err := r.Next()
	if err != nil || header.Typeflag != tar.TypeReg {
		return header, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, mostFile+1))
	if err == nil && len(data) > mostFile {
		err = check.ErrTooLarge
	}
	return header, data, err
}
