package check

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// File is one as a process sees it.
type File struct {
	// Data is nil for what is no regular file.
	Data     []byte
	Mode     fs.FileMode
	UID, GID int
}

// Files opens a file as a process sees it, behind its links. Errors are those of fs.
type Files func(name string) (File, error)

// Containers are those of an engine, as it tells of them: a list as docker inspect
// prints it.
type Containers []byte

// load finds the servers among them.
func (c Containers) load() (p *project, all []*container, err error) {
	if p, err = inspectedProject(c); err != nil {
		return nil, nil, err
	}
	if all, _, err = p.containers(""); errors.Is(err, errNoService) {
		err = nil
	}
	return p, all, err
}

// Likely are the names of those that are WuKongIM's without doubt, Perhaps of those of
// which less speaks for it.
func (c Containers) Likely() (likely, perhaps []string) {
	p, err := inspectedProject(c)
	if err != nil {
		return nil, nil
	}
	for _, name := range slices.Sorted(maps.Keys(p.services)) {
		switch n := likeness(name, p.services[name]); {
		case n >= isAlike:
			likely = append(likely, name)
		case n > 0:
			perhaps = append(perhaps, name)
		}
	}
	return likely, perhaps
}

// Load reads the settings of one, with the files as it sees them.
func (c Containers) Load(name string, files Files) (*Settings, error) {
	p, _, err := c.load()
	if err != nil {
		return nil, err
	}
	all, _, err := p.containers(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &Settings{values: map[string]setting{}}
	for _, container := range all {
		if container.service == name {
			s.container = container
		}
	}
	s.container.files, s.container.alike = files, isAlike
	s.container.of(c, name)
	for _, config := range []string{s.container.configPath(), imageConfigV3} {
		file, err := files(config)
		if errors.Is(err, fs.ErrNotExist) || err == nil && file.Data == nil {
			continue
		}
		if err == nil {
			err = s.readData(file.Data, path.Base(config))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", config, err)
		}
		s.file = config
		break
	}
	s.readEnviron(s.container.environ, name)
	s.path = cmp.Or(s.container.composed, s.container.follow(s.file).path)
	return s, nil
}

// labels of docker compose, of both versions.
const (
	labelService = "com.docker.compose.service"
	labelFiles   = "com.docker.compose.project.config_files"
	labelFolder  = "com.docker.compose.project.working_dir"
)

// of adds how a container is run, and whom it runs as.
func (c *container) of(all Containers, name string) {
	var list []inspected
	if json.Unmarshal(all, &list) != nil {
		return
	}
	for _, one := range list {
		if strings.TrimPrefix(one.Name, "/") != name {
			continue
		}
		c.running, c.again = name, sync.OnceValue(func() *rerun { return rerunOf(all, name) })
		c.stopped = !one.State.Running || one.State.Restarting
		c.composed = ComposeFile(one.Config.Labels)
		c.service = cmp.Or(one.Config.Labels[labelService], c.service)
		if c.uid < 0 && c.files != nil {
			c.uid, c.gid = c.userNamed(one.Config.User)
		}
	}
}

// ComposeFiles are those of a container by its labels, none where it is of none.
func ComposeFiles(labels map[string]string) (files []string) {
	if labels[labelService] == "" {
		return nil
	}
	for file := range strings.SplitSeq(cmp.Or(labels[labelFiles], "docker-compose.yml"), ",") {
		if !path.IsAbs(file) { // version 1 writes them as they were given
			file = path.Join(labels[labelFolder], file)
		}
		files = append(files, file)
	}
	return files
}

// ComposeFile is the first of them, empty for none.
func ComposeFile(labels map[string]string) string {
	for _, file := range ComposeFiles(labels) {
		return file
	}
	return ""
}

// ComposeService is the service of a container by its labels, empty for none.
func ComposeService(labels map[string]string) string { return labels[labelService] }

// userNamed looks a user up as the container does (passwd(5)).
func (c *container) userNamed(user string) (uid, gid int) {
	name, _, _ := strings.Cut(user, ":")
	file, err := c.files("/etc/passwd")
	if err != nil {
		return -1, -1
	}
	for line := range strings.Lines(string(file.Data)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) < 4 || fields[0] != name {
			continue
		}
		uid, err := strconv.Atoi(fields[2])
		gid, gidErr := strconv.Atoi(fields[3])
		if err == nil && gidErr == nil {
			return uid, gid
		}
	}
	return -1, -1
}

