package check

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// Bounds of what is read of a configuration of nginx.
const (
	maxNginxFiles      = 2_000
	maxNginxDirectives = 200_000
	maxNginxDepth      = 64
)

var (
	errNginx     = errors.New("is no configuration of nginx")
	errNginxDeep = fmt.Errorf("blocks or includes more than %d deep, or more than %d directives", maxNginxDepth, maxNginxDirectives)
	errNginxRun  = errors.New("nginx -T did not print its configuration")
)

// nginxFiles is where a configuration of nginx and what it includes is read from.
type nginxFiles interface {
	read(path string) ([]byte, error)
	list(pattern string) ([]string, error)
}

// diskFiles are those of this machine. What a configuration that was copied from
// elsewhere includes is looked for beside it.
type diskFiles struct{ folder string }

// nginxFolders are those of the configuration, of the packages, of OpenResty and
// Tengine built from source, and of the BT panel.
var nginxFolders = []string{"/etc/nginx/", "/usr/local/nginx/conf/", "/usr/local/openresty/nginx/conf/", "/www/server/nginx/conf/", "/www/server/panel/vhost/nginx/"}

func (d diskFiles) beside(path string) string {
	if exists(path) {
		return path
	}
	for _, folder := range nginxFolders {
		if rest, ok := strings.CutPrefix(filepath.ToSlash(path), folder); ok {
			return filepath.Join(d.folder, rest)
		}
	}
	return path
}

func (d diskFiles) read(path string) ([]byte, error) { return readFile(d.beside(path)) }

func (d diskFiles) list(pattern string) ([]string, error) {
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) > 0 {
		return found, err
	}
	return filepath.Glob(d.beside(pattern))
}

// dumpedFiles are those of nginx -T, which prints them one after the other.
type dumpedFiles map[string][]byte

const dumpedName = "# configuration file "

func dumped(data []byte) (files dumpedFiles, main string) {
	files = dumpedFiles{}
	name := ""
	for line := range bytes.Lines(data) {
		if rest, ok := strings.CutPrefix(string(line), dumpedName); ok {
			name = strings.TrimSuffix(strings.TrimSpace(rest), ":")
			main = cmp.Or(main, name)
			continue
		}
		if name != "" {
			files[name] = append(files[name], line...)
		}
	}
	return files, main
}

func (d dumpedFiles) read(path string) ([]byte, error) {
	if data, ok := d[path]; ok {
		return data, nil
	}
	return nil, fs.ErrNotExist
}

