package parser

import (
	"regexp"
	"slices"
	"strings"
)

// sign is a word by which a side of a connection is known. One expression of all of them
// would take half a millisecond for each record: a word is looked for by itself, and
// only what stands where it is found is matched.
type sign struct {
	// word in lower case.
	word string
	// inside says that it need not begin where a word does.
	inside bool
	// ends says that a word ends where it does.
	ends bool
	// whole is what has to stand there, nil where the word is enough.
	whole func() *regexp.Regexp
}

// words are those that end there.
func words(list ...string) (signs []sign) {
	for _, w := range list {
		signs = append(signs, sign{word: w, ends: true})
	}
	return signs
}

// beginnings are words that may go on.
func beginnings(list ...string) (signs []sign) {
	for _, w := range list {
		signs = append(signs, sign{word: w})
	}
	return signs
}

// phrases are whole sentences.
func phrases(list ...string) (signs []sign) {
	for _, p := range list {
		signs = append(signs, sign{word: p, inside: true})
	}
	return signs
}

func (s sign) in(text, lower string) bool {
	for at := 0; ; at++ {
		next := strings.Index(lower[at:], s.word)
		if next < 0 {
			return false
		}
		at += next
		end := at + len(s.word)
		begins := s.inside || at == 0 || !isWordByte(s.word[0]) || !isWordByte(text[at-1])
		ends := !s.ends || end == len(text) || !isWordByte(text[end])
		if begins && ends && (s.whole == nil || s.whole().MatchString(text[at:])) {
			return true
		}
	}
}

func anyIn(signs []sign, text, lower string) bool {
	for _, s := range signs {
		if s.in(text, lower) {
			return true
		}
	}
	return false
}

// accepts are words of the side that takes connections. What is read from an ephemeral
// port comes from a client.
var accepts = slices.Concat(
	phrases("tls handshake error from", "handshake error in server", "complete security handshake from", "received client alert"),
	beginnings("ssl accept attempt", "remote_addr", "remoteaddr", "client_ip", "clientip", "client_addr", "clientaddr", "http: tls", "http: server", "server.go:",
		"serverhandshake(", "客户端", "来自"),
	words("rejected connection", "ssl_accept", "socket_accept", "stream_accept", "stream_socket_accept", "tlsclienterror",
		"accept", "accepted", "accepting", "inbound", "incoming", "downstream", "listener"),
	[]sign{
		{word: "cid:", whole: connectionID}, {word: "wid:", whole: connectionID}, {word: "mid:", whole: connectionID},
		{word: "handshake ", inside: true, whole: lazily(`(?i)^handshake (?:with )?(?:the )?client\b`)},
		{word: "client ", whole: lazily(`(?i)^client \[?(?:\d+\.\d+\.|[0-9a-f]*:[0-9a-f:])`)},
		{word: "from ", whole: lazily(`(?i)^from (?:client )?(?:\[?[0-9a-f][0-9a-f.:]+\]?|\[[0-9a-f:]*\]):\d{5}\b`)},
	},
)

// connectionID is how nats-server names a client, a browser or a device.
var connectionID = lazily(`(?i)^[cwm]id:\d+ - TLS handshake error`)

// dials are words of the side that opens them.
var dials = slices.Concat(
	requests("Get", "Post", "Put", "Head", "Delete", "Patch", "Options", "Propfind"),
	words("dial", "dialed", "dialing", "dialer", "connect to", "connecting to", "connection to", "upstream", "backend", "outbound", "webhook",
		"ssl_connect", "stream_socket_client", "file_get_contents", "write eproto", "urlopen error"),
	beginnings("https://", "wss://", "mqtts://", "amqps://", "grpcs://", "ldaps://", "rediss://",
		"ssl connect attempt", "reverse proxy", "round trip", "roundtrip", "拨号", "上游"),
	phrases("authentication handshake failed", "generated client alert", "received server alert"),
	[]sign{
		{word: "连接", whole: lazily(`^连接.{0,20}失败`)},
		{word: "请求", whole: lazily(`^请求.{0,20}失败`)},
	},
)

// requests are those of net/http, which names the method like a word (net/http
// client.go, urlErrorOp).
func requests(methods ...string) (signs []sign) {
	for _, method := range methods {
		signs = append(signs, sign{word: strings.ToLower(method) + " ", whole: lazily(`^` + method + ` \\?"?https?://`)})
	}
	return signs
}

// directionOf tells the side by the words beside a core. Where those of both stand
// there, an URL may be the listener's own.
func directionOf(words string) Direction {
	const enough = 600
	words = words[:min(len(words), enough)]
	lower := lowerASCII(words)
	switch {
	case strings.Contains(words, "TLS handshake error from"):
		return Inbound
	case anyIn(dials, words, lower):
		return Outbound
	case anyIn(accepts, words, lower):
		return Inbound
	}
	return UnknownDirection
}

// lowerASCII leaves each byte at its place.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
