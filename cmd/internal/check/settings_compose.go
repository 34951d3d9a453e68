package check

import (
	"errors"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sirupsen/logrus"
)

// errNoService says that a compose file has nothing to do with WuKongIM.
var errNoService = errors.New("no service runs WuKongIM: none has its image or its WK_ variables")

// container is WuKongIM's service of a compose file.
type container struct {
	// service is its name, nodes are the other services with settings of wss.
	service string
	nodes   []string
	environ []string
	mounts  []mount
	ports   []publishedPort
	// others are the ports that other services publish: a proxy's.
	others []publishedPort
	// uid is 0 where the file does not say: the image runs as root. -1 is a user
	// by name.
	uid, gid    int
	hostNetwork bool
	// built says that the image is made here: it may hold files of its own.
	built   bool
	command []string
}

// mount shows a file or folder of the host, or a volume, in the container.
type mount struct {
	source, target string
	bind           bool // of a path on the host
}

// publishedPort is a port of the host that leads to one of the container; of a
// range on the host the first, which Docker takes when it is free. An empty one
// is chosen by Docker at each start.
type publishedPort struct {
	host, container, protocol, address string
}

// loadContainers gives WuKongIM's service of a compose file, and after it the
// others.
func loadContainers(file, service string) ([]*container, error) {
	p, err := loadProject(file)
	if err != nil {
		return nil, err
	}
	return p.containers(service)
}

// loadProject reads a compose file as docker compose does, with the variables of
// the .env file beside it and those of every shell.
func loadProject(file string) (*project, error) {
	// The parts of compose-go warn on stderr, of variables that are not set.
	defer logrus.SetLevel(logrus.GetLevel())
	logrus.SetLevel(logrus.PanicLevel)
	dir := filepath.Dir(file)
	return readProject(origin{files: []string{file}, dir: dir, variables: shellVariables(dir), envFiles: []string{filepath.Join(dir, ".env")}})
}

// containers gives first the service of a name, or the one that looks most like
// WuKongIM's.
func (p *project) containers(found string) ([]*container, error) {
	named, most := found != "", 0
	var nodes []string
	for _, name := range slices.Sorted(maps.Keys(p.services)) {
		n := likeness(p.services[name])
		if n >= likeWSS {
			nodes = append(nodes, name)
		}
		if !named && n > most {
			found, most = name, n
		}
	}
	if p.services[found] == nil {
		return nil, errNoService
	}
	all := []*container{p.container(found)}
	all[0].nodes = slices.DeleteFunc(nodes, func(name string) bool { return name == found })
	for _, name := range slices.Sorted(maps.Keys(p.services)) {
		if name != found {
			other := p.container(name)
			all[0].others = append(all[0].others, other.ports...)
			all = append(all, other)
		}
	}
	return all, nil
}

func (p *project) container(name string) *container {
	s := p.services[name]
	c := &container{
		service: name, environ: s.environ, ports: s.ports, mounts: s.mounts, hostNetwork: s.NetworkMode == "host", built: s.Build != nil,
		command: append(words(s.Entrypoint), words(s.Command)...),
	}
	c.uid, c.gid = userOf(s.User)
	return c
}

// sharesPort tells that two services cannot run at the same time, as one that
// another extends.
func (c *container) sharesPort(other *container) bool {
	return slices.ContainsFunc(c.ports, func(p publishedPort) bool { return p.host != "" && slices.Contains(other.ports, p) })
}

// likeWSS is the likeness of a service with a setting of wss.
const likeWSS = 100

// likeness counts what speaks for a service: variables of wss before others, and
// these before the image.
func likeness(s *service) int {
	const image, variable = 1, 2
	n := 0
	if strings.Contains(strings.ToLower(s.Image), "wukongim") {
		n = image
	}
	for _, name := range s.environ {
		switch {
		case strings.HasPrefix(name, "WK_WSS"), strings.HasPrefix(name, "WK_EXTERNAL_WSS"):
			n += likeWSS
		case strings.HasPrefix(name, "WK_"):
			n += variable
		}
	}
	return n
}

// fileMount is that of a secret or a config (compose specification, section
// secrets).
func fileMount(target, folder, name, file string) mount {
	if target == "" {
		target = name
	}
	if !path.IsAbs(target) {
		target = folder + target
	}
	return mount{source: file, target: target, bind: file != ""}
}

