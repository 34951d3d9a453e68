package engine

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	raw    = "-------------------------->握手失败！--------------------------> %s handshakeStatusReadClientHello"
	record = `{"level":"debug","msg":"close connn","error":"%s"}`
)

// flooded is a Loki in which one node fails much more often than others, and in one part of
// the time, and one failure is rare.
func flooded(t *testing.T) *fakeLoki {
	f := newFakeLoki(t)
	at := func(n int) int64 { return wall + int64(n)*int64(10*time.Second) }
	for n := range 720 {
		f.put(pod(0), at(n), fmt.Sprintf(raw, "remote error: tls: unknown certificate"))
		f.put(pod(0), at(n)+1, fmt.Sprintf(record, "remote error: tls: unknown certificate"))
		if n%10 == 0 {
			f.put(pod(1), at(n), fmt.Sprintf(raw, "remote error: tls: unknown certificate"))
		}
		if n/30 == 5 {
			f.put(pod(1), at(n)+2, fmt.Sprintf(raw, "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"))
		}
	}
	f.put(pod(0), at(300)+3, fmt.Sprintf(raw, "remote error: tls: unknown certificate authority"))
	f.put(pod(1), at(700)+3, "panic: open /root/certs/cert.pem")
	f.put(pod(2), at(1), "healthy")
	f.sort()
	return f
}

var reasonsOfFlood = map[Group]int64{
	{selectorFor(pod(0)), "tls: unknown certificate"}:                                                             1440,
	{selectorFor(pod(1)), "tls: unknown certificate"}:                                                             72,
	{selectorFor(pod(1)), "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"}: 30,
	{selectorFor(pod(0)), "tls: unknown certificate authority"}:                                                   1,
	{selectorFor(pod(1)), ""}: 1,
}

// TestEntriesAreCountedByNodeAndReason, each once: a line and its twin have one reason.
func TestEntriesAreCountedByNodeAndReason(t *testing.T) {
	f := flooded(t)
	f.widest = time.Hour // the counts of parts are asked for, and none of the whole
	r := &Reading{Client: client(t, f.address(`{namespace="im"}`), nil), Filter: Filter{Literals: []string{"tls: ", "panic: "}}}
	counts, err := r.Count(t.Context(), span)
	require.NoError(t, err)
	assert.Equal(t, reasonsOfFlood, counts.Total)
	assert.Equal(t, int64(1544), counts.All())
	assert.Equal(t, counts.All(), counts.Until(span.Until))
	assert.Zero(t, counts.Until(span.From))
}

