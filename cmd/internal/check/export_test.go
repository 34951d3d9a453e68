package check

import (
	"maps"
	"slices"
)

// Seen gives the results that the tests brought about, one of each kind.
func Seen() []Result {
	var all []Result
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		all = append(all, seen[key])
	}
	return all
}
