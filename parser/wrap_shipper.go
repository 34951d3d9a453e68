package parser

// Log shippers and the stores that they fill hand out one JSON object an entry:
//
//	{"@timestamp":"2026-05-04T01:30:00.123Z","message":"text","host":{"name":"im01"}}
//	{"_index":"logs","_id":"1","_source":{"@timestamp":"2026-05-04T01:30:00.123Z","message":"text"}}
//	{"labels":{"app":"wukongim"},"line":"text","timestamp":"2026-05-04T01:30:00.123Z"}
//	{"date":1777858200.123456,"log":"text","logtag":"F"}
//	{"__time__":"1777858200","_source_":"stdout","content":"text"}
//
// are Filebeat's, Logstash's and Vector's; an export from Elasticsearch; logcli's
// with -o jsonl; Fluent Bit's; and Alibaba Cloud's SLS. They count as
// WrapperDockerJSON. An object with a level or a msg is a program's own record.
func init() {
	register(wrapping{priority: 25, first: "{", unwrap: unwrapShipped})
}

func unwrapShipped(line []byte) (Entry, bool) {
	e := Entry{Wrapper: WrapperDockerJSON}
	var text []byte
	o := readObject(line)
	for first := true; ; first = false {
		m, ok := o.next()
		if !ok {
			break
		}
		key, value := m.key.of(line), m.value.of(line)
		if first && !beginsShipped(key) {
			return e, false
		}
		switch string(key) {
		case "message", "log", "line", "content":
			if value[0] == '"' && text == nil {
				text = jsonString(value)
			}
		case "@timestamp", "timestamp", "date", "__time__", "_time_":
			if e.Stamp.IsZero() {
				e.Stamp = shippedStamp(value)
			}
		case "stream", "_source_":
			e.Stream = streamName(value)
		case "logtag", "_p": // of the CRI line that was taken apart
			e.Partial = string(value) == `"P"`
		case "_source":
			if value[0] == '{' {
				return unwrapShipped(value)
			}
		case "level", "msg":
			return e, false
		default:
			e.noteContainer(key, value)
		}
	}
	if !o.whole || text == nil || e.Stamp.IsZero() {
		return e, false
	}
	e.Text = trimLineEnd(text)
	return e, true
}

// noteContainer takes the container that an entry is of: a shipper puts those of a host
// into one file, where the pieces of their entries are mixed.
func (e *Entry) noteContainer(key, value []byte) {
	switch string(key) {
	case "container_name", "container_id", "kubernetes", "container", "docker", "labels":
		if e.Origin == "" {
			e.Origin = string(unquoted(value))
		}
	}
}

// beginsShipped tells whether an exported object may begin with the key; others
// are given up at once.
func beginsShipped(key []byte) bool {
	if len(key) > 0 && (key[0] == '@' || key[0] == '_') {
		return true
	}
	switch string(key) {
	case "message", "log", "line", "content", "timestamp", "date", "labels", "stream", "host", "agent", "tags", "input", "fields", "container", "logtag":
		return true
	}
	return shipperKey(key)
}

func shippedStamp(value []byte) Stamp {
	if s := jsonStamp(value); !s.IsZero() {
		return s
	}
	s, _ := parseEpoch(unquoted(value))
	return s
}
