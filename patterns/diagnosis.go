package patterns

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"wklog/patterns/internal/ranking"
)

// Finding is all events of one pattern.
type Finding struct {
	Pattern *Pattern
	// Program is the one whose log holds most of the events, or whose fault it is.
	Program     Program
	Count       int
	First, Last time.Time
	// Causes of this finding alone, most probable first, and the advice for the first.
	Causes   []CauseScore
	Advice   Advice
	Sources  []string
	Samples  []Sample
	Timeline Timeline
}

// Evidence is a finding that speaks for a cause.
type Evidence struct {
	Pattern *Pattern
	Count   int
}

// Diagnosis is one root cause with the confidence that it is behind the
// failures of the input.
type Diagnosis struct {
	Cause *Cause
	// Side is whose certificate or setup is at fault, Program the one that a remedy is
	// for, and Advice what to do with it.
	Side    Side
	Program Program
	Advice  Advice
	// Address is where clients reach the server, Settings the file that the server is
	// set up by, as far as the logs tell.
	Address    string
	Settings   Settings
	Confidence float64
	Evidence   []Evidence
	// Absent is what starts do not list that speaks for the cause.
	Absent []*Absence
	// Checks are those that found the cause, by their names.
	Checks []string
	// Alike says that it is one of several causes at the head of its diagnosis that
	// look alike to a log: only a look at the server decides.
	Alike bool
}

// Analysis is what an input showed.
type Analysis struct {
	Events       int
	Duplicates   int
	Unclassified int
	First, Last  time.Time
	// Untimed counts the events whose time is not known: the log has no times, or
	// only one, before them. Arrived counts those that have the time of their
	// arrival.
	Untimed, Arrived int
	Findings         []Finding
	// Incidents are those that the failures make up: still going on first, then the
	// newest first.
	Incidents []Incident
	// Passing are the failures that belong to no incident: what passes by.
	Passing []Evidence
	// Diagnosis is that of the first incident, or of what checks alone found.
	Diagnosis []Diagnosis
	// Odd are samples of unclassified records.
	Odd []Sample
	// Stops are the ends of the server that have nothing to do with TLS.
	Stops []Stop
	// Sources, Nodes and Clients are where the events were seen, by name. Nodes
	// are empty without [Analyzer.ByNode].
	Sources, Nodes, Clients []Place
	// OtherClients counts events of clients beyond the thousand that fail most,
	// UnknownClients those whose client the log does not tell.
	OtherClients, UnknownClients int
	// Facts are names of the user's own, in the order in which they were learnt.
	Facts []Fact
	// Catalogue holds the causes that the findings name.
	Catalogue *Catalogue

	located *located
}

// Result sums up what was added so far.
func (a *Analyzer) Result() Analysis {
	_, otherClients := a.where.clients.shown()
	res := Analysis{
		Duplicates: a.duplicates, Unclassified: a.unclassified, Odd: a.odd, Catalogue: a.catalogue,
		Sources: a.where.sources.list(), Nodes: a.where.nodes.list(), Clients: a.where.clients.list(),
		OtherClients: otherClients, UnknownClients: a.where.unknown,
	}
	for _, stop := range a.stops.list {
		res.Stops = append(res.Stops, *stop)
	}
	seen := Span{}
	for _, p := range a.catalogue.Patterns {
		t := a.tallies[p]
		if t == nil {
			continue
		}
		res.Events += t.count
		res.Untimed += t.untimed
		res.Arrived += t.arrived
		res.Findings = append(res.Findings, Finding{
			Pattern: p, Program: most(t.programs), Count: t.count, First: t.span.First, Last: t.span.Last, Causes: a.causesOfAll(p, t),
			Sources: slices.Sorted(maps.Keys(t.sources)), Samples: t.samples, Timeline: t.timeline,
		})
		seen.Add(t.span.First)
		seen.Add(t.span.Last)
	}
	for i := range res.Findings {
		f := &res.Findings[i]
		if len(f.Causes) > 0 && a.catalogue.Cause(f.Causes[0].ID) != nil {
			f.Advice = a.advise(a.catalogue.Cause(f.Causes[0].ID), f.Program)
		}
	}
	res.First, res.Last = seen.First, seen.Last
	slices.SortStableFunc(res.Findings, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(y.Pattern.Severity.Rank(), x.Pattern.Severity.Rank()), cmp.Compare(y.Count, x.Count))
	})
	res.Incidents, res.Passing, res.located = a.incidents(&res)
	if len(res.Incidents) > 0 {
		res.Diagnosis = res.Incidents[0].Diagnosis
	} else {
		res.Diagnosis = a.whole(res.Findings).told()
	}
	res.Facts = a.facts.list()
	res.Sources = a.ofNodes(res.Sources)
	return res
}

