package report

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/go-analyze/charts"
)

// maxSeries is how many patterns a chart tells apart; the others are one series
// more.
const maxSeries = 6

// chart is a stacked bar chart over the bins of a timeline.
type chart struct {
	// width and height are in pixels of the page.
	width, height int
	// labels name the bins, empty for a chart without axes.
	labels []string
	series [][]int
	// most is the upper end of the axis, 0 for that of the series.
	most int
}

// The library writes every colour and font into the style of its element, which
// neither follows the reader's choice of dark or light nor passes a content
// security policy. The chart is drawn in colours that stand for classes.
const (
	axisColor  = 101
	gridColor  = 102
	labelColor = 103
)

// The library places everything on whole units, which would leave nothing of
// the bars of a year: a pixel of the page is several units of the drawing. It
// measures letters in a bitmap that grows with the square of their size, so
// that there must not be many (20 units a pixel take 340 MiB, 8 take 25).
const (
	unitsPerPixel = 8
	fontSize      = 9 // points
)

func colorOf(class uint8) charts.Color { return charts.Color{R: class, G: 1, B: 2, A: 255} }

func chartTheme() charts.ColorPalette {
	series := []charts.Color{}
	for i := range uint8(maxSeries + 1) {
		series = append(series, colorOf(i))
	}
	return charts.MakeTheme(charts.ThemeOption{
		AxisStrokeColor: colorOf(axisColor), AxisSplitLineColor: colorOf(gridColor), TextColor: colorOf(labelColor), SeriesColors: series,
	})
}

// svg draws the chart as an SVG element without styles of its own: series i is
// of class s0, s1, …, axes, grid and labels are of class axis, grid and label.
func (c *chart) svg() (string, error) {
	theme := chartTheme()
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: unitsPerPixel * c.width, Height: unitsPerPixel * c.height, Theme: theme})
	if err := p.BarChart(c.options(theme)); err != nil {
		return "", fmt.Errorf("draw a chart of %d series: %w", len(c.series), err)
	}
	data, err := p.Bytes()
	if err != nil {
		return "", fmt.Errorf("draw a chart of %d series: %w", len(c.series), err)
	}
	return classes(string(data)), nil
}

func (c *chart) options(theme charts.ColorPalette) charts.BarChartOption {
	values := [][]float64{}
	for _, counts := range c.series {
		row := []float64{}
		for _, n := range counts {
			row = append(row, float64(n))
		}
		values = append(values, row)
	}
	options := charts.NewBarChartOptionWithData(values)
	options.Theme, options.StackSeries, options.Legend.Show, options.BarSize = theme, charts.Ptr(true), charts.Ptr(false), 0.85
	font := charts.NewFontStyleWithSize(unitsPerPixel * fontSize)
	axis := charts.ValueAxisOption{Min: charts.Ptr(0.0), LabelCount: 4, LabelFontStyle: font}
	if c.most > 0 {
		axis.Max = charts.Ptr(float64(c.most))
	}
	if c.labels == nil {
		axis.Show, options.CategoryAxis.Show = charts.Ptr(false), charts.Ptr(false)
	}
	axis.ValueFormatter = func(v float64) string { return fmt.Sprintf("%.0f", v) }
	options.ValueAxis = []charts.ValueAxisOption{axis}
	options.CategoryAxis.Labels = c.labels
	options.CategoryAxis.LabelFontStyle = font
	if len(c.labels) > 0 {
		options.CategoryAxis.LabelCount = max(2, c.width/(60+9*len(c.labels[0])))
	}
	options.Padding = charts.NewBox(2*unitsPerPixel, 8*unitsPerPixel, 12*unitsPerPixel, 2*unitsPerPixel)
	return options
}

var (
	styles   = regexp.MustCompile(` style="([^"]*)"`)
	painted  = regexp.MustCompile(`(fill|stroke):rgb\((\d+),1,2\)`)
	lettered = regexp.MustCompile(`font-size:([\d.]+)px`)
)

// classes replaces the styles by classes and the size of letters.
func classes(svg string) string {
	svg = styles.ReplaceAllStringFunc(svg, func(style string) string {
		names := []string{}
		for _, m := range painted.FindAllStringSubmatch(style, -1) {
			switch m[2] {
			case fmt.Sprint(axisColor):
				names = append(names, "axis")
			case fmt.Sprint(gridColor):
				names = append(names, "grid")
			case fmt.Sprint(labelColor):
				names = append(names, "label")
			default:
				names = append(names, "s"+m[2])
			}
		}
		if len(names) == 0 {
			return ` class="none"`
		}
		size := ""
		if m := lettered.FindStringSubmatch(style); m != nil {
			size = fmt.Sprintf(` font-size="%s"`, m[1])
		}
		return fmt.Sprintf(` class="%s"%s`, strings.Join(names, " "), size)
	})
	return strings.Replace(svg, "<svg ", `<svg aria-hidden="true" focusable="false" `, 1)
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
