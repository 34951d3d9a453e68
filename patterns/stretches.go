package patterns

import (
	"cmp"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"wklog/parser"
	"wklog/patterns/internal/changes"
)

// unit is what has faults of its own: a node of a cluster, or a server.
type unit struct {
	name string // of the node, empty where none is known
	// server says that it is known only by the output of a server, and so no other
	// than itself.
	server bool
	// stem is what the names of its logs have in common.
	stem   string
	logs   map[int32]bool
	span   Span
	worked worked
}

// channel are failures that may be of one fault.
type channel struct {
	side Side
	// verdict are clients' verdicts on the certificate, whose causes are ranked
	// together; cause is the likeliest of other failures.
	verdict bool
	cause   string
	// stops says that the server does not run, passing that somebody who passes by
	// often brings it about.
	stops, passing bool
}

// byChance is from which probability of somebody who passes by, or of a connection
// that breaks, a failure is nothing special.
const byChance = 0.1

func channelOf(p *Pattern) channel {
	if p.Measured || p.Phase == reports && p.Side == SideServer {
		return channel{side: p.Side, verdict: true}
	}
	c := channel{side: p.Side, stops: problem{phase: p.Phase}.stopsServer(), passing: p.Severity == SeverityInfo}
	if len(p.Causes) > 0 {
		c.cause = slices.MaxFunc(p.Causes, func(x, y CauseScore) int { return cmp.Compare(x.Score, y.Score) }).ID
	}
	for _, score := range p.Causes {
		if (score.ID == probe || score.ID == interrupted) && score.Score >= byChance {
			c.passing = true
		}
	}
	return c
}

// interrupted is the cause of connections that break.
const interrupted = "connection-interrupted"

// stretch are failures that one fault may explain, with where and when they were.
type stretch struct {
	units    map[*unit]bool
	channels map[channel]bool
	counts   map[int32]int // by kind
	// weights are the sightings of each pattern that do not depend on each other:
	// what is repeated within a window is one, or little more. seen is their sum.
	weights  map[*Pattern]float64
	seen     float64
	events   int
	inferred int
	span     Span
	windows  []*window // in order
	clients  map[uint16]bool
	paused   []float64 // see pauses; nil while it is not known
}

func newStretch() *stretch {
	return &stretch{
		units: map[*unit]bool{}, channels: map[channel]bool{}, counts: map[int32]int{},
		weights: map[*Pattern]float64{}, clients: map[uint16]bool{},
	}
}

// passing tells whether all of it may be what passes by.
func (s *stretch) passing() bool {
	for c := range s.channels {
		if !c.passing {
			return false
		}
	}
	return true
}

// stops tells whether the server did not run.
func (s *stretch) stops() bool {
	for c := range s.channels {
		if c.stops {
			return true
		}
	}
	return false
}

// add joins another stretch.
func (s *stretch) add(other *stretch) {
	maps.Copy(s.units, other.units)
	maps.Copy(s.channels, other.channels)
	maps.Copy(s.clients, other.clients)
	for kind, n := range other.counts {
		s.counts[kind] += n
	}
	for _, p := range other.patterns() {
		s.weights[p] += other.weights[p]
	}
	s.seen += other.seen
	s.events += other.events
	s.inferred += other.inferred
	s.span.Add(other.span.First)
	s.span.Add(other.span.Last)
	s.windows, s.paused = append(s.windows, other.windows...), nil
	slices.SortStableFunc(s.windows, func(x, y *window) int { return x.span.First.Compare(y.span.First) })
}

// patterns are those that were seen, in the order of their ids.
func (s *stretch) patterns() []*Pattern {
	return slices.SortedFunc(maps.Keys(s.weights), func(x, y *Pattern) int { return cmp.Compare(x.ID, y.ID) })
}

// window is what was seen of a channel in one window of time.
type window struct {
	unit     *unit
	channel  channel
	logs     map[int32]int
	counts   map[int32]int
	span     Span
	inferred int
	clients  []uint16
	// beside says that it belongs to its incident only since it came at its time.
	beside bool
}

