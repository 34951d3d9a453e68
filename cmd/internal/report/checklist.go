package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/secrets"
	"wklog/patterns"
)

// CheckSchema names the form of a checklist as JSON.
const CheckSchema = "wklog.check/v1"

// Checklist is what checks found; its JSON is fixed by the contract.
type Checklist struct {
	Schema    string      `json:"schema"`
	Generated time.Time   `json:"generated"`
	Lang      string      `json:"lang"`
	Checks    []CheckLine `json:"checks"`
	// Causes are those of failed checks, with what to do: what breaks most comes
	// first, and what breaks as much in the order of the checks.
	Causes []CheckedCause `json:"causes"`
	// Report is what the logs say, null without logs.
	Report *Document `json:"report"`
	// Cut says that the checks were ended before their end.
	Cut bool `json:"cut"`

	nothing bool // was checked

	catalogue *patterns.Catalogue
	known     []patterns.Fact
}

// CheckLine is one check.
type CheckLine struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	// Target is what was checked: a service, a file, an address.
	Target string `json:"target"`
	// Breaks says what a failed check found broken: server, all-clients or
	// some-clients.
	Breaks check.Breaks `json:"breaks"`
	// Cause is empty where a check passed, RulesOut where it did not.
	Cause    string   `json:"cause"`
	Title    string   `json:"title"`
	Detail   string   `json:"detail"`
	Fixes    []Step   `json:"fixes"`
	RulesOut []string `json:"rules_out"`
	// Key makes the detail, in any language, with Args, which are names of Values.
	Key    string                 `json:"key"`
	Args   []string               `json:"args"`
	Values map[string]check.Value `json:"values"`
	// Seconds is how long a stage on the network took.
	Seconds float64 `json:"seconds"`
	// Since is from when on the certificate that was looked at is valid.
	Since *time.Time `json:"since"`

	result check.Result // that the texts are made of
	// read says that it is from JSON: the fixes are not of the result. unknown is
	// the detail of a check that this version does not know.
	read    bool
	unknown string
}

// put makes what the values of a result are part of.
func (c *CheckLine) put(r check.Result, say *messages.Printer) {
	r = r.Map(valueWithoutSecrets)
	c.result, c.Detail, c.Args, c.Target = r, c.unknown, []string{}, r.Target.String()
	if c.unknown == "" {
		c.Detail = r.Detail(say)
	}
	if c.Values == nil {
		c.Values = map[string]check.Value{}
	}
	for name, v := range c.Values { // those of JSON
		c.Values[name] = valueWithoutSecrets(v)
	}
	for _, v := range r.Args {
		c.Args = append(c.Args, v.Name)
	}
	for _, v := range append(r.Values(), r.Target) {
		if v.Name != "" {
			c.Values[v.Name] = v
		}
	}
	if len(r.Fixes) > 0 {
		c.Fixes = []Step{}
	}
	for _, s := range r.Fixes {
		c.Fixes = append(c.Fixes, Step{Text: r.Text(s, say), Command: s.CommandLine(), Config: s.Snippet()})
	}
}

// CheckedCause is a cause that checks found.
type CheckedCause struct {
	Cause  string   `json:"cause"`
	Title  string   `json:"title"`
	Why    string   `json:"why"`
	Checks []string `json:"checks"`
	Fixes  []Step   `json:"fixes"`
	// Breaks is the worst of what the checks found broken.
	Breaks check.Breaks `json:"breaks"`

	own int // of the fixes: those that the checks know
}

// titles are those of the checks that found it.
func (c *CheckedCause) titles(say *messages.Printer) (list []string) {
	for _, id := range c.Checks {
		list = append(list, check.Title(id, say))
	}
	return list
}

// severities are what faults break, the worst first.
var severities = []check.Breaks{check.TheServer, check.AllClients, check.SomeClients}

func severity(b check.Breaks) int { return slices.Index(severities, b) }

// NewChecklist puts results into words. Known are names of the user's own, for the
// commands.
func NewChecklist(results []check.Result, c *patterns.Catalogue, say *messages.Printer, generated time.Time, known ...patterns.Fact) *Checklist {
	list := &Checklist{Schema: CheckSchema, Generated: generated, Lang: string(say.Lang), Checks: []CheckLine{}, Causes: []CheckedCause{}, catalogue: c, known: known, nothing: check.Nothing(results)}
	for _, r := range results {
		line := CheckLine{
			ID: r.ID, Status: string(r.Status), Breaks: r.Breaks, Cause: r.Cause, Title: r.Title(say),
			Fixes: []Step{}, RulesOut: append([]string{}, r.RulesOut...), Key: r.Key, Seconds: r.Took.Seconds(), Since: Moment(r.Since),
		}
		line.put(r, say)
		cause := c.Cause(r.Cause)
		if cause != nil && r.Status == check.Fail {
			list.add(cause, &r, line.Fixes, say.Lang)
		}
		if cause != nil && len(line.Fixes) == 0 {
			line.Fixes = Steps(list.advice(cause, r.Component).Fixes, say.Lang)
		}
		list.Checks = append(list.Checks, line)
	}
	slices.SortStableFunc(list.Causes, func(a, b CheckedCause) int { return severity(a.Breaks) - severity(b.Breaks) })
	return list
}

