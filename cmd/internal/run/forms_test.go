package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/source"
	"wklog/parser"
	"wklog/patterns"
)

// servers are recordings of servers, each taken for a pod.
var servers = []string{
	"../../../testdata/wukongim/scenarios/chain-incomplete-mixed-raw.log", "../../../testdata/wukongim/scenarios/clock-behind-apps-raw.log",
	"../../../testdata/wukongim/scenarios/untrusted-ca-mixed-docker-t.log",
}

// pod are the lines of one server with the times at which they came.
type pod struct {
	name  string
	at    []int64
	lines []string
}

// printed is the time that a line has itself.
var printed = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\S+) |"time":"([^"]+)"`)

// pods reads the servers. A line without a time came right before the next that has one.
func pods(t *testing.T) []pod {
	t.Helper()
	var list []pod
	for n, path := range servers {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		p := pod{name: fmt.Sprintf("wukongim-%d", n)}
		last := int64(0)
		for text := range strings.Lines(string(data)) {
			text = strings.TrimSuffix(text, "\n")
			if m := printed.FindStringSubmatch(text); m != nil {
				at, err := time.Parse(time.RFC3339Nano, m[1]+m[2])
				if err != nil {
					at, err = time.ParseInLocation("2006-01-02 15:04:05", m[2], time.FixedZone("", 8*3600))
				}
				require.NoError(t, err)
				last = max(last+1, at.UnixNano())
			} else {
				last++
			}
			p.at, p.lines = append(p.at, last), append(p.lines, text)
		}
		list = append(list, p)
	}
	return list
}

// outcome is what an analysis counts.
type outcome struct {
	events, duplicates, unclassified int
	nodes, patterns                  map[string]int
}

func outcomeOf(t *testing.T, path string, node func(string) string) outcome {
	t.Helper()
	c, err := patterns.Load()
	require.NoError(t, err)
	a, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	a.Node, a.ByNode = node, true
	b := &Batch{Core: NewCore(a, c.ReadOptions(), nil), Args: []string{path}, Jobs: 1}
	require.Empty(t, b.Run(t.Context()))
	result := a.Result()
	o := outcome{duplicates: result.Duplicates, unclassified: result.Unclassified, nodes: map[string]int{}, patterns: map[string]int{}}
	for _, f := range result.Findings {
		o.events += f.Count
		o.patterns[f.Pattern.ID] = f.Count
		assert.False(t, f.First.IsZero(), f.Pattern.ID)
	}
	for _, n := range result.Nodes {
		o.nodes[strings.TrimPrefix(n.Name, "im/")] = n.Count
	}
	for _, log := range b.logs {
		assert.False(t, log.Stats.Last.Before(log.Stats.First), log.Name)
		assert.False(t, log.Stats.First.IsZero(), log.Name)
	}
	return o
}

// entry is one of a document.
type entry struct {
	pod  int
	at   int64
	text string
}

// guessed is the level that Loki guesses and puts among the labels.
func guessed(text string) string {
	if strings.Contains(text, `"level":"debug"`) {
		return "debug"
	}
	return "unknown"
}

// inOne puts the entries of all pods into the order of time, as a store answers.
func inOne(list []pod) []entry {
	var all []entry
	for n, p := range list {
		for i := range p.lines {
			all = append(all, entry{pod: n, at: p.at[i], text: p.lines[i]})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return int(min(max(a.at-b.at, -1), 1)) })
	return all
}

func labelsOf(p string) map[string]string {
	return map[string]string{"namespace": "im", "pod": p, "container": "wukongim", "app": "wukongim", "service_name": "wukongim"}
}

// lokiOf is an answer of query_range.
func lokiOf(list []pod, backward, categorized, split bool) any {
	type stream struct {
		Stream map[string]string `json:"stream"`
		Values [][]any           `json:"values"`
	}
	var streams []stream
	for _, p := range list {
		levels := []string{""}
		if split {
			levels = []string{"debug", "unknown"}
		}
		for _, level := range levels {
			s := stream{Stream: labelsOf(p.name)}
			if split {
				s.Stream["detected_level"], s.Stream["__stream_shard__"] = level, "1"
			}
			for i, text := range p.lines {
				if split && guessed(text) != level {
					continue
				}
				value := []any{strconv.FormatInt(p.at[i], 10), text}
				if categorized {
					value = append(value, map[string]any{"structuredMetadata": map[string]string{"detected_level": guessed(text)}})
				}
				s.Values = append(s.Values, value)
			}
			if backward {
				slices.Reverse(s.Values)
			}
			streams = append(streams, s)
		}
	}
	return map[string]any{"status": "success", "data": map[string]any{"resultType": "streams", "result": streams, "stats": map[string]any{}}}
}