// addWindow counts what was seen in a window.
func (s *stretch) addWindow(w *window, kinds []kind) {
	byPattern := map[*Pattern]int{}
	s.units[w.unit], s.channels[w.channel] = true, true
	for kind, n := range w.counts {
		s.counts[kind] += n
		s.events += n
		byPattern[kinds[kind].pattern] += n
	}
	for _, p := range slices.SortedFunc(maps.Keys(byPattern), func(x, y *Pattern) int { return cmp.Compare(x.ID, y.ID) }) {
		n := sightingsOf(byPattern[p])
		s.weights[p] += n
		s.seen += n
	}
	s.inferred += w.inferred
	for _, client := range w.clients {
		s.clients[client] = true
	}
	s.span.Add(w.span.First)
	s.span.Add(w.span.Last)
	s.windows, s.paused = append(s.windows, w), nil
}

// units are what the logs are of. A node is one; of the logs of no node those that hold
// what a server writes are of one each, unless one goes on where another one ends.
func (a *Analyzer) units() []*unit {
	byName, logs := map[string]*unit{}, make([]*unit, len(a.sights.logs))
	spans, output := a.sights.spans()
	var servers []*unit
	for _, number := range a.sights.logsByTime(spans) {
		log := a.sights.logs[number]
		name := a.nodeOfWriter(log)
		var u *unit
		switch {
		case name != "" || !output[number]:
			if u = byName[name]; u == nil {
				u = &unit{name: name, logs: map[int32]bool{}}
				byName[name] = u
			}
		default:
			stem := stemOf(log.source)
			at := slices.IndexFunc(servers, func(s *unit) bool { return s.stem == stem && after(&s.span, &spans[number]) })
			if at < 0 {
				at = len(servers)
				servers = append(servers, &unit{server: true, stem: stem, logs: map[int32]bool{}})
			}
			u = servers[at]
		}
		u.logs[number] = true
		u.worked.add(a.passed[log.source])
		u.span.Add(spans[number].First)
		u.span.Add(spans[number].Last)
		logs[number] = u
	}
	for _, u := range logs {
		u.worked.settle()
	}
	return logs
}

// after tells whether one log goes on where another one ends. Of logs without times
// nobody knows.
func after(one, other *Span) bool {
	return !one.First.IsZero() && !other.First.IsZero() && !other.First.Before(one.Last)
}

// count is what tells the files of a rotated log apart: a number or a date, and how it is
// packed.
var count = regexp.MustCompile(`[-._]?\d[-\dT_:.]*|\.(?:gz|zst|bz2|xz)$`)

// stemOf is the name of a log without what counts its files.
func stemOf(name string) string {
	dir, base := path.Split(filepath.ToSlash(name))
	return dir + count.ReplaceAllString(base, "")
}

// spans are the times of the failures of each log, with whether it is the output of
// a server.
func (s *sightings) spans() (spans []Span, output []bool) {
	spans, output = make([]Span, len(s.logs)), make([]bool, len(s.logs))
	for key, at := range s.seen {
		spans[key.log].Add(at.span.First)
		spans[key.log].Add(at.span.Last)
		written := s.kinds[key.kind].key.Kind
		if written == parser.KindHandshake || written == parser.KindClose && s.kinds[key.kind].pattern.Measured {
			output[key.log] = true
		}
	}
	for number, log := range s.logs {
		output[number] = output[number] && !parser.IsOwnLog(log.source)
	}
	return spans, output
}

func (s *sightings) logsByTime(spans []Span) []int32 {
	order := make([]int32, len(s.logs))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(x, y int32) int {
		return cmp.Or(spans[x].First.Compare(spans[y].First), cmp.Compare(s.logs[x].source, s.logs[y].source), cmp.Compare(s.logs[x].node, s.logs[y].node))
	})
	return order
}

const (
	// finest is how many windows an input is looked at in, at least, and widest how
	// wide these are at most: who tries again within that is the same client.
	finest = 1000
	widest = 15 * time.Minute
)

