package parser

import "bytes"

// kail puts namespace, pod and container before the text, coloured on a terminal
// (github.com/boz/kail v0.17.4, writers/default.go):
//
//	im/wukongim-0[wukongim]: text
//
// Postfix names its daemons postfix/smtpd[1234], so a pod's name needs a hyphen here and a
// container's a letter.
func init() {
	register(wrapping{priority: 75, first: digits + lower + escape, unwrap: unwrapKail})
}

func unwrapKail(line []byte) (Entry, bool) {
	from := skipANSI(line, 0)
	to := from
	for to < len(line) && (isNameByte(line[to]) || line[to] == '/') {
		to++
	}
	pod := line[from:to]
	if to == len(line) || line[to] != '[' || bytes.Count(pod, []byte("/")) != 1 || bytes.IndexByte(pod, '-') < 0 {
		return Entry{}, false
	}
	end := to + 1
	for end < len(line) && isNameByte(line[end]) {
		end++
	}
	container := line[to+1 : end]
	if !hasPrefix(line[end:], "]") || len(container) == 0 || allDigits(container) {
		return Entry{}, false
	}
	at := skipANSI(line, end+1)
	if !hasPrefix(line[at:], ": ") {
		return Entry{}, false
	}
	at = skipANSI(line, at+2)
	return Entry{
		Wrapper: WrapperKubectl, Text: line[at:], Origin: string(pod) + "/" + string(container), Node: string(pod), NodeBy: ByPod, Prefix: at,
	}, true
}
