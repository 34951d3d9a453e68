package report

import (
	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// sure is the confidence, from 0 to 1, from which a change is advised. Below it
// only what would decide is.
const sure = 0.85

// firstStep is what to do first about a failure, with its heading: where its cause
// is sure the first fix, else a look. Which of its causes a client's verdict on the
// certificate has, the checks tell at once.
func firstStep(c *patterns.Catalogue, e *patterns.Event, say *messages.Printer) (heading string, step Step, ok bool) {
	if len(e.Causes) == 0 {
		return "", Step{}, false
	}
	cause := c.Cause(e.Causes[0].ID)
	if cause == nil {
		return "", Step{}, false
	}
	advice := c.Advice(cause, e.Program)
	if e.Causes[0].Score >= sure {
		return firstOf(say.Say("live.fix"), Steps(advice.Fixes, say.Lang))
	}
	if e.Pattern.Measured && e.Pattern.Side == patterns.SideServer {
		return say.Say("live.look"), Step{Text: say.Say("live.check"), Command: say.Say("hint.check.command")}, true
	}
	return firstOf(say.Say("live.look"), Steps(advice.Verify, say.Lang))
}

func firstOf(heading string, steps []Step) (string, Step, bool) {
	if len(steps) == 0 {
		return "", Step{}, false
	}
	return heading, steps[0], true
}
