package source

import (
	"errors"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wklog/cmd/internal/source/engine"
	"wklog/parser"
)

// everywhere are folders that servers keep their logs in: they name no node.
var everywhere = []string{"log", "logs", "wukongim", "wukongimdata", "var", "data", "containers", "pods"}

// ErrNodes says that a pattern for the names of nodes has {node} not exactly once.
var ErrNodes = errors.New("needs {node} once")

// NodesOf tells the node of a cluster that each log under args is of, by the
// archive's name or the folder's; empty where none tells.
func NodesOf(args []string) func(log string) string {
	return func(log string) string {
		if engine.IsLog(log) {
			return "" // its entries name their nodes
		}
		return nodeByPath(filepath.ToSlash(log), args)
	}
}

// NodesByPattern tells it by a path pattern with {node} in it: * is any part of a
// name, ** any part of a path.
func NodesByPattern(pattern string) (func(log string) string, error) {
	if strings.Count(pattern, "{node}") != 1 {
		return nil, ErrNodes
	}
	expr := regexp.QuoteMeta(filepath.ToSlash(pattern))
	expr = strings.NewReplacer(`\{node\}`, `([^/!]+)`, `\*\*`, `.*`, `\*`, `[^/!]*`).Replace(expr)
	re, err := regexp.Compile(`^` + expr)
	if err != nil {
		return nil, err
	}
	return func(log string) string {
		if m := re.FindStringSubmatch(filepath.ToSlash(log)); m != nil {
			return m[1]
		}
		return ""
	}, nil
}

func nodeByPath(log string, args []string) string {
	if namespace, pod, _, ok := parser.PodOf(log); ok {
		return namespace + "/" + pod
	}
	if id, ok := parser.ContainerOf(log); ok {
		return id
	}
	if len(args) == 1 && args[0] == log {
		return "" // where one log lies names nothing
	}
	if archive, _, ok := strings.Cut(log, "!"); ok {
		name := path.Base(archive)
		for _, ending := range []string{".gz", ".zst", ".bz2", ".xz", ".tgz", ".tar", ".zip"} {
			name = strings.TrimSuffix(name, ending)
		}
		return name
	}
	for dir := path.Dir(log); dir != "." && dir != "/"; dir = path.Dir(dir) {
		named := slices.Contains(args, dir) || slices.Contains(args, dir+"/")
		if named && len(args) == 1 {
			return "" // what was named holds the nodes, it is none
		}
		if name := path.Base(dir); !slices.Contains(everywhere, strings.ToLower(name)) {
			return name
		}
		if named {
			return ""
		}
	}
	return ""
}
