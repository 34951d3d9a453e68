package ranking

import (
	"bytes"
	_ "embed"
	"encoding/gob"
	"fmt"
	"reflect"
	"sync"
)

//go:embed ranking.gob
var rankingGob []byte

// Load gives the ranker of the embedded assumptions and measurements. It is read
// once and never changes.
func Load() (*Ranker, error) { return embedded() }

var embedded = sync.OnceValues(func() (*Ranker, error) {
	r, err := decode(rankingGob)
	if err != nil {
		return nil, fmt.Errorf("ranking.gob: %w", err)
	}
	r.populations = populationsOf(r.Weights)
	return r, nil
})

// Encode gives what [Load] reads. The encoding has no fixed order:
// earlier bytes that say the same come back as they are.
func Encode(r *Ranker, earlier []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(r); err != nil {
		return nil, err
	}
	before, err := decode(earlier)
	if err != nil {
		return b.Bytes(), nil
	}
	after, err := decode(b.Bytes())
	if err != nil {
		return nil, err
	}
	if reflect.DeepEqual(before, after) {
		return earlier, nil
	}
	return b.Bytes(), nil
}

func decode(data []byte) (*Ranker, error) {
	r := &Ranker{}
	err := gob.NewDecoder(bytes.NewReader(data)).Decode(r)
	return r, err
}
