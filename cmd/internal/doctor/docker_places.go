package doctor

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/moby/client"
)

// enginePlace is where an engine may listen.
type enginePlace struct {
	host string
	// chosen says that the user has named it: that nothing is there is told.
	chosen bool
	// secure is the folder of ca.pem, cert.pem and key.pem, empty without TLS.
	secure string
}

// enginePlaces are those of this user: what DOCKER_HOST or the context names (docker
// documentation, "Docker contexts"), else the sockets that exist; and those of Podman.
func enginePlaces(env func(string) string) (places []enginePlace) {
	add := func(p enginePlace) {
		same := func(other enginePlace) bool { return real(other.host) == real(p.host) }
		if !slices.ContainsFunc(places, same) {
			places = append(places, p)
		}
	}
	home := homeFolder(env)
	context, named := contextOf(env, configFolder(env))
	switch {
	case env("DOCKER_HOST") != "":
		p := enginePlace{host: env("DOCKER_HOST"), chosen: true}
		if env("DOCKER_TLS_VERIFY") != "" || env("DOCKER_CERT_PATH") != "" {
			p.secure = cmp.Or(env("DOCKER_CERT_PATH"), filepath.Join(home, ".docker"))
		}
		return []enginePlace{p}
	case named:
		add(context)
	default:
		for _, socket := range sockets(env, home) {
			if _, err := os.Stat(socket); err == nil || errors.Is(err, fs.ErrPermission) && socket == "/var/run/docker.sock" {
				add(enginePlace{host: "unix://" + socket})
			}
		}
	}
	if host := env("CONTAINER_HOST"); host != "" {
		add(enginePlace{host: host, chosen: true})
	}
	for _, socket := range podmanSockets(env) {
		if _, err := os.Stat(socket); err == nil {
			add(enginePlace{host: "unix://" + socket})
		}
	}
	return places
}

func homeFolder(env func(string) string) string { return cmp.Or(env("HOME"), "/root") }

// configFolder is where docker keeps what its user has set (docker documentation,
// "Configure the Docker CLI").
func configFolder(env func(string) string) string {
	return cmp.Or(env("DOCKER_CONFIG"), filepath.Join(homeFolder(env), ".docker"))
}

// sockets are where Docker listens, rootless (docker documentation, "Rootless mode"), in
// Docker Desktop, Colima, Rancher Desktop and OrbStack.
func sockets(env func(string) string, home string) []string {
	list := []string{"/var/run/docker.sock"}
	if dir := env("XDG_RUNTIME_DIR"); dir != "" {
		list = append(list, dir+"/docker.sock")
	}
	list = append(list, fmt.Sprintf("/run/user/%d/docker.sock", os.Getuid()))
	for _, rest := range []string{".docker/run/docker.sock", ".docker/desktop/docker.sock", ".colima/default/docker.sock", ".colima/docker.sock", ".rd/docker.sock", ".orbstack/run/docker.sock"} {
		list = append(list, filepath.Join(home, rest))
	}
	return list
}

// podmanSockets are those of podman system service (podman-system-service(1)).
func podmanSockets(env func(string) string) []string {
	list := []string{"/run/podman/podman.sock"}
	if dir := env("XDG_RUNTIME_DIR"); dir != "" {
		list = append(list, dir+"/podman/podman.sock")
	}
	return append(list, fmt.Sprintf("/run/user/%d/podman/podman.sock", os.Getuid()))
}

// real is a socket behind its links: /var/run is one.
func real(host string) string {
	if socket, ok := strings.CutPrefix(host, "unix://"); ok {
		if real, err := filepath.EvalSymlinks(socket); err == nil {
			return real
		}
	}
	return host
}

// contextOf is the place that the user's context names; the folder of one has the hash of
// its name (docker/cli cli/context/store).
func contextOf(env func(string) string, dir string) (place enginePlace, named bool) {
	name := env("DOCKER_CONTEXT")
	if name == "" {
		var config struct{ CurrentContext string }
		if data, err := os.ReadFile(filepath.Join(dir, "config.json")); err == nil {
			_ = json.Unmarshal(data, &config) // one that is damaged names none
		}
		name = config.CurrentContext
	}
	if name == "" || name == "default" {
		return enginePlace{}, false
	}
	hash := sum(name)
	folder := hex.EncodeToString(hash[:])
	var meta struct {
		Endpoints map[string]struct{ Host string }
	}
	data, err := os.ReadFile(filepath.Join(dir, "contexts", "meta", folder, "meta.json"))
	if err == nil {
		err = json.Unmarshal(data, &meta)
	}
	place = enginePlace{host: meta.Endpoints["docker"].Host, chosen: true}
	if err != nil || place.host == "" {
		return enginePlace{host: name, chosen: true}, true
	}
	if secure := filepath.Join(dir, "contexts", "tls", folder, "docker"); isFolder(secure) {
		place.secure = secure
	}
	return place, true
}

func sum(name string) [sha256.Size]byte { return sha256.Sum256([]byte(name)) }

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// local tells that the engine's machine is this one.
func (p enginePlace) local() bool { return strings.HasPrefix(p.host, "unix://") }

// errSSH says that the engine is reached by a program that is not started from here.
var errSSH = errors.New("reached by ssh: run wklog doctor on that machine")

func (p enginePlace) connect() (*engine, error) {
	u, err := url.Parse(p.host)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme == "ssh":
		return nil, errSSH
	}
	options := []client.Opt{client.WithHost(p.host)}
	if p.secure != "" {
		options = append(options, client.WithTLSClientConfig(p.secure+"/ca.pem", p.secure+"/cert.pem", p.secure+"/key.pem"))
	}
	c, err := client.New(options...)
	if err != nil {
		return nil, err
	}
	return &engine{Client: c, place: p}, nil
}
