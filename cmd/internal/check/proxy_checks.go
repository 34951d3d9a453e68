package check

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

// proxyChecks in the order of the checklist; each looks at one way of clients to
// WuKongIM.
var proxyChecks = []struct {
	id     string
	breaks Breaks
	run    func(*front) Result
}{
	{"proxy-site", "", checkSite},
	{"proxy-listen", AllClients, checkProxyListen},
	{"proxy-certificate", AllClients, checkProxyCertificate},
	{"proxy-name", AllClients, checkProxyName},
	{"proxy-protocols", AllClients, checkProxyProtocols},
	{"proxy-client-certificate", AllClients, checkProxyClient},
	{"proxy-upstream", AllClients, checkUpstream},
	{"proxy-upgrade", AllClients, checkUpgrade},
	{"proxy-timeout", SomeClients, checkProxyTimeout},
}

// Check runs the whole checklist over each way of clients to WuKongIM.
func (p *Proxy) Check() []Result {
	all := p.fronts()
	if len(all) == 0 {
		return []Result{Result{Status: Skip, Key: "none"}.of("proxy-site", "")}
	}
	var results []Result
	for _, f := range all {
		for _, check := range proxyChecks {
			results = append(results, check.run(f).of(check.id, check.breaks))
		}
	}
	if p.unread != nil {
		results = append(results, Result{Status: Skip, Key: "unread", Args: []Value{Path.of("file", p.unread.file), Number.of("line", p.unread.line)}}.of("proxy-site", ""))
	}
	return results
}

func (f *front) at(place string) Value { return Path.of("place", cmp.Or(place, f.file)) }

func (f *front) siteName() string {
	return cmp.Or(f.firstName(), strings.Join(f.names, " "), f.virtualHost.place)
}

// checkSite says which part of the configuration was looked at.
func checkSite(f *front) Result {
	to := []string{}
	if f.route != nil && f.route.to != nil {
		for _, t := range f.route.to.targets {
			to = append(to, t.String())
		}
	}
	return pass("found", Host.of("names", f.siteName()), f.at(f.virtualHost.place), Address.of("upstream", to))
}

// checkProxyListen wants TLS on the port that clients of wss connect to.
func checkProxyListen(f *front) Result {
	if f.listens == nil {
		return Result{Status: Skip, Key: "fragment"}
	}
	port := f.inside(f.port)
	for _, l := range f.listens {
		if l.port != port && f.path != "" && len(f.Clients) > 0 {
			continue
		}
		switch {
		case l.tls:
			return pass("tls", portValue("port", cmp.Or(l.port, f.port)))
		case f.transport && f.passesThrough():
			return pass("through", portValue("port", l.port))
		case l.port == "443" || f.isClients() && l.port == port:
			return fail("tls-on-plaintext-port", "plain", portValue("port", l.port), f.at(f.virtualHost.place)).instead(f.listenSteps(l.port)...)
		}
	}
	return Result{Status: Skip, Key: "elsewhere"}
}

// isClients tells whether the address of clients led here.
func (f *front) isClients() bool {
	return slices.ContainsFunc(f.Clients, func(a string) bool {
		host, port, err := splitAddress(a)
		return err == nil && strings.EqualFold(host, f.host) && cmp.Or(port, "443") == f.port && schemeOf(a) == "wss"
	})
}

// passesThrough tells whether TLS is left to WuKongIM.
func (f *front) passesThrough() bool {
	return f.route != nil && f.route.to != nil && slices.ContainsFunc(f.route.to.targets, func(t target) bool {
		kind, _ := f.kindOf(t)
		return kind == portWSS
	})
}

func (f *front) listenSteps(port string) []Step {
	if f.program != programNginx {
		return []Step{step("fix-tls", "", "")}
	}
	return append([]Step{step("fix-listen", "", "listen %[1]s ssl;", portValue("port", port))}, f.reload()...)
}

