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
	documents, err := readYAML(data)
	if err != nil {
		return err
	}
	if len(documents) > 0 { // the server reads the first alone
		s.readMapping(documents[0], "", name)
	}
	return nil
}

// readMapping takes the known keys, at the top or in a mapping below it.
func (s *Settings) readMapping(keys map[string]any, prefix, origin string) {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		name := prefix + key
		switch value := keys[key].(type) {
		case nil, []any:
		case map[string]any:
			if prefix == "" {
				s.readMapping(value, name+".", origin)
			}
		default:
			if known := strings.ToLower(name); spellings[known] != "" {
				s.values[known] = setting{value: fmt.Sprint(value), name: name, origin: origin}
			}
		}
	}
}

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
