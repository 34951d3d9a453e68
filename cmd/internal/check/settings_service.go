package check

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/mattn/go-shellwords"
)

// service is one of a project, in the canonical form of the compose
// specification.
type service struct {
	Image       string `mapstructure:"image"`
	User        string `mapstructure:"user"`
	NetworkMode string `mapstructure:"network_mode"`
	Environment any    `mapstructure:"environment"`
	EnvFile     []struct {
		Path     string `mapstructure:"path"`
		Required bool   `mapstructure:"required"`
	} `mapstructure:"env_file"`
	Volumes []struct {
		Type, Source, Target string
	} `mapstructure:"volumes"`
	Ports []struct {
		Target    string `mapstructure:"target"`
		Published string `mapstructure:"published"`
		Protocol  string `mapstructure:"protocol"`
		HostIP    string `mapstructure:"host_ip"`
	} `mapstructure:"ports"`
	Secrets, Configs []struct {
		Source, Target string
	}
	Entrypoint any `mapstructure:"entrypoint"`
	Command    any `mapstructure:"command"`
	Build      any `mapstructure:"build"`

	ContainerName string   `mapstructure:"container_name"`
	Hostname      string   `mapstructure:"hostname"`
	Labels        any      `mapstructure:"labels"`
	Networks      any      `mapstructure:"networks"`
	ExtraHosts    any      `mapstructure:"extra_hosts"`
	Links         []string `mapstructure:"links"`

	environ []string
	mounts  []mount
	ports   []publishedPort
}

// newService reads the fields of a service, with the files that they name.
func newService(fields, model map[string]any, o origin) (*service, error) {
	s := &service{}
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{Result: s, WeaklyTypedInput: true})
	if err != nil {
		return nil, err
	}
	if err := decoder.Decode(fields); err != nil {
		return nil, err
	}
	if err := s.readEnvironment(o.variables); err != nil {
		return nil, err
	}
	for _, p := range s.Ports {
		first, _, _ := strings.Cut(p.Published, "-")
		s.ports = append(s.ports, publishedPort{host: first, container: p.Target, protocol: p.Protocol, address: p.HostIP})
	}
	for _, v := range s.Volumes {
		s.mounts = append(s.mounts, mount{source: v.Source, target: v.Target, bind: v.Type == "bind"})
	}
	for _, f := range s.Secrets {
		s.mounts = append(s.mounts, fileMount(f.Target, "/run/secrets/", f.Source, fileIn(model["secrets"], f.Source, o.dir)))
	}
	for _, f := range s.Configs {
		s.mounts = append(s.mounts, fileMount(f.Target, "/", f.Source, fileIn(model["configs"], f.Source, o.dir)))
	}
	return s, nil
}

// readEnvironment puts the variables of env_file under those of environment. One
// without a value has that of the .env file, or of the shell, which is not known.
func (s *service) readEnvironment(v variables) error {
	own := map[string]string{}
	var unset []string // which counts before a value of env_file
	for name, value := range s.named() {
		if value != nil {
			own[name] = *value
		} else if known, ok := v.values[name]; ok {
			own[name] = known
		} else {
			unset = append(unset, name)
		}
	}
	all, known := map[string]string{}, v.with(own)
	for _, f := range s.EnvFile {
		if !exists(f.Path) {
			if f.Required {
				return fmt.Errorf("env_file %s: %w", f.Path, os.ErrNotExist)
			}
			continue
		}
		if err := known.read(f.Path, all); err != nil {
			return err
		}
	}
	maps.Copy(all, own)
	for _, name := range unset {
		delete(all, name)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s.environ = append(s.environ, name+"="+all[name])
	}
	return nil
}

// named are the variables of environment, a mapping or a list; nil is one
// without a value.
func (s *service) named() map[string]*string { return pairsOf(s.Environment) }

// labels of the service.
func (s *service) labels() map[string]string {
	all := map[string]string{}
	for name, value := range pairsOf(s.Labels) {
		all[name] = ""
		if value != nil {
			all[name] = *value
		}
	}
	return all
}

// aliases are the names by which other services reach it, but for its own.
func (s *service) aliases(own string) []string {
	all := []string{s.ContainerName, s.Hostname}
	networks, _ := s.Networks.(map[string]any)
	for _, network := range networks {
		network, _ := network.(map[string]any)
		all = append(all, stringsOf(network["aliases"])...)
	}
	return slices.DeleteFunc(all, func(name string) bool { return name == "" || name == own })
}

// hosts are the names that the service knows beside those of other services.
func (s *service) hosts() []string {
	var all []string
	for name := range pairsOf(s.ExtraHosts) {
		name, _, _ = strings.Cut(name, ":")
		all = append(all, name)
	}
	for _, link := range s.Links {
		_, name, ok := strings.Cut(link, ":")
		if !ok {
			name = link
		}
		all = append(all, name)
	}
	return all
}

// pairsOf reads names and values, a mapping or a list; nil is one without a value.
func pairsOf(section any) map[string]*string {
	all := map[string]*string{}
	switch environment := section.(type) {
	case map[string]any:
		for name, value := range environment {
			all[name] = nil
			if value != nil {
				all[name] = new(fmt.Sprint(value))
			}
		}
	case []any:
		for _, entry := range environment {
			name, value, ok := strings.Cut(fmt.Sprint(entry), "=")
			all[name] = nil
			if ok {
				all[name] = &value
			}
		}
	}
	return all
}

// words are those of a command, which is a list or a line that docker splits like
// a shell.
func words(command any) []string {
	if line, ok := command.(string); ok {
		list, err := shellwords.Parse(line)
		if err != nil {
			return []string{line}
		}
		return list
	}
	return stringsOf(command)
}

func stringsOf(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, item := range v {
			list = append(list, fmt.Sprint(item))
		}
		return list
	}
	return nil
}

// fileIn is the file of a secret or a config, empty where it has none.
func fileIn(section any, name, dir string) string {
	entries, _ := section.(map[string]any)
	entry, _ := entries[name].(map[string]any)
	if file, _ := entry["file"].(string); file != "" {
		return inFolder(file, dir)
	}
	return ""
}
