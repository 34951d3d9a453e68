package report

import (
	"strings"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// Fact is a name of the user's own, with where it was learnt.
type Fact struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Component string `json:"component"`
	Value     string `json:"value"`
	From      string `json:"from"`
}

func factsOf(list []patterns.Fact) []Fact {
	facts := []Fact{}
	for _, f := range list {
		facts = append(facts, Fact{Kind: string(f.Kind), Name: f.Name, Component: string(f.Component), Value: f.Value, From: f.From})
	}
	return facts
}

// named are the names as they stand in a command.
func named(list []*patterns.Name) []string {
	var names []string
	for _, n := range list {
		names = append(names, n.Name)
	}
	return names
}

func (s *Step) verification() Verification {
	return Verification{Text: s.Text, Command: s.Command, Placeholders: s.Placeholders, left: s.left}
}

func (v *Verification) step() Step {
	return Step{Text: v.Text, Command: v.Command, Placeholders: v.Placeholders, left: v.left}
}

// replacing says in one line which names of the commands the user has to replace, but for
// those that were told already; empty for none.
func replacing(steps []Step, told map[string]bool, say *messages.Printer) string {
	var parts []string
	for _, step := range steps {
		for _, n := range step.left {
			if !told[n.Name] {
				told[n.Name] = true
				parts = append(parts, say.Say("replace.name", n.Name, n.Text.In(say.Lang)))
			}
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return say.Say("replace", strings.Join(parts, say.Say("replace.join")))
}
