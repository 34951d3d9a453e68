package report

import (
	"regexp"
	"slices"

	"wklog/cmd/internal/check"
)

// numberOfProcess is another after each start.
var numberOfProcess = regexp.MustCompile(`\[\d+\]$`)

// Since tells what has changed since a look before, nil for none: what was mended, what is
// only no more to be seen, and what is new.
func (e *Examination) Since(before *Examination) {
	if before == nil {
		return
	}
	tell := func(key, text string) {
		if text = e.say.Say(key, text); !slices.Contains(e.News, text) {
			e.News = append(e.News, text)
		}
	}
	for _, then := range before.Servers {
		now := e.again(then)
		if now == nil {
			tell("doctor.gone", then.Name)
			continue
		}
		if now.State != then.State {
			tell("doctor.now", e.say.Say("doctor.part", now.Name, e.say.Say("doctor.state."+now.State)))
		}
		for i := range then.Verdicts {
			if v := &then.Verdicts[i]; !now.has(v) {
				tell(now.without(v), e.say.Say("doctor.part", now.Name, v.Title))
			}
		}
	}
	for _, now := range e.Servers {
		then := before.again(now)
		if then == nil {
			tell("doctor.appeared", now.Name)
		}
		for i := range now.Verdicts {
			if v := &now.Verdicts[i]; v.Over == nil && (then == nil || !then.has(v)) {
				tell("doctor.new", e.say.Say("doctor.part", now.Name, v.Title))
			}
		}
	}
}

// again finds the server of another look.
func (e *Examination) again(of *Examined) *Examined {
	for _, x := range e.Servers {
		if x.service == of.service {
			return x
		}
	}
	return nil
}

// has tells that it has a verdict too, as bad as that.
func (x *Examined) has(v *Verdict) bool {
	return slices.ContainsFunc(x.Verdicts, func(other Verdict) bool {
		return other.Cause == v.Cause && other.Title == v.Title && other.isFault() == v.isFault()
	})
}

// without is the key of the text for a verdict that a server has no more: what a check
// found is mended where that check finds it well now, and what the logs show where they
// show it no more.
func (x *Examined) without(v *Verdict) string {
	mended := func(id string) bool {
		return slices.ContainsFunc(x.Checks, func(c CheckLine) bool {
			return c.ID == id && (c.Status == string(check.Pass) || c.Status == string(check.Warn))
		})
	}
	switch {
	case len(v.checks) == 0 && x.Report.Summary.Lines > 0:
		return "doctor.silent"
	case len(v.checks) == 0, slices.ContainsFunc(v.checks, func(id string) bool { return !mended(id) }):
		return "doctor.unknown"
	}
	return "doctor.mended"
}
