package patterns

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"wklog/parser"
	"wklog/patterns/internal/ranking"
)

// maxSightings bounds the memory: windows become wider where there are more.
const maxSightings = 100_000

// maxKinds is how many kinds of failure are told apart by more than their pattern.
const maxKinds = 1000

// maxCounted is how many clients of a window are told apart.
const maxCounted = 64

// windows are the widths of the windows in which failures are counted.
var windows = []time.Duration{
	time.Second, time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 365 * 24 * time.Hour,
}

// sightings count the failures of an input by log, window of time and kind: what is
// needed to find the incidents among them.
type sightings struct {
	width   int // of the windows, an index
	seen    map[sightingKey]*sighting
	kinds   []kind
	byKey   map[ranking.Key]int
	logs    []writer
	byLog   map[writer]int
	of      map[string][]int // the numbers of the writers of each log
	clients map[string]uint16
}

// writer is who wrote a failure: a log, and the node that its record names. A pod without
// its namespace is one of that name, as is a container.
type writer struct {
	source, node string
	oneOfName    bool
}

func writerOf(e *Event) writer {
	rec := e.Record
	pod := rec.Wrapper == parser.WrapperKubectl && !strings.Contains(rec.Node, "/")
	return writer{e.Source, rec.Node, rec.Node != "" && (pod || rec.NodeBy == parser.ByContainer)}
}

// nodeOfWriter is the node that somebody's failures are counted for. Pods of one name are of one
// node within a log; where each of several logs is of one pod, they may be of as many
// clusters.
func (a *Analyzer) nodeOfWriter(w writer) string {
	if w.oneOfName && len(a.sights.of[w.source]) == 1 {
		return a.node(w.source, "")
	}
	return a.node(w.source, w.node)
}

// kind is what of a failure speaks for its cause.
type kind struct {
	pattern *Pattern
	key     ranking.Key
}

type sightingKey struct {
	log, kind int32
	window    int64
}

// The windows of failures whose time is not known, and of those whose time is still
// to be known.
const (
	undated = -1 << 62
	held    = undated + 1
)

// sighting is what was seen of a kind in one window of one log.
type sighting struct {
	count, inferred int
	span            Span
	clients         []uint16
	tries           []int // of each of the clients
}

func newSightings() sightings {
	return sightings{seen: map[sightingKey]*sighting{}, byKey: map[ranking.Key]int{}, byLog: map[writer]int{}, of: map[string][]int{}, clients: map[string]uint16{}}
}

func (s *sightings) add(e *Event) {
	key := s.keyOf(e)
	e.log, e.kind = key.log+1, key.kind+1
	at := s.seen[key]
	if at == nil {
		at = &sighting{}
		s.seen[key] = at
	}
	at.count++
	at.span.Add(e.known())
	if e.Record.TimeInferred {
		at.inferred++
	}
	if address, ok := client(e); ok {
		at.meet(s.client(address), 1)
	}
	for len(s.seen) > maxSightings && s.width < len(windows)-1 {
		s.widen()
	}
}

// remove takes back an event that was added.
func (s *sightings) remove(e *Event) {
	key := s.keyOf(e)
	at := s.seen[key]
	if at == nil {
		return
	}
	if at.count--; at.count == 0 {
		delete(s.seen, key)
	}
	if e.Record.TimeInferred {
		at.inferred--
	}
}

// date gives a time to the failures of a log that had to wait for one.
func (s *sightings) date(log string, when time.Time) {
	for _, number := range s.of[log] {
		for kind := range s.kinds {
			key := sightingKey{int32(number), int32(kind), held}
			at := s.seen[key]
			if at == nil {
				continue
			}
			delete(s.seen, key)
			at.span.Add(when)
			key.window = s.window(when)
			s.join(key, at)
		}
	}
}

func (s *sightings) keyOf(e *Event) sightingKey {
	key := sightingKey{log: int32(s.log(writerOf(e))), kind: int32(s.kind(e))}
	switch at := e.known(); {
	case e.held():
		key.window = held
	case at.IsZero():
		key.window = undated
	default:
		key.window = s.window(at)
	}
	return key
}

func (s *sightings) window(at time.Time) int64 {
	return floorDiv(at.Unix(), int64(windows[s.width]/time.Second))
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return (a - b + 1) / b
	}
	return a / b
}

