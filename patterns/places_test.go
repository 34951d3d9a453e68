package patterns_test

import (
	"context"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
)

// onNodes analyses logs whose folder is their node.
func onNodes(t *testing.T, logs ...input) patterns.Analysis {
	t.Helper()
	a, err := patterns.NewAnalyzer(loaded(t), patterns.Filter{})
	require.NoError(t, err)
	a.Node, a.ByNode = path.Dir, true
	for _, log := range logs {
		src := a.Source(log.name)
		_, err := parser.Read(context.Background(), strings.NewReader(log.text), parser.Options{Zone: time.UTC}, func(rec *parser.Record) error {
			src.Add(rec)
			return nil
		})
		require.NoError(t, err)
		src.End()
	}
	return a.Result()
}

func from(client string, second int) string {
	return fmt.Sprintf("2026/05/04 01:30:%02d http: TLS handshake error from %s: %s\n", second%60, client, rejected)
}

func counts(places []patterns.Place) map[string]int {
	got := map[string]int{}
	for _, p := range places {
		sum := 0
		for _, e := range p.Patterns {
			sum += e.Count
		}
		if sum == p.Count {
			got[p.Name] = p.Count
		}
	}
	return got
}

func TestFailuresAreCountedByLogNodeAndClient(t *testing.T) {
	got := onNodes(t,
		input{"n1/out", from("203.0.113.9:51514", 1) + from("203.0.113.9:51515", 2) + from("[::ffff:203.0.113.9]:1", 3) + from("[fe80::1%eth0]:2", 4)},
		input{"n1/old", rawLine("remote error: tls: expired certificate")},
		input{"n2/out", from("198.51.100.1:9", 5)},
	)
	assert.Equal(t, map[string]int{"n1/out": 4, "n1/old": 1, "n2/out": 1}, counts(got.Sources))
	assert.Equal(t, map[string]int{"n1": 5, "n2": 1}, counts(got.Nodes))
	assert.Equal(t, map[string]int{"203.0.113.9": 3, "fe80::1": 1, "198.51.100.1": 1}, counts(got.Clients))
	assert.Equal(t, 1, got.UnknownClients)
	assert.Equal(t, "n1", got.Sources[0].Node)
	first := got.Nodes[0]
	assert.Equal(t, "01:30:01 01:30:04", first.First.Format(time.TimeOnly)+" "+first.Last.Format(time.TimeOnly))
}

// TestTwinsAreTakenBackEverywhere reads the debug records before the output
// that they repeat: what was counted for the wrong file is taken back.
func TestTwinsAreTakenBackEverywhere(t *testing.T) {
	file := closeRecord(1, rejected) + closeRecord(2, rejected)
	out := rawLine(rejected) + closeRecord(1, rejected) + rawLine(rejected) + closeRecord(2, rejected)
	for _, logs := range [][]input{
		{{"n/logs/info.log", file}, {"n/out", out}},
		{{"n/out", out}, {"n/logs/info.log", file}},
	} {
		got := onNodes(t, logs...)
		require.Equal(t, 2, got.Events)
		assert.Equal(t, map[string]int{"n/out": 2}, counts(got.Sources))
		sum := 0
		for _, n := range counts(got.Nodes) {
			sum += n
		}
		assert.Equal(t, 2, sum)
		assert.Equal(t, 2, got.UnknownClients)
		total := 0
		for _, n := range got.Findings[0].Timeline.On(patterns.ScaleOf(got.First, got.Last)) {
			total += n
		}
		assert.Equal(t, 2, total)
	}
}

func TestClientsAreBounded(t *testing.T) {
	var b strings.Builder
	const clients, again = 5000, 7
	for i := range clients {
		b.WriteString(from(fmt.Sprintf("10.0.%d.%d:1", i/250, i%250), i))
	}
	for range again {
		b.WriteString(from("10.0.0.1:2", 1))
	}
	got := onNodes(t, input{"n/out", b.String()})
	require.Len(t, got.Clients, 1000)
	assert.Equal(t, 1+again, counts(got.Clients)["10.0.0.1"])
	assert.Equal(t, clients-1000, got.OtherClients)
}

// TestClientThatFailsOftenIsShownWhoeverCameBefore: the internet's scanners come first.
func TestClientThatFailsOftenIsShownWhoeverCameBefore(t *testing.T) {
	var b strings.Builder
	const scanners, often = 3000, 200
	for i := range scanners {
		b.WriteString(from(fmt.Sprintf("[2001:db8::%x]:1", i), i))
	}
	for range often {
		b.WriteString(from("203.0.113.9:5", 1))
	}
	got := onNodes(t, input{"n/out", b.String()})
	require.Len(t, got.Clients, 1000)
	assert.Equal(t, often, counts(got.Clients)["203.0.113.9"])
	assert.Equal(t, scanners+often, got.OtherClients+often+999, "each failure is counted once")
}

func TestWithoutNodesNoneIsCounted(t *testing.T) {
	got := over(t, patterns.Filter{}, input{"out", rawLine(rejected)})
	assert.Empty(t, got.Nodes)
	assert.Equal(t, map[string]int{"out": 1}, counts(got.Sources))
}

