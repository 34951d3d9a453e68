package report_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// TestEveryFormTellsOfWhatNoPatternKnows: a report of failures in unknown words alone
// never says that there was none.
func TestEveryFormTellsOfWhatNoPatternKnows(t *testing.T) {
	const said = "wss 连接失败：服务器证书不受信任"
	for lang, silence := range map[patterns.Lang]string{patterns.English: "No TLS failure found", patterns.Chinese: "没有发现 TLS 失败"} {
		say := printer(t, lang)
		d := analyse(t, lang, []input{{"gate.log", "INFO start\n" + said + "\n"}})
		require.Equal(t, 1, d.Summary.Unclassified)
		require.Empty(t, d.Findings)
		for _, form := range report.Forms() {
			out := written(t, form, d)
			assert.NotContains(t, out, silence, form)
			first := map[string]string{"json": `"unclassified": 1`, "csv": say.Say("report.unclassified"), "sarif": say.Say("unclassified.text", 1)}[form]
			if first == "" {
				first = say.Say("summary.unclassified", 1)
			}
			assert.Contains(t, out, first, form)
			if slices.Contains([]string{"table", "markdown"}, form) {
				assert.Less(t, strings.Index(out, first), strings.Index(out, "58 B"), "%s begins with it", form)
			}
		}
	}
}
