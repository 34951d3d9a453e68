package patterns_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

// healthyEnd is how a connection ends that worked, or one of a client that rejects the
// certificate without a word.
const healthyEnd = `{"level":"debug","msg":"【ReactorSub-1】close connn","error":"EOF","id":7,"fd":151}`

// TestHealthyEndsOfAnotherWeekSpeakForNoCause: clients that reject a name may end without a
// word.
func TestHealthyEndsOfAnotherWeekSpeakForNoCause(t *testing.T) {
	const badCertificate = "remote error: tls: bad certificate"
	wrongName := func(from float64, more ...string) float64 {
		d := newDiary().work(0, 700, 1).fail(50, 120, 0.2, badCertificate, badCertificate, hidden)
		for range 5 {
			d.say(from, healthyEnd)
		}
		got := incidentsOf(t, map[string]*diary{"im01": d.fail(300, 350, 0.2, more...)})
		require.NotEmpty(t, got.Incidents)
		in := got.Incidents[len(got.Incidents)-1]
		at := slices.IndexFunc(in.Diagnosis, func(d patterns.Diagnosis) bool { return d.Cause.ID == "hostname-mismatch" })
		require.GreaterOrEqual(t, at, 0)
		return in.Diagnosis[at].Confidence
	}
	for _, others := range [][]string{nil, {expired}} {
		assert.Less(t, wrongName(500, others...), 0.9*wrongName(80, others...))
		assert.Equal(t, wrongName(80, others...), wrongName(120, others...), "the end of the last one")
	}
}

// minutesQuiet are ends of healthy connections at so many minutes, in this order.
func minutesQuiet(ends ...int) *patterns.Quiet {
	var q patterns.Quiet
	for _, n := range ends {
		q.Add(minute(n))
	}
	return &q
}

func minute(n int) time.Time { return monthBegins.Add(time.Duration(n) * time.Minute) }

func between(from, to int) patterns.Span {
	return patterns.Span{First: minute(from), Last: minute(to)}
}

func TestQuietEndIsNearForAWindow(t *testing.T) {
	q := minutesQuiet(100, 110, 120)
	assert.True(t, q.Near(between(0, 85)))
	assert.False(t, q.Near(between(0, 84)))
	assert.True(t, q.Near(between(135, 200)))
	assert.False(t, q.Near(between(136, 200)))
	assert.True(t, q.Near(between(105, 106)))
	q = minutesQuiet(100, 200)
	assert.False(t, q.Near(between(120, 180)), "one was before, the other came after")
}

func TestQuietEndsFollowUponEachOtherInAnyOrder(t *testing.T) {
	for want, ends := range map[int][][]int{
		1: {{100, 115}, {115, 100}, {100, 130, 115}, {130, 100, 115}, {115, 130, 100}, {100, 115, 130, 118}},
		2: {{100, 116}, {116, 100}, {100, 131, 115}, {131, 100, 115}, {131, 145, 100, 115}},
		3: {{100, 116, 132}, {132, 116, 100}, {116, 132, 100}},
	} {
		for _, list := range ends {
			assert.Equal(t, want, minutesQuiet(list...).Spans(), "%v", list)
		}
	}
}

func TestQuietEndWithoutATimeMayBeNearAnything(t *testing.T) {
	var q patterns.Quiet
	assert.False(t, q.Near(between(0, 10)))
	assert.False(t, q.Near(patterns.Span{}))
	q.Add(time.Time{})
	assert.True(t, q.Near(between(0, 10)))
	assert.True(t, q.Near(patterns.Span{}))
	assert.True(t, minutesQuiet(5000).Near(patterns.Span{}), "of failures without a time nobody knows")
}

// TestQuietEndsThatAreTooManyAreJoinedOverTheShortestPauses: pairs, of which more come than
// there may be spans.
func TestQuietEndsThatAreTooManyAreJoinedOverTheShortestPauses(t *testing.T) {
	var q patterns.Quiet
	for n := range 501 {
		q.Add(minute(180 * n))
		q.Add(minute(180*n + 20))
	}
	assert.Equal(t, 501, q.Spans())
	assert.True(t, q.Near(between(10, 11)))
	assert.False(t, q.Near(between(50, 150)))
}

// TestQuietEndsAreKnownInAnyOrderAndInBoundedMemory adds more times than there are spans.
func TestQuietEndsAreKnownInAnyOrderAndInBoundedMemory(t *testing.T) {
	var q patterns.Quiet
	hour := func(n int) time.Time { return monthBegins.Add(time.Duration(n) * time.Hour) }
	for _, n := range rand.New(rand.NewPCG(1, 2)).Perm(100) {
		q.Add(hour(3 * n))
	}
	assert.True(t, q.Near(patterns.Span{First: hour(31), Last: hour(33)}))
	assert.False(t, q.Near(patterns.Span{First: hour(31), Last: hour(32)}))
	assert.False(t, q.Near(patterns.Span{First: hour(400), Last: hour(900)}))
	for n := range 5000 {
		q.Add(hour(3 * n))
	}
	assert.LessOrEqual(t, q.Spans(), 1000)
	assert.True(t, q.Near(patterns.Span{First: hour(31), Last: hour(33)}))
	assert.False(t, q.Near(patterns.Span{First: hour(20000), Last: hour(20001)}))
}
