package patterns

import (
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"wklog/parser"
	"wklog/patterns/internal/ranking"
	"wklog/patterns/internal/search"
)

// Lang is a language that texts for people exist in.
type Lang string

// The languages of the catalogue.
const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// Text is a text for people in every language of the catalogue.
type Text struct {
	En string `yaml:"en"`
	Zh string `yaml:"zh"`
}

// In returns the text in the language asked for, English for an unknown one.
func (t Text) In(lang Lang) string {
	if lang == Chinese {
		return t.Zh
	}
	return t.En
}

// Severity says how much a failure matters.
type Severity string

// Severities, from a broken service to what healthy servers print as well.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// Rank orders severities: 2 for error, 1 for warning, 0 for info, -1 for
// anything else.
func (s Severity) Rank() int {
	return slices.Index([]Severity{SeverityInfo, SeverityWarning, SeverityError}, s)
}

// Side says whose certificate or setup a pattern or a cause is about.
type Side string

// SideServer is the WuKongIM server that wrote the log, or the proxy in front
// of it; SideV3 is a server of version 3, which has no TLS of its own; SidePeer is
// the service that the server calls as a TLS client.
const (
	SideServer Side = "server"
	SideV3     Side = "v3"
	SidePeer   Side = "peer"
)

// Clause is one condition under which a pattern matches. Regex is searched in
// the record's subject; the other conditions are optional and must all hold.
type Clause struct {
	Regex  string            `yaml:"regex"`
	Kinds  []string          `yaml:"kinds"`
	Levels []string          `yaml:"levels"`
	States []string          `yaml:"states"`
	Fields map[string]string `yaml:"fields"`
	Stack  string            `yaml:"stack"`
	// Direction is that of the record's [parser.Record.Core]; empty for any.
	Direction parser.Direction `yaml:"direction"`
	// Literals are derived from Regex: every match holds at least one of them.
	// Nil means that it implies none.
	Literals []string `yaml:"-"`
	// whole is the one text that Regex matches, where it is no more than that.
	whole string
}

// Alert is a TLS alert by its number (RFC 8446 section 6); the zero value is
// none, since the number 0 is close_notify.
type Alert struct {
	Known  bool
	Number uint8
}

// UnmarshalYAML reads the number.
func (a *Alert) UnmarshalYAML(number *yaml.Node) error {
	if err := number.Decode(&a.Number); err != nil {
		return err
	}
	a.Known = true
	return nil
}

// CauseScore names a root cause by its ID and gives its probability as Score, from
// 0 to 1; Why is the reason where the score is stated and not measured.
type CauseScore = ranking.Score

// Pattern recognises one failure message.
type Pattern struct {
	ID      string `yaml:"id"`
	Title   Text   `yaml:"title"`
	Explain Text   `yaml:"explain"`
	// Codes are the numbers and constants by which programs tell the failure, Words
	// those by which people do: see [Understand].
	Codes    []string `yaml:"codes"`
	Words    []string `yaml:"words"`
	Severity Severity `yaml:"severity"`
	Category string   `yaml:"category"`
	// Reporter is who noticed the failure: server, client or network.
	Reporter string `yaml:"reporter"`
	// Phase of the connection or of the server's life, as in phases.
	Phase string   `yaml:"phase"`
	Side  Side     `yaml:"side"`
	Alert Alert    `yaml:"alert"`
	Match []Clause `yaml:"match"`
	// Measured says that the causes come from measured.json and not from
	// Causes.
	Measured bool `yaml:"measured"`
	// Probe says that no current client begins a connection in this way: a client
	// that fails so and in other ways as well is a scanner.
	Probe bool `yaml:"probe"`
	// Steady is the id of the pattern that such a failure is where it comes from a
	// private address at a steady rhythm: a health check. That pattern has no
	// conditions of its own.
	Steady     string       `yaml:"steady"`
	Causes     []CauseScore `yaml:"causes"`
	References []string     `yaml:"references"`
	Samples    []string     `yaml:"samples"`
	Misses     []string     `yaml:"misses"`
}

