package secrets

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// separators stand between a name and its value. The longer ones come first.
var separators = []string{"=>", ":=", "::", "==", "=", ":", "：", "＝", "%3D", "%3d", "%3A", "%3a"}

// hideFields hides the values of fields whose names tell what they hold, in whatever
// notation: JSON, JSON in JSON, logfmt, queries, YAML, Go's and Java's own.
func hideFields(text string) string {
	var b strings.Builder
	done := 0 // what was written
	for at := 0; at < len(text); {
		sep := separatorAt(text, at)
		if sep == 0 {
			at++
			continue
		}
		f := field{text: text, at: at, end: at + sep}
		at = f.end
		if f.name() == harmless {
			continue
		}
		start, end := f.value()
		if start < done || start == end {
			continue
		}
		b.WriteString(text[done:start])
		b.WriteString(Hidden)
		done, at = end, max(end, at)
	}
	if done == 0 {
		return elements(text)
	}
	b.WriteString(text[done:])
	return elements(b.String())
}

// separatorAt is how many bytes a separator takes at an index, 0 for none.
func separatorAt(text string, at int) int {
	switch text[at] {
	case '=', ':', '%', "："[0]:
	default:
		return 0
	}
	for _, sep := range separators {
		if strings.HasPrefix(text[at:], sep) {
			return len(sep)
		}
	}
	return 0
}

// element is one of XML.
var element = regexp.MustCompile(`<([\w.-]+)>([^<]+)</`)

func elements(text string) string {
	if !strings.Contains(text, "</") {
		return text
	}
	return element.ReplaceAllStringFunc(text, func(all string) string {
		name, _, _ := strings.Cut(all[1:], ">")
		if judge(name) == harmless {
			return all
		}
		return "<" + name + ">" + Hidden + "</"
	})
}

// field is a separator in a text, with what is found around it.
type field struct {
	text    string
	at, end int // of the separator
	named   string
	quoted  bool // its name stands in quotes
}

const (
	maxName  = 64 // bytes of a name that are looked at
	maxBlank = 8  // blanks beside a separator
)

// name reads the name before the separator and judges it.
func (f *field) name() verdict {
	before := trimBlanks(f.text[max(0, f.at-maxName-maxBlank):f.at])
	if before == "" {
		return harmless
	}
	if q := before[len(before)-1]; q == '"' || q == '\'' || q == '`' || q == ']' {
		before = strings.TrimRight(before[:len(before)-1], `\"'`)
		f.quoted = true
	}
	start := len(before)
	for start > 0 && isNameByte(before[start-1]) {
		start--
	}
	if f.isChinese(before, start) {
		return strong
	}
	f.named = strings.TrimLeft(before[start:], "-.")
	if f.named == "" || f.quoted && !strings.ContainsAny(before[max(0, start-1):start], "\"'`") {
		return harmless // what ends within quotes is no name
	}
	if !f.quoted && start > 0 && before[start-1] == ':' && f.text[f.at] == ':' {
		return harmless // the name of a function in an error of OpenSSL
	}
	v := judge(f.named)
	if v == weak && !f.quoted && f.text[f.at] == ':' {
		return harmless
	}
	return v
}

// isChinese tells whether a text ends with a name in Chinese; start is where its ASCII
// ends.
func (f *field) isChinese(before string, start int) bool {
	for i, name := range chineseNames {
		if strings.HasSuffix(before, name) || start > 0 && before[start-1] == '\\' && strings.HasSuffix(lowered(before), escapedNames[i]) {
			f.named = name
			return true
		}
	}
	return false
}

var escapedNames = escaped(chineseNames)

func trimBlanks(s string) string {
	end := len(s)
	for end > 0 && len(s)-end < maxBlank && (s[end-1] == ' ' || s[end-1] == '\t') {
		end--
	}
	return s[:end]
}