// checkProxyCertificate wants a certificate and a key where TLS ends.
func checkProxyCertificate(f *front) Result {
	switch {
	case !f.hasTLS():
		return Result{Status: Skip, Key: "unused"}
	case f.uncovered:
		return Result{Status: Skip, Key: "uncovered"}
	case f.secret.Status == Fail:
		return f.secret
	case f.automatic:
		return pass("automatic")
	case len(f.certificates) == 0 && f.partial:
		return Result{Status: Skip, Key: "fragment"}
	case len(f.certificates) == 0:
		return fail("cert-not-configured", "none", f.at(f.virtualHost.place)).instead(f.certificateSteps()...)
	}
	for _, own := range f.certificates {
		switch {
		case own.cert == "" || own.key == "" && f.program == programNginx:
			return fail("cert-not-configured", "half", f.at(f.virtualHost.place)).instead(f.certificateSteps()...)
		case strings.Contains(own.cert, "$"):
			return Result{Status: Skip, Key: "variable", Args: []Value{Path.of("file", own.cert)}}
		case f.container != nil && f.contents == nil && f.container.find(own.cert).kind == placeNowhere && !f.container.built:
			return fail("cert-file-missing", "not-mounted", Path.of("file", own.cert))
		case f.found(own).CertFile == "":
			return Result{Status: Skip, Key: "absent", Args: []Value{Path.of("file", own.cert)}}
		}
	}
	return pass("set", Path.of("file", f.certificates[0].cert))
}

func (f *front) certificateSteps() []Step {
	if f.program != programNginx {
		return []Step{step("fix-certificate", "", "")}
	}
	return append([]Step{step("fix-certificate", "", "ssl_certificate     /etc/nginx/certs/fullchain.pem;\nssl_certificate_key /etc/nginx/certs/privkey.pem;")}, f.reload()...)
}

// checkProxyName wants the site of the clients' name, and not the one that answers
// where no name fits.
func checkProxyName(f *front) Result {
	host := Host.of("host", f.host)
	switch {
	case f.host == "" || f.listens == nil:
		return Result{Status: Skip, Key: "no-name"}
	case f.transport && !f.hasTLS():
		return Result{Status: Skip, Key: "through"}
	case f.uncovered:
		return fail("hostname-mismatch", "uncovered", host, f.at(f.virtualHost.place)).instead(step("fix-hosts", "", "tls:\n  - hosts: [%[1]s]", host))
	case f.issued != nil && !slices.ContainsFunc(f.issued, func(name string) bool { return nameRank(strings.ToLower(name), f.host) >= rankLeading }):
		return fail("hostname-mismatch", "issued", host, Host.of("names", f.issued)).instead(step("fix-issued", "", "dnsNames: [%[1]s]", host))
	case f.rejects:
		return fail("hostname-mismatch", "rejected", host, f.at(f.virtualHost.place)).instead(f.nameSteps()...)
	case !f.fallen || len(f.names) == 0 && f.program != programNginx:
		return f.checkTwice(host)
	case !f.hasTLS():
		return Result{Status: Skip, Key: "no-name"}
	case f.coversHost():
		return pass("default", host, f.at(f.virtualHost.place))
	case len(f.certificates) == 0 && !f.automatic || f.leaf() == nil:
		return warn("hostname-mismatch", "unknown", host, Host.of("default", f.siteName()), f.at(f.virtualHost.place))
	}
	return fail("hostname-mismatch", "other", host, Host.of("default", f.siteName()), f.at(f.virtualHost.place)).instead(f.nameSteps()...)
}

func (f *front) nameSteps() []Step {
	if f.program != programNginx {
		return []Step{step("fix-name", "", "")}
	}
	return append([]Step{step("fix-name", "", "server_name %[1]s;", Host.of("host", f.host))}, f.reload()...)
}

// checkTwice looks for a second site of the name on the port, which nginx ignores.
func (f *front) checkTwice(host Value) Result {
	port := f.inside(f.port)
	for _, other := range f.sites {
		if other != f.virtualHost && f.virtualHost.on(port) && other.on(port) && slices.Contains(other.names, f.host) && slices.Contains(f.names, f.host) && f.likeliest(other) != nil {
			return warn("", "twice", host, f.at(f.virtualHost.place), Path.of("second", other.place))
		}
	}
	return pass("served", host)
}

