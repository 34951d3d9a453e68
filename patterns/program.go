package patterns

import (
	"cmp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"wklog/parser"
)

// ComponentID names a program that reports a failure or has the fault, as in the
// catalogue's components; empty where it is not known.
type ComponentID string

// The components that the code knows by name; the catalogue knows more.
const (
	ComponentWuKongIM ComponentID = "wukongim"
	ComponentV3       ComponentID = "wukongim-v3"
	ComponentNginx    ComponentID = "nginx"
	ComponentService  ComponentID = "service" // one that WuKongIM or a proxy calls
	ComponentClient   ComponentID = "client"
	ComponentOther    ComponentID = "other"
)

// Deployment is how a program is run; empty where it is not known.
type Deployment string

// The deployments. On systemd a program may as well be started by hand.
const (
	DeployedByCompose    Deployment = "compose"
	DeployedByDocker     Deployment = "docker"
	DeployedOnKubernetes Deployment = "kubernetes"
	DeployedBySystemd    Deployment = "systemd"
)

var deployments = []Deployment{DeployedByCompose, DeployedByDocker, DeployedOnKubernetes, DeployedBySystemd}

// Program is the one that a remedy is for.
type Program struct {
	Component  ComponentID
	Deployment Deployment
	// Reporter is the one whose log tells of the fault: another one where a service
	// that it calls has the fault.
	Reporter ComponentID
}

// Component is a kind of program.
type Component struct {
	ID    ComponentID `yaml:"id"`
	Title Text        `yaml:"title"`
	// Proxy says that it ends TLS in front of WuKongIM.
	Proxy bool `yaml:"proxy"`
	// In is how it is run where nothing tells, Only how it always is.
	In   Deployment `yaml:"in"`
	Only Deployment `yaml:"only"`
	// Signs tell that a failure is from its log: the first component counts of which
	// one fits.
	Signs []Sign `yaml:"signs"`
	// Lacks are the causes that it cannot have, with the reasons.
	Lacks map[string]Text `yaml:"lacks"`
}

// Sign tells by whom a failure is reported. All conditions that are set must hold; the
// expressions are searched in the pattern's id, the record's text, and the names of the
// log and of the container or host.
type Sign struct {
	Kinds   []string `yaml:"kinds"`
	Pattern string   `yaml:"pattern"`
	Text    string   `yaml:"text"`
	Name    string   `yaml:"name"`
}

// Component returns the one with the id, nil when there is none.
func (c *Catalogue) Component(id ComponentID) *Component {
	return find(c.Components, func(known *Component) bool { return known.ID == id })
}

// Program is the one of a side, where nothing else is known of it.
func (s Side) Program() Program {
	p := Program{Component: ComponentWuKongIM, Reporter: ComponentWuKongIM}
	switch s {
	case SidePeer:
		p.Component = ComponentService
	case SideV3:
		p.Component = ComponentV3
	}
	return p
}

// programs tell by which program a failure is reported.
type programs struct {
	catalogue *Catalogue
	known     map[programKey]Program
}

type programKey struct {
	pattern        *Pattern
	kind           parser.Kind
	logger         string
	source, origin string
	wrapper        parser.Wrapper
}

func newPrograms(c *Catalogue) programs {
	return programs{catalogue: c, known: map[programKey]Program{}}
}

// maxPrograms bounds how many sights of a program are remembered.
const maxPrograms = 4096

// of tells it of an event. What the text of one record tells counts for its like.
func (p *programs) of(e *Event) Program {
	rec := e.Record
	key := programKey{e.Pattern, rec.Kind, rec.Logger, e.Source, rec.Origin, rec.Wrapper}
	program, ok := p.known[key]
	if !ok {
		program = p.find(e)
		if len(p.known) >= maxPrograms {
			clear(p.known)
		}
		p.known[key] = program
	}
	return program
}

func (p *programs) find(e *Event) Program {
	program := Program{Reporter: ComponentWuKongIM, Deployment: deployedAs(e.Record.Wrapper)}
	_, _, ofPod := podOf(e.Record)
	switch rec := e.Record; {
	case ofPod:
		program.Deployment = DeployedOnKubernetes
	case rec.Wrapper == parser.WrapperNone && strings.Contains(rec.Stack, "/internal/options/options.go") && !strings.Contains(rec.Stack, builtInImage):
		program.Deployment = DeployedBySystemd
	}
	for _, component := range p.catalogue.Components {
		if slices.ContainsFunc(component.Signs, func(s Sign) bool { return s.fits(e) }) {
			program.Reporter = component.ID
			program.Deployment = cmp.Or(component.Only, program.Deployment)
			break
		}
	}
	program.Component = program.Reporter
	switch {
	case e.Pattern == nil:
	case e.Pattern.Side == SidePeer:
		program.Component = ComponentService
	case e.Pattern.Side == SideV3:
		program.Component = ComponentV3
	}
	return program
}

// builtInImage is where WuKongIM's own images are built (its Dockerfile): the traces of
// others name another folder.
const builtInImage = "/go/release/"

