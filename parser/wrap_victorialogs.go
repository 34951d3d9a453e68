package parser

import "bytes"

// VictoriaLogs answers with one JSON object an entry:
//
//	{"_time":"2026-05-04T01:30:00.123Z","_stream_id":"00…","_stream":"{pod=\"wukongim-0\"}","_msg":"text","pod":"wukongim-0"}
//
// It takes a record in JSON apart into fields when it is given one (its endpoint for
// Loki's push does so by default), all of them strings then. Such a record is put
// together again: what is no label of its stream is a field of it.
//
// Alibaba Cloud's SLS names its fields alike, but none of them _msg.
//
// vlogscli prints the same as logfmt (its modes \logfmt and \c, v1.52.1):
//
//	_msg="text" _stream="{pod=\"wukongim-0\"}" _stream_id=00… _time=2026-05-04T01:30:00.123Z pod=wukongim-0
func init() {
	register(wrapping{priority: 24, first: "{", unwrap: unwrapVictoriaLogs})
	register(wrapping{priority: 24, first: "_", unwrap: unwrapVlogscli})
}

func unwrapVlogscli(line []byte) (Entry, bool) {
	const message = `_msg=`
	if !hasPrefix(line, message) || !bytes.Contains(line, []byte(" _time=")) {
		return Entry{}, false
	}
	object := []byte{'{'}
	for len(line) > 0 {
		name, rest, ok := bytes.Cut(line, []byte("="))
		end := len(rest)
		if !ok || end == 0 {
			return Entry{}, false
		}
		if rest[0] == '"' {
			end = stringEnd(rest, 0)
		} else if blank := bytes.IndexByte(rest, ' '); blank >= 0 {
			end = blank
		}
		if end < 0 {
			return Entry{}, false
		}
		if len(object) > 1 {
			object = append(object, ',')
		}
		object = append(append(append(object, '"'), name...), `":`...)
		if rest[0] == '"' {
			object = append(object, rest[:end]...)
		} else {
			object = append(append(append(object, '"'), rest[:end]...), '"')
		}
		line = bytes.TrimPrefix(rest[end:], []byte(" "))
	}
	return unwrapVictoriaLogs(append(object, '}'))
}

// noMessage begins what VictoriaLogs keeps as the text of an entry that came without one
// (lib/logstorage, v1.52.1).
const noMessage = "missing _msg field"

func unwrapVictoriaLogs(line []byte) (Entry, bool) {
	if !bytes.Contains(line, []byte(`"_msg"`)) || !bytes.Contains(line, []byte(`"_time"`)) {
		return Entry{}, false
	}
	var writer Labels
	e, _, ok := writer.ReadVictoriaLogs(line)
	if ok {
		writer.settle(&e)
	}
	return e, ok
}

// ReadVictoriaLogs takes an answer of VictoriaLogs apart: its entry, of which l is the
// writer then, and the labels of the entry's stream as they are printed.
func (l *Labels) ReadVictoriaLogs(line []byte) (e Entry, stream []byte, ok bool) {
	e.Wrapper = WrapperDockerJSON
	var text, message []byte
	var apart exploded
	o := readObject(line)
	for {
		m, ok := o.next()
		if !ok {
			break
		}
		key, value := m.key.of(line), m.value.of(line)
		if value[0] != '"' {
			apart.note(key, value)
			continue
		}
		switch string(key) {
		case "_msg":
			text, message = jsonString(value), value
		case "_time":
			e.Stamp = shippedStamp(value)
		case "_stream":
			stream = jsonString(value)
		case "_stream_id":
		default:
			l.Add(string(key), string(jsonString(value)))
			apart.note(key, value)
		}
	}
	if !o.whole || text == nil || e.Stamp.IsZero() {
		return e, nil, false
	}
	EachLabel(stream, l.Add)
	e.Text = trimLineEnd(text)
	switch {
	case hasPrefix(text, noMessage):
		e.Text = apart.record(stream, nil)
	case apart.level && apart.more && !startsRecord(text):
		e.Text = apart.record(stream, message)
	}
	return e, stream, true
}

// exploded is a record that was taken apart.
type exploded struct {
	fields []field
	// level and more say that it has a level, and what only a record has beside it:
	// collectors add a level to any text.
	level, more bool
}

type field struct{ key, value []byte }

func (x *exploded) note(key, value []byte) {
	switch string(key) {
	case "level":
		x.level = true
	case "time", "ts", "caller", "linenum", "module", "logger", "error":
		x.more = true
	}
	x.fields = append(x.fields, field{key, value})
}

// record puts the record together, without the labels of its stream; its level may be
// one of them. A message that became the text of the entry is given back, nil for none.
func (x *exploded) record(set, message []byte) []byte {
	b := []byte{'{'}
	for _, f := range x.fields {
		if string(f.key) != "level" && isLabelOf(set, f.key) {
			continue
		}
		b = appendMember(b, f.key, f.value)
	}
	if message != nil {
		b = appendMember(b, []byte("msg"), message)
	}
	return append(b, '}')
}

// appendMember writes a member of an object; a number that became a string is one again.
func appendMember(b, key, value []byte) []byte {
	if len(b) > 1 {
		b = append(b, ',')
	}
	b = append(append(append(b, '"'), key...), '"', ':')
	if _, ok := parseEpoch(unquoted(value)); ok {
		return append(b, unquoted(value)...)
	}
	return append(b, value...)
}

// isLabelOf tells whether a set of labels has a name.
func isLabelOf(set, name []byte) bool {
	for _, before := range []string{"{", ",", ", "} {
		if bytes.Contains(set, append(append([]byte(before), name...), '=', '"')) {
			return true
		}
	}
	return false
}
