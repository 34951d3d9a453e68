package check

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/override"
	"github.com/compose-spec/compose-go/v2/transform"
	"github.com/go-viper/mapstructure/v2"
	"github.com/mattn/go-shellwords"
)

// project is a compose file as far as the checks need it. It is read by the
// parts of compose-go and not by its loader, whose JSON schema costs every start
// of the program 5 ms.
type project struct {
	services map[string]*service
	// fields of the services, as the file has them.
	raw map[string]map[string]any
	// external are the networks that others share.
	external []string
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

// maxIncluded is how deep compose files may include and extend each other.
const maxIncluded = 8

var (
	errIncludes = errors.New("compose files include each other too deeply")
	errRemote   = errors.New("a compose file elsewhere on the network is included, which is not fetched")
	errServices = errors.New("has no services")
	errForm     = errors.New("is not of the form of a compose file")
)

// origin is where a compose file stands, and what it is read with.
type origin struct {
	// files are merged, each over those before.
	files []string
	// dir is the folder that its paths count from.
	dir string
	variables
	// envFiles are read for more variables; those that are missing are not.
	envFiles []string
	depth    int
}

// readProject reads a compose file and those that it includes and extends.
func readProject(o origin) (*project, error) {
	if o.depth > maxIncluded {
		return nil, errIncludes
	}
	for _, file := range o.envFiles {
		more := map[string]string{}
		if exists(file) {
			if err := o.read(file, more); err != nil {
				return nil, err
			}
		}
		o.variables = o.with(more)
	}
	model, err := o.readModel()
	if err != nil {
		return nil, err
	}
	p := &project{services: map[string]*service{}, raw: map[string]map[string]any{}}
	if err := p.include(model, o); err != nil {
		return nil, err
	}
	services, ok := model["services"].(map[string]any)
	if !ok && len(p.services) == 0 {
		if strange := strangeFile(model); strange != nil && !errors.Is(strange, errIsOther) {
			return nil, strange
		}
		return nil, errServices
	}
	p.external = append(p.external, externalIn(model)...)
	for _, name := range slices.Sorted(maps.Keys(services)) {
		fields, ok := services[name].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("services.%s: %w", name, errNotSettings)
		}
		if fields, err = p.extended(fields, services, o); err != nil {
			return nil, fmt.Errorf("services.%s: %w", name, err)
		}
		p.raw[name] = fields
		if p.services[name], err = newService(fields, model, o); err != nil {
			return nil, fmt.Errorf("services.%s: %w", name, err)
		}
	}
	return p, nil
}

// readModel reads the files into their canonical form, with the variables filled
// in and the paths of services counted from the folder.
func (o origin) readModel() (map[string]any, error) {
	var model map[string]any
	for _, file := range o.files {
		documents, err := o.readDocuments(file)
		if err != nil {
			return nil, err
		}
		for _, document := range documents {
			if model, err = o.merge(model, document); err != nil {
				return nil, err
			}
		}
	}
	o.resolvePaths(model)
	return model, nil
}

func (o origin) readDocuments(file string) ([]map[string]any, error) {
	if strings.Contains(file, "://") || strings.HasPrefix(file, "git@") {
		return nil, errRemote
	}
	data, err := readFile(file)
	if err != nil {
		return nil, err
	}
	if !o.spend(max(len(data), minFile)) {
		return nil, errCompose
	}
	return readYAML(data)
}

// merge puts a document over what was read before.
func (o origin) merge(model, document map[string]any) (map[string]any, error) {
	document, err := interpolation.Interpolate(document, interpolation.Options{LookupValue: o.lookup, Substitute: o.substitute})
	switch {
	case *o.left < 0:
		return nil, errCompose
	case err != nil:
		return nil, err
	case !o.spend(portsIn(document) * portSize):
		return nil, errCompose
	}
	return recovered(func() (map[string]any, error) {
		if model != nil {
			if document, err = override.Merge(model, document); err != nil {
				return nil, err
			}
		}
		if document, err = transform.Canonical(document, false); err != nil {
			return nil, err
		}
		return override.EnforceUnicity(document)
	})
}

// recovered is for compose-go v2.16.2, which takes the types of some fields for
// granted.
func recovered(do func() (map[string]any, error)) (result map[string]any, err error) {
	defer func() {
		if recover() != nil {
			result, err = nil, errForm
		}
	}()
	return do()
}

const (
	// minFile is what a file, and a service that extends another, counts at
	// least, in bytes, so that a few that name each other often come to an end.
	minFile = 4 << 10
	// portSize is what a port of a range counts; compose-go makes an entry of
	// each, in some 15 µs.
	portSize = 50
)

var portRange = regexp.MustCompile(`(\d{1,5})-(\d{1,5})`)

