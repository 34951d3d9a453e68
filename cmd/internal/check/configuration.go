package check

import (
	"cmp"
	"net"
	"net/netip"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// podChecks are for containers of Kubernetes alone.
var podChecks = []struct {
	id     string
	breaks Breaks
	run    func(*Settings) Result
}{
	{"config-secret", TheServer, checkSecrets},
	{"config-probes", TheServer, checkProbes},
	{"config-policies", AllClients, checkPolicies},
}

// Check runs the whole checklist over the settings.
func (s *Settings) Check() []Result {
	var results []Result
	if found := s.misspelled(); len(found) > 0 {
		results = append(results, s.checkKeys(found).of("config-keys", AllClients))
	}
	for _, check := range configurationChecks {
		if check.id == "config-service" && s.container != nil && s.container.pod {
			continue // it is named by what was read
		}
		results = append(results, check.run(s).of(check.id, check.breaks))
	}
	if s.container != nil && s.container.pod {
		for _, check := range podChecks {
			results = append(results, check.run(s).of(check.id, check.breaks))
		}
	}
	return results
}

// wanted tells whether anything speaks of wss.
func (s *Settings) wanted() bool {
	return s.value(keyWSSAddr)+s.value(keyCertFile)+s.value(keyKeyFile)+s.value(keyExternalWSSAddr) != ""
}

// StandBehind says that a program in front of it ends TLS at the address of its clients.
func (s *Settings) StandBehind() { s.proxied = true }

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
	case s.container.alike < isAlike:
		return warn("", "unlike", Name.of("service", s.container.service))
	}
	return pass("service", Name.of("service", s.container.service))
}

// checkListen looks at wssAddr, the address to listen on.
func checkListen(s *Settings) Result {
	addr := s.setting(keyWSSAddr)
	switch {
	case addr.value == "" && s.endsElsewhere():
		return Result{Status: Skip, Key: "proxy"}
	case addr.value == "" && s.value(keyCertFile)+s.value(keyKeyFile) != "":
		return fail("listen-address-invalid", "certificate-only", addr.named()).breaking(AllClients)
	case s.missesWSS():
		return fail("listen-address-invalid", "external-only", addr.named(), s.setting(keyExternalWSSAddr).as("external")).breaking(AllClients).instead(s.offerWSS()...)
	case addr.value == "":
		return Result{Status: Skip, Key: "unused", Args: []Value{addr.named()}}
	case quoted(addr.value):
		return fail("listen-address-invalid", "quotes", addr.named(), addr.address())
	case schemeOf(addr.value) != "wss":
		return fail("listen-address-invalid", "scheme", addr.named(), addr.address())
	}
	host, port, err := net.SplitHostPort(strings.TrimPrefix(addr.value, "wss://"))
	if err != nil {
		return fail("listen-address-invalid", "port", addr.named(), addr.address())
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return fail("listen-address-invalid", "port", addr.named(), addr.address())
	}
	if r := s.checkLocal(addr, host); r.Status != Pass {
		return r
	}
	if number < 1024 && !s.isRoot() {
		return warn("listen-port-denied", "privileged", addr.named(), Number.of("port", number))
	}
	return pass("local", addr.named(), addr.address()).rulesOut("listen-address-invalid")
}

// checkLocal wants an address that the server can listen on, and clients reach.
func (s *Settings) checkLocal(addr setting, host string) Result {
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && ip.IsUnspecified():
		return Result{Status: Pass}
	case host == "localhost" || err == nil && ip.IsLoopback():
		return warn("connection-interrupted", "loopback", addr.named(), addr.address())
	case err != nil:
		return fail("listen-address-invalid", "name", addr.named(), Host.of("host", host))
	case s.container != nil && !s.container.hostNetwork:
		return fail("listen-address-invalid", "container", addr.named(), Host.of("host", host))
	case !slices.ContainsFunc(s.addresses(), func(own net.IP) bool { return own.Equal(ip.AsSlice()) }):
		return fail("listen-address-invalid", "foreign", addr.named(), Host.of("host", host))
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
		return Result{Status: Skip, Key: "no-port", Args: []Value{s.setting(keyWSSAddr).named()}}
	}
	for _, key := range []string{keyWSAddr, keyAddr, keyHTTPAddr, keyManagerAddr, keyDemoAddr, keyClusterAddr} {
		_, port, err := splitAddress(cmp.Or(s.value(key), defaults[key]))
		if err == nil && port == wss {
			return fail("listen-port-in-use", "twice", portValue("port", wss), s.setting(keyWSSAddr).named(), s.setting(key).as("other"))
		}
	}
	return pass("different", portValue("port", wss))
}

