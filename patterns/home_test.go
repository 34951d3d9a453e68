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

// kubelet puts a time and a stream before each line, as a log of CRI has them.
func kubelet(text string) string {
	var b strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		n++
		fmt.Fprintf(&b, "2026-05-04T01:30:00.00000000%dZ stdout F %s", n, line)
	}
	return b.String()
}

// inLabels puts the text into lines of a shipper that names its writer by a label.
func inLabels(text, label, name string) string {
	var b strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		n++
		fmt.Fprintf(&b, `{"labels":{"app":"wukongim",%q:%q},"line":%q,"timestamp":"2026-05-04T01:30:00.00000000%dZ"}`+"\n", label, name, strings.TrimSuffix(line, "\n"), n)
	}
	return b.String()
}

func podLog(namespace, pod string, number int) string {
	return fmt.Sprintf("/var/log/pods/%s_%s_0a1b2c3d-1111-2222-3333-44445555666%d/wukongim/0.log", namespace, pod, number)
}

// TestEqualLogsAreOfOneWriterOnlyWhereTheyMayBe has the same lines, at the same times, in
// two logs: their writers are other ones, or the one log is a copy.
func TestEqualLogsAreOfOneWriterOnlyWhereTheyMayBe(t *testing.T) {
	text := rawLine(rejected) + closeRecord(1, rejected) + rawLine(rejected) + closeRecord(2, rejected)
	container := func(c string) string { return strings.Repeat(c, 64) }
	for name, c := range map[string]struct {
		a, b   input
		events int
	}{
		"two pods":                       {input{podLog("im", "wukongim-0", 0), kubelet(text)}, input{podLog("im", "wukongim-1", 1), kubelet(text)}, 4},
		"pods of one name":               {input{podLog("im", "wukongim-0", 0), kubelet(text)}, input{podLog("test", "wukongim-0", 1), kubelet(text)}, 4},
		"pods in the archives of nodes":  {input{"n1.tgz!" + podLog("im", "wukongim-0", 0), kubelet(text)}, input{"n2.tgz!" + podLog("im", "wukongim-1", 1), kubelet(text)}, 4},
		"a pod and its link":             {input{podLog("im", "wukongim-0", 0), kubelet(text)}, input{"/var/log/containers/wukongim-0_im_wukongim-" + container("0") + ".log", kubelet(text)}, 2},
		"links of two pods":              {input{"c/wukongim-0_im_wukongim-" + container("0") + ".log", kubelet(text)}, input{"c/wukongim-1_im_wukongim-" + container("1") + ".log", kubelet(text)}, 4},
		"a pod twice":                    {input{podLog("im", "wukongim-0", 0), kubelet(text)}, input{"copy" + podLog("im", "wukongim-0", 0), kubelet(text)}, 2},
		"a pod by its file and by kail":  {input{podLog("im", "wukongim-0", 0), text}, input{"k.log", "im/wukongim-0[wukongim]: " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\nim/wukongim-0[wukongim]: ")}, 2},
		"a pod without its namespace":    {input{podLog("im", "wukongim-0", 0), text}, input{"k.log", "[pod/wukongim-0/wukongim] " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n[pod/wukongim-0/wukongim] ")}, 2},
		"containers of Docker":           {input{"containers/" + container("a") + "/" + container("a") + "-json.log", kubelet(text)}, input{"containers/" + container("b") + "/" + container("b") + "-json.log", kubelet(text)}, 4},
		"containers of Podman":           {input{"overlay-containers/" + container("a") + "/userdata/ctr.log", kubelet(text)}, input{"overlay-containers/" + container("b") + "/userdata/ctr.log", kubelet(text)}, 4},
		"a container twice":              {input{"containers/" + container("a") + "/" + container("a") + "-json.log", kubelet(text)}, input{"containers/" + container("a") + "/" + container("a") + "-json.log.1", kubelet(text)}, 2},
		"a container and its volume":     {input{"containers/" + container("a") + "/" + container("a") + "-json.log", kubelet(text)}, input{"data/logs/info.log", closeRecord(1, rejected) + closeRecord(2, rejected)}, 2},
		"labels of two pods":             {input{"a.json", inLabels(text, "pod", "wukongim-0")}, input{"b.json", inLabels(text, "pod", "wukongim-1")}, 4},
		"labels of two hosts":            {input{"a.json", inLabels(text, "host", "im01")}, input{"b.json", inLabels(text, "host", "im02")}, 4},
		"one host by its two names":      {input{"a.json", inLabels(text, "host", "im01")}, input{"b.json", inLabels(text, "instance", "192.0.2.1")}, 2},
		"labels of one pod":              {input{"a.json", inLabels(text, "pod", "wukongim-0")}, input{"b.json", inLabels(text, "pod", "wukongim-0")}, 2},
		"one container by its two names": {input{"a.json", inLabels(text, "container", "im-wukongim-1")}, input{"b.json", inLabels(text, "container", "wukongim-1")}, 2},
		"folders":                        {input{"n1/stdout.log", kubelet(text)}, input{"n2/stdout.log", kubelet(text)}, 2},
		"archives of two days":           {input{"im-0504.tgz!out.log", kubelet(text)}, input{"im-0505.tgz!out.log", kubelet(text)}, 2},
	} {
		got := over(t, patterns.Filter{}, c.a, c.b)
		assert.Equal(t, c.events, got.Events, name)
		got = over(t, patterns.Filter{}, c.b, c.a)
		assert.Equal(t, c.events, got.Events, "%s, the other way round", name)
	}
}

// TestNodesThatTheUserNamedAreOthers: what a folder does not say for sure, he does.
func TestNodesThatTheUserNamedAreOthers(t *testing.T) {
	text := kubelet(rawLine(rejected) + closeRecord(1, rejected))
	for given, events := range map[bool]int{false: 1, true: 2} {
		a, err := patterns.NewAnalyzer(loaded(t), patterns.Filter{})
		require.NoError(t, err)
		a.Node, a.NodeGiven = path.Dir, given
		for _, name := range []string{"n1/stdout.log", "n2/stdout.log"} {
			read(t, a, input{name, text})
		}
		assert.Equal(t, events, a.Result().Events)
	}
}

// TestPodsAreToldApartAfterARestartToo: what was told of one pod before it is no copy of
// another's, and its own is.
func TestPodsAreToldApartAfterARestartToo(t *testing.T) {
	first, second := input{podLog("im", "wukongim-0", 0), kubelet(closeRecord(1, rejected))}, input{podLog("im", "wukongim-1", 1), kubelet(closeRecord(1, rejected))}
	before, err := patterns.NewAnalyzer(loaded(t), patterns.Filter{})
	require.NoError(t, err)
	readLive(t, before, first)
	after, err := patterns.NewAnalyzer(loaded(t), patterns.Filter{})
	require.NoError(t, err)
	after.Recall(before.Memory())
	readLive(t, after, input{"copy" + first.name, first.text})
	readLive(t, after, second)
	result := after.Result()
	assert.Equal(t, 1, result.Events)
	assert.Equal(t, []string{second.name}, names(result.Sources))
}

// TestContainersOfOneLogAreToldApart where the log is of no node; where it is of one, that
// is the machine on which they run.
func TestContainersOfOneLogAreToldApart(t *testing.T) {
	text := "wukongim1-1  | " + rawLine(rejected) + "wukongim2-1  | " + rawLine(rejected)
	for folder, want := range map[string]map[string]int{"": {"wukongim1-1": 1, "wukongim2-1": 1}, "n1": {"n1": 2}} {
		a, err := patterns.NewAnalyzer(loaded(t), patterns.Filter{})
		require.NoError(t, err)
		a.Node, a.ByNode = func(string) string { return folder }, true
		read(t, a, input{"compose.log", text})
		assert.Equal(t, want, counts(a.Result().Nodes))
	}
}

// TestFileOfTheServerBesideTheLogOfItsContainerRepeatsIt: compose names the container, the
// file none.
func TestFileOfTheServerBesideTheLogOfItsContainerRepeatsIt(t *testing.T) {
	got := onNodes(t, input{"n1/compose.log", "wukongim-1  | " + rawLine(rejected)}, input{"n1/info.log", closeRecord(1, rejected)})
	assert.Equal(t, 1, got.Events)
}

// read adds the records of a log.
func read(t *testing.T, a *patterns.Analyzer, log input) { t.Helper(); readAt(t, a, log, time.Time{}) }

// readLive adds them as they come.
func readLive(t *testing.T, a *patterns.Analyzer, log input) {
	t.Helper()
	readAt(t, a, log, time.Date(2026, 5, 4, 1, 30, 1, 0, time.UTC))
}

func readAt(t *testing.T, a *patterns.Analyzer, log input, arrived time.Time) {
	t.Helper()
	src := a.Source(log.name)
	_, err := parser.Read(context.Background(), strings.NewReader(log.text), parser.Options{Zone: time.UTC}, func(rec *parser.Record) error {
		rec.Arrived = arrived
		src.Add(rec)
		return nil
	})
	require.NoError(t, err)
	src.End()
}

func names(places []patterns.Place) []string {
	list := []string{}
	for _, p := range places {
		list = append(list, p.Name)
	}
	return list
}
