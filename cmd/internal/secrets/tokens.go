package secrets

import "strings"

// token is a secret that is known by its beginning.
type token struct {
	prefix  string
	least   int  // bytes behind the beginning
	dotted  bool // it has dots
	encoded bool // it may have = at its ends
}

// tokens of clouds and services. Sources: AWS IAM, "Unique identifiers"; Alibaba Cloud
// and Tencent Cloud, "AccessKey pair"; GitHub, "Token formats"; GitLab, "Token
// prefixes"; Slack, "Token types"; RFC 7519 section 3 for eyJ, the beginning of JSON in
// base64; DingTalk, "Custom robot, security settings".
var tokens = []token{
	{prefix: "eyJ", least: 8, dotted: true, encoded: true},
	{prefix: "AKIA", least: 12}, {prefix: "ASIA", least: 12}, {prefix: "AGPA", least: 12}, {prefix: "AROA", least: 12}, {prefix: "AIDA", least: 12},
	{prefix: "AKID", least: 12}, {prefix: "LTAI", least: 10},
	{prefix: "ghp_", least: 16}, {prefix: "gho_", least: 16}, {prefix: "ghu_", least: 16}, {prefix: "ghs_", least: 16}, {prefix: "ghr_", least: 16},
	{prefix: "github_pat_", least: 16}, {prefix: "glpat-", least: 16}, {prefix: "npm_", least: 20}, {prefix: "pypi-", least: 20}, {prefix: "dckr_pat_", least: 16},
	{prefix: "xoxb-", least: 10}, {prefix: "xoxp-", least: 10}, {prefix: "xoxa-", least: 10}, {prefix: "xapp-", least: 10}, {prefix: "hf_", least: 20},
	{prefix: "sk-", least: 20}, {prefix: "sk_live_", least: 10}, {prefix: "sk_test_", least: 10}, {prefix: "rk_live_", least: 10},
	{prefix: "AIza", least: 20}, {prefix: "ya29.", least: 20, dotted: true}, {prefix: "SG.", least: 20, dotted: true}, {prefix: "hvs.", least: 20}, {prefix: "SEC", least: 32},
}

func hideTokens(text string) string {
	for _, t := range tokens {
		if strings.Contains(text, t.prefix) {
			text = t.hide(text)
		}
	}
	return text
}

func (t *token) hide(text string) string {
	var b strings.Builder
	done := 0
	for at := 0; at < len(text); {
		next := strings.Index(text[at:], t.prefix)
		if next < 0 {
			break
		}
		at += next
		end := at + len(t.prefix)
		for end < len(text) && t.has(text[end]) {
			end++
		}
		if (at == 0 || !isWordByte(text[at-1])) && end-at >= len(t.prefix)+t.least {
			b.WriteString(text[done:at] + Hidden)
			done = end
		}
		at = end
	}
	b.WriteString(text[done:])
	return b.String()
}

func (t *token) has(c byte) bool {
	return isWordByte(c) || c == '-' || c == '.' && t.dotted || c == '=' && t.encoded
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
