package report

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// maxSeries is how many patterns a chart tells apart; the others are one series
// more.
const maxSeries = 6

// chart is a stacked bar chart over the bins of a timeline, in pixels of the page.
// The template draws it: series i is of class s0, s1, …, so that colours and fonts
// are those of the style.
type chart struct {
	Width, Height int
	// Bottom is where the labels of the bins end.
	Bottom int
	// Grid is where a bar's height is read.
	Grid   []gridLine
	Marks  []mark
	Bars   []bar
	Labels []label

	area area
}

type gridLine struct {
	Y, Left, Right float64
	// Count is what it stands for.
	Count int
}

type bar struct {
	Series              int
	X, Y, Width, Height float64
}

type label struct {
	X    float64
	Text string
}

// stretch is the bins from one to another of an incident.
type stretch struct{ number, from, to int }

// mark shows when an incident was.
type mark struct {
	Number              int
	X, Y, Width, Height float64
	// Tag is below the chart, nil in a chart of one incident.
	Tag *tag
}

// tag names an incident in a row of its own below the bins, with what stands beside it
// in time in rows below that.
type tag struct {
	Number              int
	X, Y, Width, Height float64
	// Left and Bottom are where its name stands.
	Left, Bottom float64
}

const (
	// lineHeight and digit are the size of a label's letters.
	lineHeight, digit = 20, 7
	// barShare is how much of a bin's width its bar takes.
	barShare = 0.85
)

// newTimelineChart draws counts over bins that have labels.
func newTimelineChart(width, height int, labels []string, series [][]int) *chart {
	c := &chart{Width: width, Height: height, Bottom: height}
	step := gridStep(tallest(series))
	top := (tallest(series) + step - 1) / step * step
	left, bottom := float64((len(strconv.Itoa(top))+1)*digit), float64(height-lineHeight-digit)
	area := area{x: left, y: lineHeight / 2, width: float64(width) - left, height: bottom - lineHeight/2}
	c.area = area
	for count := 0; count <= top; count += step {
		c.Grid = append(c.Grid, gridLine{Y: bottom - area.height*float64(count)/float64(top), Left: left, Right: float64(width), Count: count})
	}
	c.Bars = area.bars(series, top)
	most := len(slices.MaxFunc(labels, func(a, b string) int { return cmp.Compare(len(a), len(b)) })) * digit
	every := 1 + (len(labels)*(most+4*digit)-1)/int(area.width)
	for i := every / 2; i < len(labels); i += every {
		half := float64(most) / 2
		at := area.x + area.width*(float64(i)+0.5)/float64(len(labels))
		c.Labels = append(c.Labels, label{X: min(max(at, half), float64(width)-half), Text: labels[i]})
	}
	return c
}

// newSpark draws counts alone, beside others whose highest bar is most.
func newSpark(counts []int, most int) *chart {
	if len(counts) < 2 {
		return nil
	}
	c := &chart{Width: 160, Height: 32}
	c.Bars = area{width: float64(c.Width), height: float64(c.Height)}.bars([][]int{counts}, most)
	return c
}

// markStretches marks the bins of incidents.
func (c *chart) markStretches(stretches []stretch, bins int) {
	bin, rows := c.area.width/float64(bins), []float64{} // where each row of tags ends
	slices.SortStableFunc(stretches, func(a, b stretch) int { return cmp.Or(a.from-b.from, a.number-b.number) })
	for _, s := range stretches {
		m := mark{
			Number: s.number, X: c.area.x + bin*float64(s.from), Y: c.area.y,
			Width: bin * float64(s.to-s.from+1), Height: c.area.height,
		}
		if len(stretches) > 1 {
			m.Tag = c.tag(&m, &rows)
		}
		c.Marks = append(c.Marks, m)
	}
	c.Height += len(rows) * lineHeight
}

// tag puts the name of an incident into the first row that has room for it.
func (c *chart) tag(m *mark, rows *[]float64) *tag {
	name := float64(len(strconv.Itoa(m.Number))+2) * digit
	left := min(m.X, float64(c.Width)-name)
	row := slices.IndexFunc(*rows, func(end float64) bool { return end < left })
	if row < 0 {
		row, *rows = len(*rows), append(*rows, 0)
	}
	(*rows)[row] = max(left+name, m.X+m.Width)
	y := float64(c.Bottom + row*lineHeight)
	return &tag{
		Number: m.Number, X: m.X + 1, Y: y + 2, Width: max(m.Width-2, 1), Height: lineHeight - 4,
		Left: left + digit/2, Bottom: y + lineHeight - 6,
	}
}

// tallest is the count of the highest bar.
func tallest(series [][]int) int {
	most := 1
	for i := range series[0] {
		sum := 0
		for _, counts := range series {
			sum += counts[i]
		}
		most = max(most, sum)
	}
	return most
}

// gridStep is 1, 2 or 5 times a power of ten, so that there are at most five
// steps.
func gridStep(most int) int {
	for step := 1; ; step *= 10 {
		for _, times := range []int{1, 2, 5} {
			if most <= 5*step*times {
				return step * times
			}
		}
	}
}

// area is where the bars stand.
type area struct{ x, y, width, height float64 }

// bars stacks the counts of the series. What was counted at all is at least a
// pixel high.
func (a area) bars(series [][]int, top int) []bar {
	var bars []bar
	bin := a.width / float64(len(series[0]))
	for i := range series[0] {
		y := a.y + a.height
		for s, counts := range series {
			if counts[i] == 0 {
				continue
			}
			height := max(a.height*float64(counts[i])/float64(top), 1)
			y -= height
			bars = append(bars, bar{Series: s, X: a.x + bin*(float64(i)+(1-barShare)/2), Y: y, Width: bin * barShare, Height: height})
		}
	}
	return bars
}

// series are the counts of the most frequent patterns and those of all others
// together, with the patterns' ids; the last id is empty for the others.
func (t *Timeline) series() (ids []string, counts [][]int) {
	other, rest := make([]int, len(t.Starts)), false
	for _, p := range byCount(t.Patterns) {
		if len(ids) < maxSeries {
			ids, counts = append(ids, p.Pattern), append(counts, p.Counts)
			continue
		}
		rest = true
		for i, n := range p.Counts {
			other[i] += n
		}
	}
	if rest {
		ids, counts = append(ids, ""), append(counts, other)
	}
	return ids, counts
}

// labels name the bins of the timeline, with the date only where the unit needs
// no more.
func (t *Timeline) labels() []string {
	labels := []string{}
	for _, start := range t.Starts {
		labels = append(labels, t.label(start))
	}
	return labels
}

func (t *Timeline) label(start time.Time) string {
	first, last := t.Starts[0], t.Starts[len(t.Starts)-1]
	switch {
	case t.Unit == "year":
		return start.Format("2006")
	case t.Unit == "minute" && first.YearDay() == last.YearDay():
		return start.Format("15:04")
	case t.Unit == "minute" || t.Unit == "hour":
		return start.Format("01-02 15:04")
	case first.Year() == last.Year():
		return start.Format("01-02")
	}
	return start.Format(time.DateOnly)
}

// at is the bin of a time.
func (t *Timeline) at(when time.Time) int {
	at, exact := slices.BinarySearchFunc(t.Starts, when, time.Time.Compare)
	if !exact {
		at--
	}
	return min(max(at, 0), len(t.Starts)-1)
}
