package patterns

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"wklog/parser"
)

const (
	// maxOpen is how many failures of one form wait for their other form, and
	// maxOpenBytes how many bytes of text these have.
	maxOpen      = 10_000
	maxOpenBytes = 16 << 20
	// maxUnmet is how many different raw lines of a log are counted for a log that may
	// hold their debug records: clients choose what is in them.
	maxUnmet = 10_000
	// maxRaw is how many raw handshake lines of a log wait for their debug
	// records, which follow them at once.
	maxRaw = 256
	// apart is how many raw lines and debug records further a raw line's debug
	// record may stand, at least, and apartLines how many lines of any kind. One
	// goroutine prints both, one after the other, and so does each of the other
	// reactors (WuKongIM v2.2.5 pkg/wknet/reactor_sub.go:128): of every reactor
	// that is met there may be two.
	apart      = 3
	apartLines = 200
	// besides is how far apart the two are collected at most, where the wrapper tells
	// when: in a log of which only some lines were kept, lines far from each other stand
	// together.
	besides = time.Second
	// delay is how far apart two logs of one server may tell the same: a pipe and
	// Docker's log driver take up to seconds.
	delay = 10 * time.Second
)

// again knows a failure again that the logs tell more than once: the same record
// in several files, the raw handshake line and the debug record that follows it,
// the panic record and the Go panic, nginx's line on stderr and in its log.
type again struct {
	// alone says that there is one log only, and remember how many records are
	// known again in another log, 0 for all.
	alone    bool
	remember int

	salt  string
	seen  map[uint64]occurrence
	order []uint64 // keys of seen, oldest first, where there is a limit
	logs  []*retold
	// authors are those of the records of seen, by their numbers.
	authors []author
	numbers map[author]uint32
	// arrivals are those of the newest keys of live logs, oldest first.
	arrivals []arrival

	// open are the failures that wait for their other form: what ends a process,
	// and in live logs the handshakes. queue holds them oldest first.
	open      map[form][]*told
	queue     []*told
	openBytes int // of text in the queue
	// orphans are the raw lines of logs that were read to their end and hold no
	// debug records.
	orphans map[uint64][]*orphans
}

// retold is what is known of one log.
type retold struct {
	all    *again
	name   string
	home   home // of the records that name no node
	number uint32
	own    bool // whether it is one of the server's own files
	// recalled says that an earlier run read it and this one not yet.
	recalled bool

	counts map[uint64]uint32
	given  given
	// raw are the newest raw lines whose debug record was not met. In a log that is newest
	// first the records come before their lines: closed are the newest of these.
	raw, closed []*told
	// falls is how many records more are older than the one before them than are newer.
	falls  int
	before time.Time // of the record before
	// passed counts the raw lines and debug records of each container, and
	// reactors are those that wrote the latter.
	passed   map[string]int
	reactors map[string]bool
	// unmet counts the raw lines of a log that has no debug records.
	unmet       map[uint64]int
	homes       map[home]bool // of those
	closes      bool
	first, last time.Time
}

// form is one form of a failure.
type form struct {
	twin  uint64
	first bool // as in twin
}

func (f form) other() form { return form{f.twin, !f.first} }

// told is a failure that was told in one form.
type told struct {
	form
	origin  string
	home    home
	log     uint32
	at      int // what passed of its origin up to it
	line    int64
	arrived time.Time
	time    time.Time
	// collected is the time of the wrapper, zero for none.
	collected time.Time
	record    uint64 // key of the record
	event     *Event // nil of one that an earlier run told
	paired    bool
}

// occurrence is how often a record stood in the log that held it most often, in
// few bytes: there is one for each dated event.
type occurrence struct {
	count uint32
	// source is the number of who wrote that log, doubled, plus one where the record was
	// counted itself and not as the other form of a failure that was counted.
	source uint32
}

// author is who wrote a record: a log, on a node.
type author struct {
	log  *retold
	home home
}

