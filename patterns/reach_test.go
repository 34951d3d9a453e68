package patterns_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clientsBefore are what the recorded clients made a server at its default level
// print under a setup, one client in one version of TLS each; those that left no
// line are left out.
func clientsBefore(t *testing.T, setup string) []string {
	t.Helper()
	type attempt struct {
		recorded
		TLS string `json:"tls"`
	}
	met := map[string]bool{}
	var all []string
	for _, r := range append(readJSONL[attempt](t, "attempts.jsonl"), readJSONL[attempt](t, furtherClients)...) {
		lines := slices.DeleteFunc(slices.Clone(r.Out), func(line string) bool { return !strings.Contains(line, "握手失败") })
		if r.Setup != setup || r.Level != "release" || len(lines) == 0 || met[r.Client+r.TLS] {
			continue
		}
		met[r.Client+r.TLS] = true
		all = append(all, strings.Join(lines, "\n")+"\n")
	}
	return all
}

// TestExpiredCertificateLeadsBeforeSeveralClients lets some of the recorded clients
// try again up to fifty times each.
func TestExpiredCertificateLeadsBeforeSeveralClients(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	c, clients := loaded(t), clientsBefore(t, "expired")
	require.Greater(t, len(clients), 15)
	const logs = 40
	for _, want := range []struct{ clients, leads, clock int }{
		{2, 36, 1}, {3, 36, 2}, {5, 39, 0}, {8, 39, 0}, {14, 40, 0},
	} {
		random := rand.New(rand.NewPCG(1, uint64(want.clients)))
		leads, clock := 0, 0
		for range logs {
			random.Shuffle(len(clients), func(i, j int) { clients[i], clients[j] = clients[j], clients[i] })
			log := ""
			for _, lines := range clients[:want.clients] {
				log += strings.Repeat(lines, 1+random.IntN(50))
			}
			_, result := analysed(t, c, log)
			switch result.Diagnosis[0].Cause.ID {
			case "cert-expired":
				leads++
			case "clock-skew":
				clock++
			}
		}
		t.Logf("%d clients: cert-expired leads %d of %d, clock-skew %d", want.clients, leads, logs, clock)
		assert.GreaterOrEqual(t, leads, want.leads, "%d clients", want.clients)
		assert.LessOrEqual(t, clock, want.clock, "%d clients", want.clients)
	}
}

func TestRetriesOfAllClientsDoNotSpeakForAClock(t *testing.T) {
	c, clients := loaded(t), clientsBefore(t, "expired")
	for _, retries := range []int{1, 5, 50, 500} {
		log := ""
		for _, lines := range clients {
			log += strings.Repeat(lines, retries)
		}
		_, result := analysed(t, c, log)
		assert.Equal(t, "cert-expired", result.Diagnosis[0].Cause.ID, "%d", retries)
		assert.Greater(t, result.Diagnosis[0].Confidence, 0.6, "%d", retries)
		assert.Less(t, confidences(result)["clock-skew"], 0.25, "%d", retries)
	}
}

// TestOneClientWithTheVerdictExpiredIsATie lets each client alone try again whose
// verdict is that the certificate has expired: it may be its clock.
func TestOneClientWithTheVerdictExpiredIsATie(t *testing.T) {
	c, judged := loaded(t), 0
	for _, lines := range clientsBefore(t, "client_clock_ahead") {
		if !strings.Contains(lines, "expired certificate") {
			continue
		}
		judged++
		_, result := analysed(t, c, strings.Repeat(lines, 100))
		got := confidences(result)
		assert.InDelta(t, got["cert-expired"], got["clock-skew"], 0.2, lines)
		assert.Greater(t, got["cert-expired"]+got["clock-skew"], 0.95, lines)
	}
	assert.Greater(t, judged, 8)
}

// rejections are those of a Go server in front of WuKongIM, by clients of some
// addresses, each for a minute from its own time on.
func rejections(starts map[string]string, verdict string) string {
	log := ""
	for address, at := range starts {
		for second := range 60 {
			log += fmt.Sprintf("%s:%02d http: TLS handshake error from %s:51514: remote error: tls: %s\n", at, second, address, verdict)
		}
	}
	return log
}

func TestClockPaysForEachAddressThatFailsAtTheSameTime(t *testing.T) {
	c := loaded(t)
	clock := func(starts map[string]string) float64 {
		_, result := analysed(t, c, rejections(starts, "expired certificate"))
		require.Equal(t, 60*len(starts), result.Events)
		return confidences(result)["clock-skew"]
	}
	alone := clock(map[string]string{"192.0.2.1": "2026/05/04 01:30"})
	two := clock(map[string]string{"192.0.2.1": "2026/05/04 01:30", "192.0.2.2": "2026/05/04 01:31"})
	three := clock(map[string]string{"192.0.2.1": "2026/05/04 01:30", "192.0.2.2": "2026/05/04 01:31", "[2001:db8::1]": "2026/05/04 01:32"})
	assert.Greater(t, alone, 0.35)
	assert.Less(t, two, alone/2)
	assert.Less(t, three, two/2)

	apart := clock(map[string]string{"192.0.2.1": "2026/05/04 01:30", "192.0.2.2": "2026/05/07 01:30", "192.0.2.3": "2026/05/09 01:30"})
	assert.InDelta(t, alone, apart, 0.1, "devices that fail on other days are other faults")
}

// TestPinnedAppFailsOnAllItsDevices tells what is wrong in one program from what
// is wrong in one device.
func TestPinnedAppFailsOnAllItsDevices(t *testing.T) {
	c := loaded(t)
	starts := map[string]string{"192.0.2.1": "2026/05/04 01:30"}
	_, one := analysed(t, c, rejections(starts, "bad certificate"))
	for i := range 20 {
		starts[fmt.Sprintf("192.0.2.%d", i+2)] = "2026/05/04 01:30"
	}
	_, many := analysed(t, c, rejections(starts, "bad certificate"))
	assert.GreaterOrEqual(t, confidences(many)["cert-pin-mismatch"], confidences(one)["cert-pin-mismatch"])
	assert.Less(t, confidences(many)["clock-skew"], confidences(one)["clock-skew"]/5)
}
