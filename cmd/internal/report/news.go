package report

import (
	"bytes"
	"strings"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// What is new of an incident of a stream.
type What string

// What may be new.
const (
	Begins  What = "begin"
	Changes What = "change" // of its leading cause
	Ends    What = "end"    // as it seems
)

// News is what is new of an incident.
type News struct {
	Number   int
	What     What
	Incident *patterns.Incident
}

// NewsSchema names the form of news as JSON.
const NewsSchema = "wklog.incident/v1"

// WriteNews writes them as one line of JSON.
func WriteNews(n *News, say *messages.Printer) ([]byte, error) {
	var b bytes.Buffer
	err := WriteJSON(&b, struct {
		Schema   string   `json:"schema"`
		What     What     `json:"what"`
		Incident Incident `json:"incident"`
	}{NewsSchema, n.What, incidentOf(n.Number, n.Incident, say)}, "")
	return bytes.TrimSpace(b.Bytes()), err
}

// Says puts the news into a sentence.
func (n *News) Says(say *messages.Printer) string {
	in := n.Incident
	if n.What == Ends {
		return say.Say("live.incident.end", n.Number, strings.TrimSpace(percent(in.Over)), in.Events, lasting(in.Last.Sub(in.First), say))
	}
	if len(in.Diagnosis) == 0 {
		return say.Say("live.incident.unknown", n.Number)
	}
	lead := &in.Diagnosis[0]
	key := "live.incident.begin"
	if n.What == Changes {
		key = "live.incident.change"
	}
	return say.Say(key, n.Number, lead.Advice.Title.In(say.Lang), lead.Cause.ID, strings.TrimSpace(percent(lead.Confidence)))
}

// Where names, in Markdown, the nodes or the logs of an incident, with how much failed since when.
func (n *News) Where(say *messages.Printer) string {
	in := n.Incident
	names := in.Nodes
	if len(names) == 0 {
		names = in.Sources
	}
	text := say.Say("incident.nodes", inlineCode(strings.Join(names, ", "))) + say.Say("incident.join") + say.Say("incident.events", in.Events)
	if !in.First.IsZero() {
		text = clock(in.First) + say.Say("incident.join") + text
	}
	return text
}

// Bulletin is what a chat robot says of the news: a title, and a short Markdown text with
// the first way to be sure.
func Bulletin(n *News, say *messages.Printer) (title, text string) {
	title = n.Says(say)
	lines := []string{"**" + title + "**", n.Where(say)}
	if n.What != Ends && len(n.Incident.Diagnosis) > 0 {
		lead := &n.Incident.Diagnosis[0]
		for _, step := range Steps(lead.Advice.Verify, say.Lang)[:min(1, len(lead.Advice.Verify))] {
			lines = append(lines, say.Say("live.look")+" "+step.Text)
			if step.Command != "" {
				lines = append(lines, inlineCode(step.Command))
			}
		}
	}
	return title, strings.Join(lines, "\n\n")
}

// Incident tells what is new of one.
func (l *Live) Incident(n *News) error {
	return l.print(func(p *Page) { p.Paragraph("", Visible(n.Says(l.opts.Say)), bold) })
}
