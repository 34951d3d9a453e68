package parser

import "cmp"

// Log shippers and the stores that they fill hand out one JSON object an entry:
//
//	{"@timestamp":"2026-05-04T01:30:00.123Z","message":"text","host":{"name":"im01"}}
//	{"_index":"logs","_id":"1","_source":{"@timestamp":"2026-05-04T01:30:00.123Z","message":"text"}}
//	{"labels":{"app":"wukongim"},"line":"text","timestamp":"2026-05-04T01:30:00.123Z"}
//	{"date":1777858200.123456,"log":"text","logtag":"F"}
//	{"__time__":"1777858200","_source_":"stdout","content":"text"}
//	{"message":"text","nodeName":"n1","namespace":"im","podName":"wukongim-0","containerName":"wukongim"}
//	{"pod": "wukongim-0", "container": "wukongim", "message": "text"}
//	{"container":"wukongim","message":"text","name":"wukongim-0","namespace":"im"}
//
// are Filebeat's, Logstash's and Vector's; an export from Elasticsearch; logcli's
// with -o jsonl; Fluent Bit's; Alibaba Cloud's SLS; stern's with -o json and extjson and
// kail's with -o json, whose entries have a time in their text or none. They count as WrapperDockerJSON. An object with a level or a msg is a program's own record.
func init() {
	register(wrapping{priority: 25, first: "{", unwrap: unwrapShipped})
}

func unwrapShipped(line []byte) (Entry, bool) {
	e := Entry{Wrapper: WrapperDockerJSON}
	var text, record, name []byte
	var writer Labels
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
			} else if value[0] == '{' && string(key) == "message" {
				record = value
			}
		case "name":
			if value[0] == '"' {
				name = jsonString(value)
			}
		case "@timestamp", "timestamp", "date", "__time__", "_time_":
			if e.Stamp.IsZero() {
				e.Stamp = shippedStamp(value)
			}
		case "stream", "_source_":
			e.Stream = cmp.Or(streamName(value), e.Stream)
		case "logtag", "_p": // of the CRI line that was taken apart
			e.Partial = string(value) == `"P"`
		case "_source":
			if value[0] == '{' {
				return unwrapShipped(value)
			}
		case "level", "msg":
			return e, false
		default:
			e.noteWriter(&writer, key, value)
		}
	}
	if writer.pod == "" && writer.namespace != "" && writer.container != "" { // kail's
		writer.Add("pod", string(name))
	}
	if text == nil && writer.pod != "" { // a record in JSON, which stern and kail leave as it is
		text = record
	}
	writer.settle(&e)
	if !o.whole || text == nil || e.Stamp.IsZero() && writer.pod == "" {
		return e, false
	}
	e.Text = trimLineEnd(text)
	return e, true
}

// noteWriter takes what a field says of the container that an entry is of: a shipper puts
// those of a host into one file, where the pieces of their entries are mixed. Where none
// has a name, the field as it is tells them apart.
func (e *Entry) noteWriter(writer *Labels, key, value []byte) {
	if (string(key) == "labels" || string(key) == "fields") && value[0] == '{' {
		writer.addObject("", value, 0)
	} else {
		writer.addMember(string(key), value, 0)
	}
	switch string(key) {
	case "container_name", "container_id", "kubernetes", "container", "docker", "labels":
		if e.Origin == "" {
			e.Origin = string(unquoted(value))
		}
	}
}

// settle names the writer of an entry, if it is known.
func (l *Labels) settle(e *Entry) {
	if *l != (Labels{}) && l.Origin() != "" {
		l.name(e)
	}
}

// beginsShipped tells whether an exported object may begin with the key; others
// are given up at once.
func beginsShipped(key []byte) bool {
	if len(key) > 0 && (key[0] == '@' || key[0] == '_') {
		return true
	}
	switch string(key) {
	case "message", "log", "line", "content", "timestamp", "date", "labels", "stream", "host", "agent", "tags", "input", "fields", "container", "logtag", "pod", "namespace":
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
