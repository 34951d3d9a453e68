package parser

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Labels collects what the labels of a stream, or the fields that a shipper adds to
// an entry, say of its writer. Everything else is left out: what is no identity (the
// level, the shard, the name that Loki guesses) would take the lines of one server
// apart, and attributes of single entries would make each a stream of its own.
type Labels struct {
	namespace, pod, host, container, app, file string
	// wanted is the label that names the node for this user, and node what it says.
	wanted, node string
	ranks        [5]int // of the names by which the last five are known, from 1
	// Stream is stdout, stderr or empty.
	Stream string
}

// The names that collectors and stores have for one thing, the most telling first:
// Kubernetes' of Promtail, Alloy, OpenTelemetry, Fluent Bit, Filebeat, stern and
// Alibaba Cloud's SLS; then those that WuKongIM's own shipper and others give a server.
var (
	namespaceNames = []string{"namespace", "namespace_name", "k8s_namespace_name", "kubernetes_namespace", "kubernetes_namespace_name", "_namespace_", "podnamespace", "resource_labels_namespace_name"}
	podNames       = []string{"pod", "pod_name", "podname", "k8s_pod_name", "kubernetes_pod_name", "kubernetes_pod", "_pod_name_", "resource_labels_pod_name"}
	hostNames      = []string{"nodeid", "instance", "service_instance_id", "node_name", "nodename", "node", "host", "hostname", "host_name", "agent_hostname", "kubernetes_host", "kubernetes_node_name", "__source__", "computer"}
	containerNames = []string{"container", "container_name", "containername", "k8s_container_name", "kubernetes_container_name", "_container_name_", "_container_name", "resource_labels_container_name", "compose_service"}
	appNames       = []string{"app", "app_kubernetes_io_name", "unit", "service", "job"}
	fileNames      = []string{"filename", "log_file_path"}
)

// NodeLabel makes labels of which one names the node, whatever the others say.
func NodeLabel(label string) Labels { return Labels{wanted: labelName.Replace(strings.ToLower(label))} }

// Add takes a label. Names are compared without case, dots and slashes count as _.
func (l *Labels) Add(name, value string) {
	if value == "" {
		return
	}
	name = labelName.Replace(strings.ToLower(name))
	if name == l.wanted {
		l.node = value
	}
	if name == "stream" && (value == "stdout" || value == "stderr") {
		l.Stream = value
		return
	}
	if slices.Contains(namespaceNames, name) && l.namespace == "" {
		l.namespace = value
		return
	}
	for i, known := range []struct {
		names []string
		value *string
	}{{podNames, &l.pod}, {hostNames, &l.host}, {containerNames, &l.container}, {appNames, &l.app}, {fileNames, &l.file}} {
		rank := slices.Index(known.names, name) + 1
		if rank > 0 && (l.ranks[i] == 0 || rank < l.ranks[i]) {
			l.ranks[i], *known.value = rank, value
		}
	}
}

var labelName = strings.NewReplacer(".", "_", "/", "_", "-", "_")

// settled is the writer with what the name of its file tells, where no label does.
func (l *Labels) settled() Labels {
	s := *l
	if s.file != "" {
		s.byFile()
	}
	if s.node != "" { // pods of one node are told apart as its programs
		s.container = strings.Trim(s.pod+"/"+strings.TrimPrefix(s.container, "/"), "/")
		s.namespace, s.pod, s.host = "", "", s.node
	}
	return s
}

func (s *Labels) byFile() {
	namespace, pod, container, ok := PodOf(s.file)
	if !ok {
		return
	}
	if s.pod == "" {
		s.namespace, s.pod, s.container = namespace, pod, container
	}
	s.file = "" // it names the pod once more, or the piece of a rotated log
}

// File is that of the stream, where it tells more than its writer does.
func (l *Labels) File() string { s := l.settled(); return s.file }

// Node is the node of the cluster that wrote the stream: the pod, with its namespace
// where it is known, else the server, else the container; empty where none is named.
// The name of a file is none: one server has several.
func (l *Labels) Node() string {
	s := l.settled()
	switch {
	case s.pod != "" && s.namespace != "":
		return s.namespace + "/" + s.pod
	case s.pod != "":
		return s.pod
	case s.host != "":
		return s.host
	}
	return strings.TrimPrefix(s.container, "/") // as Docker writes it
}

