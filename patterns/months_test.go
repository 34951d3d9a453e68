package patterns_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
	"wklog/testdata/months"
)

// familyOf are the causes that are right for a recording: its own, and those that no
// server log can tell from them.
func familyOf(own []string) []string {
	family := slices.Clone(own)
	for _, same := range inseparable {
		if slices.ContainsFunc(same, func(cause string) bool { return slices.Contains(own, cause) }) {
			family = append(family, same...)
		}
	}
	return family
}

// analysedMonth reads the logs of a cluster.
func analysedMonth(t testing.TB, c *patterns.Catalogue, logs []months.Log) patterns.Analysis {
	t.Helper()
	a := clusterAnalyzer(t, c)
	for _, log := range logs {
		src := a.Source(log.Node + "/" + log.Name)
		stats, err := parser.Read(context.Background(), strings.NewReader(log.Text), monthOptions(c), func(rec *parser.Record) error {
			src.Add(rec)
			return nil
		})
		require.NoError(t, err)
		src.Traffic(stats.Traffic)
		src.End()
	}
	return a.Result()
}

func clusterAnalyzer(t testing.TB, c *patterns.Catalogue) *patterns.Analyzer {
	t.Helper()
	a, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	a.ByNode = true
	a.Node = func(source string) string { node, _, _ := strings.Cut(source, "/"); return node }
	return a
}

func monthOptions(c *patterns.Catalogue) parser.Options {
	options := c.ReadOptions()
	options.Zone, options.Reference = time.UTC, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	return options
}

// followedMonth reads the same logs as they grow, some lines of each in turn, and asks
// for the incidents again and again.
func followedMonth(t testing.TB, c *patterns.Catalogue, logs []months.Log) patterns.Analysis {
	t.Helper()
	const atOnce = 3000
	a := clusterAnalyzer(t, c)
	more := make([]func() (*parser.Record, bool), len(logs))
	sources := make([]*patterns.Source, len(logs))
	for i, log := range logs {
		src := a.Source(log.Node + "/" + log.Name)
		next, stop := iter.Pull(func(yield func(*parser.Record) bool) {
			stats, err := parser.Read(context.Background(), strings.NewReader(log.Text), monthOptions(c), func(rec *parser.Record) error {
				yield(rec)
				return nil
			})
			assert.NoError(t, err)
			src.Traffic(stats.Traffic)
			src.End()
		})
		defer stop()
		more[i], sources[i] = next, src
	}
	for going := true; going; {
		going = false
		for i := range logs {
			for n := 0; n < atOnce && more[i] != nil; n++ {
				rec, ok := more[i]()
				if !ok {
					more[i] = nil
					break
				}
				sources[i].Add(rec)
				going = true
			}
		}
		a.Result()
	}
	return a.Result()
}

// summedUp is what a report says of the incidents.
func summedUp(a *patterns.Analysis) []string {
	list := []string{}
	evidence := func(all []patterns.Evidence) string {
		text := ""
		for _, e := range all {
			text += fmt.Sprintf(" %s×%d", e.Pattern.ID, e.Count)
		}
		return text
	}
	for _, in := range a.Incidents {
		lead := patterns.Diagnosis{Cause: &patterns.Cause{}}
		if len(in.Diagnosis) > 0 {
			lead = in.Diagnosis[0]
		}
		list = append(list, fmt.Sprintf("%s %.3f %s %s %v %.3f%s", lead.Cause.ID, lead.Confidence, in.First, in.Last, in.Nodes, in.Over, evidence(in.Findings)))
	}
	return append(list, evidence(a.Passing))
}

// TestFollowedMonthEndsAsTheBatch: twenty months are followed with MONTHS=20, or more, from
// the seed MONTHS_FROM on.
func TestFollowedMonthEndsAsTheBatch(t *testing.T) {
	many, from := monthsToTry(3)
	c := loaded(t)
	recordings, err := months.Read("../testdata")
	require.NoError(t, err)
	for seed := from; seed < from+many; seed++ {
		month := recordings.Compose(uint64(seed), 1+seed%3)
		batch, followed := analysedMonth(t, c, month.Logs), followedMonth(t, c, month.Logs)
		assert.Equal(t, summedUp(&batch), summedUp(&followed), seed)
	}
}

// monthsToTry are how many months, and the seed of the first.
func monthsToTry(usually int) (many, from int) {
	if n, err := strconv.Atoi(os.Getenv("MONTHS")); err == nil {
		usually = n
	}
	from, _ = strconv.Atoi(os.Getenv("MONTHS_FROM"))
	return usually, from
}

// scored is how well the incidents of some months were found.
type scored struct {
	months, counted     int // months, and those with the right number of incidents
	single, one         int // of those with one fault
	faults, found, span int
	nodes, all          int // all: its family, its time and its nodes
}

