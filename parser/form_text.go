package parser

// Text that begins with a time: Go's standard log, Traefik's console, gnet
// (`[gnet] 2026-11-23T04:43:42.621563664Z	INFO	…`), and whatever else writes
// one of the known layouts.
func init() {
	registerForm(form{priority: 100, first: digits + escape + "[", parse: parseDated, stamp: stampDated})
}

func parseDated(text []byte, r *Record) bool {
	s, ok := stampDated(text)
	if ok {
		r.ownStamp(s)
	}
	return ok
}

func stampDated(text []byte) (Stamp, bool) {
	const gnet = "[gnet] "
	at := skipANSI(text, 0)
	if hasPrefix(text, gnet) {
		at = len(gnet)
	}
	s, n := scanDateTime(text[at:])
	return s, n > 0
}
