package check

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mattn/go-shellwords"
)

// dockerRun begins a command that runs a container.
var dockerRun = lazily(`^(?:sudo\s+)?(?:docker|podman|nerdctl)\s+(?:container\s+)?(?:run|create)\s`)

// isRunScript tells a script that runs containers from other files.
func isRunScript(data []byte) bool { return len(runCommands(data)) > 0 }

// runCommands are the commands of a script that run containers, each on one line.
func runCommands(data []byte) (all []string) {
	text := strings.NewReplacer("\\\r\n", " ", "\\\n", " ").Replace(string(data))
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); dockerRun().MatchString(line) {
			all = append(all, line)
		}
	}
	return all
}

// switches of docker run take no value (docker run reference).
var dockerSwitches = []string{
	"-d", "--detach", "-i", "--interactive", "-t", "--tty", "-it", "-ti", "-dit", "-itd", "-id", "-td", "-di", "-dti", "--rm", "--init", "--privileged",
	"--read-only", "-P", "--publish-all", "--no-healthcheck", "--oom-kill-disable", "--sig-proxy", "--disable-content-trust", "-q", "--quiet",
}

// runProject is a script of docker run, as a compose file would say it.
func runProject(data []byte, dir string) (*project, error) {
	p := &project{services: map[string]*service{}, raw: map[string]map[string]any{}}
	v := shellVariables(dir)
	here := v.values["PWD"]
	for _, line := range runCommands(data) {
		line = strings.NewReplacer("$(pwd)", here, "`pwd`", here, "$PWD", here, "${PWD}", here, "$HOME", v.values["HOME"], "${HOME}", v.values["HOME"]).Replace(line)
		words, err := shellwords.Parse(line)
		if err != nil {
			return nil, errForm
		}
		if err := p.run(words, dir, v); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// run adds the container of one command.
func (p *project) run(words []string, dir string, v variables) error {
	at := slices.IndexFunc(words, func(w string) bool { return w == "run" || w == "create" })
	s, name := &service{}, ""
	words = words[at+1:]
	var files, environ []string
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		option, value, joined := strings.Cut(words[0], "=")
		words = words[1:]
		switch {
		case slices.Contains(dockerSwitches, option):
			continue
		case joined:
		case !strings.HasPrefix(option, "--") && len(option) > 2: // -p5210:5210
			option, value = option[:2], option[2:]
		case len(words) > 0:
			value, words = words[0], words[1:]
		}
		switch option {
		case "-e", "--env":
			environ = append(environ, value)
		case "--env-file":
			files = append(files, inFolder(value, dir))
		case "-v", "--volume":
			s.mounts = append(s.mounts, runVolume(value, dir))
		case "--mount":
			s.mounts = append(s.mounts, runMount(value, dir))
		case "-p", "--publish":
			s.ports = append(s.ports, runPort(value))
		case "--network", "--net":
			s.NetworkMode = value
		case "-u", "--user":
			s.User = value
		case "--name":
			name = value
		case "--entrypoint":
			s.Entrypoint = value
		}
	}
	if len(words) == 0 {
		return errForm
	}
	s.Image = words[0]
	command := []any{}
	for _, word := range words[1:] {
		command = append(command, word)
	}
	s.Command = command
	for _, file := range files {
		more := map[string]string{}
		if err := v.read(file, more); err != nil {
			return err
		}
		for _, key := range sortedKeys(more) {
			s.environ = append(s.environ, key+"="+more[key])
		}
	}
	s.environ = append(s.environ, environ...)
	if name == "" {
		name, _, _ = strings.Cut(filepath.Base(s.Image), ":")
	}
	p.services[name] = s
	return nil
}

// runVolume is HOST:CONTAINER[:MODE], or NAME:CONTAINER.
func runVolume(value, dir string) mount {
	source, rest, ok := strings.Cut(value, ":")
	if !ok {
		return mount{target: value}
	}
	target, _, _ := strings.Cut(rest, ":")
	if strings.HasPrefix(source, "/") || strings.HasPrefix(source, ".") || strings.HasPrefix(source, "~") {
		return mount{source: inFolder(source, dir), target: target, bind: true}
	}
	return mount{source: source, target: target}
}

func runMount(value, dir string) mount {
	fields := map[string]string{}
	for part := range strings.SplitSeq(value, ",") {
		key, content, _ := strings.Cut(part, "=")
		fields[key] = content
	}
	of := func(names ...string) string {
		for _, name := range names {
			if fields[name] != "" {
				return fields[name]
			}
		}
		return ""
	}
	m := mount{source: of("source", "src"), target: of("target", "destination", "dst"), bind: fields["type"] == "bind"}
	if m.bind {
		m.source = inFolder(m.source, dir)
	}
	return m
}

// runPort is [ADDRESS:][HOST:]CONTAINER[/PROTOCOL].
func runPort(value string) publishedPort {
	ports, protocol, _ := strings.Cut(value, "/")
	at := strings.LastIndexByte(ports, ':')
	p := publishedPort{container: ports[at+1:], protocol: protocol}
	if at > 0 {
		p.host = ports[:at]
		if colon := strings.LastIndexByte(p.host, ':'); colon >= 0 {
			p.address, p.host = strings.Trim(p.host[:colon], "[]"), p.host[colon+1:]
		}
	}
	return p
}

// inspected is a container as docker inspect prints it.
type inspected struct {
	Name   string
	State  struct{ Running, Restarting bool }
	Config *struct {
		Image, User     string
		Env             []string
		Entrypoint, Cmd []string
		Labels          map[string]string
	}
	HostConfig struct {
		NetworkMode  string
		PortBindings map[string][]struct{ HostIP, HostPort string }
	}
	Mounts []struct{ Type, Name, Source, Destination string }
}

// isInspected tells what docker inspect prints: a list of containers.
func isInspected(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) > 0 && data[0] == '[' && bytes.Contains(data, []byte(`"HostConfig"`))
}

func inspectedProject(data []byte) (*project, error) {
	var list []inspected
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, errForm
	}
	p := &project{services: map[string]*service{}, raw: map[string]map[string]any{}}
	for _, c := range list {
		if c.Config == nil {
			continue
		}
		s := &service{Image: c.Config.Image, User: c.Config.User, NetworkMode: c.HostConfig.NetworkMode, environ: c.Config.Env}
		command := []any{}
		for _, word := range append(c.Config.Entrypoint, c.Config.Cmd...) {
			command = append(command, word)
		}
		s.Command = command
		labels := map[string]any{}
		for name, value := range c.Config.Labels {
			labels[name] = value
		}
		s.Labels = labels
		for port, bindings := range c.HostConfig.PortBindings {
			inside, protocol, _ := strings.Cut(port, "/")
			for _, b := range bindings {
				s.ports = append(s.ports, publishedPort{host: b.HostPort, container: inside, protocol: protocol, address: b.HostIP})
			}
		}
		for _, m := range c.Mounts {
			bind := m.Type == "bind"
			source := m.Name
			if bind {
				source = m.Source
			}
			s.mounts = append(s.mounts, mount{source: source, target: m.Destination, bind: bind})
		}
		p.services[strings.TrimPrefix(c.Name, "/")] = s
	}
	return p, nil
}