// TestDebugRecordsBelongToRawLinesOfTheirOwnNode: what one node printed is no
// copy of another's failures.
func TestDebugRecordsBelongToRawLinesOfTheirOwnNode(t *testing.T) {
	raw, records := rawLine(rejected)+rawLine(rejected), closeRecord(1, rejected)+closeRecord(2, rejected)
	got := onNodes(t, input{"n1/stdout.log", raw}, input{"n2/info.log", records})
	assert.Equal(t, 4, got.Events)
	assert.Equal(t, map[string]int{"n1": 2, "n2": 2}, counts(got.Nodes))
	got = onNodes(t, input{"n1/stdout.log", raw}, input{"n2/stdout.log", raw}, input{"n2/info.log", records})
	assert.Equal(t, map[string]int{"n1": 2, "n2": 2}, counts(got.Nodes))
	assert.Equal(t, 2, got.Duplicates)
}

// TestEachPieceOfRawLinesHasItsOwnTime: two days of output, their debug records
// in one file.
func TestEachPieceOfRawLinesHasItsOwnTime(t *testing.T) {
	first, second := "2026-05-04T09:30:01+08:00 ", "2026-05-05T09:30:01+08:00 "
	later := strings.ReplaceAll(closeRecord(1, rejected), "2026-05-04", "2026-05-05")
	got := onNodes(t, input{"n1/out.1", first + rawLine(rejected)}, input{"n1/out", second + rawLine(rejected)}, input{"n1/info.log", closeRecord(1, rejected) + later})
	assert.Equal(t, 2, got.Events)
	assert.Equal(t, 2, got.Duplicates)
}

// inOneLog analyses one log of several nodes.
func inOneLog(t *testing.T, text string, given bool) patterns.Analysis {
	t.Helper()
	a, err := patterns.NewAnalyzer(loaded(t), patterns.Filter{})
	require.NoError(t, err)
	a.Node, a.ByNode, a.NodeGiven = path.Dir, true, given
	src := a.Source("folder/log")
	_, err = parser.Read(context.Background(), strings.NewReader(text), parser.Options{Zone: time.UTC}, func(rec *parser.Record) error {
		src.Add(rec)
		return nil
	})
	require.NoError(t, err)
	src.End()
	return a.Result()
}

// TestPodsOfOneLogAreToldApart: by what the log names, unless the user told how nodes are
// named; the raw line of one pod has no debug record of another's.
func TestPodsOfOneLogAreToldApart(t *testing.T) {
	var b strings.Builder
	for n := range 6 {
		pod := fmt.Sprintf("[pod/wukongim-%d/wukongim] 2026-05-04T01:30:0%d.000000001Z ", n%3, n)
		if n%3 == 2 {
			b.WriteString(pod + closeRecord(n, rejected))
		} else {
			b.WriteString(pod + rawLine(rejected))
		}
	}
	got := inOneLog(t, b.String(), false)
	assert.Equal(t, map[string]int{"wukongim-0": 2, "wukongim-1": 2, "wukongim-2": 2}, counts(got.Nodes))
	assert.Empty(t, got.Sources[0].Node, "it is of several")
	require.Len(t, got.Incidents, 1)
	assert.Equal(t, []string{"wukongim-0", "wukongim-1", "wukongim-2"}, got.Incidents[0].Nodes)

	got = inOneLog(t, b.String(), true)
	assert.Equal(t, map[string]int{"folder": 6}, counts(got.Nodes))
	assert.Equal(t, "folder", got.Sources[0].Node)
}

func TestNodesThatALogNamesAreBounded(t *testing.T) {
	var b strings.Builder
	for n := range 3000 {
		fmt.Fprintf(&b, "[pod/wukongim-%d/wukongim] %s", n, rawLine(rejected))
	}
	got := inOneLog(t, b.String(), false)
	assert.Equal(t, 3000, got.Events)
	assert.Len(t, got.Nodes, 1001, "the others are of the folder")
	assert.Equal(t, 2000, counts(got.Nodes)["folder"])
}

// TestDebugRecordsInAnotherFileMayBeOfAnyPodOfALog: none of them is counted again.
func TestDebugRecordsInAnotherFileMayBeOfAnyPodOfALog(t *testing.T) {
	raw, records := "", ""
	for n := range 4 {
		pod := fmt.Sprintf("[pod/wukongim-%d/wukongim] ", n)
		raw, records = raw+pod+rawLine(rejected), records+pod+closeRecord(n, rejected)
	}
	got := onNodes(t, input{"k/out", raw}, input{"k/records", records})
	assert.Equal(t, 4, got.Events)
	assert.Equal(t, 4, got.Duplicates)
}

// TestPanicOfOnePodIsNoCopyOfAnothers: the record of one, the trace of another.
func TestPanicOfOnePodIsNoCopyOfAnothers(t *testing.T) {
	const text = "x tls: failed to find any PEM data in certificate input"
	record := func(pod string) string {
		return "[pod/" + pod + `/wukongim] {"level":"panic","time":"2026-05-04T01:30:02Z","msg":"【Acceptor】` + text + `"}` + "\n"
	}
	trace := func(pod string) string { return "[pod/" + pod + "/wukongim] panic: 【Acceptor】" + text + "\n" }
	got := inOneLog(t, record("wukongim-0")+trace("wukongim-1"), false)
	assert.Equal(t, map[string]int{"wukongim-0": 1, "wukongim-1": 1}, counts(got.Nodes))
	got = inOneLog(t, record("wukongim-0")+record("wukongim-1")+trace("wukongim-1")+trace("wukongim-0"), false)
	assert.Equal(t, map[string]int{"wukongim-0": 1, "wukongim-1": 1}, counts(got.Nodes))
	assert.Equal(t, 2, got.Duplicates)
}
