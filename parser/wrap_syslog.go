package parser

// RFC 3164 syslog, on the wire or in a file, is a priority (on the wire only),
// a time without year, the host, the tag and the text:
//
//	<30>May  4 09:30:00 im01 wukongim[4242]: text
//
// journalctl's default output looks the same. Local senders, docker among
// them, leave out the host; rsyslog may write an RFC 3339 time.
func init() {
	register(wrapping{priority: 20, first: "<JFMASOND", unwrap: unwrapSyslog})
}

func unwrapSyslog(line []byte) (Entry, bool) {
	at := priorityEnd(line)
	if at < 0 || len(line)-at < 16 {
		return Entry{}, false
	}
	stamp, n := scanBSDTime(line[at:])
	if n == 0 && at > 0 && isDigit(line[at]) {
		stamp, n = scanDateTime(line[at:])
	}
	at += n
	if n == 0 || at >= len(line) || line[at] != ' ' {
		return Entry{}, false
	}
	at++
	from := at
	tag, ok := scanTag(line[at:])
	if !ok {
		host := wordEnd(line, at)
		if host == at || host == len(line) {
			return Entry{}, false
		}
		at = host + 1
		if tag, ok = scanTag(line[at:]); !ok {
			return Entry{}, false
		}
	}
	return syslogEntry(WrapperSyslog, line, stamp, from, at+tag.end)
}

// syslogEntry makes the entry of a line whose host and tag are line[from:to],
// the colon included.
func syslogEntry(label Wrapper, line []byte, stamp Stamp, from, to int) (Entry, bool) {
	text, at, ok := behind(line, to)
	return Entry{
		Wrapper: label,
		Text:    undoOctal(text),
		Stamp:   stamp,
		Origin:  string(line[from : to-1]),
		Prefix:  at,
	}, ok
}

// priorityEnd returns the index behind <PRI>, 0 if the line has none, -1 if it
// is malformed.
func priorityEnd(line []byte) int {
	if line[0] != '<' {
		return 0
	}
	for i := 1; i < len(line) && i < 5; i++ {
		if line[i] == '>' && i > 1 {
			return i + 1
		}
		if !isDigit(line[i]) {
			break
		}
	}
	return -1
}

func wordEnd(line []byte, at int) int {
	for at < len(line) && line[at] != ' ' {
		at++
	}
	return at
}

// A tag is `ident[pid]:` or `ident:`.
type tag struct {
	end int // behind the colon
	pid bool
}

// scanTag reads the tag at the start of b.
func scanTag(b []byte) (tag, bool) {
	i := 0
	for i < len(b) && b[i] > ' ' && b[i] != 0x7f && b[i] != ':' && b[i] != '[' {
		i++
	}
	if i == 0 || i == len(b) {
		return tag{}, false
	}
	pid := b[i] == '['
	if pid {
		from := i + 1
		for i++; i < len(b) && isDigit(b[i]); i++ {
		}
		if i == from || i == len(b) || b[i] != ']' {
			return tag{}, false
		}
		i++
	}
	if i == len(b) || b[i] != ':' || (i+1 < len(b) && b[i+1] != ' ') {
		return tag{}, false
	}
	return tag{end: i + 1, pid: pid}, true
}
