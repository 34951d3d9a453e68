package check

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/override"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/transform"
	"github.com/go-viper/mapstructure/v2"
	"github.com/google/shlex"
	"go.yaml.in/yaml/v4"
)

// project is a compose file as far as the checks need it. It is read by the
// parts of compose-go and not by its loader, whose JSON schema costs every start
// of the program 5 ms.
type project struct {
	services map[string]*service
	// fields of the services, as the file has them.
	raw map[string]map[string]any
}

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

	environ []string
	mounts  []mount
	ports   []publishedPort
}

// maxIncluded is how deep compose files may include and extend each other.
const maxIncluded = 8

var (
	errIncludes = errors.New("compose files include each other too deeply")
	errRemote   = errors.New("a compose file elsewhere on the network is included, which is not fetched")
	errServices = errors.New("has no services")
)

// readProject reads a compose file as docker compose does, with the variables of
// the .env file beside it alone.
func readProject(file string, depth int) (*project, error) {
	if depth > maxIncluded {
		return nil, errIncludes
	}
	model, dir, err := readModel(file)
	if err != nil {
		return nil, err
	}
	p := &project{services: map[string]*service{}, raw: map[string]map[string]any{}}
	if err := p.include(model, dir, depth); err != nil {
		return nil, err
	}
	services, ok := model["services"].(map[string]any)
	if !ok && len(p.services) == 0 {
		return nil, errServices
	}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		fields, ok := services[name].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("services.%s: %w", name, errNotSettings)
		}
		if fields, err = p.extended(fields, services, file, dir, depth); err != nil {
			return nil, fmt.Errorf("services.%s: %w", name, err)
		}
		p.raw[name] = fields
		if p.services[name], err = newService(fields, model, dir); err != nil {
			return nil, fmt.Errorf("services.%s: %w", name, err)
		}
	}
	return p, nil
}

// readModel reads a file into its canonical form, with the variables filled in.
func readModel(file string) (model map[string]any, dir string, err error) {
	if strings.Contains(file, "://") || strings.HasPrefix(file, "git@") {
		return nil, "", errRemote
	}
	data, err := readFile(file)
	if err != nil {
		return nil, "", err
	}
	dir = filepath.Dir(file)
	if err := yaml.Unmarshal(data, &model); err != nil {
		return nil, "", err
	}
	variables, err := variablesOf(filepath.Join(dir, ".env"))
	if err != nil {
		return nil, "", err
	}
	model, err = interpolation.Interpolate(model, interpolation.Options{
		LookupValue: func(name string) (string, bool) { value, ok := variables[name]; return value, ok },
		Substitute: func(text string, lookup template.Mapping) (string, error) {
			return template.SubstituteWithOptions(text, lookup, template.WithoutLogging)
		},
	})
	if err != nil {
		return nil, "", err
	}
	model, err = transform.Canonical(model, false)
	return model, dir, err
}

// variablesOf reads a file of variables; none gives none.
func variablesOf(file string) (map[string]string, error) {
	if !exists(file) {
		return nil, nil
	}
	data, err := readFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	variables, err := dotenv.UnmarshalBytesWithLookup(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return variables, nil
}

// include adds the services of the files that a model includes.
func (p *project) include(model map[string]any, dir string, depth int) error {
	list, _ := model["include"].([]any)
	for _, entry := range list {
		fields, _ := entry.(map[string]any)
		for _, file := range stringsOf(fields["path"]) {
			other, err := readProject(inFolder(file, dir), depth+1)
			if err != nil {
				return fmt.Errorf("include %s: %w", file, err)
			}
			maps.Copy(p.services, other.services)
			maps.Copy(p.raw, other.raw)
		}
	}
	return nil
}

// extended merges a service over the one that it extends.
func (p *project) extended(fields, services map[string]any, file, dir string, depth int) (map[string]any, error) {
	extends, ok := fields["extends"].(map[string]any)
	if !ok {
		return fields, nil
	}
	if depth > maxIncluded {
		return nil, errIncludes
	}
	name, _ := extends["service"].(string)
	base, _ := services[name].(map[string]any)
	if from, _ := extends["file"].(string); from != "" {
		other, err := readProject(inFolder(from, dir), depth+1)
		if err != nil {
			return nil, fmt.Errorf("extends %s: %w", from, err)
		}
		base = other.raw[name]
	} else if base != nil {
		var err error
		if base, err = p.extended(base, services, file, dir, depth+1); err != nil {
			return nil, err
		}
	}
	if base == nil {
		return nil, fmt.Errorf("extends the service %q, which does not exist", name)
	}
	merged, err := override.ExtendService(maps.Clone(base), maps.Clone(fields))
	delete(merged, "extends")
	return merged, err
}

// newService reads the fields of a service, with the files that they name.
func newService(fields, model map[string]any, dir string) (*service, error) {
	s := &service{}
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{Result: s, WeaklyTypedInput: true})
	if err != nil {
		return nil, err
	}
	if err := decoder.Decode(fields); err != nil {
		return nil, err
	}
	if err := s.readEnvironment(dir); err != nil {
		return nil, err
	}
	for _, p := range s.Ports {
		s.ports = append(s.ports, publishedPort{host: p.Published, container: p.Target, protocol: p.Protocol, address: p.HostIP})
	}
	for _, v := range s.Volumes {
		m := mount{source: v.Source, target: v.Target, bind: v.Type == "bind"}
		if m.bind {
			m.source = inFolder(v.Source, dir)
		}
		s.mounts = append(s.mounts, m)
	}
	for _, f := range s.Secrets {
		s.mounts = append(s.mounts, fileMount(f.Target, "/run/secrets/", f.Source, fileIn(model["secrets"], f.Source, dir)))
	}
	for _, f := range s.Configs {
		s.mounts = append(s.mounts, fileMount(f.Target, "/", f.Source, fileIn(model["configs"], f.Source, dir)))
	}
	return s, nil
}

// readEnvironment puts the variables of env_file under those of environment.
func (s *service) readEnvironment(dir string) error {
	all := map[string]string{}
	for _, f := range s.EnvFile {
		file := inFolder(f.Path, dir)
		if f.Required && !exists(file) {
			return fmt.Errorf("env_file %s: %w", f.Path, os.ErrNotExist)
		}
		variables, err := variablesOf(file)
		if err != nil {
			return err
		}
		maps.Copy(all, variables)
	}
	switch environment := s.Environment.(type) {
	case map[string]any:
		for name, value := range environment {
			if value != nil { // else the value of the shell, which is not known
				all[name] = fmt.Sprint(value)
			}
		}
	case []any:
		for _, entry := range environment {
			if name, value, ok := strings.Cut(fmt.Sprint(entry), "="); ok {
				all[name] = value
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s.environ = append(s.environ, name+"="+all[name])
	}
	return nil
}

// words are those of a command, which is a list or a line for a shell.
func words(command any) []string {
	if line, ok := command.(string); ok {
		list, err := shlex.Split(line)
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

// inFolder is a path of a compose file: relative ones count from its folder, and
// ~ is the home of who runs it.
func inFolder(path, dir string) string {
	switch home, err := os.UserHomeDir(); {
	case strings.Contains(path, "://"), strings.HasPrefix(path, "git@"), filepath.IsAbs(path):
		return path
	case err == nil && (path == "~" || strings.HasPrefix(path, "~/")):
		return filepath.Join(home, strings.TrimPrefix(path, "~"))
	}
	return filepath.Join(dir, path)
}