// portsIn counts the ports in ranges, those of the host and of the container.
func portsIn(model map[string]any) int {
	services, _ := model["services"].(map[string]any)
	count := 0
	for _, service := range services {
		service, _ := service.(map[string]any)
		for _, ports := range append(stringsOf(service["ports"]), stringsOf(service["expose"])...) {
			for _, m := range portRange.FindAllStringSubmatch(ports, -1) {
				first, _ := strconv.Atoi(m[1])
				last, _ := strconv.Atoi(m[2])
				count += max(last-first, 0)
			}
		}
	}
	return count
}

// resolvePaths makes paths count from the folder of the file that holds them: a
// service that extends another one may stand elsewhere.
func (o origin) resolvePaths(model map[string]any) {
	services, _ := model["services"].(map[string]any)
	for _, service := range services {
		service, _ := service.(map[string]any)
		files, _ := service["env_file"].([]any)
		for _, entry := range files {
			if file, ok := entry.(map[string]any); ok {
				file["path"] = inFolder(fmt.Sprint(file["path"]), o.dir)
			}
		}
		volumes, _ := service["volumes"].([]any)
		for _, entry := range volumes {
			if volume, ok := entry.(map[string]any); ok && volume["type"] == "bind" {
				volume["source"] = inFolder(fmt.Sprint(volume["source"]), o.dir)
			}
		}
	}
}

// include adds the services of the files that a model includes, which have the
// variables of this one and some of their own (compose specification, section
// include).
func (p *project) include(model map[string]any, o origin) error {
	list, _ := model["include"].([]any)
	for _, entry := range list {
		fields, _ := entry.(map[string]any)
		paths := stringsOf(fields["path"])
		if len(paths) == 0 {
			continue
		}
		other, err := readProject(o.included(paths, fields))
		if err != nil {
			return fmt.Errorf("include %s: %w", paths[0], err)
		}
		maps.Copy(p.services, other.services)
		maps.Copy(p.raw, other.raw)
		p.external = append(p.external, other.external...)
	}
	return nil
}

// included is what the paths of an entry of include name.
func (o origin) included(paths []string, fields map[string]any) origin {
	in := origin{dir: filepath.Dir(inFolder(paths[0], o.dir)), variables: o.variables, depth: o.depth + 1}
	for _, path := range paths {
		in.files = append(in.files, inFolder(path, o.dir))
	}
	for _, dir := range stringsOf(fields["project_directory"]) {
		in.dir = inFolder(dir, o.dir)
	}
	for _, env := range stringsOf(fields["env_file"]) {
		in.envFiles = append(in.envFiles, inFolder(env, o.dir))
	}
	if in.envFiles == nil {
		in.envFiles = []string{filepath.Join(in.dir, ".env")}
	}
	return in
}

// extended merges a service over the one that it extends.
func (p *project) extended(fields, services map[string]any, o origin) (map[string]any, error) {
	extends, ok := fields["extends"].(map[string]any)
	if !ok {
		return fields, nil
	}
	if o.depth > maxIncluded {
		return nil, errIncludes
	}
	o.depth++
	name, _ := extends["service"].(string)
	base, _ := services[name].(map[string]any)
	if from, _ := extends["file"].(string); from != "" {
		file := inFolder(from, o.dir)
		other, err := readProject(origin{files: []string{file}, dir: filepath.Dir(file), variables: o.variables, depth: o.depth})
		if err != nil {
			return nil, fmt.Errorf("extends %s: %w", from, err)
		}
		base = other.raw[name]
	} else if base != nil {
		var err error
		if base, err = p.extended(base, services, o); err != nil {
			return nil, err
		}
	}
	if base == nil {
		return nil, fmt.Errorf("extends the service %q, which does not exist", name)
	}
	if ports, _ := base["ports"].([]any); !o.spend(minFile + len(ports)*portSize) {
		return nil, errCompose
	}
	return merged(base, fields)
}

// merged puts a service over the one that it extends.
func merged(base, fields map[string]any) (map[string]any, error) {
	const name = "extended"
	model, err := recovered(func() (map[string]any, error) {
		service, err := override.ExtendService(maps.Clone(base), maps.Clone(fields))
		if err != nil {
			return nil, err
		}
		delete(service, "extends")
		return override.EnforceUnicity(map[string]any{"services": map[string]any{name: service}})
	})
	if err != nil {
		return nil, err
	}
	services, _ := model["services"].(map[string]any)
	service, _ := services[name].(map[string]any)
	return service, nil
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

// externalIn are the networks that a compose file does not make itself.
func externalIn(model map[string]any) (all []string) {
	networks, _ := model["networks"].(map[string]any)
	for name, network := range networks {
		if fields, _ := network.(map[string]any); fields["external"] != nil && fields["external"] != false {
			all = append(all, name)
		}
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
