package parser

// Grafana's download as text puts the time in milliseconds since 1970 and as a date
// before each entry, earlier releases the date alone, with tabs between
// (public/app/features/inspector/utils/download.ts, downloadLogsModelAsTxt):
//
//	1777858200123\t2026-05-04T01:30:00.123Z\ttext
func init() {
	register(wrapping{priority: 85, first: digits, unwrap: unwrapGrafana})
}

func unwrapGrafana(line []byte) (Entry, bool) {
	const milliseconds, date = len("1777858200123"), len("2026-05-04T01:30:00.123Z")
	at := 0
	if len(line) > milliseconds && line[milliseconds] == '\t' {
		if at = milliseconds + 1; !allDigits(line[:milliseconds]) {
			return Entry{}, false
		}
	}
	if len(line) <= at+date || line[at+date] != '\t' || line[at+date-1] != 'Z' {
		return Entry{}, false
	}
	stamp, n := scanDateTime(line[at:])
	if n != date {
		return Entry{}, false
	}
	at += date + 1
	if at == date+1 && startsWithLevel(line[at:]) { // a program's own, as zap's console
		return Entry{}, false
	}
	return Entry{Wrapper: WrapperDockerTimestamps, Text: line[at:], Stamp: stamp, Prefix: at}, true
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return true
}
