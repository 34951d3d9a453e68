package check

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// serviceSpec is what a Service does (Kubernetes API, ServiceSpec v1).
type serviceSpec struct {
	Type     string
	Selector map[string]string
	Ports    []struct {
		Name, Protocol string
		Port, NodePort int
		TargetPort     any
	}
}

// routedPort is a port of a Service that leads to one of a container.
type routedPort struct {
	service, name string
	// port is the Service's, node that of every node, empty for none.
	port, node string
	inside     string
	// balanced says that a load balancer of the cluster's own has the Service's port,
	// waiting that it has no address yet.
	balanced, waiting bool
}

// isOutside tells whether clients outside the cluster reach it on a port.
func (r *routedPort) isOutside(port string) bool {
	return r.balanced && r.port == port || r.node == port && port != ""
}

// publish finds the Services that lead to a container.
func (c *cluster) publish(o *kubeObject, box *container, labels map[string]string) {
	for _, service := range c.of("Service") {
		var spec serviceSpec
		if decode(service.Spec, &spec) != nil || len(spec.Selector) == 0 {
			continue
		}
		name := service.Metadata.Name
		if !selects(spec.Selector, labels) {
			if looksLikeWuKongIM(name) || name == o.Metadata.Name {
				box.stray = name
			}
			continue
		}
		box.aliases = append(box.aliases, name, name+"."+service.Metadata.Namespace, name+"."+service.Metadata.Namespace+".svc", name+"."+service.Metadata.Namespace+".svc.cluster.local")
		for _, p := range spec.Ports {
			if strings.EqualFold(p.Protocol, "UDP") {
				continue
			}
			inside := fmt.Sprint(cmp.Or(p.TargetPort, any(p.Port)))
			r := routedPort{service: name, name: p.Name, port: fmt.Sprint(p.Port), inside: cmp.Or(box.portNames[inside], inside), balanced: spec.Type == "LoadBalancer"}
			r.waiting = r.balanced && service.waits()
			if p.NodePort > 0 {
				r.node = fmt.Sprint(p.NodePort)
			}
			box.routed = append(box.routed, r)
			box.ports = append(box.ports, publishedPort{container: r.inside})
		}
	}
	if len(c.of("Ingress"))+len(c.of("IngressRoute")) > 0 {
		box.others = []publishedPort{{host: "443"}}
	}
}

// waits tells of a Service that its load balancer has no address; a manifest does not say.
func (o *kubeObject) waits() bool {
	var status struct {
		LoadBalancer *struct{ Ingress []any }
	}
	return decode(o.Status, &status) == nil && status.LoadBalancer != nil && len(status.LoadBalancer.Ingress) == 0
}

