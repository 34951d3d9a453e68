package parser

import (
	"cmp"
	"crypto/tls"
	"slices"
	"strconv"
	"strings"
)

// Direction says which side of a connection wrote a record.
type Direction string

// The one who accepts connections and the one who dials. Go prints the same words on
// both sides; only the words beside them tell.
const (
	UnknownDirection Direction = "unknown"
	Inbound          Direction = "inbound"
	Outbound         Direction = "outbound"
	// Client is the one who dials where it is by its nature a client of the server and
	// never a server that calls another: an app on a phone, curl.
	Client Direction = "client"
)

// Core is what a TLS library said in a record of whatever program, without what the
// program put around it. The zero value is none.
type Core struct {
	// Text is in the words of the present release of Go, or of nginx for an error of
	// OpenSSL; Kind is the kind of record that has it.
	Text      string
	Kind      Kind
	Direction Direction
}

// Core finds what was said. An alert of crypto/tls is recognised by its text, any other
// error of it by its "tls: ", one of OpenSSL by its number and words.
//
// The words alone are no failure: what is a visitor's ([Kind.Theirs]) is none, and
// neither is a sentence that goes on behind an alert.
func (r *Record) Core() Core {
	switch r.Kind {
	case KindNetHTTP:
		text, _, _ := findCore(r.Error)
		return Core{Text: text, Kind: KindNetHTTP, Direction: Inbound}.orNone()
	case KindZap, KindConsole, KindText:
	default:
		return Core{}
	}
	said := r.Subject()
	text, at, end := findCore(said)
	core := Core{Text: text, Kind: KindNetHTTP, Direction: UnknownDirection}.orNone()
	if text == "" {
		core, at, end = otherCore(said)
	}
	if core.Text == "" || r.Kind.Theirs(said, at) {
		return Core{}
	}
	if core.Direction == UnknownDirection {
		words := said[:at] + " | " + said[end:]
		if r.Kind != KindText {
			words = strings.Replace(r.Text, said[at:end], " | ", 1)
		}
		core.Direction = directionOf(words)
	}
	if core.Kind != "" && core.Direction != Inbound && (isOfClientProgram(said) || core.Direction == UnknownDirection && gotByClient(said[at:end], core.Text)) {
		core.Direction = Client
	}
	if core.Direction == Outbound {
		return core.inGoWords()
	}
	return core
}

func (c Core) orNone() Core {
	if c.Text == "" {
		return Core{}
	}
	return c
}

// otherCore finds what another library than crypto/tls said.
func otherCore(s string) (core Core, at, end int) {
	if core, at, end, found := stackAlert(s); found {
		return core, at, end
	}
	if core, at, end = openSSLCore(s); core.Text == "" && speaksOfAlert(s) {
		core, at, end = namedAlert(s)
	}
	if core.Text == "" && (strings.Contains(s, "_ALERT_") || strings.Contains(s, "TLSV1_")) {
		return reasonName(s)
	}
	return core, at, end
}

// speaksOfAlert tells whether an alert may be named in a text.
func speaksOfAlert(s string) bool {
	return strings.Contains(s, "alert") || strings.Contains(s, "handshake warning: ") || strings.Contains(s, "严重警告")
}

const (
	tlsPrefix    = "tls: "
	remotePrefix = "remote error: "
	localPrefix  = "local error: "
)

// alertTexts are those of all alerts, longest first.
var alertTexts = func() []string {
	var texts []string
	for n := range 256 {
		texts = append(texts, strings.TrimPrefix(tls.AlertError(n).Error(), tlsPrefix))
	}
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(texts)
}()

// findCore returns the first core of a text and where it stands.
func findCore(s string) (core string, at, end int) {
	for from := 0; ; {
		at = indexCore(s[from:])
		if at < 0 {
			return "", 0, 0
		}
		at += from
		if at == 0 || !isWordByte(s[at-1]) {
			if core, n := coreAt(s, at); core != "" {
				return core, at, at + n
			}
		}
		from = at + len(tlsPrefix)
	}
}

// indexCore finds where a core may begin.
func indexCore(s string) int {
	best := -1
	for _, start := range []string{remotePrefix, localPrefix, tlsPrefix} {
		limit := len(s)
		if best >= 0 {
			limit = min(best+len(start), len(s))
		}
		if at := strings.Index(s[:limit], start); at >= 0 {
			best = earliest(best, at)
		}
	}
	return best
}

// coreAt reads the core at an index and returns how many bytes it takes. Before 1.8 Go
// left "tls: " out of its alerts (crypto/tls alert.go).
func coreAt(s string, at int) (core string, n int) {
	rest := s[at:]
	for _, prefix := range []string{remotePrefix, localPrefix} {
		if alert, ok := strings.CutPrefix(rest, prefix); ok {
			alert = strings.TrimPrefix(alert, tlsPrefix)
			text, length := alertIn(alert)
			if text == "" {
				return "", 0
			}
			return prefix + tlsPrefix + text, len(rest) - len(alert) + length
		}
	}
	rest = rest[:quotedEnd(s, at)-at]
	if text, length := alertIn(rest[len(tlsPrefix):]); text != "" {
		if at > 0 || len(rest) > len(tlsPrefix)+length {
			return "", 0
		}
		return remotePrefix + tlsPrefix + text, len(rest) // its head was cut off
	}
	return strings.TrimRight(rest, " \r\n"), len(rest)
}

