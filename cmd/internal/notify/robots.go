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
	"time"
	"unicode/utf8"
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
		"markdown": map[string]string{"title": m.Title, "text": truncate(callsNobody(m.Text), 20_000)},
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

// bold is a line of Markdown in bold type.
var bold = regexp.MustCompile(`(?m)^\*\*(.*)\*\*$`)

// feishu shows a text as it is: Markdown is none. It signs an empty text with the time in seconds and the secret as the key.
func feishu(m Message, secret string, now time.Time) ([]byte, url.Values, error) {
	message := map[string]any{
		"msg_type": "text",
		"content":  map[string]string{"text": truncate(callsNobody(bold.ReplaceAllString(m.Text, "$1")), 20_000)},
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
		"markdown": map[string]string{"content": truncate(callsNobody(m.Text), 4096)},
	})
	return body, nil, err
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
