package patterns

import "wklog/parser"

// chainLines is how far apart the links of a chain may stand: between two causes of a
// Java exception stand the frames of the first.
const chainLines = 150

// chain is what a log told last. Programs tell one failure in several lines, of which
// each looks like one: an exception and what it was caused by, the layers of a library
// that each log the error on its way up.
type chain struct {
	event  *Event
	last   *parser.Record // the newest link
	counts bool           // whether the event was counted
}

// begin notes a failure that may be told again.
func (c *chain) begin(e *Event, counts bool) { *c = chain{e, e.Record, counts} }

// holds tells whether a record may be a further link.
func (c *chain) holds(rec *parser.Record) bool {
	return c.event != nil && rec.Origin == c.last.Origin && rec.Line-c.last.Line <= chainLines
}

// tellsMore tells whether a pattern narrows down what the failure before left open.
func (c *chain) tellsMore(p *Pattern) bool {
	if p == nil || c.event.Pattern == nil {
		return p != nil
	}
	cause, before := p.surest(), c.event.Pattern.surest()
	return cause.Score > before.Score && c.event.Pattern.may(cause.ID)
}

// surest is the most probable cause.
func (p *Pattern) surest() CauseScore {
	var best CauseScore
	for _, cause := range p.Causes {
		if cause.Score > best.Score {
			best = cause
		}
	}
	return best
}

// again judges a record that looks as if it told again what stands before it. done says
// that it did; otherwise match is what it is by itself. Of a chain that link is counted
// which tells most.
func (s *Source) again(rec *parser.Record) (match Match, done bool) {
	a := s.analyzer
	match = a.matcher.MatchAnew(rec)
	if !s.chain.holds(rec) {
		return match, false
	}
	s.chain.last = rec
	if match.Verdict != Matched || !s.chain.counts || !s.chain.tellsMore(match.Pattern) {
		if match.Verdict == Matched || match.Verdict == Unclassified {
			a.duplicates++
		}
		return match, true
	}
	a.uncount(s.chain.event)
	a.duplicates++
	return match, false
}
