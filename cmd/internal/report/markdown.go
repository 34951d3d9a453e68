package report

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"wklog/cmd/internal/messages"
)

func init() {
	register(form{name: "markdown", endings: []string{".md", ".markdown"}, write: func(w io.Writer, d *Document, opts Options) error {
		md := &markdown{say: opts.Say}
		md.document(d)
		_, err := io.WriteString(w, md.String())
		return err
	}})
}

// maxRows is how many files and clients a report in Markdown lists: what it is
// pasted into holds 65,536 characters.
const maxRows = 20

// markdown builds a text in GitHub Flavored Markdown. Texts of the catalogue go
// through prose, everything that came from a log through literal or fence.
type markdown struct {
	strings.Builder
	say *messages.Printer
}

func (m *markdown) line(parts ...string) { m.WriteString(strings.Join(parts, "") + "\n") }

func (m *markdown) paragraph(text string) { m.line(prose(text), "\n") }

func (m *markdown) heading(level int, text string) {
	m.line(strings.Repeat("#", level), " ", text, "\n")
}

// fence writes a block that its text cannot close.
func (m *markdown) fence(kind, text string) {
	text = strings.Trim(Visible(text), "\n")
	mark := strings.Repeat("`", max(3, longestRun(text, '`')+1))
	m.line(mark, kind)
	m.line(text)
	m.line(mark, "\n")
}

func (m *markdown) details(summary string, content func()) {
	m.line("<details><summary>", summary, "</summary>\n")
	content()
	m.line("</details>\n")
}

// table writes rows whose cells are Markdown already; those of the columns
// that are numbers are aligned right.
func (m *markdown) table(header []string, numbers int, rows [][]string) {
	m.line("| ", strings.Join(header, " | "), " |")
	rule := make([]string, len(header))
	for i := range rule {
		rule[i] = "---"
		if i > 0 && i <= numbers {
			rule[i] = "--:"
		}
	}
	m.line("| ", strings.Join(rule, " | "), " |")
	for _, row := range rows {
		m.line("| ", strings.Join(row, " | "), " |")
	}
	m.line()
}

func (m *markdown) document(d *Document) {
	m.heading(1, m.say.Say("report.title"))
	m.summary(d)
	m.stops(d)
	if len(d.Findings) == 0 {
		if d.Summary.Unclassified > 0 {
			m.unclassified(d)
		} else {
			m.paragraph(d.quiet(m.say))
		}
		m.steps("", d.Hints)
	}
	if len(d.Findings) > 0 || len(d.Diagnosis) > 0 {
		m.diagnosis(d)
	}
	m.settled(d)
	if len(d.Findings) > 0 {
		m.findings(d)
		m.timeline(d)
		m.places(d)
	}
	m.gone(d)
	m.unread(d)
	if len(d.Findings) > 0 {
		m.unclassified(d)
	}
	m.origin(d)
}

func (m *markdown) summary(d *Document) {
	for _, text := range summary(d, m.say) {
		m.line("- ", prose(text))
	}
	m.line()
}

func (m *markdown) stops(d *Document) {
	if len(d.Stops) == 0 {
		return
	}
	m.heading(2, m.say.Say("report.stopped"))
	for _, s := range d.Stops {
		m.line("- ", prose(s.Text), " ", prose(s.seen(d, m.say)))
	}
	m.line()
}

// incidents tells of each with its diagnosis.
func (m *markdown) incidents(d *Document) {
	m.heading(2, m.say.Say("report.incidents"))
	for i := range d.Incidents {
		in := &d.Incidents[i]
		m.heading(3, fmt.Sprintf("%d\\. ", in.ID)+literalText(in.headline(d, m.say)))
		if len(in.Diagnosis) == 0 {
			m.paragraph(m.say.Say("diagnosis.none"))
		}
		if len(in.Diagnosis) > 0 {
			m.verdict(d, in.Diagnosis)
		}
		if i == 0 {
			m.steps("", d.Hints)
		}
		m.ranked(in.Diagnosis, func(title string) { m.line("**", title, "**\n") })
		if text := d.unexplainedText(in, m.say); text != "" {
			m.paragraph(text)
		}
	}
	if text := d.passingText(m.say); text != "" {
		m.paragraph(text)
	}
	m.paragraph(m.say.Say("diagnosis.percent"))
}

// verdict says how far a diagnosis is to be trusted, and what decides where its causes
// look alike.
func (m *markdown) verdict(d *Document, list []Diagnosis) {
	m.paragraph(verdict(d, list, m.say))
	if list[0].Alike && list[0].Decide != nil {
		m.steps("", []Step{list[0].Decide.step()})
	}
}

// ranked tells of causes, of the first openly.
func (m *markdown) ranked(list []Diagnosis, heading func(string)) {
	for i, cause := range list {
		title := fmt.Sprintf("%s %s", cause.amount(m.say), cause.Title)
		if i == 0 {
			heading(prose(title) + " " + literal(cause.Cause))
			m.cause(&cause)
			continue
		}
		m.details(literalText(title), func() { m.cause(&cause) })
	}
}

