package check

import (
	"fmt"
	"maps"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/override"
)

// maxIncluded is how deep compose files may include and extend each other.
const maxIncluded = 8

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
