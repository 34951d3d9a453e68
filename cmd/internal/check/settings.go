package check

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Configuration names where WuKongIM gets its settings from.
type Configuration struct {
	// Config is wk.yaml, or version 3's wukongim.toml; Compose is a compose
	// file. Either may be empty: a compose file leads to the configuration that
	// it mounts.
	Config, Compose string
	// Service of the compose file; empty for all that look like WuKongIM's.
	Service string
	// Environ is the environment of the server, as "WK_WSSADDR=…", where there
	// is no compose file.
	Environ []string
}

// Keys of the settings (WuKongIM v2.2.5 internal/options/options.go, in lower
// case since viper knows no other; version 3 has api.external_wss_addr).
const (
	keyWSSAddr         = "wssaddr"
	keyWSAddr          = "wsaddr"
	keyAddr            = "addr"
	keyHTTPAddr        = "httpaddr"
	keyManagerAddr     = "manager.addr"
	keyDemoAddr        = "demo.addr"
	keyClusterAddr     = "cluster.addr"
	keyExternalWSSAddr = "external.wssaddr"
	keyCertFile        = "wssconfig.certfile"
	keyKeyFile         = "wssconfig.keyfile"
	keyRootDir         = "rootdir"
	keyLoggerDir       = "logger.dir"
	keyLogDir          = "log.dir"
)

// maxPath is longer than any path of a certificate, in bytes, and shorter than a key.
const maxPath = 500

// defaults are the addresses that WuKongIM listens on when nothing is set.
var defaults = map[string]string{
	keyAddr: "tcp://0.0.0.0:5100", keyWSAddr: "ws://0.0.0.0:5200", keyHTTPAddr: "0.0.0.0:5001",
	keyManagerAddr: "0.0.0.0:5300", keyDemoAddr: "0.0.0.0:5172", keyClusterAddr: "tcp://0.0.0.0:11110",
}

// spellings are the keys as the documentation writes them.
var spellings = map[string]string{
	keyWSSAddr: "wssAddr", keyExternalWSSAddr: "external.wssAddr", keyCertFile: "wssConfig.certFile", keyKeyFile: "wssConfig.keyFile",
	keyWSAddr: "wsAddr", keyAddr: "addr", keyHTTPAddr: "httpAddr", keyManagerAddr: "manager.addr", keyDemoAddr: "demo.addr", keyClusterAddr: "cluster.addr",
	keyRootDir: "rootDir", keyLoggerDir: "logger.dir", keyLogDir: "log.dir",
}

// setting is a value with the place that it came from.
type setting struct {
	value string
	// name as it stands there: wssAddr or WK_WSSADDR.
	name, origin string
}

// named is the setting with its place, as a value.
func (s setting) named() Value { return s.as("setting") }

func (s setting) as(name string) Value { return Value{Name: name, Type: Text, V: s.name, In: s.origin} }

// address is what an address is set to.
func (s setting) address() Value { return Address.of("value", s.shown()) }

// path is what a path is set to.
func (s setting) path() Value { return Path.of("path", s.value) }

// portValue is a number, or what stands where one should.
func portValue(name, value string) Value {
	if n, err := strconv.Atoi(value); err == nil {
		return Number.of(name, n)
	}
	return Address.of(name, value)
}

// Settings are WuKongIM's, as its process sees them.
type Settings struct {
	// Leaf is the certificate that the server has, where the caller knows it: it
	// may cover an address.
	Leaf *x509.Certificate
	// Whole says that its file has all that clients need beside it.
	Whole bool
	// Addresses of this machine, nil for those that it has now.
	Addresses []net.IP

	values map[string]setting
	// proxied says that the server has no TLS of its own (version 3), or that it ends before it.
	proxied   bool
	container *container // nil without a compose file
	process   *Process   // nil where none is known
	// others are those of the other services of the compose file that can run
	// beside it: an address may lead to any of them.
	others []*Settings
	// file is that of the settings, empty for the environment alone; path is that in
	// which names can be mended, of the settings or of the compose file.
	file, path string
	// strange are the names that WuKongIM does not read.
	strange []setting
	// partial says that no file was named, and the environment is all there is.
	partial bool
}

// Load reads the settings of each server: the environment counts before the file.
func (c Configuration) Load() ([]*Settings, error) {
	if c.Compose == "" && isOfContainers(c.Config) {
		c.Compose, c.Config = c.Config, ""
	}
	if c.Compose == "" {
		s := &Settings{values: map[string]setting{}, file: c.Config, path: c.Config, partial: c.Config == ""}
		return []*Settings{s}, s.read(c.Config, c.Environ, "")
	}
	all, isServer, err := loadContainers(c.Compose, c.Service)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Compose, err)
	}
	origin := filepath.Base(c.Compose)
	var servers, readable []*Settings
	for _, container := range all {
		s := &Settings{values: map[string]setting{}, container: container, path: c.Compose}
		config := container.config()
		if isServer(container) {
			config = cmp.Or(c.Config, config)
			servers = append(servers, s)
		}
		if err := s.read(config, container.environ, origin); err == nil {
			readable = append(readable, s)
		} else if isServer(container) {
			return nil, err
		}
	}
	candidates := slices.Clone(servers)
	servers = slices.DeleteFunc(servers, func(s *Settings) bool { return s.isReplaced(candidates) })
	for _, s := range servers {
		for _, other := range readable {
			if other != s && !s.container.sharesPort(other.container) {
				s.others = append(s.others, other)
			}
		}
	}
	return servers, nil
}