// ofNodes are the logs with their nodes, where nodes are told apart.
func (a *Analyzer) ofNodes(logs []Place) []Place {
	for i := range logs {
		if a.ByNode {
			logs[i].Node = a.sourceNodes[logs[i].Name]
		}
	}
	return logs
}

func (a *Analyzer) causesOfAll(p *Pattern, t *tally) []CauseScore {
	if p.Measured {
		return a.ranker.Rank(t.keys, ranking.Context{}, nil)
	}
	return p.Causes
}

// problem is a group of findings that one root cause explains: the causes
// within it exclude each other, those of different problems do not.
type problem struct {
	side     Side
	measured bool
	phase    string
}

// infoScale is the most that findings which healthy servers show as well can
// say of a fault.
const infoScale = 0.3

// diagnose ranks the causes over all findings. Findings of severity info count
// only where there is nothing else.
func (v *view) diagnose() []Diagnosis {
	a, findings := v.Analyzer, v.findings
	groups := map[problem][]Finding{}
	worst := SeverityInfo.Rank()
	for _, f := range findings {
		worst = max(worst, f.Pattern.Severity.Rank())
	}
	for _, f := range findings {
		if f.Pattern.Severity == SeverityInfo && worst > SeverityInfo.Rank() {
			continue
		}
		p := problem{side: f.Pattern.Side, phase: f.Pattern.Phase}
		if f.Pattern.Measured {
			p = problem{side: f.Pattern.Side, measured: true}
		}
		groups[p] = append(groups[p], f)
	}
	joinReports(groups)
	weights := v.weigh(groups)
	if worst == SeverityInfo.Rank() {
		for p := range weights {
			weights[p] *= infoScale
		}
	}
	list := []Diagnosis{}
	for p, group := range groups {
		scores := v.causesOfProblem(p, group)
		if v.isProven(p, scores) {
			weights[p] = 1
		}
		for _, score := range scores {
			if c := a.catalogue.Cause(score.ID); c != nil && weights[p] > 0 {
				list = append(list, Diagnosis{
					Cause: c, Side: p.side, Confidence: ranking.Round(score.Score * weights[p]),
					Evidence: evidenceFor(c.ID, group), Absent: speaksFor(v.absent(p), c.ID), Checks: v.checksOf(p.side, c.ID),
				})
			}
		}
	}
	list = joined(list)
	list = slices.DeleteFunc(list, func(d Diagnosis) bool { return d.Confidence < 0.005 })
	v.bound(list)
	list = v.unspoken(list)
	slices.SortFunc(list, func(x, y Diagnosis) int {
		return cmp.Or(cmp.Compare(y.Confidence, x.Confidence), cmp.Compare(x.Cause.ID, y.Cause.ID), cmp.Compare(x.Side, y.Side))
	})
	markAlike(list)
	return list
}

// told is what is diagnosed, with what to do about it.
func (v *view) told() []Diagnosis {
	list := v.diagnose()
	for i := range list {
		list[i].Program = v.programOf(&list[i])
		list[i].Advice = v.advise(list[i].Cause, list[i].Program)
		list[i].Address = v.address(list[i].Program)
		list[i].Settings = v.settings(list[i].Program)
	}
	return list
}

// reports is the phase of patterns that are a client's own words for its verdict
// on the certificate.
const reports = "client-report"

// joinReports lets what clients say themselves explain what the server printed
// of its clients' verdicts, where both are there.
func joinReports(groups map[problem][]Finding) {
	verdicts, said := problem{side: SideServer, measured: true}, problem{side: SideServer, phase: reports}
	if len(groups[verdicts]) > 0 {
		groups[verdicts] = append(groups[verdicts], groups[said]...)
		delete(groups, said)
	}
}

