package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ingressSpec is what an Ingress does (Kubernetes API, IngressSpec v1, and v1beta1
// as old manifests have it).
type ingressSpec struct {
	IngressClassName string
	TLS              []struct {
		Hosts      []string
		SecretName string
	}
	DefaultBackend, Backend *ingressBackend
	Rules                   []struct {
		Host string
		HTTP struct {
			Paths []struct {
				Path    string
				Backend ingressBackend
			}
		}
	}
}

type ingressBackend struct {
	Service struct {
		Name string
		Port struct {
			Number int
			Name   string
		}
	}
	ServiceName string
	ServicePort any
}

// routeSpec is Traefik's IngressRoute.
type routeSpec struct {
	EntryPoints []string
	TLS         *struct{ SecretName, CertResolver string }
	Routes      []struct {
		Match    string
		Services []struct {
			Name, Scheme string
			Port         any
		}
	}
}

// proxies are the Ingresses and routes of the manifests that lead to WuKongIM.
func (c *cluster) proxies(servers []*Settings) (all []*Proxy) {
	for _, o := range c.objects {
		var p *Proxy
		switch o.Kind {
		case "Ingress":
			p = c.ingress(o)
		case "IngressRoute":
			p = c.ingressRoute(o)
		}
		if p == nil {
			continue
		}
		p.container = &container{service: o.named(), hostNetwork: true}
		p.Servers = servers
		if p.Leads() {
			all = append(all, p)
		}
	}
	for _, p := range all {
		for _, s := range servers {
			if s.Addr() != "" {
				p.Clients = append(p.Clients, s.Addr())
			}
		}
	}
	return all
}

const nginxAnnotation = "nginx.ingress.kubernetes.io/"

// ingressClass names the controller, empty where nothing tells it.
func (o *kubeObject) ingressClass(spec *ingressSpec) string {
	class := cmp.Or(spec.IngressClassName, o.Metadata.Annotations["kubernetes.io/ingress.class"])
	for name := range o.Metadata.Annotations {
		if class == "" && strings.HasPrefix(name, nginxAnnotation) {
			return programNginx
		}
	}
	return class
}

func (c *cluster) ingress(o *kubeObject) *Proxy {
	var spec ingressSpec
	if decode(o.Spec, &spec) != nil {
		return nil
	}
	p := &Proxy{program: programIngress, contents: map[string][]byte{}}
	for _, rule := range spec.Rules {
		s := &virtualHost{place: o.named(), listens: []listenPort{{port: "443", tls: len(spec.TLS) > 0}}}
		if len(spec.TLS) == 0 {
			s.listens = []listenPort{{port: "80"}}
		}
		if rule.Host != "" {
			s.names = []string{rule.Host}
		}
		c.secure(o, p, s, &spec)
		for _, path := range rule.HTTP.Paths {
			to := c.backend(o, &spec, path.Backend)
			s.routes = append(s.routes, &route{path: cmp.Or(path.Path, "/"), to: to, place: o.named()})
		}
		p.sites = append(p.sites, s)
	}
	if backend := cmp.Or(spec.DefaultBackend, spec.Backend); backend != nil {
		s := &virtualHost{place: o.named(), listens: []listenPort{{port: "443", tls: len(spec.TLS) > 0}}}
		s.routes = []*route{{path: "/", to: c.backend(o, &spec, *backend), place: o.named()}}
		c.secure(o, p, s, &spec)
		p.sites = append(p.sites, s)
	}
	p.sites = merge(p.sites)
	return p
}

// secure gives a site the certificate of the entry of tls that has its name.
func (c *cluster) secure(o *kubeObject, p *Proxy, s *virtualHost, spec *ingressSpec) {
	if o.Metadata.Annotations[nginxAnnotation+"auth-tls-verify-client"] == "on" {
		s.client = "on"
	}
	if o.Metadata.Annotations[nginxAnnotation+"ssl-passthrough"] == "true" {
		s.transport, s.listens = true, []listenPort{{port: "443"}}
	}
	if len(spec.TLS) == 0 {
		return
	}
	host := s.firstName()
	for _, entry := range spec.TLS {
		covers := len(entry.Hosts) == 0 || host == "" || slices.ContainsFunc(entry.Hosts, func(name string) bool { return nameRank(strings.ToLower(name), strings.ToLower(host)) > 0 })
		if !covers {
			continue
		}
		s.automatic = entry.SecretName == ""
		c.secret(o, p, s, entry.SecretName)
		return
	}
	s.uncovered = true
}

// secret gives a site the certificate of a Secret: one that was read, one that
// cert-manager makes, or one that is not known.
func (c *cluster) secret(o *kubeObject, p *Proxy, s *virtualHost, name string) {
	if name == "" {
		return
	}
	if data := c.data("Secret", name, o.Metadata.Namespace); data != nil {
		files := secretFiles("Secret/"+name, data)
		for path, content := range files.Contents {
			p.contents[path] = content
		}
		s.certificates = []pair{{files.CertFile, files.KeyFile}}
		s.secret = checkSecret("Secret/"+name, data)
		return
	}
	for annotation := range o.Metadata.Annotations {
		s.automatic = s.automatic || strings.HasPrefix(annotation, "cert-manager.io/")
	}
	for _, certificate := range c.of("Certificate") {
		var spec struct {
			SecretName, CommonName string
			DNSNames               []string
		}
		if decode(certificate.Spec, &spec) == nil && spec.SecretName == name {
			s.automatic, s.issued = true, append(spec.DNSNames, spec.CommonName)
		}
	}
	if !s.automatic {
		s.certificates = []pair{{"Secret/" + name, "Secret/" + name}}
	}
}

// backend is the port of the container that a backend leads to.
func (c *cluster) backend(o *kubeObject, spec *ingressSpec, b ingressBackend) *forward {
	name := cmp.Or(b.Service.Name, b.ServiceName)
	port := cmp.Or(b.Service.Port.Name, numberOf(b.Service.Port.Number), fmt.Sprint(cmp.Or(b.ServicePort, any(""))))
	f := c.toService(name, port, o.Metadata.Namespace)
	if f == nil {
		return nil
	}
	protocol := o.Metadata.Annotations[nginxAnnotation+"backend-protocol"]
	f.tls = strings.EqualFold(protocol, "HTTPS") || o.Metadata.Annotations[nginxAnnotation+"secure-backends"] == "true"
	switch class := o.ingressClass(spec); {
	case strings.Contains(class, programNginx):
		f.setting, f.timeout = nginxAnnotation+"proxy-read-timeout", timeoutOfNginx
		if t, ok := nginxTime(o.Metadata.Annotations[nginxAnnotation+"proxy-read-timeout"]); ok {
			f.timeout = t
		}
	case !strings.Contains(class, programTraefik):
		f.setting = unknownSetting
	}
	return f
}

// unknownSetting is for a program that nothing names.
const unknownSetting = "?"

func numberOf(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// toService finds the port of the pods behind the port of a Service, by number or by
// name. A Service that was not read leads to the number that it was given.
func (c *cluster) toService(name, port, namespace string) *forward {
	if name == "" {
		return nil
	}
	service := c.find("Service", name, namespace)
	if service == nil {
		return &forward{targets: []target{{name, port}}}
	}
	var spec serviceSpec
	if decode(service.Spec, &spec) != nil {
		return nil
	}
	for _, p := range spec.Ports {
		if p.Name == port && port != "" || fmt.Sprint(p.Port) == port {
			inside := fmt.Sprint(cmp.Or(p.TargetPort, any(p.Port)))
			return &forward{targets: []target{{name, c.portNamed(spec.Selector, inside)}}}
		}
	}
	return &forward{targets: []target{{name, port}}, absent: true}
}

// portNamed is the number of a port of the pods that a selector fits.
func (c *cluster) portNamed(selector map[string]string, name string) string {
	for _, o := range c.objects {
		spec, labels, ok := o.pod()
		if !ok || !selects(selector, labels) {
			continue
		}
		for _, box := range spec.Containers {
			for _, p := range box.Ports {
				if p.Name == name {
					return fmt.Sprint(p.ContainerPort)
				}
			}
		}
	}
	return name
}

// ingressRoute reads a route of Traefik, which passes an upgrade on by itself.
func (c *cluster) ingressRoute(o *kubeObject) *Proxy {
	var spec routeSpec
	if decode(o.Spec, &spec) != nil {
		return nil
	}
	p := &Proxy{program: programTraefik, contents: map[string][]byte{}}
	for _, r := range spec.Routes {
		s := &virtualHost{names: hostsOfRule(r.Match), place: o.named(), listens: []listenPort{{port: "80"}}}
		if spec.TLS != nil {
			s.listens = []listenPort{{port: "443", tls: true}}
			s.automatic = spec.TLS.CertResolver != "" || spec.TLS.SecretName == ""
			c.secret(o, p, s, spec.TLS.SecretName)
		} else if slices.Contains(spec.EntryPoints, "websecure") {
			s.listens = []listenPort{{port: "443"}}
		}
		to := &forward{}
		for _, service := range r.Services {
			if f := c.toService(service.Name, fmt.Sprint(service.Port), o.Metadata.Namespace); f != nil {
				to.targets, to.absent = append(to.targets, f.targets...), to.absent || f.absent
			}
			to.tls = to.tls || service.Scheme == "https"
		}
		if len(to.targets) > 0 {
			s.routes = []*route{{path: pathOfRule(r.Match), to: to, place: o.named()}}
		}
		p.sites = append(p.sites, s)
	}
	p.sites = merge(p.sites)
	return p
}
