package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// counted is a report of n failures in a log that covers some hours.
func counted(t *testing.T, n, hours int) *report.Document {
	t.Helper()
	start := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	var b strings.Builder
	fmt.Fprintf(&b, "%s start\n", start.Format(time.RFC3339))
	for i := range n {
		fmt.Fprintf(&b, "%s -------------------------->握手失败！--------------------------> remote error: tls: expired certificate handshakeStatus13ReadClientFinished\n", start.Add(time.Duration(i)*time.Second).Format(time.RFC3339))
	}
	fmt.Fprintf(&b, "%s end\n", start.Add(time.Duration(hours)*time.Hour).Format(time.RFC3339))
	return analyse(t, patterns.English, []input{{"server.log", b.String()}})
}

func TestCountsAreComparedPerTimeOfLog(t *testing.T) {
	for _, c := range []struct {
		before, beforeHours, now, nowHours int
		want                               string
	}{
		{100, 24, 100, 24, "same"},
		{100, 24, 149, 24, "same"},  // less than half as many again
		{100, 24, 150, 24, "more"},  // half as many again
		{150, 24, 100, 24, "fewer"}, // the same the other way round
		{2, 24, 4, 24, "same"},      // twice as many, but that is chance
		{2, 24, 20, 24, "more"},     //
		{100, 24, 200, 48, "same"},  // twice as many in twice the time
		{100, 48, 100, 24, "more"},  // as many in half the time
		{1, 1, 30, 720, "same"},     // one tells nothing of a rate
		{720, 720, 1, 24, "fewer"},
	} {
		now := counted(t, c.now, c.nowHours)
		now.Compare(counted(t, c.before, c.beforeHours))
		require.Len(t, now.Findings, 1)
		assert.Equal(t, c.want, now.Findings[0].Change.Status, c)
	}
}

func TestWhatCameAndWentIsMarked(t *testing.T) {
	d := compared(t, patterns.Chinese)
	assert.Equal(t, "new", d.Findings[3].Change.Status)
	require.Len(t, d.Gone, 1)
	assert.Equal(t, "first-record-not-tls", d.Gone[0].Pattern)
	assert.Equal(t, "gone", d.Gone[0].Change.Status)
	assert.Equal(t, "TLS 端口收到的第一段数据不是 TLS", d.Gone[0].Title, "the earlier report was in English")
	for _, form := range report.Forms() {
		assert.Contains(t, written(t, form, d), "first-record-not-tls", form)
	}
}

func TestReadJSONRefusesWhatIsNoReport(t *testing.T) {
	for _, text := range []string{"", "{", "[]", "{}", `{"schema":"wklog.check/v1"}`, `{"schema":"wklog.report/v2"}`, `{"schema":"wklog.report/v1","findings":3}`} {
		_, err := report.ReadJSON(strings.NewReader(text))
		assert.ErrorIs(t, err, report.ErrSchema, text)
	}
	_, err := report.ReadJSON(strings.NewReader(`{"schema":"wklog.report/v2"}`))
	assert.ErrorContains(t, err, `"wklog.report/v2"`)
}
