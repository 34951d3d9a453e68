package ranking

import (
	"slices"

	"wklog/parser"
)

// table answers how each stack behaves under a setup, from the measurements.
type table struct {
	assumed  *Assumptions
	measured []Measurement
	// novelty is how often a stack that was not measured prints what none of
	// the measured ones prints under a setup: for each measured one it is seen
	// what of its keys no other has.
	novelty float64
}

func newTable(a *Assumptions, measured []Measurement) *table {
	t := &table{assumed: a, measured: measured}
	t.novelty = t.alone()
	return t
}

// alone is the share of the keys, of all stacks and setups, that only one stack
// has.
func (t *table) alone() float64 {
	keys, alone := 0, 0
	for _, prior := range t.assumed.Priors {
		for _, setup := range prior.Setups {
			stacks := map[Key]int{}
			for _, stack := range t.assumed.Stacks {
				for key := range t.keysOf(setup, stack.Clients) {
					stacks[key]++
				}
			}
			for _, n := range stacks {
				keys += n
				if n == 1 {
					alone++
				}
			}
		}
	}
	return float64(alone) / float64(max(keys, 1))
}

// surprises tells of each kind of record which keys the setups share: for each
// its part of all pairs of a setup and a key.
func (t *table) surprises() map[Key]float64 {
	setups := map[Key]map[string]bool{}
	pairs := map[parser.Kind]float64{}
	for _, m := range t.measured {
		for _, seen := range m.Seen {
			if setups[seen.Key] == nil {
				setups[seen.Key] = map[string]bool{}
			}
			if !setups[seen.Key][m.Setup] {
				setups[seen.Key][m.Setup] = true
				pairs[seen.Kind]++
			}
		}
	}
	shares := map[Key]float64{}
	for key, list := range setups {
		shares[key] = float64(len(list)) / pairs[key.Kind]
	}
	return shares
}

// keysOf are those of the raw handshake lines that a stack leaves under a setup.
func (t *table) keysOf(setup string, clients []string) map[Key]bool {
	keys := map[Key]bool{}
	for _, version := range t.assumed.TLS {
		for key := range t.measure(parser.KindHandshake, t.same(setup), clients, version.Version).keys {
			keys[key] = true
		}
	}
	return keys
}

// behaviour returns, for each kind of record, what every stack does under the
// setup, in the order of the assumed stacks and the unmeasured one last: over the
// versions of TLS, each by its weight.
func (t *table) behaviour(setup string) map[parser.Kind][]Behaviour {
	all := map[parser.Kind][]Behaviour{}
	for _, kind := range []parser.Kind{parser.KindHandshake, parser.KindClose, parser.KindNginx} {
		stacks := make([]tendency, len(t.assumed.Stacks)+1)
		known := make([]bool, len(stacks))
		for _, version := range t.assumed.TLS {
			for i, b := range t.withVersion(kind, setup, version.Version, version.State) {
				stacks[i].add(&b, version.Weight)
				known[i] = known[i] || b.own
			}
		}
		for i, b := range stacks {
			next := b.behaviour()
			next.Surprise = t.novelty
			if known[i] {
				next.Surprise = surprise
			}
			all[kind] = append(all[kind], next)
		}
	}
	return all
}

// withVersion returns what every stack does with one version of TLS. A stack that
// was not measured with it under the setup, nor under one that looks the same
// to it, is taken to behave like the average of those that were.
func (t *table) withVersion(kind parser.Kind, setup, version, state string) []tendency {
	stacks := make([]tendency, len(t.assumed.Stacks)+1)
	var average tendency
	for i, stack := range t.assumed.Stacks {
		stacks[i] = t.measure(kind, t.same(setup), stack.Clients, version)
		if stack.Says != "" {
			stacks[i] = always(KeyIn(kind, stack.Says, state))
			continue
		}
		stacks[i].scale(t.fieldShare(stack.Name, setup))
		stacks[i].own = stacks[i].weight > 0
		average.add(&stacks[i], 1)
	}
	for i := range stacks {
		if stacks[i].weight == 0 {
			stacks[i] = average
		}
	}
	return stacks
}

// measure joins the recorded attempts of the clients of one stack.
func (t *table) measure(kind parser.Kind, setups, clients []string, version string) tendency {
	b := tendency{keys: map[Key]float64{}}
	for _, m := range t.measured {
		if m.Kind != kind || !slices.Contains(setups, m.Setup) || m.TLS != version || !slices.Contains(clients, m.Client) {
			continue
		}
		b.weight += float64(m.Attempts)
		for _, seen := range m.Seen {
			b.keys[seen.Key] += float64(seen.Count)
			b.printed += float64(seen.Count)
		}
		b.silent += float64(m.Silent)
	}
	return b
}

// tendency is how often each key is printed and how often an attempt ends in
// silence, in as many attempts as its weight.
type tendency struct {
	keys    map[Key]float64
	printed float64 // the sum of the keys
	silent  float64
	weight  float64
	own     bool // measured, and not that of others
}

// always is the tendency to print one key at every attempt.
func always(key Key) tendency {
	return tendency{keys: map[Key]float64{key: 1}, printed: 1, weight: 1, own: true}
}

// add joins the average attempt of another tendency, which counts as weight
// attempts; one without attempts adds nothing.
func (b *tendency) add(other *tendency, weight float64) {
	if other.weight == 0 {
		return
	}
	if b.keys == nil {
		b.keys = map[Key]float64{}
	}
	for key, n := range other.keys {
		b.keys[key] += weight * n / other.weight
	}
	b.printed += weight * other.printed / other.weight
	b.silent += weight * other.silent / other.weight
	b.weight += weight
}

// scale takes into account that only a share of the attempts fails.
func (b *tendency) scale(share float64) {
	for key := range b.keys {
		b.keys[key] *= share
	}
	b.printed *= share
}

// behaviour is that of the average attempt. Without any, every key is a
// surprise.
func (b *tendency) behaviour() Behaviour {
	result := Behaviour{Rate: silentRate, Keys: map[Key]float64{}}
	for key, n := range b.keys {
		result.Keys[key] = n / b.printed
	}
	if b.weight > 0 {
		result.Rate = max(b.printed/b.weight, silentRate)
		result.Silent = b.silent / b.weight
	}
	return result
}

// same lists the setups that look the same to a client, the given one among
// them.
func (t *table) same(setup string) []string {
	for _, group := range t.assumed.Same {
		if slices.Contains(group.Setups, setup) {
			return group.Setups
		}
	}
	return []string{setup}
}

func (t *table) fieldShare(stack, setup string) float64 {
	for _, f := range t.assumed.Field {
		if f.Stack == stack && f.Setup == setup {
			return f.Share
		}
	}
	return 1
}
