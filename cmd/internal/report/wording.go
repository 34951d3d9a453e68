package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// The functions put into words what several forms say.

// summary says what was read and how many failures are in it.
func summary(d *Document, say *messages.Printer) []string {
	s := d.Summary
	var texts []string
	if s.Unclassified > 0 {
		texts = append(texts, say.Say("summary.unclassified", s.Unclassified))
	}
	texts = append(texts, say.Say("summary", s.Events-s.Harmless, d.logs(), s.Lines, Bytes(s.Bytes)))
	if s.Unread > 0 {
		texts = append(texts, say.Say("summary.unread", s.Unread))
	}
	if s.First != nil && s.Last != nil {
		texts = append(texts, say.Say("summary.span", clock(*s.First), clock(inZone(*s.Last, s))))
	}
	if s.Untimed > 0 {
		texts = append(texts, say.Say("summary.untimed", s.Untimed))
	}
	if s.Arrived > 0 {
		texts = append(texts, say.Say("summary.arrived", s.Arrived))
	}
	if s.Harmless > 0 {
		texts = append(texts, say.Say("summary.harmless", s.Harmless))
	}
	if s.Duplicates > 0 {
		texts = append(texts, say.Say("summary.duplicates", s.Duplicates))
	}
	if d.Compared != nil {
		texts = append(texts, compared(d.Compared, say))
	}
	return texts
}

// compared says with what a report was compared, and what its marks mean.
func compared(c *Comparison, say *messages.Printer) string {
	text := say.Say("compared", clock(c.Generated))
	if c.First != nil && c.Last != nil {
		text += say.Say("compared.span", clock(*c.First), clock(*c.Last))
	}
	return text + say.Say("compared.how", score(c.Factor), score(c.Deviations))
}

// changed says how a count changed.
func changed(c *Change, say *messages.Printer) string {
	if c == nil {
		return ""
	}
	word := say.Say("change." + c.Status)
	if c.Before > 0 {
		return say.Say("change.from", word, score(c.Expected))
	}
	return word
}

// undated says how many failures are not in the timeline.
func undated(t Timeline, say *messages.Printer) string {
	if t.Undated == 0 {
		return ""
	}
	return say.Say("timeline.undated", t.Undated)
}

// unlisted says how many failures are of no client that is listed.
func unlisted(c Clients, say *messages.Printer) string {
	parts := []string{}
	if c.Other > 0 {
		parts = append(parts, say.Say("clients.other", c.Other))
	}
	if c.Unknown > 0 {
		parts = append(parts, say.Say("clients.unknown", c.Unknown))
	}
	return strings.Join(parts, say.Say("sentence.join"))
}

// origin says which program made the report, and when.
func origin(d *Document, say *messages.Printer) string {
	tool := strings.TrimSpace(d.Tool.Name + " " + d.Tool.Version)
	return say.Say("origin", tool, clock(d.Generated)) + say.Say("sentence.join") + say.Say("ongoing.how")
}

// shellWords is a command line that a shell reads as the same words.
func shellWords(command []string) string { return Visible(shellescape.QuoteCommand(command)) }

// seen says how often the server stopped so, and where it stands.
func (s *Stop) seen(d *Document, say *messages.Printer) string {
	text := say.Say("stopped.seen", s.Count, Visible(s.Source), s.Line)
	if s.Last != nil {
		text += say.Say("stopped.last", clock(inZone(*s.Last, d.Summary)))
	}
	return text
}

// quiet are the sentences of a report without findings, which says nothing of what was not
// read.
func (d *Document) quiet(say *messages.Printer) string {
	found, proves := "silence", "silence.proves"
	if d.Summary.Unread > 0 {
		found = "silence.unread"
	}
	if len(d.Stops) > 0 {
		proves = "silence.stopped"
	}
	return say.Say(found) + say.Say("sentence.join") + say.Say(proves)
}

func evidence(list []Evidence, say *messages.Printer) string {
	parts := []string{}
	for _, e := range list {
		text := fmt.Sprintf("%s ×%d", e.Title, e.Count)
		if e.Check != "" || e.Absence != "" {
			text = e.Title
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, say.Say("diagnosis.evidence.join"))
}

// worthwhile is the least score of a cause of one message that is worth a
// thought.
const worthwhile = 0.05

// causes names the causes of a finding.
func (d *Document) causes(f *Finding, say *messages.Printer) string {
	parts := []string{}
	for i, c := range f.Causes {
		if title := d.causeTitle(c.ID); title != "" && (i == 0 || c.Score >= worthwhile) {
			parts = append(parts, cause(title, c.Score, say))
		}
	}
	return strings.Join(parts, say.Say("diagnosis.evidence.join"))
}

func cause(title string, score float64, say *messages.Printer) string {
	return say.Say("findings.cause", title, strings.ReplaceAll(strings.TrimSpace(percent(score)), " ", "\u00a0"))
}

// remedy is a cause of a diagnosis, with the number of its incident.
type remedy struct {
	Incident int
	Diagnosis
}

// remedies are the causes that a finding speaks for in the diagnoses of what it is part
// of: they are weighed over all findings together and say what to do.
func (d *Document) remedies(f *Finding) []remedy {
	const most = 3
	list := []remedy{}
	add := func(number int, diagnosis []Diagnosis) {
		for _, c := range diagnosis {
			fits := func(s patterns.CauseScore) bool { return s.ID == c.Cause && s.Score >= worthwhile }
			known := func(r remedy) bool { return r.Cause == c.Cause }
			if c.Side == f.Side && slices.ContainsFunc(f.Causes, fits) && !slices.ContainsFunc(list, known) {
				list = append(list, remedy{number, c})
			}
		}
	}
	if !d.several() {
		add(1, d.Diagnosis)
	}
	for _, in := range d.Incidents {
		if d.several() && slices.Contains(f.Incidents, in.ID) {
			add(in.ID, in.Diagnosis)
		}
	}
	return limit(list, most)
}

// in names the cause of a remedy, with how sure it is.
func (r *remedy) in(say *messages.Printer) string {
	if r.Proven {
		return say.Say("findings.cause", r.Title, r.amount(say))
	}
	return cause(r.Title, r.Confidence, say)
}

func remedies(list []remedy, say *messages.Printer) string {
	parts := []string{}
	for _, r := range list {
		parts = append(parts, r.in(say))
	}
	return strings.Join(parts, say.Say("diagnosis.evidence.join"))
}

// mostFrequent names the most frequent failure of a place.
func (d *Document) mostFrequent(p *Place) string {
	if len(p.Patterns) == 0 {
		return ""
	}
	first := slices.MaxFunc(p.Patterns, func(x, y PatternCount) int { return cmp.Compare(x.Count, y.Count) })
	return d.title(first.Pattern)
}

// title names a pattern in the language of the report.
func (d *Document) title(id string) string {
	if f := d.finding(id); f != nil {
		return f.Title
	}
	if d.catalogue != nil {
		if p := d.catalogue.Pattern(id); p != nil {
			return p.Title.In(d.lang())
		}
	}
	return id
}

func filePlaces(files []File) []Place {
	places := []Place{}
	for _, f := range files {
		places = append(places, f.Place)
	}
	slices.SortStableFunc(places, func(x, y Place) int { return cmp.Compare(y.Count, x.Count) })
	return places
}

// squeeze adds equally many neighbours up, so that at most n parts are left.
func squeeze(counts []int, n int) []int {
	size := max(1, (len(counts)+n-1)/n)
	parts := make([]int, (len(counts)+size-1)/size)
	for i, count := range counts {
		parts[i/size] += count
	}
	return parts
}
