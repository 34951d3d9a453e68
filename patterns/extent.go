package patterns

import "time"

// Extent is where and when an incident was seen. The name of a place is the id of a
// pattern, of a log, of a node, or the address of a client.
type Extent struct {
	Patterns, Sources, Nodes, Clients []Place
	// UnknownClients counts the failures whose client the logs do not tell.
	UnknownClients int
}

// located finds the windows of an analysis, and what incidents they are of.
type located struct {
	*finder
	owner map[*window]int // the number of an incident, from 1
}

func (f *finder) located(found []*stretch) *located {
	l := &located{finder: f, owner: map[*window]int{}}
	for i, s := range found {
		for _, w := range s.windows {
			l.owner[w] = i + 1
		}
	}
	return l
}

// incidentOf is the number of the incident of a failure, 0 for none.
func (l *located) incidentOf(log int32, p *Pattern, at time.Time) int {
	u := l.logs[log]
	return l.owner[l.windows[u][channelOf(p)][l.start(at)]]
}

// Mark is by what the incident of a failure is found once all is known: the numbers of its
// log and its kind, from 1, and its time in nanoseconds, 0 for none.
type Mark struct {
	Log, Kind int32
	At        int64
}

// Mark gives that of an event that was counted.
func (e *Event) Mark() Mark {
	m := Mark{Log: e.log, Kind: e.kind}
	if at := e.known(); !at.IsZero() {
		m.At = at.UnixNano()
	}
	return m
}

// IncidentOf is the number of the incident that a failure is of, counted from 1 in their
// order; 0 for none.
func (a *Analysis) IncidentOf(m Mark) int {
	l := a.located
	if l == nil || m.Log < 1 || m.Kind < 1 || int(m.Log) > len(l.logs) || int(m.Kind) > len(l.sights.kinds) {
		return 0
	}
	key := sightingKey{log: m.Log - 1, kind: m.Kind - 1, window: undated}
	if m.At != 0 {
		key.window = l.sights.window(time.Unix(0, m.At))
	}
	at := l.sights.seen[key]
	if at == nil {
		return 0
	}
	return l.incidentOf(key.log, l.sights.kinds[key.kind].pattern, at.span.First)
}

// Extent is that of an incident by its number, from 1.
func (a *Analysis) Extent(number int) Extent {
	if a.located == nil {
		return Extent{}
	}
	l := a.located
	names := make(map[uint16]string, len(l.sights.clients))
	for name, client := range l.sights.clients {
		names[client] = name
	}
	patterns, sources, nodes, clients := newPlaces(0, true), newPlaces(0, true), newPlaces(0, true), newPlaces(0, true)
	unknown := 0
	for key, at := range l.sights.seen {
		p := l.sights.kinds[key.kind].pattern
		if l.incidentOf(key.log, p, at.span.First) != number {
			continue
		}
		by := l.sights.logs[key.log]
		patterns.count(p.ID, p, at.count, at.span)
		sources.count(by.source, p, at.count, at.span)
		if node := l.nodeOfWriter(by); node != "" && l.ByNode {
			nodes.count(node, p, at.count, at.span)
		}
		unknown += at.count
		for i, client := range at.clients {
			clients.count(names[client], p, at.tries[i], at.span)
			unknown -= at.tries[i]
		}
	}
	return Extent{patterns.list(), l.ofNodes(sources.list()), nodes.list(), clients.list(), max(unknown, 0)}
}