// deployments are how a program is run that has such a name.
var deployments = map[patterns.FactKind]patterns.Deployment{
	patterns.FactContainer: patterns.DeployedByDocker, patterns.FactUnit: patterns.DeployedBySystemd, patterns.FactPod: patterns.DeployedOnKubernetes,
}

// DeploymentOf tells by the names of a program how it is run, empty where they do not say. A
// process of this machine that no unit is known of is more like one of systemd than like a
// container.
func DeploymentOf(known []patterns.Fact) (how patterns.Deployment) {
	for _, fact := range known {
		if strings.HasPrefix(fact.From, "/proc/") {
			how = cmp.Or(how, patterns.DeployedBySystemd)
		}
		switch fact.Kind {
		case patterns.FactFile:
			how = patterns.DeployedByCompose
		case patterns.FactContainer, patterns.FactUnit, patterns.FactPod:
			how = cmp.Or(how, deployments[fact.Kind])
		}
	}
	return how
}

// advice is that of a cause for the program that was checked, WuKongIM where it has no name.
func (l *Checklist) advice(cause *patterns.Cause, component string) patterns.Advice {
	program := patterns.SideServer.Program()
	if component != "" {
		program = patterns.Program{Component: patterns.ComponentID(component), Reporter: patterns.ComponentID(component)}
	}
	own := slices.DeleteFunc(slices.Clone(l.known), func(f patterns.Fact) bool { return f.Component != "" && f.Component != program.Component })
	program.Deployment = cmp.Or(DeploymentOf(own), program.Deployment)
	return l.catalogue.Advice(cause, program, l.known...)
}

// add collects what to do: what the checks themselves know before what the cause
// says, unless one of them knows better than it.
func (l *Checklist) add(cause *patterns.Cause, r *check.Result, fixes []Step, lang patterns.Lang) {
	at := slices.IndexFunc(l.Causes, func(c CheckedCause) bool { return c.Cause == cause.ID })
	if at < 0 {
		at = len(l.Causes)
		advice := l.advice(cause, r.Component)
		l.Causes = append(l.Causes, CheckedCause{
			Cause: cause.ID, Title: advice.Title.In(lang), Why: advice.Explain.In(lang), Fixes: Steps(advice.Fixes, lang), Breaks: r.Breaks,
		})
	}
	found := &l.Causes[at]
	if severity(r.Breaks) < severity(found.Breaks) {
		found.Breaks = r.Breaks
	}
	if r.Instead {
		found.Fixes = found.Fixes[:found.own]
	}
	if !slices.Contains(found.Checks, r.ID) {
		found.Checks = append(found.Checks, r.ID)
	}
	found.Fixes = slices.Insert(found.Fixes, found.own, fixes...)
	found.own += len(fixes)
}

// UnmarshalJSON reads a line of any version: before there were values their place was
// in args, and it is not known what they are.
func (c *CheckLine) UnmarshalJSON(data []byte) error {
	type plain CheckLine
	line := struct {
		*plain
		Args []any `json:"args"`
	}{plain: (*plain)(c)}
	if err := json.Unmarshal(data, &line); err != nil {
		return err
	}
	target := c.Values["target"]
	target.Name = "target"
	if c.Target == "" {
		target = check.Value{}
	}
	c.read, c.result = true, check.Result{ID: c.ID, Key: c.Key, Target: target}
	for i, arg := range line.Args {
		name, ok := arg.(string)
		v, known := c.Values[name]
		switch n, isNumber := arg.(float64); {
		case ok && known:
		case isNumber:
			v = check.Value{V: int(n)}
		default:
			v = check.Value{V: fmt.Sprint(arg)}
		}
		if v.Name = name; !known {
			v.Name = fmt.Sprintf("value%d", i+1)
		}
		c.result.Args = append(c.result.Args, v)
	}
	for _, name := range check.MetNames {
		if v, known := c.Values[name]; known {
			v.Name = name
			c.result.Met = append(c.result.Met, v)
		}
	}
	return nil
}

// say puts a line that was read from JSON into the language of a report.
func (c *CheckLine) say(say *messages.Printer) {
	if title := c.result.Title(say); title == c.ID {
		c.unknown = secrets.Hide(c.Detail)
	} else {
		c.Title = title
	}
	for i := range c.Fixes {
		hideIn(&c.Fixes[i].Text, &c.Fixes[i].Command, &c.Fixes[i].Config)
	}
	c.put(c.result, say)
}

// ReadChecklist reads a checklist that was written as JSON, in any language.
// Anything else is an ErrSchema.
func ReadChecklist(data []byte, say *messages.Printer) (*Checklist, error) {
	l := &Checklist{}
	if err := json.Unmarshal(data, l); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	if l.Schema != CheckSchema {
		return nil, fmt.Errorf("%w: its schema is %q", ErrSchema, l.Schema)
	}
	for i := range l.Checks {
		l.Checks[i].say(say)
	}
	return l, nil
}

