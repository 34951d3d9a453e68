package report

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func init() {
	register(form{name: "table", endings: []string{".txt"}, write: func(w io.Writer, d *Document, opts Options) error {
		p := NewPage(opts)
		if opts.Verbose {
			p.document(d)
		} else {
			p.briefly(d)
		}
		_, err := io.WriteString(w, p.String())
		return err
	}})
}

func (p *Page) document(d *Document) {
	p.summary(d)
	p.stops(d)
	if len(d.Findings) == 0 {
		p.silence(d)
	}
	if len(d.Findings) > 0 || len(d.Diagnosis) > 0 {
		p.diagnosis(d)
	}
	p.settled(d)
	if len(d.Findings) > 0 {
		p.findings(d)
		p.timeline(d)
		p.nodes(d)
	}
	p.gone(d)
	p.unread(d)
	if len(d.Findings) > 0 {
		p.unclassified(d)
	}
}

func (p *Page) summary(d *Document) {
	for _, text := range summary(d, p.say) {
		p.Paragraph("", text)
	}
}

// stops tells of what else the server ended.
func (p *Page) stops(d *Document) {
	if len(d.Stops) == 0 {
		return
	}
	p.Heading("stopped.title")
	for _, s := range d.Stops {
		p.Paragraph("  ", Visible(s.Text))
		p.Paragraph("  ", s.seen(d, p.say))
	}
}

// silence says what an input without findings does not show; one that speaks of
// failures in words that are not known is not silent.
func (p *Page) silence(d *Document) {
	if d.Summary.Unclassified > 0 {
		p.unclassified(d)
	} else {
		p.Line("")
		p.Paragraph("", d.quiet(p.say), bold)
	}
	p.steps(d.Hints)
}

// logs counts the inputs of which something was read.
func (d *Document) logs() int {
	n := 0
	for _, input := range d.Inputs {
		if input.Error == "" || input.Bytes > 0 {
			n++
		}
	}
	return n
}

func (p *Page) findings(d *Document) {
	p.Heading("findings")
	shown, samples := d.Findings, d.Findings
	if p.much.kinds > 0 {
		shown, samples = limit(d.Findings, p.much.kinds), d.Findings[:min(p.much.samples, len(d.Findings))]
	}
	keys := []string{"findings.severity", "findings.count", "findings.title", "findings.first", "findings.last", "findings.time"}
	if d.Compared != nil {
		keys[len(keys)-1] = "findings.change"
	}
	const spark = 10
	rows := [][]string{}
	for _, f := range shown {
		last := spread(&f, d.Summary, spark)
		if d.Compared != nil {
			last = p.say.Say("change." + f.Change.Status)
		}
		rows = append(rows, []string{
			p.severity(f.Severity), strconv.Itoa(f.Count), f.Title, short(f.First, d.Summary), short(f.Last, d.Summary), last,
		})
	}
	p.table(keys, rows, 2, wrap)
	if len(samples) > 0 {
		p.Line("")
	}
	for _, f := range samples {
		p.sample(&f)
	}
	if more := d.Omitted.Findings + len(d.Findings) - len(shown); more > 0 {
		key := "findings.more"
		if p.much.kinds > 0 {
			key = "findings.rest"
		}
		p.Paragraph("", p.say.Say(key, more))
	}
}

// timeline shows the failures of several logs as one line of bars.
func (p *Page) timeline(d *Document) {
	t := d.Timeline
	if len(d.Files) < 2 || len(t.Starts) < 2 {
		return
	}
	counts := squeeze(t.Counts, min(p.width-2, 78))
	most := slices.Index(t.Counts, slices.Max(t.Counts))
	p.Heading("timeline.title")
	p.Line("  " + sparkline(counts))
	p.Paragraph("  ", p.say.Say("timeline.peak", t.label(t.Starts[0]), t.label(t.Starts[len(t.Starts)-1]), t.Counts[most], t.label(t.Starts[most])))
}

// nodes compares the nodes of a cluster.
func (p *Page) nodes(d *Document) {
	if len(d.Nodes) < 2 {
		return
	}
	p.Heading("places.title")
	const spark = 20
	rows := [][]string{}
	for _, n := range d.Nodes {
		rows = append(rows, []string{
			Visible(n.Name), strconv.Itoa(n.Count), short(n.First, d.Summary), short(n.Last, d.Summary), sparkline(squeeze(n.Counts, spark)),
		})
	}
	p.table([]string{"places.node", "findings.count", "findings.first", "findings.last", "findings.time"}, rows, 0, inOneLine)
}