// leaf is the certificate that the site has, nil where it cannot be read.
func (f *front) leaf() *x509.Certificate {
	for _, c := range f.files() {
		if leaf := c.Leaf(); leaf != nil {
			return leaf
		}
	}
	return nil
}

func (f *front) coversHost() bool {
	leaf := f.leaf()
	return leaf != nil && leaf.VerifyHostname(f.host) == nil
}

// checkProxyProtocols wants the versions that clients have.
func checkProxyProtocols(f *front) Result {
	has := func(version string) bool {
		return slices.ContainsFunc(f.protocols, func(p string) bool { return strings.EqualFold(p, version) })
	}
	versions := Text.of("versions", f.protocols)
	switch {
	case !f.hasTLS():
		return Result{Status: Skip, Key: "unused"}
	case f.protocols == nil:
		return pass("usual")
	case !has("TLSv1.2") && !has("TLSv1.3"):
		return fail("protocol-version", "old", versions, f.at(f.virtualHost.place)).instead(f.protocolSteps()...)
	case !has("TLSv1.2"):
		return warn("protocol-version", "new", versions, f.at(f.virtualHost.place)).fix(f.protocolSteps()...)
	}
	return pass("set", versions)
}

func (f *front) protocolSteps() []Step {
	if f.program != programNginx {
		return []Step{step("fix-protocols", "", "")}
	}
	return append([]Step{step("fix-protocols", "", "ssl_protocols TLSv1.2 TLSv1.3;")}, f.reload()...)
}

// checkProxyClient wants no certificate of clients, which no SDK of WuKongIM sends.
func checkProxyClient(f *front) Result {
	switch {
	case !f.hasTLS():
		return Result{Status: Skip, Key: "unused"}
	case f.client == "on":
		steps := []Step{step("fix-client", "", "")}
		if f.program == programNginx {
			steps = append([]Step{step("fix-client", "", "ssl_verify_client off;")}, f.reload()...)
		}
		return fail("client-certificate", "wanted", f.at(f.virtualHost.place)).instead(steps...)
	}
	return pass("none")
}

// checkUpstream wants the plain ws port behind TLS.
func checkUpstream(f *front) Result {
	if f.route == nil || f.route.to == nil {
		return f.unproxied()
	}
	if other := f.likeliest(f.virtualHost); f.likeness(f.route) == 0 && other != nil && other != f.route && other.kind != pathPattern {
		return f.elsewhere(other)
	}
	first := pass("ws", Address.of("upstream", f.route.to.targets[0]))
	for i, t := range f.route.to.targets {
		switch r := f.checkTarget(t); {
		case r.Status != Pass:
			return r
		case i == 0 && r.Key != "":
			first = r
		}
	}
	return first
}

// unproxied is for a path that the program answers by itself.
func (f *front) unproxied() Result {
	if other := f.likeliest(f.virtualHost); other != nil && other.kind != pathPattern {
		return f.elsewhere(other)
	}
	return fail("connection-interrupted", "unproxied", Text.of("path", f.path), f.at(f.virtualHost.place)).instead(f.locationSteps("/", "127.0.0.1:5200")...)
}

// elsewhere is for clients that are sent to a path which is not WuKongIM's.
func (f *front) elsewhere(other *route) Result {
	address := "wss://" + f.host
	if f.port != "443" {
		address += ":" + f.port
	}
	return fail("connection-interrupted", "path", Text.of("path", f.path), Text.of("other", other.path), f.at(other.place)).
		instead(step("fix-path", "", "external:\n  wssAddr: \"%[1]s\"", Address.of("address", address+other.path)))
}

