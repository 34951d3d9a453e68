package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// errCaddy says that a file is neither of the forms of Caddy.
var errCaddy = errors.New("is neither a Caddyfile nor Caddy's JSON")

// readCaddy reads a Caddyfile or the JSON that Caddy makes of it. Caddy's own adapter
// would bring 300 packages, so the few directives that matter are read here (Caddy
// v2.11 documentation, Caddyfile concepts).
func readCaddy(data []byte) (*Proxy, error) {
	data = caddyVariable().ReplaceAll(data, []byte("$1")) // those with a default
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(trimmed) {
		return readCaddyJSON(trimmed)
	}
	lines, err := caddyLines(string(data))
	if err != nil {
		return nil, err
	}
	blocks, rest, err := caddyBlocks(lines, 0)
	if err != nil || len(rest) > 0 {
		return nil, errors.Join(errCaddy, err)
	}
	c := &caddyFile{snippets: map[string][]caddyBlock{}}
	if err := c.read(blocks); err != nil {
		return nil, err
	}
	if len(c.sites) == 0 {
		return nil, errCaddy
	}
	return &Proxy{program: programCaddy, sites: merge(c.sites)}, nil
}

var caddyVariable = lazily(`\{\$\w+:([^{}]+)\}`)

// caddyLine is a line of a Caddyfile in words.
type caddyLine struct {
	number int
	words  []string
}

