package check

import (
	"bytes"
)

// luaBlock begins a program in Lua, of which nothing is read (OpenResty).
var luaBlock = []byte("_by_lua_block")

// withoutLua leaves out what stands in the blocks of Lua: a brace in one of its
// strings or comments ends nothing.
func withoutLua(data []byte) []byte {
	var out []byte
	for {
		at := bytes.Index(data, luaBlock)
		if at < 0 {
			return append(out, data...)
		}
		open := bytes.IndexByte(data[at:], '{')
		if open < 0 {
			return append(out, data...)
		}
		out = append(out, data[:at+open+1]...)
		data = data[at+open+1:]
		end := luaEnd(data)
		out = append(out, bytes.Repeat([]byte("\n"), bytes.Count(data[:end], []byte("\n")))...) // lines keep their numbers
		data = data[end:]
	}
}

// luaEnd is where the brace stands that ends a block of Lua (Lua 5.1 manual, 2.1).
func luaEnd(data []byte) int {
	depth := 1
	for i := 0; i < len(data); i++ {
		skip := func(until string) {
			if end := bytes.Index(data[i+1:], []byte(until)); end >= 0 {
				i += end + len(until)
			} else {
				i = len(data) - 1
			}
		}
		switch b := data[i]; {
		case b == '{':
			depth++
		case b == '}':
			if depth--; depth == 0 {
				return i
			}
		case bytes.HasPrefix(data[i:], []byte("--[[")), bytes.HasPrefix(data[i:], []byte("[[")):
			skip("]]")
		case bytes.HasPrefix(data[i:], []byte("--")):
			skip("\n")
		case b == '"' || b == '\'':
			for i++; i < len(data) && data[i] != b && data[i] != '\n'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		}
	}
	return len(data)
}

// spaced puts a blank before braces that end a word, as in "location /a{": crossplane
// v0.4.48 takes them for a part of it, and nginx does not (ngx_conf_file.c,
// ngx_conf_read_token).
func spaced(data []byte) []byte {
	out := make([]byte, 0, len(data)+64)
	var quote, before byte = 0, ' '
	for i, b := range data {
		switch {
		case quote != 0:
			if b == quote && before != '\\' {
				quote = 0
			}
		case (b == '"' || b == '\'') && isBlank(before):
			quote = b
		case b == '#' && isBlank(before):
			quote = '\n'
		case b == '{' && !isBlank(before) && before != '$' && before != '\\' && i > 0:
			out = append(out, ' ')
		}
		out = append(out, b)
		before = b
	}
	return out
}

func isBlank(b byte) bool {
	return b == ' ' || b == '\t' || b == '\n' || b == '\r' || b == ';' || b == '}' || b == '{'
}

// depthOf is how deep braces stand within each other.
func depthOf(data []byte) (most int) {
	depth := 0
	for _, b := range data {
		switch b {
		case '{':
			depth++
			most = max(most, depth)
		case '}':
			depth--
		}
	}
	return most
}
