package parser

import "bytes"

// Loki's logcli prints a time, the labels of the stream and the text:
//
//	2026-05-04T09:30:00+08:00 {app="wukongim", pod="wukongim-0"} text
func init() {
	register(wrapping{priority: 20, first: digits, unwrap: unwrapLogcli})
}

func unwrapLogcli(line []byte) (Entry, bool) {
	if len(line) < 23 || line[10] != 'T' {
		return Entry{}, false
	}
	open := 19
	for open < len(line) && open < 40 && line[open] != '{' {
		open++
	}
	end := labelsEnd(line, open)
	if end < 0 || (end == open+2 && line[19] == '.') {
		return Entry{}, false
	}
	stamp, n := scanDateTime(line)
	if n == 0 || !stamp.Zoned || line[n] != ' ' || n+1 != open {
		return Entry{}, false
	}
	text, at, ok := behind(line, end)
	if bare := bytes.TrimLeft(text, " "); startsRecord(bare) { // labels are padded
		text, at = bare, at+len(text)-len(bare)
	}
	e := Entry{Wrapper: WrapperDockerTimestamps, Text: text, Stamp: stamp, Prefix: at}
	var l Labels
	EachLabel(line[open:end], l.Add)
	l.name(&e)
	return e, ok
}

// labelsEnd returns the index behind the label set that opens at line[open],
// -1 if there is none. A set is empty or begins with a label's name and ="
// and so is no JSON.
func labelsEnd(line []byte, open int) int {
	if open+1 >= len(line) || line[open] != '{' {
		return -1
	}
	i := open + 1
	if line[i] == '}' {
		return i + 1
	}
	for i < len(line) && isWordByte(line[i]) {
		i++
	}
	if i == open+1 || !hasPrefix(line[i:], `="`) {
		return -1
	}
	for ; i < len(line); i++ {
		switch line[i] {
		case '"':
			if i = stringEnd(line, i) - 1; i < 0 {
				return -1
			}
		case '}':
			return i + 1
		}
	}
	return -1
}