func (s *sightings) log(name writer) int {
	number, ok := s.byLog[name]
	if !ok {
		number = len(s.logs)
		s.byLog[name] = number
		s.logs = append(s.logs, name)
		s.of[name.source] = append(s.of[name.source], number)
	}
	return number
}

func (s *sightings) kind(e *Event) int {
	return s.kindOf(e.Pattern, ranking.KeyOf(e.Record, e.Pattern.ID))
}

func (s *sightings) kindOf(p *Pattern, key ranking.Key) int {
	if !p.Measured || len(s.kinds) > maxKinds {
		key.State = ""
	}
	number, ok := s.byKey[key]
	if !ok {
		number = len(s.kinds)
		s.byKey[key] = number
		s.kinds = append(s.kinds, kind{p, key})
	}
	return number
}

// client numbers the clients from 1; 0 stands for all beyond those that are told
// apart.
func (s *sightings) client(address string) uint16 {
	number, ok := s.clients[address]
	if !ok && len(s.clients) < maxClients {
		number = uint16(len(s.clients) + 1)
		s.clients[address] = number
	}
	return number
}

func (at *sighting) meet(client uint16, tries int) {
	if client == 0 {
		return
	}
	if i := slices.Index(at.clients, client); i >= 0 {
		at.tries[i] += tries
	} else if len(at.clients) < maxCounted {
		at.clients, at.tries = append(at.clients, client), append(at.tries, tries)
	}
}

// join adds a sighting to that of a window.
func (s *sightings) join(key sightingKey, more *sighting) {
	at := s.seen[key]
	if at == nil {
		s.seen[key] = more
		return
	}
	at.count += more.count
	at.inferred += more.inferred
	at.span.Add(more.span.First)
	at.span.Add(more.span.Last)
	for i, client := range more.clients {
		at.meet(client, more.tries[i])
	}
}

func (s *sightings) widen() {
	old := s.seen
	s.width++
	s.seen = make(map[sightingKey]*sighting, len(old)/2)
	for key, at := range old {
		if key.window != undated && key.window != held {
			key.window = s.window(at.span.First)
		}
		s.join(key, at)
	}
}

// rememberedSight is what was seen of a kind of failure in a window of a log.
type rememberedSight struct {
	Log      string      `json:"log"`
	Node     string      `json:"node,omitempty"`
	Pod      bool        `json:"pod,omitempty"`
	Kind     parser.Kind `json:"kind"`
	Pattern  string      `json:"pattern"`
	State    string      `json:"state,omitempty"`
	Count    int         `json:"count"`
	Inferred int         `json:"inferred,omitempty"`
	First    time.Time   `json:"first"`
	Last     time.Time   `json:"last"`
}

// memory are the newest of the sightings that have a time.
func (s *sightings) memory() []rememberedSight {
	list := []rememberedSight{}
	for key, at := range s.seen {
		if at.span.First.IsZero() {
			continue
		}
		k := s.kinds[key.kind]
		list = append(list, rememberedSight{
			Log: s.logs[key.log].source, Node: s.logs[key.log].node, Pod: s.logs[key.log].oneOfName, Kind: k.key.Kind, Pattern: k.pattern.ID, State: k.key.State,
			Count: at.count, Inferred: at.inferred, First: at.span.First, Last: at.span.Last,
		})
	}
	slices.SortFunc(list, func(x, y rememberedSight) int {
		return cmp.Or(y.Last.Compare(x.Last), cmp.Compare(x.Log, y.Log), cmp.Compare(x.Node, y.Node), cmp.Compare(x.Pattern, y.Pattern), cmp.Compare(x.State, y.State), cmp.Compare(x.Kind, y.Kind))
	})
	return list[:min(len(list), maxRecalled)]
}

// recall takes what an earlier run saw.
func (s *sightings) recall(list []rememberedSight, c *Catalogue) {
	for _, r := range list {
		p := c.Pattern(r.Pattern)
		if p == nil || r.Count <= 0 {
			continue
		}
		key := sightingKey{log: int32(s.log(writer{r.Log, r.Node, r.Pod})), kind: int32(s.kindOf(p, ranking.Key{Kind: r.Kind, Pattern: r.Pattern, State: r.State})), window: s.window(r.First)}
		s.join(key, &sighting{count: r.Count, inferred: r.Inferred, span: Span{r.First, r.Last}})
	}
}

// total is the time of all sightings.
func (s *sightings) total() Span {
	var total Span
	for _, at := range s.seen {
		total.Add(at.span.First)
		total.Add(at.span.Last)
	}
	return total
}
