package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var seen = Snapshot{
	Events: []Events{
		{"alert-unknown-ca", "trust", "error", "info.log", 3},
		{"alert-expired-certificate", "validity", "error", "info.log", 2},
	},
	Logs:    []Log{{Source: "info.log", Lines: 100, Bytes: 5000, Behind: 7}},
	Leading: "untrusted-ca", Confidence: 0.61, Last: time.Unix(1777858200, 5e8), Dropped: 1,
}

func TestMetricsAreThoseOfTheSnapshot(t *testing.T) {
	c := NewCollector("v1.2.3", func() Snapshot { return seen })
	require.NoError(t, testutil.CollectAndCompare(c, strings.NewReader(`
# HELP wklog_events_total TLS failures that were recognised.
# TYPE wklog_events_total counter
wklog_events_total{category="trust",pattern="alert-unknown-ca",severity="error",source="info.log"} 3
wklog_events_total{category="validity",pattern="alert-expired-certificate",severity="error",source="info.log"} 2
# HELP wklog_lag_bytes Bytes of the followed file that are not read yet.
# TYPE wklog_lag_bytes gauge
wklog_lag_bytes{source="info.log"} 7
# HELP wklog_leading_cause_confidence Confidence of the most probable root cause, from 0 to 1.
# TYPE wklog_leading_cause_confidence gauge
wklog_leading_cause_confidence{cause="untrusted-ca"} 0.61
# HELP wklog_last_event_timestamp_seconds Time of the newest failure in the log.
# TYPE wklog_last_event_timestamp_seconds gauge
wklog_last_event_timestamp_seconds 1.7778582005e+09
# HELP wklog_notifications_dropped_total Notifications that were not delivered.
# TYPE wklog_notifications_dropped_total counter
wklog_notifications_dropped_total 1
`), "wklog_events_total", "wklog_lag_bytes", "wklog_leading_cause_confidence", "wklog_last_event_timestamp_seconds", "wklog_notifications_dropped_total"))
	problems, err := testutil.CollectAndLint(c)
	require.NoError(t, err)
	assert.Empty(t, problems)
}

func TestNothingSeenHasNoCauseAndNoTime(t *testing.T) {
	c := NewCollector("v", func() Snapshot { return Snapshot{} })
	assert.Equal(t, 2, testutil.CollectAndCount(c), "what was dropped, and the version")
}

func TestManyLogsShareALabel(t *testing.T) {
	s := Snapshot{}
	for i := range maxSources + 40 {
		name := fmt.Sprintf("%d.log", i)
		s.Logs = append(s.Logs, Log{Source: name, Lines: 1})
		s.Events = append(s.Events, Events{Pattern: "p", Source: name, Count: 1})
	}
	c := NewCollector("v", func() Snapshot { return s })
	assert.Equal(t, maxSources+1, testutil.CollectAndCount(c, "wklog_lines_total"))
	assert.Equal(t, maxSources+1, testutil.CollectAndCount(c, "wklog_events_total"))
}

// TestLabelsAreUTF8 with names of files that need not be: Prometheus refuses others.
func TestLabelsAreUTF8(t *testing.T) {
	s := Snapshot{
		Logs:   []Log{{Source: "inv\xff.log", Lines: 1}, {Source: "inv\xfe.log", Lines: 2}},
		Events: []Events{{Pattern: "p", Source: "inv\xff.log", Count: 1}},
	}
	c := NewCollector("v", func() Snapshot { return s })
	require.NoError(t, testutil.CollectAndCompare(c, strings.NewReader(`
# HELP wklog_lines_total Lines that were read.
# TYPE wklog_lines_total counter
wklog_lines_total{source="inv�.log"} 3
`), "wklog_lines_total"))
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + address)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func TestServerAnswers(t *testing.T) {
	var sick error
	s, err := Listen(":0")
	require.NoError(t, err)
	s.Serve(NewCollector("v", func() Snapshot { return seen }), func() error { return sick })
	host, _, err := net.SplitHostPort(s.Address())
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1", host, "without a host it listens for this machine alone")
	status, body := get(t, s.Address()+"/metrics")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, `wklog_events_total{category="trust",pattern="alert-unknown-ca",severity="error",source="info.log"} 3`)
	assert.Contains(t, body, "go_goroutines")
	status, body = get(t, s.Address()+"/healthz")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "ok\n", body)
	sick = errors.New("no longer reading")
	status, _ = get(t, s.Address()+"/healthz")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	status, _ = get(t, s.Address()+"/other")
	assert.Equal(t, http.StatusNotFound, status)

	_, err = Listen(s.Address())
	assert.ErrorContains(t, err, "address already in use")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, s.Close(ctx))
	_, err = Listen("nonsense")
	assert.Error(t, err)
}
