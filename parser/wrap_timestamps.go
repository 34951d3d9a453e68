package parser

import "bytes"

// docker logs -t and kubectl logs --timestamps put an RFC 3339 time and a
// blank before the text. Docker writes UTC as Z and always nine digits of
// fraction; kubectl writes what the node's CRI file has, trailing zeros
// dropped, so an offset in digits means kubectl.
func init() {
	register(wrapping{priority: 90, first: digits, unwrap: unwrapTimestamps})
}

func unwrapTimestamps(line []byte) (Entry, bool) {
	if len(line) < 20 || line[10] != 'T' {
		return Entry{}, false
	}
	stamp, n := scanDateTime(line)
	if n == 0 || !stamp.Zoned {
		return Entry{}, false
	}
	text, at, ok := behind(line, n)
	if !ok || (line[19] != '.' && startsWithLevel(text)) {
		return Entry{}, false
	}
	e := Entry{Wrapper: WrapperDockerTimestamps, Text: text, Stamp: stamp, Prefix: at}
	if line[n-1] != 'Z' {
		e.Wrapper = WrapperKubectl
	}
	return e, true
}

// startsWithLevel tells a program's own `2026-05-04T01:30:00Z INFO text`, as
// Traefik writes it, from a wrapped text.
func startsWithLevel(text []byte) bool {
	text = text[skipANSI(text, 0):]
	word, _, _ := bytes.Cut(text, []byte(" "))
	_, ok := knownLevel(bytes.Trim(stripANSI(word), "[]"))
	return ok
}
