package check

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// configurationChecks in the order of the checklist.
var configurationChecks = []struct {
	id     string
	breaks Breaks
	run    func(*Settings) Result
}{
	{"config-service", "", checkService},
	{"config-listen", TheServer, checkListen},
	{"config-ports", TheServer, checkPorts},
	{"config-certificate", TheServer, checkConfigured},
	{"config-cert-path", TheServer, func(s *Settings) Result { return s.checkPath(keyCertFile) }},
	{"config-key-path", TheServer, func(s *Settings) Result { return s.checkPath(keyKeyFile) }},
	{"config-external", AllClients, checkExternal},
	{"config-published", AllClients, checkPublished},
}

// Check runs the whole checklist over the settings.
func (s *Settings) Check() []Result {
	var results []Result
	for _, check := range configurationChecks {
		results = append(results, check.run(s).of(check.id, check.breaks))
	}
	return results
}

// wanted tells whether anything speaks of wss.
func (s *Settings) wanted() bool {
	return s.value(keyWSSAddr)+s.value(keyCertFile)+s.value(keyKeyFile)+s.value(keyExternalWSSAddr) != ""
}

// endsElsewhere tells whether TLS seems to end at a proxy: the server has none,
// and clients are sent to the port of https.
func (s *Settings) endsElsewhere() bool {
	if s.proxied {
		return true
	}
	_, port, err := splitAddress(s.value(keyExternalWSSAddr))
	own := s.value(keyWSSAddr) + s.value(keyCertFile) + s.value(keyKeyFile)
	return own == "" && err == nil && s.value(keyExternalWSSAddr) != "" && (port == "" || port == "443" || s.publishedByOther(port))
}

// checkService says which service of a compose file was looked at.
func checkService(s *Settings) Result {
	switch {
	case s.container == nil:
		return Result{Status: Skip, Key: "no-compose"}
	case len(s.container.nodes) > 0:
		return pass("others", s.container.service, strings.Join(s.container.nodes, ", "))
	}
	return pass("service", s.container.service)
}

// checkListen looks at wssAddr, the address to listen on.
func checkListen(s *Settings) Result {
	addr := s.setting(keyWSSAddr)
	switch {
	case addr.value == "" && s.endsElsewhere():
		return Result{Status: Skip, Key: "proxy"}
	case addr.value == "" && s.value(keyCertFile)+s.value(keyKeyFile) != "":
		return fail("listen-address-invalid", "certificate-only", addr).breaking(AllClients)
	case s.missesWSS():
		return fail("listen-address-invalid", "external-only", addr, s.setting(keyExternalWSSAddr)).breaking(AllClients).instead(s.offerWSS()...)
	case addr.value == "":
		return Result{Status: Skip, Key: "unused", Args: []any{addr}}
	case quoted(addr.value):
		return fail("listen-address-invalid", "quotes", addr, addr.shown())
	case schemeOf(addr.value) != "wss":
		return fail("listen-address-invalid", "scheme", addr, addr.shown())
	}
	host, port, err := net.SplitHostPort(strings.TrimPrefix(addr.value, "wss://"))
	if err != nil {
		return fail("listen-address-invalid", "port", addr, addr.shown())
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return fail("listen-address-invalid", "port", addr, addr.shown())
	}
	if r := s.checkLocal(addr, host); r.Status != Pass {
		return r
	}
	if number < 1024 && (s.container == nil || s.container.uid != 0) {
		return warn("listen-port-denied", "privileged", addr, number)
	}
	return pass("local", addr, addr.shown()).rulesOut("listen-address-invalid")
}

// checkLocal wants an address that the server can listen on, and clients reach.
func (s *Settings) checkLocal(addr setting, host string) Result {
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && ip.IsUnspecified():
		return Result{Status: Pass}
	case host == "localhost" || err == nil && ip.IsLoopback():
		return warn("connection-interrupted", "loopback", addr, addr.shown())
	case err != nil:
		return fail("listen-address-invalid", "name", addr, host)
	case s.container != nil && !s.container.hostNetwork:
		return fail("listen-address-invalid", "container", addr, host)
	case !slices.ContainsFunc(s.addresses(), func(own net.IP) bool { return own.Equal(ip.AsSlice()) }):
		return fail("listen-address-invalid", "foreign", addr, host)
	}
	return Result{Status: Pass}
}

