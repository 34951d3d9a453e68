package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed" // the page and its style and script
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

var (
	//go:embed page.tmpl
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

func init() {
	register(form{name: "html", endings: []string{".html", ".htm"}, write: writeHTML})
}

// writeHTML writes one file that needs no network: its policy forbids any, and
// runs no style and no script but its own.
func writeHTML(w io.Writer, d *Document, opts Options) error {
	page := &htmlPage{Document: d, Say: opts.Say}
	page.draw()
	t, err := template.New("page").Funcs(page.functions()).Parse(pageText)
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	if err := t.Execute(w, page); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return nil
}

// htmlPage is what the template shows.
type htmlPage struct {
	*Document
	Say *messages.Printer
	// Wide and Narrow are the timeline for a desk and for a phone: text in a
	// chart that shrinks with the page could not be read.
	Wide, Narrow *chart
	Legend       []legendEntry
	NodeCharts   []*chart
	Sparks       []*chart
}

type legendEntry struct {
	Class, Title string
	Count        int
}

func (p *htmlPage) Style() template.CSS { return template.CSS(pageStyle) }
func (p *htmlPage) Script() template.JS { return template.JS(pageScript) }

// Policy allows the page's own style and script, by their hashes (Content
// Security Policy Level 3, section 2.3.1), and nothing else.
func (p *htmlPage) Policy() string {
	return policy(pageStyle, pageScript)
}

func policy(style, script string) string {
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", sourceHash(style), sourceHash(script))
}

// Certainty is the sentence that says how sure the diagnosis is.
func (p *htmlPage) Certainty() string { return verdict(p.Document, p.Diagnosis, p.Say) }

// Silence is the key of the heading of a report without findings, Quiet what it says.
func (p *htmlPage) Silence() string {
	if p.Summary.Unread > 0 {
		return "report.silence.unread"
	}
	return "report.silence"
}

func (p *htmlPage) Quiet() string { return p.quiet(p.Say) }

// deciding is what decides between causes that look alike, with what else would show more.
func (p *htmlPage) deciding(list []Diagnosis) []Step {
	steps := []Step{}
	if list[0].Alike && list[0].Decide != nil {
		steps = append(steps, list[0].Decide.step())
	}
	if len(p.Incidents) < 2 || &list[0] == &p.Incidents[0].Diagnosis[0] {
		steps = append(steps, p.Hints...)
	}
	return steps
}

func sourceHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (p *htmlPage) functions() template.FuncMap {
	say := p.Say
	return template.FuncMap{
		"say": say.Say, "visible": Visible, "clock": clock, "when": p.when,
		"sum":         func() []string { return summary(p.Document, say) },
		"evidence":    func(list []Evidence) string { return evidence(list, say) },
		"severity":    func(s string) string { return say.Say("severity." + s) },
		"ongoing":     func(f Finding) string { return say.Say("answer." + f.ongoingAnswer()) },
		"changed":     func(c *Change) string { return changed(c, say) },
		"causes":      func(f Finding) string { return p.causes(&f, say) },
		"most":        func(at Place) string { return p.mostFrequent(&at) },
		"remedies":    func(f Finding) []remedy { return p.remedies(&f) },
		"cause":       func(r remedy) string { return r.in(say) },
		"verdict":     func(list []Diagnosis) string { return verdict(p.Document, list, say) },
		"deciding":    p.deciding,
		"amount":      func(d Diagnosis) string { return d.amount(say) },
		"look":        func(d Diagnosis) []Step { return d.lookFirst() },
		"fixeskey":    func(d Diagnosis) string { return d.fixesKey() },
		"unlisted":    func() string { return unlisted(p.Clients, say) },
		"undated":     func() string { return undated(p.Timeline, say) },
		"origin":      func() string { return origin(p.Document, say) },
		"command":     func() string { return shellWords(p.Tool.Command) },
		"files":       func() []Place { return filePlaces(p.Files) },
		"add":         func(a, b int) int { return a + b },
		"headline":    func(in Incident) string { return in.headline(p.Document, say) },
		"unexplained": func(in any) string { return p.unexplainedOf(in) },
		"passing":     func() string { return p.passingText(say) },
		"causeid":     causeID,
		"stopseen":    func(s Stop) string { return s.seen(p.Document, say) },
		"unix":        unix,
		"pixels":      pixels,
		"bin":         p.Timeline.label,
		"size":        Bytes,
		"rank":        func(s string) int { return patterns.Severity(s).Rank() },
		"share":       func(confidence float64) int { return int(confidence * 100) },
	}
}

// when is a time in the zone of the first entry, which is that of the timeline.
func (p *htmlPage) when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return inZone(*t, p.Summary).Format(time.DateTime)
}

