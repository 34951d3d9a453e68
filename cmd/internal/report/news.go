package report

import (
	"bytes"
	"slices"
	"strconv"
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
	// Host is the name of the machine on which it was seen, empty where nobody asks.
	Host string
}

// NewsSchema names the form of news as JSON.
const NewsSchema = "wklog.incident/v1"

// WriteNews writes them as one line of JSON.
func WriteNews(n *News, say *messages.Printer) ([]byte, error) {
	var b bytes.Buffer
	err := WriteJSON(&b, struct {
		Schema   string            `json:"schema"`
		What     What              `json:"what"`
		Host     string            `json:"host"`
		Severity patterns.Severity `json:"severity"`
		Incident Incident          `json:"incident"`
	}{NewsSchema, n.What, n.Host, n.Severity(), incidentOf(n.Number, n.Incident, say)}, "")
	return bytes.TrimSpace(b.Bytes()), err
}

// Severity is that of the news: nobody is alarmed by a guess, nor by an end.
func (n *News) Severity() patterns.Severity {
	switch list := n.Incident.Diagnosis; {
	case n.What == Ends:
		return patterns.SeverityInfo
	case len(list) > 0 && (list[0].Proven() || list[0].Confidence >= sure):
		return patterns.SeverityError
	}
	return patterns.SeverityWarning
}

// Says puts the news into a sentence.
func (n *News) Says(say *messages.Printer) string {
	in := n.Incident
	if n.What == Ends {
		const surest = 0.99 // of what only the rhythm of the failures tells
		return say.Say("live.incident.end", n.Number, strings.TrimSpace(percent(min(in.Over, surest))), in.Events, lasting(in.Last.Sub(in.First), say))
	}
	if len(in.Diagnosis) == 0 {
		return say.Say("live.incident.unknown", n.Number)
	}
	one, several, causes := "live.incident.begin", "live.incident.begin.alike", []string{}
	if n.What == Changes {
		one, several = "live.incident.change", "live.incident.change.alike"
	}
	for i := range in.Diagnosis {
		if d := diagnose(&in.Diagnosis[i], say); i == 0 || d.Alike {
			causes = append(causes, say.Say("findings.cause", d.Title, d.amount(say)))
		}
	}
	if len(causes) > 1 {
		return say.Say(several, n.Number, strings.Join(causes, say.Say("diagnosis.evidence.join")))
	}
	return say.Say(one, n.Number, causes[0], in.Diagnosis[0].Cause.ID)
}

// step is what to do first about an incident, with its heading: the first fix where its
// cause is proven or sure, else what decides.
func (n *News) step(say *messages.Printer) (heading string, step Step, ok bool) {
	if n.What == Ends || len(n.Incident.Diagnosis) == 0 {
		return "", Step{}, false
	}
	lead := diagnose(&n.Incident.Diagnosis[0], say)
	switch {
	case lead.decided() && len(lead.Fixes) > 0:
		return say.Say("live.fix"), lead.Fixes[0], true
	case lead.Decide != nil:
		return say.Say("live.look"), lead.Decide.step(), true
	}
	return "", Step{}, false
}

// Bulletin is what a chat robot says of the news; how is the robot's.
type Bulletin struct {
	Title    string
	Severity patterns.Severity
	// Facts name the host, the nodes or logs, the time and the count.
	Facts []BulletinFact
	// Text is what to do first, Command and Config may be empty.
	Text, Command, Config string
}

// BulletinFact is a fact with its name.
type BulletinFact struct{ Name, Value string }

// Bulletin puts the news into what a robot says.
func (n *News) Bulletin(say *messages.Printer) Bulletin {
	in := n.Incident
	b := Bulletin{Title: n.Says(say), Severity: n.Severity()}
	add := func(key, value string) {
		if value != "" {
			b.Facts = append(b.Facts, BulletinFact{say.Say(key), fit(Visible(value), maxFact)})
		}
	}
	add("notice.host", n.Host)
	if len(in.Nodes) > 0 {
		add("notice.node", strings.Join(in.Nodes, ", "))
	} else {
		add("notice.log", strings.Join(spoken(say, in.Sources), ", "))
	}
	if !in.First.IsZero() {
		add("notice.time", clock(in.First)+" … "+clock(in.Last))
	}
	add("notice.count", strconv.Itoa(in.Events))
	if in.Clients > 0 {
		add("notice.clients", strconv.Itoa(in.Clients))
	}
	if heading, step, ok := n.step(say); ok {
		b.Text, b.Command, b.Config = heading+step.Text, step.Command, step.Config
	}
	return b
}

// spoken are logs by what a person calls them: standard input is "-" to programs only.
func spoken(say *messages.Printer, sources []string) []string {
	list := slices.Clone(sources)
	for i, name := range list {
		if name == "-" {
			list[i] = say.Say("input.stdin")
		}
	}
	return list
}

// maxFact is how many columns of a fact a robot tells: a cluster has many nodes.
const maxFact = 200

// Incident tells what is new of one.
func (l *Live) Incident(n *News) error {
	return l.print(func(p *Page) {
		p.Paragraph("", Visible(n.Says(l.opts.Say)), bold)
		if heading, step, ok := n.step(l.opts.Say); ok && n.What == Begins {
			p.beginWith("  ", heading, &step)
		}
	})
}