func userOf(user string) (uid, gid int) {
	if user == "" {
		return 0, 0
	}
	name, group, _ := strings.Cut(user, ":")
	uid, err := strconv.Atoi(name)
	if err != nil {
		return -1, -1
	}
	if gid, err = strconv.Atoi(group); err != nil {
		gid = 0
	}
	return uid, gid
}

// config is the file on this machine that the container reads its settings from,
// empty where it has none (WuKongIM v2.2.5 Dockerfile: --config
// /root/wukongim/wk.yaml, which may be missing).
func (c *container) config() string {
	inside := "/root/wukongim/wk.yaml"
	for i, word := range c.command {
		if value, ok := strings.CutPrefix(strings.TrimLeft(word, "-"), "config="); ok {
			inside = value
		} else if strings.TrimLeft(word, "-") == "config" && i+1 < len(c.command) {
			inside = c.command[i+1]
		}
	}
	for _, candidate := range []string{inside, "/etc/wukongim/wukongim.toml"} {
		if place := c.follow(candidate); place.kind == placeBind && exists(place.path) {
			return place.path
		}
	}
	return ""
}

// place is where a path of the container lies.
type place struct {
	kind placeKind
	// path on this machine, of the mount whose source is mount.
	path, mount string
	// target is where the mount stands in the container.
	target string
	// link is where the last link on the way leads, empty without any.
	link string
}

type placeKind int

const (
	placeNowhere  placeKind = iota // in the image, under no mount
	placeBind                      // on this machine
	placeVolume                    // in a volume
	placeHostPath                  // a path of this machine was written instead
)

// find follows a path of the container to the innermost mount.
func (c *container) find(inside string) place {
	if inside == "" {
		return place{}
	}
	clean := path.Clean(inside)
	var best *mount
	for i, m := range c.mounts {
		if within(clean, m.target) && (best == nil || len(m.target) > len(best.target)) {
			best = &c.mounts[i]
		}
	}
	switch {
	case best != nil && best.bind:
		rest := strings.TrimPrefix(clean, path.Clean(best.target))
		return place{kind: placeBind, path: filepath.Join(best.source, filepath.FromSlash(rest)), mount: best.source, target: best.target}
	case best != nil:
		return place{kind: placeVolume, mount: best.source, target: best.target}
	}
	for _, m := range c.mounts {
		if source := absolute(m.source); m.bind && within(clean, source) {
			return place{kind: placeHostPath, path: path.Join(m.target, strings.TrimPrefix(clean, source)), mount: m.source, target: m.target}
		}
	}
	return place{}
}

// maxLinks is how many Linux follows (path_resolution(7)).
const maxLinks = 40

// follow finds a file behind links as the container's kernel does: a link in a
// mounted folder leads to a path of the container. One that is itself mounted
// was followed on the host.
func (c *container) follow(inside string) place {
	var at place
	link := ""
	for range maxLinks {
		at = c.find(inside)
		at.link = link
		if at.kind != placeBind {
			return at
		}
		next, to := throughLink(at, inside)
		if next == "" {
			return at
		}
		inside, link = next, to
	}
	return at // in a circle: it does not exist
}

// throughLink gives the path of the container that the first link in a mounted
// folder leads to, and the link's target as the host would read it.
func throughLink(at place, inside string) (next, to string) {
	host, in := at.mount, path.Clean(at.target)
	names := strings.Split(strings.Trim(strings.TrimPrefix(path.Clean(inside), in), "/"), "/")
	for i, name := range names {
		if name == "" {
			return "", ""
		}
		to, err := os.Readlink(filepath.Join(host, name))
		if err != nil {
			host, in = filepath.Join(host, name), path.Join(in, name)
			continue
		}
		rest := path.Join(names[i+1:]...)
		if filepath.IsAbs(to) {
			return path.Join(filepath.ToSlash(to), rest), to
		}
		return path.Join(in, filepath.ToSlash(to), rest), filepath.Join(host, to)
	}
	return "", ""
}

func within(file, folder string) bool {
	folder = path.Clean(folder)
	return file == folder || strings.HasPrefix(file, strings.TrimSuffix(folder, "/")+"/")
}

// absolute is a path of this machine with slashes, as a container's.
func absolute(name string) string {
	if whole, err := filepath.Abs(name); err == nil {
		name = whole
	}
	return filepath.ToSlash(name)
}

// isDir follows links.
func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// services stand in a compose file, and in no configuration.
var services = regexp.MustCompile(`(?m)^["']?(?:services|include)["']?\s*:`)

// IsCompose tells a compose file from a configuration of WuKongIM.
func IsCompose(data []byte) bool { return services.Match(data) }
