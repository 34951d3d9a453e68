package parser

import "bytes"

// stern puts pod and container before the text, with -A the namespace too,
// coloured on a terminal:
//
//	wukongim-0 wukongim text
//
// Any three words of prose look so. It is taken for stern only if the pod's
// name has a hyphen, as every generated one has, and the text visibly begins a
// record.
func init() {
	register(wrapping{priority: 70, first: digits + lower + escape, unwrap: unwrapStern})
}

func unwrapStern(line []byte) (Entry, bool) {
	var names [3][]byte
	at := 0
	for i := range names {
		name, next := sternName(line, at)
		if name == nil {
			break
		}
		names[i], at = name, next
		if i > 0 && bytes.IndexByte(names[i-1], '-') >= 0 && startsPod(line[at:]) {
			pod := string(names[i-1])
			if i > 1 {
				pod = string(names[0]) + "/" + pod
			}
			return Entry{Wrapper: WrapperKubectl, Text: line[at:], Origin: pod + "/" + string(names[i]), Node: pod, NodeBy: ByPod, Prefix: at}, true
		}
	}
	return Entry{}, false
}

// sternName reads a DNS name and the blank behind it, colours aside.
func sternName(line []byte, at int) (name []byte, next int) {
	from := skipANSI(line, at)
	to := from
	for to < len(line) && (isNameByte(line[to]) && line[to] != '@' && line[to] != '_') {
		to++
	}
	next = skipANSI(line, to)
	if to == from || next >= len(line) || line[next] != ' ' {
		return nil, 0
	}
	return line[from:to], next + 1
}

// startsPod reports whether text begins a record or, with --timestamps, a time.
func startsPod(text []byte) bool {
	if startsRecord(text) {
		return true
	}
	s, n := scanDateTime(text)
	return n > 0 && s.Zoned && text[10] == 'T'
}
