package parser

import (
	"bytes"
	"strings"
)

// Console records of WuKongIM version 3 (internal/log/zap.go), cells separated
// by tabs, the level perhaps coloured, module and JSON tail perhaps absent:
//
//	2026-08-23 00:31:08.123	ERROR	[gateway]	gateway/handler.go:180	message	{"error": "…"}
//
// A stack trace follows on lines of its own.
func init() {
	registerForm(form{priority: 10, first: digits, parse: parseConsole})
}

func parseConsole(text []byte, r *Record) bool {
	stamp, at := scanDateTime(text)
	if at == 0 || at == len(text) || text[at] != '\t' {
		return false
	}
	line, stack, _ := strings.Cut(r.Text[at+1:], "\n")
	level, rest, ok := strings.Cut(line, "\t")
	if !ok {
		return false
	}
	if _, ok = knownLevel(stripANSI([]byte(level))); !ok {
		return false
	}
	r.Kind = KindConsole
	r.ownStamp(stamp)
	r.Level = levelOf([]byte(level))
	r.Stack = stack
	r.setConsoleCells(rest)
	return true
}

// setConsoleCells fills r from the cells behind the level.
func (r *Record) setConsoleCells(rest string) {
	if cell, after, ok := strings.Cut(rest, "\t"); ok && len(cell) > 2 && cell[0] == '[' && cell[len(cell)-1] == ']' {
		r.Logger, rest = cell[1:len(cell)-1], after
	}
	caller := ""
	if cell, after, ok := strings.Cut(rest, "\t"); ok && isCaller(cell) {
		caller, rest = cell, after
	}
	tail := ""
	if strings.HasSuffix(rest, "}") {
		if at := strings.LastIndex(rest, "\t{"); at >= 0 {
			rest, tail = rest[:at], rest[at+1:]
		}
	}
	if tail == "" || !r.setConsoleTail(rest, tail) {
		r.Message = rest
		if tail != "" {
			r.Message = rest + "\t" + tail
		}
	}
	if caller != "" {
		r.setField("caller", caller)
	}
	r.splitLogger()
	r.refine()
}

// setConsoleTail reads the JSON object of fields behind the message.
func (r *Record) setConsoleTail(message, tail string) bool {
	console := *r
	b := []byte(tail)
	z := zapRecord{message: true, level: true}
	o := readObject(b)
	for {
		m, ok := o.next()
		if !ok {
			break
		}
		z.note(&console, b, tail, m)
	}
	if !o.whole {
		return false
	}
	console.Message = message
	logger, stack := console.Logger, console.Stack
	z.finish(&console)
	keepFirst(&logger, console.Logger)
	keepFirst(&stack, console.Stack)
	*r = console
	r.Kind, r.Logger, r.Stack = KindConsole, logger, stack
	return true
}

// isCaller reports whether a cell is file.go:123.
func isCaller(cell string) bool {
	file, line, ok := strings.Cut(cell, ".go:")
	return ok && file != "" && line != "" && bytes.IndexFunc([]byte(line), func(c rune) bool { return c < '0' || c > '9' }) < 0
}
