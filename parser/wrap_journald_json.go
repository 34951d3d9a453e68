package parser

import "strconv"

// journalctl -o json writes one object a line, its keys in any order, all
// upper case. MESSAGE is a string, or an array of byte values if it holds
// unprintable bytes. Docker's driver adds the container and marks the pieces
// of a long line.
func init() {
	register(wrapping{priority: 20, first: "{", unwrap: unwrapJournaldJSON})
}

func unwrapJournaldJSON(line []byte) (Entry, bool) {
	e := Entry{Wrapper: WrapperJournald}
	var text, priority, source []byte
	var who journalOrigin
	o := readObject(line)
	for {
		m, ok := o.next()
		if !ok {
			break
		}
		key, value := m.key.of(line), m.value.of(line)
		if len(key) == 0 || key[0] != '_' && (key[0] < 'A' || key[0] > 'Z') {
			return e, false
		}
		switch string(key) {
		case "MESSAGE":
			if text, ok = journalMessage(value); !ok {
				return e, false
			}
		case "__REALTIME_TIMESTAMP":
			e.Stamp, _ = parseEpoch(unquoted(value))
		case "_SOURCE_REALTIME_TIMESTAMP":
			source = unquoted(value)
		case "PRIORITY":
			priority = unquoted(value)
		case "CONTAINER_PARTIAL_MESSAGE":
			e.Partial = string(unquoted(value)) == "true"
		default:
			who.note(key, value)
		}
	}
	if !o.whole || text == nil {
		return e, false
	}
	if e.Stamp.IsZero() {
		e.Stamp, _ = parseEpoch(source)
	}
	if who.container != nil {
		e.Stream = dockerStream(priority)
	}
	e.Text, e.Origin = trimLineEnd(text), who.String()
	return e, true
}

// dockerStream reverses the priorities that docker's journald driver gives to
// the streams.
func dockerStream(priority []byte) string {
	switch string(priority) {
	case "3":
		return "stderr"
	case "6":
		return "stdout"
	}
	return ""
}

// journalOrigin collects who wrote an entry of the journal.
type journalOrigin struct{ host, container, ident, comm, pid []byte }

func (o *journalOrigin) note(key, value []byte) {
	switch string(key) {
	case "_HOSTNAME":
		o.host = unquoted(value)
	case "CONTAINER_NAME":
		o.container = unquoted(value)
	case "SYSLOG_IDENTIFIER":
		o.ident = unquoted(value)
	case "_COMM":
		o.comm = unquoted(value)
	case "_PID":
		o.pid = unquoted(value)
	}
}

// String writes the origin as the short forms do: host ident[pid].
func (o *journalOrigin) String() string {
	if o.container != nil {
		return string(o.container)
	}
	name := o.ident
	if name == nil {
		name = o.comm
	}
	out := append([]byte(nil), o.host...)
	if len(out) > 0 && len(name) > 0 {
		out = append(out, ' ')
	}
	out = append(out, name...)
	if len(o.pid) > 0 {
		out = append(append(append(out, '['), o.pid...), ']')
	}
	return string(out)
}

// unquoted returns a JSON value's text.
func unquoted(raw []byte) []byte {
	if raw[0] == '"' {
		return jsonString(raw)
	}
	return raw
}

// journalMessage decodes MESSAGE; null stands for one too large to print.
func journalMessage(raw []byte) ([]byte, bool) {
	switch raw[0] {
	case '"':
		return jsonString(raw), true
	case '[':
		return byteArray(raw[1 : len(raw)-1])
	}
	return nil, false
}

// byteArray decodes numbers from 0 to 255 separated by commas.
func byteArray(list []byte) ([]byte, bool) {
	out := make([]byte, 0, len(list)/3+1)
	for i := 0; i < len(list); i++ {
		from := i
		for i < len(list) && list[i] != ',' {
			i++
		}
		from, to := trimBlanks(list, from, i)
		v, err := strconv.ParseUint(string(list[from:to]), 10, 8)
		if err != nil {
			return nil, false
		}
		out = append(out, byte(v))
	}
	return out, true
}

func trimBlanks(b []byte, from, to int) (int, int) {
	for from < to && isBlank(b[from]) {
		from++
	}
	for to > from && isBlank(b[to-1]) {
		to--
	}
	return from, to
}