// Ignored is an entry that looks like a failure and is none.
type Ignored struct {
	ID string `yaml:"id"`
	// Context says that some clients end a connection so when they reject the
	// certificate: near failures it adds to the evidence.
	Context    bool     `yaml:"context"`
	Match      []Clause `yaml:"match"`
	Reason     Text     `yaml:"reason"`
	References []string `yaml:"references"`
	Samples    []string `yaml:"samples"`
	Misses     []string `yaml:"misses"`
}

// Step is one thing to do: Command is one command for a shell, Config is a snippet
// of configuration; both are language-neutral and may be empty. A command that acts
// says in Interrupts what it cuts off, overwrites or leaves alone.
//
// For are the components that it is for, In the ways in which they are run; empty for
// all. Do names an action of the catalogue whose steps stand in its place.
type Step struct {
	For        []ComponentID `yaml:"for"`
	In         []Deployment  `yaml:"in"`
	Do         string        `yaml:"do"`
	Text       Text          `yaml:"text"`
	Command    string        `yaml:"command"`
	Config     string        `yaml:"config"`
	Interrupts Text          `yaml:"interrupts"`
	// Left are the names in it that the user has to replace.
	Left []*Name `yaml:"-"`
}

// Says is the whole text of the step in a language.
func (s Step) Says(lang Lang) string {
	switch text, interrupts := s.Text.In(lang), s.Interrupts.In(lang); {
	case interrupts == "":
		return text
	case lang == Chinese:
		return text + interrupts
	default:
		return text + " " + interrupts
	}
}

// Advice explains a cause and says what to do.
type Advice struct {
	Title   Text   `yaml:"title"`
	Explain Text   `yaml:"explain"`
	Fixes   []Step `yaml:"fixes"`
	Verify  []Step `yaml:"verify"`
	// Others are fixes for other ways in which the program may be run.
	Others []Step `yaml:"-"`
}

// Action is what several causes want done: each program does it in its own way.
type Action struct {
	ID         string   `yaml:"id"`
	Steps      []Step   `yaml:"steps"`
	References []string `yaml:"references"`
}

// Guide is a page of advice: what to look at, in its order, with what each command must
// print.
type Guide struct {
	ID         string   `yaml:"id"`
	Title      Text     `yaml:"title"`
	Explain    Text     `yaml:"explain"`
	Words      []string `yaml:"words"`
	Steps      []Step   `yaml:"steps"`
	References []string `yaml:"references"`
}

// Cause is a root cause. Its own advice is for WuKongIM; Peer is that for a service
// which is called, V3 for a server of version 3, Proxy for the programs that end TLS in
// front of WuKongIM. What these leave out is as in the cause's own.
type Cause struct {
	ID       string `yaml:"id"`
	Category string `yaml:"category"`
	// Words are those by which people name the cause.
	Words      []string `yaml:"words"`
	Advice     `yaml:",inline"`
	Peer       *Advice  `yaml:"peer"`
	V3         *Advice  `yaml:"v3"`
	Proxy      *Advice  `yaml:"proxy"`
	References []string `yaml:"references"`
}

// Advices are all that a cause has, for whatever program.
func (c *Catalogue) Advices(cause *Cause) []Advice {
	var list []Advice
	for _, advice := range cause.advices() {
		whole := cause.over(advice)
		whole.Fixes, whole.Verify = c.acted(whole.Fixes), c.acted(whole.Verify)
		list = append(list, whole)
	}
	return list
}

// advices are the same as they stand in the catalogue.
func (c *Cause) advices() []*Advice {
	list := []*Advice{&c.Advice}
	for _, advice := range []*Advice{c.Peer, c.V3, c.Proxy} {
		if advice != nil {
			list = append(list, advice)
		}
	}
	return list
}

// State is a handshake state that the server prints with a failure.
type State struct {
	ID      string `yaml:"id"`
	TLS     string `yaml:"tls"`
	Explain Text   `yaml:"explain"`
}

