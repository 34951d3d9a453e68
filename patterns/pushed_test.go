package patterns

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
)

// engines are the ways in which a literal is found: in the text of a line (Loki), and by
// an index of words, in the fields that are asked for (VictoriaLogs).
func engines(c *Catalogue) map[string]func(line, literal string) bool {
	return map[string]func(line, literal string) bool{
		"text": strings.Contains,
		"words": func(line, literal string) bool {
			return slices.ContainsFunc(fieldsOf(line), func(text string) bool { return c.isFoundBy(text, literal) })
		},
	}
}

// fieldsOf are the texts of a line that are asked for: of a JSON record, which an engine
// may have taken apart, its message and its error.
func fieldsOf(line string) []string {
	var fields map[string]any
	if json.Unmarshal([]byte(line), &fields) != nil {
		return []string{line}
	}
	var texts []string
	for _, name := range []string{"msg", "message", "error"} {
		if text, ok := fields[name].(string); ok {
			texts = append(texts, text)
		}
	}
	if texts == nil {
		return []string{line}
	}
	return texts
}

// isOnServer tells of a record whether a program on the server printed it that the
// catalogue knows, or in a form that is no plain line.
func isOnServer(c *Catalogue, e *Event) bool {
	programs := newPrograms(c)
	switch reporter := programs.of(e).Reporter; reporter {
	case ComponentClient:
		return false
	case ComponentWuKongIM, ComponentOther:
		return e.Record.Kind != parser.KindText
	}
	return true
}

// TestPushedLiteralsFindEverySampleOfAServer is what reading from an engine rests on.
func TestPushedLiteralsFindEverySampleOfAServer(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	m, err := c.Matcher()
	require.NoError(t, err)
	literals := c.Pushed(false)
	seen := map[ComponentID]int{}
	for _, p := range c.Patterns {
		for _, sample := range p.Samples {
			for rec, err := range parser.Records(context.Background(), strings.NewReader(sample), parser.Options{}) {
				require.NoError(t, err)
				match := m.Match(rec)
				event := &Event{Pattern: match.Pattern, Record: rec}
				if match.Verdict != Matched || !isOnServer(c, event) {
					continue
				}
				programs := newPrograms(c)
				seen[programs.of(event).Reporter]++
				for engine, finds := range engines(c) {
					assert.True(t, foundIn(sample, literals, finds), "%s: %s: %s", p.ID, engine, sample)
				}
			}
		}
	}
	for _, reporter := range []ComponentID{ComponentWuKongIM, ComponentV3, ComponentNginx, "haproxy", "traefik", "caddy", "apache", "ingress-nginx"} {
		assert.NotZero(t, seen[reporter], reporter)
	}
}

func foundIn(text string, literals []string, finds func(line, literal string) bool) bool {
	for line := range strings.Lines(text) {
		if slices.ContainsFunc(literals, func(literal string) bool { return finds(line, literal) }) {
			return true
		}
	}
	return false
}

// TestAllPushedLiteralsFindEverySample is what reading from an engine with the patterns of
// clients rests on.
func TestAllPushedLiteralsFindEverySample(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	literals := c.Pushed(true)
	for _, p := range c.Patterns {
		for _, sample := range p.Samples {
			for engine, finds := range engines(c) {
				assert.True(t, foundIn(sample, literals, finds), "%s: %s: %s", p.ID, engine, sample)
			}
		}
	}
	for _, literal := range c.Pushed(false) {
		assert.True(t, foundIn(literal, literals, strings.Contains), "%q is found by default and not with all", literal)
	}
}

// TestPushedLiteralsAreFew holds what an engine has to do: it pays for each of them on
// each line.
func TestPushedLiteralsAreFew(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	assert.LessOrEqual(t, len(c.Pushed(false)), 32)
	assert.LessOrEqual(t, len(c.Nearby()), 3)
}

// TestHealthyServerHasFewPushedLines keeps them rare.
func TestHealthyServerHasFewPushedLines(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	literals := c.Pushed(false)
	for _, name := range []string{"healthy/stdout-debug.log", "ok/stdout.log"} {
		data, err := os.ReadFile("../testdata/wukongim/servers/" + name)
		require.NoError(t, err)
		lines, candidates := 0, 0
		for line := range strings.Lines(string(data)) {
			lines++
			if foundIn(line, literals, strings.Contains) {
				candidates++
			}
		}
		require.Greater(t, lines, 100)
		assert.Less(t, candidates, lines/100, name)
	}
}

// TestAddedPatternIsPushed holds it for a user's own catalogue, of which the declared
// literals know nothing.
func TestAddedPatternIsPushed(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	require.NoError(t, c.Add("own.yaml", []byte(`
patterns:
  - id: own-gateway
    match: [{regex: 'gateway gave up on \S+'}, {regex: 'upstream tls: broken'}]
`)))
	pushed := c.Pushed(false)
	assert.True(t, foundIn("gateway gave up on 10.0.0.5", pushed, strings.Contains), pushed)
	assert.True(t, foundIn("supergateway gave up on 10.0.0.5", pushed, c.isFoundBy), pushed)
	assert.False(t, foundIn("upstream", pushed, strings.Contains), "what holds a literal that is pushed needs none of its own")
}

func TestCatalogueThatImpliesNoLiteralPushesNone(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	require.NoError(t, c.Add("own.yaml", []byte("patterns: [{id: anything, match: [{regex: '[0-9]+'}]}]")))
	assert.Nil(t, c.Pushed(false))
	assert.Nil(t, c.Pushed(true))
}

// TestWatchesAreExplained holds what engines count to what the catalogue knows: each
// literal is in a sample, and in no sample that another reason counts.
func TestWatchesAreExplained(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	assert.LessOrEqual(t, len(c.Watches), 10, "each is a search of every line, each minute")
	for _, p := range c.Patterns {
		for _, sample := range p.Samples {
			for line := range strings.Lines(sample) {
				var reasons []string
				for _, w := range c.Watches {
					if w.Reason != "any" && foundIn(line, w.Literals, strings.Contains) {
						reasons = append(reasons, w.Reason)
					}
				}
				assert.LessOrEqual(t, len(reasons), 1, "%v: %s", reasons, line)
			}
		}
	}
	for _, w := range c.Watches {
		assert.True(t, c.Pattern(w.Explain) != nil || w.Title.En != "" && w.Title.Zh != "", w.Reason)
		for _, literal := range w.Literals {
			assert.True(t, slices.ContainsFunc(c.Patterns, func(p *Pattern) bool {
				return slices.ContainsFunc(p.Samples, func(sample string) bool { return strings.Contains(sample, literal) })
			}), literal)
		}
	}
}
