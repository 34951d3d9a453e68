package run

import (
	"errors"
	"slices"
	"strings"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/cmd/internal/source"
	"wklog/cmd/internal/source/engine"
	"wklog/parser"
	"wklog/patterns"
)

// MaxComplaints is how many inputs of which something is wrong are told one by one; of
// each it stands beside the input as well.
const MaxComplaints = 20

// Facts are what a document tells beside the analysis.
type Facts struct {
	Say       *messages.Printer
	Generated time.Time
	Version   string
	Command   []string
	// Baseline is an earlier report to compare with, Checks are those that settle
	// the diagnosis; nil for none.
	Baseline *report.Document
	Checks   *report.Checklist
	// Cut says that the reading was ended before its end.
	Cut bool
}

// Document sums up what was read and found, without the secrets in it; the checks are
// still to be added.
func (c *Core) Document(f Facts, failures []source.Failure) (*report.Document, *patterns.Analysis) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	result := c.analyzer.Result()
	if f.Checks != nil {
		c.analyzer.Settle(f.Checks.Proofs(result.Last))
		result = c.analyzer.Result()
	}
	c.watch(result.Incidents)
	doc := report.New(&result, f.Say, f.Generated)
	var seen sights
	told := map[*source.Asked]bool{}
	for i := range c.logs {
		describe(doc, &c.logs[i], told, f.Say)
		seen.note(c.logs[i].Name, &c.logs[i].Stats)
	}
	for _, failure := range failures {
		miss(doc, &failure, f.Say)
	}
	if f.Cut {
		doc.AddError(report.Error{Source: "wklog", Message: f.Say.Say("error.cut")})
	}
	if more := len(doc.Errors) - MaxComplaints; more > 0 {
		doc.Errors = append(doc.Errors[:MaxComplaints:MaxComplaints], report.Error{Source: "wklog", Message: f.Say.Say("error.more", more)})
	}
	doc.Tool.Version, doc.Tool.Command = f.Version, append([]string{}, f.Command...)
	doc.AddHints(seen.more(len(doc.Stops) > 0), f.Checks != nil, f.Say)
	if f.Baseline != nil {
		doc.Compare(f.Baseline)
	}
	doc.HideSecrets()
	return doc, &result
}

// miss tells what could not be read, beside the input too where that is one.
func miss(doc *report.Document, failure *source.Failure, say *messages.Printer) {
	var sampled *source.Sampled
	part := errors.As(failure.Err, &sampled) // which was asked for, and all the same is not all
	e := report.Error{Source: failure.Source, Message: Reason(failure.Err, say), Note: failure.Minor && !part}
	at := slices.IndexFunc(doc.Inputs, func(in report.Input) bool { return in.Name == e.Source })
	switch {
	case part, isPart(failure.Err):
	case at < 0:
		doc.Inputs = append(doc.Inputs, report.Input{Name: e.Source, Wrapper: string(parser.WrapperNone), Error: e.Message})
	case doc.Inputs[at].Error != "":
		return
	default:
		doc.Inputs[at].Error = e.Message // it was read all the same
	}
	doc.AddError(e)
}

// describe tells of one log. Damage in the middle of one is reported, with what
// came before it.
func describe(doc *report.Document, l *Log, told map[*source.Asked]bool, say *messages.Printer) {
	input := report.Input{
		Name: l.Name, Bytes: l.Stats.Bytes, Lines: l.Stats.Lines, Wrapper: string(l.Stats.Wrapper),
		First: report.Moment(l.Stats.First), Last: report.Moment(l.Stats.Last),
	}
	empty := false
	switch {
	case l.Err != nil:
		input.Error = Reason(l.Err, say)
	case l.Stats.TooLong > 0:
		input.Error = say.Say("error.long", l.Stats.TooLong, l.Stats.FirstTooLong, report.Bytes(parser.MaxLine))
	case l.Asked != nil:
		input.Engine = l.Asked.Engine
		for _, m := range l.Asked.Matched[l.Name] {
			input.Matched = append(input.Matched, report.Matched{Reason: m.Reason, Entries: m.Entries, Read: m.Read})
		}
		if !told[l.Asked] { // what was asked for was asked for all of them
			told[l.Asked] = true
			input.ScannedBytes, input.ReceivedBytes, input.Requests = l.Asked.Scanned, l.Asked.Received, l.Asked.Requests
		}
	case l.Stats.Bytes == 0:
		input.Error, empty = say.Say("error.empty"), true
	}
	doc.AddInput(input, l.Stats.Records)
	if input.Error != "" {
		doc.AddError(report.Error{Source: input.Name, Message: input.Error, Note: empty, Empty: empty})
	}
}

// isPart tells of a failure whether it is of a part of an input, of which there may be
// several, or a note about one that is whole.
func isPart(err error) bool {
	var gap *engine.Gap
	return errors.As(err, &gap) || errors.Is(err, source.ErrOwnShipper) || errors.Is(err, source.ErrSeconds)
}

