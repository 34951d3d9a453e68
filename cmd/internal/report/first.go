package report

import (
	"strings"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// sure is the confidence, from 0 to 1, from which a change is advised. Below it only
// what would decide is: of the causes that were told with 80 to 90 %, one in five was not
// the true one (docs/confidence.md).
const sure = 0.9

// decider is what tells whether a cause is the one: wklog's own checks, where they look at
// what is at fault, else the first way to be sure that the cause knows. ok is false for a
// cause that nothing decides.
func decider(d *patterns.Diagnosis, say *messages.Printer) (v Verification, ok bool) {
	started := false // the server got as far as to take connections
	for _, e := range d.Evidence {
		started = started || !e.Pattern.StopsServer()
	}
	return decidesOf(d, started, say)
}

// decidesOf is the decider of a cause that a log points to; started says that its server
// took connections.
func decidesOf(d *patterns.Diagnosis, started bool, say *messages.Printer) (v Verification, ok bool) {
	switch {
	case d.Side == patterns.SidePeer || d.Cause.Category == "noise":
		verify := Steps(d.Advice.Verify, say.Lang)
		if len(verify) == 0 {
			return Verification{}, false
		}
		return verify[0].verification(), true
	case started && d.Address != "":
		return Verification{Text: say.Say("live.check"), Command: say.Say("decide.address.command", d.Address)}, true
	case started || d.Settings.In == patterns.DeployedOnKubernetes:
		return Verification{Text: say.Say("live.check"), Command: checkBy(d.Settings, say)}, true
	}
	return Verification{Text: say.Say("decide.start"), Command: say.Say("decide.start.command")}, true
}

// checkBy is the check of what a server is set up by.
func checkBy(s patterns.Settings, say *messages.Printer) string {
	switch {
	case s.In == patterns.DeployedOnKubernetes && s.Namespace == "":
		return say.Say("decide.kube.command", "kubectl")
	case s.In == patterns.DeployedOnKubernetes:
		return say.Say("decide.kube.command", "kubectl -n "+s.Namespace)
	case s.File == "":
		return say.Say("hint.check.command")
	case s.In == patterns.DeployedByCompose:
		return say.Say("decide.compose.command", s.File)
	}
	return say.Say("decide.config.command", s.File)
}

// firstStep is what to do first about a failure, with its heading: where its cause
// is sure the first fix, else what decides.
func firstStep(c *patterns.Catalogue, e *patterns.Event, say *messages.Printer) (heading string, step Step, ok bool) {
	if len(e.Causes) == 0 {
		return "", Step{}, false
	}
	cause := c.Cause(e.Causes[0].ID)
	if cause == nil {
		return "", Step{}, false
	}
	advice := c.Advice(cause, e.Program)
	if fixes := Steps(advice.Fixes, say.Lang); e.Causes[0].Score >= sure && len(fixes) > 0 {
		return say.Say("live.fix"), fixes[0], true
	}
	v, ok := decidesOf(&patterns.Diagnosis{Cause: cause, Side: e.Pattern.Side, Advice: advice}, !e.Pattern.StopsServer(), say)
	return say.Say("live.look"), v.step(), ok
}

// amount is how sure a cause is: its confidence, or that a check has proven it.
func (d *Diagnosis) amount(say *messages.Printer) string {
	if d.Proven {
		return say.Say("diagnosis.proven")
	}
	return strings.TrimSpace(percent(d.Confidence))
}

// decided tells whether a change may be advised: what is proven, or sure enough.
func (d *Diagnosis) decided() bool { return d.Proven || d.Confidence >= sure }

// fixesKey is the heading of the fixes of a cause, which are conditional where it is not
// decided.
func (d *Diagnosis) fixesKey() string {
	if d.decided() {
		return "diagnosis.fixes"
	}
	return "diagnosis.fixes.if"
}