func (o occurrence) alone() bool { return o.source&1 == 1 }

// author is who wrote the record.
func (g *again) author(o occurrence) author { return g.authors[o.source/2] }

// number numbers authors.
func (g *again) number(of author) uint32 {
	n, known := g.numbers[of]
	if !known {
		n = uint32(len(g.authors))
		g.numbers[of], g.authors = n, append(g.authors, of)
	}
	return n
}

func (o occurrence) withAlone(alone bool) occurrence {
	o.source &^= 1
	if alone {
		o.source |= 1
	}
	return o
}

func newAgain() *again {
	return &again{
		salt: rand.Text(), seen: map[uint64]occurrence{}, numbers: map[author]uint32{},
		open: map[form][]*told{}, orphans: map[uint64][]*orphans{},
	}
}

// log starts a log, or goes on with one of an earlier run.
func (g *again) log(name string, of home) *retold {
	for _, l := range g.logs {
		if l.recalled && l.name == name {
			l.recalled = false
			return l
		}
	}
	l := &retold{
		all: g, name: name, home: of, number: uint32(len(g.logs)), own: parser.IsOwnLog(name),
		counts: map[uint64]uint32{}, passed: map[string]int{}, reactors: map[string]bool{}, unmet: map[uint64]int{}, homes: map[home]bool{},
	}
	g.logs = append(g.logs, l)
	return l
}

// verdict says whether an event was told before.
type verdict struct {
	known bool
	// takeBack is an event that was counted and is the lesser form of another;
	// nil for none.
	takeBack *Event
	// instead says that the present event is counted in its place.
	instead bool
}

// pass takes notice of each record of the log, failure or not.
func (l *retold) pass(rec *parser.Record) {
	if t := rec.Stamp.Time; !t.IsZero() {
		if l.first.IsZero() {
			l.first = t
		}
		l.last = t
	}
	if rec.Kind == parser.KindClose {
		l.closes, l.unmet = true, nil
	}
	if t := rec.Stamp.Time; !rec.Stamp.IsZero() && !rec.TimeInferred {
		if !l.before.IsZero() {
			l.falls -= t.Compare(l.before)
		}
		l.before = t
	}
}

// step counts a raw line or debug record of a failure. Neither map grows without
// end, whatever a hostile log names.
func (l *retold) step(rec *parser.Record) {
	const most = 1000
	if len(l.passed) > most {
		clear(l.passed)
	}
	l.passed[rec.Origin]++
	if rec.Kind == parser.KindClose && len(l.reactors) < most {
		l.reactors[rec.Logger] = true
	}
}

// meet tells whether the failure was told before.
func (l *retold) meet(e *Event) verdict {
	if l.given.twice(e.Record, l.all.hash) { // by Docker, while it rotates
		return verdict{known: true}
	}
	key, repeated := l.repeats(e.Record)
	twin, ok := l.all.twinOf(e.Record)
	if ok && twin.near {
		l.step(e.Record)
	}
	if repeated {
		v := verdict{known: true}
		if ok && twin.near && !twin.first {
			v.takeBack = l.settle(e, twin, key)
		}
		return v
	}
	if ok {
		if v := l.joins(e, twin, key); v.known {
			return v
		}
	}
	if known, ok := l.all.seen[key]; ok {
		l.all.seen[key] = known.withAlone(true)
	}
	return verdict{}
}

