package patterns_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"wklog/patterns"
)

// fieldCase is what somebody posted in a public report, with what is right for it.
type fieldCase struct {
	ID     string   `json:"id"`
	Kind   string   `json:"kind"`
	Text   string   `json:"text"`
	Want   []string `json:"want"`
	Events *int     `json:"events"`
}

// wrong says what is not right in the analysis of a case, empty for nothing.
func (f *fieldCase) wrong(t *testing.T, c *patterns.Catalogue, text string) string {
	t.Helper()
	events, result := analysed(t, c, text)
	switch {
	case f.Kind == "healthy":
		if len(events) > 0 || result.Unclassified > 0 {
			return "it is healthy and not silent"
		}
	case len(events) == 0 && result.Unclassified == 0:
		return "nothing is said"
	case len(events) == 0:
		return "it is unclassified"
	case f.Events != nil && len(events) != *f.Events:
		return "it is not counted as often as it happened"
	case len(result.Diagnosis) == 0 || !slices.Contains(f.Want, result.Diagnosis[0].Cause.ID):
		return "another cause leads"
	}
	return ""
}

// notYet are the cases that are not right yet, with what is missing. One that becomes
// right has to be taken off the list.
var notYet = map[string]string{
	"field-go-spjs-10":            "alerts as Go before 1.8 words them",
	"field-go-goproxy-2023":       "an alert behind another prefix",
	"field-go-wechat-brain-99":    "an alert behind another prefix",
	"field-out-newrelic-8727":     "two blanks after the colon",
	"field-acme-caddy-searxng-25": "how certmagic says that it tries again",
	"field-nginx-lua-9002":        "what a module in Lua says",
	"field-mp-wechat-brain-18":    "sentences of iOS in Chinese",
	"field-ios-starscream-280":    "codes of SecureTransport",
	"field-dart-socketio-429":     "reasons that Dart gives, on a line of their own",
	"field-dart-pusher-28":        "reasons that Dart gives, on a line of their own",
	"field-java-okhttp-fws-13":    "a chain of causes in logcat is one failure",
	"field-java-nettosphere-153":  "alerts as the JDK words them",
	"field-java-netty-11873":      "what Netty says of bytes that are no TLS",
	"field-java-vertx-396":        "what Netty says of bytes that are no TLS",
	"field-node-ws-477":           "alerts as OpenSSL words them, in another program",
	"field-node-tuya-235":         "alerts as OpenSSL words them, in another program",
	"field-py-pywss-3-pem":        "the certificate loader of Python",
	"field-php-workerman-chat-12": "alerts as OpenSSL words them, in another program",
	"field-php-workerman-356":     "an error of OpenSSL as a number alone",
	"field-php-wss-73":            "reasons of OpenSSL in another program",
	"field-php-swoole-4068":       "reasons of OpenSSL in another program",
	"field-c-civetweb-1376":       "alerts as OpenSSL words them, in another program",
	"field-c-goaccess-1084":       "the certificate loader of OpenSSL in another program",
	"field-c-arduinows-152":       "codes of Mbed TLS",
	"field-emqx-915":              "alerts as Erlang words them",
	"field-curl-9168":             "what curl says of a connection that was cut",
	"field-go-webrtcbook-10":      "a handshake error without net/http's first word",
	"field-go-nats-2458":          "a handshake error without net/http's first word",
	"field-go-swiftws-13":         "a handshake error without net/http's first word",
	"field-k8s-ingress-7886":      "what the controller of ingress-nginx says",
	"field-k8s-ingress-1573":      "what the controller of ingress-nginx says",
	"field-paste-nginx-grep-n":    "the numbers of grep -n",
	"field-paste-nginx-indent":    "blanks before a pasted line",
	"field-paste-json-indent":     "the mark of a quotation before a pasted line",
}

func TestFailuresFromTheField(t *testing.T) {
	c := loaded(t)
	for _, f := range readJSONL[fieldCase](t, "../field/cases.jsonl") {
		t.Run(f.ID, func(t *testing.T) {
			wrong := f.wrong(t, c, f.Text)
			if missing, listed := notYet[f.ID]; listed {
				assert.NotEmpty(t, wrong, "take it off notYet, which says: %s", missing)
				return
			}
			assert.Empty(t, wrong, f.Text)
		})
	}
}
