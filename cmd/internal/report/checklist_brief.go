package report

import (
	"io"
	"slices"
	"strings"

	"wklog/cmd/internal/check"
)

// WriteBrief writes a line for each target: its worst status and what did not pass. It
// is for a mail of cron or a chat, so nothing is wrapped.
func (l *Checklist) WriteBrief(w io.Writer, opts Options) error {
	p := NewPage(opts)
	var targets []string
	for _, c := range l.Checks {
		if !slices.Contains(targets, c.Target) {
			targets = append(targets, c.Target)
		}
	}
	for _, target := range targets {
		worst, said := check.Skip, []string{}
		for _, c := range l.Checks {
			if c.Target != target {
				continue
			}
			status := check.Status(c.Status)
			worst = worseOf(worst, status)
			if status == check.Fail || status == check.Warn {
				said = append(said, brief(&c))
			}
		}
		word := p.say.Say("status." + string(worst))
		line := word + strings.Repeat(" ", max(1, 6-columns(word))) + Visible(target)
		if len(said) > 0 {
			line += "  " + Visible(strings.Join(said, "; "))
		}
		p.Line(line)
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func brief(c *CheckLine) string {
	text := c.Title
	if c.Detail != "" {
		text += ": " + c.Detail
	}
	if c.Cause != "" {
		text += " [" + c.Cause + "]"
	}
	return text
}

// worseOf two outcomes; that something was checked counts more than that it was not.
func worseOf(a, b check.Status) check.Status {
	order := []check.Status{check.Skip, check.Pass, check.Warn, check.Fail}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}
