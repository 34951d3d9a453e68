package patterns_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

const healthCheck = "load-balancer-check"

// found are the findings of a log.
func found(t *testing.T, log string) map[string]int {
	t.Helper()
	_, result := analysed(t, loaded(t), log)
	counts := map[string]int{}
	for _, f := range result.Findings {
		counts[f.Pattern.ID] = f.Count
	}
	return counts
}

// forms are those in which servers tell that a client went during the handshake.
var forms = map[string]func(at time.Time, address string) string{
	"Go": func(at time.Time, address string) string {
		return at.Format("2006/01/02 15:04:05") + " http: TLS handshake error from " + address + ":51514: EOF\n"
	},
	"Go, reset": func(at time.Time, address string) string {
		return at.Format("2006/01/02 15:04:05") + " http: TLS handshake error from " + address + ":51514: read tcp 10.0.0.9:443->" + address + ":51514: read: connection reset by peer\n"
	},
	"Traefik": func(at time.Time, address string) string {
		return at.Format(time.RFC3339) + ` DBG log/log.go:245 > http: TLS handshake error from ` + address + ":51514: EOF\n"
	},
	"nginx": func(at time.Time, address string) string {
		return at.Format("2006/01/02 15:04:05") + " [info] 31#31: *84 client closed connection while SSL handshaking, client: " + address + ", server: 0.0.0.0:443\n"
	},
	"HAProxy": func(at time.Time, address string) string {
		return address + ":51514 [" + at.Format("02/Jan/2006:15:04:05.000") + "] wss-in/1: Connection closed during SSL handshake\n"
	},
}

// every writes failures at some distances from a time.
func every(form, address string, at ...time.Duration) string {
	var log strings.Builder
	for _, d := range at {
		log.WriteString(forms[form](scanTime.Add(d), address))
	}
	return log.String()
}

// beat are n times with the same period.
func beat(n int, period time.Duration) (at []time.Duration) {
	for i := range n {
		at = append(at, time.Duration(i)*period)
	}
	return at
}

func TestSteadyEndsOfAPrivateAddressAreHealthChecks(t *testing.T) {
	for form := range forms {
		for _, address := range []string{"10.0.0.5", "100.64.3.7", "192.168.1.1", "127.0.0.1"} {
			for _, period := range []time.Duration{2 * time.Second, 5 * time.Second, 9700 * time.Millisecond, 30 * time.Second, 5 * time.Minute} {
				assert.Equal(t, map[string]int{healthCheck: 40}, found(t, every(form, address, beat(40, period)...)), "%s %s %s", form, address, period)
			}
		}
	}
	_, result := analysed(t, loaded(t), every("Go", "10.0.0.5", beat(5, 10*time.Second)...))
	require.Len(t, result.Findings, 1)
	assert.Equal(t, patterns.SeverityInfo, result.Findings[0].Pattern.Severity)
	assert.Equal(t, scanTime.Unix(), result.First.Unix(), "the checks before the rhythm was known count from their time")
	assert.Equal(t, []patterns.Evidence{{Pattern: result.Findings[0].Pattern, Count: 5}}, result.Clients[0].Patterns)
}

func TestEndsWithoutARhythmAreNoHealthChecks(t *testing.T) {
	backoff := []time.Duration{0}
	for pause := time.Second; pause < 5*time.Minute; pause = pause * 3 / 2 {
		backoff = append(backoff, backoff[len(backoff)-1]+pause)
	}
	for name, log := range map[string]string{
		"too few":          every("Go", "10.0.0.5", beat(4, 10*time.Second)...),
		"a public address": every("Go", "203.0.113.9", beat(40, 10*time.Second)...),
		"a growing pause":  every("Go", "10.0.0.5", backoff...),
		"all at once":      every("Go", "10.0.0.5", beat(200, 10*time.Millisecond)...),
		"longer than any":  every("Go", "10.0.0.5", beat(40, 20*time.Minute)...),
		"without a time":   strings.Repeat("http: TLS handshake error from 10.0.0.5:51514: EOF\n", 40),
		"another verdict":  strings.ReplaceAll(every("Go", "10.0.0.5", beat(40, 10*time.Second)...), "EOF", "remote error: tls: bad certificate"),
	} {
		assert.Zero(t, found(t, log)[healthCheck], name)
	}
	assert.Less(t, found(t, every("Go", "10.0.0.5", irregular(3000)...))[healthCheck], 60, "chance keeps a rhythm rarely")
}

// irregular are the times at which clients came that know nothing of each other, ten
// seconds apart on average.
func irregular(n int) (at []time.Duration) {
	random := rand.New(rand.NewPCG(1, 2))
	now := time.Duration(0)
	for range n {
		now += time.Duration(random.ExpFloat64() * float64(10*time.Second))
		at = append(at, now)
	}
	return at
}

func TestClientsBehindABalancerAreNoHealthChecks(t *testing.T) {
	log := ""
	for i := range 60 {
		at := scanTime.Add(time.Duration(i) * 10 * time.Second)
		log += forms["Go"](at, "10.0.0.5") + forms["Go"](at.Add(time.Second), "10.0.0.6")
		if i == 22 || i == 23 || i == 41 {
			log += forms["Go"](at.Add(4*time.Second), "10.0.0.5") // a client through the balancer
		}
	}
	assert.Equal(t, map[string]int{healthCheck: 120, "http-handshake-eof": 3}, found(t, log))
}

func TestBalancerMayCheckTwoPortsAndMissATurn(t *testing.T) {
	log := ""
	for i := range 60 {
		at := scanTime.Add(time.Duration(i) * 10 * time.Second)
		if i/3 != 9 {
			log += forms["Go"](at, "10.0.0.5") + forms["Go"](at.Add(3*time.Second), "10.0.0.5")
		}
	}
	assert.Equal(t, map[string]int{healthCheck: 114}, found(t, log))
}

func TestStreamTellsAHealthCheckOnceItIsKnown(t *testing.T) {
	var told []string
	for e, err := range patterns.Events(t.Context(), strings.NewReader(every("Go", "10.0.0.5", beat(7, 10*time.Second)...)), nil) {
		require.NoError(t, err)
		told = append(told, e.Pattern.ID)
	}
	assert.Equal(t, []string{"http-handshake-eof", "http-handshake-eof", "http-handshake-eof", "http-handshake-eof", healthCheck, healthCheck, healthCheck}, told)
}

func TestFilterTakesHealthChecksForWhatTheyAre(t *testing.T) {
	log := every("Go", "10.0.0.5", beat(40, 10*time.Second)...)
	for want, filter := range map[string]patterns.Filter{
		"0":  {Severity: patterns.SeverityWarning},
		"40": {Patterns: []string{healthCheck}},
		" 0": {Patterns: []string{"http-handshake-eof"}},
	} {
		result, err := patterns.Analyze(t.Context(), strings.NewReader(log), &patterns.Options{Filter: filter})
		require.NoError(t, err)
		assert.Equal(t, strings.TrimSpace(want), fmt.Sprint(result.Events))
	}
}

// TestChecksOfManyAddresses has more clients than are watched at a time.
func TestChecksOfManyAddresses(t *testing.T) {
	var log strings.Builder
	for i := range 3000 {
		log.WriteString(forms["Go"](scanTime.Add(time.Duration(i)*10*time.Millisecond), fmt.Sprintf("10.1.%d.%d", i/250, i%250)))
	}
	log.WriteString(every("Go", "10.0.0.5", beat(40, 10*time.Second)...))
	assert.Equal(t, 40, found(t, log.String())[healthCheck])
}
