package patterns

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"wklog/parser"
)

// FactKind is what a name names.
type FactKind string

// The kinds of facts. A secret is one of Kubernetes that holds certificate and key.
const (
	FactHost      FactKind = "host"
	FactPort      FactKind = "port"
	FactPath      FactKind = "path"
	FactContainer FactKind = "container"
	FactService   FactKind = "service"
	FactNamespace FactKind = "namespace"
	FactPod       FactKind = "pod"
	FactUnit      FactKind = "unit"
	FactFile      FactKind = "file"
	FactSecret    FactKind = "secret"
)

// Fact is a name of the user's own. Name says what it names: with the kind it is the key
// by which the catalogue's names ask for it.
type Fact struct {
	Kind FactKind
	Name string
	// Component is the program that it is of, empty where it is the same for all.
	Component ComponentID
	Value     string
	// From is where it was learnt: a flag, or a log and its line.
	From string
}

// NoPort is the value of a port on which nothing listens.
const NoPort = "0"

// FactSource is a place in a log that tells facts: the groups of the expression are named
// kind_name. It is searched in the record's text, or in the value of a field.
type FactSource struct {
	ID    string `yaml:"id"`
	Regex string `yaml:"regex"`
	Field string `yaml:"field"`
	// Kinds are those of the records, Patterns is an expression of the failures' ids;
	// empty for all.
	Kinds    []string `yaml:"kinds"`
	Patterns string   `yaml:"patterns"`
	// Start says that it stands in what a program prints when it starts, which is no
	// failure.
	Start bool `yaml:"start"`
	// Component is the program that the facts are of, where it is not the reporter;
	// "any" for all.
	Component  ComponentID `yaml:"component"`
	References []string    `yaml:"references"`
	// Samples are records with the facts that they tell, as kind/name=value.
	Samples []FactSample `yaml:"samples"`
}

// FactSample is a record and the facts that it tells.
type FactSample struct {
	Text  string   `yaml:"text"`
	Tells []string `yaml:"tells"`
}

// facts collects those of an input.
type facts struct {
	catalogue *Catalogue
	found     []metFact
	asked     map[*Pattern]map[string]int
	// concealed tells of a value that it is not to be shown, nil for none.
	concealed func(value string) bool
	// starts are those that were seen to begin.
	starts map[startKey]*begun
}

// metFact is a fact with how often it was met.
type metFact struct {
	Fact
	count int
}

const (
	// maxAsked is how many failures of a kind are asked in each log: those that come
	// later name the same.
	maxAsked = 64
	// maxFacts bounds how many are told apart.
	maxFacts = 200
)

func newFacts(c *Catalogue) facts {
	return facts{catalogue: c, asked: map[*Pattern]map[string]int{}, starts: map[startKey]*begun{}}
}

// ofStart takes what a program says at its start.
func (f *facts) ofStart(source string, rec *parser.Record) {
	if !slices.ContainsFunc(f.catalogue.StartMarks, func(mark string) bool { return strings.Contains(rec.Text, mark) }) {
		return
	}
	f.watch(source, rec)
	for _, s := range f.catalogue.Facts {
		if s.Start {
			f.ask(s, source, rec, Program{Component: ComponentWuKongIM, Reporter: ComponentWuKongIM})
		}
	}
}

// ofFailure takes what a failure names.
func (f *facts) ofFailure(e *Event) {
	if f.asked[e.Pattern] == nil {
		f.asked[e.Pattern] = map[string]int{}
	}
	if f.asked[e.Pattern][e.Source] >= maxAsked {
		return
	}
	f.asked[e.Pattern][e.Source]++
	f.ofOrigin(e)
	for _, s := range f.catalogue.Facts {
		if !s.Start && s.fits(e) {
			f.ask(s, e.Source, e.Record, e.Program)
		}
	}
}

func (s *FactSource) fits(e *Event) bool {
	return (s.Kinds == nil || slices.Contains(s.Kinds, string(e.Record.Kind))) && isIn(e.Pattern.ID, s.Patterns)
}

func (f *facts) ask(s *FactSource, source string, rec *parser.Record, by Program) {
	text := rec.Text
	if s.Field != "" {
		if text = rec.Fields[s.Field]; text == "" {
			return
		}
	}
	expr := compiled(s.Regex)
	match := expr.FindStringSubmatch(text)
	for i, group := range expr.SubexpNames() {
		if match == nil || i == 0 || match[i] == "" || group == "" {
			continue
		}
		kind, name, _ := strings.Cut(group, "_")
		of := cmp.Or(s.Component, by.Reporter)
		if of == "any" {
			of = ""
		}
		f.add(Fact{Kind: FactKind(kind), Name: name, Component: of, Value: match[i], From: whence(source, rec)})
	}
}

func whence(source string, rec *parser.Record) string {
	if rec.Line == 0 {
		return source
	}
	return fmt.Sprintf("%s:%d", source, rec.Line)
}

