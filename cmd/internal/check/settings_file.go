package check

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// readFile reads wk.yaml, or version 3's wukongim.toml.
func (s *Settings) readFile(path string) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	return s.readData(data, filepath.Base(path))
}

// readData reads the text of a file of a name.
func (s *Settings) readData(data []byte, name string) error {
	if strings.EqualFold(filepath.Ext(name), ".toml") {
		return s.readTOML(data, name)
	}
	if isEnvFile(data, name) {
		return s.readEnvFile(data, name)
	}
	documents, err := readYAML(data)
	if err != nil {
		if strange := strangeText(data); strange != nil {
			return strange
		}
		return err
	}
	if len(documents) > 0 { // the server reads the first alone
		if strange := strangeFile(documents[0]); strange != nil {
			return strange
		}
		s.readMapping(documents[0], "", name)
	}
	return nil
}

var envLine = lazily(`^(?:export\s+)?WK_[A-Za-z0-9_]+\s*=`)

// isEnvFile tells a file of variables, by its name or by its first line that says
// something.
func isEnvFile(data []byte, name string) bool {
	if strings.HasSuffix(name, ".env") {
		return true
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return envLine().MatchString(line)
		}
	}
	return false
}

// readEnvFile reads variables as docker compose does. They may not be all that the
// server has.
func (s *Settings) readEnvFile(data []byte, name string) error {
	values := map[string]string{}
	if err := shellVariables(".").parse(data, name, values); err != nil {
		return err
	}
	var environ []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		environ = append(environ, key+"="+values[key])
	}
	if !slices.ContainsFunc(environ, func(v string) bool { return strings.HasPrefix(v, "WK_") }) {
		return errIsOther
	}
	s.readEnviron(environ, name)
	return nil
}

// readMapping takes the known keys, at the top or in a mapping below it.
func (s *Settings) readMapping(keys map[string]any, prefix, origin string) {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		name := prefix + key
		switch value := keys[key].(type) {
		case nil, []any:
		case map[string]any:
			if strings.Count(prefix, ".") < maxNested {
				s.readMapping(value, name+".", origin)
			}
		default:
			known := strings.ToLower(name)
			if spellings[known] != "" && strings.Count(name, ".") <= 1 {
				s.values[known] = setting{value: fmt.Sprint(value), name: name, origin: origin}
			}
			s.unknown(name, origin)
		}
	}
}

// maxNested is how deep keys are looked for: deeper than any that is known.
const maxNested = 4

// readTOML reads the keys of version 3 (WuKongIM main branch,
// internal/config/schema.go:142), and those of older versions, which take any form
// that viper reads.
func (s *Settings) readTOML(data []byte, origin string) error {
	var file struct {
		API struct {
			ExternalWSSAddr string `toml:"external_wss_addr"`
		} `toml:"api"`
	}
	var keys map[string]any
	if err := errors.Join(toml.Unmarshal(data, &file), toml.Unmarshal(data, &keys)); err != nil {
		if at := (*toml.DecodeError)(nil); errors.As(err, &at) {
			line, _ := at.Position()
			return fmt.Errorf("line %d: %w", line, at)
		}
		return err
	}
	s.readMapping(keys, "", origin)
	s.proxied = !s.wanted()
	if addr := file.API.ExternalWSSAddr; addr != "" {
		s.values[keyExternalWSSAddr] = setting{value: addr, name: "api.external_wss_addr", origin: origin}
	}
	return nil
}

// exists counts a file that this user may not look at.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil || errors.Is(err, fs.ErrPermission)
}

// isClosed tells whether this user may not look at a file.
func isClosed(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrPermission)
}

// isInImage tells whether a path looks like one in WuKongIM's image (WuKongIM
// v2.2.5 Dockerfile).
func isInImage(path string) bool {
	for _, dir := range []string{"/root/wukongim/", "/home/", "/etc/wukongim/"} {
		if strings.HasPrefix(path, dir) {
			return true
		}
	}
	return false
}
