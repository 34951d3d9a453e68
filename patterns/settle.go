package patterns

import (
	"slices"

	"wklog/patterns/internal/ranking"
)

// Proof is what a check beside the logs found: of the certificate, of the
// configuration, of the endpoint.
type Proof struct {
	// Check names it.
	Check string
	// Proves is the cause that it found at work, RulesOut are those that it
	// found not to be; both may be empty.
	Proves   string
	RulesOut []string
}

// Odds that a check gives to a cause against the others. They are stated: a
// check looks at the thing itself, and is wrong where that is not the thing that
// the clients met: another file, another server, another time. What one look finds
// is there; what it does not find may be elsewhere: of 184 endpoints made with known
// faults, five showed in one handshake a certificate that others did not get. The check
// makes several, to every address, and meets those five; what it may still miss is put
// at a third of them.
const (
	provenOdds   = 1000
	ruledOutOdds = 0.01
)

// mostSettled is the most that checks from one place can make of a diagnosis.
const mostSettled = 0.97

// Confidence in a cause that a check found and no message speaks of: what a
// check fails for is a fault, but where messages speak of other causes it need
// not be the one behind them.
const (
	provenWithoutLog = 0.9
	provenBesideLog  = 0.5
)

// Settle tells the analyzer what checks found. A cause that one check proves
// and another rules out is proven: the other may have looked elsewhere.
func (a *Analyzer) Settle(proofs []Proof) {
	a.proofs, a.odds = proofs, ranking.Odds{}
	for _, v := range proofs {
		for _, cause := range v.RulesOut {
			a.odds[cause] = ruledOutOdds
		}
	}
	for _, v := range proofs {
		if v.Proves != "" {
			a.odds[v.Proves] = provenOdds
		}
	}
}

// oddsFor are those of a problem: checks look at the server's own side.
func (v *view) oddsFor(p problem) ranking.Odds {
	if p.side == SidePeer || !v.settled {
		return nil
	}
	return v.odds
}

// checksOf are the checks that prove a cause.
func (v *view) checksOf(side Side, cause string) []string {
	checks := []string{}
	if !v.settled {
		return checks
	}
	for _, proof := range v.proofs {
		if proof.Proves == cause && side != SidePeer {
			checks = append(checks, proof.Check)
		}
	}
	return checks
}

// isProven tells whether a check found the cause that leads a problem: then the
// problem is worth its full weight, whatever its share of the messages.
func (v *view) isProven(p problem, scores []CauseScore) bool {
	return len(scores) > 0 && len(v.checksOf(p.side, scores[0].ID)) > 0
}

// bound keeps a diagnosis that rests on checks within what they can tell.
func (v *view) bound(list []Diagnosis) {
	for i := range list {
		if v.settled && len(v.odds) > 0 && list[i].Side != SidePeer {
			list[i].Confidence = min(list[i].Confidence, mostSettled)
		}
	}
}

// unspoken are the causes that checks found and no message of the log speaks of.
func (v *view) unspoken(list []Diagnosis) []Diagnosis {
	if !v.settled || v.old {
		return list
	}
	confidence := provenBesideLog
	if len(list) == 0 {
		confidence = provenWithoutLog
	}
	for _, proof := range v.proofs {
		known := func(d Diagnosis) bool { return d.Cause.ID == proof.Proves && d.Side != SidePeer }
		if c := v.catalogue.Cause(proof.Proves); c != nil && !slices.ContainsFunc(list, known) {
			list = append(list, Diagnosis{Cause: c, Side: SideServer, Confidence: confidence, Evidence: []Evidence{}, Checks: v.checksOf(SideServer, c.ID)})
		}
	}
	return list
}
