package parser

import (
	"bytes"
	"strings"
)

// Records in JSON, one a line: WuKongIM's of all releases (keys level, time,
// linenum, msg, error, stacktrace up to v2.2, pkg/wklog/logger.go; time, level,
// module, caller, msg in version 3, internal/log/zap.go), Caddy's (ts in epoch
// seconds, logger) and Traefik's (message). A JSON record is found behind an
// unknown prefix too, but only after all other forms.
func init() {
	registerForm(form{priority: 10, first: "{", parse: parseZap, stamp: stampZap})
	registerForm(form{priority: 90, parse: findZap})
}

func parseZap(text []byte, r *Record) bool {
	return r.setZap(text, r.Text)
}

func findZap(text []byte, r *Record) bool {
	for _, start := range []string{`{"level":"`, `{"time":"`} {
		if at := bytes.Index(text, []byte(start)); at > 0 && !KindText.Theirs(r.Text, at) {
			return r.setZap(text[at:], r.Text[at:])
		}
	}
	return false
}

// setZap fills r from a JSON object that stands in b and in s. One that is cut
// off, as syslog does with long stacks, is taken if its message is complete.
func (r *Record) setZap(b []byte, s string) bool {
	var z zapRecord
	o := readObject(b)
	for {
		m, ok := o.next()
		if !ok {
			break
		}
		z.note(r, b, s, m)
	}
	if !o.whole && !(o.cut && z.message && z.level) {
		return false
	}
	if !z.message && !z.level {
		return false
	}
	z.finish(r)
	return true
}

// zapRecord keeps what of a JSON record was seen.
type zapRecord struct {
	message, level, err  bool
	messages             int // of the key msg
	shortErr, verboseErr string
	stack, trace         string
	module, logger       string
}

// note files one member of the object.
func (z *zapRecord) note(r *Record, b []byte, s string, m member) {
	raw := m.value.of(b)
	switch key := m.key.of(b); string(key) {
	case "level":
		if !z.level {
			z.level = true
			r.Level = levelOf(unquoted(raw))
		}
	case "time", "ts", "@timestamp":
		if stamp, ok := zapStamp(raw); ok && !r.OwnTime {
			r.ownStamp(stamp)
		} else if !ok {
			r.setField(s[m.key.from:m.key.to], valueOf(b, s, m.value))
		}
	case "msg", "message":
		z.noteMessage(r, string(key), valueOf(b, s, m.value))
	case "error":
		if !z.err && string(raw) != "null" {
			z.err = true
			r.Error = valueOf(b, s, m.value)
		}
	case "err":
		if z.shortErr == "" && string(raw) != "null" {
			z.shortErr = valueOf(b, s, m.value)
		}
	case "errorVerbose":
		z.verboseErr = valueOf(b, s, m.value)
		r.setField("errorVerbose", z.verboseErr)
	case "stack":
		keepFirst(&z.stack, valueOf(b, s, m.value))
	case "stacktrace":
		keepFirst(&z.trace, valueOf(b, s, m.value))
	case "module":
		keepFirst(&z.module, valueOf(b, s, m.value))
	case "logger":
		keepFirst(&z.logger, valueOf(b, s, m.value))
	default:
		r.setField(keyOf(b, s, m.key), valueOf(b, s, m.value))
	}
}

// noteMessage takes the first message; a second msg is a field of that name.
func (z *zapRecord) noteMessage(r *Record, key, value string) {
	if !z.message {
		z.message = true
		r.Message = value
		if key == "msg" {
			z.messages++
		}
		return
	}
	if key == "msg" {
		z.messages++
		if z.messages > 1 {
			key = "msg#2"
		}
	}
	r.setField(key, value)
}

// finish settles what depends on several members.
func (z *zapRecord) finish(r *Record) {
	r.Kind = KindZap
	r.splitLogger()
	if r.Logger == "" {
		r.Logger = z.module
		keepFirst(&r.Logger, z.logger)
	}
	switch {
	case z.err && z.shortErr != "":
		r.setField("err", z.shortErr)
	case z.err:
	case z.shortErr != "":
		r.Error = z.shortErr
	case z.verboseErr != "":
		r.Error, _, _ = strings.Cut(z.verboseErr, "\n")
	}
	r.Stack = z.stack
	if z.trace != "" && r.Stack != "" {
		r.Stack += "\n\n"
	}
	r.Stack += z.trace
	r.refine()
}

// refine gives records that speak of a connection the kind they are of.
func (r *Record) refine() {
	switch {
	case r.Message == "close connn", r.Message == "connection error", r.Message == "failed to read", r.Message == "readLoop error":
		r.Kind = KindClose
	case strings.HasPrefix(r.Message, dashes):
		r.setHandshake(r.Message)
	default:
		r.setNetHTTP(r.Message)
	}
}

// splitLogger moves 【Logger】 from the message to Logger. Names may hold
// brackets of their own, but not these.
func (r *Record) splitLogger() {
	rest, ok := strings.CutPrefix(r.Message, "【")
	if !ok {
		return
	}
	if name, message, ok := strings.Cut(rest, "】"); ok {
		r.Logger, r.Message = name, message
	}
}

func keepFirst(dst *string, value string) {
	if *dst == "" {
		*dst = value
	}
}

// keyOf returns a key as text.
func keyOf(b []byte, s string, key span) string {
	if bytes.IndexByte(key.of(b), '\\') < 0 {
		return s[key.from:key.to]
	}
	return string(jsonString(b[key.from-1 : key.to+1]))
}

// valueOf returns a string's content or another value's JSON text. Where
// nothing was escaped it is a part of s, which holds the same text as b.
func valueOf(b []byte, s string, value span) string {
	raw := value.of(b)
	if raw[0] != '"' {
		return s[value.from:value.to]
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return s[value.from+1 : value.to-1]
	}
	return string(jsonString(raw))
}

// zapStamp reads a value that is a time in text or in epoch seconds.
func zapStamp(raw []byte) (Stamp, bool) {
	if raw[0] != '"' {
		return parseEpoch(raw)
	}
	s := jsonStamp(raw)
	return s, !s.IsZero()
}

// stampZap finds the time without walking the object. The quotes of the key
// cannot stand in a string unescaped, so what is found is a key.
func stampZap(text []byte) (Stamp, bool) {
	const longestTime = 64
	for _, key := range []string{`"time":`, `"ts":`, `"@timestamp":`} {
		at := bytes.Index(text, []byte(key))
		if at < 0 {
			continue
		}
		rest := bytes.TrimLeft(text[at+len(key):], " ")
		rest = rest[:min(len(rest), longestTime)]
		end := bytes.IndexAny(rest, ",} ")
		if len(rest) > 0 && rest[0] == '"' {
			end = stringEnd(rest, 0)
		}
		if end > 0 {
			if s, ok := zapStamp(rest[:end]); ok {
				return s, true
			}
		}
	}
	return Stamp{}, false
}
