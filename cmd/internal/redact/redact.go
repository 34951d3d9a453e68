// Package redact replaces what names people and machines by pseudonyms.
package redact

import (
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/secrets"
	"wklog/parser"
)

// Redactor replaces what names people and machines by pseudonyms: addresses,
// host names, users, secrets and paths. The same original gets the same
// pseudonym throughout a report; they are numbered in the order of their
// appearance, so that nothing can be computed back from them. It would rather
// replace too much than too little.
type Redactor struct {
	pseudonyms map[string]string
	given      map[string]bool // all pseudonyms
	numbers    map[string]int
	// every finds a match of any kind; the groups of each begin at its number in
	// firsts and end at the next one's.
	every  *regexp.Regexp
	firsts []int
	plain  plainTexts
}

// New starts without any pseudonym.
func New() *Redactor {
	r := &Redactor{pseudonyms: map[string]string{}, given: map[string]bool{secrets.Hidden: true}, numbers: map[string]int{}, plain: plainTexts{}}
	r.every, r.firsts = everyKind()
	return r
}

// everyKind is the expression of all kinds, made once, with the number of the first group
// of each.
var everyKind = sync.OnceValues(func() (*regexp.Regexp, []int) {
	exprs, firsts := []string{}, []int{1}
	for i, k := range kinds {
		exprs = append(exprs, `(`+k.expr+`)`)
		firsts = append(firsts, firsts[i]+1+regexp.MustCompile(k.expr).NumSubexp())
	}
	return regexp.MustCompile(`(?im)` + strings.Join(exprs, `|`)), firsts
})

// Value gives a value that may be shown.
func (r *Redactor) Value(v check.Value) check.Value {
	if v.In != "" && !slices.Contains(usualFiles, v.In) {
		v.In = r.Path(v.In)
	}
	return v.Map(func(word string) string { return r.Word(v.Type, word) })
}

// usualFiles are called so by everybody.
var usualFiles = []string{"wk.yaml", "wukongim.toml", "docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"}

// quotes are the words of others in the errors of libraries.
var quotes = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// addresses begin like those of clients, of servers and of certificates' issuers.
var addresses = regexp.MustCompile(`(?i)^(?:wss?|https?|tcp|ldaps?)://`)

// Word replaces one that a check found. What is wrong with it stays: quotes and blanks
// around it, ~ before it.
func (r *Redactor) Word(t check.Type, word string) string {
	core := strings.Trim(word, `'" `)
	if core == "" {
		return word
	}
	before, behind, _ := strings.Cut(word, core)
	shown := core
	switch t {
	case check.Text:
		return r.Text(quotes.ReplaceAllStringFunc(word, func(q string) string { return `"` + r.Named("name", q[1:len(q)-1]) + `"` }))
	case check.Path:
		if rest, ok := strings.CutPrefix(core, "~/"); ok {
			before, core = before+"~/", rest
		}
		shown = r.Path(core)
	case check.Host, check.Address:
		if addresses.MatchString(core) {
			shown = r.url([]string{core})
		} else {
			shown = r.authority(core)
		}
	default:
		shown = r.personal(core)
	}
	return before + shown + behind
}

// personal replaces a name of whatever kind; that of the product is nobody's.
func (r *Redactor) personal(name string) string {
	switch {
	case strings.EqualFold(name, "wukongim"):
		return name
	case strings.Contains(name, " "):
		return r.Named("name", name)
	}
	return r.authority(name)
}

// Said replaces in a text of a log what the form of its record tells to be somebody's
// own, and then what looks like it.
func (r *Redactor) Said(text string, words []parser.Word) string {
	for _, w := range words {
		if len(w.Text) < shortest || strings.Trim(w.Text, "0123456789") == "" {
			continue // a number or a letter is in other fields too; its own is found by its name
		}
		if strings.Contains(text, w.Text) {
			text = replaceWhole(text, w.Text, r.own(w))
		}
	}
	return r.Text(text)
}

const shortest = 2

