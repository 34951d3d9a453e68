package patterns

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// starts are those of WuKongIM's versions without and with an address for wss.
var starts = map[string]struct{ without, with string }{
	"v2.2.5": {
		"   ├─ WebSocket: ws://0.0.0.0:5200\n   ├─ HTTP API: http://0.0.0.0:5001\n",
		"   ├─ WebSocket: ws://0.0.0.0:5200\n   ├─ WebSocket Secure: wss://0.0.0.0:7210\n   ├─ HTTP API: http://0.0.0.0:5001\n",
	},
	"v1.2.6": {
		started("WS client on ws://0.0.0.0:5200", "Manager Http api on http://0.0.0.0:5001"),
		started("WS client on ws://0.0.0.0:5200", "WSS client on wss://0.0.0.0:7210", "Manager Http api on http://0.0.0.0:5001"),
	},
	"v2.0.10": {
		started("WS client on ws://0.0.0.0:5200", "Manager http api on http://0.0.0.0:5001"),
		started("WS client on ws://0.0.0.0:5200", "WSS client on wss://0.0.0.0:7210", "Manager http api on http://0.0.0.0:5001"),
	},
}

// started are the records of a start before v2.2.1.
func started(listed ...string) (text string) {
	for _, what := range listed {
		text += `{"level":"info","time":"2024-09-25 10:11:12.123","msg":"【Server】Listening  for ` + what + `"}` + "\n"
	}
	return text
}

const (
	startOfV3  = "WuKongIM · Starting node 1...\n\nWuKongIM\n\n  Node      1 · single\n  Gateway   tcp://0.0.0.0:5100\n            ws://0.0.0.0:5200\n  API       http://0.0.0.0:5001\n\n✓ Ready in 120ms\n"
	plainHello = `{"level":"warn","time":"2026-11-23T05:03:26.899323019+00:00","msg":"【Server】frameType is not CONNECT, closing connection","frameType":"UNKNOWN[0]","data":"\u0016\u0003\u0001\u0002\u0000\u0001\u0000"}` + "\n"
	fromClient = "WebSocket connection to 'wss://chat.acme.example:5210/' failed: Error in connection establishment: net::ERR_CERT_DATE_INVALID\n"
	ownFailure = "-------------------------->握手失败！--------------------------> remote error: tls: expired certificate handshakeStatus13ReadClientFinished\n"
)

func analysed(t *testing.T, log string) *Analysis {
	t.Helper()
	analysis, err := Analyze(context.Background(), strings.NewReader(log), nil)
	require.NoError(t, err)
	return analysis
}

// ports are those that the starts of a log tell.
func ports(t *testing.T, log string) (list []string) {
	t.Helper()
	for _, fact := range analysed(t, log).Facts {
		if fact.Kind == FactPort {
			list = append(list, fact.Name+"="+fact.Value)
		}
	}
	return list
}

func TestStartWithoutSecureAddressSaysThatNothingListens(t *testing.T) {
	for version, start := range starts {
		assert.Equal(t, []string{"wss=" + NoPort}, ports(t, start.without), version)
		assert.Equal(t, []string{"wss=7210"}, ports(t, start.with), version)
		// What was cut off may have listed it.
		before, after, _ := strings.Cut(start.without, "\n")
		assert.Empty(t, ports(t, before+"\n"), version)
		assert.Empty(t, ports(t, after), version)
		assert.Empty(t, ports(t, before+"\n"+strings.Repeat("x\n", 20)+after), version)
	}
	assert.Equal(t, []string{"wss=" + NoPort}, ports(t, startOfV3))
	// Lines of two servers in one log are not one start.
	tree := strings.SplitAfter(starts["v2.2.5"].without, "\n")
	assert.Empty(t, ports(t, "im-1  | "+tree[0]+"im-2  | "+tree[1]))
}

// TestAbsentListenerIsEvidence: it makes likelier what goes with it, says so, and leaves
// what none of the causes explains.
func TestAbsentListenerIsEvidence(t *testing.T) {
	confidence := func(log, cause string) (of float64, told []string) {
		for _, d := range analysed(t, log).Diagnosis {
			if d.Cause.ID == cause {
				of = d.Confidence
				for _, a := range d.Absent {
					told = append(told, a.ID)
				}
			}
		}
		return of, told
	}
	for version, start := range starts {
		alone, told := confidence(plainHello, "tls-on-plaintext-port")
		assert.Empty(t, told)
		with, told := confidence(start.with+plainHello, "tls-on-plaintext-port")
		assert.Equal(t, alone, with, version)
		assert.Empty(t, told)
		without, told := confidence(start.without+plainHello, "tls-on-plaintext-port")
		assert.Greater(t, without, alone, version)
		assert.Less(t, without, 0.97, version)
		assert.Equal(t, []string{"no-wss-listener"}, told, version)
		// A later start may be set up otherwise.
		both, told := confidence(start.with+start.without+plainHello, "tls-on-plaintext-port")
		assert.Equal(t, alone, both, version)
		assert.Empty(t, told)
	}
}

// TestClientsFailBeforeWhateverEndsTLS: where WuKongIM does not, its files are not at fault.
func TestClientsFailBeforeWhateverEndsTLS(t *testing.T) {
	program := func(log string) ComponentID { return analysed(t, log).Diagnosis[0].Program.Component }
	assert.Equal(t, ComponentWuKongIM, program(fromClient))
	for version, start := range starts {
		assert.Equal(t, ComponentWuKongIM, program(start.with+fromClient), version)
		assert.Equal(t, ComponentOther, program(start.without+fromClient), version)
		// A handshake of its own is of another start.
		assert.Equal(t, ComponentWuKongIM, program(start.without+ownFailure), version)
		assert.Equal(t, ComponentWuKongIM, program(start.without+ownFailure+fromClient), version)
	}
	assert.Equal(t, ComponentOther, program(startOfV3+fromClient))
}