// isOfContainers tells a file that describes containers, a script that runs them or
// what docker inspect prints among them, from one of settings.
func isOfContainers(file string) bool {
	data, err := readFile(file)
	return err == nil && file != "" && (IsCompose(data) || isRunScript(data) || isInspected(data))
}

// isReplaced tells that a service cannot run beside another of which more is set, as
// one that the other extends.
func (s *Settings) isReplaced(servers []*Settings) bool {
	return slices.ContainsFunc(servers, func(other *Settings) bool {
		return other != s && s.container.sharesPort(other.container) && len(other.values) > len(s.values)
	})
}

// Service is that of the compose file, empty without one.
func (s *Settings) Service() string {
	if s.container == nil {
		return ""
	}
	return s.container.service
}

// Target is the service, or the file that the settings are of.
func (s *Settings) Target() Value {
	switch {
	case s.container != nil:
		return Name.of("target", s.container.service)
	case s.process != nil:
		return Name.of("target", s.process.Name)
	}
	return Path.of("target", s.file)
}

// Named tells whether they are of something that was named, and not of the
// environment alone.
func (s *Settings) Named() bool { return !s.partial }

// read takes a file, which may be empty, and the environment, which is of origin.
func (s *Settings) read(config string, environ []string, origin string) error {
	if config != "" {
		if err := s.readFile(config); err != nil {
			return fmt.Errorf("%s: %w", config, err)
		}
	}
	s.readEnviron(environ, origin)
	return nil
}

// readEnviron takes the variables that viper would: an empty one does not count
// (WuKongIM v2.2.5 cmd/root.go:70-91).
func (s *Settings) readEnviron(environ []string, origin string) {
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		rest, ok := strings.CutPrefix(name, "WK_")
		if !ok || value == "" {
			continue
		}
		key := strings.ToLower(rest)
		s.unknown(name, origin)
		for known := range spellings {
			if strings.ReplaceAll(known, ".", "_") == key {
				s.values[known] = setting{value: value, name: name, origin: origin}
			}
		}
	}
}

// shown is the value without the password that an address may hold.
func (s setting) shown() string {
	scheme, rest, ok := strings.Cut(s.value, "://")
	at := strings.LastIndex(rest, "@")
	if !ok || at < 0 {
		return s.value
	}
	return scheme + "://…" + rest[at:]
}

func (s *Settings) setting(key string) setting {
	if set, ok := s.values[key]; ok {
		return set
	}
	return setting{name: spellings[key]}
}

func (s *Settings) value(key string) string { return s.values[key].value }

// Fragile tells whether the settings show that a TLS handshake crashes the server,
// or another one of the compose file.
func (s *Settings) Fragile() bool { return checkConfigured(s).Status == Fail }

// Host is the name or address that clients are given, empty where it is not set
// or no use.
func (s *Settings) Host() string {
	host, _, err := splitAddress(s.value(keyExternalWSSAddr))
	if err != nil {
		return ""
	}
	return host
}

// Addr is what clients are given, for the checks of the endpoint.
func (s *Settings) Addr() string { return s.value(keyExternalWSSAddr) }

// Files gives the certificate and the key as they are found on this machine,
// empty where they are not; Mounts, UID and GID say how the server sees them.
func (s *Settings) Files() Certificates {
	c := Certificates{UID: -1, GID: -1}
	if s.container == nil {
		c.CertFile, c.KeyFile = s.local(keyCertFile), s.local(keyKeyFile)
		if p := s.process; p != nil {
			c.UID, c.GID, c.Groups = p.UID, p.GID, p.Groups
		}
		return c
	}
	c.UID, c.GID, c.Groups = s.container.uid, s.container.gid, s.container.groups
	for key, to := range map[string]*string{keyCertFile: &c.CertFile, keyKeyFile: &c.KeyFile} {
		switch place := s.container.follow(s.value(key)); place.kind {
		case placeBind:
			if s.container.files != nil && (isClosed(place.path) || !exists(place.mount)) && c.contentOf(s.container, s.value(key)) {
				*to = s.value(key)
				continue
			}
			*to = place.path
			c.Mounts = append(c.Mounts, absolute(place.mount))
		case placeNowhere, placeVolume:
			if s.container.files != nil && s.value(key) != "" && c.contentOf(s.container, s.value(key)) {
				*to = s.value(key)
			}
		case placeObject:
			if data := place.object.files[place.path]; data != nil {
				*to = s.value(key)
				c.contain(*to, data)
			}
		}
	}
	return c
}

// local is a path that the server on this machine would open.
func (s *Settings) local(key string) string {
	path := s.value(key)
	if s.process != nil && path != "" {
		return inFolder(path, s.process.Folder)
	}
	if isInImage(path) && !exists(path) {
		return "" // the path within a container whose mounts are not known
	}
	return path
}

// splitAddress takes an address apart: scheme://host:port, where the scheme and
// the port may be missing.
func splitAddress(address string) (host, port string, err error) {
	if !strings.Contains(address, "://") {
		address = "//" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", "", err
	}
	return u.Hostname(), u.Port(), nil
}

func schemeOf(address string) string {
	scheme, _, ok := strings.Cut(address, "://")
	if !ok {
		return ""
	}
	return scheme
}

// isText tells whether a value is what the file should hold, such as a key that
// was pasted where its path belongs. No message may show it.
func isText(value string) bool {
	return strings.Contains(value, "-----") || strings.Contains(strings.TrimSpace(value), "\n") || len(value) > maxPath
}

// quoted tells whether a value holds the quotes that should stand around it.
func quoted(value string) bool { return strings.ContainsAny(value, `"'“”‘’＂＇`) }