// replaceWhole replaces a word where it is not a part of another.
func replaceWhole(text, word, by string) string {
	isPart := func(before, behind string) bool {
		last, _ := utf8.DecodeLastRuneInString(before)
		first, _ := utf8.DecodeRuneInString(behind)
		return inWord(last) && inWord(first)
	}
	var b strings.Builder
	for rest := text; ; {
		at := strings.Index(rest, word)
		if at < 0 {
			return b.String() + rest
		}
		end := at + len(word)
		before := text[:len(text)-len(rest)+at]
		b.WriteString(rest[:at])
		if isPart(before, word) || isPart(word, rest[end:]) {
			b.WriteString(word)
		} else {
			b.WriteString(by)
		}
		rest = rest[end:]
	}
}

// inWord tells whether a character joins words: those of Chinese have no blanks
// between them.
func inWord(c rune) bool {
	return c < utf8.RuneSelf && (c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c))
}

func (r *Redactor) own(w parser.Word) string {
	switch w.Kind {
	case parser.WordUser, parser.WordSecret:
		return r.Named(string(w.Kind), w.Text)
	case parser.WordPath:
		return r.Word(check.Path, w.Text)
	}
	return r.Word(check.Address, w.Text)
}

// maxPseudonyms is how many originals of a kind are told apart: in a stream that goes on
// for months others come without an end. The rest share one.
const maxPseudonyms = 50_000

// Named gives the pseudonym of an original of a kind.
func (r *Redactor) Named(kind, original string) string {
	if original == "" {
		return ""
	}
	if r.given[original] {
		return original // it was replaced already
	}
	key := kind + "\x00" + strings.ToLower(original)
	name, ok := r.pseudonyms[key]
	if !ok && r.numbers[kind] >= maxPseudonyms {
		name = kind + "-other"
		r.given[name] = true
		return name
	}
	if !ok {
		r.numbers[kind]++
		name = fmt.Sprintf("%s-%d", kind, r.numbers[kind])
		r.pseudonyms[key], r.given[name] = name, true
	}
	return name
}

// Source gives the pseudonym of a log's name.
func (r *Redactor) Source(name string) string {
	if name == "" || name == "-" || name == "wklog" || name == "stdin" {
		return name
	}
	return r.Path(name)
}

// endings of names say what a file is, and nothing of whose it is.
var endings = []string{
	".log", ".txt", ".out", ".json", ".jsonl", ".gz", ".zst", ".bz2", ".xz", ".tar", ".tgz", ".zip", ".go", ".conf", ".sock",
	".pem", ".crt", ".cer", ".key", ".der", ".pfx", ".p12", ".p7b", ".csr", ".yaml", ".yml", ".toml", ".html", ".md", ".csv", ".sarif",
}

// Path gives the pseudonym of a path; of a frame of a stack trace the file stays.
func (r *Redactor) Path(name string) string {
	if dir, file := path.Split(name); strings.HasSuffix(file, ".go") && dir != "" {
		return r.Named("path", dir) + "/" + file // a frame of a stack trace
	}
	if ending := path.Ext(name); r.given[strings.TrimSuffix(name, ending)] {
		return name
	}
	pseudonym := r.Named("path", name)
	if ending := strings.ToLower(path.Ext(name)); slices.Contains(endings, ending) {
		return pseudonym + ending
	}
	return pseudonym
}

// Message is an error about a source, whose name may stand in it.
func (r *Redactor) Message(source, message string) string {
	if source != "" && source != "-" {
		message = strings.ReplaceAll(message, source, r.Source(source))
	}
	return r.Text(message)
}

// Argument gives a word of a command line as it may be shown.
func (r *Redactor) Argument(word string, files []string) string {
	for _, file := range files {
		if file == "" || file == "-" {
			continue
		}
		if word == file {
			return r.Path(file)
		}
		if flag, ok := strings.CutSuffix(word, file); ok && strings.HasPrefix(flag, "-") { // --output=FILE, -oFILE
			return flag + r.Path(file)
		}
	}
	return r.Text(word)
}