func (d dumpedFiles) list(pattern string) (found []string, err error) {
	for name := range d {
		if ok, err := filepath.Match(pattern, name); err != nil {
			return nil, err
		} else if ok {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found, nil
}

// containerFiles are those that a container sees of this machine.
type containerFiles struct {
	*container
	made map[string][]byte // those that the image makes
}

func (c containerFiles) read(path string) ([]byte, error) {
	if data, ok := c.made[path]; ok {
		return data, nil
	}
	if at := c.follow(path); at.kind == placeBind {
		return readFile(at.path)
	}
	return nil, fs.ErrNotExist
}

func (c containerFiles) list(pattern string) (found []string, err error) {
	for name := range c.made {
		if ok, _ := filepath.Match(pattern, name); ok {
			found = append(found, name)
		}
	}
	folder := filepath.Dir(pattern)
	for _, m := range c.mounts {
		if ok, err := filepath.Match(pattern, m.target); err != nil {
			return nil, err
		} else if ok {
			found = append(found, m.target)
		}
	}
	if at := c.follow(folder); at.kind == placeBind {
		on, err := filepath.Glob(filepath.Join(at.path, filepath.Base(pattern)))
		if err != nil {
			return nil, err
		}
		for _, file := range on {
			found = append(found, filepath.Join(folder, filepath.Base(file)))
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// nginxConfig is a configuration as crossplane reads it, with what all blocks share.
type nginxConfig struct {
	payload *crossplane.Payload
	left    int  // of maxNginxDirectives
	missing bool // that something could not be read
	unread  *placed
	// upstreams have their servers, maps the values of a variable by its text.
	upstreams map[string][]target
	maps      map[string]map[string]string
	sites     []*virtualHost
	whole     bool // an http block was read
	// loose are locations outside a server block, as in a file that one includes.
	loose *virtualHost
}

// readNginx reads a configuration from its main file.
func readNginx(main string, files nginxFiles) (*nginxConfig, error) {
	c := &nginxConfig{left: maxNginxDirectives, upstreams: map[string][]target{}, maps: map[string]map[string]string{}}
	count := 0
	payload, err := parsed(main, &crossplane.ParseOptions{
		Open: func(path string) (io.ReadCloser, error) {
			if count++; count > maxNginxFiles {
				return nil, errNginxDeep
			}
			data, err := files.read(path)
			if err == nil && depthOf(withoutLua(data)) > maxNginxDepth {
				err = errNginxDeep
			}
			return io.NopCloser(bytes.NewReader(spaced(withoutLua(data)))), err
		},
		Glob:                      files.list,
		SkipDirectiveContextCheck: true, // files of conf.d are read by themselves
		SkipDirectiveArgsCheck:    true, // modules that are not known have their own
	})
	if err != nil {
		return nil, err
	}
	for _, failed := range payload.Errors {
		if errors.Is(failed.Error, errNginxDeep) {
			return nil, errNginxDeep
		}
		if failed.File == main && len(payload.Config[0].Parsed) == 0 {
			at := &placed{err: errNginx}
			if failed.Line != nil {
				at.line = *failed.Line
			}
			return nil, at
		}
		c.missing = true
		if at := (*crossplane.ParseError)(nil); failed.Line != nil && c.unread == nil && !isMissing(failed.Error) && errors.As(failed.Error, &at) {
			c.unread = &placed{file: failed.File, line: *failed.Line, err: errNginx}
		}
	}
	c.payload = payload
	return c, c.walk()
}

// parsed is for crossplane v0.4.48, which takes conditions to have words.
func parsed(main string, options *crossplane.ParseOptions) (payload *crossplane.Payload, err error) {
	defer func() {
		if recover() != nil {
			payload, err = nil, errNginx
		}
	}()
	return crossplane.Parse(main, options)
}

// isMissing tells a file that is not there from one that is not understood.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), fs.ErrNotExist.Error()) || strings.Contains(err.Error(), "no such file")
}

// luaBlock begins a program in Lua, of which nothing is read (OpenResty).
var luaBlock = []byte("_by_lua_block")

// withoutLua leaves out what stands in the blocks of Lua: a brace in one of its
// strings or comments ends nothing.
func withoutLua(data []byte) []byte {
	var out []byte
	for {
		at := bytes.Index(data, luaBlock)
		if at < 0 {
			return append(out, data...)
		}
		open := bytes.IndexByte(data[at:], '{')
		if open < 0 {
			return append(out, data...)
		}
		out = append(out, data[:at+open+1]...)
		data = data[at+open+1:]
		end := luaEnd(data)
		out = append(out, bytes.Repeat([]byte("\n"), bytes.Count(data[:end], []byte("\n")))...) // lines keep their numbers
		data = data[end:]
	}
}

// luaEnd is where the brace stands that ends a block of Lua (Lua 5.1 manual, 2.1).
func luaEnd(data []byte) int {
	depth := 1
	for i := 0; i < len(data); i++ {
		skip := func(until string) {
			if end := bytes.Index(data[i+1:], []byte(until)); end >= 0 {
				i += end + len(until)
			} else {
				i = len(data) - 1
			}
		}
		switch b := data[i]; {
		case b == '{':
			depth++
		case b == '}':
			if depth--; depth == 0 {
				return i
			}
		case bytes.HasPrefix(data[i:], []byte("--[[")), bytes.HasPrefix(data[i:], []byte("[[")):
			skip("]]")
		case bytes.HasPrefix(data[i:], []byte("--")):
			skip("\n")
		case b == '"' || b == '\'':
			for i++; i < len(data) && data[i] != b && data[i] != '\n'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		}
	}
	return len(data)
}

// spaced puts a blank before braces that end a word, as in "location /a{": crossplane
// v0.4.48 takes them for a part of it, and nginx does not (ngx_conf_file.c,
// ngx_conf_read_token).
func spaced(data []byte) []byte {
	out := make([]byte, 0, len(data)+64)
	var quote, before byte = 0, ' '
	for i, b := range data {
		switch {
		case quote != 0:
			if b == quote && before != '\\' {
				quote = 0
			}
		case (b == '"' || b == '\'') && isBlank(before):
			quote = b
		case b == '#' && isBlank(before):
			quote = '\n'
		case b == '{' && !isBlank(before) && before != '$' && before != '\\' && i > 0:
			out = append(out, ' ')
		}
		out = append(out, b)
		before = b
	}
	return out
}

func isBlank(b byte) bool {
	return b == ' ' || b == '\t' || b == '\n' || b == '\r' || b == ';' || b == '}' || b == '{'
}

// depthOf is how deep braces stand within each other.
func depthOf(data []byte) (most int) {
	depth := 0
	for _, b := range data {
		switch b {
		case '{':
			depth++
			most = max(most, depth)
		case '}':
			depth--
		}
	}
	return most
}

// nginxScope is what a block inherits.
type nginxScope struct {
	certificates, keys []string
	protocols          []string
	client             string
	headers            map[string]string
	version            string
	read               string
	fresh              bool
	tls                bool // "ssl on"
	rejects            bool
	set                map[string]string
}

func (c *nginxConfig) walk() error {
	top, err := c.expand(c.files(0), 0)
	if err != nil {
		return err
	}
	known := false
	for _, d := range top {
		known = known || slices.Contains([]string{"http", "stream", "server", "location", "upstream", "events", "map", "proxy_pass"}, d.Directive)
		switch d.Directive {
		case "http", "stream":
			c.whole = c.whole || d.Directive == "http"
			err = c.block(d.Block, nginxScope{}, d.Directive == "stream")
		}
		if err != nil {
			return err
		}
	}
	if !known {
		return errNginx
	}
	return c.block(top, nginxScope{}, false)
}

// expand puts what is included in the place of its include; a file that stands in
// several is put in each.
func (c *nginxConfig) expand(list crossplane.Directives, depth int) (all crossplane.Directives, err error) {
	if depth > maxNginxDepth {
		return nil, errNginxDeep
	}
	for _, d := range list {
		if c.left--; c.left < 0 {
			return nil, errNginxDeep
		}
		if d.Directive != "include" {
			all = append(all, d)
			continue
		}
		for _, i := range d.Includes {
			within, err := c.expand(c.files(i), depth+1)
			if err != nil {
				return nil, err
			}
			all = append(all, within...)
		}
	}
	return all, nil
}

// files are the directives of a file, which know where they stand.
func (c *nginxConfig) files(i int) crossplane.Directives {
	if i >= len(c.payload.Config) {
		return nil
	}
	name := c.payload.Config[i].File
	mark(c.payload.Config[i].Parsed, name)
	return c.payload.Config[i].Parsed
}

func mark(list crossplane.Directives, name string) {
	for _, d := range list {
		if d.File == "" {
			d.File = name
			mark(d.Block, name)
		}
	}
}

func (c *nginxConfig) placeOf(d *crossplane.Directive) string {
	return fmt.Sprintf("%s:%d", filepath.Base(cmp.Or(d.File, c.payload.Config[0].File)), d.Line)
}

// block reads an http or stream block, or a file that is included in one.
func (c *nginxConfig) block(list crossplane.Directives, scope nginxScope, stream bool) error {
	all, err := c.expand(list, 0)
	if err != nil {
		return err
	}
	scope = scope.with(all)
	for _, d := range all {
		switch {
		case d.Directive == "upstream" && len(d.Args) > 0:
			err = c.upstream(d)
		case d.Directive == "map" && len(d.Args) == 2:
			err = c.mapped(d)
		}
		if err != nil {
			return err
		}
	}
	for _, d := range all {
		switch {
		case d.Directive == "server" && stream:
			err = c.streamed(d, scope)
		case d.Directive == "server" && d.Block != nil:
			err = c.server(d, scope)
		case d.Directive == "location":
			if c.loose == nil {
				c.loose = &virtualHost{place: c.placeOf(d)}
				c.sites = append(c.sites, c.loose)
			}
			err = c.location(c.loose, d, scope)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *nginxConfig) upstream(d *crossplane.Directive) error {
	all, err := c.expand(d.Block, 0)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Directive == "server" && len(s.Args) > 0 {
			c.upstreams[d.Args[0]] = append(c.upstreams[d.Args[0]], targetOf(s.Args[0], "80"))
		}
	}
	return nil
}

func (c *nginxConfig) mapped(d *crossplane.Directive) error {
	all, err := c.expand(d.Block, 0)
	if err != nil {
		return err
	}
	values := map[string]string{}
	for _, entry := range all {
		if len(entry.Args) == 1 {
			values[entry.Directive] = entry.Args[0]
		}
	}
	c.maps[strings.TrimPrefix(d.Args[1], "$")] = values
	return nil
}

// with is the scope of a block with these directives. Headers are inherited where a
// block has none of its own, and lists of files likewise.
func (s nginxScope) with(list crossplane.Directives) nginxScope {
	own := nginxScope{headers: map[string]string{}, set: map[string]string{}}
	for name, value := range s.set {
		own.set[name] = value
	}
	for _, d := range list {
		if len(d.Args) == 0 {
			continue
		}
		value := d.Args[0]
		switch d.Directive {
		case "ssl_certificate":
			own.certificates = append(own.certificates, value)
		case "ssl_certificate_key":
			own.keys = append(own.keys, value)
		case "ssl_protocols":
			own.protocols = d.Args
		case "ssl_verify_client":
			own.client = value
		case "proxy_http_version":
			own.version = value
		case "proxy_read_timeout", "proxy_timeout":
			own.read = value
		case "proxy_ssl_session_reuse":
			own.fresh = value == "off"
		case "ssl":
			own.tls = value == "on"
		case "ssl_reject_handshake":
			own.rejects = value == "on"
		case "proxy_set_header":
			if len(d.Args) == 2 {
				own.headers[strings.ToLower(value)] = d.Args[1]
			}
		case "set":
			if len(d.Args) == 2 {
				own.set[strings.TrimPrefix(value, "$")] = d.Args[1]
			}
		}
	}
	if own.certificates == nil {
		own.certificates = s.certificates
	}
	if own.keys == nil {
		own.keys = s.keys
	}
	if own.protocols == nil {
		own.protocols = s.protocols
	}
	if len(own.headers) == 0 {
		own.headers = s.headers
	}
	own.client, own.version, own.read = cmp.Or(own.client, s.client), cmp.Or(own.version, s.version), cmp.Or(own.read, s.read)
	own.fresh, own.tls, own.rejects = own.fresh || s.fresh, own.tls || s.tls, own.rejects || s.rejects
	return own
}

func (c *nginxConfig) server(d *crossplane.Directive, scope nginxScope) error {
	all, err := c.expand(d.Block, 0)
	if err != nil {
		return err
	}
	scope = scope.with(all)
	s := c.newSite(d, all, scope)
	if s.listens == nil {
		s.listens = []listenPort{{port: "80"}} // as nginx does for root
	}
	for _, l := range all {
		if l.Directive == "location" {
			if err := c.location(s, l, scope); err != nil {
				return err
			}
		}
	}
	return nil
}

// newSite takes what a server block says by itself.
func (c *nginxConfig) newSite(d *crossplane.Directive, all crossplane.Directives, scope nginxScope) *virtualHost {
	s := &virtualHost{protocols: scope.protocols, client: scope.client, rejects: scope.rejects, place: c.placeOf(d)}
	for _, l := range all {
		switch {
		case l.Directive == "server_name":
			s.names = append(s.names, l.Args...)
		case l.Directive == "listen" && len(l.Args) > 0:
			_, port := splitPort(l.Args[0], "80")
			s.listens = append(s.listens, listenPort{
				port: port, tls: slices.Contains(l.Args[1:], "ssl") || scope.tls,
				first: slices.Contains(l.Args[1:], "default_server") || slices.Contains(l.Args[1:], "default"),
			})
		}
	}
	for i, cert := range scope.certificates {
		own := pair{cert: c.path(cert)}
		if i < len(scope.keys) {
			own.key = c.path(scope.keys[i])
		}
		s.certificates = append(s.certificates, own)
	}
	if len(scope.certificates) == 0 && len(scope.keys) > 0 {
		s.certificates = []pair{{key: c.path(scope.keys[0])}}
	}
	c.sites = append(c.sites, s)
	return s
}

// path of a file counts from the folder of the main file.
func (c *nginxConfig) path(file string) string {
	if filepath.IsAbs(file) || strings.HasPrefix(file, "data:") || strings.HasPrefix(file, "$") || strings.HasPrefix(file, "engine:") {
		return file
	}
	return filepath.Join(filepath.Dir(c.payload.Config[0].File), file)
}

// location adds its route, and those of the locations within it.
func (c *nginxConfig) location(s *virtualHost, d *crossplane.Directive, scope nginxScope) error {
	all, err := c.expand(d.Block, 0)
	if err != nil || len(d.Args) == 0 {
		return err
	}
	scope = scope.with(all)
	r := &route{path: d.Args[len(d.Args)-1], place: c.placeOf(d)}
	switch {
	case d.Args[0] == "=":
		r.kind = pathExact
	case d.Args[0] == "^~":
		r.kind = pathFirm
	case d.Args[0] == "~":
		r.kind = pathPattern
	case d.Args[0] == "~*":
		r.kind, r.path = pathPattern, "(?i)"+r.path
	case strings.HasPrefix(r.path, "@"):
		r.kind = pathNamed
	}
	if r.to, err = c.forwarded(s, all, scope); err != nil {
		return err
	}
	s.routes = append(s.routes, r)
	for _, within := range all {
		if within.Directive == "location" {
			if err := c.location(s, within, scope); err != nil {
				return err
			}
		}
	}
	return nil
}

// forwarded is where the requests of a location go: one for the upgrade goes before
// that of all others.
func (c *nginxConfig) forwarded(s *virtualHost, all crossplane.Directives, scope nginxScope) (*forward, error) {
	var to *forward
	for _, d := range all {
		switch {
		case d.Directive == "proxy_pass" && len(d.Args) == 1:
			to = c.forward(d.Args[0], scope)
		case d.Directive == "if" && strings.Contains(strings.Join(d.Args, " "), "$http_upgrade"):
			within, err := c.expand(d.Block, 1)
			if err != nil {
				return nil, err
			}
			if to, err = c.forwarded(s, within, scope.with(within)); to != nil || err != nil {
				return to, err
			}
		case d.Directive == "try_files" && len(d.Args) > 1 && strings.HasPrefix(d.Args[len(d.Args)-1], "@") && to == nil:
			for _, r := range s.routes {
				if r.path == d.Args[len(d.Args)-1] {
					to = r.to
				}
			}
		}
	}
	return to, nil
}

// timeoutOfNginx is the default of proxy_read_timeout (ngx_http_proxy_module).
const timeoutOfNginx = 60 * time.Second

func (c *nginxConfig) forward(address string, scope nginxScope) *forward {
	address = scope.filled(address)
	to := &forward{timeout: timeoutOfNginx, setting: "proxy_read_timeout", fresh: scope.fresh}
	if t, ok := nginxTime(scope.read); ok {
		to.timeout = t
	}
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return nil
	}
	to.tls = scheme == "https"
	host := rest
	if at := strings.IndexAny(rest, "/$"); at > 0 {
		host = rest[:at] // without the path, which may begin with a variable
	}
	if to.targets = c.upstreams[host]; to.targets == nil {
		to.targets = []target{targetOf(host, map[bool]string{true: "443", false: "80"}[to.tls])}
	}
	to.headers = &headers{version: scope.version, upgrade: scope.headers["upgrade"], connection: scope.headers["connection"]}
	if name, ok := strings.CutPrefix(to.headers.connection, "$"); ok {
		switch values, known := c.maps[name]; {
		case known:
			to.headers.connection = upgraded(values)
		case scope.set[name] != "":
			to.headers.connection = scope.set[name]
		case !c.builtIn(name):
			to.headers.unknown = name
		}
	}
	return to
}

// builtIn are the variables that may be defined elsewhere or are nginx's own.
func (c *nginxConfig) builtIn(name string) bool {
	return !c.whole || c.missing || strings.HasPrefix(name, "http_") || strings.HasPrefix(name, "connection") && name != "connection_upgrade"
}

// upgraded is what a map makes of a request with the upgrade: any value that says so.
func upgraded(values map[string]string) string {
	for _, value := range values {
		if strings.EqualFold(value, "upgrade") || strings.HasPrefix(value, "$") {
			return "upgrade"
		}
	}
	return values["default"]
}

// filled puts the variables of a scope into an address.
func (s nginxScope) filled(address string) string {
	for name, value := range s.set {
		address = strings.NewReplacer("${"+name+"}", value, "$"+name, value).Replace(address)
	}
	return address
}

// streamed reads a server of a stream block. One that chooses by the name of the
// handshake is a site for each.
func (c *nginxConfig) streamed(d *crossplane.Directive, scope nginxScope) error {
	all, err := c.expand(d.Block, 0)
	if err != nil {
		return err
	}
	scope = scope.with(all)
	pass, announced := "", false
	for _, l := range all {
		if l.Directive == "proxy_pass" && len(l.Args) == 1 {
			pass = l.Args[0]
		}
		if l.Directive == "proxy_protocol" && len(l.Args) == 1 {
			announced = l.Args[0] == "on"
		}
	}
	to := map[string]string{"": pass}
	if values, ok := c.maps[strings.TrimPrefix(pass, "$")]; ok && strings.HasPrefix(pass, "$") {
		to = values
	}
	for _, name := range slices.Sorted(maps.Keys(to)) {
		address := to[name]
		if address == "" {
			continue
		}
		s := c.newSite(d, all, scope)
		s.transport = true
		if name != "" && name != "default" {
			s.names = []string{name}
		}
		f := &forward{announced: announced, setting: "proxy_timeout", timeout: 10 * time.Minute} // ngx_stream_proxy_module
		if t, ok := nginxTime(scope.read); ok {
			f.timeout = t
		}
		if f.targets = c.upstreams[address]; f.targets == nil {
			f.targets = []target{targetOf(address, "")}
		}
		s.routes = []*route{{to: f, place: s.place}}
	}
	return nil
}

// splitPort takes an address of a listen or a server apart; a bare number is a port.
func splitPort(address, usual string) (host, port string) {
	if address != "" && strings.Trim(address, "0123456789") == "" {
		return "", address
	}
	if u, err := url.Parse("//" + address); err == nil && !strings.HasPrefix(address, "unix:") {
		return u.Hostname(), cmp.Or(u.Port(), usual)
	}
	return address, ""
}

func targetOf(address, usual string) target {
	host, port := splitPort(address, usual)
	return target{host, port}
}

// nginxTime reads a time as nginx writes it: 60, 60s, 5m, 1h, 1h30m, 500ms.
func nginxTime(text string) (time.Duration, bool) {
	if text == "" {
		return 0, false
	}
	if strings.Trim(text, "0123456789") == "" {
		text += "s"
	}
	text = strings.NewReplacer("d", "*24h", " ", "").Replace(text)
	if days, ok := strings.CutSuffix(text, "*24h"); ok {
		d, err := time.ParseDuration(days + "h")
		return 24 * d, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}