// caddyLines splits a Caddyfile: words stand apart by blanks, quotes and backquotes
// keep them, # begins a comment.
func caddyLines(text string) (lines []caddyLine, err error) {
	line, word, quote, started := caddyLine{number: 1}, strings.Builder{}, rune(0), false
	number, comment, escaped := 1, false, false
	end := func() {
		if started {
			line.words = append(line.words, word.String())
			word.Reset()
			started = false
		}
	}
	for _, r := range text + "\n" {
		switch {
		case comment && r != '\n', r == '\r':
		case escaped:
			escaped = false
			if r == '\n' {
				number++
				continue
			}
			word.WriteRune(r)
			started = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == '"' && r == '\\', quote == 0 && r == '\\':
			escaped = true
		case quote != 0:
			word.WriteRune(r)
			if r == '\n' {
				number++
			}
		case (r == '"' || r == '`') && !started:
			quote, started = r, true
		case r == '#' && !started:
			comment = true
		case r == '\n':
			end()
			if len(line.words) > 0 {
				lines = append(lines, line)
			}
			number++
			line, comment = caddyLine{number: number}, false
		case r == ' ' || r == '\t':
			end()
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if quote != 0 {
		return nil, errCaddy
	}
	return lines, nil
}

// caddyBlock is a line and what stands in braces behind it.
type caddyBlock struct {
	caddyLine
	within []caddyBlock
	braces bool
}

func caddyBlocks(lines []caddyLine, depth int) (blocks []caddyBlock, rest []caddyLine, err error) {
	if depth > maxNginxDepth {
		return nil, nil, errCaddy
	}
	for len(lines) > 0 {
		line := lines[0]
		lines = lines[1:]
		if line.words[0] == "}" {
			if depth == 0 {
				return nil, nil, &placed{line: line.number, err: errCaddy}
			}
			return blocks, lines, nil
		}
		b := caddyBlock{caddyLine: line}
		if last := len(line.words) - 1; line.words[last] == "{" {
			b.words, b.braces = line.words[:last], true
			if last == 0 && (depth > 0 || len(blocks) > 0) { // but the options of all
				return nil, nil, &placed{line: line.number, err: errCaddy}
			}
			if b.within, lines, err = caddyBlocks(lines, depth+1); err != nil {
				return nil, nil, err
			}
		}
		blocks = append(blocks, b)
	}
	if depth > 0 {
		return nil, nil, errCaddy
	}
	return blocks, nil, nil
}

type caddyFile struct {
	snippets map[string][]caddyBlock
	sites    []*virtualHost
	left     int
}

// read takes the sites: their addresses stand before braces, or on the first line
// where there is one site alone.
func (c *caddyFile) read(blocks []caddyBlock) error {
	c.left = maxNginxDirectives
	for _, b := range blocks {
		if len(b.words) == 1 && strings.HasPrefix(b.words[0], "(") {
			c.snippets[strings.Trim(b.words[0], "()")] = b.within
		}
	}
	if len(blocks) > 1 && !blocks[0].braces {
		return c.site(blocks[0], blocks[1:])
	}
	for _, b := range blocks {
		switch {
		case len(b.words) == 0 || strings.HasPrefix(b.words[0], "(") || b.words[0] == "import": // options of all, snippets
		case !b.braces:
			return &placed{line: b.number, err: errCaddy}
		default:
			if err := c.site(b, b.within); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *caddyFile) site(head caddyBlock, body []caddyBlock) error {
	addresses := strings.FieldsFunc(strings.Join(head.words, " "), func(r rune) bool { return r == ',' || r == ' ' })
	s := &virtualHost{place: fmt.Sprintf("Caddyfile:%d", head.number), automatic: true}
	for _, address := range addresses {
		l, name := caddyAddress(address)
		if l.port == "" {
			return &placed{line: head.number, err: errCaddy}
		}
		if !slices.Contains(s.listens, l) {
			s.listens = append(s.listens, l)
		}
		if name != "" {
			s.names = append(s.names, name)
		}
	}
	if err := c.directives(s, body, "", map[string]string{}, 0); err != nil {
		return err
	}
	c.sites = append(c.sites, s)
	return nil
}

// caddyAddress is a name, a port, both, with a scheme or without (Caddyfile concepts,
// addresses): TLS is everywhere but on http:// and port 80.
func caddyAddress(address string) (listenPort, string) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		scheme, rest = "", address
	}
	rest, _, _ = strings.Cut(rest, "/")
	u, err := url.Parse("//" + rest)
	if strings.Contains(address, "{") { // a variable
		return listenPort{port: "443", tls: true}, ""
	}
	if err != nil {
		return listenPort{}, ""
	}
	l := listenPort{port: cmp.Or(u.Port(), map[string]string{"http": "80", "ws": "80"}[scheme], "443")}
	l.tls = scheme != "http" && l.port != "80"
	return l, strings.ToLower(u.Hostname())
}

// directives of a site or of a block within it, for the paths below a prefix.
func (c *caddyFile) directives(s *virtualHost, body []caddyBlock, prefix string, matchers map[string]string, depth int) error {
	if depth > maxNginxDepth {
		return errCaddy
	}
	for _, b := range body {
		if strings.HasPrefix(b.words[0], "@") {
			matchers[b.words[0]] = caddyMatcher(b)
		}
	}
	for _, b := range body {
		if c.left--; c.left < 0 {
			return errNginxDeep
		}
		var err error
		switch b.words[0] {
		case "import":
			if len(b.words) > 1 {
				err = c.directives(s, c.snippets[b.words[1]], prefix, matchers, depth+1)
			}
		case "tls":
			c.tls(s, b)
		case "handle", "route", "handle_path":
			path, _ := caddyPath(b.words[1:], prefix, matchers)
			err = c.directives(s, b.within, path, matchers, depth+1)
		case "reverse_proxy":
			path, upstreams := caddyPath(b.words[1:], prefix, matchers)
			s.routes = append(s.routes, &route{path: cmp.Or(path, "/"), to: caddyForward(upstreams, b.within), place: fmt.Sprintf("Caddyfile:%d", b.number)})
		case "respond", "redir", "file_server", "root":
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// caddyMatcher is the path prefix of a named matcher, "/" for one by other things.
func caddyMatcher(b caddyBlock) string {
	all := append([]caddyBlock{{caddyLine: caddyLine{words: b.words[1:]}}}, b.within...)
	for _, m := range all {
		if len(m.words) > 1 && m.words[0] == "path" {
			return strings.TrimSuffix(m.words[1], "*")
		}
	}
	return "/"
}

// caddyPath takes a matcher off the words of a directive.
func caddyPath(words []string, prefix string, matchers map[string]string) (path string, rest []string) {
	if len(words) == 0 {
		return prefix, nil
	}
	switch first := words[0]; {
	case strings.HasPrefix(first, "/"):
		return strings.TrimSuffix(first, "*"), words[1:]
	case first == "*":
		return prefix, words[1:]
	case strings.HasPrefix(first, "@"):
		return cmp.Or(matchers[first], prefix), words[1:]
	}
	return prefix, words
}

// tls reads the directive (Caddyfile directives, tls).
func (c *caddyFile) tls(s *virtualHost, b caddyBlock) {
	if len(b.words) == 3 {
		s.automatic, s.certificates = false, append(s.certificates, pair{b.words[1], b.words[2]})
	}
	for i := range s.listens {
		s.listens[i].tls = true
	}
	for _, sub := range b.within {
		switch {
		case sub.words[0] == "protocols":
			for _, p := range sub.words[1:] {
				s.protocols = append(s.protocols, strings.Replace(strings.ToLower(p), "tls1", "TLSv1", 1))
			}
			if len(s.protocols) == 1 && s.protocols[0] == "TLSv1.2" { // the lowest; the highest is 1.3
				s.protocols = append(s.protocols, "TLSv1.3")
			}
		case sub.words[0] == "client_auth":
			s.client = "on"
			for _, mode := range sub.within {
				if mode.words[0] == "mode" && len(mode.words) > 1 && !strings.HasPrefix(mode.words[1], "require") {
					s.client = "optional"
				}
			}
		}
	}
}

// caddyForward is what reverse_proxy does: it passes an upgrade on by itself and cuts
// nothing that is idle.
func caddyForward(upstreams []string, body []caddyBlock) *forward {
	f := &forward{}
	for _, b := range body {
		switch b.words[0] {
		case "to":
			upstreams = append(upstreams, b.words[1:]...)
		case "transport":
			f.tls = f.tls || slices.ContainsFunc(b.within, func(t caddyBlock) bool { return strings.HasPrefix(t.words[0], "tls") })
		}
	}
	for _, upstream := range upstreams {
		scheme, rest, ok := strings.Cut(upstream, "://")
		if !ok {
			scheme, rest = "", upstream
		}
		f.tls = f.tls || scheme == "https"
		f.targets = append(f.targets, targetOf(rest, map[bool]string{true: "443", false: "80"}[scheme == "https"]))
	}
	if len(f.targets) == 0 {
		return nil
	}
	return f
}

// merge puts sites of the same names and ports together, whose routes may have been
// written apart.
func merge(sites []*virtualHost) (all []*virtualHost) {
	for _, s := range sites {
		at := slices.IndexFunc(all, func(o *virtualHost) bool {
			return slices.Equal(o.names, s.names) && slices.Equal(o.listens, s.listens) && o.transport == s.transport && o.client == s.client
		})
		if at < 0 {
			all = append(all, s)
			continue
		}
		all[at].routes = append(all[at].routes, s.routes...)
	}
	return all
}

type caddyRoute struct {
	Match []struct {
		Host []string `json:"host"`
		Path []string `json:"path"`
	} `json:"match"`
	Handle []struct {
		Handler   string `json:"handler"`
		Upstreams []struct {
			Dial string `json:"dial"`
		} `json:"upstreams"`
		Transport struct {
			TLS any `json:"tls"`
		} `json:"transport"`
		Routes []caddyRoute `json:"routes"`
	} `json:"handle"`
}

// readCaddyJSON reads Caddy's JSON (json.apps.http, json.apps.tls).
func readCaddyJSON(data []byte) (*Proxy, error) {
	var config struct {
		Apps struct {
			HTTP struct {
				Servers map[string]struct {
					Listen   []string     `json:"listen"`
					Routes   []caddyRoute `json:"routes"`
					Policies []struct {
						Client *struct {
							Mode string `json:"mode"`
						} `json:"client_authentication"`
						Lowest string `json:"protocol_min"`
					} `json:"tls_connection_policies"`
				} `json:"servers"`
			} `json:"http"`
			TLS struct {
				Certificates struct {
					Files []struct {
						Certificate string `json:"certificate"`
						Key         string `json:"key"`
					} `json:"load_files"`
				} `json:"certificates"`
			} `json:"tls"`
		} `json:"apps"`
	}
	if err := json.Unmarshal(data, &config); err != nil || len(config.Apps.HTTP.Servers) == 0 {
		return nil, errCaddy
	}
	p := &Proxy{program: programCaddy}
	for name, server := range config.Apps.HTTP.Servers {
		base := virtualHost{place: "servers." + name, automatic: true}
		for _, address := range server.Listen {
			_, port := splitPort(address, "443")
			base.listens = append(base.listens, listenPort{port: port, tls: port != "80"})
		}
		for _, policy := range server.Policies {
			if policy.Client != nil && (policy.Client.Mode == "" || strings.HasPrefix(policy.Client.Mode, "require")) {
				base.client = "on"
			}
		}
		for _, file := range config.Apps.TLS.Certificates.Files {
			base.automatic, base.certificates = false, append(base.certificates, pair{file.Certificate, file.Key})
		}
		p.sites = append(p.sites, base.caddyRoutes(server.Routes, nil, "/", 0)...)
	}
	slices.SortFunc(p.sites, func(a, b *virtualHost) int { return strings.Compare(a.place, b.place) })
	p.sites = merge(p.sites)
	return p, nil
}

// caddyRoutes flattens routes, each of which narrows those it stands in.
func (s virtualHost) caddyRoutes(routes []caddyRoute, names []string, path string, depth int) (all []*virtualHost) {
	if depth > maxNginxDepth {
		return nil
	}
	for _, r := range routes {
		names, path := names, path
		for _, m := range r.Match {
			if m.Host != nil {
				names = m.Host
			}
			if len(m.Path) > 0 {
				path = strings.TrimSuffix(m.Path[0], "*")
			}
		}
		for _, h := range r.Handle {
			own := s
			own.names = names
			switch h.Handler {
			case "subroute":
				all = append(all, s.caddyRoutes(h.Routes, names, path, depth+1)...)
			case "reverse_proxy":
				f := &forward{tls: h.Transport.TLS != nil}
				for _, u := range h.Upstreams {
					f.targets = append(f.targets, targetOf(u.Dial, "80"))
				}
				if len(f.targets) > 0 {
					own.routes = []*route{{path: path, to: f, place: s.place}}
				}
				all = append(all, &own)
			}
		}
	}
	return all
}
