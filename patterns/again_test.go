package patterns_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
)

// followed analyses live logs, as they are followed side by side.
type followed struct {
	t        *testing.T
	analyzer *patterns.Analyzer
	feeds    map[string]*parser.Feed
	sources  map[string]*patterns.Source
	told     int
	now      time.Time
}

func following(t *testing.T) *followed {
	f := &followed{t: t, now: time.Date(2026, 5, 4, 1, 30, 0, 0, time.UTC)}
	f.start(patterns.Memory{})
	return f
}

func (f *followed) start(m patterns.Memory) {
	a, err := patterns.NewAnalyzer(loaded(f.t), patterns.Filter{})
	require.NoError(f.t, err)
	a.Remember = 1000
	a.OnEvent = func(*patterns.Event) { f.told++ }
	a.Recall(m)
	f.analyzer, f.feeds, f.sources = a, map[string]*parser.Feed{}, map[string]*patterns.Source{}
}

// restart goes on with what was saved as JSON.
func (f *followed) restart() {
	data, err := json.Marshal(f.analyzer.Memory())
	require.NoError(f.t, err)
	var m patterns.Memory
	require.NoError(f.t, json.Unmarshal(data, &m))
	f.start(m)
}

func (f *followed) write(log, text string) {
	if f.feeds[log] == nil {
		src := f.analyzer.Source(log)
		f.sources[log] = src
		f.feeds[log] = parser.NewFeed(parser.Options{Zone: time.UTC}, func(rec *parser.Record) error {
			src.Add(rec)
			return nil
		})
	}
	require.NoError(f.t, f.feeds[log].Write([]byte(text), parser.Arrival{At: f.now, Waited: true}))
}

func (f *followed) wait(d time.Duration) { f.now = f.now.Add(d) }

// record is the debug record of a failure at the present time.
func (f *followed) record(id int) string {
	return fmt.Sprintf(`{"level":"debug","time":"%s","msg":"【ReactorSub-1】close connn","error":"%s","id":%d,"fd":9}`+"\n", f.now.Format(time.RFC3339Nano), rejected, id)
}

// TestFailureOfTwoLogsIsToldOnceInWhateverOrder lets the record reach the disk
// before, with and after the lines of standard output, with restarts between.
func TestFailureOfTwoLogsIsToldOnceInWhateverOrder(t *testing.T) {
	const file, out = "logs/info.log", "stdout.log"
	for _, delay := range []time.Duration{0, 300 * time.Millisecond, 2 * time.Second} {
		for name, steps := range map[string][]string{
			"the record first":               {"file", "raw record"},
			"the record first, in pieces":    {"file", "raw", "record"},
			"the output first":               {"raw record", "file"},
			"the record within the output":   {"raw", "file", "record"},
			"only the raw line, before":      {"raw", "file"},
			"only the raw line, after":       {"file", "raw"},
			"a record that has no raw line":  {"file", "record"},
			"a record without line, reverse": {"record", "file"},
		} {
			for restarts := range 1 << (len(steps) - 1) {
				t.Run(fmt.Sprintf("%s/%v/%b", name, delay, restarts), func(t *testing.T) {
					f := following(t)
					const failures = 3
					for id := range failures {
						record := f.record(id)
						for i, step := range steps {
							switch step {
							case "file":
								f.write(file, record)
							case "raw":
								f.write(out, rawLine(rejected))
							case "record":
								f.write(out, record)
							case "raw record":
								f.write(out, rawLine(rejected)+record)
							}
							f.wait(delay)
							if restarts>>i&1 == 1 {
								f.restart()
							}
						}
						f.wait(time.Second)
					}
					assert.Equal(t, failures, f.told)
				})
			}
		}
	}
}

func TestFailuresOfTwoNodesAreTwoWhereverTheyAre(t *testing.T) {
	f := following(t)
	f.analyzer.Node = func(log string) string { return log[:1] }
	f.write("a/logs/info.log", f.record(1))
	f.write("b/stdout.log", rawLine(rejected))
	assert.Equal(t, 2, f.told)
}

func TestLaterFailureIsNoTwinOfOneLongAgo(t *testing.T) {
	f := following(t)
	f.write("logs/info.log", f.record(1))
	f.wait(time.Minute)
	f.write("stdout.log", rawLine(rejected))
	assert.Equal(t, 2, f.told)
}

// TestFilteredLinesCountAsTheWholeLogDoes takes out what stands between the
// failures, as grep does.
func TestFilteredLinesCountAsTheWholeLogDoes(t *testing.T) {
	healthy := `{"level":"info","time":"2026-05-04T09:30:01+08:00","msg":"【Server】hello"}` + "\n"
	var whole, filtered strings.Builder
	add := func(line string) {
		whole.WriteString(line + strings.Repeat(healthy, 300))
		filtered.WriteString(line)
	}
	for range 40 { // a server at the default level, then the same one at debug
		add(rawLine(rejected))
	}
	for i := range 40 {
		add(closeRecord(i, rejected))
	}
	want := over(t, patterns.Filter{}, input{"out", whole.String()}).Events
	assert.Equal(t, 80, want)
	got := over(t, patterns.Filter{}, input{"out", filtered.String()}).Events
	assert.GreaterOrEqual(t, got, want-2, "where the level changed a record stands right behind a raw line")
}

func TestRecordOfAnotherContainerIsNoTwin(t *testing.T) {
	got := over(t, patterns.Filter{}, input{"compose.log", "node-1  | " + rawLine(rejected) + "node-2  | " + closeRecord(1, rejected)})
	assert.Equal(t, 2, got.Events)
}

func TestMemoryStaysSmall(t *testing.T) {
	f := following(t)
	for id := range 20_000 {
		f.write("logs/info.log", f.record(id))
		f.write("stdout.log", rawLine(fmt.Sprintf("read tcp 10.0.0.1:5210->10.0.0.2:%d: i/o timeout", id)))
		f.wait(time.Millisecond)
	}
	data, err := json.Marshal(f.analyzer.Memory())
	require.NoError(t, err)
	assert.Less(t, len(data), 3<<20)
}

// TestRecordsOfALogThatHasEndedAreNotHeld but for few that are shown: a large log of an
// engine comes in many parts.
func TestRecordsOfALogThatHasEndedAreNotHeld(t *testing.T) {
	a, err := patterns.NewAnalyzer(loaded(t), patterns.Filter{})
	require.NoError(t, err)
	const parts, most = 20, 200
	var records []weak.Pointer[parser.Record]
	for part := range parts {
		src := a.Source("vlogs:pod/im/wukongim-0")
		var text strings.Builder
		for id := range most {
			text.WriteString(closeRecord(part*most+id, rejected))
		}
		_, err := parser.Read(t.Context(), strings.NewReader(text.String()), parser.Options{}, func(rec *parser.Record) error {
			records = append(records, weak.Make(rec))
			src.Add(rec)
			return nil
		})
		require.NoError(t, err)
		src.End()
	}
	runtime.GC()
	held := 0
	for _, rec := range records {
		if rec.Value() != nil {
			held++
		}
	}
	require.Equal(t, parts*most, len(records))
	assert.Less(t, held, most)
	runtime.KeepAlive(a)
}
