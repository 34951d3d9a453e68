package fulltext

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWordsOfBothLanguagesAndSignedNumbers(t *testing.T) {
	for text, words := range map[string][]string{
		"ERR_CERT_DATE_INVALID":         {"err", "cert", "date", "invalid"},
		"net_error -202, error 46":      {"net", "error", "-202", "error", "46"},
		"(-9807) -0x2700 =-1202":        {"-9807", "-0x2700", "-1202"},
		"2026-05-04 utf-8":              {"2026", "05", "04", "utf", "8"},
		"错误码-1202":                      {"错误码", "-1202"},
		"iOS连不上wss":                     {"ios", "连不上", "wss"},
		"ＳＳＬ　４６":                        {"ssl", "46"},
		"--------->握手失败":                {"握手失败"},
		"handshakeStatusReadFinished13": {"handshakestatusreadfinished13"},
	} {
		assert.Equal(t, words, Words(text), text)
	}
	assert.Empty(t, Words(" -- "))
}

func TestTermsOfChineseArePairsOfCharacters(t *testing.T) {
	assert.Equal(t, []string{"证书", "书已", "已过", "过期"}, Terms([]string{"证书已过期"}))
	assert.Equal(t, []string{"锁", "certificat", "expir"}, Terms([]string{"锁", "certificates", "expired"}))
}

func index(texts ...string) *Index {
	x := &Index{}
	for _, text := range texts {
		x.Add(Field{text, 1})
	}
	return x
}

func first(t *testing.T, x *Index, words ...string) Hit {
	hits := x.Search(words)
	if !assert.NotEmpty(t, hits, words) {
		return Hit{Document: -1}
	}
	return hits[0]
}

func TestWhatTellsMoreWins(t *testing.T) {
	x := index("the certificate has expired", "the certificate of the server", "the name of the server", "证书已经过期", "证书链不完整")
	assert.Equal(t, 0, first(t, x, "certificate", "expiring").Document)
	assert.Equal(t, 3, first(t, x, "证书过期").Document)
	assert.Equal(t, 4, first(t, x, "不完整").Document)
	assert.Empty(t, x.Search([]string{"elephant"}))
	assert.Empty(t, x.Search(nil))
}

func TestAWordInATitleCountsMore(t *testing.T) {
	x := &Index{}
	x.Add(Field{"something else", 4}, Field{"about the clock", 1})
	x.Add(Field{"the clock", 4}, Field{"about something", 1})
	assert.Equal(t, 1, first(t, x, "clock").Document)
}

func TestSlipsOfTheHandAreForgiven(t *testing.T) {
	x := index("the certificate has expired", "a handshake that failed", "port")
	for document, typed := range []string{"certifcate", "handhsake"} {
		assert.Equal(t, document, first(t, x, typed).Document, typed)
	}
	assert.Equal(t, 1, first(t, x, "handsh").Document, "a word that goes on")
	assert.Empty(t, x.Search([]string{"pots"}), "too short to tell a slip from another word")
	exact, slip := first(t, x, "certificate"), first(t, x, "certifcate")
	assert.Less(t, slip.Coverage, exact.Coverage)
}

func TestWordsThatNoDocumentHasLowerTheCoverage(t *testing.T) {
	x := index("the certificate has expired", "port")
	assert.InDelta(t, 1, first(t, x, "expired").Coverage, 1e-9)
	assert.Less(t, first(t, x, "expired", "banana", "elephant").Coverage, 0.5)
}
