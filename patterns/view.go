package patterns

import (
	"maps"
	"slices"

	"wklog/patterns/internal/ranking"
)

// view is what of the failures is diagnosed together: all of them, or those of an
// incident.
type view struct {
	*Analyzer
	findings []Finding
	// byPattern are the keys of the findings where these are not all that were
	// counted, counts how many of all failures of a pattern they are; nil for all.
	byPattern map[*Pattern]map[ranking.Key]int
	// clients are those of the failures, nil for all.
	clients map[string]bool
	// context is what stands near the failures.
	context ranking.Context
	// settled says that the checks speak of these failures, old that they are not the
	// newest.
	settled, old bool
}

// whole is the view of all failures.
func (a *Analyzer) whole(findings []Finding) *view {
	return &view{Analyzer: a, findings: findings, context: a.context, settled: true}
}

// keys are what was seen of a pattern.
func (v *view) keys(p *Pattern) map[ranking.Key]int {
	if v.byPattern != nil {
		return v.byPattern[p]
	}
	return v.tallies[p].keys
}

// together is how many clients failed at the same time with patterns that are meant.
func (v *view) together(of func(*Pattern) bool) int {
	if v.clients == nil {
		return v.where.clients.together(of)
	}
	some := places{byName: map[string]*counted{}}
	for name := range v.clients {
		if at := v.where.clients.byName[name]; at != nil {
			some.byName[name] = at
		}
	}
	return some.together(of)
}

// scans are those of a pattern: of some of its failures the same share.
func (v *view) scans(p *Pattern) scanned {
	all := v.where.scans.of(p)
	if v.byPattern == nil || all.events == 0 || v.tallies[p] == nil {
		return all
	}
	at := slices.IndexFunc(v.findings, func(f Finding) bool { return f.Pattern == p })
	share := float64(v.findings[at].Count) / float64(max(v.tallies[p].count, 1))
	all.events = int(float64(all.events)*share + 0.5)
	all.scans = min(all.scans, all.events)
	return all
}

// fits are how well the ranked setups fit the verdicts of clients.
func (v *view) fits() []float64 {
	seen, said := map[ranking.Key]int{}, []Finding{}
	for _, f := range v.findings {
		switch {
		case f.Pattern.Measured && f.Pattern.Side == SideServer:
			maps.Copy(seen, v.keys(f.Pattern))
		case f.Pattern.Phase == reports && f.Pattern.Side == SideServer:
			said = append(said, f)
		}
	}
	context := v.context
	context.Clients = v.together(func(of *Pattern) bool { return of.Measured && of.Side == SideServer })
	return v.ranker.Fits(seen, context, reported(said))
}