// The labels by which nodes are named, where no shipper chose one of its own.
const (
	ByPod       = "pod"
	ByContainer = "container"
)

// NodeBy is the label that names the node, empty where none does.
func (l *Labels) NodeBy() string {
	s := l.settled()
	switch {
	case s.pod != "":
		return ByPod
	case s.host != "":
		return s.hostName()
	case s.container != "":
		return ByContainer
	}
	return ""
}

// hostName is the name of the label that names the host: one machine has other names in
// others.
func (l *Labels) hostName() string {
	if rank := l.ranks[1]; rank > 0 && l.wanted == "" {
		return hostNames[rank-1]
	}
	return "host"
}

// NodeName is the node with what it is before it: pod/im/wukongim-0, node/im01,
// container/wk; app/wukongim where only a program is named.
func (l *Labels) NodeName() string {
	s := l.settled()
	for _, named := range []struct{ value, kind string }{{s.pod, "pod"}, {s.host, "node"}, {s.container, "container"}} {
		if named.value != "" {
			return named.kind + "/" + l.Node()
		}
	}
	if s.app != "" {
		return "app/" + s.app
	}
	return "stream"
}

// Origin tells the streams of one input apart: the node with its container or
// program, and the file.
func (l *Labels) Origin() string {
	s := l.settled()
	parts := []string{l.Node()}
	program := strings.TrimPrefix(s.container, "/")
	if program == "" {
		program = s.app
	}
	if program != "" && program != parts[0] {
		parts = append(parts, program)
	}
	if s.file != "" {
		parts = append(parts, strings.TrimPrefix(s.file, "/"))
	}
	return strings.TrimPrefix(strings.Join(parts, "/"), "/")
}

// JSON is an object of the labels that tell who the writer is.
func (l *Labels) JSON() []byte {
	s := l.settled()
	named := map[string]string{
		"namespace": s.namespace, ByPod: s.pod, s.hostName(): s.host, ByContainer: s.container,
		"app": s.app, "filename": s.file, "stream": s.Stream,
	}
	maps.DeleteFunc(named, func(_, value string) bool { return value == "" })
	b, err := json.Marshal(named)
	if err != nil { // of strings there is none
		return []byte("{}")
	}
	return b
}

// name gives an entry its origin and node.
func (l *Labels) name(e *Entry) {
	e.Origin, e.Node, e.NodeBy = l.Origin(), l.Node(), l.NodeBy()
	if l.Stream != "" {
		e.Stream = l.Stream
	}
}

// addObject takes the members of a JSON object, and those of objects in it by both
// names, as Filebeat and Fluent Bit nest them: {"pod":{"name":"wukongim-0"}}.
func (l *Labels) addObject(prefix string, object []byte, depth int) {
	o := readObject(object)
	for {
		m, ok := o.next()
		if !ok {
			return
		}
		l.addMember(prefix+string(m.key.of(object)), m.value.of(object), depth)
	}
}

func (l *Labels) addMember(name string, value []byte, depth int) {
	const deepest = 3
	switch {
	case value[0] == '"':
		l.Add(name, string(jsonString(value)))
	case value[0] == '{' && depth < deepest:
		l.addObject(name+"_", value, depth+1)
	case isDigit(value[0]):
		l.Add(name, string(value))
	}
}

// EachLabel hands out a label set as Prometheus writes it, {a="b", c="d"}.
func EachLabel(set []byte, add func(name, value string)) {
	for len(set) > 0 {
		set = bytes.TrimLeft(set, "{, ")
		name, rest, ok := bytes.Cut(set, []byte("="))
		if !ok || len(rest) == 0 || rest[0] != '"' {
			return
		}
		end := stringEnd(rest, 0)
		if end < 0 {
			return
		}
		add(string(bytes.Trim(name, `"`)), string(jsonString(rest[:end])))
		set = rest[end:]
	}
}
