package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strings"
)

// rerun is how a container was started by docker run, so that it can be started again
// with a change. Its variables are left out: they may hold passwords.
type rerun struct {
	name, image string
	restart     string
	options     []Value
	ports       []publishedPort
	args        []string
	// ends says that it does not go on running: it is stopped before all else, since the
	// engine may start it at any moment.
	ends bool
}

// ran is a container as docker inspect prints it, as far as it says how it was started.
type ran struct {
	ID    string `json:"Id"`
	Name  string
	Path  string
	Args  []string
	State struct{ Running, Restarting bool }
	// RestartCount is how often the engine has started it again.
	RestartCount int
	Config       struct {
		Image, User, WorkingDir, Hostname string
		Tty, OpenStdin                    bool
		Env                               []string
		Labels                            map[string]string
		Healthcheck                       any
	}
	HostConfig map[string]any
	Mounts     []struct {
		Type, Name, Source, Destination, Propagation string
		RW                                           bool
	}
	NetworkSettings struct {
		Networks map[string]struct {
			IPAMConfig any
			Aliases    []string
		}
	}
}

// rerunOf reads it, nil where something was asked for that the command would lose.
func rerunOf(all Containers, name string) *rerun {
	var list []ran
	if json.Unmarshal(all, &list) != nil {
		return nil
	}
	at := slices.IndexFunc(list, func(c ran) bool { return strings.TrimPrefix(c.Name, "/") == name })
	if at < 0 || list[at].loses() {
		return nil
	}
	c := list[at]
	r := &rerun{name: name, image: c.Config.Image, restart: c.restart(), args: c.Args, ends: !c.State.Running || c.State.Restarting || c.RestartCount > 0}
	add := func(kind Type, option, value string) {
		if value != "" {
			r.options = append(r.options, Text.of("option", option), kind.of("value", value))
		}
	}
	add(Name, "--restart", r.restart)
	add(Name, "--network", c.network())
	add(Name, "--user", c.Config.User)
	if !strings.HasPrefix(c.ID, c.Config.Hostname) && c.HostConfig["NetworkMode"] != "host" {
		add(Host, "--hostname", c.Config.Hostname)
	}
	c.logging(add)
	for _, label := range slices.Sorted(maps.Keys(c.Config.Labels)) {
		if !strings.HasPrefix(label, "org.opencontainers.image.") { // the image has them
			add(Name, "--label", label+"="+c.Config.Labels[label])
		}
	}
	for _, m := range c.Mounts {
		source, mode := m.Source, ""
		if m.Type == "volume" {
			source = m.Name
		}
		if !m.RW {
			mode = ":ro"
		}
		add(Path, "-v", source+":"+m.Destination+mode)
	}
	r.publishes(c.HostConfig["PortBindings"])
	for option, set := range map[string]bool{"-t": c.Config.Tty, "-i": c.Config.OpenStdin} {
		if set {
			r.options = append(r.options, Text.of("option", option))
		}
	}
	if c.Config.WorkingDir != "/" {
		add(Path, "--workdir", c.Config.WorkingDir)
	}
	add(Path, "--entrypoint", c.Path)
	return r
}

// rerun is how it was started, nil where that cannot be said, or compose has started it.
func (c *container) rerun() *rerun {
	if c.again == nil || c.composed != "" {
		return nil
	}
	return c.again()
}

// kept are the settings of the host that the command has, or that are what the engine
// itself makes of nothing.
var kept = []string{
	"PortBindings", "RestartPolicy", "NetworkMode", "LogConfig", "Binds", "Mounts", "ShmSize", "Runtime", "CgroupnsMode", "IpcMode", "ConsoleSize",
	"MaskedPaths", "ReadonlyPaths", "Isolation",
}

// loses tells whether something was asked for that is not of these.
func (c *ran) loses() bool {
	for name, value := range c.HostConfig {
		if !slices.Contains(kept, name) && !isNothing(value) {
			return true
		}
	}
	for _, network := range c.NetworkSettings.Networks {
		own := slices.ContainsFunc(network.Aliases, func(alias string) bool { return !strings.HasPrefix(c.ID, alias) })
		if own || !isNothing(network.IPAMConfig) {
			return true
		}
	}
	for _, m := range c.Mounts {
		if m.Type != "bind" && m.Type != "volume" || m.Propagation != "" && m.Propagation != "rprivate" {
			return true
		}
	}
	several := slices.ContainsFunc(c.Config.Env, func(v string) bool { return strings.Contains(v, "\n") })
	return len(c.NetworkSettings.Networks) > 1 || several || c.Config.Healthcheck != nil || c.Config.Image == "" || strings.HasPrefix(c.Config.Image, "sha256:")
}

// isNothing tells the values that say nothing.
func isNothing(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return value == false || value == "" || value == 0.0
}

