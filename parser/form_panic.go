package parser

import (
	"bytes"
	"strings"
)

// What the Go runtime prints when a program dies (runtime/panic.go,
// runtime/traceback.go): the panic's lines, a blank one, goroutine traces. Of
// a single entry only the first line is known.
func init() {
	registerForm(form{priority: 20, first: "pf", parse: parsePanicText})
}

func parsePanicText(text []byte, r *Record) bool {
	if !StartsPanic(text) {
		return false
	}
	r.setPanic(strings.Split(r.Text, "\n"))
	return true
}

// StartsPanic reports whether text is the first line of a Go panic or fatal
// error.
func StartsPanic(text []byte) bool {
	return hasPrefix(text, "panic: ") || hasPrefix(text, "fatal error: ")
}

// ParsePanic makes one record of all lines of a panic; first is the entry of
// its first line. Its Message and Subject are the lines that say what
// happened, its Stack is the rest.
func ParsePanic(texts [][]byte, first Entry) Record {
	r := Record{
		Wrapper: first.Wrapper,
		Stream:  first.Stream,
		Origin:  first.Origin,
		Node:    first.Node,
		NodeBy:  first.NodeBy,
		Stamp:   first.Stamp,
		Text:    string(bytes.Join(texts, []byte("\n"))),
	}
	r.setPanic(strings.Split(r.Text, "\n"))
	return r
}

// Continue takes the lines at the start of a log that belong to an Open record of
// the log before it.
func (r *Record) Continue(head []byte) {
	texts := strings.Split(r.Text, "\n")
	for line := range bytes.Lines(head) {
		e := Unwrap(trimEnd(line))
		if !ContinuesPanic(e.Text) || len(r.Text) > maxTrace {
			break
		}
		texts = append(texts, string(e.Text))
	}
	r.Text, r.Open = strings.Join(texts, "\n"), false
	r.setPanic(texts)
}

func (r *Record) setPanic(lines []string) {
	r.Kind = KindPanic
	var said, stack []string
	for _, line := range lines {
		if trimmed := strings.TrimSpace(line); isPanicLine(trimmed) {
			said = append(said, trimmed)
		} else {
			stack = append(stack, strings.TrimRight(line, crlf))
		}
	}
	r.Message = strings.Join(said, "\n")
	r.Stack = strings.Trim(strings.Join(stack, "\n"), "\n")
	if len(said) == 0 {
		return
	}
	what, rest, _ := strings.Cut(said[0], ": ")
	r.Level = strings.TrimSuffix(what, " error")
	r.Error, _, _ = strings.Cut(rest, " [recovered")
}

func isPanicLine(line string) bool {
	return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
}

// ContinuesPanic reports whether text can stand behind the first line of a
// panic: a blank line, a goroutine's head, a frame, a register. The first line
// of another panic does not continue one.
func ContinuesPanic(text []byte) bool {
	text = bytes.TrimRight(text, " \t\r\n")
	if len(text) == 0 {
		return true
	}
	switch text[0] {
	case '\t':
		return !hasPrefix(text, "\t{") && !hasPrefix(text, "\t-----")
	case ' ':
		return isIndented(bytes.TrimLeft(text, " "))
	case '{', '-':
		return false
	}
	return isTraceHead(text) || isRuntimeNote(text) || isFrame(text) || isRegister(text)
}

// isIndented reports whether text may stand behind blanks, where a copy of a
// trace lost its tabs.
func isIndented(text []byte) bool {
	if isPanicLine(string(text[:min(len(text), 16)])) {
		return true
	}
	file, _, found := bytes.Cut(text, []byte(".go:"))
	return found && len(file) > 0 && bytes.IndexByte(file, ' ') < 0 && file[0] != '{'
}

// isTraceHead recognises what begins a part of a trace.
func isTraceHead(text []byte) bool {
	if rest, ok := bytes.CutPrefix(text, []byte("goroutine ")); ok {
		return len(rest) > 0 && isDigit(rest[0]) && bytes.Contains(rest, []byte(" [")) && bytes.HasSuffix(rest, []byte("]:"))
	}
	if rest, ok := bytes.CutPrefix(text, []byte("created by ")); ok {
		name, _, _ := bytes.Cut(rest, []byte(" in goroutine "))
		return bytes.IndexByte(name, ' ') < 0 && bytes.IndexByte(name, '.') > 0
	}
	return string(text) == "runtime stack:"
}

// isRuntimeNote recognises the runtime's remarks in and around a trace.
func isRuntimeNote(text []byte) bool {
	switch {
	case hasPrefix(text, "[signal "), hasPrefix(text, "[recovered"), hasPrefix(text, "runtime: "),
		hasPrefix(text, "PC=0x"), hasPrefix(text, "signal arrived during "):
		return true
	case hasPrefix(text, "SIG"):
		name, _, found := bytes.Cut(text, []byte(": "))
		return found && len(name) <= len("SIGVTALRM") && isUpperWord(name)
	case hasPrefix(text, "exit status "):
		return isNumber(text[len("exit status "):])
	case hasPrefix(text, "..."):
		return bytes.HasSuffix(text, []byte(" frames elided..."))
	}
	return false
}

func isUpperWord(b []byte) bool {
	for _, c := range b {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

func isNumber(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}

// isFrame recognises a call in a trace, as `main.(*T).run(0xc000010000, {0x1,
// 0x2?})`: a qualified name without blanks and arguments in hexadecimal.
func isFrame(text []byte) bool {
	if text[len(text)-1] != ')' {
		return false
	}
	open := bytes.LastIndexByte(text, '(')
	if open <= 0 {
		return false
	}
	name, args := text[:open], text[open+1:len(text)-1]
	if string(name) != "panic" && bytes.IndexByte(name, '.') < 0 {
		return false
	}
	for _, c := range name {
		if c <= ' ' || c == '"' || c == '\'' || c == '{' || c == ':' || c == '=' {
			return false
		}
	}
	for _, c := range args {
		if !isDigit(c) && !('a' <= c && c <= 'f') && !containsByte("x{}, ?_.", c) {
			return false
		}
	}
	return true
}

// isRegister recognises `rax    0xca`.
func isRegister(text []byte) bool {
	name, value, found := bytes.Cut(text, []byte(" "))
	value = bytes.TrimLeft(value, " ")
	if !found || len(name) > 8 || !hasPrefix(value, "0x") || len(value) > 18 {
		return false
	}
	for _, c := range name {
		if !isDigit(c) && (c < 'a' || c > 'z') {
			return false
		}
	}
	for _, c := range value[2:] {
		if !isDigit(c) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(value) > 2
}
