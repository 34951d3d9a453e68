package patterns

import (
	"math"
	"slices"
	"time"
)

// probe is the cause of what scanners send.
const probe = "scanner-probe"

// How a scan differs from clients that are misdirected: it fails in several ways
// within moments, and then it is over. Of a client whose address the log shows not
// only the first bytes tell, and it may take longer: whoever scans for ciphers
// opens some hundred connections.
const (
	scanPause   = 30 * time.Second // of a run of failures that belong together
	scanLength  = 2 * time.Minute
	scanOfOne   = 10 * time.Minute
	scanLines   = 20 // the pause in lines, where they have no time
	scanRepeats = 15 // of each further way to fail, where anybody may have failed
)

// kindOdds are how much more likely a scanner is with each further way in which a
// run of failures fails: a client fails in one way, again and again. Stated; with
// four ways nothing is left to say.
const (
	kindOdds = 10
	mostWays = 4
)

// maxRuns bounds how many clients are watched at a time.
const maxRuns = 1000

// scans finds scans among the failures of an input.
type scans struct {
	runs  map[string]*run
	found map[*Pattern]scanned
}

// run is a row of failures, of one client where the log shows its address.
type run struct {
	first, last time.Time // zero where they have no time of their own
	line        int64
	events      int
	ways        map[*Pattern]int
	known       bool // by its address
}

// scanned are the failures of a pattern that belong to scans.
type scanned struct {
	events int
	scans  int
	ways   int // of the scan that failed in most
}

func newScans() scans {
	return scans{runs: map[string]*run{}, found: map[*Pattern]scanned{}}
}

// add watches an event. Those that no scanner brings about are passed over.
func (s *scans) add(e *Event) {
	if !e.Pattern.may(probe) {
		return
	}
	key, known := client(e)
	if !known {
		key = "log " + e.Source
	}
	r := s.runs[key]
	if r != nil && !r.goesOn(e) {
		r.settle(s.found)
		r = nil
	}
	if r == nil {
		s.sweep(e)
		r = &run{ways: map[*Pattern]int{}, known: known, first: ownTime(e)}
		s.runs[key] = r
	}
	r.last, r.line = ownTime(e), e.Record.Line
	r.events++
	r.ways[e.Pattern]++
}

// remove takes back an event of a run that goes on.
func (s *scans) remove(e *Event) {
	key, known := client(e)
	if !known {
		key = "log " + e.Source
	}
	if r := s.runs[key]; r != nil && r.ways[e.Pattern] > 0 {
		r.events--
		if r.ways[e.Pattern]--; r.ways[e.Pattern] == 0 {
			delete(r.ways, e.Pattern)
		}
	}
}

// sweep settles runs that are over, where there are many.
func (s *scans) sweep(e *Event) {
	if len(s.runs) < maxRuns {
		return
	}
	for key, r := range s.runs {
		if !r.goesOn(e) {
			r.settle(s.found)
			delete(s.runs, key)
		}
	}
	if len(s.runs) >= maxRuns {
		clear(s.runs)
	}
}

// of are the failures of a pattern that belong to scans, those that go on among
// them.
func (s *scans) of(p *Pattern) scanned {
	all := map[*Pattern]scanned{p: s.found[p]}
	for _, r := range s.runs {
		r.settle(all)
	}
	return all[p]
}

// ownTime is the time of an event that its record or its wrapper has, else that of
// its arrival in a live log. It is zero for one that was taken from a neighbour.
func ownTime(e *Event) time.Time {
	if e.Record.TimeInferred {
		return e.Record.Arrived
	}
	return e.Time()
}

// goesOn tells whether an event belongs to the run.
func (r *run) goesOn(e *Event) bool {
	at := ownTime(e)
	if at.IsZero() || r.last.IsZero() {
		return at.IsZero() && r.last.IsZero() && e.Record.Line >= r.line && e.Record.Line-r.line <= scanLines
	}
	return at.Sub(r.last).Abs() <= scanPause
}

// isScan tells whether one scanner explains the run.
func (r *run) isScan() bool {
	probes := 0
	for p := range r.ways {
		if p.Probe {
			probes++
		}
	}
	length := r.last.Sub(r.first).Abs()
	switch {
	case probes < 2:
		return false
	case r.known:
		return length <= scanOfOne
	}
	return length <= scanLength && r.events <= scanRepeats*(len(r.ways)-1)
}

// settle counts the failures of a scan.
func (r *run) settle(found map[*Pattern]scanned) {
	if !r.isScan() {
		return
	}
	for p, n := range r.ways {
		of := found[p]
		found[p] = scanned{events: of.events + n, scans: of.scans + 1, ways: max(of.ways, len(r.ways))}
	}
}

// weight is how many failures of a finding count: a scan is one.
func (s scanned) weight(count int) int {
	return max(count-s.events, 0) + min(s.scans, count)
}

// causes are those of a pattern, weighed by its failures that belong to scans and
// by those that do not. The scores keep their sum.
func (s scanned) causes(f *Finding) []CauseScore {
	if s.events == 0 || f.Count == 0 {
		return f.Causes
	}
	odds := math.Pow(kindOdds, float64(min(s.ways, mostWays)-1))
	before, after := 0.0, 0.0
	for _, c := range f.Causes {
		before += c.Score
		after += oddsOfScan(c, odds)
	}
	share := min(float64(s.events)/float64(f.Count), 1)
	list := slices.Clone(f.Causes)
	for i, c := range list {
		list[i].Score = (1-share)*c.Score + share*oddsOfScan(c, odds)*before/after
	}
	return list
}

func oddsOfScan(c CauseScore, odds float64) float64 {
	if c.ID == probe {
		return c.Score * odds
	}
	return c.Score
}

// may tells whether a cause is among those of the pattern.
func (p *Pattern) may(cause string) bool {
	return slices.ContainsFunc(p.Causes, func(c CauseScore) bool { return c.ID == cause })
}
