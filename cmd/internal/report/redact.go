package report

import (
	"maps"
	"slices"
	"strings"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/redact"
	"wklog/patterns"
)

// Redactor replaces in reports what names people and machines.
type Redactor struct{ *redact.Redactor }

// NewRedactor starts without any pseudonym.
func NewRedactor() *Redactor { return &Redactor{redact.New()} }

// Sink hides the events that go to other sinks.
func (r *Redactor) Sink(to Sinks) Sink { return &redacting{Sinks: to, redactor: r} }

// redacting hides events from other sinks.
type redacting struct {
	Sinks
	redactor *Redactor
}

func (s *redacting) Stop(stop *patterns.Stop) error { return s.Sinks.Stop(s.redactor.Stop(stop)) }

func (s *redacting) Incident(n *News) error { return s.Sinks.Incident(s.redactor.News(n)) }

func (s *redacting) Event(e *patterns.Event) error { return s.Sinks.Event(s.redactor.Event(e)) }

// Event gives a copy of an event that may be shown.
func (r *Redactor) Event(e *patterns.Event) *patterns.Event {
	shown, record := *e, *e.Record
	shown.Source = r.Source(e.Source)
	words := record.Words()
	record.Text, record.Message, record.Error = r.Said(record.Text, words), r.Said(record.Message, words), r.Said(record.Error, words)
	record.Remote = r.Client(record.Remote)
	shown.Record = &record
	return &shown
}

// News gives a copy of what is new of an incident that may be shown.
func (r *Redactor) News(n *News) *News {
	shown, in := *n, *n.Incident
	in.Nodes, in.Sources = slices.Clone(in.Nodes), slices.Clone(in.Sources)
	for i, node := range in.Nodes {
		in.Nodes[i] = r.Named("node", node)
	}
	for i, name := range in.Sources {
		in.Sources[i] = r.Source(name)
	}
	shown.Incident = &in
	return &shown
}

// Stop gives a copy of an end of the server that may be shown.
func (r *Redactor) Stop(s *patterns.Stop) *patterns.Stop {
	shown := *s
	shown.Source, shown.Reason = r.Source(s.Source), r.Text(s.Reason)
	return &shown
}

// Document replaces everything in a report that comes from the logs, their
// names and the command line. files are the arguments that name files.
func (r *Redactor) Document(d *Document, files []string) {
	for i := range d.Inputs {
		in := &d.Inputs[i]
		in.Name, in.Error = r.Source(in.Name), r.Message(in.Name, in.Error)
	}
	for i := range d.Errors {
		e := &d.Errors[i]
		e.Source, e.Message = r.Source(e.Source), r.Message(e.Source, e.Message)
	}
	r.findings(d.Findings)
	r.findings(d.Gone)
	r.samples(d.Unclassified)
	for i := range d.Stops {
		s := &d.Stops[i]
		s.Source, s.Text, s.Reason = r.Source(s.Source), r.Text(s.Text), r.Text(s.Reason)
	}
	for i := range d.Files {
		d.Files[i].Name, d.Files[i].Node = r.Source(d.Files[i].Name), r.Named("node", d.Files[i].Node)
	}
	for i := range d.Incidents {
		in := &d.Incidents[i]
		in.Nodes = slices.Clone(in.Nodes)
		for j, node := range in.Nodes {
			in.Nodes[j] = r.Named("node", node)
		}
		in.Sources = slices.Clone(in.Sources)
		for j, name := range in.Sources {
			in.Sources[j] = r.Source(name)
		}
	}
	for i := range d.Facts {
		f := &d.Facts[i]
		f.Value, f.From = r.fact(f), r.Text(f.From)
	}
	d.nodes = slices.Clone(d.nodes)
	for i := range d.nodes {
		d.nodes[i].Name = r.Named("node", d.nodes[i].Name)
	}
	for i := range d.Clients.List {
		d.Clients.List[i].Name = r.Client(d.Clients.List[i].Name)
	}
	for i, word := range d.Tool.Command {
		d.Tool.Command[i] = r.Argument(word, files)
	}
}

// Checklist gives a copy that may be shown: the values of the checks say themselves
// what they name.
func (r *Redactor) Checklist(l *Checklist, say *messages.Printer) *Checklist {
	shown := *l
	shown.Checks = slices.Clone(l.Checks)
	for i := range shown.Checks {
		line := &shown.Checks[i]
		if line.read {
			r.readLine(line)
		}
		line.Values = nil
		line.put(line.result.Map(r.Value), say)
	}
	return &shown
}

// readLine replaces what cannot be made again of a line that was read from JSON: its
// fixes, and the detail of a check that this version does not know.
func (r *Redactor) readLine(line *CheckLine) {
	known := slices.Clone(line.result.Args)
	for _, name := range slices.Sorted(maps.Keys(line.Values)) {
		known = append(known, line.Values[name])
	}
	var pairs [][2]string
	for _, v := range known {
		v.Map(func(word string) string {
			if shown := r.Word(v.Type, word); shown != word {
				pairs = append(pairs, [2]string{word, shown})
			}
			return word
		})
	}
	slices.SortStableFunc(pairs, func(a, b [2]string) int { return len(b[0]) - len(a[0]) }) // the longest first
	var list []string
	for _, pair := range pairs {
		list = append(list, pair[:]...)
	}
	all := strings.NewReplacer(list...)
	line.Fixes = slices.Clone(line.Fixes)
	for i, fix := range line.Fixes {
		line.Fixes[i] = Step{Text: all.Replace(fix.Text), Command: all.Replace(fix.Command), Config: all.Replace(fix.Config), Placeholders: fix.Placeholders}
	}
	line.unknown = r.Text(all.Replace(line.unknown))
}

// fact is the value of one; a number names nobody.
func (r *Redactor) fact(f *Fact) string {
	switch patterns.FactKind(f.Kind) {
	case patterns.FactPort:
		return f.Value
	case patterns.FactHost:
		return r.Word(check.Host, f.Value)
	case patterns.FactPath, patterns.FactFile:
		return r.Path(f.Value)
	}
	return r.Named(f.Kind, f.Value)
}

func (r *Redactor) findings(list []Finding) {
	for i := range list {
		sources := []string{}
		for _, name := range list[i].Sources {
			sources = append(sources, r.Source(name))
		}
		list[i].Sources = sources
		r.samples(list[i].Samples)
	}
}

func (r *Redactor) samples(list []Sample) {
	for i := range list {
		s := &list[i]
		s.Source, s.Text, s.subject = r.Source(s.Source), r.Said(s.Text, s.words), r.Said(s.subject, s.words)
	}
}
