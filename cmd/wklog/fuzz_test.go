package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// FuzzMoment checks that any time on the command line is refused or is one.
func FuzzMoment(f *testing.F) {
	for _, seed := range []string{"2h", "2026-05-04 01:30:00", "2026-05-04T01:30:00+08:00", "-9223372036854775808ns", "9999-99-99"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := moment("--since", text, time.UTC)
		require.True(t, err != nil || text == "" || !at.IsZero() || strings.HasPrefix(text, "0001"))
	})
}

// FuzzExplain checks that any pasted text can be explained, and steers no terminal.
func FuzzExplain(f *testing.F) {
	for _, seed := range []string{"remote error: tls: expired certificate", "cert-expired", "46", "panic: x", "\x1b[2J: a b", "证书过期"} {
		f.Add(seed)
	}
	c, err := patterns.Load()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := newApp(nil)
		require.NoError(t, err)
		u, err := patterns.Understand(t.Context(), text, &patterns.Options{Catalogue: c})
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, report.WriteExplanation(&b, report.Explain(c, u, a.say), a.options(0)))
		require.NotContains(t, b.String(), "\x1b")
	})
}
