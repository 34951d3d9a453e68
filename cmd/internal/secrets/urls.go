package secrets

import (
	"regexp"
	"strings"
)

// ports are no beginning of a password that has a slash in it.
var ports = regexp.MustCompile(`^[^@/?#]*:\d*[/?#]`)

// hooks are the addresses of chat robots, which whoever knows them may write to:
// Feishu, Slack, Discord, Teams; Telegram.
var hooks = regexp.MustCompile(`(?i)/(?:hooks?|webhooks?|services|webhookb2)/[^\s?#]{12,}|/bot\d+:[\w-]+`)

// hideURLs hides passwords in URLs, and the paths that are secrets themselves.
func hideURLs(text string) string {
	var b strings.Builder
	done := 0
	for {
		next := strings.Index(text[done:], "://")
		if next < 0 {
			b.WriteString(text[done:])
			return b.String()
		}
		at := done + next
		scheme := at
		for scheme > done && (isNameByte(text[scheme-1]) || text[scheme-1] == '+') {
			scheme--
		}
		start := at + len("://")
		end := start + endOfURL(text[start:])
		b.WriteString(text[done:start])
		b.WriteString(withoutHook(withoutPassword(text[scheme:at], text[start:end])))
		done = end
	}
}

// endOfURL is where what stands around URLs in texts begins.
func endOfURL(text string) int {
	if end := strings.IndexAny(text, " \t\r\n\"'<>\\`"); end >= 0 {
		return end
	}
	return len(text)
}

// withoutPassword hides the password before a host. A name without one is itself
// the secret, but where everybody has the same.
func withoutPassword(scheme, rest string) string {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if at < 0 {
		if strings.Contains(rest, "://") || ports.MatchString(rest) || !strings.Contains(rest[:end], ":") {
			return rest
		}
		if at = strings.LastIndexByte(rest, '@'); at < 0 {
			return rest
		}
	}
	user, _, hasPassword := strings.Cut(rest[:at], ":")
	switch {
	case hasPassword:
		return user + ":" + Hidden + rest[at:]
	case strings.EqualFold(scheme, "ssh") || strings.HasPrefix(lowered(scheme), "git"):
		return rest
	}
	return Hidden + rest[at:]
}

func withoutHook(url string) string {
	return hooks.ReplaceAllStringFunc(url, func(hook string) string {
		if name, _, ok := strings.Cut(hook[1:], "/"); ok {
			return "/" + name + "/" + Hidden
		}
		return "/bot" + Hidden
	})
}

// addressed are schemes of addresses that have an @ and no password (RFC 6068,
// RFC 3261, RFC 7565).
var addressed = []string{"mailto", "sip", "sips", "xmpp", "acct"}

// hideLogins hides the password of user:password@host without a scheme; before an
// address of Go's MySQL driver it may hold anything but a blank and a quote.
func hideLogins(text string) string {
	var b strings.Builder
	done := 0
	for {
		next := strings.IndexByte(text[done:], '@')
		if next < 0 {
			b.WriteString(text[done:])
			return b.String()
		}
		at := done + next
		start, end := around(text, at, " \t\r\n\"'<>/\\")
		if word, wordEnd := around(text, at, " \t\r\n\"'<>"); isDSN(text[word:wordEnd]) {
			start, end = word, wordEnd
			at = start + indexAny(text[start:end], networks)
		} else {
			at += strings.LastIndexByte(text[at:end], '@')
		}
		start = max(start, done)
		b.WriteString(text[done:start])
		b.WriteString(withoutLogin(text[start:at], text[at:end], start > 0 && text[start-1] == '/'))
		done = end
	}
}

// longest is how many bytes of a word around an @ are looked at.
const longest = 512

// around is the word around an index.
func around(text string, at int, delimiters string) (start, end int) {
	start = max(0, at-longest)
	start += strings.LastIndexAny(text[start:at], delimiters) + 1
	end = len(text)
	if n := strings.IndexAny(text[at:], delimiters); n >= 0 {
		end = at + n
	}
	return start, end
}

// networks are those of Go's MySQL driver.
var networks = []string{"@tcp(", "@tcp4(", "@tcp6(", "@unix("}

func isDSN(word string) bool { return indexAny(word, networks) >= 0 }

// withoutLogin takes a word up to its @, and what follows.
func withoutLogin(before, behind string, inURL bool) string {
	colon := strings.IndexByte(before, ':')
	if colon < 0 || colon == len(before)-1 || len(behind) < 2 || strings.HasPrefix(behind, "@sha") || strings.HasSuffix(before, Hidden) {
		return before + behind
	}
	user := colon
	for user > 0 && (isNameByte(before[user-1]) || before[user-1] == '+') {
		user--
	}
	for _, scheme := range addressed {
		if strings.EqualFold(before[user:colon], scheme) {
			return before + behind
		}
	}
	if inURL && user == 0 || user == colon && user > 0 {
		return before + behind
	}
	return before[:colon+1] + Hidden + behind
}
