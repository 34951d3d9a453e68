package check

import (
	"bytes"
	"cmp"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// nginxFiles is where a configuration of nginx and what it includes is read from.
type nginxFiles interface {
	read(path string) ([]byte, error)
	list(pattern string) ([]string, error)
}

// diskFiles are those of this machine. What a configuration that was copied from
// elsewhere includes is looked for beside it.
type diskFiles struct{ folder string }

// nginxFolders are those of the configuration, of the packages, of OpenResty and
// Tengine built from source, and of the BT panel.
var nginxFolders = []string{"/etc/nginx/", "/usr/local/nginx/conf/", "/usr/local/openresty/nginx/conf/", "/www/server/nginx/conf/", "/www/server/panel/vhost/nginx/"}

func (d diskFiles) beside(path string) string {
	if exists(path) {
		return path
	}
	for _, folder := range nginxFolders {
		if rest, ok := strings.CutPrefix(filepath.ToSlash(path), folder); ok {
			return filepath.Join(d.folder, rest)
		}
	}
	return path
}

func (d diskFiles) read(path string) ([]byte, error) { return readFile(d.beside(path)) }

func (d diskFiles) list(pattern string) ([]string, error) {
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) > 0 {
		return found, err
	}
	return filepath.Glob(d.beside(pattern))
}

// dumpedFiles are those of nginx -T, which prints them one after the other.
type dumpedFiles map[string][]byte

const dumpedName = "# configuration file "

func dumped(data []byte) (files dumpedFiles, main string) {
	files = dumpedFiles{}
	name := ""
	for line := range bytes.Lines(data) {
		if rest, ok := strings.CutPrefix(string(line), dumpedName); ok {
			name = strings.TrimSuffix(strings.TrimSpace(rest), ":")
			main = cmp.Or(main, name)
			continue
		}
		if name != "" {
			files[name] = append(files[name], line...)
		}
	}
	return files, main
}

func (d dumpedFiles) read(path string) ([]byte, error) {
	if data, ok := d[path]; ok {
		return data, nil
	}
	return nil, fs.ErrNotExist
}

func (d dumpedFiles) list(pattern string) (found []string, err error) {
	for name := range d {
		if ok, err := filepath.Match(pattern, name); err != nil {
			return nil, err
		} else if ok {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found, nil
}

// containerFiles are those that a container sees of this machine.
type containerFiles struct {
	*container
	made map[string][]byte // those that the image makes
}

func (c containerFiles) read(path string) ([]byte, error) {
	if data, ok := c.made[path]; ok {
		return data, nil
	}
	if at := c.follow(path); at.kind == placeBind {
		return readFile(at.path)
	}
	return nil, fs.ErrNotExist
}

func (c containerFiles) list(pattern string) (found []string, err error) {
	for name := range c.made {
		if ok, _ := filepath.Match(pattern, name); ok {
			found = append(found, name)
		}
	}
	folder := filepath.Dir(pattern)
	for _, m := range c.mounts {
		if ok, err := filepath.Match(pattern, m.target); err != nil {
			return nil, err
		} else if ok {
			found = append(found, m.target)
		}
	}
	if at := c.follow(folder); at.kind == placeBind {
		on, err := filepath.Glob(filepath.Join(at.path, filepath.Base(pattern)))
		if err != nil {
			return nil, err
		}
		for _, file := range on {
			found = append(found, filepath.Join(folder, filepath.Base(file)))
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}