// TestSampleHasEachNodeAndReasonOverTheWholeTime: what is rare is read whole, and of the
// others as many as are wanted, each part of the time with its share.
func TestSampleHasEachNodeAndReasonOverTheWholeTime(t *testing.T) {
	f := flooded(t)
	r := &Reading{Client: client(t, f.address(`{namespace="im"}`), nil), Filter: Filter{Literals: []string{"tls: ", "panic: "}}}
	counts, err := r.Count(t.Context(), span)
	require.NoError(t, err)
	const most = 24
	r.Sample = &Sample{Counts: counts, Most: most, Read: map[Group]int64{}}
	require.True(t, r.Sample.IsPart())
	read, parts, last := map[Group]int64{}, map[int64]int{}, int64(0)
	gaps, err := r.Run(t.Context(), span, func(p *Page) error {
		for _, k := range p.Entries {
			require.GreaterOrEqual(t, k.At, last, "in the order of time")
			last = k.At
			g := Group{Stream: k.Stream}
			for of := range reasonsOfFlood {
				if strings.Contains(string(k.Text), of.Reason) && len(of.Reason) > len(g.Reason) {
					g.Reason = of.Reason
				}
			}
			read[g]++
			if g.Reason == "tls: unknown certificate" && k.Stream == selectorFor(pod(0)) {
				parts[(k.At-wall)/int64(5*time.Minute)]++
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Empty(t, gaps)
	want := map[Group]int64{}
	for g, n := range reasonsOfFlood {
		want[g] = min(n, most)
	}
	assert.Equal(t, want, read)
	for g, n := range r.Sample.Read {
		assert.Equal(t, want[g], n, g)
	}
	for part := range int64(24) {
		assert.InDelta(t, 1, parts[part], 1, "part %d", part)
	}
}

// TestSampleThatLacksNothingReadsAll.
func TestSampleThatLacksNothingReadsAll(t *testing.T) {
	f := flooded(t)
	r := &Reading{Client: client(t, f.address(`{namespace="im"}`), nil), Filter: Filter{Literals: []string{"tls: ", "panic: "}}}
	counts, err := r.Count(t.Context(), span)
	require.NoError(t, err)
	r.Sample = &Sample{Counts: counts, Most: 1440, Read: map[Group]int64{}}
	assert.False(t, r.Sample.IsPart())
	read := 0
	_, err = r.Run(t.Context(), span, func(p *Page) error { read += len(p.Entries); return nil })
	require.NoError(t, err)
	assert.Equal(t, int(counts.All()), read)
}

// TestCountThatIsCutIsAskedForInHalves, and is none where what answers is no engine.
func TestCountThatIsCutIsAskedForInHalves(t *testing.T) {
	f := flooded(t)
	f.widest = 2 * time.Minute
	r := &Reading{Client: client(t, f.address(`{namespace="im"}`), nil), Filter: Filter{Literals: []string{"tls: ", "panic: "}}}
	counts, err := r.Count(t.Context(), span)
	require.NoError(t, err)
	assert.Equal(t, reasonsOfFlood, counts.Total)
}

// TestMoreSumsThanLokiHandsOutAreAskedForByStream.
func TestMoreSumsThanLokiHandsOutAreAskedForByStream(t *testing.T) {
	f := flooded(t)
	f.sums = 3
	r := &Reading{Client: client(t, f.address(`{namespace="im"}`), nil), Filter: Filter{Literals: []string{"tls: ", "panic: "}}}
	counts, err := r.Count(t.Context(), span)
	require.NoError(t, err)
	assert.Equal(t, reasonsOfFlood, counts.Total)
	f.refuse = func(w http.ResponseWriter, r *http.Request) bool { // as older ones say it
		all := strings.HasSuffix(r.URL.Path, "/query") && !strings.Contains(r.Form.Get("query"), `pod="`)
		if all {
			http.Error(w, "maximum of series (500) reached for a single query", http.StatusBadRequest)
		}
		return all
	}
	counts, err = r.Count(t.Context(), span)
	require.NoError(t, err)
	assert.Equal(t, reasonsOfFlood, counts.Total)
	f.refuse, f.sums = nil, 1
	_, err = r.Count(t.Context(), span)
	assert.ErrorContains(t, err, "maximum number of series")
}

// TestTrafficOfLokiIsThatOfItsStreams, in the order of time and within it.
func TestTrafficOfLokiIsThatOfItsStreams(t *testing.T) {
	f := flooded(t)
	c := client(t, f.address(`{namespace="im"}`), nil)
	streams, _, err := c.Streams(t.Context(), span)
	require.NoError(t, err)
	want, got, last := map[string]int64{}, map[string]int64{}, map[string]time.Time{}
	for _, e := range f.entries {
		want[e.stream] += int64(len(e.text))
	}
	require.NoError(t, c.Traffic(t.Context(), span, streams, func(w Wrote) {
		got[w.Selector] += w.Amount
		assert.False(t, w.From.Before(last[w.Selector]), "in the order of time")
		assert.True(t, w.Until.After(w.From))
		assert.False(t, w.From.Before(span.From) || w.Until.After(span.Until))
		last[w.Selector] = w.From
		assert.Equal(t, w.Labels.Node(), "im/"+strings.Split(w.Selector, `"`)[3])
	}))
	assert.Equal(t, want, got)
	f.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "not allowed", http.StatusNotFound)
		return true
	}
	assert.Error(t, c.Traffic(t.Context(), span, streams, func(Wrote) { t.Error("nothing is known") }))
}
