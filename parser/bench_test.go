package parser

import (
	"strings"
	"testing"
)

func BenchmarkUnwrap(b *testing.B) {
	for _, c := range wrapCases {
		line := []byte(c.wrap(closeLine))
		b.Run(strings.ReplaceAll(c.name, " ", "-"), func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				Unwrap(line)
			}
		})
	}
	for name, line := range map[string]string{"none-raw": rawLine, "none-zap": closeLine, "none-text": "some other line | of text"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				Unwrap([]byte(line))
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, bench := range []struct{ name, text string }{
		{"handshake", rawLine},
		{"close", closeLine},
		{"zap", `{"level":"info","time":"2026-11-23T12:28:46.2+08:00","msg":"【raft.node[56]】become leader","term":1,"replicas":[]}`},
		{"zap-escaped", `{"level":"warn","time":"2026-11-23T04:44:58+00:00","msg":"【Server】frameType","data":"\u0016\u0003\u0001\u0000\ufffd"}`},
		{"console", "2026-11-23 00:31:08.123\tERROR\t[gateway]\tx.go:180\tm\t{\"listener\": \"ws\", \"error\": \"x\"}"},
		{"panic", certPanic},
		{"nginx", `2026/11/23 05:05:52 [info] 1#1: *3 SSL_do_handshake() failed while SSL handshaking, client: 10.0.0.1, server: 0.0.0.0:443`},
		{"net-http", "2026/11/23 05:05:52 http: TLS handshake error from 10.0.0.1:51234: remote error: tls: bad certificate"},
		{"logfmt", `time="2026-05-04T09:30:00+08:00" level=debug msg="http: TLS handshake error from 10.0.0.1:1: EOF"`},
		{"text", "   ├─ WebSocket Secure: wss://0.0.0.0:5210"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			e := Entry{Text: []byte(bench.text)}
			b.SetBytes(int64(len(e.Text)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(e)
			}
		})
	}
}

func BenchmarkStamps(b *testing.B) {
	text := []byte(closeLine)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		Stamps(text)
	}
}

func BenchmarkContinuesPanic(b *testing.B) {
	lines := splitLines(nilPanic)
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			ContinuesPanic(line)
		}
	}
}
