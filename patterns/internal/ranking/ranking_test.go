package ranking

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
)

// inseparable are causes that no server log tells apart.
var inseparable = [][]string{
	{"cert-expired", "clock-skew"}, {"cert-not-yet-valid", "clock-skew"}, {"untrusted-ca", "chain-incomplete"},
}

func recordedAssumptions(t *testing.T) (*Assumptions, []Measurement) {
	t.Helper()
	data, err := os.ReadFile("ranking.yaml")
	require.NoError(t, err)
	a, err := ParseAssumptions(data)
	require.NoError(t, err)
	data, err = os.ReadFile("measured.json")
	require.NoError(t, err)
	var measured []Measurement
	require.NoError(t, json.Unmarshal(data, &measured))
	return a, measured
}

func TestEveryStackIsKnownByWhatItsClientsLeft(t *testing.T) {
	all, measured := recordedAssumptions(t)
	of := map[string]string{}
	for _, stack := range all.Stacks {
		assert.NotEqual(t, stack.Says == "", len(stack.Clients) == 0, "%s needs clients, or what it says whatever the fault", stack.Name)
		for _, client := range stack.Clients {
			assert.Empty(t, of[client], "%s is of two stacks", client)
			of[client] = stack.Name
			assert.True(t, slices.ContainsFunc(measured, func(m Measurement) bool { return m.Client == client }), "%s: no recording of %s", stack.Name, client)
		}
	}
	for _, m := range measured {
		assert.NotEmpty(t, of[m.Client], "%s was recorded and is of no stack", m.Client)
	}
}

// TestStackThatWasNeverMeasuredIsRankedHonestly leaves each stack out in turn,
// and ranks what it printed by what the others do. The line that OpenSSL alone
// leaves with TLS 1.3 is not ranked: without OpenSSL it would mean something else.
func TestStackThatWasNeverMeasuredIsRankedHonestly(t *testing.T) {
	all, measured := recordedAssumptions(t)
	ranked, leading, among, wrong := 0, 0, 0, 0
	for i, left := range all.Stacks {
		without := *all
		without.Stacks = slices.Delete(slices.Clone(all.Stacks), i, i+1)
		r := without.Ranker(measured)
		for _, prior := range all.Priors {
			right := []string{prior.Cause}
			for _, group := range inseparable {
				if slices.Contains(group, prior.Cause) {
					right = append(right, group...)
				}
			}
			for _, m := range measured {
				if m.Kind != parser.KindHandshake || !slices.Contains(prior.Setups, m.Setup) || !slices.Contains(left.Clients, m.Client) || len(m.Seen) == 0 {
					continue
				}
				seen := map[Key]int{}
				for _, k := range m.Seen {
					seen[k.Key] = 5
				}
				if m.Seen[0].Pattern == "hidden-client-rejection" {
					continue
				}
				scores := r.Rank(seen, Context{}, nil)
				at := slices.IndexFunc(scores, func(s Score) bool { return slices.Contains(right, s.ID) })
				ranked++
				switch {
				case at == 0:
					leading++
					among++
				case at > 0 && at < 3:
					among++
				}
				if at != 0 && scores[0].Score > 0.9 {
					wrong++
					t.Logf("%s (%s), %s: %s %.2f", m.Client, m.TLS, m.Setup, scores[0].ID, scores[0].Score)
				}
			}
		}
	}
	t.Logf("%d ranked: right cause first %d, among the first three %d, another one above 0.9 %d", ranked, leading, among, wrong)
	assert.Greater(t, ranked, 400)
	assert.Greater(t, float64(leading)/float64(ranked), 0.5)
	assert.Greater(t, float64(among)/float64(ranked), 0.8)
	assert.Less(t, float64(wrong)/float64(ranked), 0.03)
}