func (f *front) checkTarget(t target) Result {
	upstream, kind, sure := Address.of("upstream", t), portOther, false
	kind, sure = f.kindOf(t)
	if f.container != nil && !f.container.hostNetwork && !f.container.joined && isLoopback(t.host) {
		return fail("connection-interrupted", "loopback", upstream, Name.of("service", f.container.service)).instead(f.locationSteps(f.route.path, f.serverAddress())...)
	}
	if f.isStranger(t.host) {
		return fail("connection-interrupted", "stranger", upstream).instead(f.locationSteps(f.route.path, f.serverAddress())...)
	}
	through := f.transport && !f.hasTLS()
	switch {
	case f.route.to.absent:
		return fail("connection-interrupted", "absent", Name.of("backend", t.host), Text.of("backend_port", t.port)).instead(f.locationSteps(f.route.path, f.plainOf(t))...)
	case f.route.to.announced && kind == portWSS:
		return fail("plaintext-on-tls-port", "announced", upstream)
	case kind == portTCP && f.transport:
		return pass("ws", upstream)
	case through && kind == portWSS:
		return pass("through", upstream)
	case through && kind == portWS && f.isClients():
		return fail("tls-on-plaintext-port", "through-plain", upstream).instead(step("fix-wss", "", ""))
	case f.route.to.tls && kind == portWSS && !f.route.to.fresh:
		return warn("connection-interrupted", "twice", upstream).fix(f.locationSteps(f.route.path, f.plainOf(t))...)
	case f.route.to.tls && kind != portOther && kind != portWSS && kind != portNone:
		return fail("tls-on-plaintext-port", "https", upstream).instead(f.locationSteps(f.route.path, f.plainOf(t))...)
	case !f.route.to.tls && kind == portWSS && (sure || len(f.route.to.targets) == 1):
		return fail("plaintext-on-tls-port", "wss", upstream).instead(f.locationSteps(f.route.path, f.plainOf(t))...)
	case !f.route.to.tls && kind == portWSS:
		return warn("plaintext-on-tls-port", "perhaps-wss", upstream)
	case kind == portTCP || kind == portHTTP:
		return fail("connection-interrupted", "other-port", upstream, Text.of("kind", kind)).instead(f.locationSteps(f.route.path, f.plainOf(t))...)
	case kind == portNone:
		return fail("connection-interrupted", "none", upstream).instead(f.locationSteps(f.route.path, f.plainOf(t))...)
	case kind == portOther:
		return Result{Status: Skip, Key: "unknown", Args: []Value{upstream}}
	}
	return Result{Status: Pass}
}

// plainOf is the plain port beside another one of the same host.
func (f *front) plainOf(t target) string { return target{t.host, f.plainPort()}.String() }

// plainPort is that of ws, in the container or on this machine.
func (f *front) plainPort() string {
	for _, s := range f.Servers {
		if _, port, err := splitAddress(s.value(keyWSAddr)); err == nil && port != "" {
			return port
		}
	}
	return "5200"
}

// serverAddress is where a container reaches the plain port.
func (f *front) serverAddress() string {
	for _, s := range f.Servers {
		if s.container != nil {
			return target{s.container.service, f.plainPort()}.String()
		}
	}
	return target{"host.docker.internal", f.plainPort()}.String()
}

const nginxLocation = `location %[1]s {
    proxy_pass http://%[2]s;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_set_header Host $host;
    proxy_read_timeout 300s;
}`

// locationSteps say how to lead to the plain port with all that WebSocket needs.
func (f *front) locationSteps(path, to string) []Step {
	upstream := Address.of("plain", to)
	switch {
	case f.transport:
		return []Step{step("fix-upstream", "", "", upstream)}
	case f.program == programNginx:
		return append([]Step{step(sharedReason+"fix-location", "", nginxLocation, Text.of("location", cmp.Or(path, "/")), upstream)}, f.reload()...)
	case f.program == programCaddy:
		return []Step{step("fix-upstream", "", "reverse_proxy %[1]s", upstream)}
	case f.program == programIngress:
		return []Step{step("fix-ingress", "", "backend:\n  service:\n    name: %[1]s\n    port:\n      number: %[2]s", Name.of("service", hostOf(to)), Number.of("ws_port", f.plainPort()))}
	case f.program == programTraefik:
		return []Step{step("fix-upstream", "", "traefik.http.services.wukongim.loadbalancer.server.port=%[1]s", portValue("ws_port", f.plainPort()))}
	}
	return []Step{step("fix-upstream", "", "", upstream)}
}

func hostOf(address string) string {
	host, _, _ := splitAddress(address)
	return host
}

