package check

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/pelletier/go-toml/v2"
)

// errNotSettings says that a file is no mapping of keys.
var errNotSettings = errors.New("holds no settings")

// readFile reads wk.yaml, or version 3's wukongim.toml.
func (s *Settings) readFile(path string) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	if strings.EqualFold(filepath.Ext(path), ".toml") {
		return s.readTOML(data, filepath.Base(path))
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return err
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		mapping, ok := doc.Body.(ast.MapNode)
		if !ok {
			return errNotSettings
		}
		s.readMapping(mapping, "", filepath.Base(path))
	}
	return nil
}

// readMapping takes the known keys out of the syntax tree: aliases are not
// expanded, since no setting needs them and a hostile file would.
func (s *Settings) readMapping(mapping ast.MapNode, prefix, origin string) {
	for entries := mapping.MapRange(); entries.Next(); {
		name := prefix + entries.Key().String()
		key := strings.ToLower(name)
		switch value := entries.Value().(type) {
		case ast.MapNode:
			if prefix == "" {
				s.readMapping(value, name+".", origin)
			}
		case ast.ScalarNode:
			if _, known := spellings[key]; known && value.GetValue() != nil {
				s.values[key] = setting{value: fmt.Sprint(value.GetValue()), name: name, origin: origin}
			}
		}
	}
}

// readTOML reads the keys of version 3 (WuKongIM main branch,
// internal/config/schema.go:142).
func (s *Settings) readTOML(data []byte, origin string) error {
	var file struct {
		API struct {
			ExternalWSSAddr string `toml:"external_wss_addr"`
		} `toml:"api"`
	}
	if err := toml.Unmarshal(data, &file); err != nil {
		return err
	}
	s.proxied = true
	if addr := file.API.ExternalWSSAddr; addr != "" {
		s.values[keyExternalWSSAddr] = setting{value: addr, name: "api.external_wss_addr", origin: origin}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
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
