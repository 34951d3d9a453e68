package ranking

import "maps"

// Odds are factors on the probability of causes; a cause without one has 1.
type Odds map[string]float64

// Of gives the odds of a cause.
func (o Odds) Of(cause string) float64 {
	if odds, ok := o[cause]; ok {
		return odds
	}
	return 1
}

// Times joins odds that come from different places.
func (o Odds) Times(other Odds) Odds {
	if o == nil {
		return other
	}
	product := maps.Clone(o)
	for cause, odds := range other {
		product[cause] = o.Of(cause) * odds
	}
	return product
}