// pixels keeps a hundredth of a pixel.
func pixels(n float64) string { return strconv.FormatFloat(math.Round(n*100)/100, 'f', -1, 64) }

// unix sorts times; those that are not known come first.
func unix(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.Unix()
}

func (p *htmlPage) draw() {
	if len(p.Timeline.Starts) > 1 {
		p.drawTimeline()
	}
	highest := 1
	for _, n := range p.Nodes {
		highest = max(highest, slices.Max(append([]int{1}, squeeze(n.Counts, sparkBins)...)))
	}
	for _, n := range p.Nodes {
		p.NodeCharts = append(p.NodeCharts, newSpark(squeeze(n.Counts, sparkBins), highest))
	}
	for i := range p.Findings {
		counts := squeeze(p.Timeline.Patterns[i].Counts, sparkBins)
		p.Sparks = append(p.Sparks, newSpark(counts, slices.Max(append([]int{1}, counts...))))
	}
}

func (p *htmlPage) drawTimeline() {
	ids, series := p.Timeline.series()
	for i, id := range ids {
		entry := legendEntry{Class: fmt.Sprintf("s%d", i), Title: p.Say.Say("timeline.others")}
		if id != "" {
			entry.Title = p.title(id)
		}
		for _, n := range series[i] {
			entry.Count += n
		}
		p.Legend = append(p.Legend, entry)
	}
	p.Wide = newTimelineChart(1040, 260, p.Timeline.labels(), series)
	p.Narrow = newTimelineChart(360, 220, p.Timeline.labels(), series)
	for _, in := range p.Incidents {
		if in.First != nil && in.Last != nil {
			from, to := p.Timeline.at(*in.First), p.Timeline.at(*in.Last)
			p.Wide.markSpan(in.ID, from, to, len(p.Timeline.Starts))
			p.Narrow.markSpan(in.ID, from, to, len(p.Timeline.Starts))
		}
	}
}

// causeID is the place of a cause in the page: those of the first incident are linked by the
// findings.
func causeID(incident, place int) string {
	if incident == 1 {
		return fmt.Sprintf("cause-%d", place)
	}
	return fmt.Sprintf("incident-%d-cause-%d", incident, place)
}

// Several tells whether there is more than one incident to tell of.
func (p *htmlPage) Several() bool { return p.several() }

// First is the incident of a report of one, nil for none.
func (p *htmlPage) First() *Incident {
	if len(p.Incidents) == 0 {
		return nil
	}
	return &p.Incidents[0]
}

// sparkBins is how many bars a chart in a table row has room for.
const sparkBins = 40

func byCount(list []PatternCounts) []PatternCounts {
	total := func(p PatternCounts) (n int) {
		for _, count := range p.Counts {
			n += count
		}
		return n
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(x, y PatternCounts) int { return cmp.Compare(total(y), total(x)) })
	return list
}

func (p *htmlPage) unexplainedOf(in any) string {
	switch in := in.(type) {
	case Incident:
		return p.unexplainedText(&in, p.Say)
	case *Incident:
		return p.unexplainedText(in, p.Say)
	}
	return ""
}
