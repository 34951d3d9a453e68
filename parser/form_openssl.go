package parser

import (
	"bytes"
	"regexp"
	"strings"
	"time"
)

// The error logs of other servers that end TLS with OpenSSL, one line for each
// handshake that failed:
//
//	[Mon Nov 23 16:20:22.455712 2026] [ssl:info] [pid 8:tid 9] SSL Library Error: error:0A000418:SSL routines::tlsv1 alert unknown ca (SSL alert number 48)
//	2026.11.23 16:20:22 LOG3[0]: SSL_accept: ../ssl/record/rec_layer_s3.c:1601: error:0A000418:SSL routines::tlsv1 alert unknown ca
//	2026-11-23 16:20:22: (mod_openssl.c.3275) SSL: 1 error:0A000418:SSL routines::tlsv1 alert unknown ca (127.0.0.1)
//	20261123T162023.689854 [23960] 127.0.0.1:60772 :0 7:8 Handshake failure: error:0A000418:SSL routines::tlsv1 alert unknown ca
//
// of Apache httpd (modules/ssl/ssl_engine_log.c), stunnel (src/client.c), lighttpd
// (src/mod_openssl.c) and Hitch (src/hitch.c).
func init() {
	registerForm(form{priority: 60, first: "[", parse: parseOpenSSL, stamp: stampApache})
	registerForm(form{priority: 60, first: digits, parse: parseOpenSSL, stamp: stampCompact})
}

const openSSLError = ":SSL routines:"

// The words by which each of them leads to the error.
const (
	apacheLead   = "SSL Library Error: "
	stunnelLead  = "SSL_accept: "
	lighttpdLead = "(mod_openssl.c."
	hitchLead    = "Handshake failure: "
)

// openSSLHeads are what stands before those words: behind anything else they are a
// visitor's.
var openSSLHeads = map[string]func() *regexp.Regexp{
	apacheLead:   lazily(`^(?:\[[^\]]*\] ?)+(?:AH\d{5}: )?$`),
	stunnelLead:  lazily(`^[\d.]+ [\d:]+ LOG\d\[[^\]]*\]: $`),
	lighttpdLead: lazily(`^[\d-]+ [\d:]+: $`),
	hitchLead:    lazily(`^\S+ \[[^\]]*\] \S+ \S+ \S+ $`),
}

func parseOpenSSL(text []byte, r *Record) bool {
	if !bytes.Contains(text, []byte(openSSLError)) {
		return false
	}
	for _, lead := range [...]string{apacheLead, stunnelLead, lighttpdLead, hitchLead} {
		before, rest, ok := strings.Cut(r.Text, lead)
		at := strings.Index(rest, "error:")
		if !ok || at < 0 || !strings.Contains(rest[at:], openSSLError) || !openSSLHeads[lead]().MatchString(before) {
			continue
		}
		for _, stamp := range []func([]byte) (Stamp, bool){stampApache, stampDated, stampCompact} {
			if s, ok := stamp(text); ok {
				r.ownStamp(s)
				break
			}
		}
		r.setOpenSSL(lead, strings.Fields(before), strings.TrimRight(rest[at:], " \r\n"))
		return true
	}
	return false
}

// setOpenSSL words the error as nginx does, so that one pattern knows both, and
// takes from the words before it what each server tells.
func (r *Record) setOpenSSL(lead string, before []string, err string) {
	r.Kind = KindOpenSSL
	switch {
	case lead == hitchLead && len(before) > 2: // time, process, client
		r.Remote = before[2]
	case lead == lighttpdLead:
		err, r.Remote, _ = strings.Cut(strings.TrimSuffix(err, ")"), " (")
	case lead == apacheLead:
		for _, word := range before {
			if _, level, ok := strings.Cut(strings.TrimSuffix(word, "]"), "[ssl:"); ok {
				r.Level = levelOf([]byte(level))
			}
		}
	}
	r.Error = err
	r.Message = "SSL_do_handshake() failed (SSL: " + err + ") while SSL handshaking"
}

// stampApache reads [Mon Nov 23 16:20:22.455712 2026].
func stampApache(text []byte) (Stamp, bool) {
	const weekday = len("[Mon ")
	if len(text) < weekday+20 || text[0] != '[' || text[weekday-1] != ' ' {
		return Stamp{}, false
	}
	s, n := scanBSDTime(text[weekday:])
	rest := text[weekday+n:]
	if n == 0 || len(rest) < 6 || rest[0] != ' ' || rest[5] != ']' {
		return Stamp{}, false
	}
	century, year := digits2(rest, 1), digits2(rest, 3)
	if century < 0 || year < 0 {
		return Stamp{}, false
	}
	t := s.Time
	return Stamp{Time: time.Date(century*100+year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), Fraction: s.Fraction}, true
}

// stampCompact reads 20261123T162023.689854.
func stampCompact(text []byte) (Stamp, bool) {
	const layout = "20060102T150405"
	if len(text) < len(layout) || text[8] != 'T' {
		return Stamp{}, false
	}
	t, err := time.Parse(layout, string(text[:len(layout)]))
	if err != nil {
		return Stamp{}, false
	}
	fraction := 0
	if rest := text[len(layout):]; len(rest) > 1 && rest[0] == '.' {
		nano, n := scanFraction(rest[1:])
		t, fraction = t.Add(time.Duration(nano)), n
	}
	return Stamp{Time: t, Fraction: fraction}, true
}
