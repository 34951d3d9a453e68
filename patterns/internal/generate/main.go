// Command generate makes what the package patterns embeds: measured.json, which
// tells what the server printed for each client under each setup, from the
// connection attempts recorded in testdata; catalogue.gob from the
// YAML in patterns/catalogue; and ranking.gob from ranking.yaml and the
// measurements. It runs by go generate in the patterns folder.
package main

import (
	"errors"
	"io/fs"
	"log"
	"os"

	"wklog/patterns"
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
	data, err := os.ReadFile("ranking.yaml")
	if err != nil {
		return err
	}
	assumptions, err := patterns.ParseAssumptions(data)
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
		os.WriteFile("measured.json", rows, 0o644),
		write("catalogue.gob", c),
		write("ranking.gob", assumptions.Ranker(measured)),
	)
}

// write encodes a value into a file that may hold the same value already.
func write[T patterns.Catalogue | patterns.Ranker](name string, v *T) error {
	earlier, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	data, err := patterns.Encode(v, earlier)
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}
