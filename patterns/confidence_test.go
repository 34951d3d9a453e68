package patterns_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
	"wklog/patterns/internal/ranking"
)

// confidenceDocument shows how far the percentages are to be trusted.
const confidenceDocument = "../docs/confidence.md"

// rejection is what one recorded client made a server print.
type rejection struct {
	recorded
	TLS string `json:"tls"`
}

// faultsOfServers are the recorded connections of each setup that the ranking knows, each
// kind of client with the same lines once.
type faultsOfServers struct {
	assumed  *ranking.Assumptions
	measured []ranking.Measurement
	bySetup  map[string][]rejection
	cause    map[string]string
	// alone are the setups whose fault is that of one device or program.
	alone map[string]bool
}

func readFaults(t *testing.T) *faultsOfServers {
	t.Helper()
	f := &faultsOfServers{bySetup: map[string][]rejection{}, cause: map[string]string{}, alone: map[string]bool{}}
	data, err := os.ReadFile("internal/ranking/ranking.yaml")
	require.NoError(t, err)
	f.assumed, err = ranking.ParseAssumptions(data)
	require.NoError(t, err)
	data, err = os.ReadFile("internal/ranking/measured.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &f.measured))
	for _, prior := range f.assumed.Priors {
		for _, setup := range prior.Setups {
			f.cause[setup], f.alone[setup] = prior.Cause, prior.Reach.Of != ""
		}
	}
	met := map[string]bool{}
	for _, name := range []string{"attempts.jsonl", furtherClients, "faults.jsonl"} {
		for _, r := range readJSONL[rejection](t, name) {
			r.Out = slices.DeleteFunc(slices.Clone(r.Out), func(line string) bool { return !strings.Contains(line, "握手失败") })
			key := r.Setup + r.Client + r.TLS + strings.Join(r.Out, "\n")
			if f.cause[r.Setup] != "" && len(r.Out) > 0 && !met[key] {
				met[key] = true
				f.bySetup[r.Setup] = append(f.bySetup[r.Setup], r)
			}
		}
	}
	return f
}

// judged is a diagnosis whose true cause is known.
type judged struct {
	diagnosis []patterns.Diagnosis
	cause     string
}

// judge ranks by what all stacks but one do what clients of that one left, alone and
// beside one or two clients of other stacks that met the same fault. What only OpenSSL
// leaves is no part of it, as in the ranking: without OpenSSL it would mean another fault.
func (f *faultsOfServers) judge(t *testing.T, c *patterns.Catalogue) []judged {
	const ofOpenSSL = "bad record MAC"
	random := rand.New(rand.NewPCG(17, 2))
	var all []judged
	for i, left := range f.assumed.Stacks {
		if len(left.Clients) == 0 {
			continue
		}
		without := *f.assumed
		without.Stacks = slices.Delete(slices.Clone(f.assumed.Stacks), i, i+1)
		ranker := without.Ranker(f.measured)
		isLeft := func(r rejection) bool { return slices.Contains(left.Clients, r.Client) }
		for _, setup := range slices.Sorted(maps.Keys(f.bySetup)) {
			others := slices.DeleteFunc(slices.Clone(f.bySetup[setup]), isLeft)
			for _, own := range f.bySetup[setup] {
				log := strings.Join(own.Out, "\n")
				if !isLeft(own) || strings.Contains(log, ofOpenSSL) {
					continue
				}
				logs := []string{log}
				if !f.alone[setup] && len(others) > 0 {
					other := func() string { return "\n" + strings.Join(others[random.IntN(len(others))].Out, "\n") }
					for range 2 {
						two := log + other()
						logs = append(logs, two, two+other())
					}
				}
				for _, log := range logs {
					all = append(all, judged{rankedBy(t, c, ranker, log), f.cause[setup]})
				}
			}
		}
	}
	return all
}

func rankedBy(t *testing.T, c *patterns.Catalogue, ranker *ranking.Ranker, log string) []patterns.Diagnosis {
	t.Helper()
	a, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	a.RankWith(ranker)
	src := a.Source("server.log")
	_, err = parser.Read(context.Background(), strings.NewReader(log), c.ReadOptions(), func(rec *parser.Record) error {
		src.Add(rec)
		return nil
	})
	require.NoError(t, err)
	src.End()
	result := a.Result()
	require.Len(t, result.Incidents, 1, log)
	return result.Incidents[0].Diagnosis
}

// share is how often something was so.
type share struct{ told, is, of float64 }

func (s share) String() string {
	part := s.is / s.of
	return fmt.Sprintf("%.0f %% | %.0f %% ± %.0f | %.0f", 100*s.told/s.of, 100*part, 100*math.Sqrt(part*(1-part)/s.of), s.of)
}

// TestCurveOfConfidence compares what percentages are told with how often the cause is
// the true one, and what is told of ties.
func TestCurveOfConfidence(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	c, f := loaded(t), readFaults(t)
	all := f.judge(t, c)
	require.Greater(t, len(all), 1000)
	var bins [10]share
	var near, far struct{ first, second, of float64 }
	for _, j := range all {
		for _, d := range j.diagnosis {
			bin := &bins[min(int(d.Confidence*10), 9)]
			bin.told, bin.of = bin.told+d.Confidence, bin.of+1
			if d.Cause.ID == j.cause {
				bin.is++
			}
		}
		if len(j.diagnosis) < 2 {
			continue
		}
		kind := &far
		if j.diagnosis[0].Alike {
			kind = &near
		}
		kind.of++
		switch j.cause {
		case j.diagnosis[0].Cause.ID:
			kind.first++
		case j.diagnosis[1].Cause.ID:
			kind.second++
		}
	}
	var curve strings.Builder
	for i, bin := range bins {
		fmt.Fprintf(&curve, "| %d to %d %% | %s |\n", 10*i, 10*i+10, bin)
		assert.InDelta(t, bin.told/bin.of, bin.is/bin.of, 0.1, "%d to %d %%", 10*i, 10*i+10)
	}
	assert.Less(t, near.first/near.of, 0.55, "of ties the first one is as good as a guess")
	assert.Greater(t, near.second/near.of, 0.15)
	assert.Greater(t, far.first/far.of, 0.7)
	assert.Less(t, far.second/far.of, 0.08)
	told := fmt.Sprintf("| within | %.0f | %.0f %% | %.0f %% |\n| beyond | %.0f | %.0f %% | %.0f %% |\n",
		near.of, 100*near.first/near.of, 100*near.second/near.of, far.of, 100*far.first/far.of, 100*far.second/far.of)
	text := fmt.Sprintf(confidenceText, len(all), curve.String(), told, f.lines(t, c), scenarioRows(t, c))
	if *update {
		require.NoError(t, os.WriteFile(confidenceDocument, []byte(text), 0o644))
	}
	written, err := os.ReadFile(confidenceDocument)
	require.NoError(t, err)
	assert.Equal(t, string(written), text, "go test ./patterns -run CurveOfConfidence -update")
}

// lines are the rows of each kind of line that the recorded clients left, by itself.
func (f *faultsOfServers) lines(t *testing.T, c *patterns.Catalogue) string {
	causes := map[string]map[string]bool{}
	for setup, list := range f.bySetup {
		for _, r := range list {
			for _, line := range r.Out {
				_, text, _ := strings.Cut(line, "！")
				text = strings.TrimLeft(text, "-> ")
				if causes[text] == nil {
					causes[text] = map[string]bool{}
				}
				causes[text][f.cause[setup]] = true
			}
		}
	}
	var rows strings.Builder
	for _, text := range slices.Sorted(maps.Keys(causes)) {
		_, result := analysed(t, c, strings.Repeat("-", 25)+">握手失败！"+strings.Repeat("-", 25)+"> "+text)
		fmt.Fprintf(&rows, "| `%s` | %s | %d |\n", text, toldOf(&result), len(causes[text]))
	}
	return rows.String()
}

func scenarioRows(t *testing.T, c *patterns.Catalogue) string {
	var rows strings.Builder
	for _, s := range readJSONL[scenario](t, "scenarios/truth.jsonl") {
		data, err := os.ReadFile(filepath.Join(recordings, "scenarios", s.File))
		require.NoError(t, err)
		_, result := analysed(t, c, string(data))
		if s.Cause != "ok" {
			fmt.Fprintf(&rows, "| %s | %s | %s |\n", strings.TrimSuffix(s.File, ".log"), toldOf(&result), s.Cause)
		}
	}
	return rows.String()
}

// toldOf is what is said of an analysis: one cause, or several that look alike.
func toldOf(result *patterns.Analysis) string {
	if len(result.Diagnosis) == 0 {
		return "nothing"
	}
	var told []string
	for i, d := range result.Diagnosis {
		if i == 0 || d.Alike {
			told = append(told, fmt.Sprintf("%s %.0f %%", d.Cause.ID, 100*d.Confidence))
		}
	}
	if len(told) == 1 {
		return told[0]
	}
	return fmt.Sprintf("%d look alike: %s", len(told), strings.Join(told, ", "))
}

const confidenceText = `# What a percentage means

Generated by the test TestCurveOfConfidence of patterns from the recorded connections
(testdata/wukongim, testdata/clients); do not edit.

A percentage is how likely it is that this cause is behind the failures, given all that
was seen of them. It is measured where nobody could look up the answer: each stack of
clients is left out of the ranking in turn, and what its recorded clients made the server
print is ranked by what the others do: one client alone, and beside one or two others that
met the same fault, chosen twice by a fixed seed. A wrong clock or a pinned app is alone: it is a fault of one device or
program. These are %d logs, each of them read as a whole, with its incident. Of all causes
that were told with so many per cent, so many were the true one (± one standard error):

| told with | on the average | true | causes |
|---|--:|--:|--:|
%s
Every fault weighs as much as it was recorded; in the field hostnames that do not fit are
more frequent and damaged certificates less. What a check proves is no guess, and is told
as proven instead of with a percentage.

## What a log cannot tell

Two causes look alike to a log where the first one has less than four times the confidence
of the second. In the same logs, within that margin and beyond it, so often the first one
and the second one were true:

| margin | logs | the first | the second |
|---|--:|--:|--:|
%s
Within it the first one is right as often as a coin, and a single stack of clients that
nobody recorded changes the order. So no cause is called likely there: all are named, and
the command that decides stands before anything else. It is ` + "`wklog check`" + `, which
looks at what the server sends.

Each kind of line that clients which reject a certificate left, by itself, with what is
said of it, and how many causes were recorded to leave it:

| line | what is said | causes |
|---|---|--:|
%s
The recorded servers, each with clients of several kinds (mixed) or only apps:

| log | what is said | true |
|---|---|---|
%s`
