// Command generate makes what the package patterns and its ranking embed:
// measured.json, which tells what the server printed for each client under each
// setup, from the connection attempts recorded in testdata; embedded.go from the YAML
// in patterns/catalogue; and ranking.gob from ranking.yaml and the measurements. It
// runs by go generate in the patterns folder. It is built with the files that it
// makes: where two changes of one entry conflict in embedded.go, take either side
// and run it again.
package main

import (
	"errors"
	"io/fs"
	"log"
	"os"

	"wklog/patterns"
	"wklog/patterns/internal/ranking"
)

func main() {
	log.SetFlags(0)
	if err := generate("../testdata"); err != nil {
		log.Fatal(err)
	}
}

func generate(recordings string) error {
	c, err := patterns.Parse(os.DirFS("catalogue"))
	if err != nil {
		return err
	}
	data, err := os.ReadFile("internal/ranking/ranking.yaml")
	if err != nil {
		return err
	}
	assumptions, err := ranking.ParseAssumptions(data)
	if err != nil {
		return err
	}
	measured, err := measure(c, recordings, assumptions.Uses)
	if err != nil {
		return err
	}
	rows, err := lines(measured)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile("internal/ranking/measured.json", rows, 0o644),
		writeCatalogue("embedded.go", c),
		writeRanker("internal/ranking/ranking.gob", assumptions.Ranker(measured)),
	)
}

func writeCatalogue(name string, c *patterns.Catalogue) error {
	data, err := source(c)
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

// writeRanker encodes a ranker into a file that may hold the same one already.
func writeRanker(name string, r *ranking.Ranker) error {
	earlier, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	data, err := ranking.Encode(r, earlier)
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}
