package check

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// Process is a server that runs on this machine, as the kernel knows it.
type Process struct {
	// Name is shown: the unit's, or the program's.
	Name string
	// Folder is the one in which relative paths count.
	Folder string
	// Root is a folder of this machine through which its files are seen as it sees
	// them (/proc/PID/root); empty where it sees those of this machine.
	Root string
	// Contained says that nothing else of it is of this machine: it is in a container
	// whose engine says nothing.
	Contained bool
	Args      []string
	// Environ is nil where it could not be read.
	Environ []string
	UID     int
	GID     int
	Groups  []int
}

// Load reads the settings that the process has.
func (p Process) Load() (*Settings, error) {
	if p.Contained {
		return p.apart()
	}
	config := ConfigNamed(p.Args)
	if config != "" {
		config = inFolder(config, p.Folder)
	}
	s := &Settings{values: map[string]setting{}, file: config, path: config, process: &p, partial: config == "" && p.Environ == nil}
	if err := s.read(config, p.Environ, ""); err != nil {
		return nil, err
	}
	for _, key := range []string{keyCertFile, keyKeyFile} {
		if file := s.local(key); file != "" && p.hides(file) {
			return p.apart()
		}
	}
	return s, nil
}

// hides tells whether the process sees nothing, or another file, where this machine has
// one: it has file systems of its own, as a unit with ProtectHome.
func (p Process) hides(file string) bool {
	if p.Root == "" {
		return false
	}
	here, err := os.Stat(file)
	if err != nil {
		return false
	}
	there, err := os.Stat(filepath.Join(p.Root, file))
	return os.IsNotExist(err) || err == nil && !os.SameFile(here, there)
}

// apart are the settings of a process that sees files of its own: as of a container in
// which its root is mounted. Which ports lead to it is not known.
func (p Process) apart() (*Settings, error) {
	box := &container{
		service: p.Name, alike: isAlike, command: p.Args, environ: p.Environ, uid: p.UID, gid: p.GID, groups: p.Groups, hostNetwork: !p.Contained, unmapped: true, built: true,
		mounts: []mount{{source: p.Root, target: "/", bind: true}},
	}
	s := &Settings{values: map[string]setting{}, container: box}
	if named := ConfigNamed(p.Args); named != "" && !path.IsAbs(named) {
		box.command = []string{"--config", path.Join(p.Folder, named)}
	}
	config := box.config()
	if named := box.configPath(); config == "" && ConfigNamed(p.Args) != "" {
		return nil, fmt.Errorf("%s: %w", named, os.ErrNotExist)
	}
	s.path = config
	err := s.read(config, p.Environ, "")
	for _, key := range []string{keyCertFile, keyKeyFile} {
		if set, ok := s.values[key]; ok && !path.IsAbs(set.value) && !isText(set.value) {
			set.value = path.Join(p.Folder, set.value)
			s.values[key] = set
		}
	}
	return s, err
}

// LogFolder is where the server writes its logs, as its process sees it: home is the
// folder of its user (WuKongIM v2.2.5 internal/options/options.go:1284, version 3
// internal/config/schema.go:243).
func (s *Settings) LogFolder(home string) string {
	folder := cmp.Or(s.value(keyLogDir), s.value(keyLoggerDir), "logs")
	if path.IsAbs(folder) {
		return path.Clean(folder)
	}
	root := cmp.Or(s.value(keyRootDir), path.Join(home, "wukongim"))
	if s.process != nil {
		root = inFolder(root, s.process.Folder)
	}
	return path.Join(root, folder)
}

// isRoot tells whether the server may do everything.
func (s *Settings) isRoot() bool {
	switch {
	case s.container != nil:
		return s.container.uid == 0
	case s.process != nil:
		return s.process.UID == 0
	}
	return false
}

// isOf tells whether a group is one of the server's.
func (c *Certificates) isOf(gid int) bool { return gid == c.GID || slices.Contains(c.Groups, gid) }