// Client gives the pseudonym of a client's address, with its port.
func (r *Redactor) Client(remote string) string {
	if remote == "" {
		return ""
	}
	if at, err := netip.ParseAddrPort(remote); err == nil {
		return fmt.Sprintf("%s:%d", r.address(at.Addr()), at.Port())
	}
	if at, err := netip.ParseAddr(remote); err == nil {
		return r.address(at)
	}
	return r.authority(remote)
}

// address tells private addresses from public ones: it matters for the
// diagnosis. Those that every machine has stay.
func (r *Redactor) address(at netip.Addr) string {
	at = at.Unmap().WithZone("")
	switch {
	case at.IsLoopback(), at.IsUnspecified():
		return at.String()
	case at.IsPrivate(), at.IsLinkLocalUnicast():
		return r.Named("private-ip", at.String())
	}
	return r.Named("ip", at.String())
}

const (
	// wordFields stand in sentences too, before a colon: "invalid signature: …".
	wordFields = `[a-z_-]*(?:session|signature|sign|credential)s?`
	// In Chinese, where no boundary of a word is.
	chineseUsers   = `用户(?:名|ID)?|账号|手机号?`
	chineseSecrets = `密码|口令|令牌`
	chineseHosts   = `域名|主机名?`
)

// object matches one in JSON, whole or cut off, to the third level.
const object = `\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*(?:\}|$))*(?:\}|$))*(?:\}|$)`

// field matches a name with its value: a list, an object, in quotes, in quotes
// within a string, or bare. The name is in the first group, the value in one of
// the next five.
func field(names, chinese string) string {
	return `((?:\b(?:` + names + `)|` + chinese + `)(?:\\?["'])?\s*(?:[:=：]|%3[ad])\s*)` + value
}

// assigned is a field with a name that is a word of sentences too.
func assigned(names string) string {
	return `(\b(?:` + names + `)(?:\\?["']\s*[:=]\s*|=|%3d))` + value
}

// value within a string ends at a quote behind one backslash: one behind three
// belongs to it.
const value = `(?:(\[[^\]]*\])|(` + object + `)|"((?:[^"\\]|\\.)*)|\\"((?:[^"\\]|\\{3}.|\\{2}[^\\]|\\[^"\\])*)|((?:(?:bearer|basic|digest)\s+)?[^;&\])}` + notInWord + `]+))`