func (s *Settings) addresses() []net.IP {
	if s.Addresses != nil {
		return s.Addresses
	}
	var own []net.IP
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if network, ok := a.(*net.IPNet); ok {
			own = append(own, network.IP)
		}
	}
	return own
}

// checkPorts wants a port for each address.
func checkPorts(s *Settings) Result {
	_, wss, err := splitAddress(s.value(keyWSSAddr))
	if err != nil || wss == "" {
		return Result{Status: Skip, Key: "no-port", Args: []any{s.setting(keyWSSAddr)}}
	}
	for _, key := range []string{keyWSAddr, keyAddr, keyHTTPAddr, keyManagerAddr, keyDemoAddr, keyClusterAddr} {
		_, port, err := splitAddress(cmp.Or(s.value(key), defaults[key]))
		if err == nil && port == wss {
			return fail("listen-port-in-use", "twice", wss, s.setting(keyWSSAddr), s.setting(key))
		}
	}
	return pass("different", wss)
}

// checkConfigured wants both files where the server listens for wss: without
// them the first ClientHello, whoever sends it, crashes the server (WuKongIM v2.2.5
// internal/options/options.go:891).
func checkConfigured(s *Settings) Result {
	r := s.configured()
	for _, other := range s.others {
		if r.Status != Fail && other.value(keyWSSAddr) != "" {
			r = other.configured()
		}
	}
	return r
}

func (s *Settings) configured() Result {
	cert, key, listen := s.setting(keyCertFile), s.setting(keyKeyFile), s.setting(keyWSSAddr)
	switch {
	case s.partial && listen.value == "":
		return Result{Status: Skip, Key: "unused"}
	case cert.value == "" && key.value == "" && s.missesWSS():
		return fail("cert-not-configured", "external-only", s.setting(keyExternalWSSAddr), cert, key).instead(s.offerWSS()...)
	case cert.value == "" && key.value == "" && listen.value == "":
		return Result{Status: Skip, Key: "unused"}
	case cert.value == "" && key.value == "":
		return fail("cert-not-configured", "none", listen, cert, key)
	case cert.value == "":
		return fail("cert-not-configured", "half", key, cert)
	case key.value == "":
		return fail("cert-not-configured", "half", cert, key)
	}
	return pass("both").rulesOut("cert-not-configured")
}

// missesWSS tells whether clients are sent to wss and nothing listens for it. The
// environment alone does not show it: there may be a file.
func (s *Settings) missesWSS() bool {
	return s.value(keyExternalWSSAddr) != "" && s.value(keyWSSAddr) == "" && !s.endsElsewhere() && !s.partial
}

// offerWSS says how to offer wss where clients are sent to it already. Everything
// is set in one change: wssAddr before the certificate would crash the server.
func (s *Settings) offerWSS() []Step {
	external := s.setting(keyExternalWSSAddr).shown()
	_, port, err := splitAddress(external)
	if err != nil || port == "" || quoted(external) {
		external, port = "wss://im.example.com:5210", "5210"
	}
	service, recreate := "wukongim", step(sharedReason+"fix-restart", "", "")
	if s.container != nil {
		service = s.container.service
		recreate = step(sharedReason+"fix-recreate", "docker compose up -d "+shellescape.Quote(service), "")
	}
	return []Step{
		step(sharedReason+"fix-files", "", ""),
		step(sharedReason+"fix-all", "", fmt.Sprintf(offered, service, port, external, port, port, port, external)),
		recreate,
	}
}