// checkConfigured wants both files where the server listens for wss: without
// them the first ClientHello, whoever sends it, crashes the server (WuKongIM v2.2.5
// internal/options/options.go:891).
func checkConfigured(s *Settings) Result {
	r := s.configured()
	for _, other := range s.others {
		if o := other.configured(); r.Status != Fail && o.Status == Fail && other.value(keyWSSAddr) != "" {
			o.Key, o.Args = "other-"+o.Key, append([]Value{Name.of("service", other.container.service)}, o.Args...)
			r = o
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
		return fail("cert-not-configured", "external-only", s.setting(keyExternalWSSAddr).named(), cert.as("certificate"), key.as("key")).instead(s.offerWSS()...)
	case cert.value == "" && key.value == "" && listen.value == "":
		return Result{Status: Skip, Key: "unused"}
	case cert.value == "" && key.value == "":
		return fail("cert-not-configured", "none", listen.named(), cert.as("certificate"), key.as("key"))
	case cert.value == "":
		return fail("cert-not-configured", "half", key.named(), cert.as("missing"))
	case key.value == "":
		return fail("cert-not-configured", "half", cert.named(), key.as("missing"))
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
	external := s.setting(keyExternalWSSAddr)
	_, listen, err := splitAddress(external.value)
	address := external.shown()
	if err != nil || listen == "" || quoted(address) {
		address, listen = "wss://im.example.com:5210", "5210"
	}
	if s.container != nil && s.container.pod {
		return s.offerInPod(listen, address)
	}
	service := Name.of("service", "wukongim")
	if s.container != nil && !s.container.unmapped {
		service = Name.of("service", s.container.service)
	}
	return []Step{
		step(sharedReason+"fix-files", "", ""),
		step(sharedReason+"fix-all", "", offered, service, portValue("port", listen), Address.of("address", address)),
		s.restartStep(),
	}
}

// offered are the settings of wss, in both forms.
const offered = `# docker-compose.yml
services:
  %[1]s:
    environment:
      WK_WSSADDR: "wss://0.0.0.0:%[2]s"
      WK_WSSCONFIG_CERTFILE: "/root/wukongim/certs/fullchain.pem"
      WK_WSSCONFIG_KEYFILE: "/root/wukongim/certs/privkey.pem"
      WK_EXTERNAL_WSSADDR: "%[3]s"
    volumes:
      - ./wukongimdata:/root/wukongim
    ports:
      - "%[2]s:%[2]s"

# or wk.yaml
wssAddr: "wss://0.0.0.0:%[2]s"
wssConfig:
  certFile: "/root/wukongim/certs/fullchain.pem"
  keyFile: "/root/wukongim/certs/privkey.pem"
external:
  wssAddr: "%[3]s"`

// checkPath follows the path of a file into the container, or on this machine.
func (s *Settings) checkPath(key string) Result {
	set := s.setting(key)
	file := set.value
	switch {
	case file == "":
		return skipped("path-unset", set.named())
	case isText(file):
		return fail("cert-file-missing", sharedReason+"path-content", set.named())
	case quoted(file):
		return fail("cert-file-missing", sharedReason+"path-quotes", set.named(), Path.of("path", file))
	case file != strings.TrimSpace(file):
		return fail("cert-file-missing", sharedReason+"path-space", set.named(), Path.of("path", file))
	case strings.HasPrefix(file, "~"):
		return fail("cert-file-missing", sharedReason+"path-tilde", set.named(), Path.of("path", file))
	case s.container != nil && !path.IsAbs(file):
		return fail("cert-file-missing", sharedReason+"path-relative", set.named(), Path.of("path", file))
	case s.container != nil:
		return s.checkMount(set)
	case s.process == nil && isInImage(file) && !exists(file):
		return skipped("path-image", set.named(), Path.of("path", file))
	case s.process == nil && !filepath.IsAbs(file):
		return warn("cert-file-missing", sharedReason+"path-from-folder", set.named(), Path.of("path", file))
	}
	return pass(sharedReason+"path-path", set.named(), Path.of("path", file))
}

// checkMount looks for the file where the container's path leads.
func (s *Settings) checkMount(set setting) Result {
	at := s.container.find(set.value)
	if r, known := s.container.inside(set, at); known {
		return r
	}
	switch {
	case at.kind == placeObject:
		return s.checkObject(set, at)
	case at.kind == placeNowhere && s.container.pod && s.container.built:
		return skipped("path-image", set.named(), set.path())
	case at.kind == placeHostPath:
		return fail("cert-file-missing", sharedReason+"path-host-path", set.named(), set.path(), Path.of("inside", at.path)).instead(s.pathSteps(set, at)...)
	case at.kind == placeNowhere && s.container.built:
		return skipped("path-built", set.named(), set.path())
	case at.kind == placeNowhere:
		return fail("cert-file-missing", sharedReason+"path-not-mounted", set.named(), set.path()).instead(s.mountSteps(set)...)
	case at.kind == placeVolume:
		return pass(sharedReason+"path-volume", set.path(), Name.of("volume", at.mount))
	case !exists(at.mount):
		return fail("cert-file-missing", sharedReason+"path-no-source", Path.of("source", at.mount), Path.of("target", at.target))
	case path.Clean(at.target) == path.Clean(set.value) && isDir(at.mount):
		return fail("cert-file-missing", sharedReason+"path-folder", Path.of("source", at.mount), Path.of("target", at.target))
	}
	end := s.container.follow(set.value)
	switch {
	case end.kind == placeVolume:
		return pass(sharedReason+"path-volume", set.path(), Name.of("volume", end.mount))
	case end.kind != placeBind && within(absolute(end.link), absolute(at.mount)):
		return fail("cert-file-missing", sharedReason+"path-link-absolute", set.path(), Path.of("link", end.link))
	case end.kind != placeBind:
		return fail("cert-file-missing", sharedReason+"path-link", set.path(), Path.of("link", end.link), Path.of("mount", at.mount))
	case isClosed(end.path):
		return fileClosed(end.path)
	case !exists(end.path):
		return fail("cert-file-missing", sharedReason+"path-missing", set.path(), Path.of("on_host", end.path))
	}
	return pass(sharedReason+"path-mounted", set.path(), Path.of("on_host", end.path))
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
		return fail("hostname-mismatch", "missing", addr.named())
	case quoted(addr.value):
		return fail("hostname-mismatch", "quotes", addr.named(), addr.address())
	case scheme == "ws" || scheme == "http":
		return fail("insecure-websocket-on-https-page", "plain", addr.named(), addr.address())
	case scheme != "wss" || err != nil || host == "":
		return fail("hostname-mismatch", "scheme", addr.named(), addr.address())
	case ipErr == nil && ip.IsUnspecified():
		return fail("hostname-mismatch", "unspecified", addr.named(), addr.address())
	case host == "localhost" || ipErr == nil && ip.IsLoopback():
		return fail("hostname-mismatch", "loopback", addr.named(), addr.address())
	case ipErr == nil && s.Leaf != nil && s.Leaf.VerifyHostname(host) == nil:
		return pass("covered", addr.named(), addr.address())
	case ipErr == nil && ip.IsPrivate():
		return fail("hostname-mismatch", "private", addr.named(), addr.address())
	case ipErr == nil:
		return fail("hostname-mismatch", "ip", addr.named(), addr.address())
	}
	return pass("name", addr.named(), addr.address())
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
	case s.container.pod:
		return s.checkRouted(wss)
	case err != nil || wss == "":
		return Result{Status: Skip, Key: "no-port"}
	case s.container.unmapped:
		return Result{Status: Skip, Key: "no-compose"}
	case s.container.hostNetwork:
		return pass("host-network", portValue("port", wss))
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
				return warn("connection-interrupted", "loopback", portValue("port", external), Host.of("address", p.address)).fix(s.published(external, wss)...)
			}
			return pass("published", portValue("port", external), portValue("wss", wss))
		case p.host == external:
			return s.checkLeadsTo(external, p.container, wss)
		case p.container == wss:
			leads, random = p.host, p.host == ""
		}
	}
	switch {
	case s.publishedByOther(external):
		return pass("proxy", portValue("port", external))
	case random:
		return fail("connection-interrupted", "random", portValue("port", external), portValue("wss", wss))
	case leads != "":
		return warn("connection-interrupted", "other", portValue("port", external), portValue("published", leads), portValue("wss", wss)).fix(s.readdressed(leads)...)
	}
	return fail("connection-interrupted", "unpublished", portValue("port", external), portValue("wss", wss)).fix(s.publish(external, wss)...)
}