// kinds are what is looked for, the first that fits at a place counts.
// replacement gets the groups of the match, the whole of it first, and returns
// it unchanged where it is none of its kind.
var kinds = []struct {
	expr        string
	replacement func(r *Redactor, m []string) string
}{
	{`(\b(?:open|stat|lstat|read|write|remove|rename|mkdir) )((?:[a-z]:)?[^\s:"'][^:"']*?|["'][^"']+["'])(\s*: (?:no such|permission|is a d|not a d|input/output|too many|stale|file exists|device|the system|access is))`, (*Redactor).failedFile},
	{`(["'])(/[^"'\\\n]+)(["'])`, func(r *Redactor, m []string) string { return m[1] + r.Path(m[2]) + m[3] }},
	{`\b[a-z][a-z0-9+.-]{1,15}://[^` + notInWord + `]+`, (*Redactor).url},
	{`(\b(?:set-)?cookie: |\b(?:proxy-)?authorization: )((?:\w+="[^"]*"|[^"` + lineEnd + `])+)`, func(r *Redactor, m []string) string { return m[1] + r.Named("secret", m[2]) }},
	{field(parser.FieldNames(parser.WordSecret), chineseSecrets), valueOf("secret")},
	{assigned(wordFields), valueOf("secret")},
	{`(\B--?(?:` + parser.FieldNames(parser.WordSecret) + `)(?: |\\?",\\?"))([^` + notInWord + `-][^` + notInWord + `]*)`, func(r *Redactor, m []string) string { return m[1] + r.Named("secret", m[2]) }},
	{field(parser.FieldNames(parser.WordUser), chineseUsers), valueOf("user")},
	{`( - )([^\s"]*[^\s"-][^\s"]*)( \[\d\d/[a-z]{3}/)`, func(r *Redactor, m []string) string { return m[1] + r.Named("user", m[2]) + m[3] }}, // nginx' combined format
	{field(parser.FieldNames(parser.WordHost), chineseHosts), (*Redactor).hostField},
	{field(parser.FieldNames(parser.WordPath), `文件|路径`), valueOf("path")},
	{`(\b(?:secret|certificate|ingress|ingresses|service|endpoints|pod|deployment|statefulset|configmap|namespace|key)(?:=| )?\\?["']?)((?-i:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?))/((?-i:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?))`, (*Redactor).object},
	{`\b(?:bearer|basic) [a-z0-9._~+/=-]{8,}`, func(r *Redactor, m []string) string { return r.Named("secret", m[0]) }},
	{`\b(?:AKIA|ASIA|AKID|LTAI)[a-z0-9]{12,}`, func(r *Redactor, m []string) string { return r.Named("secret", m[0]) }}, // access keys of AWS, Tencent, Alibaba
	{`\beyj[\w-]+\.[\w-]+\.[\w-]*`, func(r *Redactor, m []string) string { return r.Named("secret", m[0]) }},
	{`[\w.+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,}`, func(r *Redactor, m []string) string { return r.Named("user", m[0]) }},
	{`\d{1,3}(?:\.\d{1,3}){3}`, (*Redactor).plainAddress},
	{`\bip(?:-\d{1,3}){4}\b`, func(r *Redactor, m []string) string { return r.Named("host", m[0]) }}, // of a cloud's machine
	{`(^|[^\w:.]|[g-z]:|\b[a-z]{5,}:)((?:[0-9a-f]{1,4}:){1,6}:\B|(?:[0-9a-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{1,4}\b))`, func(r *Redactor, m []string) string { return m[1] + r.plainAddress(m[2:]) }},
	{`\b[a-z]:(?:\\{1,2}[^\s\\/:*?"<>|]+)+`, func(r *Redactor, m []string) string { return r.Path(m[0]) }},
	{`(^|[=(:\[` + notInWord + `])(/[^:;)\]` + notInWord + `]+)`, func(r *Redactor, m []string) string { return m[1] + r.Path(m[2]) }},
	{`\b[\w.-]+(?:/[\w.-]+)+\.(?:pem|crt|cer|key|der|pfx|p12|log|conf|ya?ml|toml|json|gz|zst)\b`, func(r *Redactor, m []string) string { return r.Path(m[0]) }},
	{`(\bhostname |\bname matching |\btarget host name '|\bexpected (?:name|cn)[ =][` + "`" + `'"]?)([a-z0-9*][\w.*-]*)( not verified| found|['"])`, (*Redactor).between},
	{`(\bis valid for )([^"` + lineEnd + `]+)(, not )([a-z0-9*][\w.*-]*)`, func(r *Redactor, m []string) string {
		return m[1] + r.authorities(m[2]) + m[3] + r.authority(m[4])
	}},
	{`(\bwanted to match |\bconnect(?:ed)? to |\bENOTFOUND |\bEAI_AGAIN |\bDNS:)([a-z0-9*][\w.*-]*)( port | \(|[,;\s]|$)`, (*Redactor).between},
	{`(\bhostname )([a-z0-9*][\w.*-]*)( provided via )`, (*Redactor).between},
	{`(\bhost(?:name)?=')([^']+)(')`, (*Redactor).between},
	{`((?-i:\b(?:Name|Namespace)):\\?")([^"\\]+)`, func(r *Redactor, m []string) string { return m[1] + r.personal(m[2]) }}, // Kubernetes' references
	{`(\b(?:domain|looking up [A-Z]+ for) )([a-z0-9*][\w.*-]*)( - |$)`, (*Redactor).between},
	// Names in quotes behind what they are: of nginx, ingress-nginx, HAProxy, Envoy, autocert, the kubelet, Python.
	{`(\b(?:server|server name|upstream|not match|host|proxy|backend|frontend|listener|volume|secret|not valid for) (?:\\?"|'))([\w.*-]+)(\\?"|')`, (*Redactor).between},
	{`(“)([\w.*-]+)(”)`, (*Redactor).between},                                    // Apple's
	{`(\b(?:Host|HostSNI)\(\\?` + "[`\"']" + `)([\w.*-]+)`, (*Redactor).between}, // Traefik's rules
	{`(\bdomains? (?:\\?"|\[)|\bsubjectAltNames: \[|\bvolumes=\[)([\w.*-]+(?:,? [\w.*-]+)*)(\\?"|\])`, func(r *Redactor, m []string) string { return m[1] + r.authorities(m[2]) + m[3] }},
	{`((?:^|\x{e000}|\\n)\[)([\w.*-]+)(\] acme: )`, (*Redactor).between},
	{`(\bapplication protocols \(\[)([^\]]*)`, func(r *Redactor, m []string) string { return m[1] + protocol.ReplaceAllStringFunc(m[2], r.protocol) }},
	{`(\bServer )([\w.-]+)/([\w.-]+)( is )`, func(r *Redactor, m []string) string { return m[1] + r.authority(m[2]) + "/" + r.authority(m[3]) + m[4] }}, // HAProxy's
	{`(\bService \[)([\w.-]+)(\])`, (*Redactor).between},                                                                                                // stunnel's
	{`(\b(?:for|key|AH\d{5}:|server) )([a-z][a-z0-9-]*)(:\d{1,5}(?::\d)?\b)`, (*Redactor).between},                                                      // Apache's
	{`(\baddress = )([^` + notInWord + `]+)`, (*Redactor).between},                                                                                      // Dart's
	{`((?-i:\bcertificate ))([a-z0-9][a-z0-9-]*)( not ready)`, (*Redactor).between},                                                                     // cert-manager's
	{`(\bcertificate available for ')([^']+)(')`, (*Redactor).between},
	{`(\bcandidate authority certificate \\?")([^"\\]+)`, func(r *Redactor, m []string) string { return m[1] + r.Named("name", m[2]) }},
	{`((?-i:\b(?:CN|OU|O|ST|L)\s?=\s?))([^,/"\\` + lineEnd + `]+)`, func(r *Redactor, m []string) string { return m[1] + r.Named("name", m[2]) }},
	{`(\b(?:lookup|dial tcp|dial udp) )([a-z0-9][^;:` + notInWord + `]*)`, (*Redactor).between},
	{`(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])`, (*Redactor).domain},
	{`[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.(?:中国|公司|网络|网址|在线|商城|集团|移动|我爱你|中文网)`, func(r *Redactor, m []string) string { return r.Named("host", m[0]) }},
	{`\b[a-z0-9+/_-]{20,}={0,2}`, (*Redactor).secret},
	{`\b1[3-9]\d{9}\b`, func(r *Redactor, m []string) string { return r.Named("user", m[0]) }},
}

