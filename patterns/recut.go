package patterns

import "wklog/patterns/internal/changes"

// recut cuts the incidents once more where what all their nodes show together changes: of
// two faults that follow upon each other a node may have met too little of either to tell.
// What one node alone shows was cut before.
func (f *finder) recut(found []*stretch) []*stretch {
	var list []*stretch
	for _, s := range found {
		if len(s.units) == 1 || s.stops() || s.span.First.IsZero() {
			list = append(list, s)
			continue
		}
		if parts := f.joined(f.parts(s), anyTwo); len(parts) > 1 {
			list = append(list, parts...)
		} else {
			list = append(list, s)
		}
	}
	return list
}

// parts are those between which the kinds change, over all units.
func (f *finder) parts(s *stretch) []*stretch {
	classes := f.classes(s.windows)
	series := changes.NewSeries(len(classes))
	for _, w := range s.windows {
		series.Add(f.byClass(w, classes), 0)
	}
	var parts []*stretch
	from := 0
	for _, cut := range append(series.Cuts(mostPlaces), series.Len()) {
		parts = append(parts, ofWindows(s.windows[from:cut], f.sights.kinds))
		from = cut
	}
	return parts
}
