package report

import (
	"fmt"
	"io"
	"strings"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/secrets"
	"wklog/patterns"
)

// ExplainSchema names the JSON form of an explanation.
const ExplainSchema = "wklog.explain/v1"

// Explanation says what a pattern, a cause, a handshake state or a log line
// means; its JSON is fixed by the contract.
type Explanation struct {
	Schema     string                `json:"schema"`
	Kind       string                `json:"kind"`
	Pattern    string                `json:"pattern"`
	Title      string                `json:"title"`
	Why        string                `json:"why"`
	Causes     []patterns.CauseScore `json:"causes"`
	Fixes      []Step                `json:"fixes"`
	Verify     []Verification        `json:"verify"`
	References []string              `json:"references"`

	titles map[string]string
	state  string
}

func explanation(kind string) *Explanation {
	return &Explanation{
		Schema: ExplainSchema, Kind: kind, Causes: []patterns.CauseScore{}, Fixes: []Step{}, Verify: []Verification{},
		References: []string{}, titles: map[string]string{},
	}
}

// ExplainCause explains a root cause.
func ExplainCause(c *patterns.Cause, say *messages.Printer) *Explanation {
	e := explanation("cause")
	e.Title, e.Why = c.Title.In(say.Lang), c.Explain.In(say.Lang)
	e.Causes = []patterns.CauseScore{{ID: c.ID, Score: 1}}
	e.titles[c.ID] = e.Title
	e.advise(c.Advice, say.Lang)
	e.References = append(e.References, c.References...)
	return e
}

// ExplainPattern explains a pattern and the causes behind it.
func ExplainPattern(c *patterns.Catalogue, p *patterns.Pattern, causes []patterns.CauseScore, say *messages.Printer) *Explanation {
	e := explanation("pattern")
	e.ofPattern(c, p, causes, say)
	return e
}

// ExplainEvent explains a log line in which a failure was recognised.
func ExplainEvent(c *patterns.Catalogue, event *patterns.Event, say *messages.Printer) *Explanation {
	e := explanation("text")
	e.ofPattern(c, event.Pattern, event.Causes, say)
	if state := c.State(event.Record.State); state != nil && event.Record.State != "" {
		e.state = state.ID + ": " + state.Explain.In(say.Lang)
	}
	return e
}

// ExplainState explains a handshake state.
func ExplainState(c *patterns.Catalogue, s *patterns.State, causes []patterns.CauseScore, say *messages.Printer) *Explanation {
	e := explanation("state")
	e.Title, e.Why = s.ID, s.Explain.In(say.Lang)
	e.because(c, causes, patterns.SideServer, say.Lang)
	e.References = append(e.References, "WuKongIM/crypto b872b70 tls/conn.go:36-146")
	return e
}

// ExplainNothing is for a text in which no known failure was recognised.
func ExplainNothing(say *messages.Printer) *Explanation {
	e := explanation("text")
	e.Title, e.Why = say.Say("explain.nothing"), say.Say("explain.nothing.why")
	return e
}

// ExplainStop says that a text is the end of a server and no TLS failure.
func ExplainStop(s *patterns.Stop, say *messages.Printer) *Explanation {
	e := explanation("text")
	e.Title, e.Why = say.Say("explain.nothing"), say.Say("stopped", secrets.Hide(s.Reason))
	return e
}

func (e *Explanation) ofPattern(c *patterns.Catalogue, p *patterns.Pattern, causes []patterns.CauseScore, say *messages.Printer) {
	e.Pattern, e.Title, e.Why = p.ID, p.Title.In(say.Lang), p.Explain.In(say.Lang)
	e.because(c, causes, p.Side, say.Lang)
	e.References = append(e.References, p.References...)
}

// because adds the causes with the advice for the first of them.
func (e *Explanation) because(c *patterns.Catalogue, causes []patterns.CauseScore, side patterns.Side, lang patterns.Lang) {
	e.Causes = Scores(causes)
	for i, score := range causes {
		cause := c.Cause(score.ID)
		if cause == nil {
			continue
		}
		e.titles[score.ID] = cause.For(side).Title.In(lang)
		if i == 0 {
			e.advise(cause.For(side), lang)
		}
	}
}

func (e *Explanation) advise(a patterns.Advice, lang patterns.Lang) {
	e.Fixes = Steps(a.Fixes, lang)
	for _, step := range Steps(a.Verify, lang) {
		e.Verify = append(e.Verify, Verification{Text: step.Text, Command: step.Command})
	}
}

// WriteExplanation writes an explanation for a person.
func WriteExplanation(w io.Writer, e *Explanation, opts Options) error {
	p := NewPage(opts)
	p.Paragraph("", e.Title, bold)
	p.Paragraph("", e.Why)
	if e.state != "" {
		p.Paragraph("", e.state)
	}
	if len(e.Causes) > 1 || e.Kind != "cause" && len(e.Causes) > 0 {
		p.Heading("explain.causes")
		for _, score := range e.Causes {
			if score.Score >= 0.01 {
				p.Paragraph(fmt.Sprintf("  %s  ", percent(score.Score)), e.titles[score.ID]+"  "+score.ID)
			}
		}
	}
	if len(e.Verify) > 0 {
		p.Heading("diagnosis.verify")
		p.steps(verificationSteps(e.Verify))
	}
	if len(e.Fixes) > 0 {
		p.Heading("diagnosis.fixes")
		p.steps(e.Fixes)
	}
	if len(e.References) > 0 {
		p.Heading("explain.references")
		p.Paragraph("  ", strings.Join(e.References, "; "))
	}
	_, err := io.WriteString(w, p.String())
	return err
}
