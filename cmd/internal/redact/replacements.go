package redact

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// valueOf replaces the value of a field; an empty one stays.
func valueOf(kind string) func(*Redactor, []string) string {
	return func(r *Redactor, m []string) string {
		return r.value(m, func(value string) string {
			if kind == "path" {
				return r.Path(value)
			}
			return r.Named(kind, value)
		})
	}
}

// value replaces the value among the groups of a field.
func (r *Redactor) value(m []string, replacement func(string) string) string {
	for _, value := range m[2:] {
		if value != "" {
			return strings.TrimSuffix(m[0], value) + replacement(value)
		}
	}
	return m[0]
}

func (r *Redactor) hostField(m []string) string {
	return r.value(m, func(value string) string {
		if strings.Trim(value, "0123456789") == "" { // localhost:5210
			return value
		}
		if strings.HasPrefix(value, "{") {
			return r.Named("host", value)
		}
		return r.authority(value)
	})
}

// url keeps the scheme and the port, and whether there is a path or a query.
func (r *Redactor) url(m []string) string {
	scheme, rest, _ := strings.Cut(m[0], "://")
	at := strings.IndexAny(rest, "/?#")
	if at < 0 {
		at = len(rest)
	}
	host, location := rest[:at], rest[at:]
	user := ""
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		user, host = r.Named("secret", host[:i])+"@", host[i+1:]
	}
	if location != "" && location != "/" && !r.given[location[1:]] {
		location = "/" + r.Path(location)
	}
	return scheme + "://" + user + r.authority(host) + location
}

// authority is a host with or without a port.
func (r *Redactor) authority(s string) string {
	u := url.URL{Host: s}
	host, port := u.Hostname(), ""
	if host == "" {
		return s
	}
	if domain, ok := strings.CutPrefix(s, "*."); ok {
		return "*." + r.authority(domain)
	}
	if p := u.Port(); p != "" {
		port = ":" + p
	}
	if at, err := netip.ParseAddr(host); err == nil {
		return r.address(at) + port
	}
	if strings.EqualFold(host, "localhost") {
		return s
	}
	return r.Named("host", host) + port
}

// between is a host between what stands before and behind it.
func (r *Redactor) between(m []string) string {
	return m[1] + r.authority(m[2]) + strings.Join(m[3:], "")
}

// protocol matches the name of one in a list of Go's.
var protocol = regexp.MustCompile(`[^\s"\\]+`)

// protocols are everybody's (IANA, TLS ALPN Protocol IDs); clients may ask for any other.
var protocols = []string{"h2", "h2c", "h3", "http/0.9", "http/1.0", "http/1.1", "spdy/3.1", "acme-tls/1", "imap", "pop3", "ftp", "xmpp-client", "mqtt", "postgresql", "grpc-exp"}

func (r *Redactor) protocol(name string) string {
	if slices.Contains(protocols, name) {
		return name
	}
	return r.Named("name", name)
}

// authorities is a list of hosts.
func (r *Redactor) authorities(s string) string {
	hosts := strings.Split(s, ", ")
	for i, host := range hosts {
		hosts[i] = r.authority(host)
	}
	return strings.Join(hosts, ", ")
}

// object replaces namespace and name of one of Kubernetes, as controllers print them.
func (r *Redactor) object(m []string) string { return m[1] + r.personal(m[2]) + "/" + r.personal(m[3]) }

// failedFile replaces the name of a file that could not be used. What is wrong
// with the name itself stays: quotes around it, and ~ or a variable before it.
func (r *Redactor) failedFile(m []string) string {
	name := strings.Trim(m[2], `"'`)
	if name == "" {
		return m[0]
	}
	before, behind, _ := strings.Cut(m[2], name)
	switch {
	case strings.HasPrefix(name, "~"):
		before += "~/"
	case strings.Contains(name, "$"):
		before += "$VARIABLE/"
	}
	return m[1] + before + r.Path(name) + behind + m[3]
}

func (r *Redactor) plainAddress(m []string) string {
	if at, err := netip.ParseAddr(m[0]); err == nil {
		return r.address(at)
	}
	return m[0]
}

// ownDomains are top-level domains that only local networks have (RFC 6761,
// RFC 6762, Kubernetes' and Docker's own).
var ownDomains = []string{"local", "localdomain", "lan", "internal", "intranet", "corp", "home", "private", "test", "example", "svc", "cluster", "docker"}

// sourceHosts stand in the names of Go packages, in every stack trace.
var sourceHosts = []string{"github.com", "golang.org", "go.uber.org", "gopkg.in", "google.golang.org"}

// packages begin the names of Java's classes, in every error of an Android app.
var packages = []string{"java.", "javax.", "sun.", "android.", "com.android.", "kotlin.", "okhttp3.", "org.conscrypt."}

// domain replaces the longest beginning that is a domain name: a file may be
// called by one, with an ending or a date behind it.
func (r *Redactor) domain(m []string) string {
	name := m[0]
	if slices.ContainsFunc(packages, func(p string) bool { return strings.HasPrefix(name, p) && strings.HasSuffix(name, "Exception") }) {
		return name
	}
	for end := len(name); end > 0; end = strings.LastIndexAny(name[:end], ".-") {
		switch host := strings.TrimPrefix(name[:end], "*."); {
		case slices.Contains(sourceHosts, host):
			return m[0]
		case isDomain(strings.ToLower(host)):
			return strings.TrimSuffix(name[:end], host) + r.Named("host", host) + name[end:]
		}
	}
	return name
}

// isDomain tells names of hosts from names of files and of Go identifiers by
// their last labels.
func isDomain(name string) bool {
	if slices.Contains(ownDomains, name[strings.LastIndexByte(name, '.')+1:]) {
		return strings.Contains(name, ".")
	}
	suffix, listed := publicsuffix.PublicSuffix(name)
	return name != suffix && (listed || strings.Contains(suffix, "."))
}

// ciphers look like secrets.
var ciphers = regexp.MustCompile(`^(?:TLS_|ECDHE-|DHE-|AES|RSA|PSK)`)

// secret replaces long words of letters and digits mixed: tokens, keys, ids of
// containers. Handshake states and cipher suites have few digits or a known
// beginning.
func (r *Redactor) secret(m []string) string {
	const few = 4
	letters, digits := 0, 0
	for _, c := range m[0] {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			letters++
		}
	}
	if digits < few || letters < few || ciphers.MatchString(m[0]) {
		return m[0]
	}
	return r.Named("secret", m[0])
}
