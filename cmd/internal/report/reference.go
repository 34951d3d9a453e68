package report

import (
	_ "embed" // the page and its script
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// References are the forms of the whole catalogue as a document to look things up in.
var References = []string{"table", "markdown", "html"}

// handbook is the catalogue in one language.
type handbook struct {
	Say      *messages.Printer
	Patterns []referencePattern
	Causes   []referenceCause
}

type referencePattern struct {
	ID, Title, Facts, Why string
	Causes                []referencePart
	// Expressions recognise the message, as regular expressions of Go, each with the
	// handshake states that it asks for behind a tab.
	Expressions []string
	// Names are codes and words by which programs and people ask for it.
	Names            []string
	Samples, Sources []string
}

// referencePart is how probable a cause is for one message alone.
type referencePart struct {
	ID, Title string
	Score     float64
}

type referenceCause struct {
	ID, Title, Category, Why string
	Verify, Fixes            []Step
	Names, Sources           []string
}

// WriteReference writes the catalogue as Markdown or as a page that searches without a
// network.
func WriteReference(w io.Writer, form string, c *patterns.Catalogue, say *messages.Printer) error {
	r, err := newHandbook(c, say)
	if err != nil {
		return err
	}
	if form == "html" {
		return r.html(w)
	}
	_, err = io.WriteString(w, r.markdown())
	return err
}

func newHandbook(c *patterns.Catalogue, say *messages.Printer) (*handbook, error) {
	r := &handbook{Say: say}
	for _, p := range c.Patterns {
		causes, err := p.RankCauses()
		if err != nil {
			return nil, err
		}
		entry := referencePattern{
			ID: p.ID, Title: p.Title.In(say.Lang), Facts: facts(p, say), Why: p.Explain.In(say.Lang),
			Names: append(slices.Clone(p.Codes), p.Words...), Samples: p.Samples, Sources: p.References,
		}
		for _, clause := range p.Match {
			entry.Expressions = append(entry.Expressions, strings.TrimRight(clause.Regex+"\t"+strings.Join(clause.States, " "), "\t"))
		}
		for _, s := range causes {
			if cause := c.Cause(s.ID); cause != nil {
				entry.Causes = append(entry.Causes, referencePart{s.ID, cause.Title.In(say.Lang), s.Score})
			}
		}
		r.Patterns = append(r.Patterns, entry)
	}
	for _, cause := range c.Causes {
		r.Causes = append(r.Causes, referenceCause{
			ID: cause.ID, Title: cause.Title.In(say.Lang), Category: say.Say("category." + cause.Category), Why: cause.Explain.In(say.Lang),
			Verify: Steps(cause.Verify, say.Lang), Fixes: Steps(cause.Fixes, say.Lang),
			Names: cause.Words, Sources: c.Sources(cause),
		})
	}
	return r, nil
}

// facts say of a pattern how bad it is, who notices it, and when.
func facts(p *patterns.Pattern, say *messages.Printer) string {
	return say.Say("patterns.facts", say.Say("severity."+string(p.Severity)), say.Say("category."+p.Category), say.Say("reporter."+p.Reporter), say.Say("phase."+p.Phase))
}

func (r *handbook) markdown() string {
	m := &markdown{say: r.Say}
	m.heading(1, prose(r.Say.Say("reference.title")))
	m.paragraph(r.Say.Say("reference.intro", len(r.Patterns), len(r.Causes)))
	m.heading(2, prose(r.Say.Say("reference.causes")))
	for _, c := range r.Causes {
		m.line("- [", prose(c.Title), "](#", c.ID, ")")
	}
	m.line()
	for _, c := range r.Causes {
		m.heading(3, c.ID)
		m.paragraph(c.Title)
		m.paragraph(c.Why)
		m.steps("diagnosis.verify", c.Verify)
		m.steps("diagnosis.fixes", c.Fixes)
		m.sources(c.Sources)
	}
	m.heading(2, prose(r.Say.Say("reference.patterns")))
	for _, p := range r.Patterns {
		m.heading(3, p.ID)
		m.line("**", prose(p.Title), "**  \n", prose(p.Facts), "\n")
		m.paragraph(p.Why)
		for _, cause := range p.Causes {
			m.line("- ", fmt.Sprintf("%.0f %% ", cause.Score*100), "[", prose(cause.Title), "](#", cause.ID, ")")
		}
		if len(p.Causes) > 0 {
			m.line()
		}
		for _, sample := range p.Samples {
			m.fence("", sample)
		}
		m.sources(p.Sources)
	}
	return strings.TrimRight(m.String(), "\n") + "\n"
}

func (m *markdown) sources(list []string) {
	m.line(prose(m.say.Say("explain.references")), m.say.Say("colon"), prose(sources(list, m.say)), "\n")
}

// sources says where an entry is known from: how it was learnt in the language, names
// of documents and files as they are.
func sources(list []string, say *messages.Printer) string {
	parts := []string{}
	for _, text := range list {
		how, what, _ := strings.Cut(text, ": ")
		if slices.Contains(waysToKnow, how) {
			text = say.Say("source."+how, what)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, say.Say("diagnosis.evidence.join"))
}

// waysToKnow are what a source begins with that is no document.
var waysToKnow = []string{"recorded", "measured", "provoked"}

var (
	//go:embed reference.tmpl
	referenceText string
	//go:embed reference.js
	referenceScript string
)

func (r *handbook) html(w io.Writer) error {
	t, err := template.New("reference").Funcs(template.FuncMap{
		"say": r.Say.Say, "visible": Visible, "percent": func(n float64) string { return strings.TrimSpace(percent(n)) },
		"join": func(list []string) string { return strings.Join(list, "\n") }, "sources": func(list []string) string { return sources(list, r.Say) },
	}).Parse(referenceText)
	if err != nil {
		return fmt.Errorf("read the template of the reference: %w", err)
	}
	if err := t.Execute(w, r); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return nil
}

func (r *handbook) Style() template.CSS { return template.CSS(pageStyle) }
func (r *handbook) Script() template.JS { return template.JS(referenceScript) }

// Policy allows the page's own style and script, and nothing else.
func (r *handbook) Policy() string { return policy(pageStyle, referenceScript) }
