package parser

import "strings"

// logfmt, as Traefik version 2 and other users of logrus write it:
//
//	time="2026-05-04T09:30:00+08:00" level=debug msg="http: TLS handshake error from …"
//
// Only a handshake error is a record of its own kind; the others are text with
// a time and a level.
func init() {
	registerForm(form{priority: 30, first: "tl", parse: parseLogfmt, stamp: stampLogfmt})
}

func parseLogfmt(text []byte, r *Record) bool {
	if !hasPrefix(text, "time=") && !hasPrefix(text, "level=") && !hasPrefix(text, "ts=") {
		return false
	}
	for rest := r.Text; rest != ""; {
		var key, value string
		if key, value, rest = cutPair(rest); key == "" {
			break
		}
		switch key {
		case "time", "ts":
			if s, n := scanDateTime([]byte(value)); n > 0 {
				r.ownStamp(s)
			}
		case "level":
			r.Level = levelOf([]byte(value))
		case "msg":
			r.Message = value
		case "error", "err":
			keepFirst(&r.Error, value)
		default:
			r.setField(key, value)
		}
	}
	r.setNetHTTP(r.Message)
	return true
}

// cutPair reads key=value or key="value" and the blanks behind it; key is
// empty where there is none.
func cutPair(s string) (key, value, rest string) {
	at := strings.IndexAny(s, `= "`)
	if at <= 0 || s[at] != '=' {
		return "", "", ""
	}
	key, s = s[:at], s[at+1:]
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, " ")
		return key, value, strings.TrimLeft(rest, " ")
	}
	end := stringEnd(s, 0)
	if end < 0 {
		return key, s[1:], ""
	}
	return key, string(jsonString([]byte(s[:end]))), strings.TrimLeft(s[end:], " ")
}

func stampLogfmt(text []byte) (Stamp, bool) {
	const lead = `time="`
	if !hasPrefix(text, lead) {
		return Stamp{}, false
	}
	s, n := scanDateTime(text[len(lead):])
	return s, n > 0
}