// publish says how a port gets out of the container.
func (s *Settings) publish(external, wss string) []Step {
	if steps := s.published(external, wss); steps != nil {
		return steps
	}
	if s.container.running != "" && s.container.composed == "" {
		return []Step{step("fix-run", "docker inspect --format '{{json .HostConfig}}' %[1]s", "-p %[2]s:%[3]s",
			Name.of("container", s.container.running), portValue("port", external), portValue("wss", wss))}
	}
	return []Step{step("fix", "docker compose up -d %[1]s", "services:\n  %[1]s:\n    ports:\n      - \"%[2]s:%[3]s\"",
		Name.of("service", s.container.service), portValue("port", external), portValue("wss", wss))}
}

// published runs a container again with the port, nil where that cannot be said.
func (s *Settings) published(external, wss string) []Step {
	if r := s.container.rerun(); r != nil {
		return r.published(external, wss).steps("fix-publish")
	}
	return nil
}

// readdressed sends clients to the port that is published, in a container that was found.
func (s *Settings) readdressed(port string) []Step {
	host := s.Host()
	if s.container.running == "" || !isDomain(host) {
		return nil
	}
	steps := s.change(change{keyExternalWSSAddr, "wss://" + net.JoinHostPort(host, port)})
	steps[0].Key = "fix-other"
	return steps
}

// checkLeadsTo is for a published port that leads to another one than wss.
func (s *Settings) checkLeadsTo(external, inside, wss string) Result {
	for _, key := range []string{keyWSAddr, keyAddr, keyHTTPAddr, keyManagerAddr} {
		if _, port, err := splitAddress(cmp.Or(s.value(key), defaults[key])); err == nil && port == inside {
			return fail("tls-on-plaintext-port", "plain", portValue("port", external), portValue("inside", inside), Text.of("setting", spellings[key]), portValue("wss", wss)).fix(s.publish(external, wss)...)
		}
	}
	return fail("connection-interrupted", "wrong", portValue("port", external), portValue("inside", inside), portValue("wss", wss)).fix(s.publish(external, wss)...)
}
