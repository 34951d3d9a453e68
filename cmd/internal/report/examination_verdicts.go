package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/doctor"
	"wklog/cmd/internal/messages"
)

// Verdict is one cause of a server.
type Verdict struct {
	Cause      string  `json:"cause"`
	Title      string  `json:"title"`
	Confidence float64 `json:"confidence"`
	Proven     bool    `json:"proven"`
	Why        string  `json:"why"`
	// Found are the details of the checks that found it, or the failures that point to it.
	Found []string `json:"found"`
	// Steps are the fixes of what is decided, else what decides.
	Steps   []Step `json:"steps"`
	Decided bool   `json:"decided"`
	// Over says since when the logs show it no more, nil for what goes on.
	Over *time.Time `json:"over"`

	weight float64
	// checks are those that found it, none where the logs did.
	checks []string
}

// isFault tells it from a warning.
func (v *Verdict) isFault() bool { return v.weight > weightOfWarning }

// How much a verdict weighs: what a check proves weighs by what is broken; what the logs
// say less, unless the server does not run, of which the checks know nothing.
var weights = map[check.Breaks]float64{check.TheServer: 100, check.AllClients: 90, check.SomeClients: 70, "": 60}

const (
	weightOfLogs    = 80
	weightOfStopped = 30 // more
	weightOfWarning = 20
	// weightOfOver is that of what the logs show no more: it warns, and no check found it.
	weightOfOver = 10
)

func checkedVerdict(c *CheckedCause, list *Checklist) Verdict {
	v := Verdict{Cause: c.Cause, Title: c.Title, Confidence: 1, Proven: true, Decided: true, Why: c.Why, Steps: slices.Clone(c.Fixes), Found: []string{}, weight: weights[c.Breaks], checks: c.Checks}
	v.Steps = once(v.Steps)
	for _, line := range list.Checks {
		if line.Status == string(check.Fail) && line.Cause == c.Cause && !slices.Contains(v.Found, line.Detail) {
			v.Found = append(v.Found, line.Detail)
		}
	}
	return v
}

// once are steps without those that two checks ask for.
func once(steps []Step) (list []Step) {
	for _, s := range steps {
		if !slices.ContainsFunc(list, func(other Step) bool {
			return s.Text == other.Text && s.Command == other.Command && s.Config == other.Config
		}) {
			list = append(list, s)
		}
	}
	return list
}

// alike are the causes behind the first that look like it to a log.
func alike(list []Diagnosis, say *messages.Printer) (others []string) {
	for i := range list {
		if i > 0 && list[i].Alike {
			others = append(others, list[i].amount(say)+" "+list[i].Title)
		}
	}
	return others
}

// incidentVerdict is the leading cause of an incident; none of what healthy servers show.
func incidentVerdict(doc *Document, in *Incident, s *doctor.Server, say *messages.Printer) (v Verdict) {
	if len(in.Diagnosis) == 0 || doc.harmless() || in.Diagnosis[0].Category == "noise" {
		return v
	}
	d := &in.Diagnosis[0]
	v = Verdict{
		Cause: d.Cause, Title: d.Title, Confidence: d.Confidence, Proven: d.Proven, Decided: d.decided(), Why: d.Why, Found: []string{}, weight: weightOfLogs * d.Confidence,
	}
	for _, e := range d.Evidence {
		v.Found = append(v.Found, fmt.Sprintf("%s ×%d", e.Title, e.Count))
	}
	v.Steps = slices.Clone(d.Fixes)
	if !v.Decided {
		v.Steps = d.lookFirst()
		if d.Decide != nil && d.Alike {
			v.Steps = once(append([]Step{d.Decide.step()}, v.Steps...))
		}
	}
	if others := alike(in.Diagnosis, say); len(others) > 0 {
		v.Found = append(v.Found, say.Say("doctor.alike", say.List(others)))
	}
	switch {
	case s.State != doctor.Running:
		v.weight += weightOfStopped
	case in.Last != nil && (!in.Ongoing || s.Started.After(*in.Last)): // what was read anew at its start is mended by it
		v.weight, v.Over = weightOfOver*d.Confidence, in.Last
	}
	return v
}

// add keeps one verdict of each cause: what is proven, with what the logs show of it.
func (x *Examined) add(v Verdict) {
	if v.Cause == "" {
		return
	}
	at := slices.IndexFunc(x.Verdicts, func(other Verdict) bool { return other.Cause == v.Cause })
	if at < 0 {
		x.Verdicts = append(x.Verdicts, v)
		return
	}
	known := &x.Verdicts[at]
	if known.weight < v.weight {
		known.weight, known.Over = v.weight, v.Over
	}
	for _, found := range v.Found {
		if !slices.Contains(known.Found, found) && !strings.Contains(found, ": ") {
			known.Found = append(known.Found, found)
		}
	}
}

// warnings are checks that warn and know what to do.
func (x *Examined) warnings() {
	for _, line := range x.Checks {
		if line.Status != string(check.Warn) || len(line.Fixes) == 0 || line.ID == "live-names" {
			continue
		}
		if slices.ContainsFunc(x.Verdicts, func(v Verdict) bool { return v.Cause == line.Cause && v.Cause != "" }) {
			continue
		}
		x.Verdicts = append(x.Verdicts, Verdict{Cause: line.Cause, Title: line.Title, Decided: true, Found: []string{line.Detail}, Steps: slices.Clone(line.Fixes), weight: weightOfWarning, checks: []string{line.ID}})
	}
}

// line is a verdict in one line.
func (v *Verdict) line(say *messages.Printer) string {
	text := v.Title
	if v.saysNames() {
		text = Visible(v.Found[0])
	}
	if v.Over != nil {
		text = say.Say("doctor.over", v.Over.Local().Format("2006-01-02 15:04"), text)
	}
	if !v.isFault() {
		return text
	}
	return v.amount(say) + "  " + text + "  " + v.Cause
}

// saysNames tells that a check found it, whose words have the names.
func (v *Verdict) saysNames() bool { return len(v.checks) > 0 && len(v.Found) > 0 }

// rest is what was found of it besides its line.
func (v *Verdict) rest() []string {
	if v.saysNames() {
		return v.Found[1:]
	}
	return v.Found
}

// amount is how sure it is.
func (v *Verdict) amount(say *messages.Printer) string {
	const likely = 0.5
	switch {
	case v.Proven:
		return say.Say("diagnosis.proven")
	case v.Confidence >= likely:
		return say.Say("doctor.likely", v.Confidence*100)
	}
	return say.Say("doctor.possible", v.Confidence*100)
}
