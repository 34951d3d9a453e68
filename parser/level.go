package parser

import "strings"

// knownLevel returns the level that a word stands for, in any case. The three
// letters are zerolog's, in Traefik's console log.
func knownLevel(word []byte) (string, bool) {
	var buf [8]byte
	if len(word) == 0 || len(word) > len(buf) {
		return "", false
	}
	for i, c := range word {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		buf[i] = c
	}
	switch string(buf[:len(word)]) {
	case "debug", "dbg":
		return "debug", true
	case "info", "inf":
		return "info", true
	case "warn", "wrn":
		return "warn", true
	case "error", "err":
		return "error", true
	case "fatal", "ftl":
		return "fatal", true
	case "panic", "pnc":
		return "panic", true
	case "trace", "trc":
		return "trace", true
	case "dpanic":
		return "dpanic", true
	case "warning":
		return "warning", true
	case "notice":
		return "notice", true
	case "crit":
		return "crit", true
	case "critical":
		return "critical", true
	case "alert":
		return "alert", true
	case "emerg":
		return "emerg", true
	}
	return "", false
}

// levelOf returns a printed level in lower case and without colours.
func levelOf(printed []byte) string {
	plain := stripANSI(printed)
	if level, ok := knownLevel(plain); ok && len(plain) > 3 {
		return level
	}
	return strings.ToLower(string(plain))
}
