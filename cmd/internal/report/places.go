package report

import (
	"cmp"
	"slices"
	"time"

	"wklog/patterns"
)

// Tool is the program that made a report, with its command line.
type Tool struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Command []string `json:"command"`
}

// CauseTitle names a cause in the language of the report.
type CauseTitle struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Timeline counts the failures over the time of the logs. Where all of them
// lie within a fiftieth of that time it covers this part alone.
type Timeline struct {
	// Unit is the width of a bin: minute, hour, day, week or year; empty
	// where no failure has a time.
	Unit string `json:"unit"`
	// Starts are the beginnings of the bins, Counts the failures in each.
	Starts []time.Time `json:"starts"`
	Counts []int       `json:"counts"`
	// Undated counts the failures that have no time.
	Undated  int             `json:"undated"`
	Patterns []PatternCounts `json:"patterns"`
}

// PatternCounts are the failures of one pattern in each bin of the timeline.
type PatternCounts struct {
	Pattern string `json:"pattern"`
	Counts  []int  `json:"counts"`
}

// Place is where failures were seen: a log, a node or a client.
type Place struct {
	Name     string         `json:"name"`
	Count    int            `json:"count"`
	First    *time.Time     `json:"first"`
	Last     *time.Time     `json:"last"`
	Patterns []PatternCount `json:"patterns"`
}

// PatternCount is how often a failure was seen at a place.
type PatternCount struct {
	Pattern string `json:"pattern"`
	Count   int    `json:"count"`
}

// Node is a node of the cluster with its failures in each bin of the timeline.
type Node struct {
	Place
	Counts []int `json:"counts"`
}

// File is a log with failures. Node is empty where logs are of no node.
type File struct {
	Place
	Node string `json:"node"`
}

// Clients are the addresses that failures came from, the most failures first.
type Clients struct {
	List []Place `json:"list"`
	// Other counts the failures of addresses that are not listed, Unknown those
	// whose address the logs do not tell.
	Other   int `json:"other"`
	Unknown int `json:"unknown"`
}

// Omitted counts the findings and causes that are left out of a report.
type Omitted struct {
	Findings  int `json:"findings"`
	Diagnosis int `json:"diagnosis"`
}

// locate tells where the failures were seen; others counts those of clients beyond the
// ones that are listed.
func (d *Document) locate(where *patterns.Extent, others int) {
	d.nodes = where.Nodes
	d.Nodes, d.Files = []Node{}, []File{}
	for _, at := range where.Sources {
		d.Files = append(d.Files, File{Place: placeOf(&at), Node: at.Node})
	}
	d.Clients = Clients{List: []Place{}, Other: others, Unknown: where.UnknownClients}
	for _, at := range where.Clients {
		d.Clients.List = append(d.Clients.List, placeOf(&at))
	}
	slices.SortStableFunc(d.Clients.List, func(x, y Place) int { return cmp.Compare(y.Count, x.Count) })
}

func placeOf(p *patterns.Place) Place {
	place := Place{Name: p.Name, Count: p.Count, First: Moment(p.First), Last: Moment(p.Last), Patterns: []PatternCount{}}
	for _, e := range p.Patterns {
		place.Patterns = append(place.Patterns, PatternCount{Pattern: e.Pattern.ID, Count: e.Count})
	}
	return place
}

// shown is the document as a form shows it: with what follows from the times of
// its inputs, and the first top findings and causes alone, 0 for all.
func (d *Document) shown(top int) *Document {
	shown := *d
	shown.Findings = slices.Clone(d.Findings)
	for i := range shown.Findings {
		shown.Findings[i].Ongoing = ongoing(&shown.Findings[i], d.Summary)
	}
	scale := d.scale()
	shown.Timeline = d.timeline(scale)
	shown.Nodes = []Node{}
	for _, at := range d.nodes {
		shown.Nodes = append(shown.Nodes, Node{Place: placeOf(&at), Counts: at.Timeline.On(scale)})
	}
	shown.Findings, shown.Diagnosis = limit(shown.Findings, top), limit(d.Diagnosis, top)
	shown.Incidents = slices.Clone(d.Incidents)
	for i := range shown.Incidents {
		shown.Incidents[i].Diagnosis = limit(shown.Incidents[i].Diagnosis, top)
	}
	shown.Omitted = Omitted{
		Findings:  len(d.Findings) - len(shown.Findings),
		Diagnosis: len(d.Diagnosis) - len(shown.Diagnosis),
	}
	return &shown
}

// ongoing tells whether the last failure stands in the last twentieth of the
// time that the logs cover.
func ongoing(f *Finding, s Summary) *bool {
	const tail = 20
	if f.Last == nil || s.First == nil || s.Last == nil || !s.Last.After(*s.First) {
		return nil
	}
	going := !f.Last.Before(s.Last.Add(-s.Last.Sub(*s.First) / tail))
	return &going
}

// scale covers the time of the logs, or the time of the failures where that is
// a small part of it.
func (d *Document) scale() patterns.Scale {
	var events, logs patterns.Span
	for _, f := range d.Findings {
		if f.First != nil && f.Last != nil {
			events.Add(*f.First)
			events.Add(*f.Last)
		}
	}
	logs = events
	if s := d.Summary; s.First != nil && s.Last != nil {
		logs.Add(*s.First)
		logs.Add(*s.Last)
	}
	const part = 50
	if events.First.IsZero() || d.chosen || events.Length() < logs.Length()/part {
		return patterns.ScaleOf(events.First, events.Last)
	}
	return patterns.ScaleOf(logs.First, logs.Last)
}

func (d *Document) timeline(scale patterns.Scale) Timeline {
	t := Timeline{
		Unit: scale.Unit, Starts: append([]time.Time{}, scale.Starts...),
		Counts: make([]int, len(scale.Starts)), Patterns: []PatternCounts{},
	}
	for _, f := range d.Findings {
		counts := f.timeline.On(scale)
		dated := 0
		for i, n := range counts {
			t.Counts[i] += n
			dated += n
		}
		t.Undated += f.Count - dated
		t.Patterns = append(t.Patterns, PatternCounts{Pattern: f.Pattern, Counts: counts})
	}
	return t
}
