package parser

import "bytes"

// kubectl logs --prefix puts pod and container before the text:
//
//	[pod/wukongim-0/wukongim] text
func init() {
	register(wrapping{priority: 10, first: "[", unwrap: unwrapKubectl})
}

func unwrapKubectl(line []byte) (Entry, bool) {
	const lead = "[pod/"
	if !hasPrefix(line, lead) {
		return Entry{}, false
	}
	end := bytes.IndexByte(line, ']')
	if end < 0 {
		return Entry{}, false
	}
	origin := line[len(lead):end]
	if bytes.IndexByte(origin, '/') < 0 || bytes.IndexByte(origin, ' ') >= 0 {
		return Entry{}, false
	}
	pod, _, _ := bytes.Cut(origin, []byte("/"))
	text, at, ok := behind(line, end+1)
	return Entry{Wrapper: WrapperKubectl, Text: text, Origin: string(origin), Node: string(pod), NodeBy: ByPod, Prefix: at}, ok
}
