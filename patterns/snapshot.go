package patterns

import (
	"bytes"
	_ "embed"
	"encoding/gob"
	"fmt"
	"reflect"
	"sync"
)

// What the package knows, made by go generate from the YAML files and the
// recordings: every command starts with it, and reading the YAML takes forty
// times as long.
var (
	//go:embed catalogue.gob
	catalogueGob []byte
	//go:embed ranking.gob
	rankingGob []byte
)

// Load gives the embedded catalogue. It is the caller's own, to add to.
func Load() (*Catalogue, error) {
	c, err := decode[Catalogue](catalogueGob)
	if err != nil {
		return nil, fmt.Errorf("catalogue.gob: %w", err)
	}
	return c, nil
}

// NewRanker gives the ranker of the embedded assumptions and measurements. It
// is read once and never changes.
var NewRanker = sync.OnceValues(func() (*Ranker, error) {
	r, err := decode[Ranker](rankingGob)
	if err != nil {
		return nil, fmt.Errorf("ranking.gob: %w", err)
	}
	r.populations = populationsOf(r.Weights)
	return r, nil
})

// Encode gives what Load and NewRanker read. The encoding has no fixed order:
// earlier bytes that say the same come back as they are.
func Encode[T Catalogue | Ranker](v *T, earlier []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		return nil, err
	}
	before, err := decode[T](earlier)
	if err != nil {
		return b.Bytes(), nil
	}
	after, err := decode[T](b.Bytes())
	if err != nil {
		return nil, err
	}
	if reflect.DeepEqual(before, after) {
		return earlier, nil
	}
	return b.Bytes(), nil
}

func decode[T any](data []byte) (*T, error) {
	v := new(T)
	err := gob.NewDecoder(bytes.NewReader(data)).Decode(v)
	return v, err
}