func (s *Sign) fits(e *Event) bool {
	id := ""
	if e.Pattern != nil {
		id = e.Pattern.ID
	}
	return (s.Kinds == nil || slices.Contains(s.Kinds, string(e.Record.Kind))) &&
		isIn(id, s.Pattern) && isIn(e.Record.Text, s.Text) && (isIn(e.Source, s.Name) || isIn(e.Record.Origin, s.Name))
}

// isIn tells whether an expression, which may be none, is found in a text.
func isIn(text, expr string) bool { return expr == "" || compiled(expr).MatchString(text) }

// deployedAs tells by a wrapper how what it wraps is run.
func deployedAs(w parser.Wrapper) Deployment {
	switch w {
	case parser.WrapperCompose:
		return DeployedByCompose
	case parser.WrapperDockerJSON, parser.WrapperDockerTimestamps:
		return DeployedByDocker
	case parser.WrapperKubectl, parser.WrapperCRI:
		return DeployedOnKubernetes
	case parser.WrapperJournald, parser.WrapperSyslog:
		return DeployedBySystemd
	}
	return ""
}

// Advice returns that of a cause for a program: for a service that is called, for version 3, for
// a proxy and for WuKongIM itself. Its fixes are those that fit how the program is run;
// those for other ways stand in Others. Their commands hold what the facts tell in place
// of the catalogue's names.
func (c *Catalogue) Advice(cause *Cause, p Program, facts ...Fact) Advice {
	component := c.Component(p.Component)
	if component == nil {
		component = &Component{ID: p.Component}
	}
	if component.ID == ComponentV3 && cause.V3 == nil && cause.Proxy != nil {
		// It has no TLS of its own: whatever ends TLS has the fault.
		return c.Advice(cause, Program{Component: ComponentNginx, Deployment: p.Deployment, Reporter: p.Reporter}, facts...)
	}
	advice, takes := cause.Advice, component.ID
	switch {
	case component.ID == ComponentService && cause.Peer != nil:
		advice, takes = cause.over(cause.Peer), p.Reporter
	case component.ID == ComponentV3 && cause.V3 != nil:
		advice = cause.over(cause.V3)
	case component.Proxy && cause.Proxy != nil:
		advice = cause.over(cause.Proxy)
	}
	where := cmp.Or(component.Only, p.Deployment, component.In)
	own := component.ID == ComponentClient
	advice.Fixes, advice.Others = chosen(c.acted(advice.Fixes), takes, where, own)
	advice.Verify, _ = chosen(c.acted(advice.Verify), takes, where, own)
	p.Component = takes
	for _, steps := range []*[]Step{&advice.Fixes, &advice.Others, &advice.Verify} {
		*steps = c.filled(*steps, p, facts)
	}
	return advice
}

// over gives an advice with the title, the explanation and the verification of the cause
// where it has none.
func (c *Cause) over(a *Advice) Advice {
	advice := *a
	if advice.Title == (Text{}) {
		advice.Title = c.Title
	}
	if advice.Explain == (Text{}) {
		advice.Explain = c.Explain
	}
	if len(advice.Verify) == 0 {
		advice.Verify = c.Verify
	}
	return advice
}

// chosen are the steps that fit a component where it is run, and those that fit it run in
// another way. What is to be done in a client is told to everybody, to its owner first.
func chosen(steps []Step, component ComponentID, where Deployment, client bool) (list, others []Step) {
	for _, step := range steps {
		switch {
		case len(step.For) > 0 && !slices.Contains(step.For, component) && !ofClient(&step) && !(client && slices.Contains(step.For, ComponentWuKongIM)):
		case len(step.In) > 0 && !slices.Contains(step.In, where):
			others = append(others, step)
		default:
			list = append(list, step)
		}
	}
	if client {
		slices.SortStableFunc(list, func(x, y Step) int { return -boolCompare(ofClient(&x), ofClient(&y)) })
	}
	return list, others
}

func ofClient(s *Step) bool { return slices.Contains(s.For, ComponentClient) }

// most is the program of which most failures are.
func most(programs map[Program]int) Program {
	best, count := Program{}, 0
	for p, n := range programs {
		if cmp.Or(cmp.Compare(n, count), cmp.Compare(best.Component, p.Component), cmp.Compare(best.Deployment, p.Deployment), cmp.Compare(best.Reporter, p.Reporter)) > 0 {
			best, count = p, n
		}
	}
	return best
}

// programOf is the program that a remedy is for: of which most of what speaks for the
// cause is. A client tells of the program that it called: by the port that is the proxy,
// or WuKongIM.
func (v *view) programOf(d *Diagnosis) Program {
	counts := map[Program]int{}
	clients, saidByClients := 0, true
	for _, f := range v.findings {
		switch {
		case !slices.ContainsFunc(d.Evidence, func(e Evidence) bool { return e.Pattern == f.Pattern }):
		case f.Program.Component == ComponentClient:
			clients += f.Count
		default:
			counts[f.Program] += f.Count
			saidByClients = saidByClients && f.Pattern.Phase == reports
		}
	}
	if d.Side == SideServer && saidByClients && clients+len(counts) > 0 && len(v.absent(problem{side: d.Side})) > 0 {
		return v.deployed(Program{Component: ComponentOther, Reporter: ComponentOther}) // whatever ends TLS
	}
	if len(counts) > 0 {
		return v.deployed(most(counts))
	}
	p := Program{Component: ComponentWuKongIM, Reporter: ComponentWuKongIM}
	if clients > 0 && the(v.facts.list(), FactPort, "dialled", ComponentClient) == httpsPort {
		p = Program{Component: ComponentNginx, Reporter: ComponentNginx}
	}
	if d.Side == SidePeer {
		p.Component = ComponentService
	}
	return v.deployed(p)
}