// Within JSON a line end, a tab or a bracket is several characters, the last of which
// would seem to begin the next word. They stand as private-use characters while
// words are looked for.
var (
	escapes  = regexp.MustCompile(`\\\\|\\[nrt]|\\u00(?:3c|3e|26)`)
	marked   = strings.NewReplacer(`\n`, "\ue000", `\r`, "\ue001", `\t`, "\ue002", `\u003c`, "\ue003", `\u003e`, "\ue004", `\u0026`, "\ue005")
	unmarked = strings.NewReplacer("\ue000", `\n`, "\ue001", `\r`, "\ue002", `\t`, "\ue003", `\u003c`, "\ue004", `\u003e`, "\ue005", `\u0026`)
)

const (
	inJSON    = `{"`
	notInWord = `\s"'<>,\\\x{e000}-\x{e005}` // within brackets
	lineEnd   = `\n\r\x{e000}\x{e001}`       // likewise
)

// Text replaces everything that any of the kinds fits.
func (r *Redactor) Text(s string) string {
	shape := r.plain.shape(s)
	if shape != "" && r.plain[shape] {
		return s
	}
	if !strings.Contains(s, inJSON) {
		shown, plain := r.words(s)
		if plain {
			r.plain.add(shape)
		}
		return shown
	}
	s = escapes.ReplaceAllStringFunc(s, marked.Replace)
	shown, _ := r.words(s)
	return unmarked.Replace(shown)
}

