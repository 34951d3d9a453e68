package report

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

const bold = color.Bold

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

// Page is a text for a person at a terminal, built line by line.
type Page struct {
	strings.Builder
	say   *messages.Printer
	width int
	color bool
	all   bool            // results and steps of a checklist, which is brief else
	much  detail          // of a brief report; all else
	told  map[string]bool // names to replace
}

// NewPage starts an empty page.
func NewPage(opts Options) *Page {
	width := opts.Width
	if width <= 0 {
		width = 80
	}
	return &Page{say: opts.Say, told: map[string]bool{}, width: min(max(width, 40), 120), color: opts.Color, all: opts.Verbose}
}

func (p *Page) paint(s string, attributes ...color.Attribute) string {
	c := color.New(attributes...)
	c.DisableColor()
	if p.color {
		c.EnableColor()
	}
	return c.Sprint(s)
}

// Line writes one line.
func (p *Page) Line(s string) { p.WriteString(s + "\n") }

// Heading writes a heading with an empty line before it.
func (p *Page) Heading(key string) {
	if p.Len() > 0 {
		p.Line("")
	}
	p.Line(p.paint(p.say.Say(key), bold))
}

// Paragraph writes a wrapped text, its first line after a lead of the same
// width as the indent of the others.
func (p *Page) Paragraph(lead, text string, attributes ...color.Attribute) {
	indent := strings.Repeat(" ", columns(colours.ReplaceAllString(lead, "")))
	for i, line := range wrap(text, p.width-len(indent)) {
		if len(attributes) > 0 {
			line = p.paint(line, attributes...)
		}
		if i == 0 {
			p.Line(strings.TrimRight(lead+line, " "))
			continue
		}
		p.Line(indent + line)
	}
}