// Has tells whether any check ended so.
func (l *Checklist) Has(status check.Status) bool {
	return slices.ContainsFunc(l.Checks, func(c CheckLine) bool { return c.Status == string(status) })
}

// Proofs are what the checks say of the causes of failures of which the last was
// at the given time, zero for not known. Dates of a certificate that was not valid
// by then say nothing: it replaced the one that the clients met.
func (l *Checklist) Proofs(last time.Time) []patterns.Proof {
	var proofs []patterns.Proof
	seen := map[string]int{}
	for _, c := range l.Checks {
		seen[c.ID]++
		name := c.ID
		if seen[c.ID] > 1 {
			name = fmt.Sprintf("%s#%d", c.ID, seen[c.ID])
		}
		switch check.Status(c.Status) {
		case check.Fail:
			proofs = append(proofs, patterns.Proof{Check: name, Proves: c.Cause})
		case check.Pass, check.Warn:
			proofs = append(proofs, patterns.Proof{Check: name, RulesOut: l.ruledOut(&c, last)})
		}
	}
	return proofs
}

// ruledOut are the causes that a check rules out, which every other target of it has
// to as well: the clients may have met that one.
func (l *Checklist) ruledOut(c *CheckLine, last time.Time) []string {
	return slices.DeleteFunc(slices.Clone(c.RulesOut), func(cause string) bool {
		return slices.ContainsFunc(l.Checks, func(other CheckLine) bool {
			return other.ID == c.ID && (other.isNewer(last) || !slices.Contains(other.RulesOut, cause))
		})
	})
}

// isNewer tells whether the certificate that a check of dates looked at is younger
// than the last failure.
func (c *CheckLine) isNewer(last time.Time) bool {
	return c.Since != nil && !last.IsZero() && c.Since.After(last)
}

// AddChecks tells in a report which checks were made, and what they mean for its
// causes.
func (d *Document) AddChecks(l *Checklist, c *patterns.Catalogue, say *messages.Printer) {
	d.Checks = append(d.Checks, l.Checks...)
	for i := range d.Diagnosis {
		found := &d.Diagnosis[i]
		for _, id := range found.checks {
			line := d.check(id)
			found.Evidence = append(found.Evidence, Evidence{Check: id, Title: say.Say("checks.evidence", line.Title, line.Detail), Count: 1})
		}
	}
	d.Settled = d.settlement(c, say)
}

// check finds a check by the name of its proof.
func (d *Document) check(name string) CheckLine {
	id, number, _ := strings.Cut(name, "#")
	for _, line := range d.Checks {
		if line.ID != id {
			continue
		}
		if n, err := strconv.Atoi(number); err != nil || n == 1 {
			return line
		} else {
			number = strconv.Itoa(n - 1)
		}
	}
	return CheckLine{ID: id, Title: id}
}

// settlement says in sentences what checks failed, what they rule out, and which
// causes are left.
func (d *Document) settlement(c *patterns.Catalogue, say *messages.Printer) []string {
	lines, out := []string{}, []string{}
	title := func(id string) string {
		if cause := c.Cause(id); cause != nil {
			return cause.Title.In(say.Lang)
		}
		return id
	}
	for _, line := range d.Checks {
		switch check.Status(line.Status) {
		case check.Fail, check.Warn:
			lines = append(lines, say.Say("checks.line", say.Say("status."+line.Status), line.Title, line.Detail))
		case check.Pass:
			if line.isNewer(d.last()) {
				continue
			}
			for _, id := range line.RulesOut {
				if text := say.Say("checks.by-check", title(id), line.Title); !slices.Contains(out, text) {
					out = append(out, text)
				}
			}
		}
	}
	if len(out) > 0 {
		lines = append(lines, say.Say("checks.ruled-out", strings.Join(out, say.Say("diagnosis.evidence.join"))))
	}
	var left []string
	for _, found := range d.Diagnosis {
		left = append(left, found.Title)
	}
	if len(left) > 0 {
		lines = append(lines, say.Say("checks.left", strings.Join(left, say.Say("diagnosis.evidence.join"))))
	}
	return append(lines, d.newer(say)...)
}

// newer warns where the certificate that was looked at is younger than the
// failures: it may have replaced the one that they are of.
func (d *Document) newer(say *messages.Printer) []string {
	for _, line := range d.Checks {
		if line.isNewer(d.last()) && line.Status != string(check.Fail) {
			return []string{say.Say("checks.newer", line.Since.Format(time.DateTime), d.last().Format(time.DateTime))}
		}
	}
	return nil
}

// last is the time of the last failure.
func (d *Document) last() time.Time {
	var last time.Time
	for _, f := range d.Findings {
		if f.Last != nil && f.Last.After(last) {
			last = *f.Last
		}
	}
	return last
}