// inside says whether the container has a file, where its host does not show it better.
func (c *container) inside(set setting, at place) (r Result, known bool) {
	if c.files == nil {
		return Result{}, false
	}
	file, err := c.files(set.value)
	shown := at.kind == placeBind && exists(at.mount)
	switch {
	case err == nil && file.Mode.IsRegular() && at.kind == placeBind:
		return pass(sharedReason+"path-mounted", set.path(), Path.of("on_host", c.follow(set.value).path)), true
	case err == nil && file.Mode.IsRegular():
		return pass(sharedReason+"path-inside", set.named(), set.path()), true
	case err == nil && at.kind == placeBind && path.Clean(at.target) == path.Clean(set.value):
		return fail("cert-file-missing", sharedReason+"path-folder", Path.of("source", at.mount), Path.of("target", at.target)), true
	case err == nil && file.Mode.IsDir():
		return fail("cert-file-missing", sharedReason+"path-is-folder", set.named(), set.path()), true
	case shown, at.kind == placeHostPath:
		return Result{}, false
	case err != nil && !errors.Is(err, fs.ErrNotExist): // the engine did not say it in time
		return skipped("path-unanswered", set.named(), set.path()), true
	case at.kind == placeNowhere:
		return Result{}, false
	case errors.Is(err, fs.ErrNotExist) && at.kind == placeVolume:
		return fail("cert-file-missing", sharedReason+"path-not-in-volume", set.path(), Name.of("volume", at.mount)), true
	case errors.Is(err, fs.ErrNotExist):
		return fail("cert-file-missing", sharedReason+"path-missing", set.path(), Path.of("on_host", at.path)), true
	}
	return Result{}, false
}

// pathSteps say what to set for a path of the host, whose file the container has elsewhere.
func (s *Settings) pathSteps(set setting, at place) []Step {
	if s.container.running == "" {
		return nil
	}
	for _, key := range []string{keyCertFile, keyKeyFile} {
		if s.setting(key) == set {
			return s.change(change{key, at.path})
		}
	}
	return nil
}

// mountSteps say how a file gets into the container: its folder as a whole, since a renewal
// replaces the file.
func (s *Settings) mountSteps(set setting) []Step {
	if s.container.running == "" {
		return nil
	}
	folder, mode := Path.of("inside", path.Dir(set.value)), "-v /srv/certificates:%[1]s:ro"
	if s.container.composed != "" {
		mode = "services:\n  %[2]s:\n    volumes:\n      - /srv/certificates:%[1]s:ro"
	}
	return []Step{
		step(sharedReason+"fix-mount", "", mode, folder, Name.of("service", s.container.service)),
		s.restartStep(),
	}
}

// contentOf takes a file from the container where this machine does not show it.
func (c *Certificates) contentOf(in *container, name string) (found bool) {
	file, err := in.files(name)
	if err != nil || file.Data == nil {
		return false
	}
	c.contain(name, file.Data)
	if in.uid > 0 {
		if closed := in.closedTo(name, file); closed != "" {
			if c.Closed == nil {
				c.Closed = map[string]string{}
			}
			c.Closed[name] = closed
		}
	}
	return true
}

// closedTo gives what the container's user may not read on the way to a file of it.
func (c *container) closedTo(name string, file File) string {
	f := certificateFiles{Certificates: Certificates{UID: c.uid, GID: c.gid}}
	for dir := path.Dir(path.Clean(name)); dir != "/" && dir != "."; dir = path.Dir(dir) {
		if folder, err := c.files(dir); err == nil && !f.allows(folder.Mode, folder.UID, folder.GID, 0o1) {
			return dir
		}
	}
	if !f.allows(file.Mode, file.UID, file.GID, 0o4) {
		return name
	}
	return ""
}

// Names are what a server is called by those who run it: the compose file and its
// service, or the container.
func (s *Settings) Names() (compose, service, container string) {
	if s.container == nil {
		return "", "", ""
	}
	return s.container.composed, s.container.service, s.container.running
}

// NameOfCertificate is one that the certificate has, for where nothing tells what clients
// are given.
func (s *Settings) NameOfCertificate() string {
	if s.Leaf == nil {
		return "localhost"
	}
	names := namesOf(s.Leaf)
	if len(names) == 0 {
		return "localhost"
	}
	if domain, wildcard := strings.CutPrefix(names[0], "*"); wildcard {
		return "any" + domain
	}
	return names[0]
}

// ListenPort is that of wss, empty without any.
func (s *Settings) ListenPort() string { return s.port(keyWSSAddr) }

// APIPort is that of the HTTP API, PlainPort that of ws without TLS.
func (s *Settings) APIPort() string   { return s.port(keyHTTPAddr) }
func (s *Settings) PlainPort() string { return s.port(keyWSAddr) }

func (s *Settings) port(key string) string {
	_, port, err := splitAddress(cmp.Or(s.value(key), defaults[key]))
	if err != nil {
		return ""
	}
	return port
}