// Block writes a command or a snippet as it is: it is meant to be copied, so
// nothing is cut or wrapped.
func (p *Page) Block(indent, text string) {
	for _, line := range strings.Split(strings.TrimRight(Visible(text), "\n"), "\n") {
		if line == "" {
			p.Line(strings.TrimRight(indent, " "))
			continue
		}
		p.Line(indent + p.paint(line, color.FgCyan))
	}
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

func (p *Page) diagnosis(d *Document) {
	if d.several() {
		p.incidents(d)
		return
	}
	p.Heading("diagnosis")
	if len(d.Diagnosis) == 0 {
		p.Paragraph("", p.say.Say("diagnosis.none"))
		return
	}
	p.lead(d, d.Diagnosis)
	if d.Omitted.Diagnosis > 0 && p.much.kinds == 0 {
		p.Paragraph("", p.say.Say("diagnosis.more", d.Omitted.Diagnosis))
	}
	p.percentages(d.Diagnosis)
}

// lead tells of a diagnosis, of its leading cause in full.
func (p *Page) lead(d *Document, list []Diagnosis) {
	if p.much.kinds > 0 {
		p.briefDiagnosis(d, list)
		return
	}
	p.Paragraph("", verdict(d, list, p.say))
	if list[0].Alike {
		p.decide("    ", &list[0], true)
	}
	p.steps(d.Hints)
	for i, cause := range list {
		p.cause(i, &cause, i == 0 && !d.harmless())
		if i == 0 && len(d.Incidents) > 0 {
			p.unexplained(d, &d.Incidents[0])
		}
	}
}

// harmless tells whether healthy servers show all that was found as well.
func (d *Document) harmless() bool {
	return d.Summary.Events > 0 && d.Summary.Harmless == d.Summary.Events
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

// certainty chooses the sentence that tells how far the leading cause of a diagnosis is
// to be trusted.
func (d *Document) certainty(list []Diagnosis) string {
	const likely = 0.5
	switch lead := &list[0]; {
	case d.harmless():
		return "certainty.harmless"
	case lead.Proven:
		return "certainty.proven"
	case lead.Confidence >= sure && len(d.Settled) > 0:
		return "certainty.checked"
	case lead.Confidence >= sure:
		return "certainty.sure"
	case lead.Alike:
		return "certainty.alike"
	case lead.Confidence >= likely:
		return "certainty.likely"
	}
	return "certainty.open"
}

// verdict says how far the leading cause of a diagnosis is to be trusted.
func verdict(d *Document, list []Diagnosis, say *messages.Printer) string {
	key := d.certainty(list)
	if key != "certainty.alike" {
		return say.Say(key)
	}
	return say.Say(key, alikeOf(list))
}

// Undecided tells whether no cause of failing clients leads clearly.
func (d *Document) Undecided() bool {
	return len(d.Diagnosis) > 0 && d.Diagnosis[0].Side == string(patterns.SideServer) && slices.Contains([]string{"certainty.alike", "certainty.open"}, d.certainty(d.Diagnosis))
}

func (p *Page) cause(i int, d *Diagnosis, leads bool) {
	p.Line("")
	lead := fmt.Sprintf("%2d. %5s  ", i+1, d.amount(p.say))
	p.Paragraph(lead, d.Title+"  "+d.Cause, bold)
	indent := strings.Repeat(" ", 4)
	if !leads {
		for _, check := range d.Verify[:min(len(d.Verify), 1)] {
			p.Paragraph(indent, check.Text)
			p.command(indent+"  ", check.Command)
		}
		p.Line(indent + p.say.Say("diagnosis.explain", d.Cause))
		return
	}
	p.Paragraph(indent, d.Why)
	if len(d.Evidence) > 0 {
		p.Paragraph(indent+p.say.Say("diagnosis.evidence"), evidence(d.Evidence, p.say))
	}
	p.advice(indent, "diagnosis.verify", d.lookFirst())
	p.advice(indent, d.fixesKey(), d.Fixes)
}

// lookFirst are the ways to be sure of a cause: what decides first, but where it stands
// above the causes that look alike.
func (d *Diagnosis) lookFirst() []Step {
	steps := verificationSteps(d.Verify)
	if d.Decide != nil && !d.Alike && !slices.ContainsFunc(d.Verify, func(v Verification) bool { return v.Command == d.Decide.Command }) {
		steps = append([]Step{d.Decide.step()}, steps...)
	}
	return steps
}

func verificationSteps(list []Verification) []Step {
	steps := []Step{}
	for _, c := range list {
		steps = append(steps, c.step())
	}
	return steps
}

func (p *Page) advice(indent, key string, steps []Step) {
	if len(steps) == 0 {
		return
	}
	p.Line("")
	p.Line(indent + p.paint(p.say.Say(key), bold))
	p.steps(steps)
}

func (p *Page) steps(steps []Step) {
	for i, step := range steps {
		p.Paragraph(fmt.Sprintf("    %d) ", i+1), step.Text)
		p.instruction("       ", &step)
	}
	p.replaced("    ", steps)
}

// instruction is what is to be typed or configured in a step.
func (p *Page) instruction(indent string, step *Step) {
	p.command(indent, step.Command)
	if step.Config != "" {
		p.Block(indent+"| ", step.Config)
	}
}

// replaced says which names of the steps the reader has to replace.
func (p *Page) replaced(indent string, steps []Step) {
	if text := replacing(steps, p.told, p.say); text != "" {
		p.Paragraph(indent, text)
	}
}

// command shows shell commands without a prompt, ready to be copied.
func (p *Page) command(indent, command string) {
	if command != "" {
		p.Block(indent, command)
	}
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

// place names what stands at a place in the logs, in one line if there is room.
func (p *Page) place(what, at string) {
	if columns(what)+2+columns(at) <= p.width {
		p.Line(p.paint(what, bold) + "  " + at)
		return
	}
	p.Line(p.paint(fit(what, p.width), bold))
	p.Paragraph("  ", at)
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

// inOneLine cuts a text.
func inOneLine(text string, width int) []string { return []string{fit(text, width)} }

// table writes rows; of the texts in the wide column narrow makes lines that leave room for
// the others.
func (p *Page) table(keys []string, rows [][]string, wide int, narrow func(string, int) []string) {
	header := make([]string, len(keys))
	for i, key := range keys {
		header[i] = p.say.Say(key)
	}
	left := p.width
	for i := range header {
		most := 0
		for _, row := range append([][]string{header}, rows...) {
			most = max(most, columns(colours.ReplaceAllString(row[i], "")))
		}
		if i != wide {
			left -= most + 1
		}
	}
	for _, row := range rows {
		row[wide] = strings.Join(narrow(row[wide], max(left-1, 16)), "\n")
	}
	var out strings.Builder
	t := tablewriter.NewTable(&out,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.Border{Left: tw.Off, Right: tw.Off, Top: tw.Off, Bottom: tw.Off},
			Settings: tw.Settings{Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off}, Lines: tw.Lines{ShowHeaderLine: tw.On}},
			Symbols:  tw.NewSymbols(tw.StyleLight),
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: " ", Overwrite: true}),
	)
	t.Header(header)
	if t.Bulk(rows) == nil {
		_ = t.Render() // a strings.Builder takes everything
	}
	for line := range strings.Lines(out.String()) {
		p.Line(strings.TrimRight(line, " \n"))
	}
}

func (p *Page) severity(s string) string {
	word := p.say.Say("severity." + s)
	switch patterns.Severity(s) {
	case patterns.SeverityError:
		return p.paint(word, color.FgRed)
	case patterns.SeverityWarning:
		return p.paint(word, color.FgYellow)
	}
	return p.paint(word, color.FgBlue)
}

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