func (c *ran) field(name, key string) string {
	fields, _ := c.HostConfig[name].(map[string]any)
	value, _ := fields[key].(string)
	return value
}

func (c *ran) restart() string {
	policy := c.field("RestartPolicy", "Name")
	fields, _ := c.HostConfig["RestartPolicy"].(map[string]any)
	if most, _ := fields["MaximumRetryCount"].(float64); most > 0 {
		return fmt.Sprintf("%s:%.0f", policy, most)
	}
	if policy == "no" {
		return ""
	}
	return policy
}

func (c *ran) network() string {
	if mode, _ := c.HostConfig["NetworkMode"].(string); mode != "default" && mode != "bridge" {
		return mode
	}
	return ""
}

func (c *ran) logging(add func(Type, string, string)) {
	driver := c.field("LogConfig", "Type")
	fields, _ := c.HostConfig["LogConfig"].(map[string]any)
	options, _ := fields["Config"].(map[string]any)
	if driver == "json-file" && len(options) == 0 {
		return
	}
	add(Name, "--log-driver", driver)
	for _, name := range slices.Sorted(maps.Keys(options)) {
		add(Name, "--log-opt", fmt.Sprintf("%s=%v", name, options[name]))
	}
}

func (r *rerun) publishes(bindings any) {
	ports, _ := bindings.(map[string]any)
	for _, port := range slices.Sorted(maps.Keys(ports)) {
		inside, protocol, _ := strings.Cut(port, "/")
		list, _ := ports[port].([]any)
		for _, one := range list {
			at, _ := one.(map[string]any)
			ip, _ := at["HostIp"].(string)
			host, _ := at["HostPort"].(string)
			r.ports = append(r.ports, publishedPort{address: ip, host: host, container: inside, protocol: protocol})
		}
	}
}

// option is that of docker run.
func (p publishedPort) option() string {
	text := p.host + ":" + p.container
	if ip, err := netip.ParseAddr(p.address); err == nil && !ip.IsUnspecified() {
		if ip.Is6() {
			p.address = "[" + p.address + "]"
		}
		text = p.address + ":" + text
	}
	if p.protocol == "udp" {
		text += "/udp"
	}
	return text
}

// published is the same with a port that leads to another place; what led to either of its
// ends on this machine's own address alone, or from the same port, is gone.
func (r *rerun) published(host, container string) *rerun {
	other := *r
	other.ports = slices.DeleteFunc(slices.Clone(r.ports), func(p publishedPort) bool {
		ip, err := netip.ParseAddr(p.address)
		return p.protocol != "udp" && (p.host == host || p.container == container && (p.host == "" || err == nil && ip.IsLoopback()))
	})
	other.ports = append(other.ports, publishedPort{host: host, container: container})
	return &other
}

// with is the same with more options.
func (r *rerun) with(options ...Value) *rerun {
	other := *r
	other.options = append(slices.Clone(r.options), options...)
	return &other
}

// environment prints the variables of a container, a line each.
const environment = `docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}'`

// steps keep the old container under another name until the new one does.
func (r *rerun) steps(key string) []Step {
	values := []Value{Name.of("container", r.name), Name.of("container_old", r.name+"-old")}
	aside := "docker rename %[1]s %[2]s && docker update --restart no %[2]s && docker stop %[2]s"
	if r.ends {
		aside = "docker stop %[1]s && docker update --restart no %[1]s && docker rename %[1]s %[2]s"
	}
	text := aside + " &&\n  " + environment + " %[2]s |\n  docker run -d --name %[1]s --env-file /dev/stdin"
	put := func(before string, v Value) {
		v.Name = "option" + letterOf(len(values)/26) + letterOf(len(values))
		values = append(values, v)
		text += fmt.Sprintf("%s%%[%d]s", before, len(values))
	}
	words := slices.Clone(r.options)
	for _, p := range r.ports {
		words = append(words, Text.of("option", "-p"), Address.of("value", p.option()))
	}
	for _, v := range words {
		before := " "
		if v.Name == "option" {
			before = " \\\n  "
		}
		put(before, v)
	}
	put(" \\\n  ", Name.of("image", r.image))
	for _, arg := range r.args {
		put(" ", Path.of("argument", arg))
	}
	policy := r.restart
	if policy == "" {
		policy = "no"
	}
	return []Step{
		step(key, text, "", values...),
		step(sharedReason+"fix-back", "docker rm -f %[1]s && docker rename %[2]s %[1]s && docker update --restart %[3]s %[1]s && docker start %[1]s", "",
			values[0], values[1], Name.of("policy", policy)),
	}
}

// mounting is the option that shows a folder of this machine to the container.
func mounting(source, target string) []Value {
	return []Value{Text.of("option", "-v"), Path.of("value", path.Clean(source)+":"+path.Clean(target)+":ro")}
}
