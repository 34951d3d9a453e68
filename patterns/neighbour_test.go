package patterns_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"wklog/patterns"
)

// TestOneDatedRecordDoesNotDateTheFailures: at the default level the start-up is
// all that has a time, and the failures may come days after it.
func TestOneDatedRecordDoesNotDateTheFailures(t *testing.T) {
	started := func(at string) string {
		return `{"level":"info","time":"` + at + `","msg":"【Server】started"}` + "\n"
	}
	raw := strings.Repeat(rawLine(rejected), 3)
	for name, c := range map[string]struct {
		log     string
		untimed int
		dated   bool
	}{
		"no time at all":          {raw, 3, false},
		"one start":               {started("2026-05-04T09:30:01.5+08:00") + raw, 3, false},
		"the time behind them":    {raw + started("2026-05-04T09:30:01.5+08:00"), 3, false},
		"records on both sides":   {started("2026-05-04T09:30:01.5+08:00") + raw + started("2026-05-04T09:30:09.5+08:00") + raw, 0, true},
		"a debug record":          {started("2026-05-04T09:29:00+08:00") + rawLine(rejected) + closeRecord(1, rejected), 0, true},
		"a crash right behind it": {started("2026-05-04T09:30:01.5+08:00") + "panic: tls: failed to find any PEM data in certificate input\n\ngoroutine 1 [running]:\nmain.main()\n", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := over(t, patterns.Filter{}, input{"out", c.log})
			assert.Equal(t, c.untimed, got.Untimed)
			assert.Equal(t, c.dated, !got.First.IsZero())
			counted := 0
			for _, n := range got.Findings[0].Timeline.On(patterns.ScaleOf(got.First, got.Last)) {
				counted += n
			}
			assert.Equal(t, got.Events-c.untimed, counted)
		})
	}
}
