package parser

import "bytes"

// RFC 5424 syslog:
//
//	<30>1 2026-05-04T09:30:00.123456+08:00 im01 wukongim 4242 - [id k="v"] text
//
// The text may begin with a byte order mark (section 6.4).
func init() {
	register(wrapping{priority: 10, first: "<", unwrap: unwrapSyslog5424})
}

func unwrapSyslog5424(line []byte) (Entry, bool) {
	at := priorityEnd(line)
	if at <= 0 || at+2 > len(line) || line[at] != '1' || line[at+1] != ' ' {
		return Entry{}, false
	}
	at += 2
	var words [5][]byte // time, host, app, procid, msgid
	for i := range words {
		end := wordEnd(line, at)
		if end == at || end == len(line) {
			return Entry{}, false
		}
		words[i], at = line[at:end], end+1
	}
	stamp, ok := stamp5424(words[0])
	if !ok {
		return Entry{}, false
	}
	end := structuredDataEnd(line, at)
	if end < 0 {
		return Entry{}, false
	}
	text, at, ok := behind(line, end)
	if bare := bytes.TrimPrefix(text, []byte(bom)); len(bare) < len(text) {
		text, at = bare, at+len(bom)
	}
	return Entry{
		Wrapper: WrapperSyslog,
		Text:    undoOctal(text),
		Stamp:   stamp,
		Origin:  origin5424(words[1], words[2], words[3]),
		Prefix:  at,
	}, ok
}

func stamp5424(word []byte) (Stamp, bool) {
	if string(word) == "-" {
		return Stamp{}, true
	}
	s, n := scanDateTime(word)
	return s, n == len(word) && s.Zoned
}

// origin5424 writes host, app and process id as RFC 3164 does; - is nil.
func origin5424(host, app, procID []byte) string {
	var out []byte
	if string(host) != "-" {
		out = append(out, host...)
	}
	if string(app) != "-" {
		if len(out) > 0 {
			out = append(out, ' ')
		}
		out = append(out, app...)
	}
	if string(procID) != "-" {
		out = append(append(append(out, '['), procID...), ']')
	}
	return string(out)
}

// structuredDataEnd returns the index behind - or [id name="value" …]… at
// line[at:], -1 if it is malformed. In values \ escapes ", \ and ].
func structuredDataEnd(line []byte, at int) int {
	if at < len(line) && line[at] == '-' {
		return at + 1
	}
	start := at
	for at < len(line) && line[at] == '[' {
		for at++; at < len(line) && line[at] != ']'; at++ {
			if line[at] == '"' {
				if at = stringEnd(line, at) - 1; at < 0 {
					return -1
				}
			}
		}
		if at >= len(line) {
			return -1
		}
		at++
	}
	if at == start {
		return -1
	}
	return at
}