// grouped are the windows of each unit and channel, those without a time at -1.
func (f *finder) grouped(logs []*unit) map[*unit]map[channel]map[int64]*window {
	f.width = max(min(max(f.total.Length()/finest, time.Second), widest), windows[f.sights.width])
	all := map[*unit]map[channel]map[int64]*window{}
	f.logs, f.windows = logs, all
	for key, at := range f.sights.seen {
		u, c := logs[key.log], channelOf(f.sights.kinds[key.kind].pattern)
		if all[u] == nil {
			all[u] = map[channel]map[int64]*window{}
		}
		if all[u][c] == nil {
			all[u][c] = map[int64]*window{}
		}
		start := f.start(at.span.First)
		w := all[u][c][start]
		if w == nil {
			w = &window{unit: u, channel: c, counts: map[int32]int{}, logs: map[int32]int{}}
			all[u][c][start] = w
		}
		w.counts[key.kind] += at.count
		w.logs[key.log] += at.count
		w.inferred += at.inferred
		w.span.Add(at.span.First)
		w.span.Add(at.span.Last)
		w.clients = append(w.clients, at.clients...)
	}
	return all
}

// start is the number of the window of a time, -1 of those without.
func (f *finder) start(at time.Time) int64 {
	if at.IsZero() {
		return -1
	}
	return max(int64(at.Sub(f.total.First)/f.width), 0)
}

// mostPlaces is at how many places of a stream changes are looked for at first.
const mostPlaces = 120

// stretches cuts the failures of a unit and channel where they change in kind, those
// of what passes by also where they change in number.
func (a *Analyzer) stretches(u *unit, c channel, byStart map[int64]*window) []*stretch {
	starts := slices.Sorted(maps.Keys(byStart))
	var list []*stretch
	if len(starts) > 0 && starts[0] == -1 {
		s := newStretch()
		s.addWindow(byStart[-1], a.sights.kinds)
		list, starts = append(list, s), starts[1:]
	}
	if len(starts) == 0 {
		return list
	}
	ordered := make([]*window, len(starts))
	for i, start := range starts {
		ordered[i] = byStart[start]
	}
	series, steps := a.series(u, c, ordered)
	cuts := append(series.Cuts(mostPlaces), series.Len())
	from := 0
	for _, cut := range cuts {
		s := newStretch()
		for step := from; step < cut; step++ {
			if steps[step] != nil {
				s.addWindow(steps[step], a.sights.kinds)
			}
		}
		if s.events > 0 {
			list = append(list, s)
		}
		from = cut
	}
	return list
}

// series are the windows as steps; of what passes by the pauses are steps too, whose
// window is nil.
func (a *Analyzer) series(u *unit, c channel, ordered []*window) (series *changes.Series, steps []*window) {
	classes := a.classes(ordered)
	series = changes.NewSeries(len(classes))
	series.Rates = !c.stops
	for i, w := range ordered {
		if series.Rates && i > 0 {
			series.Add(nil, u.written(ordered[i-1].span.Last, w.span.First))
			steps = append(steps, nil)
		}
		series.Add(a.byClass(w, classes), u.written(w.span.First, w.span.Last))
		steps = append(steps, w)
	}
	return series, steps
}

// classes number the patterns of some windows.
func (a *Analyzer) classes(list []*window) map[*Pattern]int {
	classes := map[*Pattern]int{}
	for _, w := range list {
		for _, p := range w.patterns(a.sights.kinds) {
			classes[p] = 0
		}
	}
	for i, p := range slices.SortedFunc(maps.Keys(classes), func(x, y *Pattern) int { return cmp.Compare(x.ID, y.ID) }) {
		classes[p] = i
	}
	return classes
}

// byClass are the sightings of a window.
func (a *Analyzer) byClass(w *window, classes map[*Pattern]int) []float64 {
	list, counts := make([]float64, len(classes)), map[*Pattern]int{}
	for kind, n := range w.counts {
		counts[a.sights.kinds[kind].pattern] += n
	}
	for p, n := range counts {
		list[classes[p]] = sightingsOf(n)
	}
	return list
}
