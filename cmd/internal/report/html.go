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
	"regexp"
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

// Silence is the key of the heading of a report without findings, Quiet what it says.
func (p *htmlPage) Silence() string {
	if p.Summary.Unread > 0 {
		return "report.silence.unread"
	}
	return "report.silence"
}

func (p *htmlPage) Quiet() string { return p.quiet(p.Say) }

// told is what the page tells of one incident.
type told struct {
	ID int
	// Headline is empty in a report of one incident and nothing else.
	Headline  string
	Diagnosis []Diagnosis
	// First says that no incident stands before it.
	First bool
	// Openly says that the leading cause is told in full. One that looks like others to a
	// log has to be opened as these have.
	Openly      bool
	Unexplained string
}

// Leads are the causes that a headline names: the first, with what looks like it.
func (t told) Leads() []Diagnosis {
	return t.Diagnosis[:min(len(t.Diagnosis), max(1, alikeOf(t.Diagnosis)))]
}

// Told are the incidents of the report, the diagnosis of one that needs no headline, or
// nothing.
func (p *htmlPage) Told() []told {
	if !p.several() {
		if len(p.Findings) == 0 && len(p.Diagnosis) == 0 {
			return nil
		}
		one := told{ID: 1, Diagnosis: p.Diagnosis, First: true, Openly: opensFirst(p.Diagnosis)}
		if len(p.Incidents) > 0 {
			one.Unexplained = p.unexplainedText(&p.Incidents[0], p.Say)
		}
		return []told{one}
	}
	list := []told{}
	for i := range p.Incidents {
		in := &p.Incidents[i]
		list = append(list, told{
			ID: in.ID, Headline: in.headline(p.Document, p.Say), Diagnosis: in.Diagnosis,
			First: i == 0, Openly: i == 0 && opensFirst(in.Diagnosis), Unexplained: p.unexplainedText(in, p.Say),
		})
	}
	return list
}

func opensFirst(list []Diagnosis) bool { return len(list) > 0 && !list[0].Alike }

// Overview are the incidents of a report of more than one, to choose from.
func (p *htmlPage) Overview() []told {
	if len(p.Incidents) < 2 {
		return nil
	}
	return p.Told()
}

// deciding is what decides between causes that look alike, or of one that is not told in
// full; the first incident has what else would show more.
func (p *htmlPage) deciding(t told) []Step {
	steps := []Step{}
	if lead := &t.Diagnosis[0]; !t.Openly && lead.Decide != nil {
		steps = append(steps, lead.Decide.step())
	}
	if t.First {
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
		"sum":      func() []string { return summary(p.Document, say) },
		"evidence": func(list []Evidence) string { return evidence(list, say) },
		"severity": func(s string) string { return say.Say("severity." + s) },
		"ongoing":  func(f Finding) string { return say.Say("answer." + f.ongoingAnswer()) },
		"changed":  func(c *Change) string { return changed(c, say) },
		"causes":   func(f Finding) string { return p.causes(&f, say) },
		"most":     func(at Place) string { return p.mostFrequent(&at) },
		"remedies": func(f Finding) []remedy { return p.remedies(&f) },
		"cause":    func(r remedy) string { return r.in(say) },
		"verdict":  func(list []Diagnosis) string { return verdict(p.Document, list, say) },
		"deciding": p.deciding,
		"amount":   func(d Diagnosis) string { return d.amount(say) },
		"look":     func(d Diagnosis) []Step { return d.lookFirst() },
		"fixeskey": func(d Diagnosis) string { return d.fixesKey() },
		"unlisted": func() string { return unlisted(p.Clients, say) },
		"undated":  func() string { return undated(p.Timeline, say) },
		"origin":   func() string { return origin(p.Document, say) },
		"command":  func() string { return shellWords(p.Tool.Command) },
		"files":    func() []Place { return filePlaces(p.Files) },
		"add":      func(a, b int) int { return a + b },
		"words":    words,
		"short":    func(text string) string { return sentences(text, 1) },
		"passing":  func() string { return p.passingText(say) },
		"causeid":  causeID,
		"stopseen": func(s Stop) string { return s.seen(p.Document, say) },
		"unix":     unix,
		"pixels":   pixels,
		"bin":      p.Timeline.label,
		"size":     Bytes,
		"rank":     func(s string) int { return patterns.Severity(s).Rank() },
		"share":    func(confidence float64) int { return int(confidence * 100) },
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
	stretches := []stretch{}
	for _, in := range p.Incidents {
		if in.First != nil && in.Last != nil {
			stretches = append(stretches, stretch{in.ID, p.Timeline.at(*in.First), p.Timeline.at(*in.Last)})
		}
	}
	p.Wide.markStretches(stretches, len(p.Timeline.Starts))
	p.Narrow.markStretches(stretches, len(p.Timeline.Starts))
}

// word is a part of a command.
type word struct {
	Text string
	// Whole says that no line may end in it.
	Whole bool
}

// option is the name of an option, which a browser breaks behind its hyphens.
var option = regexp.MustCompile(`\B--?[A-Za-z][\w-]{0,30}`)

// words takes a command apart, so that its options stay whole.
func words(command string) []word {
	list, end := []word{}, 0
	for _, at := range option.FindAllStringIndex(command, -1) {
		list = append(list, word{Text: command[end:at[0]]}, word{Text: command[at[0]:at[1]], Whole: true})
		end = at[1]
	}
	return append(list, word{Text: command[end:]})
}

// causeID is the place of an incident's cause in the page.
func causeID(incident int, cause string) string {
	return fmt.Sprintf("incident-%d-%s", incident, cause)
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
