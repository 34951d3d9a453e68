package patterns_test

import (
	"crypto/tls"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	logs "wklog/parser"
	"wklog/patterns"
)

// goTLSMessages lists the message texts in the source of crypto/tls of the Go
// that runs the test.
func goTLSMessages(t *testing.T) []string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src", "crypto", "tls", "*.go"))
	require.NoError(t, err)
	seen := map[string]bool{}
	var messages []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, text := range stringLiterals(t, name) {
			if strings.HasPrefix(text, "tls: ") && len(text) > len("tls: ") && !seen[text] {
				seen[text] = true
				messages = append(messages, text)
			}
		}
	}
	require.Greater(t, len(messages), 150, "the source of crypto/tls was not read")
	return messages
}

func stringLiterals(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var texts []string
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				texts = append(texts, text)
			}
		}
		return true
	})
	return texts
}

var verb = regexp.MustCompile(`%[a-z]`)

// printed puts plausible values into a format.
func printed(format string) string {
	values := map[string]string{
		"%x": "[301 302]", "%q": `"h2"`, "%s": "detail", "%v": "detail", "%d": "65536", "%T": "*tls.clientHelloMsg", "%w": "detail",
	}
	text := verb.ReplaceAllStringFunc(format, func(v string) string { return values[v] })
	if strings.HasSuffix(text, ": ") {
		text += "detail"
	}
	return text
}

// TestEveryServerMessageOfGoIsKnown fails when Go gains a message: it has to
// enter the catalogue, or the list of those that no server log can show.
func TestEveryServerMessageOfGoIsKnown(t *testing.T) {
	data, err := os.ReadFile("testdata/gotls-exempt.txt")
	require.NoError(t, err)
	exempt := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		exempt[strings.TrimSpace(line)] = true
	}
	m, err := loaded(t).Matcher()
	require.NoError(t, err)
	for _, message := range goTLSMessages(t) {
		if exempt[strings.TrimSpace(message)] || message == "tls: alert(" {
			continue
		}
		assert.True(t, recognised(m, printed(message)), "crypto/tls can print %q and no pattern knows it", message)
	}
}

// recognised tries a message as the error of a handshake line and of a panic
// at start.
func recognised(m *patterns.Matcher, message string) bool {
	for _, rec := range []*logs.Record{
		{Kind: logs.KindHandshake, Error: message, State: "handshakeStatus13ProcessClientHello"},
		{Kind: logs.KindPanic, Message: "panic: " + message, Text: "panic: " + message},
	} {
		if m.Match(rec).Pattern != nil {
			return true
		}
	}
	return false
}

// TestEveryAlertIsKnown goes through all alert numbers in both directions.
func TestEveryAlertIsKnown(t *testing.T) {
	m, err := loaded(t).Matcher()
	require.NoError(t, err)
	for n := range 256 {
		text := tls.AlertError(n).Error()
		rec := &logs.Record{Kind: logs.KindHandshake, Error: "remote error: " + text, State: "handshakeStatus13ReadClientFinished"}
		p := m.Match(rec).Pattern
		if assert.NotNil(t, p, rec.Error) && p.Alert.Known && !strings.Contains(text, "alert(") {
			assert.EqualValues(t, n, p.Alert.Number, "%s: %s", p.ID, rec.Error)
		}
		if strings.Contains(text, "alert(") || n == 0 {
			continue
		}
		rec.Error = "local error: " + text
		p = m.Match(rec).Pattern
		assert.NotNil(t, p, rec.Error)
		nginx := &logs.Record{Kind: logs.KindNginx, Message: fmt.Sprintf("SSL_do_handshake() failed (SSL: error:0A%06X:SSL routines::alert:SSL alert number %d) while SSL handshaking", 1000+n, n)}
		p = m.Match(nginx).Pattern
		if assert.NotNil(t, p, nginx.Message) && p.Alert.Known {
			assert.EqualValues(t, n, p.Alert.Number, p.ID)
		}
	}
}

// TestNoFailedHandshakeIsDropped: a line that says by its form that a handshake
// failed counts, whatever the error.
func TestNoFailedHandshakeIsDropped(t *testing.T) {
	m, err := loaded(t).Matcher()
	require.NoError(t, err)
	for _, kind := range []logs.Kind{logs.KindNetHTTP, logs.KindHandshake} {
		rec := &logs.Record{Kind: kind, Error: "proxyproto: proxy protocol signature not present", State: "handshakeStatusUnknown"}
		assert.Equal(t, patterns.Unclassified, m.Match(rec).Verdict, kind)
	}
	for text, id := range map[string]string{
		`acme/autocert: host "im.example.org" not configured in HostWhitelist`:             "no-certificate-for-name",
		"read tcp 10.0.0.5:443->203.0.113.9:51514: read: no route to host":                 "handshake-reset",
		"read tcp 10.0.0.5:443->203.0.113.9:51514: read: connection timed out":             "handshake-timeout",
		"write tcp 10.0.0.5:443->203.0.113.9:51514: write: operation timed out":            "handshake-timeout",
		"read tcp 10.0.0.5:443->203.0.113.9:51514: read: software caused connection abort": "handshake-reset",
		"read tcp [fd00::1]:443->[2001:db8::1]:51514: read: network is unreachable":        "handshake-reset",
	} {
		if p := m.Match(&logs.Record{Kind: logs.KindNetHTTP, Error: text}).Pattern; assert.NotNil(t, p, text) {
			assert.Equal(t, id, p.ID, text)
		}
	}
}
