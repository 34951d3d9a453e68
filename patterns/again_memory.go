package patterns

import (
	"maps"
	"slices"
	"time"
)

const (
	// recalled is how long, before the newest record, what was told is known again
	// after a restart.
	recalled = time.Minute
	// maxRecalled is how many records and failures these are at most.
	maxRecalled = 4096
)

// Memory is what an analyzer of live logs has to know after a restart, so that a
// failure which was told is not told again in its other form or from another log.
// It holds hashes and no text of the logs.
type Memory struct {
	Salt    string             `json:"salt"`
	Logs    []string           `json:"logs"`
	Records []rememberedRecord `json:"records"`
	Open    []rememberedTwin   `json:"open"`
	// Sights are those of the newest failures, of which incidents are made.
	Sights []rememberedSight `json:"sights"`
}

// rememberedRecord is a record with the logs in which it was met.
type rememberedRecord struct {
	Key   uint64         `json:"key,string"`
	At    time.Time      `json:"at"`
	Count uint32         `json:"count"`
	Log   uint32         `json:"log"`
	Node  string         `json:"node,omitempty"`
	By    string         `json:"by,omitempty"` // the label that names the node
	Alone bool           `json:"alone,omitempty"`
	In    map[int]uint32 `json:"in"`
}

// rememberedTwin is a failure that was told in one form.
type rememberedTwin struct {
	Twin    uint64    `json:"twin,string"`
	First   bool      `json:"first,omitempty"`
	Raw     bool      `json:"raw,omitempty"` // waits for its debug record in its log
	Origin  string    `json:"origin,omitempty"`
	Node    string    `json:"node,omitempty"`
	By      string    `json:"by,omitempty"`
	Log     uint32    `json:"log"`
	Line    int64     `json:"line"`
	Arrived time.Time `json:"arrived"`
	Time    time.Time `json:"time"`
	Record  uint64    `json:"record,string"`
}

// arrival is when a record of a live log came.
type arrival struct {
	key uint64
	at  time.Time
}

// Memory gives what has to be known after a restart.
func (a *Analyzer) Memory() Memory {
	m := a.again.memory()
	m.Sights = a.sights.memory()
	return m
}

// Recall takes what an earlier run had to know, before any source is started.
func (a *Analyzer) Recall(m Memory) {
	a.sights.recall(m.Sights, a.catalogue)
	a.recalled = len(m.Sights) > 0
	if m.Salt != "" {
		a.again.alone, a.again.remember = a.Alone, a.Remember
		a.again.recall(m, a.homeOf)
	}
}

func (g *again) memory() Memory {
	m := Memory{Salt: g.salt, Logs: []string{}, Records: []rememberedRecord{}, Open: []rememberedTwin{}}
	for _, l := range g.logs {
		m.Logs = append(m.Logs, l.name)
	}
	g.dropOldArrivals()
	for _, a := range g.arrivals {
		known, ok := g.seen[a.key]
		if !ok {
			continue
		}
		by := g.author(known)
		r := rememberedRecord{
			Key: a.key, At: a.at, Count: known.count, Log: by.log.number, Node: by.home.named, By: by.home.by, Alone: known.alone(), In: map[int]uint32{},
		}
		for i, l := range g.logs {
			if n := l.counts[a.key]; n > 0 {
				r.In[i] = n
			}
		}
		m.Records = append(m.Records, r)
	}
	raw := map[*told]bool{}
	for _, l := range g.logs {
		for _, t := range l.raw {
			raw[t] = true
		}
	}
	var newest time.Time
	for _, list := range g.open {
		for _, t := range list {
			if len(g.logs) > 1 || raw[t] || !t.first { // a debug record follows its line at once
				m.Open = append(m.Open, t.remembered(raw[t]))
			}
			newest = latest(newest, t.arrived)
		}
	}
	m.Open = slices.DeleteFunc(m.Open, func(t rememberedTwin) bool { return newest.Sub(t.Arrived) > recalled })
	slices.SortFunc(m.Open, func(x, y rememberedTwin) int { return x.Arrived.Compare(y.Arrived) })
	m.Open = m.Open[max(0, len(m.Open)-maxRecalled):]
	return m
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (t *told) remembered(raw bool) rememberedTwin {
	return rememberedTwin{
		Twin: t.twin, First: t.first, Raw: raw, Origin: t.origin, Node: t.home.named, By: t.home.by, Log: t.log, Line: t.line, Arrived: t.arrived, Time: t.time, Record: t.record,
	}
}

// arrive notes when a record came that may come again from another log.
func (g *again) arrive(key uint64, at time.Time) {
	if at.IsZero() || key == 0 {
		return
	}
	g.arrivals = append(g.arrivals, arrival{key, at})
	if len(g.arrivals) >= 2*maxRecalled {
		g.dropOldArrivals()
	}
}

func (g *again) dropOldArrivals() {
	n := len(g.arrivals)
	if n == 0 {
		return
	}
	newest := g.arrivals[n-1].at
	fresh := func(a arrival) bool { return newest.Sub(a.at) <= recalled }
	from := max(slices.IndexFunc(g.arrivals, fresh), n-maxRecalled)
	g.arrivals = slices.Clone(g.arrivals[from:])
}

// author is who of the writers of a log named a node so.
func (l *retold) author(named, by string) author {
	return author{l, home{named: named, by: by, log: l.home.log}}
}

func (g *again) recall(m Memory, homeOf func(source string) home) {
	g.salt = m.Salt
	for _, name := range m.Logs {
		g.log(name, homeOf(name)).recalled = true
	}
	for _, r := range m.Records {
		if int(r.Log) >= len(g.logs) {
			continue
		}
		g.arrive(r.Key, r.At)
		g.seen[r.Key] = occurrence{count: r.Count, source: 2 * g.number(g.logs[r.Log].author(r.Node, r.By))}.withAlone(r.Alone)
		if g.remember > 0 {
			g.order = append(g.order, r.Key)
		}
		for i := range maps.Keys(r.In) {
			if i >= 0 && i < len(g.logs) {
				g.logs[i].counts[r.Key] = r.In[i]
			}
		}
	}
	for _, t := range m.Open {
		if int(t.Log) >= len(g.logs) {
			continue
		}
		l := g.logs[t.Log]
		open := &told{
			form: form{t.Twin, t.First}, origin: t.Origin, home: l.author(t.Node, t.By).home, log: t.Log, line: t.Line, arrived: t.Arrived, time: t.Time, record: t.Record,
		}
		g.push(open)
		if t.Raw {
			l.raw = append(l.raw, open)
		}
	}
}
