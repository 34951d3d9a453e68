package patterns

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wklog/parser"
)

// failuresOf are those in what a reading gives, by pattern, with their first lines.
// Their causes are not asked for, which would take most of the time.
func failuresOf(t *testing.T, c *Catalogue, read func(parser.Options, func(*parser.Record) error) error) []string {
	a, err := NewAnalyzer(c, Filter{})
	require.NoError(t, err)
	a.Alone = true
	src := a.Source("log")
	options := c.ReadOptions()
	options.Zone, options.Reference = time.UTC, time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	require.NoError(t, read(options, func(r *parser.Record) error { src.Add(r); return nil }))
	src.End()
	list := []string{fmt.Sprint(a.duplicates, a.unclassified)}
	for pattern, tally := range a.tallies {
		list = append(list, fmt.Sprint(pattern.ID, tally.count, tally.samples))
	}
	slices.Sort(list)
	return list
}

// FuzzAnalyze checks that the failures of any log do not depend on how it is read:
// at once, in pieces, as a file by several workers.
func FuzzAnalyze(f *testing.F) {
	for _, name := range []string{"servers/wss-no-cert/stdout.log", "scenarios/not-yet-valid-apps-cri.log", "scenarios/expired-apps-kubectl.log"} {
		data, err := os.ReadFile(filepath.Join("../testdata/wukongim", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 4096)], uint16(7))
	}
	c, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		ctx := context.Background()
		whole := failuresOf(t, c, func(o parser.Options, emit func(*parser.Record) error) error {
			_, err := parser.Read(ctx, bytes.NewReader(data), o, emit)
			return err
		})
		pieces := failuresOf(t, c, func(o parser.Options, emit func(*parser.Record) error) error {
			feed := parser.NewFeed(o, emit)
			for rest := data; len(rest) > 0; {
				n := min(len(rest), int(cut)+1)
				if err := feed.Write(rest[:n], parser.Arrival{}); err != nil {
					return err
				}
				rest = rest[n:]
			}
			return feed.End()
		})
		require.Equal(t, whole, pieces)
		workers := failuresOf(t, c, func(o parser.Options, emit func(*parser.Record) error) error {
			_, err := parser.ReadAt(ctx, bytes.NewReader(data), int64(len(data)), 2, o, emit)
			return err
		})
		require.Equal(t, whole, workers)
	})
}

// FuzzRecognise checks that any text can be asked about.
func FuzzRecognise(f *testing.F) {
	for _, seed := range []string{"remote error: tls: expired certificate", "panic: x", "a: b: c", "-----> EOF handshakeStatus13ReadClientFinished"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		event, stop, err := Recognise(context.Background(), text, nil)
		require.NoError(t, err)
		require.False(t, event != nil && stop != nil)
		if event != nil {
			require.NotNil(t, event.Pattern)
			_ = event.Alert()
		}
	})
}

// FuzzUsersCatalogue checks that any file can be given as a catalogue: it is refused,
// or it works.
func FuzzUsersCatalogue(f *testing.F) {
	files, err := filepath.Glob("catalogue/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal("no catalogue", err)
	}
	f.Add([]byte("patterns:\n- id: own-failure\n  title: {en: A, zh: 甲}\n  category: trust\n  severity: error\n  reporter: server\n  match: [{contains: own failure}]\n  samples: [own failure]\n"))
	f.Add([]byte("patterns: [{id: x, match: [{regexp: '(a+'}]}]"))
	f.Add([]byte("a: &a [*a, *a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Load()
		require.NoError(t, err)
		if c.Add("own.yaml", data) != nil {
			return
		}
		_ = Lint(c, []string{"own.yaml"})
		_ = CheckSamples(c, []string{"own.yaml"})
		m, err := c.Matcher()
		require.NoError(t, err)
		m.Match(parser.Parse(parser.Entry{Text: []byte("remote error: tls: expired certificate")}))
	})
}

// TestTextOfColonsIsRecognisedInTime: each could be the beginning of another error.
func TestTextOfColonsIsRecognisedInTime(t *testing.T) {
	event, stop, err := Recognise(context.Background(), strings.Repeat(": a", 30_000), nil)
	require.NoError(t, err)
	require.Nil(t, event)
	require.Nil(t, stop)
}
