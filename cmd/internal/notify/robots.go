package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"wklog/patterns"
)

// robot is the form in which a service takes messages.
type robot struct {
	request func(m Message, secret string, now time.Time) (body []byte, query url.Values, err error)
	// busy are the codes by which it says that it is asked too often; nil for
	// services that reply by the status alone.
	busy map[int]bool
}

// robots are the known forms: json is for any service.
var robots = map[string]robot{
	"json": {request: func(m Message, _ string, _ time.Time) ([]byte, url.Values, error) { return m.Event, nil, nil }},
	// DingTalk: custom robot, messages and security settings
	// (open.dingtalk.com/document/orgapp/custom-robot-access).
	"dingtalk": {request: dingTalk, busy: map[int]bool{130101: true, 410100: true}},
	// Feishu: custom bot usage guide
	// (open.feishu.cn/document/client-docs/bot-v3/add-custom-bot).
	"feishu": {request: feishu, busy: map[int]bool{11232: true, 9499: true}},
	// WeCom: group robot configuration
	// (developer.work.weixin.qq.com/document/path/91770).
	"wecom": {request: weCom, busy: map[int]bool{45009: true}},
}

// Robots lists the forms of a webhook.
func Robots() []string { return slices.Sorted(maps.Keys(robots)) }

// dingTalk signs by the time in milliseconds and the secret in the query.
func dingTalk(m Message, secret string, now time.Time) ([]byte, url.Values, error) {
	body, err := json.Marshal(map[string]any{
		"msgtype":  "markdown",
		"markdown": map[string]string{"title": plain(m.Title), "text": truncate(markdown(m, "#### ", "- ", "\n\n"), 20_000)},
	})
	if secret == "" {
		return body, nil, err
	}
	at := strconv.FormatInt(now.UnixMilli(), 10)
	return body, url.Values{"timestamp": {at}, "sign": {sign(secret, at+"\n"+secret)}}, err
}

// mention is how the text of a robot calls people: <at user_id="all"> at Feishu, <@all>
// at WeCom.
var mention = regexp.MustCompile(`(?i)<(/?at\b|@)`)

// callsNobody shows the beginning of a mention as text: a name in a log calls nobody.
func callsNobody(text string) string { return mention.ReplaceAllString(text, "＜$1") }

// templates are the colours of a card's header by severity.
var templates = map[patterns.Severity]string{patterns.SeverityError: "red", patterns.SeverityWarning: "orange", patterns.SeverityInfo: "green"}

// feishu makes a card of plain texts, in which nothing has a meaning of its own. It signs an
// empty text with the time in seconds and the secret as the key.
func feishu(m Message, secret string, now time.Time) ([]byte, url.Values, error) {
	text := func(s string) map[string]any {
		return map[string]any{"tag": "plain_text", "content": truncate(callsNobody(s), 8000)}
	}
	var fields, elements []any
	for _, f := range m.Facts {
		fields = append(fields, map[string]any{"is_short": len(f.Value) < 30, "text": text(f.Name + "\n" + f.Value)})
	}
	if len(fields) > 0 {
		elements = append(elements, map[string]any{"tag": "div", "fields": fields})
	}
	for _, s := range []string{m.Text, m.Command, m.Config} {
		if s != "" {
			elements = append(elements, map[string]any{"tag": "div", "text": text(s)})
		}
	}
	message := map[string]any{
		"msg_type": "interactive",
		"card": map[string]any{
			"config":   map[string]any{"wide_screen_mode": true},
			"header":   map[string]any{"title": text(m.Title), "template": templates[m.Severity]},
			"elements": elements,
		},
	}
	if secret != "" {
		at := strconv.FormatInt(now.Unix(), 10)
		message["timestamp"], message["sign"] = at, sign(at+"\n"+secret, "")
	}
	body, err := json.Marshal(message)
	return body, nil, err
}

// weCom takes at most 4096 bytes of Markdown.
func weCom(m Message, _ string, _ time.Time) ([]byte, url.Values, error) {
	body, err := json.Marshal(map[string]any{
		"msgtype":  "markdown",
		"markdown": map[string]string{"content": truncate(markdown(m, "#### ", "> ", "\n"), 4096)},
	})
	return body, nil, err
}

// markdown is a message in the part of Markdown that both services show, with their marks
// of a heading and of a fact, and what ends a line.
func markdown(m Message, heading, fact, end string) string {
	lines := []string{heading + plain(m.Title)}
	for _, f := range m.Facts {
		lines = append(lines, fact+f.Name+" "+code(f.Value))
	}
	if m.Text != "" {
		lines = append(lines, plain(m.Text))
	}
	for _, block := range []string{m.Command, m.Config} {
		for line := range strings.Lines(block) {
			if strings.TrimSpace(line) != "" {
				lines = append(lines, code(strings.TrimRight(line, "\n")))
			}
		}
	}
	return strings.Join(lines, end)
}

// code shows a text as it is, in one line. A mention would be one in code too.
func code(s string) string {
	return "`" + callsNobody(strings.NewReplacer("`", "'", "\n", " ").Replace(s)) + "`"
}

// plain shows a text without the marks of Markdown that it may hold.
func plain(s string) string {
	return strings.NewReplacer("*", "＊", "`", "'", "[", "［", "]", "］", "<", "＜", "\n", " ").Replace(s)
}

func sign(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// truncate cuts a text to a number of bytes, between characters.
func truncate(text string, most int) string {
	const more = "…"
	if len(text) <= most {
		return text
	}
	end := most - len(more)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}