// offered are the settings of wss, in both forms.
const offered = `# docker-compose.yml
services:
  %s:
    environment:
      WK_WSSADDR: "wss://0.0.0.0:%s"
      WK_WSSCONFIG_CERTFILE: "/root/wukongim/certs/fullchain.pem"
      WK_WSSCONFIG_KEYFILE: "/root/wukongim/certs/privkey.pem"
      WK_EXTERNAL_WSSADDR: "%s"
    volumes:
      - ./wukongimdata:/root/wukongim
    ports:
      - "%s:%s"

# or wk.yaml
wssAddr: "wss://0.0.0.0:%s"
wssConfig:
  certFile: "/root/wukongim/certs/fullchain.pem"
  keyFile: "/root/wukongim/certs/privkey.pem"
external:
  wssAddr: "%s"`

// checkPath follows the path of a file into the container, or on this machine.
func (s *Settings) checkPath(key string) Result {
	set := s.setting(key)
	file := set.value
	switch {
	case file == "":
		return Result{Status: Skip, Key: sharedReason + "path-unset", Args: []any{set}}
	case isText(file):
		return fail("cert-file-missing", sharedReason+"path-content", set)
	case quoted(file):
		return fail("cert-file-missing", sharedReason+"path-quotes", set, file)
	case file != strings.TrimSpace(file):
		return fail("cert-file-missing", sharedReason+"path-space", set, file)
	case strings.HasPrefix(file, "~"):
		return fail("cert-file-missing", sharedReason+"path-tilde", set, file)
	case s.container != nil && !path.IsAbs(file):
		return fail("cert-file-missing", sharedReason+"path-relative", set, file)
	case s.container != nil:
		return s.checkMount(set)
	case isInImage(file) && !exists(file):
		return Result{Status: Skip, Key: sharedReason + "path-image", Args: []any{set, file}}
	case !filepath.IsAbs(file):
		return warn("cert-file-missing", sharedReason+"path-from-folder", set, file)
	}
	return pass(sharedReason+"path-path", set, file)
}

// checkMount looks for the file where the container's path leads.
func (s *Settings) checkMount(set setting) Result {
	at := s.container.find(set.value)
	switch {
	case at.kind == placeHostPath:
		return fail("cert-file-missing", sharedReason+"path-host-path", set, set.value, at.path)
	case at.kind == placeNowhere && s.container.built:
		return Result{Status: Skip, Key: sharedReason + "path-built", Args: []any{set, set.value}}
	case at.kind == placeNowhere:
		return fail("cert-file-missing", sharedReason+"path-not-mounted", set, set.value)
	case at.kind == placeVolume:
		return pass(sharedReason+"path-volume", set.value, at.mount)
	case !exists(at.mount):
		return fail("cert-file-missing", sharedReason+"path-no-source", at.mount, at.target)
	case path.Clean(at.target) == path.Clean(set.value) && isDir(at.mount):
		return fail("cert-file-missing", sharedReason+"path-folder", at.mount, at.target)
	}
	end := s.container.follow(set.value)
	switch {
	case end.kind == placeVolume:
		return pass(sharedReason+"path-volume", set.value, end.mount)
	case end.kind != placeBind && within(absolute(end.link), absolute(at.mount)):
		return fail("cert-file-missing", sharedReason+"path-link-absolute", set.value, end.link)
	case end.kind != placeBind:
		return fail("cert-file-missing", sharedReason+"path-link", set.value, end.link, at.mount)
	case isClosed(end.path):
		return Result{Status: Skip, Key: sharedReason + "file-closed", Args: []any{end.path}}
	case !exists(end.path):
		return fail("cert-file-missing", sharedReason+"path-missing", set.value, end.path)
	}
	return pass(sharedReason+"path-mounted", set.value, end.path)
}

