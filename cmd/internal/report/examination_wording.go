package report

import (
	"slices"
	"strings"

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
		if x.Start != "" {
			list = append(list, e.say.Say("doctor.start", Visible(x.Start)))
		}
	}
	if x.reason != "" {
		list = append(list, x.reason)
	}
	for _, s := range x.Report.Stops {
		list = append(list, Visible(s.Text))
	}
	return list
}

// lead is the server of which the first thing is to be done, nil for none: what is over
// is mended.
func (e *Examination) lead() *Examined {
	if len(e.Servers) > 0 && len(e.Servers[0].Verdicts) > 0 && e.Servers[0].Verdicts[0].Over == nil {
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

// furthers are the verdicts behind the first, in a line each with the servers that have it,
// and how many more there are.
func (e *Examination) furthers(lead *Examined) (lines []string, more int) {
	var texts []string
	of := map[string][]string{}
	for _, x := range e.Servers {
		for i := range x.Verdicts {
			switch text := x.Verdicts[i].line(e.say); {
			case x == lead && i == 0:
			case i >= mostTold:
				more++
			default:
				if of[text] == nil {
					texts = append(texts, text)
				}
				of[text] = append(of[text], x.Name)
			}
		}
	}
	for _, text := range texts {
		lines = append(lines, e.say.Say("doctor.part", e.say.List(of[text]), text))
	}
	return lines, more
}

// looked says what was looked at: the places, which of them are not here, and of each
// server its logs and its checks.
func (e *Examination) looked() (lines []string) {
	var places, absent []string
	for _, l := range e.Looked {
		if l.Absent {
			absent = append(absent, l.title)
		} else {
			places = append(places, e.say.Say("doctor.looked", l.title, l.Found, l.Seconds))
		}
	}
	if len(places) > 0 {
		lines = append(lines, strings.Join(places, e.say.Say("replace.join")))
	}
	if len(absent) > 0 {
		lines = append(lines, e.say.Say("doctor.absent", e.say.List(absent)))
	}
	for _, x := range e.Servers {
		if x.blind() {
			continue
		}
		counts := map[string]int{}
		for _, c := range x.Checks {
			counts[c.Status]++
		}
		lines = append(lines, e.say.Say("doctor.read", x.Name, x.Report.Summary.Lines, x.Report.Summary.Events, len(x.Checks)-counts["skip"], counts["skip"]))
	}
	return lines
}

// unseen are what was not looked at, those together that one command opens.
func (e *Examination) unseen() (groups []unseenGroup) {
	for _, u := range e.Unseen {
		at := slices.IndexFunc(groups, func(g unseenGroup) bool { return g.Command == u.Command })
		if at < 0 {
			at, groups = len(groups), append(groups, unseenGroup{Command: u.Command})
		}
		groups[at].Lines = append(groups[at].Lines, e.say.Say("error.in-file", u.What, u.Why))
	}
	return groups
}

// unseenGroup is what one command opens to doctor, or nothing.
type unseenGroup struct {
	Lines   []string
	Command string
}
