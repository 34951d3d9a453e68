package patterns

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"wklog/patterns/internal/ranking"
)

// Incident is a stretch of time on one or more nodes in which one fault explains the
// failures.
type Incident struct {
	// First and Last are those of its failures, zero where the logs have no times;
	// Inferred counts those whose time was taken from a neighbour or the arrival.
	First, Last time.Time
	Inferred    int
	// Ongoing says that the logs end before its silence is longer than its pauses;
	// Over is the probability that it is over.
	Ongoing bool
	Over    float64
	// Nodes are the names of those that had it, none where no node is named, Sources
	// the logs.
	Nodes, Sources  []string
	Events, Clients int
	Findings        []Evidence
	// Unexplained are those of the findings of which the leading cause is none.
	Unexplained []Evidence
	Diagnosis   []Diagnosis
}

// Priors of incidents, stated with their reasons.
const (
	// faultEvery is how often a server gets a fault, on the average: certificates last
	// 45 to 90 days and more than one thing can be wrong with a new one.
	faultEvery = 30 * 24 * time.Hour
	// anotherFault is the probability of a further fault, at most, where the failures
	// change in kind; and that of a fault of its own on another node at the same
	// time. The certificate of the nodes of a cluster is mostly the same file.
	anotherFault = 0.1
	// otherClients is the probability that the same fault is met by clients of quite
	// another mixture from some time on, or on another node.
	otherClients = 0.1
	// otherCauses is the same where other causes lead then.
	otherCauses = 0.01
	// fewClients is the same where the failures may be of one client: of so few
	// sightings, and less likely the more there are.
	fewClients, few = 0.5, 8
	// atOnce is the time within which clients come and go, so that a change of what
	// is seen is no surprise.
	atOnce = time.Hour
	// single is how many sightings that do not depend on each other a further fault
	// needs: fewer are odd clients, which a public server always has.
	single = 3
	// busyHour is how much more than on the average may pass by for a while.
	busyHour = 5
)

// incidents finds them among all failures. What belongs to none is passing.
func (a *Analyzer) incidents(res *Analysis) (list []Incident, passing []Evidence, where *located) {
	earlier := a.earlier()
	findings := slices.Concat(res.Findings, earlier)
	if len(findings) == 0 {
		return nil, nil, nil
	}
	f := &finder{Analyzer: a, findings: findings, total: a.sights.total(), recalled: a.recalled, causes: map[*stretch]map[string]float64{}, fits: map[*stretch][]float64{}}
	found, rest := f.find()
	list = make([]Incident, len(found))
	of := map[*Incident]*stretch{}
	order := make([]*Incident, len(found))
	for i, s := range found {
		in := f.incident(s)
		order[i], of[&in] = &in, s
	}
	slices.SortStableFunc(order, newestFirst)
	sorted := make([]*stretch, len(order))
	for i, in := range order {
		sorted[i] = of[in]
		in.Diagnosis = f.diagnoseIncident(of[in], rest == nil && len(found) == 1 && !f.recalled, i == 0, in.Ongoing)
		in.Unexplained = f.unexplained(of[in], in.Diagnosis)
		list[i] = *in
	}
	if rest != nil {
		passing = f.evidence(rest)
	}
	return list, passing, f.located(sorted)
}

// earlier are the findings that only an earlier run has.
func (a *Analyzer) earlier() []Finding {
	if !a.recalled {
		return nil
	}
	keys := map[*Pattern]map[ranking.Key]int{}
	for key, at := range a.sights.seen {
		k := a.sights.kinds[key.kind]
		if a.tallies[k.pattern] != nil {
			continue
		}
		if keys[k.pattern] == nil {
			keys[k.pattern] = map[ranking.Key]int{}
		}
		keys[k.pattern][k.key] += at.count
	}
	list := []Finding{}
	for _, p := range a.catalogue.Patterns {
		if keys[p] == nil {
			continue
		}
		f := Finding{Pattern: p, Causes: p.Causes}
		if p.Measured {
			f.Causes = a.ranker.Rank(keys[p], ranking.Context{}, nil)
		}
		list = append(list, f)
	}
	return list
}

func newestFirst(x, y *Incident) int {
	if x.Ongoing != y.Ongoing {
		if x.Ongoing {
			return -1
		}
		return 1
	}
	return cmp.Or(y.Last.Compare(x.Last), y.First.Compare(x.First), cmp.Compare(y.Events, x.Events))
}

// finder finds the incidents of an input.
type finder struct {
	*Analyzer
	findings []Finding
	total    Span
	// recalled says that some of it was seen by an earlier run.
	recalled bool
	causes   map[*stretch]map[string]float64
	fits     map[*stretch][]float64
	// logs are the units of the logs, windows what was seen in each window of so a width
	// of their channels.
	logs    []*unit
	windows map[*unit]map[channel]map[int64]*window
	width   time.Duration
}

// find gives the stretches of the incidents, and what belongs to none; nil where all
// does.
func (f *finder) find() (found []*stretch, rest *stretch) {
	seeds, steady, remainders := f.seeds()
	found, more := f.apart(f.joined(seeds, anyTwo))
	remainders = append(remainders, more...)
	return f.gather(found, steady, remainders)
}

func together(list []*stretch) *stretch {
	all := newStretch()
	for _, s := range list {
		all.add(s)
	}
	return all
}

