package patterns_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
)

// monthBegins is when the logs of these tests begin.
var monthBegins = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// diary is a log that is written line by line.
type diary struct{ lines map[time.Time]string }

func newDiary() *diary { return &diary{lines: map[time.Time]string{}} }

// fail writes failures of some kinds in turn, from one hour of the month to another.
func (d *diary) fail(from, to, every float64, errs ...string) *diary {
	n := 0
	for at := from; at < to && len(errs) > 0; at += every {
		d.say(at, strings.TrimSpace(rawLine(errs[n%len(errs)])))
		n++
	}
	return d
}

// work writes what a server without failures does.
func (d *diary) work(from, to, every float64) *diary {
	for at := from + every/3; at < to; at += every {
		d.say(at, `{"level":"info","msg":"【CacheManager】Cache cleanup loop stopped"}`)
	}
	return d
}

func (d *diary) say(hour float64, line string) {
	at := monthBegins.Add(time.Duration(hour * float64(time.Hour)))
	for d.lines[at] != "" {
		at = at.Add(time.Millisecond)
	}
	d.lines[at] = line
}

func (d *diary) text() string {
	times := []time.Time{}
	for at := range d.lines {
		times = append(times, at)
	}
	slices.SortFunc(times, time.Time.Compare)
	var b strings.Builder
	for _, at := range times {
		b.WriteString(at.Format(time.RFC3339Nano) + " " + d.lines[at] + "\n")
	}
	return b.String()
}

// incidentsOf analyses the diaries of nodes.
func incidentsOf(t testing.TB, byNode map[string]*diary) patterns.Analysis {
	t.Helper()
	return analyzerOf(t, byNode).Result()
}

// analyzerOf has read the diaries of nodes.
func analyzerOf(t testing.TB, byNode map[string]*diary) *patterns.Analyzer {
	t.Helper()
	c := loaded(t)
	a, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	a.Node = func(source string) string { node, _, _ := strings.Cut(source, "/"); return node }
	names := []string{}
	for name := range byNode {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		src := a.Source(name + "/stdout.log")
		stats, err := parser.Read(context.Background(), strings.NewReader(byNode[name].text()), c.ReadOptions(), func(rec *parser.Record) error {
			src.Add(rec)
			return nil
		})
		require.NoError(t, err)
		src.Traffic(stats.Traffic)
		src.End()
	}
	return a
}

const (
	firstRecord = "tls: first record does not look like a TLS handshake"
	expired     = "remote error: tls: expired certificate"
	unknownCA   = "remote error: tls: unknown certificate authority"
	hidden      = "local error: tls: bad record MAC" // also of some that pass by
)

// hours are the first and the last hour of an incident, rounded.
func hours(in *patterns.Incident) string {
	return fmt.Sprintf("%.0f-%.0f", in.First.Sub(monthBegins).Hours(), in.Last.Sub(monthBegins).Hours())
}

func told(a *patterns.Analysis) []string {
	list := []string{}
	for i := range a.Incidents {
		in := &a.Incidents[i]
		list = append(list, fmt.Sprintf("%s %s %s", in.Diagnosis[0].Cause.ID, hours(in), strings.Join(in.Nodes, ",")))
	}
	return list
}

func TestTwoFaultsOneAfterTheOtherAreTwoIncidents(t *testing.T) {
	got := incidentsOf(t, map[string]*diary{"im01": newDiary().work(0, 700, 1).fail(50, 120, 0.5, expired).fail(140, 200, 0.5, unknownCA)})
	require.Len(t, got.Incidents, 2)
	assert.Contains(t, []string{"untrusted-ca", "chain-incomplete"}, got.Incidents[0].Diagnosis[0].Cause.ID)
	assert.Equal(t, "140-200", hours(&got.Incidents[0]), "the newest stands first")
	assert.Equal(t, "cert-expired 50-120 im01", told(&got)[1])
	assert.Equal(t, got.Incidents[0].Diagnosis, got.Diagnosis)
	assert.Equal(t, got.Events, got.Incidents[0].Events+got.Incidents[1].Events, "each failure is counted once")
}