// repeats tells whether the record stands in an earlier log already, as often as
// it was met in this one. The key is that of the record, 0 for one that has no
// time of its own.
func (l *retold) repeats(rec *parser.Record) (key uint64, is bool) {
	g := l.all
	if g.alone || rec.Stamp.IsZero() || rec.TimeInferred {
		return 0, false
	}
	at := ""
	if !rec.OwnTime {
		at = rec.Stamp.Time.UTC().Format(time.RFC3339Nano)
	}
	key = g.hash(rec.Text, at)
	by := author{l, l.home.of(rec)}
	known := g.seen[key]
	if known.count > 0 && g.author(known).home.isAnother(by.home) {
		key = g.hash(rec.Text, at, by.home.by, by.home.named)
		known = g.seen[key]
	}
	l.counts[key]++
	if l.counts[key] <= known.count && l.mayRepeat(known, rec) {
		return key, true
	}
	if known.count == 0 {
		g.forget(key)
		g.arrive(key, rec.Arrived)
	}
	g.seen[key] = occurrence{count: l.counts[key], source: 2 * g.number(by)}
	return key, false
}

// mayRepeat tells whether an equal record of another log is the same event. Times
// in whole seconds are equal by chance: there one of the two has to be a file
// that the server writes beside its output.
func (l *retold) mayRepeat(known occurrence, rec *parser.Record) bool {
	return rec.Stamp.Time.Nanosecond() != 0 || l.own != l.all.author(known).log.own
}

// forget makes room for a key where the number of them is limited.
func (g *again) forget(key uint64) {
	if g.remember == 0 {
		return
	}
	g.order = append(g.order, key)
	if len(g.order) <= g.remember {
		return
	}
	oldest := g.order[0]
	g.order = g.order[1:]
	delete(g.seen, oldest)
	for _, l := range g.logs {
		delete(l.counts, oldest)
	}
}

// hash tells texts apart. Salted, since a log may be hostile.
func (g *again) hash(texts ...string) uint64 {
	d := xxhash.New()
	_, _ = d.WriteString(g.salt)
	for _, text := range texts {
		_, _ = d.WriteString(text)
		_, _ = d.Write([]byte{0})
	}
	return d.Sum64()
}

// settle takes back one of two events of one failure: a raw handshake line of
// this log was counted, and its debug record turns out to stand in an earlier
// log. If that was counted there, the raw line is kept, since it shows the state;
// otherwise the raw line is a copy.
func (l *retold) settle(e *Event, t twin, key uint64) *Event {
	g := l.all
	known := g.seen[key]
	if !l.own {
		g.close(form{t.key, false}, func(o *told) bool { return o.record == key })
	}
	raw := l.rawBefore(e.Record, t)
	if raw == nil {
		return nil
	}
	if !known.alone() {
		return raw.event
	}
	g.seen[key] = known.withAlone(false)
	counted := *e
	counted.Source = g.author(known).log.name
	return &counted
}

// joins tells whether the other form of the failure was told already.
func (l *retold) joins(e *Event, t twin, key uint64) verdict {
	g := l.all
	mine := &told{
		form: form{t.key, t.first}, origin: e.Record.Origin, home: l.home.of(e.Record), log: l.number,
		at: l.passed[e.Record.Origin], line: e.Record.Line, arrived: e.Record.Arrived, time: e.Time(),
		collected: e.Record.Collected, record: key, event: e,
	}
	if !t.near {
		return g.joinsPanic(mine)
	}
	if !t.first && (l.rawBefore(e.Record, t) != nil || g.adopts(mine)) {
		return verdict{known: true}
	}
	if mine.first && l.falls > 0 {
		if record := l.takeNearest(&l.closed, e.Record, t); record != nil {
			return g.pair(record, mine)
		}
	}
	if other := g.otherForm(mine); other != nil {
		return g.pair(other, mine)
	}
	g.await(l, mine)
	return verdict{}
}

// await keeps a failure until its other form comes.
func (g *again) await(l *retold, mine *told) {
	if !mine.arrived.IsZero() && !g.alone {
		g.push(mine)
	}
	if !mine.first {
		l.closed = lately(append(l.closed, mine))
		return
	}
	l.raw = lately(append(l.raw, mine))
	if _, known := l.unmet[mine.twin]; !g.alone && l.unmet != nil && (known || len(l.unmet) < maxUnmet) {
		l.unmet[mine.twin]++
		if len(l.homes) < 2 {
			l.homes[mine.home] = true
		}
	}
}

