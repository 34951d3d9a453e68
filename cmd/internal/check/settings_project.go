package check

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/override"
	"github.com/compose-spec/compose-go/v2/transform"
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

var portRange = lazily(`(\d{1,5})-(\d{1,5})`)

// portsIn counts the ports in ranges, those of the host and of the container.
func portsIn(model map[string]any) int {
	services, _ := model["services"].(map[string]any)
	count := 0
	for _, service := range services {
		service, _ := service.(map[string]any)
		for _, ports := range append(stringsOf(service["ports"]), stringsOf(service["expose"])...) {
			for _, m := range portRange().FindAllStringSubmatch(ports, -1) {
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
