package patterns

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"wklog/patterns/internal/search"
)

// Problem is something wrong in a catalogue. Kind is a stable key: what is wrong with
// a file (not-yaml, not-utf8, several-documents, unknown-field, repeated-field,
// bad-value, empty-entry, repeated-id, bad-regex, short-anchor), or what [Lint] found:
// bad-id, no-id, no-title, no-explain, no-reason, no-match, no-regex, no-literal,
// bad-kind, bad-direction, bad-steady, bad-as, unknown-state, bad-severity, bad-category,
// bad-reporter, bad-phase, bad-side, bad-tls, no-causes, no-words, bad-score,
// unknown-cause, no-sample, no-reference,
// sample-missed, sample-taken, miss-matched, no-fixes, no-verify, bad-command,
// many-commands, no-interrupts, verify-acts, no-lines, unknown-action,
// unknown-component, unknown-deployment, no-remedy, foreign-command, bad-name, bad-fact.
type Problem struct {
	// File and Line, from 1, are where it stands; empty for the embedded catalogue.
	File string
	Line int
	// ID is that of the entry, empty where there is none.
	ID      string
	Kind    string
	Detail  string
	Warning bool
}

// String names the problem by its kind: the words for people are the caller's.
func (p Problem) String() string {
	text := p.Kind
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	if p.ID != "" {
		text = p.ID + ": " + text
	}
	return p.At() + text
}

// At writes where the problem stands as compilers do, with a blank behind it, empty
// for no file.
func (p Problem) At() string { return location{p.File, p.Line}.String() }

// Problems is the error of a file that is no catalogue or not quite one.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// Unreadable tells whether a file is no YAML, so that nothing can be said of its
// entries.
func (p Problems) Unreadable() bool {
	return slices.ContainsFunc(p, func(p Problem) bool { return p.Kind == "not-yaml" || p.Kind == "not-utf8" })
}

// location is where an entry stands in a file.
type location struct {
	file string
	line int
}

func (l location) String() string {
	switch {
	case l.file == "":
		return ""
	case l.line == 0:
		return l.file + ": "
	}
	return fmt.Sprintf("%s:%d: ", l.file, l.line)
}

// Parse reads the YAML files of a folder as one catalogue, in the order of their
// names.
func Parse(folder fs.FS) (*Catalogue, error) {
	names, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the catalogue: %w", err)
	}
	c := &Catalogue{}
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("read the catalogue: %w", err)
		}
		c.merge(read(name, data))
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	c.derive(c)
	c.searches() // places the anchors
	c.places = nil
	return c, nil
}