// advise is the advice for a program in the user's own names.
func (a *Analyzer) advise(cause *Cause, p Program) Advice {
	if a.Nameless {
		return a.catalogue.Advice(cause, p)
	}
	return a.catalogue.Advice(cause, p, a.facts.list()...)
}

// address is where clients reach a program, as far as the facts tell; empty for an address
// of which a part would have to be guessed.
func (a *Analyzer) address(p Program) string {
	const known = "im.example.com:5210"
	if a.Nameless {
		return ""
	}
	if step := a.catalogue.fill(Step{Command: known}, p, a.facts.list()); len(step.Left) == 0 {
		return step.Command
	}
	return ""
}

// Settings are what a server is set up by: a file, or on Kubernetes the objects of a
// namespace. Both are quoted for a shell, and empty where they are not known.
type Settings struct {
	In              Deployment
	File, Namespace string
}

// settings are those of the server behind a program. What a server in a container says of
// its files is within that.
func (a *Analyzer) settings(p Program) Settings {
	if a.Nameless {
		return Settings{In: p.Deployment}
	}
	list := a.facts.list()
	if p.Deployment == DeployedOnKubernetes {
		return Settings{In: p.Deployment, Namespace: quoted(the(list, FactNamespace, "namespace", p.Reporter))}
	}
	if file := the(list, FactFile, "compose", p.Reporter); file != "" {
		return Settings{In: DeployedByCompose, File: quoted(file)}
	}
	file := the(list, FactPath, "config", ComponentWuKongIM)
	if file == "" && p.Deployment == DeployedBySystemd {
		file = the(list, FactPath, "configured", ComponentWuKongIM)
	}
	return Settings{In: p.Deployment, File: quoted(file)}
}

// quoted is for a shell; what no shell can be given is as what is not known.
func quoted(word string) string {
	text, err := syntax.Quote(word, syntax.LangPOSIX)
	if word == "" || err != nil {
		return ""
	}
	return text
}

// httpsPort is where proxies listen.
const httpsPort = "443"

// deployed adds how a program is run, where something else than its log's form tells it: a
// compose file that was checked, or a configuration file that is not where WuKongIM's
// image has it.
func (v *view) deployed(p Program) Program {
	const inImage = "/root/wukongim/"
	list := v.facts.list()
	switch config := the(list, FactPath, "configured", ComponentWuKongIM); {
	case the(list, FactFile, "compose", p.Reporter) != "":
		p.Deployment = DeployedByCompose
	case p.Deployment == "" && p.Reporter == ComponentWuKongIM && config != "" && !strings.HasPrefix(config, inImage):
		p.Deployment = DeployedBySystemd
	}
	return p
}

// acted are steps with those of actions in place of their names. Those of a step that is
// for some programs are for these alone.
func (c *Catalogue) acted(steps []Step) []Step {
	if !slices.ContainsFunc(steps, func(s Step) bool { return s.Do != "" }) {
		return steps
	}
	var list []Step
	for _, step := range steps {
		if step.Do == "" {
			list = append(list, step)
			continue
		}
		action := c.Action(step.Do)
		if action == nil {
			continue // lint tells
		}
		for _, part := range action.Steps {
			var isFor, isIn bool
			part.For, isFor = both(step.For, part.For)
			part.In, isIn = both(step.In, part.In)
			if isFor && isIn {
				list = append(list, part)
			}
		}
	}
	return list
}

// Sources are where what a cause says is known from, with that of the actions it names.
func (c *Catalogue) Sources(cause *Cause) []string {
	all := slices.Clone(cause.References)
	for _, advice := range cause.advices() {
		for _, step := range slices.Concat(advice.Fixes, advice.Verify) {
			action := c.Action(step.Do)
			if action == nil {
				continue
			}
			for _, source := range action.References {
				if !slices.Contains(all, source) {
					all = append(all, source)
				}
			}
		}
	}
	return all
}

// Action returns the one with the id, nil when there is none.
func (c *Catalogue) Action(id string) *Action {
	return find(c.Actions, func(a *Action) bool { return a.ID == id })
}

// both are what two lists have in common, of which an empty one has all; ok is false for
// nothing.
func both[T comparable](a, b []T) (list []T, ok bool) {
	if len(a) == 0 || len(b) == 0 {
		return slices.Concat(a, b), true
	}
	for _, item := range a {
		if slices.Contains(b, item) {
			list = append(list, item)
		}
	}
	return list, len(list) > 0
}
