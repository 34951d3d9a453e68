package check

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

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
