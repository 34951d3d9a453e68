package report

import (
	"wklog/cmd/internal/doctor"
)

// mark is how a server is: its text is under "doctor.mark.".
func (x *Examined) mark() string {
	switch {
	case !x.green():
		return "FAIL"
	case len(x.Verdicts) > 0:
		return "warn"
	case x.blind():
		return "blind"
	}
	return "ok"
}

// headline names a server with its state.
func (e *Examination) headline(x *Examined) string {
	text := e.say.Say("doctor.headline", x.Name, e.say.Say("doctor.found."+x.FoundBy), e.say.Say("doctor.state."+x.State))
	if x.Started != nil && x.State == string(doctor.Running) {
		text += e.say.Say("doctor.since", x.Started.Local().Format("2006-01-02 15:04"))
	}
	if x.Restarts > 0 {
		text += e.say.Say("doctor.restarts", x.Restarts)
	}
	return text
}

// lines are what is wrong with a server, the first of it alone.
func (e *Examination) lines(x *Examined) (list []string) {
	if len(x.Verdicts) > 0 {
		list = append(list, x.Verdicts[0].line(e.say))
	} else if !x.green() {
		list = append(list, e.say.Say("doctor.no-reason", x.ExitCode))
	}
	if x.reason != "" {
		list = append(list, x.reason)
	}
	for _, s := range x.Report.Stops {
		list = append(list, Visible(s.Text))
	}
	return list
}

// lead is the server of which the first thing is to be done, nil for none.
func (e *Examination) lead() *Examined {
	if len(e.Servers) > 0 && len(e.Servers[0].Verdicts) > 0 {
		return e.Servers[0]
	}
	return nil
}

// key is that of the heading over a verdict: nothing is changed before it is known what is
// wrong.
func (v *Verdict) key() string {
	if v.Decided {
		return "doctor.first"
	}
	return "doctor.look"
}

// end is the sentence where there is nothing to do, empty where there is.
func (e *Examination) end() string {
	switch {
	case e.Cut:
		return e.say.Say("doctor.cut")
	case len(e.Servers) > 0 && e.Blind():
		return e.say.Say("doctor.blind")
	case e.Green():
		return e.say.Say("doctor.good")
	}
	return ""
}

// furthers are the verdicts behind the first, in a line each, and how many more there are.
func (e *Examination) furthers(lead *Examined) (lines []string, more int) {
	for _, x := range e.Servers {
		for i := range x.Verdicts {
			switch v := &x.Verdicts[i]; {
			case x == lead && i == 0:
			case i < mostTold:
				lines = append(lines, e.say.Say("doctor.part", x.Name, v.line(e.say)))
			default:
				more++
			}
		}
	}
	return lines, more
}

// looked says what was looked at: the places, and of each server its logs and its checks.
func (e *Examination) looked() (lines []string) {
	for _, l := range e.Looked {
		if !l.Absent {
			lines = append(lines, e.say.Say("doctor.looked", l.title, l.Found, l.Seconds))
		}
	}
	for _, x := range e.Servers {
		counts := map[string]int{}
		for _, c := range x.Checks {
			counts[c.Status]++
		}
		lines = append(lines, e.say.Say("doctor.read", x.Name, x.Report.Summary.Lines, x.Report.Summary.Events, len(x.Checks)-counts["skip"], counts["skip"]))
	}
	return lines
}

// absent names the kinds of places that are not here, empty for none.
func (e *Examination) absent() string {
	var names []string
	for _, l := range e.Looked {
		if l.Absent {
			names = append(names, l.title)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return e.say.Say("doctor.absent", e.say.List(names))
}