// seeds cuts the failures of each unit and channel into stretches. Seeds are those that
// a fault explains better than chance; steady are failures of a unit and channel that
// did not change over time; remainders are the others.
func (f *finder) seeds() (seeds, steady, remainders []*stretch) {
	logs := f.units()
	all := f.grouped(logs)
	met := map[*unit]bool{}
	for _, u := range logs {
		if met[u] {
			continue
		}
		met[u] = true
		for _, c := range slices.SortedFunc(maps.Keys(all[u]), compareChannels) {
			list := f.stretches(u, c, all[u][c])
			if c.stops {
				seeds = append(seeds, list...)
				continue
			}
			raised, usual, others := f.raised(list)
			if together(usual).seen >= single && !c.passing {
				steady = append(steady, together(usual))
			} else {
				others = append(others, usual...)
			}
			seeds, remainders = append(seeds, raised...), append(remainders, others...)
		}
	}
	return seeds, steady, remainders
}

// raised are the stretches of a unit and channel in which more failed, of any kind, than
// is usual: even at the busiest hour as much would not by chance. Usual is what there is
// for half of the time, the quieter half.
func (f *finder) raised(list []*stretch) (raised, usual, others []*stretch) {
	total := f.total.Length().Hours()
	quiet := total
	for _, s := range list {
		quiet -= s.length()
	}
	order := slices.Clone(list)
	slices.SortStableFunc(order, func(x, y *stretch) int { return cmp.Compare(x.rate(), y.rate()) })
	for len(order) > 0 && (quiet < total/2 || order[0].span.First.IsZero()) {
		quiet += order[0].length()
		usual, order = append(usual, order[0]), order[1:]
	}
	seen := together(usual).weights
	for _, s := range order {
		price := math.Log(max(total/s.length(), 1) / anotherFault)
		_, lead := f.lead(s)
		for _, rarely := range []bool{lead < standsOut, s.passing(), lead < standsOut && s.passing()} {
			if rarely {
				price -= math.Log(anotherFault)
			}
		}
		least := float64(single)
		if lead < standsOut {
			least *= 2
		}
		if s.seen >= least && s.excess(seen, quiet) > price {
			raised = append(raised, s)
		} else {
			others = append(others, s)
		}
	}
	return raised, usual, others
}

// excess is the evidence that what a stretch has more than is seen in some hours
// otherwise is no chance.
func (s *stretch) excess(seen map[*Pattern]float64, in float64) float64 {
	log := 0.0
	for _, p := range s.patterns() {
		n := s.weights[p]
		usually := busyHour * s.length() * (seen[p] + priorSightings) / max(in, widest.Hours())
		if n > usually {
			log += n*math.Log(n/usually) - (n - usually)
		}
	}
	return log
}

// priorSightings is how much of a kind is taken to have been seen elsewhere, where
// nothing was.
const priorSightings = 1

// length is that of a stretch in hours: one window at least.
func (s *stretch) length() float64 { return s.span.Length().Hours() + widest.Hours() }

// rate are the sightings of a stretch in an hour; of one without a time none.
func (s *stretch) rate() float64 {
	if s.span.First.IsZero() {
		return 0
	}
	return s.seen / s.length()
}

// beside adds what failed steadily: to the incident that explains it, else as one of
// its own, where it is the only one or a cause stands out.
func (f *finder) beside(found, steady []*stretch) (all, remainders []*stretch) {
	all = found
	for _, s := range f.joined(steady, anyTwo) {
		if s.seen < single && len(found) > 0 {
			remainders = append(remainders, s)
			continue
		}
		_, lead := f.lead(s)
		best, at := 0.0, -1
		for i, incident := range all {
			if log := f.same(s, incident); log > best && (s.meets(incident) || between(s, incident) > math.Log(anotherFault/2)) {
				best, at = log, i
			}
		}
		switch {
		case lead < standsOut && (len(found) > 0 || len(steady) > 1) && s.mayBeOdd():
			remainders = append(remainders, s)
		case at >= 0:
			all[at] = together([]*stretch{all[at], s})
		default:
			all = append(all, s)
		}
	}
	return all, remainders
}

// oddClients is how many sightings in an hour may be of odd clients alone: of all that use
// a public server some have an old system or a wrong clock.
const oddClients = 2

// mayBeOdd tells whether so few failed in the time of a stretch that odd clients explain it.
func (s *stretch) mayBeOdd() bool {
	usually := oddClients * s.length()
	return s.seen <= usually || s.seen*math.Log(s.seen/usually)-(s.seen-usually) < -math.Log(anotherFault)
}

// standsOut is from which probability a cause stands out.
const standsOut = 0.5

// lead is the likeliest cause of a stretch.
func (f *finder) lead(s *stretch) (cause string, p float64) {
	causes := f.causesOfStretch(s)
	for _, id := range slices.Sorted(maps.Keys(causes)) {
		if causes[id] > p {
			cause, p = id, causes[id]
		}
	}
	return cause, p
}

// within tells whether a stretch lies in the time of another one, or half of it.
func (s *stretch) within(other *stretch) bool {
	from, to := s.span.First, s.span.Last
	if other.span.First.After(from) {
		from = other.span.First
	}
	if other.span.Last.Before(to) {
		to = other.span.Last
	}
	return !to.Before(from) && to.Sub(from) >= s.span.Length()/2
}

// meets tells whether two stretches have a time in common, as far as it is known.
func (s *stretch) meets(other *stretch) bool {
	return s.span.First.IsZero() || other.span.First.IsZero() ||
		!s.span.First.After(other.span.Last) && !other.span.First.After(s.span.Last)
}

func compareChannels(x, y channel) int {
	return cmp.Or(cmp.Compare(x.side, y.side), -boolCompare(x.verdict, y.verdict), cmp.Compare(x.cause, y.cause), boolCompare(x.stops, y.stops), boolCompare(x.passing, y.passing))
}

func boolCompare(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return 1
	}
	return -1
}
