package patterns

import (
	"math"
	"slices"
	"time"

	"wklog/patterns/internal/changes"
)

// bordered puts the border between two incidents that follow upon each other on some nodes
// where all these nodes together show it. A node serves one certificate at a time, but each
// of them alone has often met too little around the border to tell where it is.
func (f *finder) bordered(found []*stretch) []*stretch {
	order := slices.Clone(found)
	slices.SortStableFunc(order, func(x, y *stretch) int { return x.span.First.Compare(y.span.First) })
	met := map[[2]int]bool{}
	for _, u := range f.logs {
		last := -1
		for i, s := range order {
			if !s.units[u] || s.stops() || s.span.First.IsZero() {
				continue
			}
			if last >= 0 && !met[[2]int{last, i}] {
				met[[2]int{last, i}] = true
				order[last], order[i] = f.border(order[last], order[i])
			}
			last = i
		}
	}
	return order
}

// border moves what two stretches have seen on the units and in the channels of both: what
// is before it is of one, what is after it of the other. Where the second lies within the
// first either may come before, if that explains more.
func (f *finder) border(x, y *stretch) (*stretch, *stretch) {
	b := f.bordering(x, y)
	if len(b.ofX) == 0 || len(b.ofY) == 0 || !b.ofX[0].span.First.Before(b.ofY[0].span.First) {
		return x, y
	}
	before, after, evidence := b.cut(b.fixedX, b.fixedY)
	if !b.ofX[len(b.ofX)-1].span.First.Before(b.ofY[len(b.ofY)-1].span.First) {
		if earlier, later, other := b.cut(b.fixedY, b.fixedX); other > evidence {
			before, after, evidence = later, earlier, other
		}
		if evidence < b.asIs() {
			return x, y
		}
	}
	if before.seen < single || after.seen < single {
		return x, y
	}
	return before, after
}

// bordering are two stretches between which there is a border: the windows that may be on
// either side of it, and the others of each.
type bordering struct {
	*finder
	ofX, ofY, movable, fixedX, fixedY []*window
	classes                           map[*Pattern]int
	pauses                            []float64
	rhythm                            *changes.Rhythm
}

func (f *finder) bordering(x, y *stretch) *bordering {
	b := &bordering{finder: f}
	movable := func(w *window) bool {
		return x.units[w.unit] && y.units[w.unit] && x.channels[w.channel] && y.channels[w.channel] && !w.span.First.IsZero()
	}
	b.ofX, b.fixedX = parting(x.windows, movable)
	b.ofY, b.fixedY = parting(y.windows, movable)
	b.movable = inOrder(slices.Concat(b.ofX, b.ofY))
	b.classes = f.classes(slices.Concat(x.windows, y.windows))
	b.pauses = wall(b.movable)
	b.rhythm = changes.NewRhythm(b.pauses)
	return b
}

// asIs is the evidence of the stretches as they are. Each change after the first is of a
// fault that ends again and leaves the other as it was.
func (b *bordering) asIs() float64 {
	series := changes.NewSeries(len(b.classes))
	series.Add(b.sum(slices.Concat(b.ofX, b.fixedX), b.classes), 0)
	series.Add(b.sum(slices.Concat(b.ofY, b.fixedY), b.classes), 0)
	log := series.Evidence(0, 1) + series.Evidence(1, 2)
	isOfX := map[*window]bool{}
	for _, w := range b.ofX {
		isOfX[w] = true
	}
	log -= math.Log(anotherFault)
	for i, pause := range b.pauses {
		if isOfX[b.movable[i]] != isOfX[b.movable[i+1]] {
			log += b.change(pause) + math.Log(anotherFault)
		}
	}
	return log
}

// change is the logarithm of the odds of a change in a pause, which may be in each.
func (b *bordering) change(pause float64) float64 {
	return -b.rhythm.Next(pause) - math.Log(float64(len(b.pauses)))
}

// cut finds the border, with what is on both sides of it.
func (b *bordering) cut(fixedBefore, fixedAfter []*window) (before, after *stretch, evidence float64) {
	series := changes.NewSeries(len(b.classes))
	series.Add(b.sum(fixedBefore, b.classes), 0)
	for _, w := range b.movable {
		series.Add(b.byClass(w, b.classes), 0)
	}
	series.Add(b.sum(fixedAfter, b.classes), 0)
	at := 0
	evidence = math.Inf(-1)
	for i, pause := range b.pauses {
		log := series.Evidence(0, i+2) + series.Evidence(i+2, series.Len()) + b.change(pause)
		if aside(b.movable[i].span.Last, b.movable[i+1].span.First, fixedBefore, fixedAfter) {
			log += math.Log(anotherFault)
		}
		if log > evidence {
			evidence, at = log, i+1
		}
	}
	before = ofWindows(inOrder(slices.Concat(fixedBefore, b.movable[:at])), b.sights.kinds)
	after = ofWindows(inOrder(slices.Concat(fixedAfter, b.movable[at:])), b.sights.kinds)
	return before, after, evidence
}

// aside tells whether other units have a change at another time than in a pause.
func aside(from, to time.Time, before, after []*window) bool {
	return len(before) > 0 && before[len(before)-1].span.First.After(to) || len(after) > 0 && after[0].span.First.Before(from)
}

// parting are the windows of which something is true, and the others.
func parting(list []*window, is func(*window) bool) (those, others []*window) {
	for _, w := range list {
		if is(w) {
			those = append(those, w)
		} else {
			others = append(others, w)
		}
	}
	return those, others
}

func inOrder(list []*window) []*window {
	slices.SortStableFunc(list, func(x, y *window) int { return x.span.First.Compare(y.span.First) })
	return list
}

func (f *finder) sum(list []*window, classes map[*Pattern]int) []float64 {
	sum := make([]float64, len(classes))
	for _, w := range list {
		for class, n := range f.byClass(w, classes) {
			sum[class] += n
		}
	}
	return sum
}