// lately are the newest of some failures, as many as may be waited for.
func lately(list []*told) []*told {
	if len(list) > maxRaw {
		return slices.Delete(list, 0, maxRaw/2)
	}
	return list
}

// rawBefore takes the nearest of the raw lines that a debug record can follow; nil
// where there is none.
func (l *retold) rawBefore(rec *parser.Record, t twin) *told { return l.takeNearest(&l.raw, rec, t) }

// takeNearest takes the nearest of the failures of a list that were told in the other form.
func (l *retold) takeNearest(list *[]*told, rec *parser.Record, t twin) *told {
	far := max(apart, 2*len(l.reactors))
	for i := len(*list) - 1; i >= 0; i-- {
		other := (*list)[i]
		if other.paired || other.twin != t.key || other.origin != rec.Origin ||
			l.passed[rec.Origin]-other.at > far || rec.Line-other.line > apartLines || isLong(other.collected, rec.Collected) {
			continue
		}
		*list = slices.Delete(*list, i, i+1)
		l.all.closeOne(other)
		return other
	}
	return nil
}

// isLong tells whether it is known that more than a moment lies between two lines.
func isLong(a, b time.Time) bool {
	return !a.IsZero() && !b.IsZero() && b.Sub(a).Abs() > besides
}

// otherForm finds a failure of another log of the same node, told within the
// delay, in the other form.
func (g *again) otherForm(mine *told) *told {
	for _, o := range g.open[mine.other()] {
		if o.log != mine.log && o.home.mayBe(mine.home) && o.isNear(mine) {
			return o
		}
	}
	return nil
}

func (o *told) isNear(mine *told) bool {
	return mine.arrived.Sub(o.arrived).Abs() <= delay ||
		!o.time.IsZero() && !mine.time.IsZero() && mine.time.Sub(o.time).Abs() <= delay
}

// pair ends the wait of a failure by its other form. The raw line is kept of the
// two, since it shows the state.
func (g *again) pair(other, mine *told) verdict {
	g.closeOne(other)
	other.paired = true
	if !mine.first {
		return verdict{known: true}
	}
	if known, ok := g.seen[other.record]; ok {
		g.seen[other.record] = known.withAlone(false)
	}
	return verdict{known: true, takeBack: other.event, instead: other.event != nil}
}

// push opens a failure, and gives up the oldest where there are too many.
func (g *again) push(t *told) {
	g.open[t.form] = append(g.open[t.form], t)
	g.queue = append(g.queue, t)
	g.openBytes += t.size()
	for len(g.queue) > maxOpen || len(g.queue) > 1 && g.openBytes > maxOpenBytes {
		oldest := g.queue[0]
		g.queue = g.queue[1:]
		g.openBytes -= oldest.size()
		g.closeOne(oldest)
	}
}

// size is how many bytes of text a failure keeps.
func (t *told) size() int {
	if t.event == nil {
		return 0
	}
	return len(t.event.Record.Text)
}

// close ends the wait of the newest failure of a form of which is is true.
func (g *again) close(f form, is func(*told) bool) {
	list := g.open[f]
	if len(list) > 0 && is(list[0]) { // the oldest is given up most often
		g.open[f] = list[1:]
	} else {
		for at := len(list) - 1; at > 0; at-- {
			if is(list[at]) {
				g.open[f] = slices.Delete(list, at, at+1)
				break
			}
		}
	}
	if len(g.open[f]) == 0 {
		delete(g.open, f)
	}
}

func (g *again) closeOne(t *told) {
	g.close(t.form, func(o *told) bool { return o == t })
}

