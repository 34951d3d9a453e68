package patterns

import (
	"regexp"
	"slices"
	"strings"
)

// remedies wants of a cause a fix for every program that can have it, however that is
// run, and none that is another program's.
func (l *linter) remedies(cause *Cause) {
	if !slices.ContainsFunc(cause.Fixes, func(s Step) bool { return len(s.For)+len(s.In) > 0 || s.Do != "" }) {
		return // whoever names no program has one of his own
	}
	for _, component := range l.catalogue.Components {
		if _, lacks := component.Lacks[cause.ID]; lacks {
			continue
		}
		ways, reporters := deployments, []ComponentID{component.ID}
		if component.Only != "" {
			ways = []Deployment{component.Only}
		}
		if component.ID == ComponentService {
			reporters = []ComponentID{ComponentWuKongIM, ComponentNginx}
		}
		for _, way := range ways {
			for _, reporter := range reporters {
				l.remedy(cause, Program{Component: component.ID, Deployment: way, Reporter: reporter})
			}
		}
	}
}

func (l *linter) remedy(cause *Cause, p Program) {
	advice := l.catalogue.Advice(cause, p)
	where := string(p.Component) + ", " + string(p.Deployment)
	fits := func(s Step) bool { return p.Component != ComponentClient || ofClient(&s) }
	l.report(!slices.ContainsFunc(advice.Fixes, fits), "no-remedy", where)
	if p.Component == ComponentClient {
		return // what is for the server is shown to its owner, too
	}
	if p.Component == ComponentService {
		p.Component = p.Reporter
	}
	for _, step := range slices.Concat(advice.Fixes, advice.Verify) {
		l.report(isForeign(&step, p), "foreign-command", where+": "+strings.Join(strings.Fields(step.Command+step.Config), " "))
	}
}

// marks are words of commands and snippets that are of one program, or of programs that
// are run in one way.
var marks = []struct {
	expr       func() *regexp.Regexp
	components []ComponentID
	in         []Deployment
}{
	{expr: lazily(`\bdocker compose (?:-f|config|exec|kill|logs|ps|pull|restart|run|stop|up)\b`), in: []Deployment{DeployedByCompose}},
	{expr: lazily(`\bdocker (?:exec|inspect|kill|logs|ps|restart|start|stop)\b|(?m)^ *services:`), in: []Deployment{DeployedByCompose, DeployedByDocker}},
	{expr: lazily(`\bkubectl\b|\bcmctl\b|\bkind: |\bvolumeMounts:`), in: []Deployment{DeployedOnKubernetes}},
	{expr: lazily(`\bsystemctl (?:cat|reload|restart|show|start)\b|\bjournalctl\b`), in: []Deployment{DeployedBySystemd}},
	{expr: lazily(`\bnginx -|\bssl_certificate |\bssl_protocols\b`), components: []ComponentID{ComponentNginx}},
	{expr: lazily(`\bcaddy (?:validate|reload)\b`), components: []ComponentID{"caddy"}},
	{expr: lazily(`\bhaproxy -c\b|\bbind :443\b`), components: []ComponentID{"haproxy"}},
	{expr: lazily(`\bapachectl\b|\bSSLCertificateFile\b`), components: []ComponentID{"apache"}},
	{expr: lazily(`wukongimdata|/root/wukongim|\bwssConfig:|(?:compose|docker) .*\bwukongim\b`), components: []ComponentID{ComponentWuKongIM, ComponentV3}},
}

// isForeign tells whether a step is for another program than the one that it is shown
// for, or for one that is run in another way. nginx in front is a remedy for WuKongIM as
// well.
func isForeign(s *Step, p Program) bool {
	text := s.Command + "\n" + s.Config
	for _, mark := range marks {
		own := mark.components == nil || slices.Contains(mark.components, p.Component) ||
			!slices.Contains(mark.components, ComponentWuKongIM) && (p.Component == ComponentWuKongIM || p.Component == ComponentV3)
		if mark.expr().MatchString(text) && (!own || mark.in != nil && !slices.Contains(mark.in, p.Deployment)) {
			return true
		}
	}
	return false
}

// component checks one, and that what it lacks are causes.
func (l *linter) component(c *Component) {
	l.kebab()
	l.text(c.Title, "no-title", "")
	l.report(c.In != "" && !slices.Contains(deployments, c.In) || c.Only != "" && !slices.Contains(deployments, c.Only), "unknown-deployment", "")
	for id, why := range c.Lacks {
		l.report(l.catalogue.Cause(id) == nil, "unknown-cause", id)
		l.text(why, "no-reason", id)
	}
	for _, sign := range c.Signs {
		for _, expr := range []string{sign.Pattern, sign.Text, sign.Name} {
			_, err := regexp.Compile(expr)
			l.report(err != nil, "bad-regex", expr)
		}
	}
}

// for whom and where a step is, by names that exist.
func (l *linter) place(s *Step) {
	for _, id := range s.For {
		l.report(len(l.catalogue.Components) > 0 && l.catalogue.Component(id) == nil, "unknown-component", string(id))
	}
	for _, in := range s.In {
		l.report(!slices.Contains(deployments, in), "unknown-deployment", string(in))
	}
}

// name checks one of the names in commands.
func (l *linter) name(n *Name) {
	l.id = n.Name
	l.report(n.Usual == "" && (n.Text.En == "" || n.Text.Zh == ""), "no-explain", n.Name)
	expr, err := regexp.Compile(n.Match)
	l.report(err != nil || n.Match != "" && expr.NumSubexp() != 1, "bad-regex", n.Match)
	for _, fact := range n.Facts {
		kind, name, ok := strings.Cut(strings.TrimSuffix(fact, ":dir"), "/")
		l.report(!ok || name == "" || kind != "domain" && !slices.Contains(factKinds, FactKind(kind)), "bad-name", fact)
	}
}

var factKinds = []FactKind{FactHost, FactPort, FactPath, FactContainer, FactService, FactNamespace, FactPod, FactUnit, FactFile, FactSecret}

// fact checks a place of facts: its expression, and its samples.
func (l *linter) fact(s *FactSource) {
	l.kebab()
	l.report(len(s.References) == 0, "no-reference", "")
	l.report(len(s.Samples) == 0, "no-sample", "")
	expr, err := regexp.Compile(s.Regex)
	l.report(err != nil, "bad-regex", s.Regex)
	if err != nil {
		return
	}
	for _, group := range expr.SubexpNames()[1:] {
		kind, name, _ := strings.Cut(group, "_")
		l.report(name == "" || !slices.Contains(factKinds, FactKind(kind)), "bad-fact", group)
	}
}
