package parser

import (
	"bytes"
	"strings"
)

// What is put before a line on its way into a report, around the wrapper if there is
// one:
//
//	> text                          a quotation
//	    text                        a block of Markdown
//	1228:text                       grep -n, grep -nC with - for the lines around
//	/var/log/nginx/error.log:text   grep -H, zgrep
//
// Only what stands before an entry of a log is taken for it: a line of a trace is
// indented as well, and a year is a number before a dash. The wrapper counts as none.
func init() {
	register(wrapping{priority: 5, first: ">", unwrap: unwrapQuotation})
	register(wrapping{priority: 200, first: " \t`", unwrap: unwrapIndented})
	register(wrapping{priority: 200, first: digits + lower + upper + "./", unwrap: unwrapGrep})
}

func pasted(line []byte, n int) (Entry, bool) {
	return Entry{Wrapper: WrapperNone, Text: line[n:], Prefix: n}, true
}

func unwrapQuotation(line []byte) (Entry, bool) {
	n := 0
	for n < len(line) && (line[n] == '>' || line[n] == ' ') {
		n++
	}
	return pasted(line, n)
}

func unwrapIndented(line []byte) (Entry, bool) {
	n := len(line) - len(bytes.TrimLeft(line, " \t`"))
	if !beginsEntry(line[n:]) {
		return Entry{}, false
	}
	return pasted(line, n)
}

func unwrapGrep(line []byte) (Entry, bool) {
	n := cutNumber(line)
	if n == 0 {
		if n = cutLogName(line); n == 0 {
			return Entry{}, false
		}
		return pasted(line, n+cutNumber(line[n:]))
	}
	rest := line[n:]
	if _, date := scanDateTime(rest); date > 0 || StartsPanic(rest) || line[n-1] == ':' && beginsEntry(rest) {
		return pasted(line, n)
	}
	return Entry{}, false
}

// cutNumber is the length of a line's number and the sign behind it, 0 for none.
func cutNumber(line []byte) int {
	n := 0
	for n < len(line) && isDigit(line[n]) {
		n++
	}
	if n == 0 || n > 9 || n == len(line) || line[n] != ':' && line[n] != '-' {
		return 0
	}
	return n + 1
}

// cutLogName is the length of the name of a log and the colon behind it, 0 for none.
func cutLogName(line []byte) int {
	const longest = 256
	colon := bytes.IndexByte(line[:min(len(line), longest)], ':')
	if colon <= 0 || bytes.IndexByte(line[:colon], ' ') >= 0 {
		return 0
	}
	if colon+1 == len(line) || line[colon+1] == ' ' {
		return 0 // some program's own prefix
	}
	name := strings.TrimSuffix(string(line[:colon]), ".gz")
	name = strings.TrimRight(name, digits+".-")
	for _, end := range []string{".log", ".out", ".err", ".txt"} {
		if strings.HasSuffix(name, end) {
			return colon + 1
		}
	}
	if strings.HasPrefix(name, "/var/log/") {
		return colon + 1
	}
	return 0
}

// beginsEntry tells whether a text visibly begins an entry of a log.
func beginsEntry(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	for _, start := range []string{`{"`, dashes, "nginx: [", "http: TLS ", goServerMarker, "[gnet] ", "level=", "time="} {
		if hasPrefix(text, start) {
			return true
		}
	}
	if _, n := scanDateTime(text); n > 0 {
		return true
	}
	w, _ := unwrapOnce(text, nil)
	return w != nil
}
