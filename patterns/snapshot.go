package patterns

import (
	"maps"
	"slices"
)

// Load gives the embedded catalogue, which go generate makes from the YAML files:
// every command starts with it, and reading them takes longer than most logs. It is
// the caller's own, to add to; its entries are shared and must not be changed.
func Load() (*Catalogue, error) {
	c := &embedded
	return &Catalogue{
		Patterns: slices.Clone(c.Patterns), Ignore: slices.Clone(c.Ignore), Stops: slices.Clone(c.Stops), Echoes: slices.Clone(c.Echoes),
		Causes: slices.Clone(c.Causes), States: slices.Clone(c.States), Suspicious: slices.Clone(c.Suspicious),
		Anchors: slices.Clone(c.Anchors), Pushes: slices.Clone(c.Pushes), PushesOfClients: slices.Clone(c.PushesOfClients), Watches: slices.Clone(c.Watches), derived: slices.Clone(c.derived), unanchored: c.unanchored,
		placements: maps.Clone(c.placements), Symptoms: slices.Clone(c.Symptoms), Forms: slices.Clone(c.Forms), Fillers: slices.Clone(c.Fillers),
		Components: slices.Clone(c.Components), Actions: slices.Clone(c.Actions), Guides: slices.Clone(c.Guides), Names: slices.Clone(c.Names), Facts: slices.Clone(c.Facts), StartMarks: slices.Clone(c.StartMarks), Absences: slices.Clone(c.Absences),
	}, nil
}
