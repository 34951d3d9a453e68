package report

import (
	"strings"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// Notice is what a chat robot says of a new kind of failure: a title, and a
// short Markdown text.
func Notice(c *patterns.Catalogue, e *patterns.Event, say *messages.Printer) (title, text string) {
	title = say.Say("notice.title", e.Pattern.Title.In(say.Lang))
	lines := []string{"**" + title + "**", firstSentence(e.Pattern.Explain.In(say.Lang))}
	if len(e.Causes) > 0 {
		if cause := c.Cause(e.Causes[0].ID); cause != nil {
			advice := c.Advice(cause, e.Program)
			lines = append(lines, say.Say("notice.cause", advice.Title.In(say.Lang), strings.TrimSpace(percent(e.Causes[0].Score))))
		}
	}
	if heading, step, ok := firstStep(c, e, say); ok {
		lines = append(lines, heading+" "+step.Text)
		if step.Command != "" {
			lines = append(lines, inlineCode(step.Command))
		}
	}
	lines = append(lines, say.Say("notice.where", inlineCode(e.Source), e.Record.Line))
	return title, strings.Join(lines, "\n\n")
}

// inlineCode shows, in Markdown, a text as it is, whatever it holds.
func inlineCode(s string) string {
	return "`" + strings.ReplaceAll(Visible(strings.ReplaceAll(s, "\n", " ")), "`", "'") + "`"
}
