package patterns

import (
	"bytes"
	_ "embed"
	"encoding/gob"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
)

// What the package knows is made by go generate from the YAML files and the
// recordings: every command starts with it, and reading them takes longer than
// most logs.
//
//go:embed ranking.gob
var rankingGob []byte

// Load gives the embedded catalogue. It is the caller's own, to add to; its entries
// are shared and must not be changed.
func Load() (*Catalogue, error) {
	c := embedded
	c.Patterns, c.Ignore, c.Causes, c.States = slices.Clone(c.Patterns), slices.Clone(c.Ignore), slices.Clone(c.Causes), slices.Clone(c.States)
	c.Suspicious, c.Anchors, c.Placements = slices.Clone(c.Suspicious), slices.Clone(c.Anchors), maps.Clone(c.Placements)
	return &c, nil
}

// NewRanker gives the ranker of the embedded assumptions and measurements. It
// is read once and never changes.
var NewRanker = sync.OnceValues(func() (*Ranker, error) {
	r, err := decodeRanker(rankingGob)
	if err != nil {
		return nil, fmt.Errorf("ranking.gob: %w", err)
	}
	r.populations = populationsOf(r.Weights)
	return r, nil
})

// EncodeRanker gives what NewRanker reads. The encoding has no fixed order:
// earlier bytes that say the same come back as they are.
func EncodeRanker(r *Ranker, earlier []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(r); err != nil {
		return nil, err
	}
	before, err := decodeRanker(earlier)
	if err != nil {
		return b.Bytes(), nil
	}
	after, err := decodeRanker(b.Bytes())
	if err != nil {
		return nil, err
	}
	if reflect.DeepEqual(before, after) {
		return earlier, nil
	}
	return b.Bytes(), nil
}

func decodeRanker(data []byte) (*Ranker, error) {
	r := &Ranker{}
	err := gob.NewDecoder(bytes.NewReader(data)).Decode(r)
	return r, err
}