// Symptom is what people see of a failure, or a code that several failures share:
// no record of a log, so that it has no expression.
type Symptom struct {
	ID         string       `yaml:"id"`
	Title      Text         `yaml:"title"`
	Explain    Text         `yaml:"explain"`
	Codes      []string     `yaml:"codes"`
	Words      []string     `yaml:"words"`
	Causes     []CauseScore `yaml:"causes"`
	References []string     `yaml:"references"`
}

// Watch is what an engine counts by itself: the lines that hold one of the literals.
type Watch struct {
	Reason string `yaml:"reason"`
	// Explain is the id of the pattern that explains it; Title stands where it may be of any.
	Explain  string   `yaml:"explain"`
	Title    Text     `yaml:"title"`
	Severity string   `yaml:"severity"` // of the alert
	Literals []string `yaml:"literals"`
}

// Catalogue is the whole knowledge: patterns, causes, states, symptoms and what is no
// failure. It may be used by many goroutines while none adds to it.
type Catalogue struct {
	Patterns []*Pattern  `yaml:"patterns"`
	Ignore   []*Ignored  `yaml:"ignore"`
	Stops    []*Stopping `yaml:"stops"`
	Echoes   []*Echo     `yaml:"echoes"`
	Causes   []*Cause    `yaml:"causes"`
	States   []*State    `yaml:"states"`
	Symptoms []*Symptom  `yaml:"symptoms"`
	// Components are the programs that failures are of, Actions what they do each in
	// its own way.
	Components []*Component `yaml:"components"`
	Actions    []*Action    `yaml:"actions"`
	// Guides are pages of advice that are of no single cause.
	Guides []*Guide `yaml:"guides"`
	// Names are those that commands use for what the user has under another name, Facts
	// the places in a log that tell these.
	Names []*Name       `yaml:"names"`
	Facts []*FactSource `yaml:"facts"`
	// StartMarks are in the lines that WuKongIM prints at its start.
	StartMarks []string `yaml:"start-marks"`
	// Absences are what a start does not list, and what that says.
	Absences []*Absence `yaml:"absences"`
	// Forms are those in which programs print the name of a failure, with %s in its
	// place: a name alone is looked for in each of them.
	Forms []string `yaml:"forms"`
	// Fillers are words of a question that name no failure.
	Fillers []string `yaml:"fillers"`
	// Anchors are the few literals that a line must hold one of to be looked
	// at; every pattern implies one.
	Anchors []string `yaml:"anchors"`
	// Pushes are the literals by which an engine is asked for lines, as [Catalogue.Pushed]
	// gives them, each of which begins where a word begins.
	Pushes []string `yaml:"pushed"`
	// PushesOfClients are those for what clients print.
	PushesOfClients []string `yaml:"pushed-by-clients"`
	// Watches are what an engine counts by itself.
	Watches []*Watch `yaml:"watches"`
	// Suspicious are regular expressions that plainly speak of a TLS failure:
	// a record that matches one and no pattern is counted as unclassified.
	Suspicious []Clause `yaml:"suspicious"`

	// derived are the anchors of patterns that imply none of the stated ones,
	// from their own expressions.
	derived []string
	// placements are how the anchors are searched for.
	placements map[string]search.Placement
	// unanchored says that a pattern implies no literal, so that every line
	// has to be looked at.
	unanchored bool

	// problems were met while files were read, places are where its entries stand
	// in them.
	problems Problems
	places   map[any]location
	made     made
}

// made is what was made of a catalogue, nil where it was not asked for since the
// catalogue changed.
type made struct {
	mutex    sync.Mutex
	matcher  *Matcher
	searches *searches
	index    *index
	// named are the names in a command and a configuration of the catalogue.
	named map[[2]string][]*Name
}

// change forgets what was made before.
func (m *made) change() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.matcher, m.searches, m.index, m.named = nil, nil, nil, nil
}

