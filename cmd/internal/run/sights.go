package run

import (
	"regexp"
	"slices"

	"wklog/cmd/internal/source"
	"wklog/parser"
)

// sights are what was read, so that nobody is advised to read it.
type sights struct {
	stdout, stderr bool // of the server
	proxy          bool // the error log of a proxy
	nginx, info    bool // nginx's, with entries at level info
	debug          bool // the server's debug records
	v3             bool // a server of version 3, which prints no handshake
}

// proxies are programs by whose names their logs go.
var proxies = regexp.MustCompile(`(?i)nginx|caddy|traefik|haproxy|apache|httpd|envoy|stunnel|lighttpd|hitch|openresty`)

// bothStreams are wrappers that hold standard output and standard error of a
// program.
var bothStreams = []parser.Wrapper{parser.WrapperDockerJSON, parser.WrapperCompose, parser.WrapperJournald}

// note keeps what a log shows of its writer.
func (s *sights) note(log string, stats *parser.Stats) {
	records, texts, panics, ofProxy := 0, 0, 0, proxies.MatchString(log)
	for style, n := range stats.Styles {
		switch style.Kind {
		case parser.KindZap, parser.KindConsole, parser.KindClose:
			records += n
			s.debug = s.debug || style.Level == "debug"
			s.v3 = s.v3 || style.Kind == parser.KindConsole
		case parser.KindText, parser.KindHandshake:
			texts += n
		case parser.KindPanic:
			panics += n
		case parser.KindNginx:
			s.nginx, ofProxy = true, true
			s.info = s.info || style.Level == "info" || style.Level == "debug"
		case parser.KindNetHTTP, parser.KindOpenSSL:
			ofProxy = true
		}
	}
	s.proxy = s.proxy || ofProxy
	if ofProxy || parser.IsOwnLog(log) {
		return
	}
	wrapped := stats.Wrapper != parser.WrapperNone
	// The server writes records alone into its files, and texts between them to
	// standard output.
	s.stdout = s.stdout || wrapped || log == source.Stdin || records > 0 && texts > 0 || panics > 0
	s.stderr = s.stderr || slices.Contains(bothStreams, stats.Wrapper) || panics > 0
}

// more are the hints on what would show more where nothing was found.
func (s *sights) more(stopped bool) []string {
	keys := []string{}
	for _, hint := range []struct {
		key  string
		done bool
	}{
		{"stdout", s.stdout || s.v3}, {"stderr", s.stderr || stopped}, {"proxy", s.proxy}, {"nginx-info", !s.nginx || s.info}, {"debug", s.debug || s.v3},
	} {
		if !hint.done {
			keys = append(keys, hint.key)
		}
	}
	if len(keys) == 0 {
		keys = append(keys, "client")
	}
	return keys
}
