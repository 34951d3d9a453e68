package ranking

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"go.yaml.in/yaml/v4"

	"wklog/parser"
)

// Assumptions are the stated parts of the ranking (ranking.yaml).
type Assumptions struct {
	Priors []struct {
		Cause  string   `yaml:"cause"`
		Score  float64  `yaml:"score"`
		Why    string   `yaml:"why"`
		Setups []string `yaml:"setups"`
		Reach  Reach    `yaml:"reach"`
	} `yaml:"priors"`
	Stacks []struct {
		Name    string   `yaml:"name"`
		Weight  float64  `yaml:"weight"`
		Why     string   `yaml:"why"`
		Clients []string `yaml:"clients"`
		// Says is the pattern that a stack without recordings is known to leave
		// whatever the fault.
		Says string `yaml:"says"`
	} `yaml:"stacks"`
	Unmeasured float64 `yaml:"unmeasured"`
	TLS        []struct {
		Version string  `yaml:"version"`
		Weight  float64 `yaml:"weight"`
		// State is the one in which a server waits for the client's verdict.
		State string `yaml:"state"`
		Why   string `yaml:"why"`
	} `yaml:"tls"`
	Field []struct {
		Stack string  `yaml:"stack"`
		Setup string  `yaml:"setup"`
		Share float64 `yaml:"share"`
		Why   string  `yaml:"why"`
	} `yaml:"field"`
	Same []struct {
		Setups []string `yaml:"setups"`
		Why    string   `yaml:"why"`
	} `yaml:"same"`
}

// Reach says whose a fault is. The zero value is that of a fault which every
// client meets.
type Reach struct {
	// Of is the whole that has the fault: a device, or a program on any number of
	// devices.
	Of ReachOf `yaml:"of"`
	// Again is the probability that another one, which fails at the same time,
	// has the fault as well.
	Again float64 `yaml:"again"`
	Why   string  `yaml:"why"`
}

// ReachOf names what has a fault of its own.
type ReachOf string

// What has a fault that others do not share.
const (
	ReachDevice  ReachOf = "device"
	ReachProgram ReachOf = "program"
)

// surprise is the probability that a client prints something that its stack
// was never measured to print under a setup: another version, another policy.
// About two thousand recorded connections hold no such case. For stacks that were
// not measured at all it is measured as well, see [table.novelty].
const surprise = 0.0005

// rarest is the share of a key among the surprises that was never measured.
const rarest = 0.001

// silentRate stands for the rate of a stack that was measured to leave no
// line: it is small and not zero, for the same reason.
const silentRate = 0.005

// Ranker weighs the causes of a client's verdict on the certificate.
//
// A log comes from an unknown population of clients, all of which meet the
// same fault. The ranker therefore averages, for every recorded setup, over
// populations of one, two or three client stacks and over the whole assumed
// mix: P(seen | setup) = Σ P(population) · P(anything is printed) · Π P(key)^n.
// A log with one kind of line can so be explained by one kind of client and
// says little; lines of different clients must fit the same setup. As repeats
// of a line are mostly the same client trying again, n is 1 + ln(count)/4. A fault of
// one device or program (its [Reach]) is less probable with each further one that
// a population has.
type Ranker struct {
	Setups []Setup
	// Weights of the client stacks in the assumed mix.
	Weights []float64
	// Surprises is what stacks print where they print what they were not
	// measured to: a key that many setups have led to is more likely to be it
	// than one that means a single fault.
	Surprises map[Key]float64
	// Verdicts are the states in which a server waits for the client's verdict,
	// one for each version of TLS.
	Verdicts    []string
	populations []population
	tables      sync.Map // of a *keyTable by its Key
	silence     sync.Once
	silent      [][]float64 // what silence makes
}

// Setup is one recorded fault with its share of a cause's prior, and what each
// stack prints under it, in the order of the weights.
type Setup struct {
	Cause     string
	Prior     float64
	Reach     Reach
	Behaviour map[parser.Kind][]Behaviour
}

// Behaviour is how often a stack leaves a record of a kind at all, and the
// distribution of the keys where it does.
type Behaviour struct {
	Rate float64
	Keys map[Key]float64
	// Silent is how often the stack ends a connection as a healthy one ends.
	Silent float64
	// Surprise is how often it prints another key than these.
	Surprise float64
}