func grafanaOf(list []pod) any {
	rows := []map[string]any{}
	for _, e := range inOne(list) {
		fields := labelsOf(list[e.pod].name)
		fields["detected_level"] = guessed(e.text)
		rows = append(rows, map[string]any{"line": e.text, "timestamp": strconv.FormatInt(e.at, 10), "date": time.Unix(0, e.at).UTC().Format("2006-01-02T15:04:05.000Z"), "fields": fields})
	}
	slices.Reverse(rows)
	return rows
}

func written(t *testing.T, v any, indent string) string {
	t.Helper()
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(indent == "")
	encoder.SetIndent("", indent)
	require.NoError(t, encoder.Encode(v))
	return b.String()
}

// victoriaOf are VictoriaLogs' lines, with records taken apart if asked for, as its
// endpoint for Loki's push does (v1.52.1).
func victoriaOf(t *testing.T, list []pod, exploded bool) string {
	t.Helper()
	var b strings.Builder
	for _, e := range inOne(list) {
		p := list[e.pod].name
		fields := map[string]any{
			"_msg": e.text, "_time": time.Unix(0, e.at).UTC().Format(time.RFC3339Nano), "_stream_id": "00", "_stream": `{namespace="im",pod="` + p + `"}`, "namespace": "im", "pod": p,
		}
		var record map[string]any
		if exploded && json.Unmarshal([]byte(e.text), &record) == nil {
			fields["_msg"] = "missing _msg field; see https://docs.victoriametrics.com/victorialogs/keyconcepts/#message-field"
			for key, value := range record {
				fields[key] = fmt.Sprint(value)
			}
		}
		b.WriteString(written(t, fields, ""))
	}
	return b.String()
}

// inLines prints objects as vlogscli does by default (v1.52.1).
func inLines(t *testing.T, objects string) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("executing [{namespace=\"im\"}]...; duration: 0.005s\n")
	for line := range strings.Lines(objects) {
		require.NoError(t, json.Indent(&b, []byte(line), "", "  "))
	}
	return b.String()
}

func linesOf(list []pod, line func(p string, at time.Time, text string) string) string {
	var b strings.Builder
	for _, e := range inOne(list) {
		b.WriteString(line(list[e.pod].name, time.Unix(0, e.at), e.text) + "\n")
	}
	return b.String()
}

// TestWhatAnEngineGivesIsAnalysedLikeTheFiles: events, duplicates, what was not
// recognised, and the failures of each pod.
func TestWhatAnEngineGivesIsAnalysedLikeTheFiles(t *testing.T) {
	list, dir := pods(t), t.TempDir()
	files := filepath.Join(dir, "files")
	require.NoError(t, os.Mkdir(files, 0o700))
	for _, p := range list {
		text := linesOf([]pod{p}, func(_ string, at time.Time, text string) string {
			return at.UTC().Format("2006-01-02T15:04:05.000000000Z") + " " + text
		})
		require.NoError(t, os.WriteFile(filepath.Join(files, p.name+".log"), []byte(text), 0o600))
	}
	want := outcomeOf(t, files, func(log string) string { return strings.TrimSuffix(filepath.Base(log), ".log") })
	require.Len(t, want.nodes, len(list))
	require.Positive(t, want.duplicates)

	for name, text := range map[string]string{
		"query_range":                    written(t, lokiOf(list, false, false, false), ""),
		"query_range indented":           written(t, lokiOf(list, false, false, false), "    "),
		"query_range backward":           written(t, lokiOf(list, true, false, false), ""),
		"query_range categorized":        written(t, lokiOf(list, true, true, false), ""),
		"query_range of several streams": written(t, lokiOf(list, true, false, true), ""),
		"Grafana's download":             written(t, grafanaOf(list), ""),
		"Grafana's download indented":    written(t, grafanaOf(list), " "),
		"VictoriaLogs":                   victoriaOf(t, list, false),
		"VictoriaLogs exploded":          victoriaOf(t, list, true),
		"vlogscli":                       inLines(t, victoriaOf(t, list, false)),
		"vlogscli exploded":              inLines(t, victoriaOf(t, list, true)),
		"logcli": linesOf(list, func(p string, at time.Time, text string) string {
			return at.Format("2006-01-02T15:04:05.999999999Z07:00") + ` {detected_level="` + guessed(text) + `", namespace="im", pod="` + p + `"} ` + text
		}),
		"logcli jsonl": linesOf(list, func(p string, at time.Time, text string) string {
			labels := labelsOf(p)
			labels["detected_level"] = guessed(text)
			return strings.TrimSpace(written(t, map[string]any{"labels": labels, "line": text, "timestamp": at.Format(time.RFC3339Nano)}, ""))
		}),
		"kubectl": linesOf(list, func(p string, at time.Time, text string) string {
			return "[pod/" + p + "/wukongim] " + at.UTC().Format(time.RFC3339Nano) + " " + text
		}),
		"stern": linesOf(list, func(p string, at time.Time, text string) string {
			return p + " wukongim " + at.UTC().Format(time.RFC3339Nano) + " " + text
		}),
		"stern json": linesOf(list, func(p string, at time.Time, text string) string {
			return `{"message":` + strings.TrimSpace(written(t, at.UTC().Format(time.RFC3339Nano)+" "+text, "")) +
				`,"nodeName":"n1","namespace":"im","podName":"` + p + `","containerName":"wukongim"}`
		}),
		"stern extjson": linesOf(list, func(p string, at time.Time, text string) string {
			return `{"pod": "` + p + `", "container": "wukongim", "message": ` + strings.TrimSpace(written(t, at.UTC().Format(time.RFC3339Nano)+" "+text, "")) + `}`
		}),
		"kail": linesOf(list, func(p string, at time.Time, text string) string {
			return "im/" + p + "[wukongim]: " + at.UTC().Format(time.RFC3339Nano) + " " + text
		}),
		"docker compose": linesOf(list, func(p string, at time.Time, text string) string {
			return p + "   | " + at.UTC().Format("2006-01-02T15:04:05.000000000Z") + " " + text
		}),
		"stern of all namespaces": linesOf(list, func(p string, at time.Time, text string) string {
			return "im " + p + " wukongim " + at.UTC().Format(time.RFC3339Nano) + " " + text
		}),
	} {
		path := filepath.Join(dir, "log")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		assert.Equal(t, want, outcomeOf(t, path, nil), name)
	}
}

