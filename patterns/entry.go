package patterns

import (
	"fmt"
	"strings"
)

// Entry is one thing that the catalogue explains: one of its fields is set, none in
// the zero value.
type Entry struct {
	Pattern *Pattern
	Cause   *Cause
	State   *State
	Symptom *Symptom
	Guide   *Guide
}

// Known tells whether it is an entry at all.
func (e Entry) Known() bool { return e != Entry{} }

// ID is that of the entry, empty for none.
func (e Entry) ID() string {
	switch {
	case e.Pattern != nil:
		return e.Pattern.ID
	case e.Cause != nil:
		return e.Cause.ID
	case e.State != nil:
		return e.State.ID
	case e.Symptom != nil:
		return e.Symptom.ID
	case e.Guide != nil:
		return e.Guide.ID
	}
	return ""
}

// Title is that of the entry; a handshake state is called by its id.
func (e Entry) Title() Text {
	switch {
	case e.Pattern != nil:
		return e.Pattern.Title
	case e.Cause != nil:
		return e.Cause.Title
	case e.Symptom != nil:
		return e.Symptom.Title
	case e.Guide != nil:
		return e.Guide.Title
	}
	return Text{En: e.ID(), Zh: e.ID()}
}

func (e Entry) explain() Text {
	switch {
	case e.Pattern != nil:
		return e.Pattern.Explain
	case e.Cause != nil:
		return e.Cause.Explain
	case e.State != nil:
		return e.State.Explain
	case e.Symptom != nil:
		return e.Symptom.Explain
	case e.Guide != nil:
		return e.Guide.Explain
	}
	return Text{}
}

// RankCauses gives the causes behind the entry, most probable first.
func (e Entry) RankCauses() ([]CauseScore, error) {
	switch {
	case e.Pattern != nil:
		return e.Pattern.RankCauses()
	case e.Cause != nil:
		return []CauseScore{{ID: e.Cause.ID, Score: 1}}, nil
	case e.State != nil:
		return e.State.RankCauses()
	case e.Symptom != nil:
		return e.Symptom.Causes, nil
	}
	return nil, nil
}

// entries are all that can be explained: what is named the same is found in this
// order.
func (c *Catalogue) entries() []Entry {
	var all []Entry
	for _, cause := range c.Causes {
		all = append(all, Entry{Cause: cause})
	}
	for _, s := range c.Symptoms {
		all = append(all, Entry{Symptom: s})
	}
	for _, g := range c.Guides {
		all = append(all, Entry{Guide: g})
	}
	for _, p := range c.Patterns {
		all = append(all, Entry{Pattern: p})
	}
	for _, s := range c.States {
		all = append(all, Entry{State: s})
	}
	return all
}

func (e Entry) codes() []string {
	switch {
	case e.Pattern != nil:
		return e.Pattern.Codes
	case e.Symptom != nil:
		return e.Symptom.Codes
	}
	return nil
}

func (e Entry) words() []string {
	switch {
	case e.Pattern != nil:
		return e.Pattern.Words
	case e.Cause != nil:
		return e.Cause.Words
	case e.Symptom != nil:
		return e.Symptom.Words
	case e.Guide != nil:
		return e.Guide.Words
	}
	return nil
}

// alertNames are how a TLS alert is called by its number.
var alertNames = []string{"%d", "alert %d", "告警 %d", "警报 %d"}

// alertCodes are the names of the alert that the entry is about: its numbers, and how
// Go calls it.
func (e Entry) alertCodes() []string {
	if e.Pattern == nil || !e.Pattern.Alert.Known {
		return nil
	}
	var codes []string
	for _, name := range alertNames {
		codes = append(codes, fmt.Sprintf(name, e.Pattern.Alert.Number))
	}
	if name := e.Pattern.Alert.name(); !strings.HasPrefix(name, "alert(") {
		codes = append(codes, name)
	}
	return codes
}
