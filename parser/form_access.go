package parser

import (
	"bytes"
	"regexp"
)

// A request in an access log. Its path, referer and user agent are whatever the
// client wrote, so a visitor could write any failure into the log:
//
//	203.0.113.9 - - [22/Apr/2026:10:11:12 +0800] "GET /net::ERR_CERT_DATE_INVALID HTTP/1.1" 404 153 "-" "curl/8.5.0"
//	[GIN] 2026/04/22 - 10:11:12 | 404 |   1.2ms | 203.0.113.9 | GET      "/net::ERR_CERT_DATE_INVALID"
//	{"time":"2026-04-22T10:11:12+08:00","request":"GET / HTTP/1.1","status":"200","http_user_agent":"…"}
//
// of nginx, Apache httpd, Caddy and Traefik (the common log format, perhaps with
// the virtual host before it), of gin (logger.go), and of nginx with a log_format in
// JSON. Envoy's form is another: it tells of failed handshakes.
func init() {
	registerForm(form{priority: 5, first: digits + lower + upper + ":[-", parse: parseAccess})
	registerForm(form{priority: 15, first: "{", parse: parseJSONAccess}) // what has a level or a message is no request
}

var (
	commonLog = regexp.MustCompile(`^(?:\S+ ){2,4}\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "`)
	ginLog    = regexp.MustCompile(`^\[GIN\] \d{4}/\d\d/\d\d - \d\d:\d\d:\d\d \|`)
	jsonLog   = regexp.MustCompile(`^\{.*"request": ?"(?:[A-Z]{3,8} |-?")`)
)

func parseAccess(text []byte, r *Record) bool {
	if hasPrefix(text, "[GIN] ") {
		return r.setAccess(ginLog.Match(text))
	}
	// The expression is slow, and most candidates have no such date.
	at := bytes.IndexByte(text, '[')
	return at > 0 && len(text) > at+8 && text[at+3] == '/' && text[at+7] == '/' && r.setAccess(commonLog.Match(text))
}

func parseJSONAccess(text []byte, r *Record) bool {
	return bytes.Contains(text, []byte(`"request":`)) && r.setAccess(jsonLog.Match(text))
}

func (r *Record) setAccess(is bool) bool {
	if is {
		r.Kind = KindAccess
	}
	return is
}
