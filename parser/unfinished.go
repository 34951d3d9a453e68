package parser

import (
	"bytes"
)

// nginx writes into its error log the path of a request as it was decoded, line ends
// and all, so that a visitor writes lines of his own there:
//
//	2026/04/22 10:11:12 [error] 7#7: *1 open() "/usr/share/nginx/html/x
//	2026/04/22 10:11:12 [info] 7#7: *1 SSL_do_handshake() failed (SSL: …) while SSL handshaking, client: 192.0.2.1, server: im
//	y" failed (2: No such file or directory), client: 203.0.113.9, server: _, request: "GET /x%0A…"
//
// A record of a connection that holds a quotation and lacks its client goes on in the
// next lines, to one that ends it. nginx escapes no quotation mark either: who forges
// the end of the record as well is not told from nginx.
const (
	// maxNginxRecord is where nginx cuts a record (NGX_MAX_ERROR_STR in
	// src/core/ngx_log.h).
	maxNginxRecord = 2048
	// lookBack is how far before a line such a record may have begun, in bytes, with
	// what wrappers add.
	lookBack = 4 * maxNginxRecord
)

var (
	nginxClient     = []byte(", client: ")
	nginxConnection = []byte(": *")
	nginxHead       = lazily(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[[a-z]+\] \d+#\d+: (\*\d+ )?`)
)

// unfinished finds such records before the lines that are looked at. Each byte is
// searched once.
type unfinished struct {
	past []byte // of the blocks before, from the newest such record on; empty for none
	last int    // where the newest one of this block begins, -1 for none
	from int    // up to where this block was searched
}

// begin starts a block.
func (u *unfinished) begin() { u.last, u.from = -1, 0 }

// end searches the rest of a block, where a record may go on in the next one.
func (u *unfinished) end(block []byte) {
	u.search(block, len(block))
	switch {
	case u.last >= 0:
		u.past = append(u.past[:0], block[u.last:]...)
	case len(u.past) > 0:
		u.past = append(u.past, block[:min(len(block), lookBack)]...)
	}
	if len(u.past) > lookBack {
		u.past = u.past[:0]
	}
}

// search looks at the lines of a block up to an index, and not far before it.
func (u *unfinished) search(block []byte, end int) {
	if from := end - lookBack; from > u.from {
		u.from = lineEnd(block, from)
	}
	for u.from < end {
		at := indexConnection(block[u.from:end])
		if at < 0 {
			u.from = end
			return
		}
		start := u.from + lastNewline(block[u.from:u.from+at]) + 1
		u.from = lineEnd(block, start)
		if line := block[start:u.from]; bytes.Contains(line, quotationMark) && !bytes.Contains(line, nginxClient) {
			u.last = start
		}
	}
}

// indexConnection is the index of the first number of a connection, -1 for none. Lines
// are full of colons: it looks for the rarest byte.
func indexConnection(text []byte) int {
	for at := 0; ; at++ {
		star := bytes.IndexByte(text[at:], '*')
		if star < 0 {
			return -1
		}
		at += star
		if bytes.HasSuffix(text[:at+1], nginxConnection) {
			return at
		}
	}
}

// holds tells whether the line that begins at an index of a block belongs to a record
// of nginx that began before.
func (u *unfinished) holds(block []byte, start int, e *Entry) bool {
	u.search(block, start)
	switch {
	case u.last >= 0:
		return start-u.last < lookBack && goesOn(block[u.last:start], e)
	case len(u.past) > 0 && len(u.past)+start < lookBack:
		return goesOn(append(bytes.Clone(u.past), block[:start]...), e)
	}
	return false
}

// goesOn tells whether a record of nginx that begins with the first of some lines is
// not at its end behind the last one.
func goesOn(lines []byte, e *Entry) bool {
	size, open := 0, false
	for line := range bytes.Lines(lines) {
		of := Unwrap(trimEnd(line))
		if of.Origin != e.Origin {
			continue
		}
		head := nginxHead().FindSubmatch(of.Text)
		if !open && (head == nil || head[1] == nil || !bytes.Contains(of.Text, quotationMark)) {
			return false
		}
		tail := bytes.Index(of.Text, nginxClient)
		if open && tail >= 0 && (head == nil || bytes.Count(of.Text[:tail], quotationMark)%2 == 1) {
			return false
		}
		open = true
		if size += len(of.Text) + 1; size >= maxNginxRecord {
			return false
		}
	}
	return open
}

var quotationMark = []byte{'"'}
