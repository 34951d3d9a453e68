package parser

import (
	"bytes"
	"strings"
	"time"
)

// HAProxy begins what it says of a connection with the client and the time at which it
// accepted the connection, local and without zone, and the names of the frontend and of
// its listener (src/session.c, session_prepare_log_prefix; src/log.c):
//
//	172.21.6.4:14396 [21/Mar/2024:15:02:28.275] wss-in/1: SSL handshake failure
//
// It writes them without a time of their own to standard output.
func init() {
	registerForm(form{priority: 50, first: digits + lower + upper + "[:-", parse: parseHAProxy, stamp: stampHAProxy})
}

func parseHAProxy(text []byte, r *Record) bool {
	s, end := scanAccepted(text)
	if end == 0 {
		return false
	}
	r.ownStamp(s)
	if client, _, _ := strings.Cut(r.Text, " "); !strings.HasPrefix(client, "unix:") {
		r.Remote = client
	}
	return true
}

func stampHAProxy(text []byte) (Stamp, bool) {
	s, end := scanAccepted(text)
	return s, end > 0
}

// scanAccepted reads the date behind the first word and returns where it ends, 0 if
// there is none.
func scanAccepted(text []byte) (s Stamp, end int) {
	const longest = 64 // of an address with its port
	const date = "[21/Mar/2024:15:02:28.275] "
	at := bytes.IndexByte(text[:min(len(text), longest)], ' ') + 1
	if at == 0 || len(text) < at+len(date) {
		return Stamp{}, 0
	}
	b := text[at : at+len(date)]
	if b[0] != '[' || b[3] != '/' || b[7] != '/' || b[12] != ':' || b[21] != '.' || b[25] != ']' || b[26] != ' ' {
		return Stamp{}, 0
	}
	day, month, century, year := digits2(b, 1), monthOf(b[4:7]), digits2(b, 8), digits2(b, 10)
	sec, nano, fraction, n := scanClock(b[13:])
	if day < 1 || day > 31 || month == 0 || century < 0 || year < 0 || n != len("15:02:28.275") {
		return Stamp{}, 0
	}
	t := time.Date(century*100+year, month, day, 0, 0, sec, nano, time.UTC)
	return Stamp{Time: t, Fraction: fraction}, at + len(date)
}