func TestFaultThatComesBackAfterALongSilenceIsTwoIncidents(t *testing.T) {
	d := newDiary().work(0, 700, 0.5).fail(50, 120, 0.5, expired).fail(400, 460, 0.5, expired)
	got := incidentsOf(t, map[string]*diary{"im01": d})
	assert.Equal(t, []string{"cert-expired 400-460 im01", "cert-expired 50-120 im01"}, told(&got))
}

func TestSilenceWithoutTrafficIsNoRepair(t *testing.T) {
	d := newDiary().work(0, 121, 0.2).fail(50, 120, 0.5, expired).fail(300, 360, 0.5, expired).work(299, 700, 0.2)
	got := incidentsOf(t, map[string]*diary{"im01": d})
	assert.Equal(t, []string{"cert-expired 50-360 im01"}, told(&got), "the server was off")
}

func TestLogThatEndsIsNoRepair(t *testing.T) {
	ends := incidentsOf(t, map[string]*diary{"im01": newDiary().work(0, 120, 0.5).fail(50, 120, 0.5, expired)})
	assert.True(t, ends.Incidents[0].Ongoing)
	goesOn := incidentsOf(t, map[string]*diary{"im01": newDiary().work(0, 400, 0.5).fail(50, 120, 0.5, expired)})
	assert.False(t, goesOn.Incidents[0].Ongoing)
	assert.Greater(t, goesOn.Incidents[0].Over, 0.9)
}

func TestWhatPassesByIsOfNoIncident(t *testing.T) {
	d := newDiary().work(0, 700, 1).fail(1, 700, 9, firstRecord).fail(200, 260, 0.5, expired)
	got := incidentsOf(t, map[string]*diary{"im01": d})
	assert.Equal(t, []string{"cert-expired 200-260 im01"}, told(&got))
	require.Len(t, got.Passing, 1)
	assert.Equal(t, "first-record-not-tls", got.Passing[0].Pattern.ID)
	assert.Equal(t, 78, got.Passing[0].Count)
	assert.Equal(t, got.Events, got.Incidents[0].Events+got.Passing[0].Count, "each failure is counted once")
}

func TestWhatAlsoPassesByIsAnIncidentWhereItIsMuchMore(t *testing.T) {
	d := newDiary().work(0, 700, 1).fail(1, 700, 9, firstRecord).fail(200, 260, 0.5, expired).fail(300, 340, 0.1, firstRecord)
	got := incidentsOf(t, map[string]*diary{"im01": d})
	assert.Equal(t, []string{"plaintext-on-tls-port 300-340 im01", "cert-expired 200-260 im01"}, told(&got))
}

func TestNodesThatBehaveAlikeHaveOneIncident(t *testing.T) {
	alike := func() *diary { return newDiary().work(0, 700, 1).fail(200, 260, 0.5, expired) }
	other := newDiary().work(0, 700, 1).fail(210, 250, 0.5, unknownCA)
	got := incidentsOf(t, map[string]*diary{"im01": alike(), "im02": alike(), "im03": other, "im04": newDiary().work(0, 700, 1)})
	require.Len(t, got.Incidents, 2)
	assert.Equal(t, "cert-expired 200-260 im01,im02", told(&got)[0])
	assert.Equal(t, []string{"im03"}, got.Incidents[1].Nodes)
}

func TestEvidenceThatTheLeadingCauseDoesNotExplainIsNamed(t *testing.T) {
	d := newDiary().work(0, 700, 1).fail(200, 260, 0.2, expired).fail(220, 225, 2, "tls: no cipher suite supported by both client and server")
	got := incidentsOf(t, map[string]*diary{"im01": d})
	require.NotEmpty(t, got.Incidents)
	in := got.Incidents[len(got.Incidents)-1]
	assert.Equal(t, "cert-expired", in.Diagnosis[0].Cause.ID)
	require.Len(t, in.Unexplained, 1)
	assert.Equal(t, "no-common-cipher", in.Unexplained[0].Pattern.ID)
}

