package patterns

import "slices"

// nearTie is from which ratio of their confidences on the first of two causes is told
// from the second by a log. It is measured, with each stack of clients left out in turn
// (TestCurveOfConfidence, docs/confidence.md): below, the first one was true in half of
// the cases and the second one in a quarter, above in eight of ten and in one of twenty.
// One stack of clients that nobody recorded changes the order of the nearer ones.
const nearTie = 4

// markAlike marks the causes at the head of a diagnosis that look alike to a log: those
// that what was seen tells from the first one by less than it can be trusted. What a
// check has proven is told from all.
func markAlike(list []Diagnosis) {
	if len(list) == 0 || list[0].Proven() {
		return
	}
	first := &list[0]
	for i := 1; i < len(list); i++ {
		d := &list[i]
		if d.Confidence*nearTie > first.Confidence && d.Side == first.Side && !d.Proven() && sharesEvidence(first, d) {
			first.Alike, d.Alike = true, true
		}
	}
}

// sharesEvidence tells whether two causes explain the same failures. Others may be at work
// side by side, and are no ties.
func sharesEvidence(x, y *Diagnosis) bool {
	return slices.ContainsFunc(x.Evidence, func(e Evidence) bool {
		return slices.ContainsFunc(y.Evidence, func(other Evidence) bool { return other.Pattern == e.Pattern })
	})
}

// StopsServer tells whether a server that fails so takes no connections.
func (p *Pattern) StopsServer() bool {
	return problem{measured: p.Measured, phase: p.Phase}.stopsServer()
}

// Proven tells whether a check found the cause itself.
func (d *Diagnosis) Proven() bool { return len(d.Checks) > 0 }
