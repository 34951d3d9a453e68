package parser

import "strings"

// docker compose logs puts the container's name, padded to the longest one,
// and a bar before the text; docker service logs does the same with
// service.slot.task@node. On a terminal name and bar are coloured:
//
//	wukongim-1  | text
//	\x1b[36mwukongim-1  |\x1b[0m text
func init() {
	register(wrapping{priority: 60, first: digits + lower + upper + escape, unwrap: unwrapCompose})
}

func unwrapCompose(line []byte) (Entry, bool) {
	from := skipANSI(line, 0)
	to, letters := from, false
	for to < len(line) && isNameByte(line[to]) {
		letters = letters || !isDigit(line[to]) && line[to] != '-'
		to++
	}
	bar := to
	for bar < len(line) && line[bar] == ' ' {
		bar++
	}
	if !letters || bar == to || bar >= len(line) || line[bar] != '|' {
		return Entry{}, false
	}
	text, at, ok := behindBar(line, bar+1, from > 0)
	origin := string(line[from:to])
	return Entry{Wrapper: WrapperCompose, Text: text, Origin: origin, Node: taskless(origin), NodeBy: ByContainer, Prefix: at}, ok
}

// swarmTask is what docker service logs puts before a line: the service with the number of
// its replica, the task, which is another one after each restart, and the machine.
var swarmTask = lazily(`^(.+\.\d+)\.[a-z0-9]{4,25}(@.+)$`)

// taskless is a container without the task that it runs.
func taskless(origin string) string {
	if !strings.Contains(origin, "@") {
		return origin
	}
	return swarmTask().ReplaceAllString(origin, "$1$2")
}

// behindBar returns the text behind the bar. The blank between may stand
// before or behind the sequence that ends the colour.
func behindBar(line []byte, n int, coloured bool) (text []byte, at int, ok bool) {
	if !coloured {
		return behind(line, n)
	}
	if n < len(line) && line[n] == ' ' {
		if reset := ansiLen(line[n+1:]); reset > 0 {
			at = n + 1 + reset
			return line[at:], at, true
		}
	}
	return behind(line, skipANSI(line, n))
}

// isNameByte reports whether c may stand in a container's, pod's or host's
// name.
func isNameByte(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '-' || c == '_' || c == '.' || c == '@'
}
