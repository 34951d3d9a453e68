package parser

import (
	"bytes"
	"cmp"
)

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
//	{"version":"1.1","host":"im01","short_message":"text","timestamp":1777858200.123,"level":6}
//	{"__TIMESTAMP__":"1777858200","__SOURCE__":"10.0.0.1","__CONTENT__":"text"}
//	{"insertId":"1","textPayload":"text","timestamp":"2026-05-04T01:30:00.123Z","resource":{"labels":{"pod_name":"wukongim-0"}}}
//	{"TimeGenerated":"2026-05-04T01:30:00.123Z","PodName":"wukongim-0","LogMessage":"text"}
//	{"timeUnixNano":"1777858200123456789","body":{"stringValue":"text"}}
//
// are Filebeat's, Logstash's and Vector's; an export from Elasticsearch; logcli's
// with -o jsonl; Fluent Bit's; Alibaba Cloud's SLS; stern's with -o json and extjson and
// kail's with -o json, whose entries have a time in their text or none; GELF 1.1 (Graylog,
// Docker's driver); Tencent Cloud's CLS; Google Cloud's LogEntry; Azure's ContainerLogV2
// (LogEntry in ContainerLog); a LogRecord of OTLP in JSON. They count as
// WrapperDockerJSON. An object with a level in words or a msg is a program's own record.
//
// Fluentd's out_file puts time, tag and record side by side, with tabs between; tools of
// clouds print the members of an entry below each other:
//
//	2026-05-04T01:30:00+00:00\tdocker.wukongim\t{"log":"text","container_name":"/wukongim"}
//	    "message": "text",
func init() {
	register(wrapping{priority: 25, first: "{", unwrap: unwrapShipped})
	register(wrapping{priority: 84, first: digits, unwrap: unwrapFluentd})
	register(wrapping{priority: 90, first: " \t\"", unwrap: unwrapMember})
}

func unwrapShipped(line []byte) (Entry, bool) { return shipped(line, Stamp{}) }

func unwrapFluentd(line []byte) (Entry, bool) {
	stamp, n := scanDateTime(line)
	if n == 0 || n == len(line) || line[n] != '\t' {
		return Entry{}, false
	}
	tag, record, ok := bytes.Cut(line[n+1:], []byte("\t"))
	if !ok || len(record) == 0 || record[0] != '{' || bytes.IndexByte(tag, ' ') >= 0 {
		return Entry{}, false
	}
	return shipped(record, stamp)
}

// unwrapMember takes the text of an entry whose members stand below each other, or its
// time.
func unwrapMember(line []byte) (Entry, bool) {
	member := bytes.TrimLeft(line, " \t")
	if len(member) == 0 || member[0] != '"' {
		return Entry{}, false
	}
	end := stringEnd(member, 0)
	if end < 0 {
		return Entry{}, false
	}
	key := member[1 : end-1]
	isTime := isTimeKey(key)
	if !isTime && !isTextKey(key) {
		return Entry{}, false
	}
	value, ok := bytes.CutPrefix(bytes.TrimLeft(member[end:], " "), []byte(":"))
	value = bytes.Trim(value, " ,\t\r\n")
	if !ok || len(value) == 0 || value[0] == '"' && stringEnd(value, 0) != len(value) {
		return Entry{}, false
	}
	e := Entry{Wrapper: WrapperDockerJSON}
	switch {
	case isTime:
		e.Text, e.Stamp, e.Prefix = member, shippedStamp(value), len(line)-len(member)
		return e, !e.Stamp.IsZero()
	case value[0] == '"':
		e.Text = trimLineEnd(jsonString(value))
		return e, true
	}
	return e, false
}

// isTextKey tells whether a member of that name is the text of an entry.
func isTextKey(key []byte) bool {
	switch string(key) {
	case "message", "log", "line", "content", gelfText, "__CONTENT__", "textPayload", "LogEntry", "LogMessage":
		return true
	}
	return false
}

// gelfText is the one name that only GELF has.
const gelfText = "short_message"

// receivedKey is when Google Cloud took an entry: its own time stands further down.
const receivedKey = "receiveTimestamp"

// isTimeKey tells whether a member of that name is the time of an entry.
func isTimeKey(key []byte) bool {
	switch string(key) {
	case "@timestamp", "timestamp", "date", "__time__", "_time_", "__TIMESTAMP__", "TimeGenerated", "timeUnixNano", receivedKey:
		return true
	}
	return false
}

// shipped reads an entry that is an object; stamp is the time that stands beside it.
func shipped(line []byte, stamp Stamp) (Entry, bool) {
	e := Entry{Wrapper: WrapperDockerJSON}
	var text, record, name []byte
	var writer Labels
	graded, gelf := false, false
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
		switch {
		case isTextKey(key):
			gelf = gelf || string(key) == gelfText
			switch {
			case value[0] == '"' && text == nil:
				text = jsonString(value)
			case value[0] == '{' && string(key) == "message":
				record = value
			}
			continue
		case isTimeKey(key):
			if e.Stamp.IsZero() && string(key) != receivedKey {
				e.Stamp = shippedStamp(value)
			}
			continue
		}
		switch string(key) {
		case "name":
			if value[0] == '"' {
				name = jsonString(value)
			}
		case "body": // of a request, where it is a string
			if value[0] == '{' && text == nil {
				text = stringValue(value)
			}
		case "stream", "_source_":
			e.Stream = cmp.Or(streamName(value), e.Stream)
		case "logtag", "_p": // of the CRI line that was taken apart
			e.Partial = string(value) == `"P"`
		case "_source":
			if value[0] == '{' {
				return shipped(value, stamp)
			}
		case "level": // a number is GELF's
			if graded = true; !isDigit(value[0]) {
				return e, false
			}
		case "msg":
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
	if e.Stamp.IsZero() {
		e.Stamp = stamp
	}
	if !o.whole || text == nil || graded && !gelf || e.Stamp.IsZero() && writer.pod == "" {
		return e, false
	}
	e.Text = trimLineEnd(text)
	return e, true
}

// stringValue is the text of an AnyValue of OTLP, nil where it is of another kind.
func stringValue(object []byte) []byte {
	o := readObject(object)
	if m, ok := o.next(); ok && string(m.key.of(object)) == "stringValue" && m.value.of(object)[0] == '"' {
		return jsonString(m.value.of(object))
	}
	return nil
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
	case "labels", "stream", "host", "agent", "tags", "input", "fields", "container", "logtag", "pod", "namespace",
		"version", "insertId", "logName", "resource", "severity", "TenantId", "Computer", "PodName", "observedTimeUnixNano", "body":
		return true
	}
	return isTextKey(key) || isTimeKey(key) || shipperKey(key)
}

func shippedStamp(value []byte) Stamp {
	if s := jsonStamp(value); !s.IsZero() {
		return s
	}
	s, _ := parseEpoch(unquoted(value))
	return s
}