// words replaces what is found in a text; plain tells that nothing was, whatever its
// digits are.
func (r *Redactor) words(s string) (shown string, plain bool) {
	var b strings.Builder
	end := 0
	plain = true
	for _, at := range r.every.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(s[end:at[0]])
		end = at[1]
		for i, k := range kinds {
			if at[2*r.firsts[i]] < 0 {
				continue
			}
			groups := []string{}
			for g := r.firsts[i]; g < r.firsts[i+1]; g++ {
				group := ""
				if at[2*g] >= 0 {
					group = s[at[2*g]:at[2*g+1]]
				}
				groups = append(groups, group)
			}
			by := k.replacement(r, groups)
			plain = plain && by == s[at[0]:at[1]] && isTime(by)
			b.WriteString(by)
		}
	}
	b.WriteString(s[end:])
	return b.String(), plain
}

// valueOf replaces the value of a field; an empty one stays.
func valueOf(kind string) func(*Redactor, []string) string {
	return func(r *Redactor, m []string) string {
		return r.value(m, func(value string) string {
			if kind == "path" {
				return r.Path(value)
			}
			return r.Named(kind, value)
		})
	}
}

// value replaces the value among the groups of a field.
func (r *Redactor) value(m []string, replacement func(string) string) string {
	for _, value := range m[2:] {
		if value != "" {
			return strings.TrimSuffix(m[0], value) + replacement(value)
		}
	}
	return m[0]
}

func (r *Redactor) hostField(m []string) string {
	return r.value(m, func(value string) string {
		if strings.Trim(value, "0123456789") == "" { // localhost:5210
			return value
		}
		if strings.HasPrefix(value, "{") {
			return r.Named("host", value)
		}
		return r.authority(value)
	})
}

// url keeps the scheme and the port, and whether there is a path or a query.
func (r *Redactor) url(m []string) string {
	scheme, rest, _ := strings.Cut(m[0], "://")
	at := strings.IndexAny(rest, "/?#")
	if at < 0 {
		at = len(rest)
	}
	host, location := rest[:at], rest[at:]
	user := ""
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		user, host = r.Named("secret", host[:i])+"@", host[i+1:]
	}
	if location != "" && location != "/" && !r.given[location[1:]] {
		location = "/" + r.Path(location)
	}
	return scheme + "://" + user + r.authority(host) + location
}

// authority is a host with or without a port.
func (r *Redactor) authority(s string) string {
	u := url.URL{Host: s}
	host, port := u.Hostname(), ""
	if host == "" {
		return s
	}
	if domain, ok := strings.CutPrefix(s, "*."); ok {
		return "*." + r.authority(domain)
	}
	if p := u.Port(); p != "" {
		port = ":" + p
	}
	if at, err := netip.ParseAddr(host); err == nil {
		return r.address(at) + port
	}
	if strings.EqualFold(host, "localhost") {
		return s
	}
	return r.Named("host", host) + port
}

// between is a host between what stands before and behind it.
func (r *Redactor) between(m []string) string {
	return m[1] + r.authority(m[2]) + strings.Join(m[3:], "")
}

// protocol matches the name of one in a list of Go's.
var protocol = regexp.MustCompile(`[^\s"\\]+`)