// Context is what stands near the failures and is none itself.
type Context struct {
	// Visible says that the log holds close records at all.
	Visible bool
	// SilentEnds says that connections ended near failures as healthy ones do,
	// which some clients also do when they reject the certificate.
	SilentEnds bool
	// Clients is how many clients of different addresses failed at the same
	// time, 0 where the log shows no addresses.
	Clients int
}

// healthyTraffic is the probability that a log with failures also holds the
// ends of healthy connections, which look the same as silent rejections.
const healthyTraffic = 0.5

// population is a share for each stack, with the population's probability.
type population struct {
	probability float64
	stacks      []int
	shares      []float64
}

// ParseAssumptions reads ranking.yaml.
func ParseAssumptions(data []byte) (*Assumptions, error) {
	a := &Assumptions{}
	if err := yaml.Load(data, a, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("read the assumptions of the ranking: %w", err)
	}
	for _, prior := range a.Priors {
		if of := prior.Reach.Of; of != "" && of != ReachDevice && of != ReachProgram {
			return nil, fmt.Errorf("read the assumptions of the ranking: cause %s: no reach %q", prior.Cause, of)
		}
	}
	return a, nil
}

// Uses tells whether the ranking uses a recorded setup.
func (a *Assumptions) Uses(setup string) bool {
	for _, prior := range a.Priors {
		if slices.Contains(prior.Setups, setup) {
			return true
		}
	}
	return false
}

// Ranker gives the ranker that the measurements make of the assumptions.
func (a *Assumptions) Ranker(measured []Measurement) *Ranker {
	r := &Ranker{}
	for _, stack := range a.Stacks {
		r.Weights = append(r.Weights, stack.Weight)
	}
	r.Weights = append(r.Weights, a.Unmeasured)
	table := newTable(a, measured)
	r.Surprises = table.surprises()
	for _, version := range a.TLS {
		r.Verdicts = append(r.Verdicts, version.State)
	}
	for _, prior := range a.Priors {
		for _, name := range prior.Setups {
			r.Setups = append(r.Setups, Setup{
				Cause: prior.Cause, Prior: prior.Score / float64(len(prior.Setups)), Reach: prior.Reach,
				Behaviour: table.behaviour(name),
			})
		}
	}
	r.populations = populationsOf(r.Weights)
	return r
}

// Score names a root cause and its probability, from 0 to 1, with the reason where it
// is stated.
type Score struct {
	ID    string  `yaml:"id" json:"id"`
	Score float64 `yaml:"score" json:"score"`
	Why   string  `yaml:"why" json:"-"`
}

// Rank returns the causes for what was seen, most probable first; the scores
// sum to 1. Nothing seen gives nothing. The odds are what else is known of the
// causes, nil for nothing.
func (r *Ranker) Rank(seen map[Key]int, context Context, odds Odds) []Score {
	if len(seen) == 0 {
		return nil
	}
	sights := r.sightings(r.measured(seen))
	byCause := map[string]float64{}
	total := 0.0
	for i, s := range r.Setups {
		p := s.Prior * odds.Of(s.Cause) * r.likelihood(i, sights, context)
		byCause[s.Cause] += p
		total += p
	}
	return Ranked(byCause, total)
}

// measured takes for each key that was never measured the most specific one that was:
// that of the pattern over all states, that of another kind of record.
func (r *Ranker) measured(seen map[Key]int) map[Key]int {
	known := make(map[Key]int, len(seen))
	for key, count := range seen {
		for _, next := range []Key{key, KeyIn(parser.KindClose, key.Pattern, ""), KeyIn(parser.KindNginx, key.Pattern, "")} {
			if r.Surprises[next] > 0 {
				key = next
				break
			}
		}
		known[key] += count
	}
	return known
}

// Ranked sorts weights by size and divides them by the total. Causes of less
// than a thousandth are left out: they stand for nothing but the smoothing.
func Ranked(weights map[string]float64, total float64) []Score {
	scores := []Score{}
	for _, id := range slices.Sorted(maps.Keys(weights)) {
		if score := weights[id] / total; total > 0 && score >= 0.001 {
			scores = append(scores, Score{ID: id, Score: Round(score)})
		}
	}
	slices.SortStableFunc(scores, func(a, b Score) int { return cmp.Compare(b.Score, a.Score) })
	return scores
}

// Round keeps three decimals, rounding down so that sums stay within 1.
func Round(score float64) float64 {
	return math.Floor(score*1000) / 1000
}