// settled says what the checks mean for the causes.
func (p *Page) settled(d *Document) {
	if len(d.Settled) == 0 {
		return
	}
	p.Heading("checks")
	for _, text := range d.Settled {
		p.Paragraph("  ", Visible(text))
	}
}

// gone lists what an earlier report had found and this one has not.
func (p *Page) gone(d *Document) {
	if len(d.Gone) == 0 {
		return
	}
	p.Heading("gone.title")
	for _, f := range d.Gone {
		p.Paragraph("  ", fmt.Sprintf("%s ×%d  %s", Visible(f.Title), f.Change.Before, Visible(f.Pattern)))
	}
}

// unread lists what could not be read.
func (p *Page) unread(d *Document) {
	if len(d.Errors) == 0 {
		return
	}
	p.Heading("unread.title")
	for _, e := range d.Errors {
		p.Paragraph("  ", Visible(e.Source+": "+e.Message))
	}
}

func (p *Page) sample(f *Finding) {
	if len(f.Samples) == 0 {
		return
	}
	s := f.Samples[0]
	p.place(f.Pattern, fmt.Sprintf("%s:%d", Visible(s.Source), s.Line))
	first, _, more := strings.Cut(s.Text, "\n") // a panic's trace is for the JSON
	if strings.HasPrefix(first, "{") {
		first = s.subject
	}
	if more {
		first += " …"
	}
	p.Line("  " + inLine(first, p.width-2))
}

// inLine shows a record in one line. What stands before the message of a handshake failure
// is left out, and of that the beginning where it is too long: it ends with the state.
func inLine(text string, width int) string {
	at := arrow.FindStringIndex(text)
	if at == nil || strings.TrimSpace(text[at[1]:]) == "" {
		return fit(Visible(text), width)
	}
	return fitEnd(Visible(strings.TrimSpace(text[at[1]:])), width)
}

// arrow is what stands before the message of a handshake failure: it would leave no room
// for what that says.
var arrow = regexp.MustCompile(`^-{4,}>握手失败！-{4,}>`)

func (p *Page) unclassified(d *Document) {
	if d.Summary.Unclassified == 0 {
		return
	}
	p.Heading("unclassified")
	p.Paragraph("", p.say.Say("unclassified.text", d.Summary.Unclassified))
	for _, s := range d.Unclassified {
		at := fmt.Sprintf("%s:%d", Visible(s.Source), s.Line)
		if text := inLine(s.Text, p.width/2); columns(at)+columns(text)+4 <= p.width {
			p.Line("  " + at + "  " + text)
			continue
		}
		p.Paragraph("  ", at)
		p.Line("    " + inLine(s.Text, p.width-4))
	}
}

func spread(f *Finding, s Summary, parts int) string {
	if f.First == nil || s.First == nil || s.Last == nil {
		return ""
	}
	first, last := *s.First, *s.Last
	if f.First.Before(first) {
		first = *f.First
	}
	if f.Last.After(last) {
		last = *f.Last
	}
	return sparkline(f.timeline.Spread(first, last, parts))
}

func limit[T any](list []T, top int) []T {
	if top > 0 && top < len(list) {
		return list[:top]
	}
	return list
}

// percent keeps 100 for what is certain.
func percent(p float64) string {
	if p < 1 {
		p = min(p, 0.99)
	}
	return fmt.Sprintf("%3.0f %%", p*100)
}

func clock(t time.Time) string { return t.Format("2006-01-02 15:04:05 -07:00") }

// short is a time in the zone of the first entry, without the date where the
// whole input is of one day.
func short(t *time.Time, s Summary) string {
	if t == nil {
		return "-"
	}
	if s.First != nil && s.Last != nil && s.First.Format(time.DateOnly) == inZone(*s.Last, s).Format(time.DateOnly) {
		return inZone(*t, s).Format(time.TimeOnly)
	}
	return inZone(*t, s).Format("01-02 15:04")
}

func inZone(t time.Time, s Summary) time.Time {
	if s.First == nil {
		return t
	}
	return t.In(s.First.Location())
}

// Bytes shows a size in binary units.
func Bytes(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	size, units := float64(n)/unit, []string{"KiB", "MiB", "GiB", "TiB"}
	i := 0
	for size >= unit && i < len(units)-1 {
		size /= unit
		i++
	}
	return fmt.Sprintf("%.1f %s", size, units[i])
}
