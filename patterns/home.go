package patterns

import (
	"cmp"
	"strings"

	"wklog/parser"
)

// home is where a record was written: the node that it names itself, if any, and that which
// its log is of.
type home struct {
	// named is the node that the record, or the name of its log, tells for sure, by the
	// label that by says. Both are empty where none is told.
	named, by string
	// log is the node that the log is of, by the folder or the archive in which it lies.
	log string
}

// The labels that name a node beside those of parser.
const (
	byNumber = "id"    // of a container, under which its runtime keeps its log
	byUser   = "given" // as the user told how nodes are named
)

// homeOf is where the records of a log were written that name no node.
func (a *Analyzer) homeOf(source string) home {
	h := home{log: a.node(source, "")}
	if a.NodeGiven && h.log != "" {
		h.named, h.by = h.log, byUser
	} else if namespace, pod, _, ok := parser.PodOf(source); ok {
		h.named, h.by = namespace+"/"+pod, parser.ByPod
	} else if id, ok := parser.ContainerOf(source); ok {
		h.named, h.by = id, byNumber
	}
	return h
}

// of is where a record of a log was written that may name its node.
func (h home) of(rec *parser.Record) home {
	if rec.Node == "" || h.by == byUser {
		return h
	}
	return home{named: rec.Node, by: rec.NodeBy, log: h.log}
}

func (h home) name() string { return cmp.Or(h.named, h.log) }

// mayBe tells whether two records may be of one node. Of a log that names its nodes and one
// that does not, those may be that lie in one folder.
func (h home) mayBe(other home) bool {
	if x, y := h.name(), other.name(); x == y || x == "" || y == "" {
		return true
	}
	return (h.named == "") != (other.named == "") && h.log == other.log
}

// isAnother tells whether two records are surely of different nodes. Folders do not say so,
// for copies lie in them, and archives of one server's many days; nor do labels of different
// names, nor containers, which every program calls otherwise.
func (h home) isAnother(other home) bool {
	switch {
	case h.by != other.by || h.by == "" || h.by == parser.ByContainer:
		return false
	case h.by == parser.ByPod:
		return !samePod(h.named, other.named)
	}
	return h.named != other.named
}

// samePod tells whether two names may be one pod's, of which one may lack the namespace.
func samePod(a, b string) bool {
	inA, podA := cutNamespace(a)
	inB, podB := cutNamespace(b)
	return podA == podB && (inA == inB || inA == "" || inB == "")
}

func cutNamespace(name string) (namespace, pod string) {
	if namespace, pod, ok := strings.Cut(name, "/"); ok {
		return namespace, pod
	}
	return "", name
}
