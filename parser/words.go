package parser

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// WordKind says whose a word of a record is.
type WordKind string

// Kinds of words that are somebody's own: a host name, an address with or without a
// port or as a URL, a user or device, a password or token, a file.
const (
	WordHost    WordKind = "host"
	WordAddress WordKind = "address"
	WordUser    WordKind = "user"
	WordSecret  WordKind = "secret"
	WordPath    WordKind = "path"
)

// Word is a part of a record that is somebody's own.
type Word struct {
	Kind WordKind
	Text string
}

// FieldNames is an expression for the names of fields that hold words of a kind, to be
// matched as a whole and without regard to case; empty for an address.
func FieldNames(kind WordKind) string { return fieldNames[kind] }

var fieldNames = map[WordKind]string{
	WordUser:   `[a-z_]*uids?|(?:client|login|to|from)_?id|subscribers?|members?|sender|receivers?|creator|owner|[a-z_]*user(?:[_-]?(?:id|name))?|[a-z_]*account|[a-z_]*device_?id|[a-z_]*channel_?id|[a-z_]*phone|[a-z_]*mobile|[a-z_]*nick(?:name)?|loginname`,
	WordSecret: `[a-z_-]*(?:token|secret|password|passwd|passphrase|pwd|(?:api|app|access|private)[_-]?key(?:[_-]?id)?|authorization|cookie|session_?id|jwt)s?`,
	WordHost:   `[a-z_]*host(?:_?name)?|node(?:_?(?:name|id))?|server_?name|sni|pod(?:_?name)?|container(?:_?(?:name|id))?|namespace|instance|identifiers?|(?:router|provider|service|middleware|tls_?store|tls_?options?|entry_?point|resource|volume)_?name(?:space)?`,
	WordPath:   `[a-z_]*(?:file|path|dir)(?:name)?`,
}

// fieldKinds tell the kind by the name of a field, in this order.
var fieldKinds = []struct {
	kind WordKind
	name func() *regexp.Regexp
}{
	{WordSecret, whole(WordSecret)}, {WordUser, whole(WordUser)}, {WordHost, whole(WordHost)}, {WordPath, whole(WordPath)},
}

func whole(kind WordKind) func() *regexp.Regexp {
	return lazily(`(?i)^(?:` + fieldNames[kind] + `)$`)
}

// nginxWords are the fields behind a message of nginx (src/http/ngx_http_request.c,
// ngx_http_log_error_handler; src/stream/ngx_stream_handler.c).
var nginxWords = map[string]WordKind{
	"client": WordAddress, "server": WordHost, "host": WordHost, "upstream": WordAddress, "referrer": WordAddress, "responder": WordHost, "peer": WordAddress,
}

// frontends stand before what HAProxy says of a handshake that failed (HAProxy
// configuration manual, section 8.2.6): address [date] frontend/bind: message.
var frontends = lazily(`^\S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:[\d:.]+\] ([^/\s]+)/\S+: `)

// Words lists what the form of the record tells to be somebody's own, in the order in
// which it stands in the text. What stands in sentences is not among it.
func (r *Record) Words() []Word {
	var words []Word
	add := func(kind WordKind, text string) {
		if text != "" && text != "unix:" && !slices.Contains(words, Word{kind, text}) {
			words = append(words, Word{kind, text})
		}
	}
	add(WordAddress, r.Remote)
	for name, value := range r.Fields {
		if r.Kind == KindNginx {
			if kind, ok := nginxWords[name]; ok {
				add(kind, value)
			}
			continue
		}
		for _, known := range fieldKinds {
			if known.name().MatchString(name) {
				add(known.kind, value)
				break
			}
		}
	}
	if m := frontends().FindStringSubmatch(r.Text); m != nil {
		add(WordHost, m[1])
	}
	slices.SortFunc(words, func(a, b Word) int {
		return cmp.Or(strings.Index(r.Text, a.Text)-strings.Index(r.Text, b.Text), len(b.Text)-len(a.Text), strings.Compare(string(a.Kind), string(b.Kind)))
	})
	return words
}
