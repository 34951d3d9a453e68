package patterns_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// forgeries are what visitors write, and where their words stand in logs.
type forgeries struct {
	Payloads []string `yaml:"payloads"`
	Carriers []struct {
		Name string `yaml:"name"`
		// Escape is how the program writes what it was sent.
		Escape string   `yaml:"escape"`
		Lines  []string `yaml:"lines"` // with @ in the place of the visitor's words
	} `yaml:"carriers"`
}

// escapes are those of the programs.
var escapes = map[string]func(string) string{
	"":     func(s string) string { return s },
	"json": func(s string) string { return dockerText(s) },
	"go":   func(s string) string { q := strconv.Quote(s); return q[1 : len(q)-1] },
	// nginx' ngx_http_log_escape, and Apache's ap_escape_logitem nearly the same
	"nginx":   strings.NewReplacer(`"`, `\x22`, `\`, `\x5C`).Replace,
	"apache":  strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace,
	"haproxy": strings.NewReplacer(`"`, `#22`, `{`, `#7B`, `|`, `#7C`, `}`, `#7D`, `#`, `#23`).Replace,
	"newline": func(s string) string { return "\n" + s + "\n" },
	"url":     strings.NewReplacer(` `, `%20`, `"`, `%22`).Replace,
	"word":    func(s string) string { return strings.ReplaceAll(s, " ", "_") },
}

func dockerText(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text[1 : len(text)-1])
}

func readForgeries(t *testing.T) (f forgeries) {
	t.Helper()
	data, err := os.ReadFile("testdata/forgeries.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, &f))
	return f
}

// TestWhatVisitorsWriteIsNoFailure: whoever can send a request or a name writes into
// these logs.
func TestWhatVisitorsWriteIsNoFailure(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	c, all := loaded(t), readForgeries(t)
	require.GreaterOrEqual(t, len(all.Carriers), 60)
	require.GreaterOrEqual(t, len(all.Payloads), 10)
	for _, carrier := range all.Carriers {
		t.Run(carrier.Name, func(t *testing.T) {
			for _, line := range carrier.Lines {
				for _, payload := range all.Payloads {
					for _, wrapped := range carried(strings.ReplaceAll(line, "@", escapes[carrier.Escape](payload)) + "\n") {
						events, result := analysed(t, c, wrapped)
						for _, e := range events {
							t.Errorf("%s in\n%s", e.Pattern.ID, wrapped)
						}
						assert.Zero(t, result.Unclassified, wrapped)
						assert.Empty(t, result.Stops, wrapped)
					}
				}
			}
		})
	}
}

// carried is a text as it is, as Docker keeps it, and as compose prints it.
func carried(text string) []string {
	var docker, compose strings.Builder
	for line := range strings.Lines(text) {
		fmt.Fprintln(&docker, dockerLine(strings.TrimSuffix(line, "\n")))
		fmt.Fprintf(&compose, "proxy-1  | %s", line)
	}
	return []string{text, docker.String(), compose.String()}
}

// TestPayloadsOfForgeriesAreFailures where no visitor wrote them: otherwise the matrix
// would prove nothing.
func TestPayloadsOfForgeriesAreFailures(t *testing.T) {
	c := loaded(t)
	for _, payload := range readForgeries(t).Payloads {
		events, _ := analysed(t, c, payload+"\n")
		assert.Len(t, events, 1, payload)
	}
}