// TestPodsOfANodeOfKubernetesAreToldApart: the folder in which the kubelet keeps them.
func TestPodsOfANodeOfKubernetesAreToldApart(t *testing.T) {
	list, dir := pods(t), filepath.Join(t.TempDir(), "pods")
	for n, p := range list {
		folder := filepath.Join(dir, fmt.Sprintf("im_%s_0a1b2c3d-1111-2222-3333-44445555666%d", p.name, n), "wukongim")
		require.NoError(t, os.MkdirAll(folder, 0o700))
		half := len(p.lines) / 2
		for name, part := range map[string]pod{"0.log.20260504-013000": {p.name, p.at[:half], p.lines[:half]}, "0.log": {p.name, p.at[half:], p.lines[half:]}} {
			text := linesOf([]pod{part}, func(_ string, at time.Time, text string) string {
				return at.Format(time.RFC3339Nano) + " stdout F " + text
			})
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
		}
	}
	got := outcomeOf(t, dir, source.NodesOf([]string{dir}))
	assert.Len(t, got.nodes, len(list))
	assert.Zero(t, got.unclassified)
}

// TestReplicasOfASwarmAreToldApart: docker service logs names a task, which is another one
// after each restart of a replica.
func TestReplicasOfASwarmAreToldApart(t *testing.T) {
	list, path := pods(t), filepath.Join(t.TempDir(), "log")
	n := 0
	text := linesOf(list, func(p string, at time.Time, text string) string {
		n++
		task := []string{"x9k2mabcdefg", "p0w3qhijklmn"}[n%2]
		return "im_wukongim." + strings.TrimPrefix(p, "wukongim-") + "." + task + "@im01    | " + at.UTC().Format(time.RFC3339Nano) + " " + text
	})
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	got := outcomeOf(t, path, nil)
	assert.ElementsMatch(t, []string{"im_wukongim.0@im01", "im_wukongim.1@im01", "im_wukongim.2@im01"}, slices.Collect(maps.Keys(got.nodes)))
}

// TestPartsOfALogAreOneInput: of a document that is too large to be held at once.
func TestPartsOfALogAreOneInput(t *testing.T) {
	at := time.Date(2026, 5, 4, 1, 30, 0, 0, time.UTC)
	part := func(from time.Duration) parser.Stats {
		return parser.Stats{Lines: 2, First: at.Add(from), Last: at.Add(from + time.Hour), Traffic: parser.Traffic{Step: 2048, Times: []time.Time{at.Add(from)}}}
	}
	c := &Core{}
	c.read("d.json!p", part(5*time.Hour), nil)
	c.read("d.json!q", part(0), nil)
	got := c.readMore("d.json!p", part(0), nil)
	require.Len(t, c.logs, 2)
	assert.EqualValues(t, 4, got.Lines)
	assert.Equal(t, at, got.First)
	assert.Equal(t, at.Add(6*time.Hour), got.Last)
	assert.Equal(t, []time.Time{at, at.Add(5 * time.Hour)}, got.Traffic.Times)
}

// TestNewestFirstIsToldFromItsFirstTimeToItsLast: logcli prints so by default.
func TestNewestFirstIsToldFromItsFirstTimeToItsLast(t *testing.T) {
	list := pods(t)
	text := linesOf(list, func(p string, at time.Time, text string) string {
		return at.Format("2006-01-02T15:04:05.999999999Z07:00") + ` {detected_level="` + guessed(text) + `", namespace="im", pod="` + p + `"} ` + text
	})
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Reverse(lines)
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600))
	got := outcomeOf(t, path, nil)
	assert.Len(t, got.nodes, len(list))
}
