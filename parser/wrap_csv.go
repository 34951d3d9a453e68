package parser

import (
	"bytes"
	"encoding/csv"
)

// Consoles of clouds and of stores hand out a table, in columns of their own (RFC 4180):
//
//	"2026-05-04T01:30:00.123Z","im01","wukongim","text"
//	1777858200,10.0.0.1,"text"
//
// The first field that is a time and nothing else is the time, the longest other one the
// text; a blank behind the first comma is that of a sentence. It counts as
// WrapperDockerTimestamps.
func init() {
	register(wrapping{priority: 86, first: digits + `"`, unwrap: unwrapCSV})
}

func unwrapCSV(line []byte) (Entry, bool) {
	if line[0] != '"' {
		comma := bytes.IndexByte(line, ',')
		if comma < 0 || comma+1 == len(line) || line[comma+1] == ' ' || fieldStamp(line[:comma]).IsZero() {
			return Entry{}, false
		}
		if _, n := scanDateTime(line); n > comma { // the fraction of a second
			return Entry{}, false
		}
	}
	r := csv.NewReader(bytes.NewReader(line))
	fields, err := r.Read()
	if err != nil || len(fields) < 2 {
		return Entry{}, false
	}
	e := Entry{Wrapper: WrapperDockerTimestamps}
	text := ""
	for _, field := range fields {
		if stamp := fieldStamp([]byte(field)); e.Stamp.IsZero() && !stamp.IsZero() {
			e.Stamp = stamp
		} else if len(field) > len(text) {
			text = field
		}
	}
	e.Text = trimLineEnd([]byte(text))
	return e, !e.Stamp.IsZero()
}

// fieldStamp is the time that a field is, zero where it is something else.
func fieldStamp(field []byte) Stamp {
	if stamp, n := scanDateTime(field); n > 0 && n == len(field) {
		return stamp
	}
	const seconds, nanoseconds = len("1777858200"), len("1777858200123456789")
	if len(field) < seconds || len(field) > nanoseconds || !allDigits(field) {
		return Stamp{}
	}
	stamp, _ := parseEpoch(field)
	return stamp
}