// TestEveryServerOfTheScenariosHasItsIncident reads the whole folder as one input.
func TestEveryServerOfTheScenariosHasItsIncident(t *testing.T) {
	c := loaded(t)
	a, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	alone, want := map[string]string{}, 0
	for _, s := range readJSONL[scenario](t, "scenarios/truth.jsonl") {
		data, err := os.ReadFile(filepath.Join(recordings, "scenarios", s.File))
		require.NoError(t, err)
		_, result := analysed(t, c, string(data))
		if s.Cause == "ok" {
			continue
		}
		require.Len(t, result.Incidents, 1, s.File)
		assert.Empty(t, result.Passing, s.File)
		assert.Equal(t, result.Diagnosis, result.Incidents[0].Diagnosis)
		alone[s.File] = result.Diagnosis[0].Cause.ID
		want++
	}
	for file := range alone {
		data, err := os.ReadFile(filepath.Join(recordings, "scenarios", file))
		require.NoError(t, err)
		src := a.Source("scenarios/" + file)
		stats, err := parser.Read(context.Background(), strings.NewReader(string(data)), c.ReadOptions(), func(rec *parser.Record) error {
			src.Add(rec)
			return nil
		})
		require.NoError(t, err)
		src.Traffic(stats.Traffic)
		src.End()
	}
	result := a.Result()
	assert.Len(t, result.Incidents, want)
	for _, in := range result.Incidents {
		require.Len(t, in.Sources, 1)
		assert.Equal(t, alone[filepath.Base(in.Sources[0])], in.Diagnosis[0].Cause.ID, in.Sources[0])
	}
}

func TestFailuresWithoutTimesAreOneIncident(t *testing.T) {
	_, got := analysed(t, loaded(t), strings.Repeat(rawLine(rejected), 40)+strings.Repeat(rawLine(expired), 40))
	require.Len(t, got.Incidents, 1)
	assert.True(t, got.Incidents[0].First.IsZero())
	assert.Equal(t, 80, got.Incidents[0].Events)
}

// TestMemoryOfIncidentsIsBounded has more windows than are kept.
func TestMemoryOfIncidentsIsBounded(t *testing.T) {
	c := loaded(t)
	a, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	a.Alone = true
	src := a.Source("-")
	at := monthBegins
	const failures = 250_000
	for range failures {
		at = at.Add(37 * time.Second)
		entry := parser.Unwrap([]byte(at.Format(time.RFC3339) + " " + strings.TrimSpace(rawLine(expired))))
		rec := parser.Parse(entry)
		rec.Stamp.Time = at
		src.Add(rec)
	}
	got := a.Result()
	require.Len(t, got.Incidents, 1)
	assert.Equal(t, failures, got.Incidents[0].Events)
	assert.Equal(t, monthBegins.Add(37*time.Second), got.Incidents[0].First.UTC())
	assert.Equal(t, at, got.Incidents[0].Last.UTC())
	assert.LessOrEqual(t, len(a.Memory().Sights), 4096)
}

// TestIncidentOutlastsARestart recalls what an earlier run saw.
func TestIncidentOutlastsARestart(t *testing.T) {
	c := loaded(t)
	read := func(a *patterns.Analyzer, text string) {
		src := a.Source("stdout.log")
		stats, err := parser.Read(context.Background(), strings.NewReader(text), c.ReadOptions(), func(rec *parser.Record) error {
			src.Add(rec)
			return nil
		})
		require.NoError(t, err)
		src.Traffic(stats.Traffic)
	}
	first, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	read(first, newDiary().work(0, 50, 0.5).fail(10, 50, 0.5, expired).text())
	second, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	second.Recall(first.Memory())
	read(second, newDiary().work(50, 70, 0.5).fail(50, 70.5, 0.5, rejected, expired).text())
	got := second.Result()
	require.Len(t, got.Incidents, 1, "%v", told(&got))
	assert.Equal(t, "10-70", hours(&got.Incidents[0]))
	assert.Equal(t, "cert-expired", got.Incidents[0].Diagnosis[0].Cause.ID)
	assert.Equal(t, 41, got.Events, "the report counts what this run read")
}