// ofOrigin takes what the wrapper of a record names.
func (f *facts) ofOrigin(e *Event) {
	rec := e.Record
	told := func(kind FactKind, name, value string) {
		f.add(Fact{Kind: kind, Name: name, Component: e.Program.Reporter, Value: value, From: whence(e.Source, rec)})
	}
	switch rec.Wrapper {
	case parser.WrapperCompose:
		service, container := composeNames(rec.Origin)
		told(FactService, "compose", service)
		told(FactContainer, "container", container)
	case parser.WrapperJournald, parser.WrapperSyslog:
		if at := strings.LastIndexByte(rec.Origin, ' '); at >= 0 {
			ident, _, _ := strings.Cut(rec.Origin[at+1:], "[")
			told(FactUnit, "unit", strings.TrimSuffix(ident, ".service"))
		}
	}
	if namespace, pod, ok := podOf(rec); ok {
		told(FactNamespace, "namespace", namespace)
		told(FactPod, "pod", pod)
		told(FactPod, "workload", workload(pod))
	}
}

// podOf is the pod that wrote a record, with its namespace where that is known.
func podOf(rec *parser.Record) (namespace, pod string, ok bool) {
	namespace, pod, ok = strings.Cut(rec.Node, "/")
	if !ok && rec.Wrapper == parser.WrapperKubectl {
		return "", rec.Node, rec.Node != ""
	}
	return namespace, pod, ok
}

var (
	replica    = lazily(`^(.+)[-_]\d+$`)
	ofSet      = lazily(`^(.+)-\d+$`)
	ofReplicas = lazily(`^(.+)-[a-z0-9]{6,10}-[a-z0-9]{5}$`)
)

// composeNames tells from what compose puts before a line: the service with the number of
// its container, or the name of a container that has one of its own.
func composeNames(origin string) (service, container string) {
	if m := replica().FindStringSubmatch(origin); m != nil {
		return m[1], ""
	}
	return "", origin
}

// workload is what a pod is one of: a StatefulSet numbers its pods, a Deployment names
// them by chance.
func workload(pod string) string {
	if m := ofReplicas().FindStringSubmatch(pod); m != nil {
		return "deployment/" + m[1]
	}
	if m := ofSet().FindStringSubmatch(pod); m != nil {
		return "statefulset/" + m[1]
	}
	return ""
}

// takes tells whether a fact has the shape of its kind, and is none to conceal.
func (f *facts) takes(fact Fact) bool {
	return fact.Kind.Fits(fact.Value) && (f.concealed == nil || !f.concealed(fact.Value))
}

// Conceal sets what tells of a value, such as a password in a path, that no command may
// hold it.
func (a *Analyzer) Conceal(concealed func(value string) bool) { a.facts.concealed = concealed }

// add counts a fact that may be one.
func (f *facts) add(fact Fact) {
	if !f.takes(fact) {
		return
	}
	for i := range f.found {
		if known := &f.found[i]; known.Kind == fact.Kind && known.Name == fact.Name && known.Component == fact.Component && known.Value == fact.Value {
			known.count++
			return
		}
	}
	if len(f.found) < maxFacts {
		f.found = append(f.found, metFact{fact, 1})
	}
}

// list are the names that were learnt, in the order in which they were.
func (f *facts) list() []Fact {
	var list []Fact
	for _, known := range f.found {
		list = append(list, known.Fact)
	}
	return list
}

// Know takes facts that are known otherwise, such as from flags: they count before those
// of logs.
func (a *Analyzer) Know(list ...Fact) {
	for _, fact := range slices.Backward(list) {
		if a.facts.takes(fact) {
			a.facts.found = slices.Insert(a.facts.found, 0, metFact{fact, 1})
		}
	}
}

var (
	hostShape = lazily(`^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$`)
	nameShape = lazily(`^[A-Za-z0-9][A-Za-z0-9_.@-]*$`)
	podShape  = lazily(`^(?:(?:deployment|statefulset)/)?[a-z0-9][a-z0-9.-]*$`)
	pathShape = lazily(`^(?:/|\./|[A-Za-z0-9])[A-Za-z0-9\p{Han}/._+@=, -]*[A-Za-z0-9\p{Han}/_]$`)
)

// longest is how long a value may be: a name in the DNS (RFC 1035), and any other.
const longest = 253

// Fits tells whether a value has the shape of what it is to name: nothing else goes into a
// command. What an attacker writes into a log may be anything.
func (k FactKind) Fits(value string) bool {
	if len(value) > longest {
		return false
	}
	switch k {
	case FactHost:
		if _, err := netip.ParseAddr(value); err == nil {
			return !strings.ContainsRune(value, '%')
		}
		return hostShape().MatchString(value)
	case FactPort:
		port, err := strconv.Atoi(value)
		return err == nil && strconv.Itoa(port) == value && port >= 0 && port < 1<<16
	case FactPath, FactFile:
		return pathShape().MatchString(value) && !strings.ContainsFunc(value, unicode.IsControl) && !slices.Contains(strings.Split(value, "/"), "..")
	case FactPod:
		return podShape().MatchString(value)
	case FactContainer, FactService, FactNamespace, FactUnit, FactSecret:
		return nameShape().MatchString(value)
	}
	return false
}