func isNameByte(c byte) bool {
	return c == '_' || c == '-' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// value finds what is to be hidden; start and end are the same for nothing.
func (f *field) value() (start, end int) {
	at, blanks := f.end, 0
	for at < len(f.text) && blanks < maxBlank && (f.text[at] == ' ' || f.text[at] == '\t') {
		at++
		blanks++
	}
	if at == len(f.text) {
		return at, at
	}
	start, end = quotedValue(f.text, at)
	if start < 0 {
		switch f.text[at] {
		case '[', '{':
			start, end = at+1, closing(f.text, at)
		default:
			start, end = at, at+bareLength(f.text[at:], f.text[f.at] == '%')
			if f.isProse(blanks, start, end) {
				return at, at
			}
		}
	}
	if f.shows(f.text[start:end]) {
		return start, start
	}
	return start, end
}

// shows tells whether a value is no secret: nothing, what was hidden before, the
// name of a file or of an object of Kubernetes.
func (f *field) shows(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "null", "nil", "<nil>", "none", "true", "false", "undefined", Hidden:
		return true
	}
	lower := lowered(f.named)
	if strings.Contains(lower, "pass") || strings.HasSuffix(lower, "token") {
		return false
	}
	if isFile(value) {
		return true
	}
	return (lower == "secret" || lower == "key") && object.MatchString(value)
}

var (
	// object is a name with its namespace (Kubernetes, "Object Names and IDs").
	object = regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}/[a-z][a-z0-9.-]{0,40}$`)
	// A file is known by where it is or by its ending: a slash alone is in base64 too.
	rooted = regexp.MustCompile(`^(?:\.{1,2}[/\\]|~/|[A-Za-z]:\\|file:|/(?:etc|home|root|opt|usr|var|srv|data|tmp|run|app|mnt|certs?|ssl|proc|dev|Users|Volumes|wukongim\w*)/)`)
	ending = regexp.MustCompile(`^[\w./\\ -]+\.(?:pem|key|crt|cer|cert|der|pfx|p12|jks|conf|json|ya?ml|toml|sock)$`)
)

func isFile(value string) bool { return rooted.MatchString(value) || ending.MatchString(value) }

// said are the words with which errors go on behind a colon.
var said = regexp.MustCompile(`(?i)^(?:x509|tls|asn1|pem|post|get|put|dial|eof|read|write|open|stat|unexpected|invalid|error|remote|local|failed|cannot|could|context|https?|rpc|lookup|oauth2|unauthorized|json|not|no|must|is|was|missing|expired|illegal|malformed|permission|unable|unknown|unsupported|crypto|connection|i/o|net|yaml)$`)

// isProse tells whether a sentence goes on behind the name: an error that begins with
// one of the usual words, and has more of them.
func (f *field) isProse(blanks, start, end int) bool {
	if f.quoted || blanks == 0 || f.text[f.at] != ':' {
		return false
	}
	return end < len(f.text) && f.text[end] != '\n' && said.MatchString(strings.TrimRight(f.text[start:end], ":,"))
}

// quotedValue finds a value in quotes, start is negative where there is none. One in
// a string within strings ends at a quote behind as many backslashes as the one that
// it begins with; a quote of its own has more of them.
func quotedValue(text string, at int) (start, end int) {
	slashes := 0
	for at+slashes < len(text) && text[at+slashes] == '\\' {
		slashes++
	}
	open := at + slashes
	if open == len(text) {
		return -1, -1
	}
	for _, pair := range []string{"“”", "「」", "‘’"} {
		first, n := utf8.DecodeRuneInString(pair)
		if strings.HasPrefix(text[open:], string(first)) {
			if end := strings.Index(text[open:], pair[n:]); end >= 0 {
				return open + n, open + end
			}
			return open + n, len(text)
		}
	}
	quote := text[open]
	if quote != '"' && quote != '\'' && quote != '`' {
		return -1, -1
	}
	before := 0
	for i := open + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			before++
			continue
		case quote:
			if before%(2*(slashes+1)) == slashes {
				return open + 1, i - slashes
			}
		}
		before = 0
	}
	return open + 1, len(text)
}