func (r *Ranker) likelihood(setup int, sights sightings, context Context) float64 {
	s := &r.Setups[setup]
	devices := max(context.Clients, sights.versions)
	sum := 0.0
	for i := range r.populations {
		p := &r.populations[i]
		log, printed := 0.0, 0.0
		for _, key := range sights.keys {
			log += key.repeats * key.table.log[setup][i]
			printed = max(printed, key.table.rate[setup][i])
		}
		silent := max(0, 1-printed)
		inTries := 1 - silent*silent*silent // in three tries
		sum += p.probability * s.Reach.to(len(p.stacks), devices) * math.Exp(log) * inTries * r.surroundings(setup, i, sights.failures, context)
	}
	return sum
}

// versions is how many versions of TLS the keys show. A device speaks one of them
// with one server.
func (r *Ranker) versions(seen map[Key]int) int {
	n := 0
	for _, state := range r.Verdicts {
		for key := range seen {
			if key.State == state {
				n++
				break
			}
		}
	}
	return n
}

// several is how many devices or programs with the same fault at the same time
// are many: a public server with thousands of clients has a few at any time.
const several = 3

// to is the probability that a fault is with all of some client stacks on at
// least some devices, given that it is with one.
func (r Reach) to(stacks, devices int) float64 {
	n := stacks
	switch r.Of {
	case "":
		return 1
	case ReachDevice:
		n = max(stacks, devices)
	}
	return math.Pow(r.Again, float64(min(max(n, 1), several)-1))
}

// sightings are the keys that were seen.
type sightings struct {
	keys []sighting
	// failures is how often anything was seen, versions how many of TLS.
	failures, versions int
}

// sighting is a key that was seen, with the exponent of its probability.
type sighting struct {
	repeats float64
	table   *keyTable
}

func (r *Ranker) sightings(seen map[Key]int) sightings {
	s := sightings{versions: r.versions(seen)}
	for key, count := range seen {
		s.failures += count
		s.keys = append(s.keys, sighting{repeats: 1 + math.Log(float64(count))/4, table: r.tableOf(key)})
	}
	return s
}

// keyTable is what every population does under every setup: how often it prints a record
// of the kind of a key, and the logarithm of how often that has this key.
type keyTable struct{ rate, log [][]float64 }

// tableOf gives that of a key. Those of keys that were measured are kept.
func (r *Ranker) tableOf(key Key) *keyTable {
	if known, ok := r.tables.Load(key); ok {
		return known.(*keyTable)
	}
	t := &keyTable{}
	for i := range r.Setups {
		rates, matches := r.Setups[i].stacksWith(key, r.Surprises)
		rate, log := make([]float64, len(r.populations)), make([]float64, len(r.populations))
		for j := range r.populations {
			p := &r.populations[j]
			match := 0.0
			for n, stack := range p.stacks {
				rate[j] += p.shares[n] * rates[stack]
				match += p.shares[n] * matches[stack]
			}
			log[j] = math.Log(match / rate[j])
		}
		t.rate, t.log = append(t.rate, rate), append(t.log, log)
	}
	if r.Surprises[key] > 0 {
		r.tables.Store(key, t)
	}
	return t
}

// stacksWith is how often every stack prints a record of the kind of a key under a setup,
// and how often this key.
func (s *Setup) stacksWith(key Key, surprises map[Key]float64) (rates, matches []float64) {
	for _, b := range s.Behaviour[key.Kind] {
		rates = append(rates, b.Rate)
		matches = append(matches, b.Rate*((1-b.Surprise)*b.Keys[key]+b.Surprise*max(surprises[key], rarest)))
	}
	return rates, matches
}

// surroundings is how well what stands near the failures fits a setup, if a population
// has it.
func (r *Ranker) surroundings(setup, population, failures int, context Context) float64 {
	if !context.Visible {
		return 1
	}
	none := math.Exp(r.noSilence()[setup][population] * (1 + math.Log(float64(failures))))
	if context.SilentEnds {
		return healthyTraffic + (1-healthyTraffic)*(1-none)
	}
	return none
}

// noSilence is the logarithm of how often a connection of each population does not end as
// healthy ones do, under each setup.
func (r *Ranker) noSilence() [][]float64 {
	r.silence.Do(func() {
		for i := range r.Setups {
			logs := make([]float64, len(r.populations))
			for j := range r.populations {
				p, silent := &r.populations[j], 0.0
				for n, stack := range p.stacks {
					silent += p.shares[n] * r.Setups[i].Behaviour[parser.KindClose][stack].Silent
				}
				logs[j] = math.Log(max(0, 1-silent))
			}
			r.silent = append(r.silent, logs)
		}
	})
	return r.silent
}

