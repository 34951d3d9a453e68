package notify

import (
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// calls tells whether a message calls people.
func calls(t *testing.T, body []byte) bool {
	var message map[string]any
	require.NoError(t, json.Unmarshal(body, &message))
	for _, kind := range []string{"content", "markdown"} {
		texts, _ := message[kind].(map[string]any)
		for key, text := range texts {
			if key != "title" && mention.MatchString(text.(string)) {
				return true
			}
		}
	}
	return false
}

// FuzzRobots checks that every service gets JSON, and not too much of it, and that no
// text calls people.
func FuzzRobots(f *testing.F) {
	f.Add("标题", "**x** `y`", "SECabc")
	f.Add("\xff", "\x00</at>@all", "")
	f.Add("", `<<at user_id="all">all</at> <@all> <AT id=all>`, "")
	f.Fuzz(func(t *testing.T, title, text, secret string) {
		event, err := json.Marshal(map[string]string{"text": text})
		require.NoError(t, err)
		for name, robot := range robots {
			body, _, err := robot.request(Message{Event: event, Title: title, Text: text}, secret, time.Unix(0, 0))
			require.NoError(t, err, name)
			require.True(t, json.Valid(body), name)
			require.False(t, name != "json" && calls(t, body), name)
			_ = robot.outcome([]byte(text))
		}
		require.LessOrEqual(t, len(truncate(text, 4096)), 4096)
	})
}

// FuzzCommandLine checks that any line of --on-new is refused or names a program.
func FuzzCommandLine(f *testing.F) {
	for _, seed := range []string{`cat - 'x y'`, "a `b`", "$(id)", `"`, `true \`, ";"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, err := NewCommand(line, io.Discard)
		require.True(t, err != nil || len(c.words) > 0)
	})
}