func (m *markdown) diagnosis(d *Document) {
	if d.several() {
		m.incidents(d)
		return
	}
	m.heading(2, m.say.Say("report.diagnosis"))
	if len(d.Diagnosis) == 0 {
		m.paragraph(m.say.Say("diagnosis.none"))
		return
	}
	m.verdict(d, d.Diagnosis)
	m.steps("", d.Hints)
	m.ranked(d.Diagnosis, func(title string) { m.heading(3, title) })
	if len(d.Incidents) > 0 {
		if text := d.unexplainedText(&d.Incidents[0], m.say); text != "" {
			m.paragraph(text)
		}
	}
	if d.Omitted.Diagnosis > 0 {
		m.paragraph(m.say.Say("diagnosis.more", d.Omitted.Diagnosis))
	}
	m.paragraph(m.say.Say("diagnosis.percent"))
}

func (m *markdown) settled(d *Document) {
	if len(d.Settled) == 0 {
		return
	}
	m.heading(2, m.say.Say("checks"))
	for _, text := range d.Settled {
		m.line("- ", prose(text))
	}
	m.line()
}

func (m *markdown) cause(c *Diagnosis) {
	m.paragraph(c.Why)
	if len(c.Evidence) > 0 {
		m.paragraph(m.say.Say("diagnosis.evidence") + evidence(c.Evidence, m.say))
	}
	m.steps("diagnosis.verify", c.lookFirst())
	m.steps(c.fixesKey(), c.Fixes)
}

func (m *markdown) steps(key string, steps []Step) {
	if key != "" && len(steps) > 0 {
		m.line("**", m.say.Say(key), "**\n")
	}
	for i, step := range steps {
		m.line(strconv.Itoa(i+1), `\. `, prose(step.Text), "\n")
		if step.Command != "" {
			m.fence("sh", step.Command)
		}
		if step.Config != "" {
			m.fence("", step.Config)
		}
	}
}

func (m *markdown) findings(d *Document) {
	m.heading(2, m.say.Say("report.findings"))
	header := []string{"findings.title", "findings.count", "findings.severity", "findings.first", "findings.last", "findings.ongoing", "findings.time"}
	if d.Compared != nil {
		header = append(header, "findings.change")
	}
	rows := [][]string{}
	for _, f := range d.Findings {
		row := []string{
			prose(f.Title), strconv.Itoa(f.Count), m.say.Say("severity." + f.Severity), short(f.First, d.Summary), short(f.Last, d.Summary),
			m.say.Say("answer." + f.ongoingAnswer()), spread(&f, d.Summary, 20),
		}
		if d.Compared != nil {
			row = append(row, changed(f.Change, m.say))
		}
		rows = append(rows, row)
	}
	m.table(m.words(header), 1, rows)
	for _, f := range d.Findings {
		m.details(literalText(fmt.Sprintf("%s ×%d", f.Title, f.Count)), func() {
			m.finding(d, &f)
			if causes := d.remedies(&f); len(causes) > 0 {
				m.paragraph(m.say.Say("findings.remedy") + remedies(causes, m.say))
			} else {
				m.steps("findings.fixes", f.Fixes)
			}
			m.samples(f.Samples)
		})
	}
	if d.Omitted.Findings > 0 {
		m.paragraph(m.say.Say("findings.more", d.Omitted.Findings))
	}
}

// finding explains one failure and names its causes.
func (m *markdown) finding(d *Document, f *Finding) {
	m.line(literal(f.Pattern), "\n")
	m.paragraph(f.Why)
	if causes := d.causes(f, m.say); causes != "" {
		m.paragraph(m.say.Say("findings.causes", causes))
	}
}

func (m *markdown) samples(list []Sample) {
	for _, s := range list {
		m.line(place(s), "\n")
		m.fence("text", fit(s.Text, maxSample))
	}
}

// maxSample is how many columns of a sample are shown.
const maxSample = 2000

func place(s Sample) string {
	at := literal(fmt.Sprintf("%s:%d", s.Source, s.Line))
	if s.Time != nil {
		at += " " + clock(*s.Time)
	}
	return at
}

func (m *markdown) timeline(d *Document) {
	t := d.Timeline
	if len(t.Starts) < 2 {
		return
	}
	m.heading(2, m.say.Say("report.timeline"))
	m.paragraph(m.say.Say("timeline.unit."+t.Unit) + undated(t, m.say))
	header := []string{m.say.Say("timeline.start"), m.say.Say("timeline.total")}
	for _, p := range t.Patterns {
		header = append(header, literal(p.Pattern))
	}
	rows := [][]string{}
	for i, start := range t.Starts {
		if t.Counts[i] == 0 {
			continue
		}
		row := []string{t.label(start), strconv.Itoa(t.Counts[i])}
		for _, p := range t.Patterns {
			row = append(row, strconv.Itoa(p.Counts[i]))
		}
		rows = append(rows, row)
	}
	m.details(m.say.Say("timeline.table"), func() { m.table(header, len(header), rows) })
}

