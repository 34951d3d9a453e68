package parser

import (
	"slices"
	"strings"
)

// Theirs tells whether what stands at an index of a record's text are the words of
// somebody who wrote to the program, a visitor or a user, and not its own: a failure's
// words are no failure there, for anybody could bring it about.
//
// A quotation is theirs unless what leads to it says that an error is quoted: the name
// of a field, or a word such as failed. Without quotation marks the words before tell.
func (k Kind) Theirs(text string, at int) bool {
	before := text[:at]
	switch k {
	case KindNginx:
		// What is in quotes may hold quotes, which nginx does not escape; what it says
		// itself comes before.
		return strings.Contains(before, `"`)
	case KindText, KindZap, KindConsole:
		return at > 0 && (Quotes(before) || markedTheirs(text, before) || fieldIsTheirs(before) || tokenIsTheirs(before) || quotationIsTheirs(text, before))
	}
	return false
}

// strangers are words behind which there are those of a visitor, to the end: of sshd
// (auth.c, sshd.c, packet.c of OpenSSH), Apache httpd (server/log.c and the modules),
// net/http and programs that name their users.
var strangers = lazily(`(?i:\b(?:invalid|illegal|authenticating) user )` +
	`|\bFailed (?:password|publickey|none|keyboard-interactive\S*) for |\bReceived disconnect from ` +
	`|\bBad protocol version identification |\bTheir offer: ` +
	`|\bFile does not exist: |\bunable to stat: |\bdenied by server configuration: |\bInvalid URI in request |\bAH\d{5}: user ` +
	`|\bError parsing request: |\bmalformed HTTP (?:request|version|method) ` +
	`|(?i:\breferrer\b)` +
	`|\bNew client connected from \S+ as |\bFAILED SU \(to ` + // mosquitto, su
	`|(?i:\[chat\] |^<\pL[^<>\s]*> )|[^\s：:]说[：:]` + // people who talk
	`|(?i:\b(?:user|uid|username|nick ?name|account|channel|topic|room|group|device|client)(?: ?(?:id|name))?(?: (?:not found|unknown|does not exist)): )` +
	`|(?i:\b(?:bad|invalid|illegal|unknown|no such) (?:user|uid|username|nick ?name|account|channel|topic|room|group|device|client)(?: ?(?:id|name))?: )` +
	`|(?:用户名?|昵称|群名|标题|备注|路径|文件名?|参数|(?:查询|搜索)?关键[字词]|请求(?:头|行|体|路径|地址)?)\s*[：:=“「"'‘]` +
	`|(?:昵称|群名|标题|备注|名称)(?:已)?(?:修改|更改|更新|设置|改)(?:为|成)`)

// strangerSigns are literals of which each match of strangers holds one.
var strangerSigns = []string{
	" user ", "Failed ", "Received disconnect", "Bad protocol", "Their offer", "File does not", "unable to stat", "denied by", "Invalid URI",
	"Error parsing", "malformed HTTP", "eferrer", "用户", "昵称", "群名", "标题", "备注", "路径", "文件", "参数", "请求",
	"New client", "FAILED SU", "[chat]", "[CHAT]", "[Chat]", "说：", "说:", "关键字", "关键词", "名称",
	"not found: ", "unknown: ", "does not exist: ",
}

// refusedNames are the beginnings of "bad user" and its like, which may begin with a
// capital.
var refusedNames = func() (signs []string) {
	for _, noun := range []string{"user", "uid", "nick", "account", "channel", "topic", "room", "group", "device", "client"} {
		for _, refused := range []string{"ad ", "nvalid ", "llegal ", "nknown ", "o such "} {
			signs = append(signs, refused+noun)
		}
	}
	return signs
}()

// theirFields are fields that EMQX and MinIO write without quotation marks; what they say
// themselves stands in others, behind them.
var (
	theirFields = lazily(`\b(?:(?:clientid|topic|username): |object=)`)
	behindThem  = lazily(`, (?:reason|error|err|cause|details?|msg)[:=]`)
)

func fieldIsTheirs(before string) bool {
	for _, sign := range []string{"clientid: ", "topic: ", "username: ", "object="} {
		if strings.Contains(before, sign) {
			at := theirFields().FindStringIndex(before)
			return at != nil && !behindThem().MatchString(before[at[1]:])
		}
	}
	return false
}

// notAllowed is what sshd says of a user who exists.
var notAllowed = lazily(`\bUser .* from \S+ not allowed because `)

// cameOrWent is what programs say of a user between two of their words.
var cameOrWent = lazily(`(?:(?i:\b(?:user|member) ).* (?:joined|left|logged (?:in|out)|subscribed)\b|用户\s*.*(?:上线|下线|加入|退出|登录)|- USER .*: no such user found from )`)

func markedTheirs(text, before string) bool {
	if strings.Contains(before, "User ") && notAllowed().MatchString(text) {
		return true
	}
	for _, who := range []string{"user ", "User ", "USER ", "ember ", "用户"} {
		if at := strings.Index(before, who); at >= 0 {
			if m := cameOrWent().FindStringIndex(text); m != nil && m[0] < len(before) && m[1] > len(before) {
				return true
			}
			break
		}
	}
	holds := func(sign string) bool { return strings.Contains(before, sign) }
	return (strings.HasPrefix(before, "<") || slices.ContainsFunc(strangerSigns, holds) || slices.ContainsFunc(refusedNames, holds)) && strangers().MatchString(before)
}

