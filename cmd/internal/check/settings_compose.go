package check

import (
	"cmp"
	"errors"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sirupsen/logrus"
)

// errNoService says that a compose file has nothing to do with WuKongIM.
var errNoService = errors.New("no service runs WuKongIM: none has its image or its WK_ variables")

// container is a service of a compose file.
type container struct {
	service string
	// image is its whole name; aliases are the names by which other containers reach
	// it, beside the service's, and foreign says that there may be more of them.
	image   string
	aliases []string
	foreign bool
	// hosts are the names that it knows by itself, peers those of all services.
	hosts, peers []string
	labels       map[string]string
	// pod says that it is a container of Kubernetes, with its probes and the names of
	// its ports; routed are the services of the cluster that lead to it.
	pod       bool
	probes    map[string]*podProbe
	portNames map[string]string
	routed    []routedPort
	policies  []policy
	// stray is a Service that should lead to it and selects other pods.
	stray string
	// alike is how much speaks for its being WuKongIM's.
	alike   int
	environ []string
	mounts  []mount
	ports   []publishedPort
	// others are the ports that other services publish: a proxy's.
	others []publishedPort
	// uid is 0 where the file does not say: the image runs as root. -1 is a user
	// by name.
	uid, gid    int
	groups      []int // the others of its user, where they are known
	hostNetwork bool
	// joined says that it has the network of another container.
	joined bool
	// unmapped says that nothing is known of the ports that lead to it.
	unmapped bool
	// built says that the image is made here: it may hold files of its own.
	built   bool
	command []string
	// files opens those of a container that was found, running is its name, composed the
	// compose file that it is of; nil and empty for one that was read of.
	files             Files
	running, composed string
	stopped           bool
	// again reads how it was started, nil for one that was read of.
	again func() *rerun
}

// mount shows a file or folder of the host, or a volume, in the container.
type mount struct {
	source, target string
	bind           bool // of a path on the host
	// object is what a Secret or a ConfigMap shows, subPath the one key of it.
	object  *objectFiles
	subPath string
}

// publishedPort is a port of the host that leads to one of the container; of a
// range on the host the first, which Docker takes when it is free. An empty one
// is chosen by Docker at each start.
type publishedPort struct {
	host, container, protocol, address string
}

// loadContainers gives the services of a compose file, and says which of them are
// servers.
func loadContainers(file, service string) ([]*container, func(*container) bool, error) {
	p, err := loadProject(file)
	if err != nil {
		return nil, nil, err
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
	if data, err := readFile(file); err == nil {
		switch {
		case isInspected(data):
			return inspectedProject(data)
		case isRunScript(data) && !IsCompose(data):
			return runProject(data, dir)
		}
	}
	return readProject(origin{files: []string{file}, dir: dir, variables: shellVariables(dir), envFiles: []string{filepath.Join(dir, ".env")}})
}

// containers gives all services, and says which are servers: the one of a name, or
// those that look like WuKongIM.
func (p *project) containers(named string) (all []*container, isServer func(*container) bool, err error) {
	most := 0
	for _, name := range slices.Sorted(maps.Keys(p.services)) {
		c := p.container(name)
		most = max(most, c.alike)
		all = append(all, c)
	}
	for _, c := range all {
		for _, other := range all {
			c.peers = append(append(c.peers, other.service), other.aliases...)
			if other != c {
				c.others = append(c.others, other.ports...)
			}
		}
	}
	switch {
	case named != "" && p.services[named] == nil, named == "" && most == 0:
		return nil, nil, errNoService
	case named != "":
		return all, func(c *container) bool { return c.service == named }, nil
	}
	return all, func(c *container) bool { return c.alike >= min(most, isAlike) }, nil
}

func (p *project) container(name string) *container {
	s := p.services[name]
	c := &container{
		service: name, image: s.Image, aliases: s.aliases(name), foreign: len(p.external) > 0, labels: s.labels(), hosts: s.hosts(), alike: likeness(name, s), environ: s.environ, ports: s.ports, mounts: s.mounts, hostNetwork: s.NetworkMode == "host", joined: strings.Contains(s.NetworkMode, ":"), built: s.Build != nil,
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

// isAlike is the likeness from which a service is a server without doubt.
const isAlike = 10

// likeness counts what speaks for a service: its variables, its image, and a
// configuration that is mounted where the image looks for it before its name and the
// ports that it publishes. The name of an image is its last part: the ones before are
// the registry and whose it is, and other programs of the same people are beside it.
func likeness(name string, s *service) int {
	const image, called, port = isAlike, 3, 1
	n := 0
	of, _, _ := strings.Cut(path.Base(strings.ToLower(s.Image)), ":")
	if strings.Contains(of, "wukongim") {
		n += image
	}
	if slices.ContainsFunc(s.environ, func(v string) bool { return strings.HasPrefix(v, "WK_") }) {
		n += image
	}
	for _, m := range s.mounts {
		if slices.Contains([]string{imageConfig, imageConfigV3, path.Dir(imageConfig)}, path.Clean(m.target)) {
			n += image
		}
	}
	if strings.Contains(strings.ToLower(name), "wukongim") {
		n += called
	}
	for _, p := range s.ports {
		if slices.Contains([]string{"5100", "5200", "5210"}, p.container) {
			n += port
		}
	}
	return n
}

// Where the images look for their configuration: WuKongIM v2.2.5 Dockerfile, and
// version 3's.
const (
	imageConfig   = "/root/wukongim/wk.yaml"
	imageConfigV3 = "/etc/wukongim/wukongim.toml"
)

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
	inside := c.configPath()
	for _, candidate := range []string{inside, imageConfigV3} {
		if place := c.follow(candidate); place.kind == placeBind && exists(place.path) {
			return place.path
		}
	}
	return ""
}

// configPath is where the container looks for its settings.
func (c *container) configPath() string { return cmp.Or(ConfigNamed(c.command), imageConfig) }

// ConfigNamed is the file that a command line names, empty for none.
func ConfigNamed(words []string) (file string) {
	for i, word := range words {
		if value, ok := strings.CutPrefix(strings.TrimLeft(word, "-"), "config="); ok {
			file = value
		} else if strings.TrimLeft(word, "-") == "config" && i+1 < len(words) {
			file = words[i+1]
		}
	}
	return file
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
	// object is what shows it, of which path is then the name of a file.
	object  *objectFiles
	subPath string
}

type placeKind int

const (
	placeNowhere  placeKind = iota // in the image, under no mount
	placeBind                      // on this machine
	placeVolume                    // in a volume
	placeHostPath                  // a path of this machine was written instead
	placeObject                    // in a Secret or a ConfigMap
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
	case best != nil && best.object != nil:
		name := strings.TrimPrefix(strings.TrimPrefix(clean, path.Clean(best.target)), "/")
		return place{kind: placeObject, path: name, mount: best.source, target: best.target, object: best.object, subPath: best.subPath}
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
var services = lazily(`(?m)^["']?(?:services|include)["']?\s*:`)

// IsCompose tells a compose file from a configuration of WuKongIM.
func IsCompose(data []byte) bool { return services().Match(data) }
