// Package secrets hides in texts what opens something to whoever reads it: keys,
// passwords, tokens. They are no evidence of any failure, so no output has them.
package secrets

import (
	"regexp"
	"slices"
	"strings"
)

// Hidden stands where a secret was.
const Hidden = "***"

// A rule hides one kind of secret. keywords are in lower case: a text that the rule
// changes has one of them.
type rule struct {
	keywords []string
	hide     func(text string) string
}

// rules are applied in this order: what a URL holds is known better from the URL than
// from its parts.
var rules = []rule{
	{[]string{""}, hidePEM},
	{[]string{"://"}, hideURLs},
	{[]string{"@"}, hideLogins},
	{[]string{"cookie", "authorization"}, hideHeaders},
	{[]string{"bearer ", "basic ", "digest "}, hideSchemes},
	{[]string{""}, hideTokens},
	{[]string{"=", ":", "：", "＝", "%3", "</"}, hideFields},
	{[]string{"-"}, hideFlags},
	{commandWords, hideCommands},
	{slices.Concat(chineseNames, escapedNames), hideChinese},
}

// Hide replaces every secret in a text. What was hidden before stays as it is.
func Hide(text string) string {
	lower := lowered(text)
	for _, r := range rules {
		for _, keyword := range r.keywords {
			if strings.Contains(lower, keyword) {
				text = r.hide(text)
				break
			}
		}
	}
	return text
}

// lowered is strings.ToLower for ASCII alone: other characters keep their length.
func lowered(text string) string {
	for i := range len(text) {
		if c := text[i]; 'A' <= c && c <= 'Z' {
			return toLower(text, i)
		}
	}
	return text
}

func toLower(text string, from int) string {
	lower := []byte(text)
	for i := from; i < len(lower); i++ {
		if c := lower[i]; 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}

// schemes stand before credentials (RFC 7235 section 2.1).
var schemes = regexp.MustCompile(`(?i)^(?:bearer|basic|digest)[ \t]+([a-z0-9._~+/:=-]{6,})`)

// prose are the words behind the name of a scheme in a sentence about it.
var prose = regexp.MustCompile(`(?i)^(?:auth\w*|tokens?|credentials?|challenge|scheme|realm\b.*|username\b.*|constraints?|[a-z]+:)$`)

func hideSchemes(text string) string {
	return replaceAt(text, []string{"bearer", "basic", "digest"}, schemes, func(m []string) string {
		if prose.MatchString(m[1]) || strings.EqualFold(m[0][:5], "basic") && strings.Trim(m[1], "abcdefghijklmnopqrstuvwxyz.:-") == "" {
			return m[1]
		}
		return Hidden
	})
}

// Headers with credentials (RFC 7235 section 4.2, RFC 6265 section 4): what stands
// behind their value is told apart from it, since blanks are in both.
const (
	parameter = `(?:[\w.-]+=\\*"[^"\\\n]*\\*"|[^\s"'\\,;]+)`
	crumb     = `(?:[^\s;="'\\]+=\\*"[^"\\\n]*\\*"|[^\s;"'\\]+)`
)

var headers = regexp.MustCompile(`(?i)^(?:authorization|cookie2?)[ \t]*[:=][ \t]*` +
	`((?:(?:bearer|basic|digest|token|negotiate|ntlm|aws4-hmac-sha256|hmac\S*)[ \t]+)?` + parameter + `(?:,[ \t]*` + parameter + `)*(?:;[ \t]*` + crumb + `)*)`)

func hideHeaders(text string) string {
	return replaceAt(text, []string{"authorization", "cookie"}, headers, func([]string) string { return Hidden })
}

// replaceAt looks for an expression, which begins with ^, where one of the keywords
// stands, in whatever case, and replaces its first group: so the time that it takes
// does not depend on the rest of the text.
func replaceAt(text string, keywords []string, expr *regexp.Regexp, by func(m []string) string) string {
	lower := lowered(text)
	var b strings.Builder
	done := 0
	for at := 0; at < len(text); {
		next := indexAny(lower[at:], keywords)
		if next < 0 {
			break
		}
		at += next
		m := expr.FindStringSubmatchIndex(text[at:])
		if m == nil {
			at++
			continue
		}
		b.WriteString(text[done : at+m[2]])
		b.WriteString(by([]string{text[at+m[0] : at+m[1]], text[at+m[2] : at+m[3]]}))
		done = at + m[3]
		at = max(done, at+1)
	}
	b.WriteString(text[done:])
	return b.String()
}

// indexAny is where the first of some texts stands, -1 for none.
func indexAny(text string, of []string) int {
	first := -1
	for _, s := range of {
		if first >= 0 {
			text = text[:min(len(text), first+len(s))]
		}
		if at := strings.Index(text, s); at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	return first
}
