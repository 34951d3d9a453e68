package parser

import "bytes"

// journalctl in the forms short-iso, short-iso-precise, short-unix, short-full
// and with-unit, and syslog files in RFC 3339 time:
//
//	2026-05-04T09:30:00+0800 im01 wukongim[4242]: text
//	1777858200.123456 im01 wukongim[4242]: text
//	Mon 2026-05-04 09:30:00 CST im01 wukongim.service[4242]: text
func init() {
	register(wrapping{priority: 30, first: digits + "MTWFS", unwrap: unwrapJournald})
}

func unwrapJournald(line []byte) (Entry, bool) {
	if len(line) < 20 {
		return Entry{}, false
	}
	stamp, at, sure := scanJournalTime(line)
	if at == 0 || at >= len(line) || line[at] != ' ' {
		return Entry{}, false
	}
	from := at + 1
	host := wordEnd(line, from)
	if host == from || host == len(line) || bytes.IndexByte(line[from:host], ':') >= 0 {
		return Entry{}, false
	}
	tag, ok := scanTag(line[host+1:])
	to := host + 1 + tag.end
	if !ok || !(tag.pid || sure || trustedTag(line, host+1, to)) {
		return Entry{}, false
	}
	return syslogEntry(WrapperJournald, line, stamp, from, to)
}

// scanJournalTime reads the time at the start of line. It is sure if nothing
// but the journal writes such a time.
func scanJournalTime(line []byte) (s Stamp, n int, sure bool) {
	if !isDigit(line[0]) {
		s, n = scanFullTime(line)
		return s, n, true
	}
	if line[10] == '.' {
		s, n = scanUnixTime(line)
		return s, n, true
	}
	if line[10] != 'T' || line[wordEnd(line, 19)-1] == 'Z' { // the journal prints +0000
		return s, 0, false
	}
	s, n = scanDateTime(line)
	if n == 0 || !s.Zoned {
		return s, 0, false
	}
	return s, n, false
}

// scanUnixTime reads seconds since 1970 with six digits of fraction.
func scanUnixTime(line []byte) (Stamp, int) {
	const n = len("1777858200.123456")
	if line[n] != ' ' {
		return Stamp{}, 0
	}
	for i := range n {
		if i != 10 && !isDigit(line[i]) {
			return Stamp{}, 0
		}
	}
	s, _ := parseEpoch(line[:n])
	return s, n
}

// scanFullTime reads `Mon 2026-05-04 09:30:00 CST`. An abbreviation other than
// UTC is ambiguous, so the zone stays unknown.
func scanFullTime(line []byte) (Stamp, int) {
	if line[3] != ' ' || !isDigit(line[4]) {
		return Stamp{}, 0
	}
	s, n := scanDateTime(line[4:])
	if n == 0 || 4+n >= len(line) || line[4+n] != ' ' {
		return Stamp{}, 0
	}
	zone := 4 + n + 1
	end := wordEnd(line, zone)
	s.Zoned = string(line[zone:end]) == "UTC"
	return s, end
}

// trustedTag decides whether line[from:to] is a tag although it has no process
// id: `remote error: tls: bad certificate` behind a time of kubectl's has the
// same form. The text must begin a record, or the ident must be no word that
// errors begin with and the fraction one that the journal and rsyslog write.
func trustedTag(line []byte, from, to int) bool {
	if text, _, ok := behind(line, to); ok && startsRecord(text) {
		return true
	}
	switch string(bytes.ToLower(line[from : to-1])) {
	case "error", "errors", "err", "panic", "fatal", "warning", "warn", "info", "debug",
		"failed", "failure", "tcp", "udp", "http", "https", "tls", "eof", "exception", "note":
		return false
	}
	const micro = len(".123456")
	fraction := 0
	if line[19] == '.' {
		for fraction = 1; isDigit(line[19+fraction]); fraction++ {
		}
	}
	return fraction == 0 || fraction == micro
}
