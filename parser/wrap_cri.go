package parser

// CRI runtimes (containerd, CRI-O) write a time, the stream, a list of tags
// separated by colons of which the first is F or P (partial), and the text:
//
//	2026-05-04T09:30:00.097000235+08:00 stdout F text
func init() {
	register(wrapping{priority: 10, first: digits, unwrap: unwrapCRI})
}

func unwrapCRI(line []byte) (Entry, bool) {
	if len(line) < 20 || line[10] != 'T' {
		return Entry{}, false
	}
	at := 19
	for at < len(line) && at < 40 && line[at] != ' ' {
		at++
	}
	const stream = len("stdout")
	if at+stream+3 > len(line) || line[at] != ' ' || line[at+1+stream] != ' ' {
		return Entry{}, false
	}
	e := Entry{Wrapper: WrapperCRI}
	switch string(line[at+1 : at+1+stream]) {
	case "stdout":
		e.Stream = "stdout"
	case "stderr":
		e.Stream = "stderr"
	default:
		return Entry{}, false
	}
	var n int
	if e.Stamp, n = scanDateTime(line); n != at || !e.Stamp.Zoned {
		return Entry{}, false
	}
	tag := at + 1 + stream + 1
	end := tag + 1
	if end < len(line) && line[end] == ':' {
		for end < len(line) && line[end] != ' ' {
			end++
		}
	}
	e.Partial = line[tag] == 'P'
	if !e.Partial && line[tag] != 'F' {
		return Entry{}, false
	}
	var ok bool
	e.Text, e.Prefix, ok = behind(line, end)
	return e, ok
}
