package parser

// docker's json-file driver writes
//
//	{"log":"text\n","stream":"stdout","time":"2026-05-04T01:30:02.557312123Z"}
//
// with attrs between when labels are logged. Log shippers write the same keys
// in other orders and more of them, and may drop the final \n: in docker's own
// form alone a text without it, and of at least the length at which docker cuts,
// goes on in the next line.
func init() {
	register(wrapping{priority: 10, first: "{", unwrap: unwrapDockerJSON})
}

func unwrapDockerJSON(line []byte) (Entry, bool) {
	e := Entry{Wrapper: WrapperDockerJSON}
	var text []byte
	var stream, dated bool
	own := true // what docker itself wrote
	var writer Labels
	o := readObject(line)
	for first := true; ; first = false {
		m, ok := o.next()
		if !ok {
			break
		}
		value := m.value.of(line)
		switch key := m.key.of(line); string(key) {
		case "log":
			own = own && first
			if value[0] == '"' && text == nil {
				text = jsonString(value)
			}
		case "stream":
			stream = true
			e.Stream = streamName(value)
		case "time":
			dated = true
			e.Stamp = jsonStamp(value)
		case "level", "msg", "message": // a program's own record
			return e, false
		case "attrs":
		case "date", "@timestamp":
			own = false
			if !dated {
				e.Stamp = shippedStamp(value)
			}
		case "logtag", "_p": // of the CRI line that a shipper took apart
			own, e.Partial = false, string(value) == `"P"`
		default:
			own = false
			if first && !shipperKey(key) {
				return e, false
			}
			e.noteWriter(&writer, key, value)
		}
	}
	writer.settle(&e)
	if !o.whole || text == nil || !(stream || dated) {
		return e, false
	}
	e.Text = trimLineEnd(text)
	if own {
		e.Partial = len(text) >= dockerPiece && text[len(text)-1] != '\n'
	}
	return e, true
}

// shipperKey reports whether an object with the text of a container may begin
// with the key; others are given up at once.
func shipperKey(key []byte) bool {
	switch string(key) {
	case "attrs", "date", "@timestamp", "kubernetes", "docker", "container_id", "container_name", "source", "tag":
		return true
	}
	return false
}

func streamName(raw []byte) string {
	switch string(raw) {
	case `"stdout"`:
		return "stdout"
	case `"stderr"`:
		return "stderr"
	}
	return ""
}

// jsonStamp reads a time that is a JSON string and nothing else.
func jsonStamp(raw []byte) Stamp {
	if raw[0] != '"' {
		return Stamp{}
	}
	text := raw[1 : len(raw)-1]
	if s, n := scanDateTime(text); n == len(text) {
		return s
	}
	return Stamp{}
}
