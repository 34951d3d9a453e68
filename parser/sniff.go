package parser

import (
	"bytes"
	"maps"
	"slices"
)

const (
	// sniffLines is how many of the first lines of a log tell its wrapper.
	sniffLines = 64
	// firstDate is how many of its first lines are searched for a date.
	firstDate = 4096
)

// sniff looks at the beginning of the log.
func (r *reader) sniff(block []byte) {
	for len(block) > 0 && r.sniffed < firstDate && (r.sniffed < sniffLines || r.dates.first.IsZero()) {
		end := lineEnd(block, 0)
		e := Unwrap(bytes.TrimPrefix(trimEnd(block[:end]), utf8BOM))
		if r.sniffed < sniffLines {
			r.wrappers[e.Wrapper]++
			r.look(e)
		}
		if t := r.dates.timeOfEntry(&e); !t.IsZero() && r.dates.first.IsZero() {
			r.dates.first = t
		}
		r.sniffed++
		block = block[end:]
	}
}

// look notes how an entry is written.
func (r *reader) look(e Entry) {
	if len(e.Text) == 0 {
		return
	}
	if r.stats.Styles == nil {
		r.stats.Styles = map[Style]int{}
	}
	rec := Parse(e)
	r.stats.Styles[Style{rec.Kind, rec.Level}]++
}

// wrapper is the one that most of the inspected lines had; a log of which some
// lines are wrapped is wrapped.
func (r *reader) wrapper() Wrapper {
	best, most := WrapperNone, 0
	for _, w := range slices.Sorted(maps.Keys(r.wrappers)) {
		if w != WrapperNone && r.wrappers[w] > most {
			best, most = w, r.wrappers[w]
		}
	}
	return best
}