// closing is where a list or an object ends, whatever is in it.
func closing(text string, open int) int {
	depth := 0
	for i := open; i < len(text); i++ {
		switch text[i] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

var (
	// bare values end at what separates them from others; the brackets of what holds
	// them are taken off.
	bare = regexp.MustCompile(`^(?:(?i:bearer|basic|digest|token)[ \t]+)?[^\s"'<>&;,\\|` + "`" + `，。；、）（！]+`)
	// inQuery is one in an escaped query.
	inQuery = regexp.MustCompile(`^(?:[^\s"'<>&;,\\|%]|%[013-9A-Fa-f][0-9A-Fa-f]|%2[0-57-9A-Fa-f])+`)
)

func bareLength(text string, query bool) int {
	if query {
		return len(inQuery.FindString(text))
	}
	value := bare.FindString(text)
	for _, brackets := range []string{"()", "[]", "{}"} {
		for strings.HasSuffix(value, brackets[1:]) && strings.Count(value, brackets[1:]) > strings.Count(value, brackets[:1]) {
			value = value[:len(value)-1]
		}
	}
	return len(value)
}

// flags are those of command lines, with a value behind a blank, or in the next
// string of a list.
var flags = regexp.MustCompile(`^--?([A-Za-z][\w-]+)(?:[ \t]+|\\*"?,[ \t]*\\*"?)([^\s"'\\,-][^\s"'\\]*)`)

func hideFlags(text string) string {
	var b strings.Builder
	done := 0
	for at := 0; ; {
		next := strings.IndexByte(text[at:], '-')
		if next < 0 {
			b.WriteString(text[done:])
			return b.String()
		}
		at += next
		if at > 0 && !strings.ContainsRune(" \t\"'[", rune(text[at-1])) {
			at++
			continue
		}
		m := flags.FindStringSubmatchIndex(text[at:])
		if m == nil {
			at++
			continue
		}
		f := field{named: text[at+m[2] : at+m[3]]}
		if judge(f.named) == strong && !f.shows(text[at+m[4]:at+m[5]]) {
			b.WriteString(text[done:at+m[4]] + Hidden)
			done = at + m[5]
		}
		at += m[3]
	}
}

// chinese names may have no separator behind them, but a blank or a verb.
var chinese = regexp.MustCompile(`(?i)^(?:` + strings.Join(chineseNames, "|") + `|` + strings.ReplaceAll(strings.Join(escapedNames, "|"), `\`, `\\`) + `)(?:为|是|\\u4e3a|\\u662f|[ \t])[ \t"'“]*([!#-&(-~]{4,})`)

// suites are no passwords, though Chinese calls them 密码套件, nor are algorithms keys.
var suites = regexp.MustCompile(`^(?:TLS_|ECDHE-|DHE-|AES|RSA|ECDSA|Ed25519|P-\d|x509|tls)`)

func hideChinese(text string) string {
	return replaceAt(text, slices.Concat(chineseNames, escapedNames), chinese, func(m []string) string {
		f := field{named: chineseNames[0]}
		if suites.MatchString(m[1]) || f.shows(m[1]) {
			return m[1]
		}
		return Hidden
	})
}

// Field gives the value of a field that was taken apart already.
func Field(name, value string) string {
	f := field{named: name}
	if judge(name) != harmless && !f.shows(value) {
		return Hidden
	}
	return Hide(value)
}

// Arguments gives the words of a command line: the value of a flag is the next one.
func Arguments(words []string) []string {
	shown := []string{}
	for i, word := range words {
		if i > 0 && strings.HasPrefix(words[i-1], "-") && !strings.HasPrefix(word, "-") {
			shown = append(shown, Field(strings.TrimLeft(words[i-1], "-"), word))
			continue
		}
		shown = append(shown, Hide(word))
	}
	return shown
}
