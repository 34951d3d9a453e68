package engine

import (
	"errors"
	"net/url"
	"strings"
	"time"
)

// Faults of an address. None of them quotes it: it may hold a password.
var (
	ErrAddress  = errors.New("is no address of an engine")
	ErrUserinfo = errors.New("an address holds no user and no password")
	ErrNoHost   = errors.New("names no host, and no variable of the environment does")
)

// Span is a stretch of time from a moment until before another.
type Span struct{ From, Until time.Time }

func (s Span) width() time.Duration { return s.Until.Sub(s.From) }

// Address names an engine and what is read there.
type Address struct {
	// Engine is vlogs or loki.
	Engine string
	// Base is where its interface begins, without a slash at the end.
	Base url.URL
	// Selector chooses streams in the engine's own language, empty for all.
	Selector string
}

// kinds are the engines by the schemes of their addresses.
var kinds = map[string]struct {
	port, variables string
	speaks          func(*Client) backend
}{
	"vlogs": {"9428", "VLOGS_", func(c *Client) backend { return vlogs{c} }},
	"loki":  {"3100", "LOKI_", func(c *Client) backend { return loki{c, new(string)} }},
}

// IsAddress tells an engine's address from the name of a file.
func IsAddress(arg string) bool {
	scheme, _, ok := strings.Cut(arg, "://")
	if !ok {
		return false
	}
	_, known := kinds[strings.TrimSuffix(scheme, "+https")]
	return known
}

// IsLog tells the name of an engine's log, ENGINE:NODE, from that of a file.
func IsLog(name string) bool {
	engine, _, ok := strings.Cut(name, ":")
	_, known := kinds[engine]
	return ok && known
}

// ParseAddress reads ENGINE[+https]://HOST[:PORT]/[BASE][?query=SELECTOR]. Without a host
// the engine's variable ADDR in the environment names it.
func ParseAddress(arg string, env func(string) string) (*Address, error) {
	scheme, _, _ := strings.Cut(arg, "://")
	name, secure := strings.CutSuffix(scheme, "+https")
	kind, known := kinds[name]
	if !known {
		return nil, ErrAddress
	}
	arg, query, _ := strings.Cut(arg, "?")
	a := &Address{Engine: name}
	u, err := url.Parse(arg)
	if err == nil && u.Host == "" {
		path := u.Path
		if u, err = url.Parse(env(kind.variables + "ADDR")); err == nil {
			if u.Host == "" {
				return nil, ErrNoHost
			}
			secure = u.Scheme == "https"
			u.Path = strings.TrimSuffix(u.Path, "/") + path
		}
	}
	switch {
	case err != nil:
		return nil, ErrAddress
	case u.User != nil:
		return nil, ErrUserinfo
	}
	a.Base = url.URL{Scheme: "http", Host: u.Host, Path: strings.TrimSuffix(u.Path, "/")}
	if secure {
		a.Base.Scheme = "https"
	} else if u.Port() == "" {
		a.Base.Host += ":" + kind.port
	}
	a.Selector, err = selectorOf(query)
	return a, err
}

// selectorOf takes the selector as it was typed, or as a browser writes it.
func selectorOf(query string) (string, error) {
	if query == "" {
		return "", nil
	}
	selector, ok := strings.CutPrefix(query, "query=")
	if !ok {
		return "", ErrAddress
	}
	if !strings.Contains(selector, "%") {
		return selector, nil
	}
	plain, err := url.PathUnescape(selector)
	if err != nil {
		return selector, nil // a percent sign of its own
	}
	return plain, nil
}

// Name is the address without what is chosen there.
func (a *Address) Name() string {
	scheme := a.Engine
	if a.Base.Scheme == "https" {
		scheme += "+https"
	}
	return scheme + "://" + a.Base.Host + a.Base.Path
}
