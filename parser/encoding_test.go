package parser

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func gbk(t *testing.T, text string) string {
	t.Helper()
	encoded, err := simplifiedchinese.GBK.NewEncoder().String(text)
	require.NoError(t, err)
	return encoded
}

func TestGBKIsReadable(t *testing.T) {
	const mixed = "2026/05/04 01:30:02 "
	for _, text := range []string{
		"客户端握手失败：证书已过期", "连接 203.0.113.9 失败，原因：remote error: tls: bad certificate", "error: “证书”……", "C:\\日志\\服务器.log", "镕",
	} {
		assert.Equal(t, text, Readable(text), "UTF-8 stays")
		if text != "镕" { // which is not in GB 2312, and alone no evidence
			assert.Equal(t, mixed+text, Readable(mixed+gbk(t, text)))
		}
		assert.Equal(t, "握手失败 "+text, Readable("握手失败 "+text))
	}
	assert.Equal(t, "UTF-8 握手失败 GBK 握手失败", Readable("UTF-8 握手失败 GBK "+gbk(t, "握手失败")))
	for _, other := range []string{"M\xfcller", "caf\xe9", "\xff\xfe", "\x80", "a\xc3\x28b", "\xd6"} {
		assert.Equal(t, other, Readable(other), "what is no GBK stays")
	}
}

func TestRecordsInGBKAreReadable(t *testing.T) {
	r := Parse(Entry{Text: []byte("2026/05/04 01:30:02 " + gbk(t, "握手失败：") + "remote error: tls: bad certificate")})
	assert.Equal(t, "2026/05/04 01:30:02 握手失败：remote error: tls: bad certificate", r.Text)
	assert.Equal(t, "remote error: tls: bad certificate", r.Core().Text)
	r = Parse(Entry{Text: []byte(`{"level":"error","msg":"` + gbk(t, "握手失败") + `"}`)})
	assert.Equal(t, "握手失败", r.Message)
}