// tells finds the incident of a fault: of its family, with most of its time.
func tells(f *months.Fault, family []string, incidents []patterns.Incident) *patterns.Incident {
	var best *patterns.Incident
	most := time.Duration(0)
	for i := range incidents {
		in := &incidents[i]
		if len(in.Diagnosis) == 0 || !slices.Contains(family, in.Diagnosis[0].Cause.ID) {
			continue
		}
		if !slices.ContainsFunc(in.Nodes, func(node string) bool { return slices.Contains(f.Nodes, node) }) {
			continue
		}
		from, to := in.First, in.Last
		if f.First.After(from) {
			from = f.First
		}
		if f.Last.Before(to) {
			to = f.Last
		}
		if common := to.Sub(from) + 1; common > most {
			best, most = in, common
		}
	}
	return best
}

// TestIncidentsOfAMonth composes months and finds their faults. All 200 are tried
// with MONTHS=200, others from the seed MONTHS_FROM on.
func TestIncidentsOfAMonth(t *testing.T) {
	many, from := monthsToTry(20)
	c, causes := loaded(t), truth(t)
	recordings, err := months.Read("../testdata")
	require.NoError(t, err)
	var s scored
	for seed := from; seed < from+many; seed++ {
		month := recordings.Compose(uint64(seed), 1+seed%3)
		result := analysedMonth(t, c, month.Logs)
		s.months++
		right := len(result.Incidents) == len(month.Faults)
		if right {
			s.counted++
		}
		if len(month.Faults) == 1 {
			s.single++
			if right {
				s.one++
			}
		}
		bad := !right
		for i := range month.Faults {
			f := &month.Faults[i]
			family := familyOf(causes[f.Cause])
			_, alone := analysed(t, c, strings.Join(f.Lines, "\n"))
			if len(alone.Diagnosis) == 0 || !slices.Contains(family, alone.Diagnosis[0].Cause.ID) {
				continue
			}
			s.faults++
			in := tells(f, family, result.Incidents)
			if in == nil {
				bad = true
				continue
			}
			s.found++
			tenth := f.Last.Sub(f.First) / 10
			span := in.First.Sub(f.First).Abs() <= tenth && in.Last.Sub(f.Last).Abs() <= tenth
			nodes := slices.Equal(in.Nodes, f.Nodes)
			if span {
				s.span++
			}
			if nodes {
				s.nodes++
			}
			if span && nodes {
				s.all++
			}
			bad = bad || !span || !nodes
		}
		if bad && testing.Verbose() {
			show(t, seed, &month, &result)
		}
	}
	t.Logf("%+v", s)
	atLeast := func(share float64, n, of int) {
		t.Helper()
		assert.GreaterOrEqual(t, float64(n), share*float64(of))
	}
	assert.Equal(t, s.single, s.one, "one fault gives one incident")
	atLeast(0.95, s.counted, s.months)
	atLeast(0.97, s.found, s.faults)
	atLeast(0.95, s.span, s.found)
	atLeast(0.97, s.nodes, s.found)
}

// TestMonthsHaveAsManyIncidentsAsFaults: in these months a few failures of the background
// come closer together than usual, on a node that has no fault then, or no node alone shows
// where one fault ends and the next one begins, or what it shows is of the others, or a fault
// of all nodes comes between two of one node, or two faults of a node each begin at one time.
func TestMonthsHaveAsManyIncidentsAsFaults(t *testing.T) {
	c := loaded(t)
	recordings, err := months.Read("../testdata")
	require.NoError(t, err)
	for name, seeds := range map[string][]int{
		"busy day": {145, 20011, 20096}, "few failures on each node": {61},
		"a node without a cause of its own": {69},
		"faults of all nodes and of one":    {30074}, "one of each node": {50156},
	} {
		for _, seed := range seeds {
			month := recordings.Compose(uint64(seed), 1+seed%3)
			result := analysedMonth(t, c, month.Logs)
			assert.Equal(t, len(month.Faults), len(result.Incidents), "%s: %d", name, seed)
		}
	}
}

func show(t *testing.T, seed int, month *months.Month, result *patterns.Analysis) {
	t.Logf("--- seed %d: %d nodes", seed, len(month.Logs))
	const at = "02 15:04"
	for _, f := range month.Faults {
		t.Logf("  fault    %s to %s  %-28s %v ×%d", f.First.Format(at), f.Last.Format(at), f.Cause, f.Nodes, f.Failures)
	}
	for _, in := range result.Incidents {
		text := []string{}
		for _, e := range in.Findings {
			text = append(text, e.Pattern.ID+"×"+strconv.Itoa(e.Count))
		}
		lead := ""
		for _, d := range in.Diagnosis[:min(2, len(in.Diagnosis))] {
			lead += d.Cause.ID + " " + strconv.FormatFloat(d.Confidence, 'f', 2, 64) + " "
		}
		t.Logf("  incident %s to %s  %-40s %v %v", in.First.UTC().Format(at), in.Last.UTC().Format(at), lead, in.Nodes, text)
	}
	rest := []string{}
	for _, e := range result.Passing {
		rest = append(rest, e.Pattern.ID+"×"+strconv.Itoa(e.Count))
	}
	t.Logf("  passing  %v", rest)
}
