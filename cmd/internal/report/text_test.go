package report

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/messages"
)

func TestWrapKeepsWidthInBothLanguages(t *testing.T) {
	for _, text := range []string{
		"The certificate file that wssConfig.certFile names does not exist inside the container, so the server ends at once.",
		"wssConfig.certFile 指向的证书文件在容器内不存在，因此服务器一启动就退出。请把证书放到挂载目录中，并填写容器内的路径。",
		strings.Repeat("x", 200),
		strings.Repeat("证", 100),
	} {
		for _, width := range []int{10, 40, 79} {
			lines := wrap(text, width)
			for _, line := range lines {
				assert.LessOrEqual(t, columns(line), width, line)
			}
			assert.Equal(t, strings.ReplaceAll(text, " ", ""), strings.ReplaceAll(strings.Join(lines, ""), " ", ""))
		}
	}
}

func TestWrapDoesNotStartALineWithPunctuation(t *testing.T) {
	for _, line := range wrap("证书已过期，请续期后重启服务器。", 10) {
		assert.NotContains(t, "，。", string([]rune(line)[0]), line)
	}
}

func TestWrapKeepsShortWordsWhole(t *testing.T) {
	for _, text := range []string{"wssAddr 的值里漏了 :5210，请补上", "the path from GET /route", "原因是（cert-file-unreadable）", "in crypto/tls.(*Conn).run", "原因是（insecure-websocket-on-https-page）", "through crypto/tls.(*Conn).readClientHello."} {
		for width := 38; width < 60; width++ {
			lines := strings.Join(wrap(text, width), "\n")
			for _, word := range []string{":5210", "/route", "cert-file-unreadable", "crypto/tls.(*Conn).run", "insecure-websocket-on-https-page", "crypto/tls.(*Conn).readClientHello."} {
				assert.Equal(t, strings.Contains(text, word), strings.Contains(lines, word), "%d: %s", width, lines)
			}
		}
	}
	assert.Equal(t, []string{"/etc/letsencrypt/live/", "im.example.com/", "fullchain.pem"}, wrap("/etc/letsencrypt/live/im.example.com/fullchain.pem", 26), "a path breaks at its folders")
}

func TestVisibleShowsWhatCouldSteerATerminal(t *testing.T) {
	hostile := "a\x1b[2J\x07\u009b31m\u202eb\u2028c\u200bd\xffe\r\tf 握手失败"
	got := Visible(hostile)
	assert.Equal(t, `a\x1b[2J\x07\x9b31m\u202eb\u2028c\u200bd\xffe\x0d    f 握手失败`, got)
	assert.False(t, strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }))
}

func TestJSONEscapesEveryControlCharacter(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteJSON(&b, map[string]string{"text": "\x1b[2J\u009b31m\x7f 握手失败 <b>"}, ""))
	assert.Equal(t, `{"text":"\u001b[2J\u009b31m\u007f 握手失败 <b>"}`+"\n", b.String())
}

func TestSparkline(t *testing.T) {
	assert.Equal(t, "▁.█▄", sparkline([]int{1, 0, 8, 4}))
	assert.Equal(t, "..", sparkline([]int{0, 0}))
}

func TestBytes(t *testing.T) {
	assert.Equal(t, "0 B", Bytes(0))
	assert.Equal(t, "1.0 KiB", Bytes(1024))
	assert.Equal(t, "1.5 GiB", Bytes(3<<29))
}

func TestCertaintyIsThatOfTheLeadingCause(t *testing.T) {
	for _, c := range []struct {
		confidence float64
		settled    []string
		want       string
	}{
		{0.3, nil, "certainty.open"}, {0.499, nil, "certainty.open"},
		{0.5, nil, "certainty.likely"}, {0.899, nil, "certainty.likely"}, {0.899, []string{"a check"}, "certainty.likely"},
		{0.9, nil, "certainty.sure"}, {0.99, nil, "certainty.sure"}, {0.9, []string{"a check"}, "certainty.checked"},
	} {
		d := &Document{Findings: []Finding{{Severity: "error"}}, Diagnosis: []Diagnosis{{Confidence: c.confidence}}, Settled: c.settled}
		assert.Equal(t, c.want, d.certainty(d.Diagnosis), c.confidence)
	}
}

func TestColoursAreThoseOfWhatIsSaid(t *testing.T) {
	say, err := messages.In("en")
	require.NoError(t, err)
	for _, colours := range []bool{false, true} {
		p := NewPage(Options{Say: say, Width: 80, Color: colours})
		p.Paragraph("1. ", "the first thing", bold)
		p.Paragraph("   ", "plain")
		red := p.severity("error")
		if !colours {
			assert.Equal(t, "1. the first thing\n   plain\n", p.String())
			assert.Equal(t, "error", red)
			continue
		}
		assert.Equal(t, "1. \x1b[1mthe first thing\x1b[22m\n   plain\n", p.String())
		assert.Contains(t, red, "\x1b[31merror\x1b[")
	}
}