func TestIncidentBeginsAndEndsWithWhatIsMoreThanPassesBy(t *testing.T) {
	d := newDiary().work(0, 700, 1).fail(7, 700, 23, hidden).fail(200, 212, 0.4, expired).fail(200.2, 212, 0.6, hidden).fail(191, 192, 2, hidden).fail(221, 222, 2, hidden)
	got := incidentsOf(t, map[string]*diary{"im01": d})
	assert.Equal(t, []string{"cert-expired 200-212 im01"}, told(&got))
}

// TestClientThatTriesAgainIsRatherOfAnIncidentThanOneThatComesOnce: five hours after the last
// certain failure, of a kind that passes by as well.
func TestClientThatTriesAgainIsRatherOfAnIncidentThanOneThatComesOnce(t *testing.T) {
	for tries, last := range map[float64]string{1: "200-211", 4: "200-216"} {
		d := newDiary().work(0, 700, 1).fail(7, 700, 23, hidden).fail(216, 216+0.03*tries-0.01, 0.03, hidden)
		for from := 200.0; from < 212; from += 2 {
			d.fail(from, from+0.1, 0.02, expired).fail(from+1, from+1.1, 0.03, hidden)
		}
		got := incidentsOf(t, map[string]*diary{"im01": d})
		assert.Equal(t, []string{"cert-expired " + last + " im01"}, told(&got), tries)
	}
}

func TestAnotherVerdictOnTheSameCertificateIsOfItsIncident(t *testing.T) {
	d := newDiary().work(0, 700, 1).fail(7, 700, 23, hidden).fail(200, 212, 0.5, expired).fail(213, 213.11, 0.05, rejected).fail(213.6, 213.71, 0.05, rejected)
	got := incidentsOf(t, map[string]*diary{"im01": d})
	assert.Equal(t, []string{"cert-expired 200-214 im01"}, told(&got))
}

// TestNodeWithFewFailuresIsOfTheIncidentOfTheOthers: what it met also passes by, but not as
// often.
func TestNodeWithFewFailuresIsOfTheIncidentOfTheOthers(t *testing.T) {
	got := incidentsOf(t, map[string]*diary{
		"im01": newDiary().work(0, 700, 1).fail(200, 260, 0.5, expired, hidden),
		"im02": newDiary().work(0, 700, 1).fail(3, 700, 30, hidden).fail(210, 255, 14, expired),
		"im03": newDiary().work(0, 700, 1).fail(3, 700, 30, hidden),
		"im04": newDiary().work(0, 700, 1).fail(230, 235, 3, expired), // an odd client
	})
	assert.Equal(t, []string{"cert-expired 200-260 im01,im02"}, told(&got))
}

// TestBorderOfTwoFaultsIsWhereAllNodesTogetherShowIt: what the first node sees after the
// second fault began could be of the first one still.
func TestBorderOfTwoFaultsIsWhereAllNodesTogetherShowIt(t *testing.T) {
	got := incidentsOf(t, map[string]*diary{
		"im01": newDiary().work(0, 700, 1).fail(50, 100, 3, rejected).fail(118, 135, 3, rejected).fail(136, 170, 2, unknownCA),
		"im02": newDiary().work(0, 700, 1).fail(50, 100, 1, rejected, expired).fail(119, 170, 1, unknownCA, rejected),
		"im03": newDiary().work(0, 700, 1).fail(50, 100, 1, expired, rejected).fail(120, 170, 1, unknownCA),
	})
	assert.Equal(t, []string{"untrusted-ca 118-169 im01,im02,im03", "cert-expired 50-99 im01,im02,im03"}, told(&got))
}
