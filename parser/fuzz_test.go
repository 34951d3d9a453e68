package parser

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzUnwrap checks what must hold for any line whatever.
func FuzzUnwrap(f *testing.F) {
	for _, c := range wrapCases {
		f.Add([]byte(c.wrap(rawLine)))
		f.Add([]byte(c.wrap(closeLine) + "\r\n"))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		e := Unwrap(line)
		require.Equal(t, before, line, "the line was changed")
		require.Equal(t, e, Unwrap(line))
		require.LessOrEqual(t, e.Prefix, len(line))
		if e.Prefix > 0 {
			require.Equal(t, string(undoOctal(trimLineEnd(line[e.Prefix:]))), string(undoOctal(e.Text)))
		}
		if e.Wrapper == WrapperNone {
			require.True(t, bytes.HasSuffix(trimLineEnd(line), e.Text))
			require.True(t, e.Stamp.IsZero())
		}
		require.Contains(t, []string{"", "stdout", "stderr"}, e.Stream)
	})
}

// FuzzUnwrapWrapped checks that any text comes back out of any wrapper.
func FuzzUnwrapWrapped(f *testing.F) {
	for i := range wrapCases {
		for _, text := range []string{rawLine, closeLine, "panic: x", "\tx.go:1 +0x1", "", "remote error: tls: x", "a | b", "{A}", " panic: "} {
			f.Add(uint8(i), text)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, text string) {
		c := wrapCases[int(i)%len(wrapCases)]
		likeLogcli := strings.HasPrefix(text, " ") || labelsEnd([]byte(text), 0) > 0
		if likeLogcli || !c.fits(text) || Unwrap([]byte(text)).Wrapper != WrapperNone {
			t.Skip()
		}
		e := Unwrap([]byte(c.wrap(text)))
		require.Equal(t, c.wrapper, e.Wrapper, c.name)
		require.Equal(t, text, string(e.Text), c.name)
		require.Equal(t, c.origin, e.Origin, c.name)
	})
}

// FuzzParse checks what must hold for the record of any text.
func FuzzParse(f *testing.F) {
	for _, text := range parseSeeds {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e := Entry{Text: text, Wrapper: WrapperNone, Stamp: inUTC}
		r := Parse(e)
		require.Equal(t, r, Parse(e))
		require.Equal(t, string(readable(text)), r.Text)
		require.NotEmpty(t, r.Kind)
		require.False(t, r.Stamp.IsZero() && !r.OwnTime)
		own, ok := Stamps(text)
		switch {
		case r.Kind == KindText:
			require.Equal(t, plain(r.Text), r.Subject())
			require.True(t, !ok || len(text) == 0 || text[0] == '{' || r.OwnTime, "Stamps knows more than Parse")
		case r.Kind == KindNginx && r.OwnTime:
			require.Equal(t, own, r.Stamp)
		case r.Kind == KindHandshake && !strings.HasPrefix(r.Text, "{"):
			require.Contains(t, r.Text, r.Error)
			require.Contains(t, r.Text, r.State)
		}
	})
}

// parseSeeds has at least one text of each kind.
var parseSeeds = []string{
	rawLine,
	closeLine,
	`{"level":"panic","time":"2026-11-23 04:44:58","msg":"【A】m","msg":"n","err":"e","stack":"s","stacktrace":"t","x":{"y":["\u0016"]}}`,
	`{"level":"debug","ts":1795410352.5,"logger":"http.stdlib","msg":"http: TLS handshake error from 10.0.0.1:1: EOF"}`,
	"2026-11-23 00:31:08.123\t\x1b[31mERROR\x1b[0m\t[gateway]\tx.go:180\tm\t{\"error\": \"x\"}\nmain.main\n\t/x.go:1",
	certPanic,
	nilPanic,
	`2026/11/23 05:05:52 [error] 1#1: *3 connect() failed, client: ::1, server: , request: "GET / HTTP/1.1", host: "x"`,
	"nginx: [emerg] m",
	"2026/11/23 05:05:52 http: TLS handshake error from [::1]:5: EOF",
	`time="2026-05-04T09:30:00+08:00" level=debug msg="http: TLS handshake error from 10.0.0.1:1: \"x\""`,
	"\x1b[90m2026-05-04T09:30:00Z\x1b[0m \x1b[33mDBG\x1b[0m > http: TLS handshake error from 10.0.0.1:1: EOF",
	"[gnet] 2026-11-23T04:43:42.621563664Z\tINFO\tx.go:256\tm",
	"plain text",
	`{"time":"}`,
	`{"time":`,
}

// FuzzParsePanic checks that no line of a panic is lost.
func FuzzParsePanic(f *testing.F) {
	f.Add([]byte(certPanic))
	f.Add([]byte(nilPanic))
	f.Add([]byte(fatalPanic))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := bytes.Split(text, []byte("\n"))
		r := ParsePanic(lines, Entry{})
		require.Equal(t, r, ParsePanic(lines, Entry{}))
		require.Equal(t, KindPanic, r.Kind)
		require.Equal(t, string(text), r.Text)
		kept := strings.Fields(r.Message + "\n" + r.Stack)
		require.Len(t, kept, len(strings.Fields(r.Text)))
		for _, line := range lines {
			assert.False(t, StartsPanic(line) && ContinuesPanic(line), string(line))
			assert.False(t, parsesAsRecord(line) && ContinuesPanic(line), string(line))
		}
	})
}

// parsesAsRecord reports whether a line is of a kind that ends a panic.
func parsesAsRecord(line []byte) bool {
	switch Parse(Entry{Text: line}).Kind {
	case KindHandshake:
		return line[0] == '-'
	case KindZap, KindClose:
		return line[0] == '{'
	case KindConsole, KindNginx:
		return true
	}
	return false
}