// joinsPanic pairs the forms of a failure that ends the process; they may come
// in any order and from different streams. The form that carries more is kept.
func (g *again) joinsPanic(mine *told) verdict {
	waiting := g.open[mine.other()]
	at := slices.IndexFunc(waiting, func(o *told) bool { return o.home.mayBe(mine.home) })
	if at < 0 {
		g.push(mine)
		return verdict{}
	}
	other := waiting[at]
	g.closeOne(other)
	v := verdict{known: true}
	if mine.first && other.event != nil && other.event.Pattern != mine.event.Pattern {
		v.takeBack, v.instead = other.event, true
	}
	return v
}

// orphans are raw handshake lines of a finished log that wrote no debug records:
// those may stand in another file.
type orphans struct {
	home        home
	count       int
	first, last time.Time
}

// covers tells whether a debug record of this time can belong to the lines.
func (o *orphans) covers(at time.Time) bool {
	const slack = time.Minute
	return o.first.IsZero() || at.IsZero() ||
		!at.Before(o.first.Add(-slack)) && !at.After(o.last.Add(slack))
}

// adopts gives a debug record to a raw line of another log of the same node.
func (g *again) adopts(mine *told) bool {
	list := g.orphans[mine.twin]
	for i, o := range list {
		if !o.home.mayBe(mine.home) || !o.covers(mine.time) {
			continue
		}
		if o.count--; o.count == 0 {
			g.orphans[mine.twin] = slices.Delete(list, i, i+1)
		}
		return true
	}
	return false
}

// end finishes the log: raw handshake lines that met no debug record may find
// theirs in another file. Of a log that is not live nothing else of it is asked for.
func (l *retold) end() {
	defer func() {
		l.unmet, l.closed = nil, nil
		if l.all.remember == 0 {
			l.raw, l.counts = nil, map[uint64]uint32{}
		}
	}()
	of := home{} // any of them, where there are several
	for only := range l.homes {
		if len(l.homes) == 1 {
			of = only
		}
	}
	for key, n := range l.unmet {
		o := &orphans{home: of, count: n, first: l.first, last: l.last}
		l.all.orphans[key] = append(l.all.orphans[key], o)
	}
}

// twin describes a record that the server prints a second time in another form.
type twin struct {
	// key is the same for both forms: of a handshake the error, of what ends the
	// process its last words.
	key uint64
	// first is the form that carries more and is printed first, mostly.
	first bool
	// near says that one goroutine prints both forms, one after the other.
	near bool
}

// twinOf tells the two forms apart; ok is false for a record that has one form
// only.
func (g *again) twinOf(rec *parser.Record) (t twin, ok bool) {
	switch rec.Kind {
	case parser.KindHandshake:
		return twin{key: g.hash("handshake", rec.Error), first: true, near: true}, true
	case parser.KindClose:
		return twin{key: g.hash("handshake", rec.Error), near: true}, true
	case parser.KindNginx:
		return twin{key: g.hash("nginx", rec.Subject()), first: !rec.Stamp.IsZero() && !rec.TimeInferred}, rec.Level == "emerg"
	case parser.KindZap:
		return twin{key: g.hash("panic", panicText(rec)), first: true}, rec.Level == "panic" || rec.Level == "fatal"
	case parser.KindPanic:
		text := lastPanic(rec)
		return twin{key: g.hash("panic", text)}, text != ""
	}
	return twin{}, false
}

// panicText is what a zap record at level panic panics with: its message with
// the logger's prefix (WuKongIM v2.2.5 pkg/wklog/logger.go:208).
func panicText(rec *parser.Record) string {
	if rec.Logger == "" {
		return rec.Message
	}
	return "【" + rec.Logger + "】" + rec.Message
}

// lastPanic is the text that a Go panic ended with, where it came from a zap
// record.
func lastPanic(rec *parser.Record) string {
	text := ""
	for line := range strings.Lines(rec.Subject()) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "panic: "); ok && strings.HasPrefix(value, "【") {
			text = value
		}
	}
	return text
}