// reasons are the texts for what a source says.
var reasons = []struct {
	err error
	key string
}{
	{source.ErrBinary, "error.binary"},
	{source.ErrNoFile, "error.no-file"},
	{source.ErrLooksBinary, "error.binary.read"},
	{source.ErrNone, "error.none"},
	{source.ErrWaiting, "note.waiting"},
	{source.ErrPolled, "note.polled"},
	{source.ErrLost, "note.lost"},
	{source.ErrBomb, "error.bomb"},
	{source.ErrShrunk, "error.shrunk"},
	{engine.ErrCut, "error.document.cut"},
	{source.ErrEncrypted, "error.encrypted"},
	{source.ErrOwnShipper, "note.engine.shipper"},
	{source.ErrSeconds, "note.engine.seconds"},
	{engine.ErrBroken, "error.engine.broken"},
	{engine.ErrAnswer, "error.engine.answer"},
	{engine.ErrAddress, "error.engine.address"},
	{engine.ErrUserinfo, "error.engine.userinfo"},
	{engine.ErrNoHost, "error.engine.host"},
	{engine.ErrElsewhere, "error.engine.elsewhere"},
}

// Reason says why an input could not be read, or not in whole.
func Reason(err error, say *messages.Printer) string {
	if reason := reasonOfEngine(err, say); reason != "" { // before what it wraps
		return reason
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return say.Say(r.key)
		}
	}
	var syntax *engine.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return say.Say("error.document", syntax.At)
	case errors.Is(err, source.ErrLargeZip):
		return say.Say("error.zip", report.Bytes(source.MaxZip))
	case errors.Is(err, source.ErrMembers):
		return say.Say("error.members", source.MaxMembers)
	case errors.Is(err, source.ErrDamaged):
		return say.Say("error.damaged", say.Error(innermost(err)))
	}
	return say.Error(err)
}

// reasonOfEngine says what an engine did not give, and which part that is; empty for
// anything else.
func reasonOfEngine(err error, say *messages.Printer) string {
	var gap *engine.Gap
	var unchosen *source.Unchosen
	var setting *engine.ErrSetting
	var sampled *source.Sampled
	var later *source.Later
	switch {
	case errors.As(err, &later):
		return say.Say("note.engine.later", Reason(later.Err, say))
	case errors.As(err, &sampled):
		return reasonOfSample(sampled, say)
	case errors.As(err, &setting):
		return say.Say("error.engine.setting", setting.Variable, say.Error(setting.Err))
	case errors.As(err, &gap):
		return reasonOfGap(gap, say)
	case errors.As(err, &unchosen):
		return reasonOfSelector(unchosen, say)
	}
	return ""
}

// reasonOfGap says which part of an engine's logs is not in the report.
func reasonOfGap(gap *engine.Gap, say *messages.Printer) string {
	const moment = "2006-01-02 15:04:05.999999999 -07:00"
	if gap.Crowd > 0 {
		return say.Say("error.engine.crowd", gap.From.Format(moment), gap.Crowd)
	}
	return say.Say("error.engine.gap", gap.From.Format(moment), gap.Until.Format(moment), Reason(gap.Err, say))
}

// reasonOfSample says how much was counted and read, and what is most frequent.
func reasonOfSample(s *source.Sampled, say *messages.Printer) string {
	const most = 5
	var list []string
	for _, m := range s.Groups[:min(len(s.Groups), most)] {
		what := m.Reason
		if what == "" {
			what = say.Say("note.engine.reasonless")
		}
		list = append(list, say.Say("note.engine.group", m.Log, what, m.Entries, m.Read))
	}
	frequent := strings.Join(list, say.Say("diagnosis.evidence.join"))
	if s.Most == 0 {
		return say.Say("note.engine.counted", s.Entries, frequent)
	}
	return say.Say("note.engine.sampled", s.Read, s.Entries, s.Most, frequent)
}

// reasonOfSelector names selectors that choose something.
func reasonOfSelector(u *source.Unchosen, say *messages.Printer) string {
	const most = 10
	switch {
	case len(u.Exist) == 0:
		return say.Say("error.engine.nothing")
	case u.Selector == "":
		return say.Say("error.engine.select", strings.Join(u.Exist[:min(len(u.Exist), most)], ", "))
	}
	return say.Say("error.engine.chosen", u.Selector, strings.Join(u.Exist[:min(len(u.Exist), most)], ", "))
}

// innermost is the error that the others wrap: what the decoder says.
func innermost(err error) error {
	for {
		switch wrapped := err.(type) {
		case interface{ Unwrap() error }:
			err = wrapped.Unwrap()
		case interface{ Unwrap() []error }:
			list := wrapped.Unwrap()
			err = list[len(list)-1]
		default:
			return err
		}
	}
}