// joined makes one diagnosis of a cause that several problems have.
func joined(list []Diagnosis) []Diagnosis {
	slices.SortStableFunc(list, func(x, y Diagnosis) int {
		return cmp.Or(cmp.Compare(x.Cause.ID, y.Cause.ID), cmp.Compare(x.Side, y.Side), cmp.Compare(y.Confidence, x.Confidence))
	})
	result := list[:0]
	for _, d := range list {
		if last := len(result) - 1; last >= 0 && result[last].Cause == d.Cause && result[last].Side == d.Side {
			result[last].Confidence = min(ranking.Round(result[last].Confidence+d.Confidence), 1)
			result[last].Evidence = append(result[last].Evidence, d.Evidence...)
			continue
		}
		result = append(result, d)
	}
	return result
}

// weigh gives each problem the probability that it is the one a user came for.
// A failure that keeps the server from running counts in full; failures of
// connections by the square root of their share, since a public port always
// sees some odd clients. A scan is one failure.
func (v *view) weigh(groups map[problem][]Finding) map[problem]float64 {
	most := 0
	counts := map[problem]int{}
	for p, group := range groups {
		for _, f := range group {
			counts[p] += v.scans(f.Pattern).weight(f.Count)
		}
		if !p.stopsServer() {
			most = max(most, counts[p])
		}
	}
	total := 0.0
	weights := map[problem]float64{}
	for p, n := range counts {
		weights[p] = 1
		if !p.stopsServer() {
			weights[p] = math.Sqrt(float64(n) / float64(max(most, 1)))
		}
		total += weights[p]
	}
	for p := range weights {
		weights[p] /= max(total, 1)
	}
	return weights
}

func (p problem) stopsServer() bool {
	return !p.measured && (p.phase == "startup" || p.phase == "listen" || p.phase == "crash")
}

// causesOfProblem joins the findings of one problem: measured ones by the
// ranker over everything that was seen, stated ones as a mixture in which
// repeats count as 1 + ln(count).
func (v *view) causesOfProblem(p problem, group []Finding) []CauseScore {
	if p.measured {
		seen := map[ranking.Key]int{}
		said := []Finding{}
		for _, f := range group {
			if f.Pattern.Measured {
				maps.Copy(seen, v.keys(f.Pattern))
			} else {
				said = append(said, f)
			}
		}
		context := v.context
		context.Clients = v.together(func(of *Pattern) bool { return of.Measured && of.Side == p.side })
		return v.ranker.Rank(seen, context, v.oddsFor(p).Times(reported(said)))
	}
	byCause, total := mixture(group, func(f *Finding) []CauseScore { return v.scans(f.Pattern).causes(f) })
	for id, odds := range absentOdds(v.absent(p)) {
		total += byCause[id] * (odds - 1) // what none of the causes explains stays
		byCause[id] *= odds
	}
	if odds := v.oddsFor(p); odds != nil {
		total = 0
		for id := range byCause {
			byCause[id] *= odds.Of(id)
			total += byCause[id]
		}
	}
	return ranking.Ranked(byCause, total)
}

// reported are the odds that clients give by their own words; nil without any.
func reported(said []Finding) ranking.Odds {
	if len(said) == 0 {
		return nil
	}
	byCause, total := mixture(said, func(f *Finding) []CauseScore { return f.Causes })
	odds := ranking.Odds{}
	for id, weight := range byCause {
		odds[id] = weight / total / unsaid
	}
	return odds
}

// unsaid is what is left to causes of which no client speaks, where some speak:
// others may have met another fault.
const unsaid = 0.02

// mixture adds up the causes of findings, and their weights.
func mixture(group []Finding, causes func(*Finding) []CauseScore) (byCause map[string]float64, total float64) {
	byCause = map[string]float64{}
	for _, f := range group {
		weight := 1 + math.Log(float64(f.Count))
		total += weight
		for _, score := range causes(&f) {
			byCause[score.ID] += weight * score.Score
		}
	}
	return byCause, total
}

func evidenceFor(cause string, group []Finding) []Evidence {
	list := []Evidence{}
	for _, f := range group {
		if slices.ContainsFunc(f.Causes, func(s CauseScore) bool { return s.ID == cause }) {
			list = append(list, Evidence{Pattern: f.Pattern, Count: f.Count})
		}
	}
	return list
}