// Add reads one YAML file into the catalogue; the name stands in errors only. What is
// wrong with it is told by [Problems]: an id that is already there, a field that the
// catalogue does not know, an expression that does not compile. What is right was
// added then as well, for [Lint] to look at, but the catalogue has no matcher any more.
func (c *Catalogue) Add(name string, data []byte) error {
	more := read(name, data)
	before := len(c.problems)
	c.merge(more)
	c.derive(more)
	if found := c.problems[before:]; len(found) > 0 {
		slices.SortStableFunc(found, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
		return found
	}
	return nil
}

// read reads one file. A file with values of the wrong kind gives problems alone.
func read(name string, data []byte) *Catalogue {
	c := &Catalogue{places: map[any]location{}}
	fail := func(kind string, line int) *Catalogue {
		return &Catalogue{problems: Problems{{File: name, Line: line, Kind: kind}}}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return c
	}
	if err == nil {
		if decoder.Decode(&second) == nil {
			return fail("several-documents", second.Content[0].Line)
		}
		err = document.Load(c, yaml.WithKnownFields())
	}
	var values *yaml.LoadErrors
	switch {
	case errors.As(err, &values):
		return &Catalogue{problems: valueProblems(name, &document, values)}
	case err != nil && !utf8.Valid(data):
		return fail("not-utf8", bytes.Count(data[:firstInvalid(data)], []byte{'\n'})+1)
	case err != nil:
		return fail("not-yaml", lineOf(err))
	}
	c.locate(name, document.Content[0])
	return c
}

// firstInvalid is the index of the first byte that is not UTF-8.
func firstInvalid(data []byte) int {
	at := 0
	for {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
}

var lineNumber = regexp.MustCompile(`line (\d+)`)

// lineOf is the line that an error of the YAML library names last, 0 for none.
func lineOf(err error) int {
	found := lineNumber.FindAllStringSubmatch(err.Error(), -1)
	if found == nil {
		return 0
	}
	line, _ := strconv.Atoi(found[len(found)-1][1])
	return line
}

// valueForms are what the YAML library says of values that do not fit.
var valueForms = []struct {
	kind string
	form *regexp.Regexp
}{
	{"unknown-field", regexp.MustCompile(`^field (.+) not found in type `)},
	{"repeated-field", regexp.MustCompile(`^mapping key "(.*)" already defined`)},
	{"bad-value", regexp.MustCompile("(?s)^[^`]*(?:`(.*)`)?")},
}

func valueProblems(name string, document *yaml.Node, values *yaml.LoadErrors) Problems {
	var problems Problems
	for _, e := range values.Errors {
		p := Problem{File: name, Line: e.Line, ID: idAt(document.Content[0], e)}
		for _, value := range valueForms {
			if m := value.form.FindStringSubmatch(e.Err.Error()); m != nil {
				p.Kind, p.Detail = value.kind, m[1]
				break
			}
		}
		problems = append(problems, p)
	}
	return problems
}

// idAt is the id of the entry that an error lies in.
func idAt(root *yaml.Node, e *yaml.LoadError) string {
	id := ""
	before := func(n *yaml.Node) bool {
		return cmp.Or(cmp.Compare(n.Line, e.Line), cmp.Compare(n.Column, e.Column)) <= 0
	}
	for i := 0; i+1 < len(root.Content) && before(root.Content[i]); i += 2 {
		id = ""
		for _, entry := range root.Content[i+1].Content {
			if before(entry) {
				id = member(entry, "id").Value
			}
		}
	}
	return id
}

// member is the value of a key, empty where there is none.
func member(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content) && mapping.Kind == yaml.MappingNode; i += 2 {
		if mapping.Content[i].Value == key {
			return dereference(mapping.Content[i+1])
		}
	}
	return &yaml.Node{}
}

func dereference(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// locate notes where the entries stand, and leaves out empty ones and expressions
// that do not compile.
func (c *Catalogue) locate(name string, root *yaml.Node) {
	c.Patterns = locateEntries(c, name, member(root, "patterns"), c.Patterns, func(p *Pattern, node *yaml.Node) {
		locateValues(c, name, member(node, "match"), p.Match)
		locateValues(c, name, member(node, "samples"), p.Samples)
		locateValues(c, name, member(node, "misses"), p.Misses)
		c.compile(p, p.ID, p.Match)
	})
	c.Ignore = locateEntries(c, name, member(root, "ignore"), c.Ignore, func(i *Ignored, node *yaml.Node) {
		locateValues(c, name, member(node, "match"), i.Match)
		locateValues(c, name, member(node, "samples"), i.Samples)
		locateValues(c, name, member(node, "misses"), i.Misses)
		c.compile(i, i.ID, i.Match)
	})
	c.Stops = locateEntries(c, name, member(root, "stops"), c.Stops, func(stop *Stopping, node *yaml.Node) {
		locateValues(c, name, member(node, "match"), stop.Match)
		locateValues(c, name, member(node, "samples"), stop.Samples)
		locateValues(c, name, member(node, "misses"), stop.Misses)
		c.compile(stop, stop.ID, stop.Match)
	})
	c.Echoes = locateEntries(c, name, member(root, "echoes"), c.Echoes, func(echo *Echo, node *yaml.Node) {
		locateValues(c, name, member(node, "match"), echo.Match)
		locateValues(c, name, member(node, "samples"), echo.Samples)
		locateValues(c, name, member(node, "misses"), echo.Misses)
		c.compile(echo, echo.ID, append(slices.Clone(echo.Match), Clause{Regex: echo.Of}))
	})
	c.Causes = locateEntries(c, name, member(root, "causes"), c.Causes, func(cause *Cause, node *yaml.Node) {
		locateSteps(c, name, node, &cause.Advice)
		if cause.Peer != nil {
			locateSteps(c, name, member(node, "peer"), cause.Peer)
		}
		if cause.V3 != nil {
			locateSteps(c, name, member(node, "v3"), cause.V3)
		}
		if cause.Proxy != nil {
			locateSteps(c, name, member(node, "proxy"), cause.Proxy)
		}
	})
	c.States = locateEntries(c, name, member(root, "states"), c.States, func(*State, *yaml.Node) {})
	c.Symptoms = locateEntries(c, name, member(root, "symptoms"), c.Symptoms, func(*Symptom, *yaml.Node) {})
	c.Components = locateEntries(c, name, member(root, "components"), c.Components, func(*Component, *yaml.Node) {})
	c.Facts = locateEntries(c, name, member(root, "facts"), c.Facts, func(*FactSource, *yaml.Node) {})
	c.Absences = locateEntries(c, name, member(root, "absences"), c.Absences, func(*Absence, *yaml.Node) {})
	c.Names = locateEntries(c, name, member(root, "names"), c.Names, func(*Name, *yaml.Node) {})
	c.Actions = locateEntries(c, name, member(root, "actions"), c.Actions, func(a *Action, node *yaml.Node) {
		locateValues(c, name, member(node, "steps"), a.Steps)
	})
	c.Guides = locateEntries(c, name, member(root, "guides"), c.Guides, func(g *Guide, node *yaml.Node) {
		locateValues(c, name, member(node, "steps"), g.Steps)
	})
	locateValues(c, name, member(root, "suspicious"), c.Suspicious)
	c.compile(nil, "", c.Suspicious)
	c.locateAnchors(name, member(root, "anchors"), c.Anchors)
	c.locateAnchors(name, member(root, "pushed"), c.Pushes)
	c.locateAnchors(name, member(root, "pushed-by-clients"), c.PushesOfClients)
}

func (c *Catalogue) locateAnchors(name string, list *yaml.Node, anchors []string) {
	locateValues(c, name, list, anchors)
	for i := range anchors {
		if len(anchors[i]) < search.Shortest {
			c.report(&anchors[i], nil, Problem{Kind: "short-anchor", Detail: anchors[i]})
		}
	}
}

func locateEntries[T any](c *Catalogue, name string, list *yaml.Node, entries []*T, also func(*T, *yaml.Node)) []*T {
	for i, entry := range entries {
		node := &yaml.Node{}
		if i < len(list.Content) {
			node = dereference(list.Content[i])
		}
		if entry == nil {
			c.problems = append(c.problems, Problem{File: name, Line: node.Line, Kind: "empty-entry"})
			continue
		}
		c.places[entry] = location{name, node.Line}
		also(entry, node)
	}
	return slices.DeleteFunc(entries, func(entry *T) bool { return entry == nil })
}

func locateValues[T any](c *Catalogue, name string, list *yaml.Node, values []T) {
	for i := range min(len(list.Content), len(values)) {
		c.places[&values[i]] = location{name, list.Content[i].Line}
	}
}

func locateSteps(c *Catalogue, name string, advice *yaml.Node, a *Advice) {
	locateValues(c, name, member(advice, "fixes"), a.Fixes)
	locateValues(c, name, member(advice, "verify"), a.Verify)
}

// compile reports the clauses of an entry that are no regular expressions.
func (c *Catalogue) compile(entry any, id string, clauses []Clause) {
	for i := range clauses {
		if expr, ok := clauses[i].compiles(); !ok {
			c.report(&clauses[i], entry, Problem{ID: id, Kind: "bad-regex", Detail: expr})
		}
	}
}

// at is where a part of an entry stands, or else where the entry does: a part that
// was merged into it by YAML has no place.
func (c *Catalogue) at(part any, entry location) location {
	if at, ok := c.places[part]; ok {
		return at
	}
	return entry
}

// report notes a problem at the place of a part of an entry.
func (c *Catalogue) report(part, entry any, p Problem) {
	at := c.at(part, c.places[entry])
	p.File, p.Line = at.file, at.line
	c.problems = append(c.problems, p)
}

// merge adds what another catalogue holds, but for the ids that are here already.
func (c *Catalogue) merge(more *Catalogue) {
	c.made.change()
	c.problems = append(c.problems, more.problems...)
	if c.places == nil {
		c.places = map[any]location{}
	}
	for part, at := range more.places {
		c.places[part] = at
	}
	for _, p := range more.Patterns {
		p.Side = cmp.Or(p.Side, SideServer)
	}
	c.Patterns = mergeEntries(c, c.Patterns, more.Patterns, func(p *Pattern) string { return p.ID })
	c.Ignore = mergeEntries(c, c.Ignore, more.Ignore, func(i *Ignored) string { return i.ID })
	c.Stops = mergeEntries(c, c.Stops, more.Stops, func(s *Stopping) string { return s.ID })
	c.Echoes = mergeEntries(c, c.Echoes, more.Echoes, func(e *Echo) string { return e.ID })
	c.Causes = mergeEntries(c, c.Causes, more.Causes, func(cause *Cause) string { return cause.ID })
	c.States = mergeEntries(c, c.States, more.States, func(s *State) string { return s.ID })
	c.Symptoms = mergeEntries(c, c.Symptoms, more.Symptoms, func(s *Symptom) string { return s.ID })
	c.Components = mergeEntries(c, c.Components, more.Components, func(component *Component) string { return string(component.ID) })
	c.Actions = mergeEntries(c, c.Actions, more.Actions, func(a *Action) string { return a.ID })
	c.Guides = mergeEntries(c, c.Guides, more.Guides, func(g *Guide) string { return g.ID })
	c.Facts = mergeEntries(c, c.Facts, more.Facts, func(f *FactSource) string { return f.ID })
	c.StartMarks = append(c.StartMarks, more.StartMarks...)
	c.Absences = mergeEntries(c, c.Absences, more.Absences, func(a *Absence) string { return a.ID })
	c.Names = append(c.Names, more.Names...)
	c.Forms = append(c.Forms, more.Forms...)
	c.Fillers = append(c.Fillers, more.Fillers...)
	c.Anchors = append(c.Anchors, more.Anchors...)
	c.Pushes = append(c.Pushes, more.Pushes...)
	c.PushesOfClients = append(c.PushesOfClients, more.PushesOfClients...)
	c.Watches = append(c.Watches, more.Watches...)
	c.Suspicious = append(c.Suspicious, more.Suspicious...)
}

func mergeEntries[T any](c *Catalogue, entries, more []*T, id func(*T) string) []*T {
	for _, entry := range more {
		earlier := find(entries, func(e *T) bool {
			return strings.TrimPrefix(id(e), statePrefix) == strings.TrimPrefix(id(entry), statePrefix)
		})
		if earlier == nil || id(entry) == "" {
			entries = append(entries, entry)
			continue
		}
		at := c.places[earlier]
		c.report(entry, nil, Problem{ID: id(entry), Kind: "repeated-id", Detail: strings.TrimSuffix(at.String(), ": ")})
	}
	return entries
}
