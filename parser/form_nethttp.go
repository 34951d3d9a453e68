package parser

import (
	"bytes"
	"strings"
)

// Go's net/http server logs a failed handshake as
//
//	http: TLS handshake error from 10.0.0.1:51234: error
//
// (net/http/server.go) through the standard log, and Caddy and Traefik pass it
// on in their own forms, so it is looked for anywhere in an entry. Other servers in Go
// (nats-server, and many a small one) word it so without the "http: ".
func init() {
	registerForm(form{priority: 70, parse: findNetHTTP})
}

const (
	netHTTPMarker = "http: " + goServerMarker
	// goServerMarker is what all have.
	goServerMarker = "TLS handshake error from "
)

func findNetHTTP(text []byte, r *Record) bool {
	if !bytes.Contains(text, []byte(goServerMarker)) {
		return false
	}
	line := r.Text
	if plain := stripANSI(text); len(plain) < len(text) {
		line, text = string(plain), plain
	}
	if stamp, n := scanDateTime(text); n > 0 {
		r.ownStamp(stamp)
		line = strings.TrimLeft(line[n:], " \t")
	}
	word, _, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
	if level, ok := knownLevel([]byte(word)); ok {
		r.Level = level
	}
	return r.setNetHTTP(line)
}

// setNetHTTP fills r if s holds a handshake error of net/http.
func (r *Record) setNetHTTP(s string) bool {
	at := strings.Index(s, goServerMarker)
	if at < 0 {
		return false
	}
	start := len(strings.TrimSuffix(s[:at], "http: "))
	if KindText.Theirs(s, start) {
		return false
	}
	r.Kind = KindNetHTTP
	s = s[:openQuotation(s, start)]
	keepFirst(&r.Message, s[start:])
	remote, err, ok := strings.Cut(s[at+len(goServerMarker):], ": ")
	r.Remote = remote
	if ok {
		r.Error = strings.TrimRight(err, " \r\n")
	}
	return true
}

// openQuotation is where the quotation ends that is open at an index, the end of the
// text where none is.
func openQuotation(s string, at int) int {
	if strings.Count(s[:at], `"`)%2 == 0 {
		return len(s)
	}
	for end := at; end < len(s); end++ {
		if s[end] == '"' && s[end-1] != '\\' {
			return end
		}
	}
	return len(s)
}
