package patterns

import (
	"cmp"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Name is one that stands in commands for what the user has under another one.
type Name struct {
	Name string `yaml:"name"`
	// Match finds it, its group is what is replaced; without, the name is found where
	// it is not a part of a longer one.
	Match string `yaml:"match"`
	// For are the components in whose remedies it stands for this, In how these are
	// run; empty for all.
	For []ComponentID `yaml:"for"`
	In  []Deployment  `yaml:"in"`
	// Facts are those that may stand in its place, as kind/name, the best first; with
	// ":dir" behind it the folder. A domain is a host that is no address.
	Facts []string `yaml:"facts"`
	// Usual stands in its place where nothing is known, without a word.
	Usual string `yaml:"usual"`
	// Text says what to put in its place.
	Text Text `yaml:"text"`
}

// Fill puts what the facts tell in place of the names in steps for a program, of which
// those are left out that do not fit it.
func (c *Catalogue) Fill(steps []Step, p Program, facts ...Fact) []Step {
	component := c.Component(p.Component)
	if component == nil {
		return c.filled(steps, p, facts)
	}
	fitting, _ := chosen(c.acted(steps), p.Component, cmp.Or(component.Only, p.Deployment, component.In), false)
	return c.filled(fitting, p, facts)
}

// filled puts what is known in place of the names in steps.
func (c *Catalogue) filled(steps []Step, p Program, facts []Fact) []Step {
	list := make([]Step, 0, len(steps))
	for _, step := range steps {
		list = append(list, c.fill(step, p, facts))
	}
	return list
}

func (c *Catalogue) fill(step Step, p Program, facts []Fact) Step {
	of := p.Component
	if of == ComponentService {
		of = p.Reporter
	}
	filled := step
	for _, name := range c.namesIn(&step) {
		if !name.isFor(&step, of) || !name.isIn(&filled) { // no more, where a longer one was replaced
			continue
		}
		expr := name.expression()
		if value := cmp.Or(name.value(facts, of, p.Deployment), name.Usual); value == "" || !filled.replace(expr, value) {
			filled.Left = append(filled.Left, name)
		}
	}
	filled.Command = placed(filled.Command, facts, of)
	return filled
}

// replace puts a value in place of a name in all of the step, or in nothing.
func (s *Step) replace(expr *regexp.Regexp, value string) bool {
	command, inCommand := replaced(s.Command, expr, value, true)
	config, inConfig := replaced(s.Config, expr, value, false)
	if !inCommand || !inConfig {
		return false
	}
	s.Command, s.Config = command, config
	s.Text.En, _ = replaced(s.Text.En, expr, value, false)
	s.Text.Zh, _ = replaced(s.Text.Zh, expr, value, false)
	return true
}

func (n *Name) isFor(s *Step, component ComponentID) bool {
	return (len(n.For) == 0 || slices.Contains(n.For, component)) &&
		(len(n.In) == 0 || len(s.In) > 0 && slices.ContainsFunc(s.In, func(in Deployment) bool { return slices.Contains(n.In, in) }))
}

// namesIn are the names that stand in a step as the catalogue has it. They are looked for
// once: the same few steps are filled for every incident.
func (c *Catalogue) namesIn(s *Step) []*Name {
	key := [2]string{s.Command, s.Config}
	c.made.mutex.Lock()
	defer c.made.mutex.Unlock()
	names, ok := c.made.named[key]
	if ok {
		return names
	}
	for _, name := range c.Names {
		if name.isIn(s) {
			names = append(names, name)
		}
	}
	if c.made.named == nil {
		c.made.named = make(map[[2]string][]*Name)
	}
	c.made.named[key] = names
	return names
}

func (n *Name) isIn(s *Step) bool {
	if n.Match == "" && !strings.Contains(s.Command, n.Name) && !strings.Contains(s.Config, n.Name) {
		return false // the quick answer for most
	}
	expr := n.expression()
	return expr.MatchString(s.Command) || expr.MatchString(s.Config)
}

func (n *Name) expression() *regexp.Regexp {
	text := n.Match
	if text == "" {
		text = `(?:^|[^\w./-])(` + regexp.QuoteMeta(n.Name) + `)(?:$|\.$|[^\w.-]|\.[^\w])`
	}
	return compiled(text)
}

// value is the fact in place of the name, empty where none is known or where several
// contradict.
func (n *Name) value(facts []Fact, component ComponentID, where Deployment) string {
	list := n.Facts
	if where == DeployedBySystemd { // what the program says of its files is so for this machine
		for _, fact := range list {
			if inside := insides[fact]; inside != "" {
				list = append(slices.Clone(list), inside)
			}
		}
	}
	for _, wanted := range list {
		wanted, folder := strings.CutSuffix(wanted, ":dir")
		kind, key, _ := strings.Cut(wanted, "/")
		domain := kind == "domain"
		if domain {
			kind = string(FactHost)
		}
		value := the(facts, FactKind(kind), key, component)
		if _, err := netip.ParseAddr(value); domain && err == nil {
			continue
		}
		if path.IsAbs(n.Name) && !path.IsAbs(value) {
			continue // a script reads it in another folder
		}
		if value != "" && value != NoPort {
			if folder {
				return path.Dir(value)
			}
			return value
		}
	}
	return ""
}

// insides are what a program itself says of a file: within a container another path than
// on its host.
var insides = map[string]string{"path/certificate:dir": "path/inside:dir", "path/config": "path/configured"}

// the is the one fact of a kind and name, empty where there is none or more than one.
func the(facts []Fact, kind FactKind, name string, component ComponentID) string {
	found := ""
	for _, f := range facts {
		if f.Kind != kind || f.Name != name || f.Component != "" && f.Component != component {
			continue
		}
		if strings.HasPrefix(f.From, "--") {
			return f.Value // the user says so
		}
		if found != "" && found != f.Value {
			return ""
		}
		found = f.Value
	}
	return found
}

// placed names the compose file and the namespace, where they are known not to be the
// usual ones.
func placed(command string, facts []Fact, component ComponentID) string {
	for _, option := range []struct {
		kind          FactKind
		name          string
		program, flag string
		usual         []string
	}{
		{FactFile, "compose", "docker compose ", "-f ", []string{"docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"}},
		{FactNamespace, "namespace", "kubectl ", "-n ", []string{"default"}},
		{FactNamespace, "namespace", "cmctl ", "-n ", []string{"default"}},
	} {
		value := the(facts, option.kind, option.name, component)
		quoted, err := syntax.Quote(value, syntax.LangPOSIX)
		if value == "" || err != nil || slices.Contains(option.usual, value) || strings.Contains(command, option.program+option.flag) || strings.Contains(command, " -A ") {
			continue
		}
		command = strings.ReplaceAll(command, option.program, option.program+option.flag+quoted+" ")
	}
	return command
}

// replaced puts a value in place of the group of an expression. One that a shell has to
// have quoted is put only where the shell would read a plain word: there it is quoted.
func replaced(text string, expr *regexp.Regexp, value string, isCommand bool) (result string, ok bool) {
	quoted, err := syntax.Quote(value, syntax.LangPOSIX)
	if err != nil {
		return text, false
	}
	plain := func(int, int) bool { return true }
	if quoted != value {
		if !isCommand && expr.MatchString(text) {
			return text, false
		}
		plain = plainWords(text)
	}
	from := 0
	for _, at := range found(text, expr) {
		if !plain(at[0], at[1]) {
			return text, false
		}
		result += text[from:at[0]] + quoted
		from = at[1]
	}
	return result + text[from:], true
}

// found are the ranges of the group of an expression: what stands behind one may stand
// before the next.
func found(text string, expr *regexp.Regexp) (ranges [][2]int) {
	for from := 0; ; {
		at := expr.FindStringSubmatchIndex(text[from:])
		if at == nil {
			return ranges
		}
		ranges = append(ranges, [2]int{from + at[2], from + at[3]})
		from += at[3] - 1
	}
}

// plainWords tells of a range of a command whether it lies in a word, or in a part of one,
// that is neither quoted nor a part of a document.
func plainWords(command string) func(start, end int) bool {
	var ranges [][2]int
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(command), "")
	if err == nil {
		syntax.Walk(file, func(node syntax.Node) bool {
			switch node := node.(type) {
			case *syntax.Redirect:
				return node.Hdoc == nil
			case *syntax.CallExpr:
				for _, word := range node.Args {
					for _, part := range word.Parts {
						if lit, ok := part.(*syntax.Lit); ok {
							ranges = append(ranges, [2]int{int(lit.Pos().Offset()), int(lit.End().Offset())})
						}
					}
				}
			}
			return true
		})
	}
	return func(start, end int) bool {
		return slices.ContainsFunc(ranges, func(r [2]int) bool { return r[0] <= start && end <= r[1] })
	}
}