// checkExternal looks at the address that clients are given.
func checkExternal(s *Settings) Result {
	addr := s.setting(keyExternalWSSAddr)
	host, _, err := splitAddress(addr.value)
	ip, ipErr := netip.ParseAddr(host)
	scheme := schemeOf(addr.value)
	switch {
	case !s.wanted():
		return Result{Status: Skip, Key: "unused"}
	case addr.value == "":
		return fail("hostname-mismatch", "missing", addr)
	case quoted(addr.value):
		return fail("hostname-mismatch", "quotes", addr, addr.shown())
	case scheme == "ws" || scheme == "http":
		return fail("insecure-websocket-on-https-page", "plain", addr, addr.shown())
	case scheme != "wss" || err != nil || host == "":
		return fail("hostname-mismatch", "scheme", addr, addr.shown())
	case ipErr == nil && ip.IsUnspecified():
		return fail("hostname-mismatch", "unspecified", addr, addr.shown())
	case host == "localhost" || ipErr == nil && ip.IsLoopback():
		return fail("hostname-mismatch", "loopback", addr, addr.shown())
	case ipErr == nil && s.Leaf != nil && s.Leaf.VerifyHostname(host) == nil:
		return pass("covered", addr, addr.shown())
	case ipErr == nil && ip.IsPrivate():
		return fail("hostname-mismatch", "private", addr, addr.shown())
	case ipErr == nil:
		return fail("hostname-mismatch", "ip", addr, addr.shown())
	}
	return pass("name", addr, addr.shown())
}

func (s *Settings) publishedByOther(port string) bool {
	return s.container != nil && slices.ContainsFunc(s.container.others, func(p publishedPort) bool { return p.host == port })
}

// checkPublished follows the port that clients are given into the container.
func checkPublished(s *Settings) Result {
	_, wss, err := splitAddress(s.value(keyWSSAddr))
	if s.value(keyWSSAddr) == "" && !s.endsElsewhere() {
		_, wss, err = splitAddress(s.value(keyExternalWSSAddr)) // where it will have to listen
	}
	switch {
	case s.container == nil:
		return Result{Status: Skip, Key: "no-compose"}
	case err != nil || wss == "":
		return Result{Status: Skip, Key: "no-port"}
	case s.container.hostNetwork:
		return pass("host-network", wss)
	}
	_, external, err := splitAddress(s.value(keyExternalWSSAddr))
	if err != nil || s.value(keyExternalWSSAddr) == "" {
		external = wss
	}
	external = cmp.Or(external, "443")
	leads, random := "", false
	for _, p := range s.container.ports {
		switch {
		case p.protocol == "udp":
		case p.host == external && p.container == wss:
			if ip, err := netip.ParseAddr(p.address); err == nil && ip.IsLoopback() {
				return warn("connection-interrupted", "loopback", external, p.address)
			}
			return pass("published", external, wss)
		case p.host == external:
			return s.checkLeadsTo(external, p.container, wss)
		case p.container == wss:
			leads, random = p.host, p.host == ""
		}
	}
	switch {
	case s.publishedByOther(external):
		return pass("proxy", external)
	case random:
		return fail("connection-interrupted", "random", external, wss)
	case leads != "":
		return warn("connection-interrupted", "other", external, leads, wss)
	}
	return fail("connection-interrupted", "unpublished", external, wss).fix(s.publish(external, wss))
}

// publish says how a port gets out of the container.
func (s *Settings) publish(external, wss string) Step {
	service := s.container.service
	return step("fix", "docker compose up -d "+shellescape.Quote(service), fmt.Sprintf("services:\n  %s:\n    ports:\n      - \"%s:%s\"", service, external, wss))
}

// checkLeadsTo is for a published port that leads to another one than wss.
func (s *Settings) checkLeadsTo(external, inside, wss string) Result {
	for _, key := range []string{keyWSAddr, keyAddr, keyHTTPAddr, keyManagerAddr} {
		if _, port, err := splitAddress(cmp.Or(s.value(key), defaults[key])); err == nil && port == inside {
			return fail("tls-on-plaintext-port", "plain", external, inside, spellings[key], wss).fix(s.publish(external, wss))
		}
	}
	return fail("connection-interrupted", "wrong", external, inside, wss).fix(s.publish(external, wss))
}