// selects tells whether a selector fits labels.
func selects(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// checkRouted follows the port that clients are given through the Services into the
// pod.
func (s *Settings) checkRouted(wss string) Result {
	c := s.container
	_, external, err := splitAddress(s.value(keyExternalWSSAddr))
	if err != nil || s.value(keyExternalWSSAddr) == "" {
		external = wss
	}
	external = cmp.Or(external, "443")
	switch {
	case wss == "" || s.endsElsewhere():
		return Result{Status: Skip, Key: "no-port"}
	case c.hostNetwork:
		return pass("host-network", portValue("port", wss))
	case len(c.routed) == 0 && c.stray != "":
		return fail("connection-interrupted", "selector", Name.of("service", c.stray)).instead(step("fix-selector", "kubectl get endpoints %[1]s", "", Name.of("service", c.stray)))
	case len(c.routed) == 0:
		return Result{Status: Skip, Key: "no-service"}
	}
	var leads *routedPort
	for i, r := range c.routed {
		switch {
		case r.waiting && r.port == external && r.inside == wss:
			return fail("connection-interrupted", "waiting", Name.of("service", r.service)).instead(step("fix-waiting", "kubectl describe service %[1]s", "", Name.of("service", r.service)))
		case r.isOutside(external) && r.inside == wss:
			return pass("published", portValue("port", external), portValue("wss", wss))
		case r.isOutside(external):
			return s.leadsAstray(r, external, wss)
		case r.inside == wss:
			leads = &c.routed[i]
		}
	}
	switch {
	case s.publishedByOther(external):
		return pass("proxy", portValue("port", external))
	case leads != nil && !leads.balanced && leads.node == "":
		return warn("connection-interrupted", "inside", Name.of("service", leads.service), portValue("wss", wss))
	case leads != nil:
		return warn("connection-interrupted", "other", portValue("port", external), portValue("published", cmp.Or(leads.node, leads.port)), portValue("wss", wss))
	}
	return fail("connection-interrupted", "unrouted", Name.of("service", c.routed[0].service), portValue("wss", wss)).instead(servicePort(c.routed[0].service, external, wss))
}

// leadsAstray is for a port of a Service that leads to another one than wss.
func (s *Settings) leadsAstray(r routedPort, external, wss string) Result {
	fix := servicePort(r.service, external, wss)
	if kind, _ := s.portKind(r.inside); kind == portWS || kind == portTCP || kind == portHTTP {
		return fail("tls-on-plaintext-port", "plain", portValue("port", external), portValue("inside", r.inside), Text.of("setting", kind), portValue("wss", wss)).instead(fix)
	}
	return fail("connection-interrupted", "wrong", portValue("port", external), portValue("inside", r.inside), portValue("wss", wss)).instead(fix)
}

func servicePort(service, external, wss string) Step {
	return step("fix-service", "kubectl edit service %[1]s", "ports:\n  - name: wss\n    port: %[2]s\n    targetPort: %[3]s", Name.of("service", service), portValue("port", external), portValue("wss", wss))
}

// checkProbes wants no probe on the wss port: what the kubelet sends is not TLS, or
// no handshake.
func checkProbes(s *Settings) Result {
	_, wss, err := splitAddress(s.value(keyWSSAddr))
	if err != nil || wss == "" {
		return Result{Status: Skip, Key: "unused"}
	}
	at := func(port any) bool {
		name := fmt.Sprint(port)
		return cmp.Or(s.container.portNames[name], name) == wss
	}
	api := Step{Key: "fix", Config: "%[1]s:\n  httpGet:\n    path: /health\n    port: 5001"}
	for _, name := range slices.Sorted(maps.Keys(s.container.probes)) {
		probe, kind := s.container.probes[name], Text.of("probe", name)
		api.Values = []Value{kind}
		switch {
		case probe == nil:
		case probe.HTTPGet != nil && at(probe.HTTPGet.Port) && strings.EqualFold(probe.HTTPGet.Scheme, "HTTPS"):
			return fail("connection-interrupted", "https", kind, portValue("port", wss)).instead(api)
		case probe.HTTPGet != nil && at(probe.HTTPGet.Port):
			return fail("plaintext-on-tls-port", "http", kind, portValue("port", wss)).instead(api)
		case probe.TCPSocket != nil && at(probe.TCPSocket.Port):
			return warn("scanner-probe", "tcp", kind, portValue("port", wss)).fix(api)
		}
	}
	return pass("elsewhere")
}

// checkSecrets looks at what the mounted Secrets hold.
func checkSecrets(s *Settings) Result {
	looked := ""
	for _, key := range []string{keyCertFile, keyKeyFile} {
		at := s.container.find(s.value(key))
		if at.kind != placeObject || at.object.missing {
			continue
		}
		looked = strings.Join(at.object.names, ", ")
		if r := checkSecret(looked, at.object.files); r.Status == Fail {
			return r
		}
	}
	if looked == "" {
		return Result{Status: Skip, Key: "none"}
	}
	return pass("fit", Name.of("object", looked))
}

// checkSecret wants what a Secret holds to be Base64 once: tools that encode by
// themselves are often given what is encoded already (WuKongIM issue 449).
func checkSecret(name string, files map[string][]byte) Result {
	for _, key := range sortedKeys(files) {
		if _, is := decodedAgain(files[key]); is {
			return fail("cert-not-pem", sharedReason+"secret-twice", Name.of("object", name), Path.of("key", key)).instead(secretSteps(name)...)
		}
	}
	return pass("fit", Name.of("object", name))
}

// secretSteps make a Secret anew.
func secretSteps(name string) []Step {
	return []Step{
		step(sharedReason+"fix-encode", "kubectl create secret tls %[1]s --cert=fullchain.pem --key=privkey.pem --dry-run=client -o yaml", "", Name.of("secret", lastPart(name))),
		step(sharedReason+"fix-apply", "", ""),
	}
}

// decodedAgain tells text that is Base64 of PEM, and decodes it.
func decodedAgain(data []byte) ([]byte, bool) {
	text := bytes.Join(bytes.Fields(data), nil)
	decoded := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(decoded, text)
	return decoded[:n], err == nil && bytes.Contains(decoded[:n], []byte("-----BEGIN "))
}

// secrets are the certificates of Secrets, for manifests that hold nothing else.
func (c *cluster) secrets() (all []Certificates) {
	for _, o := range c.of("Secret") {
		data := c.data("Secret", o.Metadata.Name, o.Metadata.Namespace)
		if data["tls.crt"] == nil && data["tls.key"] == nil {
			continue
		}
		all = append(all, secretFiles(o.named(), data))
	}
	return all
}

// secretFiles are the certificate and key of a Secret of type kubernetes.io/tls.
func secretFiles(name string, data map[string][]byte) Certificates {
	c := Certificates{UID: -1, GID: -1, Contents: map[string][]byte{}}
	for key, to := range map[string]*string{"tls.crt": &c.CertFile, "tls.key": &c.KeyFile} {
		if content := data[key]; content != nil {
			*to = name + ":" + key
			c.contain(*to, content)
		}
	}
	return c
}

// offerInPod says how to offer wss in a pod.
func (s *Settings) offerInPod(listen, address string) []Step {
	return []Step{
		step(sharedReason+"fix-all", "", offeredInPod, portValue("port", listen), Address.of("address", address)),
		step(sharedReason+"fix-rollout", "kubectl rollout restart %[1]s", "", Name.of("workload", s.container.service)),
	}
}

const offeredInPod = `env:
  - {name: WK_WSSADDR, value: "wss://0.0.0.0:%[1]s"}
  - {name: WK_WSSCONFIG_CERTFILE, value: /certs/tls.crt}
  - {name: WK_WSSCONFIG_KEYFILE, value: /certs/tls.key}
  - {name: WK_EXTERNAL_WSSADDR, value: "%[2]s"}
volumeMounts:
  - {name: certs, mountPath: /certs, readOnly: true}
volumes:
  - {name: certs, secret: {secretName: wukongim-tls}}`