// checkUpgrade wants what nginx passes of an upgrade only when it is told to.
func checkUpgrade(f *front) Result {
	if f.route == nil || f.route.to == nil || f.transport {
		return Result{Status: Skip, Key: "unused"}
	}
	h, at := f.route.to.headers, f.at(f.route.place)
	repair := func(r Result) Result { return r.instead(f.locationSteps(f.route.location(), f.upstreamShown())...) }
	switch {
	case h == nil:
		return pass("automatic")
	case h.unknown != "":
		return repair(fail("connection-interrupted", "variable", Text.of("variable", "$"+h.unknown), at).breaking(TheServer))
	case h.version == "1.0":
		return repair(fail("connection-interrupted", "version", at))
	case h.upgrade == "" && f.isFragment():
		return Result{Status: Skip, Key: "fragment"}
	case h.upgrade == "":
		return repair(fail("connection-interrupted", "upgrade", at))
	case !strings.EqualFold(h.connection, "upgrade") && !strings.HasPrefix(h.connection, "$"):
		return repair(fail("connection-interrupted", "connection", at))
	case h.version == "":
		return warn("connection-interrupted", "version-usual", at).fix(append([]Step{step("fix-version", "", "proxy_http_version 1.1;")}, f.reload()...)...)
	}
	return pass("passed")
}

// isFragment tells that the headers may stand in a block around what was read, of
// which nothing is there: not even a server.
func (f *front) isFragment() bool { return f.listens == nil }

// location as it stands in the configuration.
func (r *route) location() string {
	switch r.kind {
	case pathExact:
		return "= " + r.path
	case pathFirm:
		return "^~ " + r.path
	case pathPattern:
		if rest, ok := strings.CutPrefix(r.path, "(?i)"); ok {
			return "~* " + rest
		}
		return "~ " + r.path
	}
	return cmp.Or(r.path, "/")
}

// upstreamShown is where a route leads to, or should.
func (f *front) upstreamShown() string {
	t := f.route.to.targets[0]
	if kind, _ := f.kindOf(t); kind != portWS && kind != portOther {
		return f.plainOf(t)
	}
	return t.String()
}

// heartbeat is how often the SDKs of clients send one (WuKongIMJSSDK src/config.ts:
// heartbeatInterval 60000); WuKongIM itself ends a connection after three minutes
// without (v2.2.5 internal/options/options.go:406 ConnIdleTime).
const heartbeat = 60 * time.Second

// checkProxyTimeout wants connections to outlive the time between two heartbeats.
func checkProxyTimeout(f *front) Result {
	switch {
	case f.route == nil || f.route.to == nil:
		return Result{Status: Skip, Key: "unused"}
	case f.route.to.setting == unknownSetting:
		return Result{Status: Skip, Key: "class"}
	case f.route.to.timeout == 0:
		return pass("none")
	case f.route.to.timeout <= heartbeat && f.isFragment():
		return Result{Status: Skip, Key: "fragment"}
	case f.route.to.timeout <= heartbeat:
		r := warn("connection-interrupted", "short", Text.of("setting", f.route.to.setting), seconds("timeout", f.route.to.timeout), seconds("heartbeat", heartbeat), f.at(f.route.place))
		if f.program == programNginx {
			return r.fix(append([]Step{step("fix-timeout", "", "%[1]s 300s;", Text.of("setting", f.route.to.setting))}, f.reload()...)...)
		}
		return r.fix(f.timeoutStep())
	}
	return pass("long", seconds("timeout", f.route.to.timeout))
}

func (f *front) timeoutStep() Step {
	switch f.program {
	case programIngress:
		return step("fix-timeout", "", "metadata:\n  annotations:\n    nginx.ingress.kubernetes.io/proxy-read-timeout: \"300\"\n    nginx.ingress.kubernetes.io/proxy-send-timeout: \"300\"")
	case programHAProxy:
		return step("fix-timeout", "", "timeout tunnel 300s")
	}
	return step("fix-timeout", "", "")
}

func seconds(name string, d time.Duration) Value {
	return Text.of(name, fmt.Sprintf("%.0f s", d.Seconds()))
}