// derive finds the literals of what was added, and an anchor for what implies
// none of those that are known.
func (c *Catalogue) derive(more *Catalogue) {
	c.Anchors = slices.DeleteFunc(c.Anchors, func(anchor string) bool { return len(anchor) < search.Shortest })
	var all []string
	for _, clause := range c.clauses() {
		all = append(all, clause.Regex)
	}
	for _, clause := range more.clauses() {
		if _, ok := clause.compiles(); !ok {
			continue
		}
		clause.Literals, clause.whole = search.Required(clause.Regex, all), search.Whole(clause.Regex)
	}
	for _, clause := range more.searched() {
		anchors := c.allAnchors()
		literals := clause.literals(anchors)
		c.unanchored = c.unanchored || literals == nil
		for _, literal := range literals {
			if !slices.ContainsFunc(anchors, func(anchor string) bool { return strings.Contains(literal, anchor) }) {
				c.derived = append(c.derived, literal)
			}
		}
	}
	c.derived = notImplied(c.derived, c.allAnchors())
}

// notImplied sorts literals and leaves out those that hold another one of some:
// whatever holds them is found by that.
func notImplied(literals, by []string) []string {
	slices.Sort(literals)
	return slices.DeleteFunc(slices.Compact(literals), func(literal string) bool {
		return slices.ContainsFunc(by, func(other string) bool { return other != literal && strings.Contains(literal, other) })
	})
}

func (c *Catalogue) allAnchors() []string { return slices.Concat(c.Anchors, c.derived, parser.Anchors) }

// searched are the conditions for which a record must be looked at: what is
// ignored needs no search of its own, and what stops a server has its anchors.
func (c *Catalogue) searched() []*Clause {
	var all []*Clause
	for _, p := range c.Patterns {
		all = appendClauses(all, p.Match)
	}
	return appendClauses(all, c.Suspicious)
}

// clauses are all conditions of the catalogue.
func (c *Catalogue) clauses() []*Clause {
	all := c.searched()
	for _, ignored := range c.Ignore {
		all = appendClauses(all, ignored.Match)
	}
	for _, stop := range c.Stops {
		all = appendClauses(all, stop.Match)
	}
	for _, echo := range c.Echoes {
		all = appendClauses(all, echo.Match)
	}
	return all
}

func appendClauses(all []*Clause, more []Clause) []*Clause {
	for i := range more {
		all = append(all, &more[i])
	}
	return all
}

// Matcher returns the matcher of the catalogue as it is now. Problems of the files
// that were added are an error here as well.
func (c *Catalogue) Matcher() (*Matcher, error) {
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	c.made.mutex.Lock()
	defer c.made.mutex.Unlock()
	if c.made.matcher == nil {
		c.made.matcher = newMatcher(c)
	}
	return c.made.matcher, nil
}

// searches are those for what the catalogue knows as it is now.
func (c *Catalogue) searches() *searches {
	c.made.mutex.Lock()
	defer c.made.mutex.Unlock()
	if c.made.searches == nil {
		if c.placements == nil {
			c.placements = map[string]search.Placement{}
		}
		c.made.searches = newSearches(c)
	}
	return c.made.searches
}

// Pattern returns the pattern with the id, nil when there is none.
func (c *Catalogue) Pattern(id string) *Pattern {
	return find(c.Patterns, func(p *Pattern) bool { return p.ID == id })
}

// Cause returns the root cause with the id, nil when there is none.
func (c *Catalogue) Cause(id string) *Cause {
	return find(c.Causes, func(p *Cause) bool { return p.ID == id })
}

// Symptom returns the symptom with the id, nil when there is none.
func (c *Catalogue) Symptom(id string) *Symptom {
	return find(c.Symptoms, func(s *Symptom) bool { return s.ID == id })
}

// Guide returns the page of advice with the id, nil when there is none.
func (c *Catalogue) Guide(id string) *Guide {
	return find(c.Guides, func(g *Guide) bool { return g.ID == id })
}

// State returns the handshake state, nil when it is unknown. The prefix
// handshakeStatus may be left out.
func (c *Catalogue) State(id string) *State {
	id = strings.TrimPrefix(id, statePrefix)
	return find(c.States, func(s *State) bool { return strings.TrimPrefix(s.ID, statePrefix) == id })
}

const statePrefix = "handshakeStatus"

func find[T any](list []*T, is func(*T) bool) *T {
	for _, item := range list {
		if is(item) {
			return item
		}
	}
	return nil
}
