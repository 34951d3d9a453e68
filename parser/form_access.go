package parser

import (
	"bytes"
)

// A request in an access log. Its path, user, referer and user agent are whatever the
// client wrote, so a visitor could write any failure into the log:
//
//	203.0.113.9 - - [22/Apr/2026:10:11:12 +0800] "GET /net::ERR_CERT_DATE_INVALID HTTP/1.1" 404 153 "-" "curl/8.5.0"
//	203.0.113.9:51514 [22/Apr/2026:10:11:12.123] https-in~ im/wk1 0/0/1/2/3 200 153 - - ---- 1/1/0/0/0 0/0 {net::ERR} "GET / HTTP/1.1"
//	[GIN] 2026/04/22 - 10:11:12 | 404 |   1.2ms | 203.0.113.9 | GET      "/net::ERR_CERT_DATE_INVALID"
//	2026-04-22T10:11:12+08:00 203.0.113.9 "GET / HTTP/1.1" 200 "net::ERR_CERT_DATE_INVALID"
//	{"time":"2026-04-22T10:11:12+08:00","request":"GET / HTTP/1.1","status":"200","http_user_agent":"…"}
//
// of nginx, Apache httpd, Caddy and Traefik (the common log format, perhaps with
// the virtual host before it), of HAProxy, of gin (logger.go), and of nginx with a
// log_format of its user's. Envoy's form is another: it tells of failed handshakes.
func init() {
	registerForm(form{priority: 5, first: digits + lower + upper + ":[-", parse: parseAccess})
	registerForm(form{priority: 15, first: "{", parse: parseJSONAccess}) // what has a level or a message is no request
	registerForm(form{priority: 55, parse: parseRequest})
}

var (
	commonDate  = lazily(`^\[\d\d/[A-Z][a-z]{2}/\d{4}[: ]\d\d:\d\d:\d\d(?: [+-]\d{4})?\] (?:"|[A-Z]{3} \d{3} |code \d)`)
	haproxyDate = lazily(`^\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] \S+ \S+/\S+ [-+]?\d+/[-+]?\d+/`)
	ginLog      = lazily(`^\[GIN\] \d{4}/\d\d/\d\d - \d\d:\d\d:\d\d \|`)
	jsonLog     = lazily(`^\{.*"request"\s*:\s*"(?:[A-Z]{3,8} |-?")`)
	// request is a request line beside the status of its answer, or a path behind the
	// address of the server (IIS).
	request = lazily(`\b` + methods + ` \S.* HTTP/\d(?:\.\d)?["'|,\s]+[1-5]\d\d\b|[\s|,"][1-5]\d\d["'|,\s]+` + methods + ` \S.* HTTP/\d` +
		`|^(?:\S+ ){1,4}` + methods + ` /\S* .*[ \t][1-5]\d\d(?:[ \t]|$)`)
	envoyLog = lazily(`^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] "`)
)

const methods = `(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PROPFIND|PRI)`

func parseAccess(text []byte, r *Record) bool {
	if hasPrefix(text, "[GIN] ") {
		return r.setAccess(ginLog().Match(text))
	}
	// The name of a user, who need not exist, may hold anything but a line end.
	for at := nextDate(text, 0); at > 0; at = nextDate(text, at+1) {
		if commonDate().Match(text[at:]) || haproxyDate().Match(text[at:]) {
			return r.setAccess(true)
		}
	}
	return false
}

// nextDate is where a date in brackets may begin, -1 for nowhere: the expressions are
// slow, and most candidates have none.
func nextDate(text []byte, from int) int {
	for at := from; at < len(text); at++ {
		i := bytes.IndexByte(text[at:], '[')
		if i < 0 {
			return -1
		}
		at += i
		if len(text) > at+8 && text[at+3] == '/' && text[at+7] == '/' {
			return at
		}
	}
	return -1
}

func parseJSONAccess(text []byte, r *Record) bool {
	return bytes.Contains(text, []byte(`"request"`)) && r.setAccess(jsonLog().Match(text))
}

// parseRequest knows the requests of formats that somebody made himself.
func parseRequest(text []byte, r *Record) bool {
	if text[0] == '{' || !bytes.Contains(text, []byte(" HTTP/")) && !bytes.Contains(text, []byte(" /")) {
		return false
	}
	return r.setAccess(request().Match(text) && !envoyLog().Match(text))
}

func (r *Record) setAccess(is bool) bool {
	if is {
		r.Kind = KindAccess
	}
	return is
}
