package redact

import "wklog/parser"

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