// rare is the probability below which a population is left to the whole mix:
// together these have less than a hundredth, and ranking costs half as much.
const rare = 1e-4

// populationsOf lists the populations of one, two and three stacks and the
// whole mix, each of these four kinds as likely as the others.
func populationsOf(weights []float64) []population {
	all := make([]int, len(weights))
	var sizes [4][]population
	for i := range weights {
		all[i] = i
		sizes[0] = append(sizes[0], mix(weights, i))
		for j := i + 1; j < len(weights); j++ {
			sizes[1] = append(sizes[1], mix(weights, i, j))
			for k := j + 1; k < len(weights); k++ {
				sizes[2] = append(sizes[2], mix(weights, i, j, k))
			}
		}
	}
	sizes[3] = []population{mix(weights, all...)}
	var list []population
	for _, same := range sizes {
		total := 0.0
		for _, p := range same {
			total += p.probability
		}
		for _, p := range same {
			if p.probability /= total * float64(len(sizes)); p.probability >= rare {
				list = append(list, p)
			}
		}
	}
	return list
}

// mix is the population of the given stacks in the proportion of their
// weights; its probability, not yet normalised, is the product of the weights.
func mix(weights []float64, stacks ...int) population {
	p := population{probability: 1, stacks: stacks, shares: make([]float64, len(stacks))}
	total := 0.0
	for _, stack := range stacks {
		total += weights[stack]
		p.probability *= weights[stack]
	}
	for i, stack := range stacks {
		p.shares[i] = weights[stack] / total
	}
	return p
}

// RankPattern returns the causes of a measured pattern, whatever the state and the
// kind of record.
func (r *Ranker) RankPattern(pattern string) []Score {
	return r.rankKeys(func(key Key) bool { return key.Pattern == pattern })
}

// RankState returns the causes of a client's verdict in a handshake state;
// none when no verdict was ever seen there.
func (r *Ranker) RankState(state string) []Score {
	return r.rankKeys(func(key Key) bool { return key.State == state })
}

// rankKeys mixes the causes of all measured keys that are meant, each by how
// often it is expected.
func (r *Ranker) rankKeys(meant func(Key) bool) []Score {
	byCause := map[string]float64{}
	total := 0.0
	for i, s := range r.Setups {
		keys := map[Key]bool{}
		for _, stacks := range s.Behaviour {
			for _, b := range stacks {
				for key := range b.Keys {
					keys[key] = meant(key)
				}
			}
		}
		for key, is := range keys {
			if is {
				p := s.Prior * r.likelihood(i, r.sightings(map[Key]int{key: 1}), Context{})
				byCause[s.Cause] += p
				total += p
			}
		}
	}
	return Ranked(byCause, total)
}

// Fits are the probabilities of the setups for what was seen, nil for nothing, and
// Likeness tells from those of two logs how much more likely these have the same setup
// than two that do not depend on each other.
func (r *Ranker) Fits(seen map[Key]int, context Context, odds Odds) []float64 {
	if len(seen) == 0 {
		return nil
	}
	sights := r.sightings(r.measured(seen))
	fits, total := make([]float64, len(r.Setups)), 0.0
	for i, s := range r.Setups {
		fits[i] = s.Prior * odds.Of(s.Cause) * r.likelihood(i, sights, context)
		total += fits[i]
	}
	for i := range fits {
		fits[i] /= max(total, math.SmallestNonzeroFloat64)
	}
	return fits
}

// Likeness is as above.
func (r *Ranker) Likeness(a, b []float64) float64 {
	sum, all := 0.0, 0.0
	byCause := map[string][3]float64{}
	for i, s := range r.Setups {
		of := byCause[s.Cause]
		byCause[s.Cause] = [3]float64{of[0] + a[i], of[1] + b[i], of[2] + s.Prior}
		all += s.Prior
	}
	for _, cause := range slices.Sorted(maps.Keys(byCause)) {
		of := byCause[cause]
		sum += of[0] * of[1] / of[2]
	}
	return sum * all
}

// Explains tells whether any client was measured to leave a key under a cause.
func (r *Ranker) Explains(cause string, key Key) bool {
	for known := range r.measured(map[Key]int{key: 1}) {
		for _, s := range r.Setups {
			if s.Cause != cause {
				continue
			}
			for _, b := range s.Behaviour[known.Kind] {
				if b.Keys[known] > 0 {
					return true
				}
			}
		}
	}
	return false
}