func (m *markdown) places(d *Document) {
	if len(d.Nodes) > 0 {
		m.heading(2, m.say.Say("report.nodes"))
		rows := [][]string{}
		for _, n := range d.Nodes {
			rows = append(rows, append(m.placeCells(d, &n.Place), sparkline(squeeze(n.Counts, 20))))
		}
		m.table(m.words([]string{"places.node", "findings.count", "findings.first", "findings.last", "places.most", "findings.time"}), 1, rows)
	}
	m.heading(2, m.say.Say("report.files"))
	m.list(d, "places.file", filePlaces(d.Files))
	if len(d.Clients.List) > 0 {
		m.heading(2, m.say.Say("report.clients"))
		m.list(d, "places.client", d.Clients.List)
		if note := unlisted(d.Clients, m.say); note != "" {
			m.paragraph(note)
		}
	}
}

func (m *markdown) list(d *Document, key string, places []Place) {
	rows := [][]string{}
	for _, p := range limit(places, maxRows) {
		rows = append(rows, m.placeCells(d, &p))
	}
	m.table(m.words([]string{key, "findings.count", "findings.first", "findings.last", "places.most"}), 1, rows)
	if rest := len(places) - len(rows); rest > 0 {
		m.paragraph(m.say.Say("places.more", rest))
	}
}

func (m *markdown) placeCells(d *Document, p *Place) []string {
	return []string{literal(p.Name), strconv.Itoa(p.Count), short(p.First, d.Summary), short(p.Last, d.Summary), prose(d.mostFrequent(p))}
}

func (m *markdown) gone(d *Document) {
	if len(d.Gone) == 0 {
		return
	}
	m.heading(2, m.say.Say("report.gone"))
	rows := [][]string{}
	for _, f := range d.Gone {
		rows = append(rows, []string{prose(f.Title), strconv.Itoa(f.Change.Before), literal(f.Pattern)})
	}
	m.table(m.words([]string{"findings.title", "findings.before", "patterns.id"}), 1, rows)
}

func (m *markdown) unread(d *Document) {
	if len(d.Errors) == 0 {
		return
	}
	m.heading(2, m.say.Say("report.unread"))
	for _, e := range d.Errors {
		m.line("- ", literal(e.Source), " ", literal(e.Message))
	}
	m.line()
}

func (m *markdown) unclassified(d *Document) {
	if d.Summary.Unclassified == 0 {
		return
	}
	m.heading(2, m.say.Say("report.unclassified"))
	m.paragraph(m.say.Say("unclassified.text", d.Summary.Unclassified))
	m.samples(d.Unclassified)
}

func (m *markdown) origin(d *Document) {
	m.line("---\n")
	m.paragraph(origin(d, m.say))
	if len(d.Tool.Command) > 0 {
		m.fence("sh", shellWords(d.Tool.Command))
	}
}

func (m *markdown) words(keys []string) []string {
	cells := make([]string, len(keys))
	for i, key := range keys {
		cells[i] = m.say.Say(key)
	}
	return cells
}

// markup are what means something within a line of Markdown, in a table or in
// GitHub's additions to it, as character references: these never do.
var markup = func() *strings.Replacer {
	pairs := []string{}
	for _, c := range "&<>\\`*_[]|~$@#" {
		pairs = append(pairs, string(c), fmt.Sprintf("&#%d;", c))
	}
	return strings.NewReplacer(append(pairs, "://", "&#58;//", "www.", "www&#46;", "WWW.", "WWW&#46;", "\n", " ")...)
}()

// literalText shows a text as it is, for a place that is HTML.
func literalText(text string) string { return markup.Replace(Visible(text)) }

// literal shows a text from a log as it is, within a line or a cell. GitHub
// looks for mentions and issue numbers everywhere but in code.
func literal(text string) string { return "<code>" + literalText(text) + "</code>" }

// prose shows a text of the catalogue, which is to be read and has no markup
// of its own. An empty comment keeps GitHub from finding mentions and issues.
func prose(text string) string {
	text = strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", `\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
		"|", `\|`, "~", `\~`, "$", "&#36;", "@", "@<!-- -->", "#", "#<!-- -->", "\n", " ",
	).Replace(Visible(text))
	return lineStart.ReplaceAllString(text, `\$0`)
}

// lineStart is what makes a list or a heading of a line that begins with it.
var lineStart = regexp.MustCompile(`^[-+=]`)

func longestRun(text string, char rune) int {
	longest, run := 0, 0
	for _, r := range text {
		run++
		if r != char {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