// protocols are everybody's (IANA, TLS ALPN Protocol IDs); clients may ask for any other.
var protocols = []string{"h2", "h2c", "h3", "http/0.9", "http/1.0", "http/1.1", "spdy/3.1", "acme-tls/1", "imap", "pop3", "ftp", "xmpp-client", "mqtt", "postgresql", "grpc-exp"}

func (r *Redactor) protocol(name string) string {
	if slices.Contains(protocols, name) {
		return name
	}
	return r.Named("name", name)
}

// authorities is a list of hosts.
func (r *Redactor) authorities(s string) string {
	hosts := strings.Split(s, ", ")
	for i, host := range hosts {
		hosts[i] = r.authority(host)
	}
	return strings.Join(hosts, ", ")
}

// object replaces namespace and name of one of Kubernetes, as controllers print them.
func (r *Redactor) object(m []string) string { return m[1] + r.personal(m[2]) + "/" + r.personal(m[3]) }

// failedFile replaces the name of a file that could not be used. What is wrong
// with the name itself stays: quotes around it, and ~ or a variable before it.
func (r *Redactor) failedFile(m []string) string {
	name := strings.Trim(m[2], `"'`)
	if name == "" {
		return m[0]
	}
	before, behind, _ := strings.Cut(m[2], name)
	switch {
	case strings.HasPrefix(name, "~"):
		before += "~/"
	case strings.Contains(name, "$"):
		before += "$VARIABLE/"
	}
	return m[1] + before + r.Path(name) + behind + m[3]
}

func (r *Redactor) plainAddress(m []string) string {
	if at, err := netip.ParseAddr(m[0]); err == nil {
		return r.address(at)
	}
	return m[0]
}

// ownDomains are top-level domains that only local networks have (RFC 6761,
// RFC 6762, Kubernetes' and Docker's own).
var ownDomains = []string{"local", "localdomain", "lan", "internal", "intranet", "corp", "home", "private", "test", "example", "svc", "cluster", "docker"}

// sourceHosts stand in the names of Go packages, in every stack trace.
var sourceHosts = []string{"github.com", "golang.org", "go.uber.org", "gopkg.in", "google.golang.org"}

// packages begin the names of Java's classes, in every error of an Android app.
var packages = []string{"java.", "javax.", "sun.", "android.", "com.android.", "kotlin.", "okhttp3.", "org.conscrypt."}

// domain replaces the longest beginning that is a domain name: a file may be
// called by one, with an ending or a date behind it.
func (r *Redactor) domain(m []string) string {
	name := m[0]
	if slices.ContainsFunc(packages, func(p string) bool { return strings.HasPrefix(name, p) && strings.HasSuffix(name, "Exception") }) {
		return name
	}
	for end := len(name); end > 0; end = strings.LastIndexAny(name[:end], ".-") {
		switch host := strings.TrimPrefix(name[:end], "*."); {
		case slices.Contains(sourceHosts, host):
			return m[0]
		case isDomain(strings.ToLower(host)):
			return strings.TrimSuffix(name[:end], host) + r.Named("host", host) + name[end:]
		}
	}
	return name
}

// isDomain tells names of hosts from names of files and of Go identifiers by
// their last labels.
func isDomain(name string) bool {
	if slices.Contains(ownDomains, name[strings.LastIndexByte(name, '.')+1:]) {
		return strings.Contains(name, ".")
	}
	suffix, listed := publicsuffix.PublicSuffix(name)
	return name != suffix && (listed || strings.Contains(suffix, "."))
}

// ciphers look like secrets.
var ciphers = regexp.MustCompile(`^(?:TLS_|ECDHE-|DHE-|AES|RSA|PSK)`)

// secret replaces long words of letters and digits mixed: tokens, keys, ids of
// containers. Handshake states and cipher suites have few digits or a known
// beginning.
func (r *Redactor) secret(m []string) string {
	const few = 4
	letters, digits := 0, 0
	for _, c := range m[0] {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			letters++
		}
	}
	if digits < few || letters < few || ciphers.MatchString(m[0]) {
		return m[0]
	}
	return r.Named("secret", m[0])
}
