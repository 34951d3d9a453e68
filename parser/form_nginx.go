package parser

import "strings"

// nginx's error log (src/core/ngx_log.c), the time local and without zone; at
// start-up nginx writes to stderr without time:
//
//	2026/11/23 05:05:52 [info] 22873#22873: *1 message, client: 10.0.0.1, server: im, request: "…"
//	nginx: [emerg] message
func init() {
	registerForm(form{priority: 20, first: digits + "n", parse: parseNginx})
}

func parseNginx(text []byte, r *Record) bool {
	rest, started := strings.CutPrefix(r.Text, "nginx: ")
	if !started {
		stamp, n := scanDateTime(text)
		if n == 0 || text[4] != '/' || n == len(text) || text[n] != ' ' {
			return false
		}
		r.ownStamp(stamp)
		rest = r.Text[n+1:]
	}
	level, rest, ok := strings.Cut(rest, "] ")
	if !ok || !strings.HasPrefix(level, "[") {
		return false
	}
	if _, ok = knownLevel([]byte(level[1:])); !ok {
		return false
	}
	message, process := cutProcess(rest)
	if !process && !started {
		return false
	}
	r.Kind = KindNginx
	r.Level = levelOf([]byte(level[1:]))
	r.setNginxMessage(message)
	return true
}

// cutProcess removes `22873#22874: *1 `, process, thread and connection.
func cutProcess(s string) (rest string, ok bool) {
	pid, rest, ok := strings.Cut(s, "#")
	if !ok || !isNumber([]byte(pid)) {
		return s, false
	}
	tid, rest, ok := strings.Cut(rest, ": ")
	if !ok || !isNumber([]byte(tid)) {
		return s, false
	}
	if connection, after, ok := strings.Cut(rest, " "); ok && len(connection) > 1 && connection[0] == '*' && isNumber([]byte(connection[1:])) {
		return after, true
	}
	return rest, true
}

// nginxTails are the keys that can begin the context behind a message: that of
// a request or stream, of an OCSP query, of a Lua timer.
var nginxTails = [...]string{", client: ", ", responder: ", ", context: "}

// setNginxMessage separates the message from its context.
func (r *Record) setNginxMessage(s string) {
	r.Message = s
	at := -1
	for _, tail := range nginxTails {
		if i := strings.Index(s, tail); i >= 0 && (at < 0 || i < at) {
			at = i
		}
	}
	if at < 0 {
		return
	}
	r.Message = s[:at]
	for rest := s[at+2:]; rest != ""; {
		rest = r.setNginxField(rest)
	}
	r.Remote = r.Fields["client"]
}

// setNginxField reads `key: value` or `key: "value"` and returns what follows
// the comma.
func (r *Record) setNginxField(s string) (rest string) {
	const longestKey = 40
	at := strings.Index(s[:min(len(s), longestKey)], ": ")
	if at < 0 || strings.Contains(s[:at], ", ") {
		_, rest, _ = strings.Cut(s, ", ")
		return rest
	}
	key, value := s[:at], s[at+2:]
	if quoted, ok := strings.CutPrefix(value, `"`); ok {
		value, rest, _ = strings.Cut(quoted, `"`)
		rest = strings.TrimPrefix(rest, ", ")
	} else {
		value, rest, _ = strings.Cut(value, ", ")
	}
	r.setField(key, value)
	return rest
}
