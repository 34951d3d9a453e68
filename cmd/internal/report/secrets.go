package report

import (
	"maps"
	"slices"
	"strings"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/secrets"
	"wklog/patterns"
)

// WithoutSecrets hides keys, passwords and tokens from sinks: nobody has to ask for
// it, and no form can forget it.
func WithoutSecrets(sinks Sinks) Sinks {
	if len(sinks) == 0 {
		return sinks
	}
	return Sinks{hiding{sinks}}
}

type hiding struct{ Sinks }

func (s hiding) Event(e *patterns.Event) error { return s.Sinks.Event(eventWithoutSecrets(e)) }

func (s hiding) Stop(stop *patterns.Stop) error {
	shown := *stop
	shown.Source, shown.Reason = secrets.Hide(stop.Source), secrets.Hide(stop.Reason)
	return s.Sinks.Stop(&shown)
}

// eventWithoutSecrets gives the event itself where it has none, else a copy.
func eventWithoutSecrets(e *patterns.Event) *patterns.Event {
	text := secrets.Hide(e.Record.Text)
	// Most parts of a record are as they stand in its text.
	hide := func(part string) string {
		if text == e.Record.Text && strings.Contains(text, part) {
			return part
		}
		return secrets.Hide(part)
	}
	record := *e.Record
	record.Text, record.Message, record.Error, record.Remote = text, hide(record.Message), hide(record.Error), hide(record.Remote)
	record.Stack, record.Logger, record.State, record.Level = hide(record.Stack), hide(record.Logger), hide(record.State), hide(record.Level)
	if text != e.Record.Text {
		record.Fields = maps.Clone(record.Fields)
		for name, value := range record.Fields {
			record.Fields[name] = secrets.Field(name, value)
		}
	}
	shown := *e
	shown.Source, shown.Record = secrets.Hide(e.Source), &record
	return &shown
}

// HideSecrets hides keys, passwords and tokens in everything that comes from the
// logs, their names, the command line and an earlier report.
func (d *Document) HideSecrets() {
	for i := range d.Inputs {
		hideIn(&d.Inputs[i].Name, &d.Inputs[i].Error)
	}
	for i := range d.Errors {
		hideIn(&d.Errors[i].Source, &d.Errors[i].Message)
	}
	for _, list := range [][]Finding{d.Findings, d.Gone} {
		for i := range list {
			list[i].Sources = hidden(list[i].Sources)
			hideInSamples(list[i].Samples)
		}
	}
	hideInSamples(d.Unclassified)
	for i := range d.Stops {
		hideIn(&d.Stops[i].Source, &d.Stops[i].Text, &d.Stops[i].Reason)
	}
	for i := range d.Files {
		hideIn(&d.Files[i].Name, &d.Files[i].Node)
	}
	for i := range d.Incidents {
		d.Incidents[i].Nodes, d.Incidents[i].Sources = hidden(d.Incidents[i].Nodes), hidden(d.Incidents[i].Sources)
	}
	for i := range d.Facts {
		hideIn(&d.Facts[i].Value, &d.Facts[i].From)
	}
	d.nodes = slices.Clone(d.nodes)
	for i := range d.nodes {
		hideIn(&d.nodes[i].Name)
	}
	for i := range d.Clients.List {
		hideIn(&d.Clients.List[i].Name)
	}
	d.Tool.Command = secrets.Arguments(d.Tool.Command)
}

func hideIn(texts ...*string) {
	for _, text := range texts {
		*text = secrets.Hide(*text)
	}
}

func hidden(list []string) []string {
	shown := []string{}
	for _, text := range list {
		shown = append(shown, secrets.Hide(text))
	}
	return shown
}

func hideInSamples(list []Sample) {
	for i := range list {
		hideIn(&list[i].Source, &list[i].Text, &list[i].subject)
	}
}

// valueWithoutSecrets is what a check found, as it may be shown. A host that was taken
// out of a URL may have a user and a password before it.
func valueWithoutSecrets(v check.Value) check.Value {
	return v.Map(func(word string) string {
		word = secrets.Hide(word)
		if at := strings.LastIndexByte(word, '@'); at >= 0 && (v.Type == check.Host || v.Type == check.Address) && !strings.Contains(word, "://") {
			return secrets.Hidden + word[at:]
		}
		return word
	})
}
