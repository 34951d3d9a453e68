package patterns

import (
	"slices"

	"wklog/parser"
)

// table answers how each stack behaves under a setup, from the measurements.
type table struct {
	assumed  *Assumptions
	measured []Measurement
}

func newTable(a *Assumptions, measured []Measurement) *table {
	return &table{assumed: a, measured: measured}
}

// behaviour returns, for each kind of record, what every stack does under the
// setup, in the order of the assumed stacks and the unmeasured one last. A
// stack that was not measured under the setup, nor under one that looks the
// same to it, is taken to behave like the average of those that were.
func (t *table) behaviour(setup string) map[parser.Kind][]Behaviour {
	all := map[parser.Kind][]Behaviour{}
	for _, kind := range []parser.Kind{parser.KindHandshake, parser.KindClose, parser.KindNginx} {
		stacks := make([]Behaviour, len(t.assumed.Stacks)+1)
		known := make([]bool, len(stacks))
		for i, stack := range t.assumed.Stacks {
			stacks[i], known[i] = t.measure(kind, t.same(setup), stack.Clients)
			stacks[i].Rate *= t.fieldShare(stack.Name, setup)
			stacks[i].Rate = max(stacks[i].Rate, silentRate)
		}
		average := averageOf(stacks, known)
		for i := range stacks {
			if !known[i] {
				stacks[i] = average
			}
		}
		all[kind] = stacks
	}
	return all
}

// measure joins the recorded attempts of the clients of one stack.
func (t *table) measure(kind parser.Kind, setups, clients []string) (Behaviour, bool) {
	b := Behaviour{Keys: map[Key]float64{}}
	weights := 0.0
	for _, version := range t.assumed.TLS {
		attempts, silent, counts := 0, 0, map[Key]int{}
		for _, m := range t.measured {
			if m.Kind != kind || !slices.Contains(setups, m.Setup) || m.TLS != version.Version || !slices.Contains(clients, m.Client) {
				continue
			}
			attempts += m.Attempts
			for _, seen := range m.Seen {
				counts[seen.Key] += seen.Count
			}
			silent += m.Silent
		}
		if attempts == 0 {
			continue
		}
		weights += version.Weight
		for key, count := range counts {
			b.Keys[key] += version.Weight * float64(count) / float64(attempts)
		}
		b.Silent += version.Weight * float64(silent) / float64(attempts)
	}
	if weights == 0 {
		return b, false
	}
	b.Silent /= weights
	for key := range b.Keys {
		b.Keys[key] /= weights
		b.Rate += b.Keys[key]
	}
	for key := range b.Keys {
		b.Keys[key] /= b.Rate
	}
	return b, true
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

// averageOf joins the known behaviours, each by how much it prints. With none
// known every key is a surprise.
func averageOf(stacks []Behaviour, known []bool) Behaviour {
	average := Behaviour{Keys: map[Key]float64{}}
	n := 0.0
	for i, b := range stacks {
		if !known[i] {
			continue
		}
		n++
		average.Rate += b.Rate
		for key, p := range b.Keys {
			average.Keys[key] += b.Rate * p
		}
		average.Silent += b.Silent
	}
	if n == 0 {
		average.Rate = silentRate
		return average
	}
	for key := range average.Keys {
		average.Keys[key] /= average.Rate
	}
	average.Silent /= n
	average.Rate /= n
	return average
}