// alertIn returns the alert that a text begins with, in the words of the present release,
// and how many bytes it takes; nothing if a sentence goes on behind it.
func alertIn(s string) (text string, length int) {
	if m := numberedAlert().FindStringSubmatch(s); m != nil {
		number, err := strconv.ParseUint(m[1], 10, 8)
		if err != nil || !endsCore().MatchString(s[len(m[0]):]) {
			return "", 0
		}
		return strings.TrimPrefix(tls.AlertError(number).Error(), tlsPrefix), len(m[0])
	}
	for _, text := range alertTexts {
		if rest, ok := strings.CutPrefix(s, text); ok {
			if endsCore().MatchString(rest) {
				return text, len(text)
			}
			return "", 0
		}
	}
	return "", 0
}

// numberedAlert is one that was unknown to the release of Go that met it.
var numberedAlert = lazily(`^alert\((\d{1,3})\)`)

// endsCore is what may stand behind an alert: nothing, the end of a quotation, of a
// bracket or of a sentence, another cell, a field, the state of a handshake, when and
// with whom it happened.
var endsCore = lazily(`^\s*(?:$|["'` + "`" + `\\)\]}>,;:|\r\n\t\x1b，。；）」”】！]|[.!](?:\s|$)|\s[\[({#*|-]|\shandshakeStatus|\s(?:while|when|during|in|on|at|from|to|for|by|after|before|with|via|client|peer|conn(?:ection)?)\b|\s(?:\d|\w+=))`)

// quotedEnd is where a core ends that began at an index: at the quotation mark or the
// bracket that was open before it, else at the end of the line.
func quotedEnd(s string, at int) int {
	end := len(s)
	if i := strings.IndexAny(s[at:], "\r\n\t\x1b"); i >= 0 {
		end = at + i
	}
	if strings.Count(s[:at], `"`)%2 == 1 {
		if i := strings.IndexByte(s[at:end], '"'); i >= 0 {
			end = at + i
			if s[end-1] == '\\' {
				end--
			}
		}
	}
	for _, pair := range []string{"()", "（）"} {
		open, shut := pair[:len(pair)/2], pair[len(pair)/2:]
		if at > 0 && strings.HasSuffix(s[:at], open) {
			if i := strings.LastIndex(s[at:end], shut); i >= 0 {
				end = at + i
			}
		}
	}
	return end
}

// quotes are words before a message by which a record tells of somebody's words and
// not of a failure: a commit, a test, a request, a message between users.
var quotes = lazily(`\b(?:feat|fix|docs|chore|refactor|tests?|revert)(?:\([\w./-]+\))?!?: ` +
	`|(?i:\bgit\b.{0,20}\bcommit|\bcommit (?:message|[0-9a-f]{7,40}\b)|\bmerge (?:branch|pull request)|\bpull request\b|\bchangelog\b|\brelease notes\b|\breadme\b)` +
	`|=== (?:RUN|PAUSE|CONT|NAME)|--- (?:PASS|SKIP|FAIL)|\bTest[A-Z]\w*/\S*$` +
	`|(?i:user-agent|referer)|[?&]\w+=[^\s"]*$|(?i:\b(?:content|payload|keyword|query)\\?"?\s*[:=]\s*\\?["'“]?[^:]*$)` +
	`|(?:发送|收到|接收|转发|推送)(?:了)?(?:的)?(?:一条)?消息|消息内容|聊天内容|搜索|提交(?:信息|说明|记录)|文档|用户(?:说|问|反馈)`)

// quoteSigns are literals of which each match of quotes holds one, in lower case: the
// expression is slow, and hardly any text has one.
var quoteSigns = []string{
	"feat", "fix", "docs", "chore", "refactor", "test", "revert", "commit", "merge ", "pull request", "changelog", "release notes", "readme",
	"=== ", "--- ", "user-agent", "referer", "?", "&", "content", "payload", "keyword", "query",
	"消息", "聊天内容", "搜索", "提交", "文档", "用户",
}

// Quotes tells by what stands in a text before a message that the message is somebody's
// words: it was not printed by what failed.
func Quotes(before string) bool {
	const near = 256
	before = before[max(0, len(before)-near):]
	if len(before) < len("fix: ") {
		return false
	}
	lower := strings.ToLower(before)
	return slices.ContainsFunc(quoteSigns, func(sign string) bool { return strings.Contains(lower, sign) }) && quotes().MatchString(before)
}

// clientPrograms are words of programs that are clients only: curl, Dart and Flutter, and
// Android, which names the files of its libraries.
var clientPrograms = lazily(`\bcurl: \(\d+\)|\bcURL error \d+|Handshake error in client|\bexternal/(?:boringssl|openssl|conscrypt)/|[A-Z]\(\w+\.(?:cc|c):\d+\)`)

// clientSigns are literals of which each match of clientPrograms holds one: the
// expression is slow, and hardly any text has one.
var clientSigns = []string{"curl: (", "cURL error ", "error in client", "external/", ".cc:", ".c:"}

func isOfClientProgram(said string) bool {
	return slices.ContainsFunc(clientSigns, func(sign string) bool { return strings.Contains(said, sign) }) && clientPrograms().MatchString(said)
}