// tokenIsTheirs tells by the beginning of the word in which a text ends: a path, an
// address, or the value of a field that is none for errors.
func tokenIsTheirs(before string) bool {
	token := before[strings.LastIndexAny(before, " \t\r\n")+1:]
	token = strings.TrimLeft(token, `"'([{<`)
	if token == "" || strings.HasSuffix(token, ":") {
		return false
	}
	if strings.HasSuffix(before, "Error Domain=") {
		return false // of Apple's NSError
	}
	if token[0] == '/' || strings.Contains(token, "://") {
		return true
	}
	m := unquotedField().FindStringSubmatch(token)
	return m != nil && !ownField().MatchString(m[1])
}

var unquotedField = lazily(`^([\w.-]+)=<?$`)

// ownField are the names of fields in which a program writes what it says itself.
var ownField = lazily(`(?i)err|msg|message|reason|cause|except|detail|fail|alert|stack|output|stdout|stderr|warn|desc|错误|原因|异常|失败|报错`)

// quotationIsTheirs tells whether a text ends within a quotation that is not the
// program's own.
func quotationIsTheirs(text, before string) bool {
	if at := strings.Index(before, `"{"`); at >= 0 {
		return !leadIsOwn(before[:at]) // the quotation holds quotes, and ends nobody knows where
	}
	open := openQuote(before)
	if open < 0 {
		return false
	}
	lead := before[:open]
	if bare := strings.TrimLeft(lead, " \t>"); bare == "" {
		return !strings.HasSuffix(strings.TrimRight(text, " \t\r\n"), text[open:open+1]) // which is all that was pasted
	}
	return !leadIsOwn(lead)
}

// leadIsOwn tells by what leads to a quotation that the program quotes an error.
func leadIsOwn(lead string) bool {
	if m := quotedField().FindStringSubmatch(lead); m != nil {
		return ownField().MatchString(m[1] + m[2])
	}
	if m := quotedAfterColon().FindStringSubmatch(lead); m != nil {
		return !theirNoun().MatchString(m[1])
	}
	return leadsToError().MatchString(lead)
}

var (
	// quotedField is a field before its value: in JSON, also as a part of a string, or
	// in logfmt.
	quotedField = lazily(`(?:\\*["']([^"'\\]*)\\*["']\s*:|([\w.-]+)\s?=)\s*(?:\[\s*)?\\*$`)
	// quotedAfterColon is a sentence that ends in a colon, with its last words.
	quotedAfterColon = lazily(`(\S*(?:\s+\S+)?)[:：]\s*\\*$`)
	theirNoun        = lazily(`(?i)\b(?:requests?|headers?|hosts?|paths?|ur[il]s?|agent|ua|refer+er|users?|username|names?|query|line|method|body|payload|content|cookie|files?|param(?:eter)?s?|arguments?|values?|input|command|string|token|sni|key|title|topic|login)\W*$`)
	leadsToError     = lazily(`(?i)(?:\b(?:err(?:or)?s?|fail(?:ed|ure|s)?(?: with)?|reason|cause|exception|alert|warning)\s*|\w*(?:err|exception|fail|alert|panic|warn)\w*(?::\s*)?\((?:-?\d+,\s*)?|\{\s*\w+,\s*|\bCode=-?\d+\s+|\bCONSOLE\(\d+\)\]\s+|\.go:\d+\]\s+|(?:报错?|错误|提示|显示|返回|失败|原因|异常)[是为：:]?\s*)\\*$`)
)

// openQuote is where the quotation begins in which a text ends, -1 where it ends in
// none. A quotation mark behind an odd number of backslashes belongs to the quotation,
// except of one that is a part of a string itself, as in JSON within JSON.
func openQuote(s string) int {
	open := -1
	var mark byte
	escaped := false // the mark that opened was escaped
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '"' && c != '\'' && c != '<' && c != '>' {
			continue
		}
		behind := i > 0 && s[i-1] == '\\'
		switch {
		case open >= 0:
			if closes(s, i, mark) && behind == escaped {
				open = -1
			}
		case c == '"', opensQuote(s, i):
			open, mark, escaped = i, c, behind
		}
	}
	return open
}

// opensQuote tells whether a mark begins a quotation: an apostrophe and a sign may
// stand in words too.
func opensQuote(s string, i int) bool {
	if i+1 < len(s) && (s[i+1] == ' ' || s[i+1] == s[i]) {
		return false
	}
	switch s[i] {
	case '\'':
		return i == 0 || strings.IndexByte(" \t([{=:,b", s[i-1]) >= 0
	case '<':
		return i > 0 && (s[i-1] == ' ' || s[i-1] == '=')
	}
	return false
}

func closes(s string, i int, mark byte) bool {
	switch mark {
	case '<':
		return s[i] == '>' && s[i-1] != '-' // an arrow
	case '\'':
		return s[i] == '\'' && (i+1 == len(s) || !isWordByte(s[i+1]))
	}
	return s[i] == mark
}

// sshd serves no TLS, and what it says of a visitor holds his words without any mark.
var sshd = lazily(`(?:^| )sshd(?:-\w+)?(?:\[\d+\])?$`)
